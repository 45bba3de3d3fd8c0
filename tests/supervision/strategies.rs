//! Order, strategies, limits and escalation.

use bidtree::supervision::{AskError, Exit, Limit, Restart, Shutdown, Strategy, Supervisor, Why};
use std::time::Duration;

use crate::support::{Say, Stand, incarnation, settle, supervisor, tree};

#[tokio::test(start_paused = true)]
async fn children_start_in_order_and_stop_in_reverse() {
    let stand = Stand::new();
    let tree = tree();
    let plan = ["a", "b", "c"]
        .into_iter()
        .fold(supervisor(Strategy::OneForOne, 2), |s, id| {
            s.child(stand.actor(id).0)
        });
    tree.start(plan).await.unwrap();
    assert_eq!(stand.script.take(), "+a +b +c");
    assert_eq!(tree.stop().await, Exit::Shutdown(Why::Asked));
    assert_eq!(stand.script.take(), "-c -b -a");
}

#[tokio::test(start_paused = true)]
async fn a_failing_first_start_stops_what_is_up_and_names_the_child() {
    let stand = Stand::new();
    let tree = tree();
    let (a, _) = stand.actor("a");
    let (b, b_address) = stand.actor("b");
    let failing = std::sync::Arc::clone(&stand.failing);
    let trap = bidtree::supervision::stage(
        "trap",
        &bidtree::supervision::Stage::<()>::new(),
        move || {
            *failing.lock().unwrap() = 1;
            Ok(())
        },
    );
    let outcome = tree
        .start(
            supervisor(Strategy::OneForOne, 2)
                .child(a)
                .child(trap)
                .child(b),
        )
        .await;
    let Err(Exit::Error(reason)) = outcome else {
        panic!("{outcome:?}")
    };
    assert!(
        reason.contains("b did not start") && reason.contains("told not to start"),
        "{reason}"
    );
    assert_eq!(stand.script.take(), "+a +b -a");
    assert_eq!(incarnation(&b_address).await, None);
}

/// Who dies when `victim` of a, b, c, d crashes.
async fn crash(strategy: Strategy, victim: usize, how: Say) -> String {
    let stand = Stand::new();
    let tree = tree();
    let mut plan = supervisor(strategy, 2);
    let mut addresses = Vec::new();
    for id in ["a", "b", "c", "d"] {
        let (spec, address) = stand.actor(id);
        plan = plan.child(spec);
        addresses.push(address);
    }
    tree.start(plan).await.unwrap();
    stand.script.take();
    addresses[victim]
        .cast(how)
        .unwrap_or_else(|_| panic!("full"));
    settle().await;
    for address in &addresses {
        assert!(incarnation(address).await.is_some());
    }
    stand.script.take()
}

#[tokio::test(start_paused = true)]
async fn one_for_one_touches_only_the_victim() {
    assert_eq!(crash(Strategy::OneForOne, 1, Say::Panic).await, "+b");
    assert_eq!(crash(Strategy::OneForOne, 1, Say::Fail).await, "+b");
}

#[tokio::test(start_paused = true)]
async fn one_for_all_takes_everyone_down_in_reverse_and_up_in_order() {
    assert_eq!(
        crash(Strategy::OneForAll, 1, Say::Panic).await,
        "-d -c -a +a +b +c +d"
    );
}

#[tokio::test(start_paused = true)]
async fn rest_for_one_takes_down_what_was_started_after() {
    assert_eq!(
        crash(Strategy::RestForOne, 1, Say::Panic).await,
        "-d -c +b +c +d"
    );
    assert_eq!(crash(Strategy::RestForOne, 3, Say::Panic).await, "+d");
}

#[tokio::test(start_paused = true)]
async fn one_more_than_the_limit_ends_the_tree_and_its_owner_is_told() {
    let stand = Stand::new();
    let tree = tree();
    let (a, address) = stand.actor("a");
    let (b, _) = stand.actor("b");
    tree.start(supervisor(Strategy::OneForOne, 2).child(a).child(b))
        .await
        .unwrap();
    for _ in 0..3 {
        address.cast(Say::Panic).unwrap_or_else(|_| panic!("down"));
        settle().await;
    }
    assert_eq!(tree.ended().await, Exit::Shutdown(Why::OverLimit));
    assert_eq!(stand.script.take(), "+a +b +a +a -b");
}

#[tokio::test(start_paused = true)]
async fn a_failing_restart_counts_and_is_tried_again() {
    let stand = Stand::new();
    let tree = tree();
    let (a, address) = stand.actor("a");
    tree.start(supervisor(Strategy::OneForOne, 3).child(a))
        .await
        .unwrap();
    *stand.failing.lock().unwrap() = 2;
    address.cast(Say::Panic).unwrap_or_else(|_| panic!("down"));
    settle().await;
    assert!(incarnation(&address).await.is_some());
    assert_eq!(stand.script.take(), "+a +a +a +a");
}

#[tokio::test(start_paused = true)]
async fn going_over_the_limit_escalates_and_the_subtree_is_rebuilt() {
    let stand = Stand::new();
    let tree = tree();
    let (a, address) = stand.actor("a");
    let (b, other) = stand.actor("b");
    let inner = supervisor(Strategy::OneForOne, 0)
        .child(a)
        .child(b)
        .named("inner");
    tree.start(supervisor(Strategy::OneForOne, 3).child(inner))
        .await
        .unwrap();
    let before = incarnation(&other).await;
    address.cast(Say::Panic).unwrap_or_else(|_| panic!("down"));
    settle().await;
    assert_eq!(stand.script.take(), "+a +b -b +a +b");
    assert_ne!(incarnation(&other).await, before);
}

#[tokio::test(start_paused = true)]
async fn transient_and_temporary_children_come_back_as_their_type_says() {
    let stand = Stand::new();
    let tree = tree();
    let (t, transient) = stand.actor("t");
    let (o, temporary) = stand.actor("o");
    let plan = supervisor(Strategy::OneForOne, 3)
        .child(t.restart(Restart::Transient))
        .child(o.restart(Restart::Temporary));
    tree.start(plan).await.unwrap();
    transient.cast(Say::Fail).unwrap_or_else(|_| panic!("down"));
    temporary.cast(Say::Fail).unwrap_or_else(|_| panic!("down"));
    settle().await;
    assert!(incarnation(&transient).await.is_some());
    assert!(incarnation(&temporary).await.is_none());
    assert_eq!(tree.snapshot().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn dynamic_children_come_and_go_up_to_a_maximum_and_one_that_keeps_crashing_is_set_aside() {
    let stand = Stand::new();
    let tree = tree();
    let pool = bidtree::supervision::Dynamic::new();
    let plan =
        Supervisor::dynamic(Limit::new(3, Duration::from_secs(5)), 2).named_at("pool", &pool);
    tree.start(supervisor(Strategy::OneForOne, 1).child(plan))
        .await
        .unwrap();
    let (a, address) = stand.actor("a");
    let limit = Limit::new(1, Duration::from_secs(5));
    pool.start_child(a.set_aside_over(limit)).await.unwrap();
    pool.start_child(stand.actor("b").0).await.unwrap();
    assert_eq!(
        pool.start_child(stand.actor("b").0).await,
        Err(AskError::AlreadyStarted("b".into()))
    );
    assert_eq!(
        pool.start_child(stand.actor("c").0).await,
        Err(AskError::MaxChildren("c".into()))
    );
    for _ in 0..2 {
        address.cast(Say::Panic).unwrap_or_else(|_| panic!("down"));
        settle().await;
    }
    assert_eq!(incarnation(&address).await, None);
    let place = tree.snapshot().await.remove(0).children.remove(0);
    assert_eq!((place.path.as_str(), place.state), ("pool/a", "set_aside"));
    tree.recover("pool/a").await.unwrap();
    settle().await;
    assert!(incarnation(&address).await.is_some());
    pool.terminate_child("b").await.unwrap();
    assert_eq!(
        pool.terminate_child("b").await,
        Err(AskError::NotFound("b".into()))
    );
}

#[tokio::test(start_paused = true)]
async fn a_child_killed_by_path_is_restarted_by_its_supervisor() {
    let stand = Stand::new();
    let tree = tree();
    let (a, address) = stand.actor("a");
    let inner = supervisor(Strategy::OneForOne, 1).child(a).named("inner");
    tree.start(supervisor(Strategy::OneForOne, 3).child(inner))
        .await
        .unwrap();
    let before = incarnation(&address).await;
    tree.kill("inner/a").await.unwrap();
    settle().await;
    assert_ne!(incarnation(&address).await, before);
    let before = incarnation(&address).await;
    tree.kill("inner").await.unwrap();
    settle().await;
    assert_ne!(incarnation(&address).await, before);
    assert_eq!(
        tree.kill("inner/x").await,
        Err(AskError::NotFound("inner/x".into()))
    );
}

#[tokio::test(start_paused = true)]
async fn a_child_that_does_not_stop_in_time_is_killed() {
    let tree = tree();
    let deaf = bidtree::supervision::task(
        "deaf",
        bidtree::supervision::Plane::Control,
        |context| async move {
            context.ready();
            std::future::pending::<()>().await;
            Ok(())
        },
    );
    let plan = supervisor(Strategy::OneForOne, 1)
        .child(deaf.shutdown(Shutdown::Within(Duration::from_millis(100))));
    tree.start(plan).await.unwrap();
    assert_eq!(tree.stop().await, Exit::Shutdown(Why::Asked));
}
