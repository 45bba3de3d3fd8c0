//! S30 and S31: supervisors whose children come and go.

use bidtree::supervision::{AskError, Dynamic, Limit, Supervisor};

use super::*;

/// A world with a dynamic supervisor `d` of at most `children_max`.
async fn dynamic(children_max: usize) -> (World, Dynamic) {
    let world = World::new();
    let address = Dynamic::new();
    let limit = Limit::new(3, Duration::from_secs(5));
    let plan = Supervisor::dynamic(limit, children_max).named_at("d", &address);
    world
        .tree
        .start(supervisor(ONE, 1).child(plan))
        .await
        .unwrap();
    (world, address)
}

#[tokio::test(start_paused = true)]
async fn s30_a_dynamic_supervisor_has_a_maximum() {
    let (world, d) = dynamic(1).await;
    d.start_child(world.puppet("a").restart(Restart::Transient))
        .await
        .unwrap();
    assert_eq!(
        d.start_child(world.puppet("b")).await,
        Err(AskError::MaxChildren("b".to_owned()))
    );
    assert_eq!(world.script.take(), "+d/a");
    // After an end for good its place is free, also a transient's, which a dynamic supervisor forgets.
    assert!(world.act("d/a", Act::Normal).await);
    d.start_child(world.puppet("b")).await.unwrap();
    // A child in its retry loop fills its place.
    world.part("d/b", |b| b.hanging = 1);
    assert!(world.act("d/b", Act::Fail).await);
    assert_eq!(
        d.start_child(world.puppet("c")).await,
        Err(AskError::MaxChildren("c".to_owned()))
    );
    assert_eq!(world.script.take(), "+d/b +d/b");
}

#[tokio::test(start_paused = true)]
async fn s30_a_start_that_fails_is_an_answer_and_not_a_crash() {
    let (world, d) = dynamic(1).await;
    world.part("d/a", |a| a.failing = 1);
    assert_eq!(
        d.start_child(world.puppet("a")).await,
        Err(AskError::StartFailed(
            "a".to_owned(),
            Exit::error("told not to start")
        ))
    );
    assert_eq!(world.places().await, [is_up("d", 0)]);
    d.start_child(world.puppet("a")).await.unwrap();
    assert_eq!(world.places().await, [is_up("d", 0), is_up("d/a", 0)]);
}

#[tokio::test(start_paused = true)]
async fn s31_a_dynamic_supervisor_tells_all_its_children_at_once() {
    let (world, d) = dynamic(9).await;
    for id in ["a", "b", "c"] {
        let spec = world.puppet(id).shutdown(Shutdown::Within(ms(200)));
        d.start_child(spec).await.unwrap();
        world.part(&format!("d/{id}"), |part| part.deaf = true);
    }
    let (exit, took) = timed(world.tree.stop()).await;
    assert_eq!((exit, took), (ASKED, ms(200)));
}
