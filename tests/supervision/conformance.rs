//! OTP's behaviour, case by case: what its own test suites pin down of supervisors, in our words and order.
//!
//! `S[one_for_one 2/5]{a, b}` is a supervisor with an intensity of 2 in 5 s over a and b, in start order, all permanent
//! unless said. Where the kernel differs from OTP on purpose (the table in `supervision`), the case says how.

mod by_hand;
mod dynamic;
mod kinds;
mod limits;
mod starts;
mod stops;
mod strategies;

use std::time::Duration;

use bidtree::supervision::{Exit, Restart, Shutdown, Spec, Strategy, Why};

use crate::support::{Act, World, settle, supervisor, timed};

const ONE: Strategy = Strategy::OneForOne;
const ALL: Strategy = Strategy::OneForAll;
const REST: Strategy = Strategy::RestForOne;
const ASKED: Exit = Exit::Shutdown(Why::Asked);
const OVER: Exit = Exit::Shutdown(Why::OverLimit);
/// Every way a puppet ends by itself.
const ACTS: [Act; 3] = [Act::Normal, Act::Fail, Act::Panic];

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A world in which `S[strategy intensity/5]{ids}` is up and nothing is noted yet.
async fn up(strategy: Strategy, intensity: u32, ids: &str) -> World {
    let world = World::new();
    world
        .tree
        .start(world.puppets(supervisor(strategy, intensity), ids))
        .await
        .unwrap();
    world.script.take();
    world
}

/// A world with one child under `S[one_for_one 9/5]`.
async fn one(change: impl FnOnce(Spec) -> Spec) -> World {
    let world = World::new();
    let spec = change(world.puppet("a"));
    world
        .tree
        .start(supervisor(ONE, 9).child(spec))
        .await
        .unwrap();
    world.script.take();
    world
}

/// Incarnations of each of these.
fn lives(world: &World, ids: &str) -> Vec<u64> {
    ids.split(' ').map(|id| world.incarnations(id)).collect()
}

/// A place as it looks when it is up.
fn is_up(path: &str, restarts: u64) -> (String, &'static str, u64) {
    (path.to_owned(), "up", restarts)
}

async fn restarts_in_window(world: &World) -> u32 {
    world.tree.snapshot().await[0].restarts_in_window
}

/// The owner has been told that the root ended, and why; `None` while it runs.
async fn ended(world: &World) -> Option<Exit> {
    tokio::time::timeout(ms(1), world.tree.ended()).await.ok()
}

/// Specs and children that are up, all of them workers.
async fn counted(world: &World, supervisor: &str) -> (usize, usize) {
    let counts = world.tree.count_children(supervisor).await.unwrap();
    assert_eq!((counts.supervisors, counts.workers), (0, counts.specs));
    (counts.specs, counts.active)
}
