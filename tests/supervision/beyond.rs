//! What OTP does not have: the watchdog, fences, back-off. And what it has had since 24: significant children.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bidtree::supervision::{
    AutoShutdown, BackOff, Exit, Failure, Limit, OnStuck, Plane, Restart, Shutdown, Spec, Stage,
    Strategy, Supervisor, What, Why, stage, task,
};

use crate::support::{Act, World, settle, supervisor, threaded, tree};

/// A stage whose first incarnation never comes back from a call until it is let go.
fn spinning(stuck: OnStuck) -> (Spec, Stage<u32>) {
    let (address, made) = (Stage::new(), AtomicU32::new(0));
    let spec = stage("s", &address, move || {
        Ok(made.fetch_add(1, Ordering::Relaxed))
    });
    (
        spec.stuck_after(Duration::from_millis(30)).on_stuck(stuck),
        address,
    )
}

/// Runs a call that spins until `over` says so, and says what happened in the tree meanwhile.
fn spin_until(
    plan: Supervisor,
    address: &Stage<u32>,
    over: impl Fn(&What) -> bool,
) -> Vec<(String, What)> {
    let (runtime, tree) = threaded();
    runtime.block_on(tree.start(plan)).unwrap();
    let let_go = AtomicBool::new(false);
    let mut seen = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            address.call(|_| {
                while !let_go.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            })
        });
        let watched = async {
            while !seen.iter().any(|(_, what)| over(what)) {
                let (batch, _) = tree.observations().next().await;
                seen.extend(
                    batch
                        .into_iter()
                        .map(|one| (one.path.to_string(), one.what)),
                );
            }
        };
        let found = runtime
            .block_on(async { tokio::time::timeout(Duration::from_secs(20), watched).await });
        let_go.store(true, Ordering::Relaxed);
        found.unwrap();
    });
    seen
}

fn is_stuck(what: &What) -> bool {
    matches!(
        what,
        What::Exited {
            exit: Exit::Stuck,
            ..
        }
    )
}

#[test]
fn a_call_that_does_not_return_is_found_stuck_and_its_incarnation_replaced() {
    let (spec, address) = spinning(OnStuck::Replace);
    let other = address.clone();
    let seen = spin_until(
        supervisor(Strategy::OneForOne, 1).child(spec),
        &address,
        |what| matches!(what, What::Started { .. }) && other.call(|number| *number) == Ok(1),
    );
    assert!(seen.iter().any(|(_, what)| is_stuck(what)), "{seen:?}");
}

#[test]
fn a_stuck_child_that_is_fenced_stays_down() {
    let (spec, address) = spinning(OnStuck::Fence);
    let seen = spin_until(
        supervisor(Strategy::OneForOne, 1).child(spec),
        &address,
        |what| *what == What::Fenced,
    );
    assert!(seen.iter().any(|(_, what)| is_stuck(what)));
    assert!(!address.is_up());
}

#[test]
fn a_stuck_child_may_take_its_supervisor_with_it() {
    let (spec, address) = spinning(OnStuck::Escalate);
    let inner = supervisor(Strategy::OneForOne, 5)
        .child(spec)
        .named("inner");
    let mut restarts = Mutex::new(0);
    let seen = spin_until(
        supervisor(Strategy::OneForOne, 1).child(inner),
        &address,
        |what| {
            *restarts.lock().unwrap() += u32::from(*what == What::Restarting);
            *what == What::Restarting
        },
    );
    assert!(
        seen.iter()
            .any(|(path, what)| path == "inner" && is_stuck(what)),
        "{seen:?}"
    );
    assert!(*restarts.get_mut().unwrap() > 0);
}

#[test]
fn a_start_that_does_not_return_makes_its_supervisor_deaf_and_that_is_said() {
    let (runtime, tree) = threaded();
    let (going, first) = (Arc::new(AtomicBool::new(false)), AtomicBool::new(true));
    let hangs = Arc::clone(&going);
    let address = Stage::<u32>::new();
    let hanging = stage("hanging", &address, move || {
        while !first.swap(false, Ordering::Relaxed) && !hangs.load(Ordering::Relaxed) {
            std::hint::spin_loop();
        }
        Ok(0)
    });
    let inner = supervisor(Strategy::OneForOne, 9)
        .child(hanging.stuck_after(Duration::from_mins(1)))
        .named("inner");
    // Somebody else is watched, so that there is a watchdog while the hanging one is neither up nor down.
    let waiter = task("waiter", Plane::Control, |context| async move {
        context.ready();
        context.stopped().await;
        Ok(())
    });
    let plan = supervisor(Strategy::OneForOne, 1)
        .child(inner)
        .child(waiter.stuck_after(Duration::from_mins(1)));
    runtime.block_on(tree.start(plan)).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| address.fail(Failure::new("broken")));
        let said = async |wanted: What| {
            loop {
                let (batch, _) = tree.observations().next().await;
                if let Some(one) = batch.into_iter().find(|one| one.what == wanted) {
                    return one.path.to_string();
                }
            }
        };
        let deaf = runtime.block_on(async {
            tokio::time::timeout(Duration::from_secs(20), said(What::Deaf)).await
        });
        going.store(true, Ordering::Relaxed);
        assert_eq!(deaf.as_deref(), Ok("inner"));
        let hears = runtime.block_on(async {
            tokio::time::timeout(Duration::from_secs(20), said(What::HearsAgain)).await
        });
        assert_eq!(hears.as_deref(), Ok("inner"));
    });
    assert_eq!(address.call(|number| *number), Ok(0));
}

#[test]
fn a_task_that_does_not_yield_is_found_stuck_and_one_that_waits_is_not() {
    let (runtime, tree) = threaded();
    let (let_go, starts) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU32::new(0)),
    );
    let (going, started) = (Arc::clone(&let_go), Arc::clone(&starts));
    let spinner = task("spinner", Plane::Control, move |context| {
        let (going, first) = (
            Arc::clone(&going),
            started.fetch_add(1, Ordering::Relaxed) == 0,
        );
        async move {
            context.ready();
            while first && !going.load(Ordering::Relaxed) {
                std::hint::spin_loop();
            }
            context.stopped().await;
            Ok(())
        }
    });
    let waiter = task("waiter", Plane::Control, |context| async move {
        context.ready();
        context.stopped().await;
        Ok(())
    });
    let limit = Duration::from_millis(30);
    let plan = supervisor(Strategy::OneForOne, 1)
        .child(waiter.stuck_after(limit))
        .child(spinner.stuck_after(limit));
    runtime.block_on(tree.start(plan)).unwrap();
    let seen = runtime.block_on(async {
        let mut stuck = Vec::new();
        while stuck.is_empty() {
            let (batch, _) = tree.observations().next().await;
            stuck.extend(
                batch
                    .into_iter()
                    .filter(|seen| is_stuck(&seen.what))
                    .map(|seen| seen.path.to_string()),
            );
        }
        stuck
    });
    let_go.store(true, Ordering::Relaxed);
    assert_eq!(seen, ["spinner"]);
    runtime.block_on(tree.stop());
}

/// A task that fails as often as it is told to, and notes when it starts.
fn failing(failures: u32, restart: Restart) -> (Spec, Arc<Mutex<Vec<Duration>>>) {
    let (starts, began) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(None)));
    let noted = Arc::clone(&starts);
    let spec = task("f", Plane::Control, move |context| {
        let (noted, began) = (Arc::clone(&noted), Arc::clone(&began));
        async move {
            #[expect(clippy::disallowed_methods, reason = "a test on a paused clock")]
            let now = tokio::time::Instant::now();
            let origin = *began.lock().unwrap().get_or_insert(now);
            let number = {
                let mut starts = noted.lock().unwrap();
                starts.push(now.duration_since(origin));
                starts.len()
            };
            context.ready();
            if number <= usize::try_from(failures).unwrap() {
                return Err(Failure::new("told to"));
            }
            context.stopped().await;
            Ok(())
        }
    });
    (spec.restart(restart), starts)
}

#[tokio::test(start_paused = true)]
async fn a_back_off_doubles_up_to_its_maximum_and_a_terminate_wins_over_it() {
    let tree = tree();
    let (spec, starts) = failing(4, Restart::Permanent);
    let back_off = BackOff {
        first: Duration::from_secs(1),
        max: Duration::from_secs(4),
    };
    let plan = Supervisor::new(Strategy::OneForOne, Limit::new(9, Duration::from_mins(1)))
        .child(spec.back_off(back_off));
    tree.start(plan).await.unwrap();
    tokio::time::sleep(Duration::from_millis(7_500)).await;
    let seconds: Vec<u64> = starts
        .lock()
        .unwrap()
        .iter()
        .map(Duration::as_secs)
        .collect();
    assert_eq!(seconds, [0, 1, 3, 7]);
    tree.terminate_child("f").await.unwrap();
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(
        starts.lock().unwrap().len(),
        4,
        "the pending restart was called off"
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_recovered_while_its_supervisor_ends() {
    let world = World::new();
    let pool = Supervisor::dynamic(Limit::new(9, Duration::from_mins(1)), 2).named("pool");
    world
        .tree
        .start(supervisor(Strategy::OneForOne, 1).child(pool))
        .await
        .unwrap();
    let frail = world
        .puppet("frail")
        .set_aside_over(Limit::new(0, Duration::from_mins(1)));
    world.tree.start_child("pool", frail).await.unwrap();
    world
        .tree
        .start_child("pool", world.puppet("slow"))
        .await
        .unwrap();
    world.part("pool/slow", |part| part.cleanup = Duration::from_secs(1));
    world.act("pool/frail", Act::Panic).await;
    tokio::select! {
        biased;
        _ = world.tree.terminate_child("pool") => {}
        () = settle() => {}
    }
    assert!(world.tree.recover("pool/frail").await.is_err());
    settle().await;
    assert_eq!(world.incarnations("pool/frail"), 1);
}

fn ending(id: &'static str, restart: Restart) -> (Spec, Arc<tokio::sync::Notify>) {
    let end = Arc::new(tokio::sync::Notify::new());
    let told = Arc::clone(&end);
    let spec = task(id, Plane::Control, move |context| {
        let told = Arc::clone(&told);
        async move {
            context.ready();
            tokio::select! {
                _ = context.stopped() => {}
                () = told.notified() => {}
            }
            Ok(())
        }
    });
    (spec.restart(restart).significant(), end)
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_ends_with_any_or_with_the_last_of_its_significant_children() {
    for (rule, ends_with_first) in [
        (AutoShutdown::AnySignificant, true),
        (AutoShutdown::AllSignificant, false),
    ] {
        let tree = tree();
        let ((one, end_one), (two, end_two)) = (
            ending("one", Restart::Transient),
            ending("two", Restart::Temporary),
        );
        let plan = supervisor(Strategy::OneForOne, 1)
            .auto_shutdown(rule)
            .child(one)
            .child(two);
        tree.start(plan).await.unwrap();
        end_one.notify_one();
        settle().await;
        let ended = tokio::time::timeout(Duration::from_secs(1), tree.ended()).await;
        assert_eq!(ended.is_ok(), ends_with_first, "{rule:?}");
        end_two.notify_one();
        assert_eq!(tree.ended().await, Exit::Shutdown(Why::Other));
    }
}

#[tokio::test(start_paused = true)]
async fn stopping_a_significant_child_by_hand_ends_nothing() {
    let tree = tree();
    let (one, _end) = ending("one", Restart::Transient);
    let plan = supervisor(Strategy::OneForOne, 1)
        .auto_shutdown(AutoShutdown::AnySignificant)
        .child(one);
    tree.start(plan).await.unwrap();
    tree.terminate_child("one").await.unwrap();
    settle().await;
    assert_eq!(tree.count_children("").await.unwrap().specs, 1);
}

#[tokio::test(start_paused = true)]
async fn a_significant_child_whose_end_was_not_heard_yet_may_still_come_back() {
    let world = World::new();
    let significant = |id| world.puppet(id).restart(Restart::Transient).significant();
    let plan = supervisor(Strategy::RestForOne, 5)
        .auto_shutdown(AutoShutdown::AllSignificant)
        .child(significant("one"))
        .child(significant("two"))
        .child(world.puppet("last").start_within(Duration::from_secs(1)));
    world.tree.start(plan).await.unwrap();
    world.part("last", |part| part.hanging = 1);
    world.act("last", Act::Panic).await;
    // Both end while the group is being started: nobody has decided yet what becomes of them.
    world.act("one", Act::Normal).await;
    world.act("two", Act::Panic).await;
    world.pass(Duration::from_secs(2)).await;
    assert_eq!(world.incarnations("two"), 2);
    assert_eq!(world.tree.count_children("").await.unwrap().active, 2);
}

#[tokio::test(start_paused = true)]
async fn what_was_stopped_by_hand_and_is_stuck_is_no_matter_of_a_group_that_does_not_hold_it() {
    let world = World::new();
    let stone = world
        .stone("stone", "stone")
        .shutdown(Shutdown::Brutal)
        .on_stuck(OnStuck::Escalate);
    let plan = supervisor(Strategy::RestForOne, 5)
        .child(stone)
        .child(world.puppet("a"))
        .child(world.puppet("slow"));
    let stones = world.stones();
    stones
        .attend(async {
            world.tree.start(plan).await.unwrap();
            world.part("slow", |part| part.cleanup = Duration::from_secs(3));
            tokio::select! {
                biased;
                _ = world.tree.terminate_child("stone") => {}
                () = settle() => {}
            }
            // The group from `a` on is being stopped when the stone is given up.
            world.act("a", Act::Panic).await;
            world.pass(Duration::from_secs(5)).await;
            assert_eq!(world.incarnations("slow"), 2);
            let places = world.places().await;
            assert_eq!(places[0], ("stone".to_owned(), "down", 0));
        })
        .await;
}

#[test]
#[should_panic(expected = "a permanent child is never significant")]
fn a_permanent_significant_child_is_refused() {
    let (one, _end) = ending("one", Restart::Permanent);
    drop(
        supervisor(Strategy::OneForOne, 1)
            .auto_shutdown(AutoShutdown::AnySignificant)
            .child(one),
    );
}

#[test]
#[should_panic(expected = "a back-off needs a one_for_one parent")]
fn a_back_off_in_a_group_is_refused() {
    let (one, _starts) = failing(0, Restart::Permanent);
    let back_off = BackOff {
        first: Duration::from_secs(1),
        max: Duration::from_secs(4),
    };
    drop(supervisor(Strategy::OneForAll, 1).child(one.back_off(back_off)));
}
