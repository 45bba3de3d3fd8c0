//! S25 to S27: children that do not stop when they are told to.

use bidtree::supervision::AutoShutdown;

use super::*;

#[tokio::test(start_paused = true)]
async fn s25_a_child_that_ignores_shutdown_is_killed_when_its_time_is_up() {
    let world = one(|a| a.shutdown(Shutdown::Within(ms(100)))).await;
    world.part("a", |a| a.deaf = true);
    let (exit, took) = timed(world.tree.stop()).await;
    assert_eq!((exit, took), (ASKED, ms(100)));
    assert_eq!(world.exits(), [("a".to_owned(), Exit::Killed)]);
}

#[tokio::test(start_paused = true)]
async fn s26_a_brutally_killed_child_does_not_clean_up() {
    let world = one(|a| a.shutdown(Shutdown::Brutal)).await;
    let (exit, took) = timed(world.tree.stop()).await;
    assert_eq!((exit, took), (ASKED, Duration::ZERO));
    assert_eq!(world.script.take(), "");
    assert_eq!(world.exits(), [("a".to_owned(), Exit::Killed)]);
}

#[tokio::test(start_paused = true)]
async fn s26_nor_does_one_that_is_killed_while_it_says_that_it_is_up() {
    let world = World::new();
    let b = world.puppet("b").shutdown(Shutdown::Brutal);
    let plan = supervisor(REST, 9).child(world.puppet("a")).child(b);
    world.tree.start(plan).await.unwrap();
    world.script.take();
    // a's end waits until b is up again, and is decided on b's own thread, inside its `ready`.
    assert!(world.tell("b", Act::Panic) && world.tell("a", Act::Panic));
    settle().await;
    assert_eq!(world.script.take(), "+b +a +b");
}

#[tokio::test(start_paused = true)]
async fn s27_a_start_that_hangs_has_its_own_limit_also_while_it_is_told_to_stop() {
    let a = |a: Spec| a.shutdown(Shutdown::Infinity).start_within(ms(50));
    let world = one(a).await;
    world.part("a", |a| a.hanging = 1);
    assert!(world.act("a", Act::Panic).await);
    let stop = tokio::time::timeout(Duration::from_mins(1), world.tree.stop());
    assert_eq!(stop.await, Ok(ASKED));
}

#[tokio::test(start_paused = true)]
async fn s27_an_infinite_shutdown_is_waited_for() {
    let world = one(|a| a.shutdown(Shutdown::Infinity)).await;
    world.part("a", |a| a.cleanup = Duration::from_mins(10));
    let (exit, took) = timed(world.tree.stop()).await;
    assert_eq!((exit, took), (ASKED, Duration::from_mins(10)));
    assert_eq!(world.exits(), [("a".to_owned(), ASKED)]);
}

/// `S[one_for_one 2/5]{a, b, c}` where a and b are significant, and all are transient.
async fn significant(auto: AutoShutdown) -> World {
    let world = World::new();
    let child = |id| world.puppet(id).restart(Restart::Transient);
    let plan = supervisor(ONE, 2)
        .auto_shutdown(auto)
        .child(child("a").significant())
        .child(child("b").significant())
        .child(child("c"));
    world.tree.start(plan).await.unwrap();
    world.script.take();
    world
}

#[tokio::test(start_paused = true)]
async fn auto_shutdown_is_set_off_by_significant_children_that_end_for_good_by_themselves() {
    let other = Some(Exit::Shutdown(Why::Other));
    let world = significant(AutoShutdown::AnySignificant).await;
    assert!(world.act("c", Act::Normal).await);
    assert!(world.act("a", Act::Panic).await);
    world.tree.terminate_child("b").await.unwrap();
    assert_eq!(ended(&world).await, None);
    assert!(world.act("a", Act::Normal).await);
    assert_eq!(ended(&world).await, other);
    let world = significant(AutoShutdown::AllSignificant).await;
    assert!(world.act("a", Act::Normal).await);
    assert_eq!(ended(&world).await, None);
    world.script.take();
    assert!(world.act("b", Act::Normal).await);
    assert_eq!(ended(&world).await, other);
    assert_eq!(world.script.take(), "-c");
}
