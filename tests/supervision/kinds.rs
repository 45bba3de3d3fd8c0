//! Stages, tasks, threads and what they own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bidtree::supervision::{
    CallError, Plane, Post, Stage, Strategy, Supervisor, install_panic_hook, stage, task, thread,
};

use crate::support::{settle, supervisor, tree};

fn counting(id: &str, address: &Stage<u64>) -> bidtree::supervision::Spec {
    let made = AtomicU64::new(0);
    stage(
        id,
        address,
        move || Ok(made.fetch_add(1, Ordering::Relaxed)),
    )
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_call_is_the_stages_crash_and_the_next_call_meets_its_successor() {
    install_panic_hook();
    let tree = tree();
    let address = Stage::new();
    tree.start(supervisor(Strategy::OneForOne, 1).child(counting("s", &address)))
        .await
        .unwrap();
    assert_eq!(address.call(|number| *number), Ok(0));
    assert_eq!(
        address.call(|_| -> u64 { panic!("poison") }),
        Err(CallError::Crashed)
    );
    assert_eq!(address.call(|number| *number), Ok(1));
}

#[tokio::test(start_paused = true)]
async fn the_innermost_stage_owns_the_panic() {
    install_panic_hook();
    let tree = tree();
    let (outer, inner) = (Stage::new(), Stage::new());
    let plan = supervisor(Strategy::OneForOne, 3)
        .child(counting("outer", &outer))
        .child(counting("inner", &inner));
    tree.start(plan).await.unwrap();
    let seen = outer.call(|number| (*number, inner.call(|_| -> u64 { panic!("poison") })));
    assert_eq!(seen, Ok((0, Err(CallError::Crashed))));
    assert_eq!((outer.call(|n| *n), inner.call(|n| *n)), (Ok(0), Ok(1)));
}

#[tokio::test(start_paused = true)]
async fn an_empty_slot_answers_at_once() {
    let address = Stage::<u64>::new();
    assert_eq!(address.call(|number| *number), Err(CallError::Restarting));
}

#[tokio::test(start_paused = true)]
async fn stages_over_their_limit_take_their_supervisor_with_them() {
    install_panic_hook();
    let tree = tree();
    let (engine, serializer) = (Stage::new(), Stage::new());
    let plan = supervisor(Strategy::RestForOne, 2)
        .child(counting("engine", &engine))
        .child(counting("serializer", &serializer));
    tree.start(plan).await.unwrap();
    assert_eq!(
        engine.call(|_| -> u64 { panic!("poison") }),
        Err(CallError::Crashed)
    );
    assert_eq!(
        (engine.call(|n| *n), serializer.call(|n| *n)),
        (Ok(1), Ok(1))
    );
    assert_eq!(
        serializer.call(|_| -> u64 { panic!("poison") }),
        Err(CallError::Crashed)
    );
    assert_eq!(
        (engine.call(|n| *n), serializer.call(|n| *n)),
        (Ok(1), Ok(2))
    );
    assert_eq!(
        engine.call(|_| -> u64 { panic!("poison") }),
        Err(CallError::Crashed)
    );
    tree.ended().await;
    assert_eq!(engine.call(|n| *n), Err(CallError::Restarting));
}

#[tokio::test(start_paused = true)]
async fn a_tasks_own_tasks_see_its_end_and_a_panic_in_one_is_only_counted() {
    install_panic_hook();
    let tree = tree();
    let ended = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&ended);
    let (panics, reported) = tokio::sync::watch::channel(0);
    let pool = task("pool", Plane::Control, move |context| {
        let (ended, panics) = (Arc::clone(&ended), panics.clone());
        async move {
            context.ready();
            let inner = context.clone();
            assert!(context.spawn_on(Plane::Data(0), async move {
                inner.stopped().await;
                ended.fetch_add(1, Ordering::Relaxed);
            }));
            context.spawn_on(Plane::Data(0), async { panic!("one connection") });
            tokio::time::sleep(Duration::from_millis(5)).await;
            panics.send_replace(context.owned_panics());
            context.stopped().await;
            Ok(())
        }
    });
    tree.start(supervisor(Strategy::OneForOne, 1).child(pool))
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(*reported.borrow(), 1);
    tree.kill("pool").await.unwrap();
    settle().await;
    assert_eq!(seen.load(Ordering::Relaxed), 1);
    tree.stop().await;
    assert_eq!(seen.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_thread_finishes_its_mailbox_when_told_to_stop_and_not_when_killed() {
    let tree = tree();
    let post = Post::<u64>::new();
    let sum = Arc::new(AtomicU64::new(0));
    let total = Arc::clone(&sum);
    let spec = thread("adder", &post, 64, move |context, mailbox| {
        context.child().ready();
        while let Ok(number) = mailbox.recv() {
            if context.is_killed() {
                break;
            }
            total.fetch_add(number, Ordering::Relaxed);
        }
        Ok(())
    });
    tree.start(Supervisor::clone(&supervisor(Strategy::OneForOne, 1)).child(spec))
        .await
        .unwrap();
    for number in 0..10 {
        post.cast(number).unwrap();
    }
    tree.stop().await;
    assert_eq!(sum.load(Ordering::Relaxed), 45);
    assert!(post.cast(1).is_err());
}

#[tokio::test]
async fn many_threads_that_hit_one_incarnation_are_one_crash() {
    install_panic_hook();
    let tree = tree();
    let address = Stage::new();
    tree.start(supervisor(Strategy::OneForOne, 1_000_000).child(counting("s", &address)))
        .await
        .unwrap();
    // Every call panics, so each incarnation is hit by as many threads as are inside it.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..500 {
                    let outcome = address.call(|_| -> () { panic!("poison") });
                    assert!(outcome.is_err());
                }
            });
        }
    });
    settle().await;
    let (seen, lost) = tree.observations().take();
    assert_eq!(lost, 0);
    let started = seen
        .iter()
        .filter(|o| matches!(o.what, bidtree::supervision::What::Started { .. }))
        .count();
    let exited = seen
        .iter()
        .filter(|o| matches!(o.what, bidtree::supervision::What::Exited { .. }))
        .count();
    // One start more than exits: the incarnation that is up now, whose number says how many came before.
    assert_eq!(started, exited + 1);
    assert_eq!(
        address.call(|number| *number),
        Ok(u64::try_from(exited).unwrap())
    );
}

#[tokio::test(start_paused = true)]
async fn a_crashed_stages_value_is_freed_when_its_last_caller_is_out() {
    install_panic_hook();
    let tree = tree();
    let (address, value) = (Stage::new(), Arc::new(()));
    let kept = Arc::clone(&value);
    let spec = stage("s", &address, move || Ok(Arc::clone(&kept)));
    tree.start(supervisor(Strategy::OneForOne, 1).child(spec))
        .await
        .unwrap();
    let before = Arc::strong_count(&value);
    let crashed = address.call(|_| -> () { panic!("poison") });
    assert_eq!(crashed, Err(CallError::Crashed));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(Arc::strong_count(&value), before);
}
