//! S08 to S10: after which ends a permanent, a transient and a temporary child come back.

use super::*;

/// S08 to S10 name `shutdown` as one of a child's ends. A worker here cannot end with it by itself; a supervisor that
/// goes over its limit does, so that is the child that ends so.
async fn over_its_limit(restart: Restart) -> World {
    let world = World::new();
    let inner = world
        .puppets(supervisor(ONE, 0), "a")
        .named("s")
        .restart(restart);
    world
        .tree
        .start(supervisor(ONE, 9).child(inner).child(world.puppet("z")))
        .await
        .unwrap();
    world.script.take();
    assert!(world.act("s/a", Act::Fail).await);
    world
}

#[tokio::test(start_paused = true)]
async fn s08_a_permanent_child_is_restarted_after_every_end() {
    let world = one(|a| a).await;
    for (n, act) in (1..).zip(ACTS) {
        assert!(world.act("a", act).await);
        assert_eq!(world.places().await, [is_up("a", n)]);
    }
    world.tree.kill("a").await.unwrap();
    settle().await;
    assert_eq!(world.places().await, [is_up("a", 4)]);
    assert_eq!(restarts_in_window(&world).await, 4);
    let world = over_its_limit(Restart::Permanent).await;
    assert_eq!(
        world.places().await,
        [is_up("s", 1), is_up("s/a", 0), is_up("z", 0)]
    );
    assert_eq!(restarts_in_window(&world).await, 1);
}

#[tokio::test(start_paused = true)]
async fn s09_a_transient_child_is_restarted_after_abnormal_ends_only() {
    for act in [Act::Fail, Act::Panic] {
        let world = one(|a| a.restart(Restart::Transient)).await;
        assert!(world.act("a", act).await);
        assert_eq!(world.places().await, [is_up("a", 1)]);
        assert_eq!(restarts_in_window(&world).await, 1);
    }
    let world = one(|a| a.restart(Restart::Transient)).await;
    world.tree.kill("a").await.unwrap();
    settle().await;
    assert_eq!(world.places().await, [is_up("a", 1)]);
    // Normal: the spec stays, without a process and without a count.
    assert!(world.act("a", Act::Normal).await);
    assert_eq!(world.places().await, [("a".to_owned(), "down", 1)]);
    assert_eq!(restarts_in_window(&world).await, 1);
    let world = over_its_limit(Restart::Transient).await;
    assert_eq!(
        world.places().await,
        [("s".to_owned(), "down", 0), is_up("z", 0)]
    );
    assert_eq!(restarts_in_window(&world).await, 0);
}

#[tokio::test(start_paused = true)]
async fn s10_a_temporary_child_is_never_restarted_and_forgotten() {
    for act in ACTS {
        let world = one(|a| a.restart(Restart::Temporary)).await;
        assert!(world.act("a", act).await);
        assert_eq!(world.places().await, []);
        assert_eq!(world.script.take(), "");
    }
    let world = one(|a| a.restart(Restart::Temporary)).await;
    world.tree.kill("a").await.unwrap();
    settle().await;
    assert_eq!(world.places().await, []);
    let world = over_its_limit(Restart::Temporary).await;
    assert_eq!(world.places().await, [is_up("z", 0)]);
    assert_eq!(restarts_in_window(&world).await, 0);
}
