//! S11 to S15: who is replaced with a child that died.

use super::*;

#[tokio::test(start_paused = true)]
async fn s11_one_for_one_touches_only_the_victim() {
    let world = up(ONE, 2, "a b c").await;
    assert!(world.act("b", Act::Panic).await);
    assert_eq!(world.script.take(), "+b");
    assert_eq!(lives(&world, "a b c"), [1, 2, 1]);
    assert_eq!(
        world.places().await,
        [is_up("a", 0), is_up("b", 1), is_up("c", 0)]
    );
}

#[tokio::test(start_paused = true)]
async fn s12_one_for_all_replaces_everyone() {
    let world = up(ALL, 2, "a b c").await;
    assert!(world.act("b", Act::Panic).await);
    assert_eq!(world.script.take(), "-c -a +a +b +c");
    assert_eq!(lives(&world, "a b c"), [2, 2, 2]);
}

#[tokio::test(start_paused = true)]
async fn s12_one_for_all_brings_back_who_ended_well_and_drops_the_temporary() {
    let world = World::new();
    let plan = supervisor(ALL, 2)
        .child(world.puppet("a"))
        .child(world.puppet("t").restart(Restart::Transient))
        .child(world.puppet("x").restart(Restart::Temporary));
    world.tree.start(plan).await.unwrap();
    assert!(world.act("t", Act::Normal).await);
    world.script.take();
    assert!(world.act("a", Act::Panic).await);
    assert_eq!(world.script.take(), "-x +a +t");
    assert_eq!(world.places().await, [is_up("a", 1), is_up("t", 0)]);
}

#[tokio::test(start_paused = true)]
async fn s13_rest_for_one_replaces_the_victim_and_those_after_it() {
    let world = up(REST, 2, "a b c d").await;
    assert!(world.act("b", Act::Panic).await);
    assert_eq!(world.script.take(), "-d -c +b +c +d");
    assert_eq!(lives(&world, "a b c d"), [1, 2, 2, 2]);
}

#[tokio::test(start_paused = true)]
async fn s14_rest_for_one_replaces_only_the_last() {
    let world = up(REST, 2, "a b c").await;
    assert!(world.act("c", Act::Panic).await);
    assert_eq!(world.script.take(), "+c");
    assert_eq!(lives(&world, "a b c"), [1, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn s15_rest_for_one_from_the_first_replaces_everyone() {
    let world = up(REST, 2, "a b c").await;
    assert!(world.act("a", Act::Panic).await);
    assert_eq!(world.script.take(), "-c -b +a +b +c");
    assert_eq!(lives(&world, "a b c"), [2, 2, 2]);
}
