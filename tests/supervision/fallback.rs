//! Degraded mode, probation and recovery.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bidtree::supervision::{
    Exit, Failure, Plane, Probation, Shutdown, Spec, Stage, Strategy, Tree, Why,
    install_panic_hook, stage, task,
};

use crate::support::{Act, World, settle, supervisor, tree};

const RULES: Probation = Probation {
    delay: Duration::from_secs(10),
    delay_max: Duration::from_secs(30),
    quiet: Duration::from_mins(1),
};

struct Bench {
    tree: Tree,
    service: Stage<&'static str>,
    broken: Arc<AtomicBool>,
}

/// A service under a limit of one restart, and what stands in for it.
async fn bench() -> Bench {
    install_panic_hook();
    let service = Stage::new();
    let broken = Arc::new(AtomicBool::new(false));
    let refuse = Arc::clone(&broken);
    let real: Spec = supervisor(Strategy::RestForOne, 1)
        .child(stage("service", &service, move || {
            if refuse.load(Ordering::Relaxed) {
                Err(Failure::new("still broken"))
            } else {
                Ok("real")
            }
        }))
        .named("exchange");
    let stand_in = supervisor(Strategy::OneForOne, 1)
        .child(stage("service", &service, || Ok("fallback")))
        .named("x");
    let tree = tree();
    tree.start(supervisor(Strategy::OneForOne, 0).child(real.fallback(stand_in, RULES)))
        .await
        .unwrap();
    Bench {
        tree,
        service,
        broken,
    }
}

impl Bench {
    fn who(&self) -> Option<&'static str> {
        self.service.call(|who| *who).ok()
    }

    fn poison(&self) {
        assert!(self.service.call(|_| -> () { panic!("poison") }).is_err());
    }

    async fn state(&self) -> &'static str {
        self.tree.snapshot().await.remove(0).state
    }
}

#[tokio::test(start_paused = true)]
async fn over_its_limit_a_subtree_is_replaced_by_its_fallback_and_nothing_counts_above() {
    let bench = bench().await;
    bench.poison();
    assert_eq!(bench.who(), Some("real"));
    bench.poison();
    assert_eq!(bench.who(), Some("fallback"));
    assert_eq!(bench.state().await, "degraded");
}

#[tokio::test(start_paused = true)]
async fn after_the_delay_the_real_one_is_swapped_in_and_trusted_after_a_quiet_period() {
    let bench = bench().await;
    bench.poison();
    bench.poison();
    tokio::time::sleep(Duration::from_millis(9_900)).await;
    assert_eq!(bench.who(), Some("fallback"));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(bench.who(), Some("real"));
    assert_eq!(bench.state().await, "on_probation");
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(bench.state().await, "up");
}

#[tokio::test(start_paused = true)]
async fn a_failed_probation_doubles_the_delay() {
    let bench = bench().await;
    bench.poison();
    bench.poison();
    bench.broken.store(true, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(bench.who(), Some("fallback"));
    bench.broken.store(false, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(18)).await;
    assert_eq!(bench.who(), Some("fallback"));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(bench.who(), Some("real"));
    bench.poison();
    bench.poison();
    assert_eq!(bench.who(), Some("fallback"));
    tokio::time::sleep(Duration::from_secs(29)).await;
    assert_eq!(bench.who(), Some("fallback"));
}

#[tokio::test(start_paused = true)]
async fn an_operator_need_not_wait_for_the_delay() {
    let bench = bench().await;
    assert!(bench.tree.recover("exchange").await.is_err());
    bench.poison();
    bench.poison();
    bench.tree.recover("exchange").await.unwrap();
    settle().await;
    assert_eq!(bench.who(), Some("real"));
}

/// A supervisor of `a` that bears no crash, `f` to stand in for it, and a sibling that takes long to stop.
async fn puppets() -> World {
    let world = World::new();
    let real = world.puppets(supervisor(Strategy::OneForOne, 0), "a");
    let stand_in = world.puppets(supervisor(Strategy::OneForOne, 0), "f");
    let slow = world.puppet("slow");
    world.part("slow", |part| part.cleanup = Duration::from_mins(2));
    let plan = supervisor(Strategy::OneForOne, 1)
        .child(real.named("real").fallback(stand_in.named("real"), RULES))
        .child(slow.shutdown(Shutdown::Infinity));
    world.tree.start(plan).await.unwrap();
    world
}

/// The tree is told to stop, and is still at it after this time.
async fn stopping_for(world: &World, span: Duration) {
    tokio::select! {
        biased;
        _ = world.tree.stop() => {}
        () = tokio::time::sleep(span) => {}
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_tried_while_the_supervisor_ends() {
    let world = puppets().await;
    world.act("real/a", Act::Panic).await;
    assert_eq!(world.incarnations("real~fallback/f"), 1);
    stopping_for(&world, 2 * RULES.delay).await;
    assert_eq!(world.incarnations("real/a"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_fallback_that_does_not_start_while_its_supervisor_ends_is_not_started_again() {
    let world = puppets().await;
    world.part("real~fallback/f", |part| part.hanging = 1);
    world.act("real/a", Act::Panic).await;
    stopping_for(&world, Duration::from_mins(1)).await;
    assert_eq!(world.incarnations("real~fallback/f"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_fallback_that_was_still_ending_when_it_is_wanted_again_comes_back() {
    let world = puppets().await;
    let cleanup = Duration::from_secs(3);
    world.part("real~fallback/f", |part| part.cleanup = cleanup);
    world.act("real/a", Act::Panic).await;
    world.pass(RULES.delay).await;
    for _ in 0..2 {
        world.act("real/a", Act::Panic).await;
    }
    assert_eq!(world.incarnations("real~fallback/f"), 1, "it cleans up");
    world.pass(cleanup).await;
    assert_eq!(world.incarnations("real~fallback/f"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_try_that_an_operator_called_off_is_not_made_for_the_next_fallback() {
    let world = puppets().await;
    world.act("real/a", Act::Panic).await;
    world.tree.terminate_child("real").await.unwrap();
    world.tree.restart_child("real").await.unwrap();
    world.part("real~fallback/f", |part| part.hanging = 1);
    world.act("real/a", Act::Panic).await;
    world.pass(RULES.delay + Duration::from_secs(1)).await;
    assert_eq!(
        world.incarnations("real/a"),
        2,
        "nothing stands in yet, so nothing is tried"
    );
}

#[tokio::test(start_paused = true)]
async fn a_stand_in_that_does_not_come_up_in_its_time_is_started_again_and_counts() {
    let service = Stage::<u32>::new();
    let real = supervisor(Strategy::OneForOne, 0)
        .child(stage("service", &service, || Ok(7)))
        .named("exchange");
    let hanging = task("stand_in", Plane::Control, |context| async move {
        context.stopped().await;
        Ok(())
    });
    let plan = supervisor(Strategy::OneForOne, 1)
        .child(real.fallback(hanging.start_within(Duration::from_secs(1)), RULES));
    let tree = tree();
    tree.start(plan).await.unwrap();
    service.fail(Failure::new("broken"));
    settle().await;
    assert_eq!(tree.snapshot().await[0].state, "starting");
    // It is tried again once; the second time is over the root's limit.
    let ended = tokio::time::timeout(Duration::from_secs(3), tree.ended()).await;
    assert_eq!(ended, Ok(Exit::Shutdown(Why::OverLimit)));
}
