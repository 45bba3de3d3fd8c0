//! Stages: whose crash a panic is, and what becomes of those who were inside.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use bidtree::supervision::{
    CallError, Failure, Limit, Plane, Spec, Stage, Strategy, Supervisor, What, install_panic_hook,
    stage, task,
};

use crate::support::{settle, supervisor, threaded, tree};

fn counting(id: &str, address: &Stage<u64>) -> Spec {
    let made = AtomicU64::new(0);
    stage(
        id,
        address,
        move || Ok(made.fetch_add(1, Ordering::Relaxed)),
    )
}

fn poison(address: &Stage<u64>) -> Result<u64, CallError> {
    address.call(|_| panic!("poison"))
}

#[test]
fn the_first_report_of_an_incarnation_counts_once_however_many_threads_hit_it() {
    let (runtime, tree) = threaded();
    let address = Stage::new();
    runtime
        .block_on(tree.start(supervisor(Strategy::OneForOne, 1).child(counting("s", &address))))
        .unwrap();
    let together = Barrier::new(8);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let crashed: Result<u64, _> = address.call(|number| {
                    // All of them are inside the first incarnation before any of them panics.
                    together.wait();
                    assert_ne!(*number, 0, "poison");
                    *number
                });
                assert_eq!(crashed, Err(CallError::Crashed));
            });
        }
    });
    assert_eq!(
        address.call(|number| *number),
        Ok(1),
        "one restart, within a limit of one"
    );
    runtime.block_on(tree.stop());
}

#[test]
fn a_call_in_flight_goes_on_in_its_own_incarnation_and_never_touches_the_next() {
    let (runtime, tree) = threaded();
    let address = Stage::<AtomicU64>::new();
    let spec = stage("s", &address, || Ok(AtomicU64::new(0)));
    runtime
        .block_on(tree.start(supervisor(Strategy::OneForOne, 1).child(spec)))
        .unwrap();
    let (inside, go_on) = (Barrier::new(2), Barrier::new(2));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let written = address.call(|cell| {
                inside.wait();
                go_on.wait();
                cell.fetch_add(7, Ordering::Relaxed) + 7
            });
            assert_eq!(written, Ok(7), "the call ends as it began");
        });
        inside.wait();
        let crashed: Result<u64, _> = address.call(|_| panic!("poison"));
        assert_eq!(crashed, Err(CallError::Crashed));
        go_on.wait();
    });
    assert_eq!(
        address.call(|cell| cell.load(Ordering::Relaxed)),
        Ok(0),
        "the new one is untouched"
    );
    runtime.block_on(tree.stop());
}

#[tokio::test(start_paused = true)]
async fn a_stage_that_a_caller_finds_broken_ends_as_an_error_and_is_started_again() {
    let tree = tree();
    let address = Stage::new();
    assert!(!address.fail(Failure::new("nobody is there")));
    tree.start(supervisor(Strategy::OneForOne, 1).child(counting("s", &address)))
        .await
        .unwrap();
    assert!(address.fail(Failure::new("its table is empty")));
    assert_eq!(address.call(|number| *number), Ok(1));
    let ends: Vec<What> = tree
        .observations()
        .take()
        .0
        .into_iter()
        .map(|seen| seen.what)
        .collect();
    let is_it = |what: &What| matches!(what, What::Exited { exit, .. } if exit.to_string().contains("its table is empty"));
    assert!(ends.iter().any(is_it), "{ends:?}");
}

#[tokio::test(start_paused = true)]
async fn a_start_may_call_an_earlier_sibling_and_even_crash_it() {
    install_panic_hook();
    let tree = tree();
    let (first, second) = (Stage::new(), Stage::new());
    let (asked, starts) = (first.clone(), Arc::new(AtomicU32::new(0)));
    let counted = Arc::clone(&starts);
    let nosy = stage("second", &second, move || {
        // The supervisor's machine is out while this runs: the crash waits in its inbox, and no lock is held.
        if counted.fetch_add(1, Ordering::Relaxed) == 0 {
            assert_eq!(poison(&asked), Err(CallError::Crashed));
        }
        Ok(0)
    });
    let plan = supervisor(Strategy::OneForOne, 1)
        .child(counting("first", &first))
        .child(nosy);
    tree.start(plan).await.unwrap();
    settle().await;
    assert_eq!((first.call(|n| *n), second.call(|n| *n)), (Ok(1), Ok(0)));
    assert_eq!(starts.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn an_instant_start_that_panics_is_tried_again_and_counted() {
    install_panic_hook();
    let tree = tree();
    let address = Stage::new();
    let tries = AtomicU32::new(0);
    let spec = stage("s", &address, move || {
        match tries.fetch_add(1, Ordering::Relaxed) {
            1 | 2 => panic!("not yet"),
            number => Ok(u64::from(number)),
        }
    });
    tree.start(supervisor(Strategy::OneForOne, 3).child(spec))
        .await
        .unwrap();
    assert_eq!(poison(&address), Err(CallError::Crashed));
    settle().await;
    assert_eq!(address.call(|number| *number), Ok(3));
    let (seen, _) = tree.observations().take();
    assert_eq!(
        seen.iter()
            .filter(|seen| seen.what == What::Restarting)
            .count(),
        3
    );
}

#[tokio::test(start_paused = true)]
async fn limits_one_inside_the_other_escalate_from_a_call_without_blocking_it() {
    install_panic_hook();
    let tree = tree();
    let address = Stage::new();
    let none = || Supervisor::new(Strategy::OneForOne, Limit::new(0, Duration::from_secs(5)));
    let inner = none().child(counting("s", &address)).named("inner");
    let middle = none().child(inner).named("middle");
    let root =
        Supervisor::new(Strategy::OneForOne, Limit::new(1, Duration::from_secs(5))).child(middle);
    tree.start(root).await.unwrap();
    assert_eq!(
        poison(&address),
        Err(CallError::Crashed),
        "the caller is answered"
    );
    settle().await;
    assert_eq!(
        address.call(|number| *number),
        Ok(1),
        "two levels ended and were rebuilt"
    );
    let (seen, _) = tree.observations().take();
    let over: Vec<&str> = seen
        .iter()
        .filter(|seen| matches!(seen.what, What::OverLimit(_)))
        .map(|seen| &*seen.path)
        .collect();
    assert_eq!(over, ["middle/inner/s", "middle/inner"]);
}

struct Spiteful(Arc<AtomicU32>);

impl Drop for Spiteful {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
        panic!("not without a fight");
    }
}

#[tokio::test(start_paused = true)]
async fn a_value_whose_drop_panics_is_freed_by_the_reaper_and_not_by_the_caller() {
    install_panic_hook();
    let tree = tree();
    let address = Stage::new();
    let drops = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&drops);
    let spec = stage("s", &address, move || Ok(Spiteful(Arc::clone(&counted))));
    tree.start(supervisor(Strategy::OneForOne, 1).child(spec))
        .await
        .unwrap();
    let crashed: Result<(), _> = address.call(|_| panic!("poison"));
    assert_eq!(crashed, Err(CallError::Crashed));
    assert_eq!(
        drops.load(Ordering::Relaxed),
        0,
        "not on the caller's thread"
    );
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(drops.load(Ordering::Relaxed), 1);
    assert!(address.is_up());
}

/// Calls a stage that panics, while something else unwinds.
struct Parting<'s>(&'s Stage<u64>);

impl Drop for Parting<'_> {
    fn drop(&mut self) {
        assert_eq!(poison(self.0), Err(CallError::Crashed));
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_inside_an_unwind_is_one_childs_crash_and_not_the_process() {
    install_panic_hook();
    let tree = tree();
    let (outer, inner) = (Stage::new(), Stage::new());
    let plan = supervisor(Strategy::OneForOne, 4)
        .child(counting("outer", &outer))
        .child(counting("inner", &inner));
    tree.start(plan).await.unwrap();
    let crashed: Result<(), _> = outer.call(|_| {
        let _parting = Parting(&inner);
        panic!("first");
    });
    assert_eq!(crashed, Err(CallError::Crashed));
    settle().await;
    assert_eq!((outer.call(|n| *n), inner.call(|n| *n)), (Ok(1), Ok(1)));
}

#[tokio::test(start_paused = true)]
async fn publishing_again_withdraws_what_the_same_incarnation_published_before() {
    let tree = tree();
    let address = Stage::<Arc<u64>>::new();
    let (first, second) = (Arc::new(1), Arc::new(2));
    let (old, values, published) = (
        Arc::downgrade(&first),
        std::sync::Mutex::new(vec![second, first]),
        address.clone(),
    );
    let twice = task("twice", Plane::Control, move |context| {
        while let Some(value) = values.lock().unwrap().pop() {
            context.publish(&published, value);
        }
        async move {
            context.ready();
            context.stopped().await;
            Ok(())
        }
    });
    tree.start(supervisor(Strategy::OneForOne, 1).child(twice))
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(address.call(|value| **value), Ok(2));
    assert_eq!(old.strong_count(), 0, "the first one is freed");
}
