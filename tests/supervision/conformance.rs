//! OTP's behaviour, case by case: what its own test suites pin down of supervisors, in our words and order.
//!
//! `S[one_for_one 2/5]{a, b}` is a supervisor with an intensity of 2 in 5 s over a and b, in start order, all permanent
//! unless said. Where the kernel differs from OTP on purpose (the table in `supervision`), the case says how.

use std::time::Duration;

use bidtree::supervision::{
    AskError, AutoShutdown, Counts, Dynamic, Exit, Limit, Restart, Shutdown, Spec, Strategy,
    Supervisor, Why,
};

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

/// Specs and children that are up, all of them workers.
async fn counted(world: &World, supervisor: &str) -> (usize, usize) {
    let counts = world.tree.count_children(supervisor).await.unwrap();
    assert_eq!((counts.supervisors, counts.workers), (0, counts.specs));
    (counts.specs, counts.active)
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
