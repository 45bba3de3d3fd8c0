//! S01 to S07: how children start, and what becomes of those before one that does not.

use bidtree::supervision::Counts;

use super::*;

#[tokio::test(start_paused = true)]
async fn s01_children_start_in_turn() {
    let world = World::new();
    let slow = world.puppet("a").start_within(ms(50));
    world.part("a", |a| a.hanging = 1);
    let plan = supervisor(ONE, 2)
        .child(slow)
        .child(world.puppet("b"))
        .child(world.puppet("c"));
    // While a's init has not returned, b's does not begin; a start that fails there ends it all (S04).
    assert!(world.tree.start(plan).await.is_err());
    assert_eq!(world.script.take(), "+a");
    let world = World::new();
    world
        .tree
        .start(world.puppets(supervisor(ONE, 2), "a b c"))
        .await
        .unwrap();
    assert_eq!(world.script.take(), "+a +b +c");
}

#[tokio::test(start_paused = true)]
async fn s02_children_stop_in_reverse_one_at_a_time() {
    let world = up(ONE, 2, "a b c").await;
    for id in ["a", "b", "c"] {
        world.part(id, |part| part.cleanup = ms(10));
    }
    let (exit, took) = timed(world.tree.stop()).await;
    assert_eq!((exit, took), (ASKED, ms(30)));
    assert_eq!(world.script.take(), "-c -b -a");
    let gone: Vec<_> = world.exits();
    assert_eq!(
        gone,
        ["c", "b", "a"].map(|id| (id.to_owned(), ASKED)).to_vec()
    );
}

#[tokio::test(start_paused = true)]
async fn s03_a_failing_init_at_start_stops_what_is_up_and_is_not_retried() {
    let world = World::new();
    world.part("b", |b| b.failing = 1);
    let outcome = world
        .tree
        .start(world.puppets(supervisor(ONE, 2), "a b c"))
        .await;
    assert_eq!(
        outcome,
        Err(Exit::error("b did not start: error: told not to start"))
    );
    assert_eq!(world.script.take(), "+a +b -a");
}

#[tokio::test(start_paused = true)]
async fn s04_the_first_child_failing_leaves_nothing() {
    let world = World::new();
    world.part("a", |a| a.failing = 1);
    let outcome = world
        .tree
        .start(world.puppets(supervisor(ONE, 2), "a b"))
        .await;
    assert_eq!(
        outcome,
        Err(Exit::error("a did not start: error: told not to start"))
    );
    assert_eq!(world.script.take(), "+a");
    assert_eq!(world.exits(), []);
}

#[tokio::test(start_paused = true)]
async fn s05_a_permanent_child_that_ignores_keeps_its_place() {
    let world = World::new();
    world.part("a", |a| a.ignoring = 1);
    world
        .tree
        .start(world.puppets(supervisor(ONE, 2), "a b"))
        .await
        .unwrap();
    assert_eq!(world.script.take(), "+a +b");
    assert_eq!(
        world.places().await,
        [("a".to_owned(), "down", 0), is_up("b", 0)]
    );
    assert_eq!(counted(&world, "").await, (2, 1));
    assert_eq!(restarts_in_window(&world).await, 0);
}

#[tokio::test(start_paused = true)]
async fn s05_ignoring_a_restart_ends_the_retries() {
    let world = one(|a| a).await;
    world.part("a", |a| a.ignoring = 1);
    assert!(world.act("a", Act::Fail).await);
    assert_eq!(world.places().await, [("a".to_owned(), "down", 1)]);
    assert_eq!(counted(&world, "").await, (1, 0));
    world.tree.restart_child("a").await.unwrap();
    assert_eq!(world.script.take(), "+a +a");
    assert_eq!(counted(&world, "").await, (1, 1));
}

#[tokio::test(start_paused = true)]
async fn s06_a_temporary_child_that_ignores_is_forgotten() {
    let world = World::new();
    world.part("t", |t| t.ignoring = 1);
    let plan = supervisor(ONE, 2)
        .child(world.puppet("t").restart(Restart::Temporary))
        .child(world.puppet("b"));
    world.tree.start(plan).await.unwrap();
    assert_eq!(world.places().await, [is_up("b", 0)]);
    assert_eq!(counted(&world, "").await, (1, 1));
}

#[tokio::test(start_paused = true)]
async fn s07_an_empty_supervisor_runs() {
    let world = World::new();
    world.tree.start(supervisor(ONE, 2)).await.unwrap();
    assert_eq!(world.places().await, []);
    assert_eq!(
        world.tree.count_children("").await.unwrap(),
        Counts::default()
    );
    assert_eq!(world.tree.stop().await, ASKED);
}

#[tokio::test(start_paused = true)]
async fn a_group_restart_that_fails_is_tried_whole_or_from_the_child() {
    for (strategy, expected) in [
        (ALL, "-c -a +a +b -a +a +b +c"),
        (REST, "-c +b +b +c"),
        (ONE, "+b +b"),
    ] {
        let world = up(strategy, 2, "a b c").await;
        world.part("b", |b| b.failing = 1);
        assert!(world.act("b", Act::Panic).await);
        assert_eq!(world.script.take(), expected);
        assert_eq!(restarts_in_window(&world).await, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_that_fails_as_often_as_the_limit_says_ends_its_supervisor() {
    for (failing, over) in [(2, false), (3, true)] {
        let world = up(ONE, 3, "a").await;
        world.part("a", |a| a.failing = failing);
        assert!(world.act("a", Act::Panic).await);
        assert_eq!(ended(&world).await.is_some(), over);
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_that_hangs_is_given_up_and_the_supervisor_hears_others_meanwhile() {
    let world = World::new();
    let plan = supervisor(ONE, 3)
        .child(world.puppet("a").start_within(ms(50)))
        .child(world.puppet("b"));
    world.tree.start(plan).await.unwrap();
    world.part("a", |a| a.hanging = 1);
    world.script.take();
    assert!(world.act("a", Act::Panic).await);
    // In OTP a hanging init blocks its supervisor.
    assert!(world.act("b", Act::Panic).await);
    assert_eq!(world.script.take(), "+a +b");
    world.pass(ms(50)).await;
    settle().await;
    assert_eq!(world.script.take(), "+a");
    assert_eq!(world.places().await, [is_up("a", 2), is_up("b", 1)]);
}
