//! S16 to S24: how many restarts are too many, and who hears of it.

use bidtree::supervision::{Limit, Supervisor};

use super::*;

#[tokio::test(start_paused = true)]
async fn s16_as_many_restarts_as_the_limit_says_and_one_more_ends_it() {
    let world = up(ONE, 3, "a").await;
    for _ in 0..3 {
        assert!(world.act("a", Act::Panic).await);
    }
    assert_eq!(world.places().await, [is_up("a", 3)]);
    assert_eq!(ended(&world).await, None);
    assert!(world.act("a", Act::Panic).await);
    assert_eq!(ended(&world).await, Some(OVER));
    assert_eq!(world.script.take(), "+a +a +a");
}

#[tokio::test(start_paused = true)]
async fn s17_a_limit_of_zero_ends_it_at_the_first_crash() {
    let world = up(ONE, 0, "a b").await;
    assert!(world.act("a", Act::Panic).await);
    assert_eq!(ended(&world).await, Some(OVER));
    assert_eq!(world.script.take(), "-b");
}

#[tokio::test(start_paused = true)]
async fn s18_a_group_restart_counts_once() {
    let world = up(ALL, 1, "a b c").await;
    assert!(world.act("b", Act::Panic).await);
    assert_eq!(lives(&world, "a b c"), [2, 2, 2]);
    assert_eq!(restarts_in_window(&world).await, 1);
    world.script.take();
    assert!(world.act("c", Act::Panic).await);
    assert_eq!(ended(&world).await, Some(OVER));
    assert_eq!(world.script.take(), "-b -a");
}

#[tokio::test(start_paused = true)]
async fn s18_a_second_death_while_a_group_goes_down_is_the_same_event() {
    let world = up(ALL, 1, "a b c").await;
    assert!(world.tell("b", Act::Panic) && world.tell("a", Act::Panic));
    settle().await;
    assert_eq!(ended(&world).await, None);
    assert_eq!(world.script.take(), "-c +a +b +c");
    assert_eq!(restarts_in_window(&world).await, 1);
    let world = up(REST, 1, "a b c").await;
    assert!(world.tell("b", Act::Panic) && world.tell("c", Act::Panic));
    settle().await;
    assert_eq!(ended(&world).await, None);
    assert_eq!(world.script.take(), "+b +c");
    let world = up(ONE, 1, "a b c").await;
    assert!(world.tell("b", Act::Panic) && world.tell("a", Act::Panic));
    settle().await;
    assert_eq!(ended(&world).await, Some(OVER));
}

#[tokio::test(start_paused = true)]
async fn s18_an_exit_outside_the_group_that_goes_down_is_not_lost() {
    let world = up(REST, 2, "a b c").await;
    world.part("c", |c| c.cleanup = ms(10));
    assert!(world.act("b", Act::Panic).await);
    // c is still cleaning up for b's sake when a, who stands before both, ends.
    assert!(world.act("a", Act::Panic).await);
    world.pass(ms(50)).await;
    assert_eq!(world.script.take(), "-c +b +c -c -b +a +b +c");
    assert_eq!(
        world.places().await,
        [is_up("a", 1), is_up("b", 1), is_up("c", 0)]
    );
}

#[tokio::test(start_paused = true)]
async fn s19_the_crashes_of_different_children_add_up() {
    let world = up(ONE, 1, "a b").await;
    assert!(world.act("a", Act::Panic).await);
    assert_eq!(ended(&world).await, None);
    assert!(world.act("b", Act::Panic).await);
    assert_eq!(ended(&world).await, Some(OVER));
}

#[tokio::test(start_paused = true)]
async fn s20_a_restart_is_forgotten_when_the_window_has_passed() {
    let world = World::new();
    let limit = Limit::new(1, Duration::from_secs(1));
    world
        .tree
        .start(world.puppets(Supervisor::new(ONE, limit), "a"))
        .await
        .unwrap();
    for _ in 0..4 {
        assert!(world.act("a", Act::Panic).await);
        assert_eq!(ended(&world).await, None);
        // OTP counts whole seconds and keeps both ends, so it needs P + 1 s; here the window is exact.
        world.pass(Duration::from_secs(1)).await;
    }
    assert!(world.act("a", Act::Panic).await);
    world.pass(ms(999)).await;
    assert!(world.act("a", Act::Panic).await);
    assert_eq!(ended(&world).await, Some(OVER));
}

#[tokio::test(start_paused = true)]
async fn s21_over_the_limit_siblings_are_stopped_gracefully_in_reverse() {
    let world = up(ONE, 0, "a b c").await;
    for id in ["a", "c"] {
        world.part(id, |part| part.cleanup = ms(40));
    }
    assert!(world.tell("b", Act::Panic));
    let (exit, took) = timed(world.tree.ended()).await;
    assert_eq!((exit, took), (OVER, ms(80)));
    assert_eq!(world.script.take(), "-c -a");
    let gone: Vec<_> = world.exits().into_iter().skip(1).collect();
    assert_eq!(gone, ["c", "a"].map(|id| (id.to_owned(), ASKED)).to_vec());
}

#[tokio::test(start_paused = true)]
async fn s22_escalation_restarts_the_subtree_and_counts_once_above() {
    let world = World::new();
    let inner = world.puppets(supervisor(ONE, 0), "a b").named("s");
    world
        .tree
        .start(supervisor(ONE, 3).child(inner))
        .await
        .unwrap();
    world.script.take();
    assert!(world.act("s/a", Act::Panic).await);
    assert_eq!(world.script.take(), "-s/b +s/a +s/b");
    assert_eq!(
        world.places().await,
        [is_up("s", 1), is_up("s/a", 0), is_up("s/b", 0)]
    );
    assert_eq!(restarts_in_window(&world).await, 1);
    assert!(world.exits().contains(&("s".to_owned(), OVER)));
}

#[tokio::test(start_paused = true)]
async fn s23_escalation_goes_through_two_levels() {
    let world = World::new();
    let low = world.puppets(supervisor(ONE, 0), "a").named("s");
    let middle = supervisor(ONE, 0).child(low).named("u");
    world
        .tree
        .start(supervisor(ONE, 3).child(middle))
        .await
        .unwrap();
    world.script.take();
    assert!(world.act("u/s/a", Act::Panic).await);
    assert_eq!(world.script.take(), "+u/s/a");
    assert_eq!(
        world.places().await,
        [is_up("u", 1), is_up("u/s", 0), is_up("u/s/a", 0)]
    );
    let ends: Vec<_> = world.exits().into_iter().skip(1).collect();
    assert_eq!(ends, ["u/s", "u"].map(|id| (id.to_owned(), OVER)).to_vec());
}

#[tokio::test(start_paused = true)]
async fn s24_the_owner_of_a_root_over_its_limit_is_told() {
    let world = up(ONE, 0, "a").await;
    assert_eq!(ended(&world).await, None);
    assert!(world.act("a", Act::Panic).await);
    assert_eq!(ended(&world).await, Some(OVER));
}
