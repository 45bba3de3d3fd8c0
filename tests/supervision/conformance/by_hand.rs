//! S28 and S29: children that are started, terminated and forgotten by their ids.

use bidtree::supervision::AskError;

use super::*;

#[tokio::test(start_paused = true)]
async fn s28_a_childs_life_by_its_id() {
    let world = one(|a| a).await;
    let tree = &world.tree;
    let id = "a".to_owned();
    let again = || tree.start_child("", world.puppet("a"));
    assert_eq!(again().await, Err(AskError::AlreadyStarted(id.clone())));
    assert_eq!(tree.terminate_child("a").await, Ok(()));
    assert_eq!(world.script.take(), "-a");
    assert_eq!(tree.terminate_child("a").await, Ok(()));
    assert_eq!(again().await, Err(AskError::AlreadyPresent(id.clone())));
    assert_eq!(tree.restart_child("a").await, Ok(()));
    assert_eq!(world.script.take(), "+a");
    assert_eq!(world.incarnations("a"), 2);
    assert_eq!(
        tree.restart_child("a").await,
        Err(AskError::Running(id.clone()))
    );
    assert_eq!(
        tree.delete_child("a").await,
        Err(AskError::Running(id.clone()))
    );
    assert_eq!(tree.terminate_child("a").await, Ok(()));
    assert_eq!(tree.delete_child("a").await, Ok(()));
    for gone in [
        tree.restart_child("a").await,
        tree.terminate_child("a").await,
        tree.delete_child("a").await,
    ] {
        assert_eq!(gone, Err(AskError::NotFound(id.clone())));
    }
    assert_eq!(again().await, Ok(()));
    assert_eq!(world.places().await, [is_up("a", 0)]);
    assert_eq!(restarts_in_window(&world).await, 0);
}

#[tokio::test(start_paused = true)]
async fn s28_terminating_a_child_ends_its_restart_loop() {
    let world = World::new();
    let a = world.puppet("a").start_within(ms(50));
    let plan = supervisor(ONE, 9).child(a.shutdown(Shutdown::Within(ms(20))));
    world.tree.start(plan).await.unwrap();
    world.part("a", |a| a.hanging = 3);
    assert!(world.act("a", Act::Fail).await);
    world.pass(ms(60)).await;
    assert_eq!(world.places().await, [("a".to_owned(), "starting", 2)]);
    let (outcome, took) = timed(world.tree.terminate_child("a")).await;
    // What hangs in its start cannot hear that it should stop.
    assert_eq!((outcome, took), (Ok(()), ms(20)));
    world.script.take();
    world.pass(ms(100)).await;
    assert_eq!(world.script.take(), "");
    assert_eq!(world.places().await, [("a".to_owned(), "down", 2)]);
}

#[tokio::test(start_paused = true)]
async fn s28_a_child_stopped_by_hand_comes_back_with_its_group() {
    let world = up(ALL, 2, "a b c").await;
    world.tree.terminate_child("c").await.unwrap();
    assert_eq!(world.script.take(), "-c");
    assert!(world.act("a", Act::Panic).await);
    assert_eq!(world.script.take(), "-b +a +b +c");
}

#[tokio::test(start_paused = true)]
async fn s28_a_start_that_fails_is_not_kept_and_one_that_works_comes_last() {
    let world = up(REST, 2, "a b").await;
    world.part("c", |c| c.failing = 1);
    assert_eq!(
        world.tree.start_child("", world.puppet("c")).await,
        Err(AskError::StartFailed(
            "c".to_owned(),
            Exit::error("told not to start")
        ))
    );
    assert_eq!(counted(&world, "").await, (2, 2));
    world.tree.start_child("", world.puppet("c")).await.unwrap();
    world.script.take();
    assert!(world.act("b", Act::Panic).await);
    assert_eq!(world.script.take(), "-c +b +c");
    assert_eq!(restarts_in_window(&world).await, 1);
}

#[tokio::test(start_paused = true)]
async fn s28_what_was_terminated_stays_down_though_its_own_end_was_not_decided_yet() {
    let world = World::new();
    let plan = ["a", "b", "c"]
        .into_iter()
        .fold(supervisor(REST, 9), |plan, id| {
            plan.child(world.puppet(id).start_within(ms(50)))
        });
    world.tree.start(plan).await.unwrap();
    world.part("c", |c| c.hanging = 1);
    assert!(world.act("b", Act::Panic).await);
    // While c's start hangs, a ends; before that is decided, somebody stops a by hand.
    assert!(world.act("a", Act::Panic).await);
    let asked = tokio::time::timeout(Duration::from_secs(1), world.tree.terminate_child("a"));
    asked.await.unwrap().unwrap();
    world.pass(ms(100)).await;
    let up = world.places().await.into_iter().map(|place| place.1);
    assert_eq!(up.collect::<Vec<_>>(), ["down", "up", "up"]);
}

#[test]
#[should_panic(expected = "two children with the id a")]
fn s29_ids_are_unique() {
    let world = one_runtime().block_on(async { World::new() });
    drop(world.puppets(supervisor(ONE, 1), "a a"));
}

fn one_runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
}
