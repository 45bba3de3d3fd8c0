//! The kernel against a model: random trees and random faults, on the real kernel and on a small pure model of the rules
//! (`rules`), OTP's and those it does not have, which must agree after every step on who is up, in which order it came to
//! that, and why the tree ended.
//!
//! Not here: what runs beside the paused runtime. Of threads there are only those that can do nothing (`stones`), and of
//! being stuck only what a kill shows; the watchdog and calls from several threads have tests of their own.

mod plan;
mod rules;
mod run;

use std::sync::atomic::{AtomicU64, Ordering};

use self::plan::Scenario;
use self::run::difference;

/// A fault planted in the model, to show that the comparison sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    TripsAtTheLimit,
    StopsInStartOrder,
    LosesExitsBeforeTheGroup,
    RestartsTransientsAfterNormal,
    TakesKilledForNormal,
    CountsEveryChildOfAGroup,
    RestartsTemporariesInGroups,
    ForgetsNoRestart,
    RevivesWhatWasTerminated,
    LeavesThoseThatEndedOutOfTheGroup,
    RetriesTheWholeRest,
    TriesAFailedStartOnce,
    CountsIgnoredStarts,
    KeepsIgnoredTemporaries,
    OutlivesItsSignificantChildren,
    EndsWithTheFirstSignificant,
    CountsAlsoAboveAnOwnLimit,
    RemembersWhatWasSetAside,
    WaitsTheSameEachTime,
    NeverWaitsLessAgain,
    ReplacesAllThatIsStuck,
    LeavesWhatIsStuck,
    FencesWhatEscalates,
    NeverFallsBack,
    CountsNoFallback,
    TriesAgainAfterTheSameDelay,
    NeverTrustsAsBefore,
    IsAsLenientOnProbation,
    TakesStagesForTasks,
    TakesUnheardEndsForDecided,
    MindsTheStuckOutsideTheGroup,
    ForgetsAFallbackThatIsStillEnding,
    TriesWhileItEnds,
}

/// The first of these seeds that is found, or one soon after it: the seeds are tried on all cores.
fn first(seeds: std::ops::Range<u64>, is_it: impl Fn(u64) -> bool + Sync) -> Option<u64> {
    let next = AtomicU64::new(seeds.start);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= seeds.end {
                            return None;
                        }
                        if is_it(seed) {
                            next.store(seeds.end, Ordering::Relaxed);
                            return Some(seed);
                        }
                    }
                })
            })
            .collect();
        workers
            .into_iter()
            .filter_map(|worker| worker.join().unwrap())
            .min()
    })
}

/// Fails with the first seed on which kernel and model differ, and with the shortest script that shows it.
fn agree_on(seeds: std::ops::Range<u64>) {
    let differs = |seed| difference(&Scenario::of(seed), None).is_some();
    if let Some(seed) = first(seeds, differs) {
        let scenario = Scenario::of(seed);
        let shrunk = scenario
            .clone()
            .shrunk(|shorter| difference(shorter, None).is_some());
        let why = difference(&shrunk, None).unwrap_or_default();
        panic!("seed {seed}\n{scenario}shrunk\n{shrunk}{why}");
    }
}

#[test]
fn the_kernel_does_what_the_model_does() {
    agree_on(0..10_000);
}

#[ignore = "takes minutes: a million trees"]
#[test]
fn the_kernel_does_what_the_model_does_a_million_times() {
    agree_on(10_000..1_010_000);
}

/// The comparison must see this fault within so many seeds, or it sees nothing.
fn sees(wrong: Wrong) {
    let is_seen = |seed| difference(&Scenario::of(seed), Some(wrong)).is_some();
    assert!(first(0..10_000, is_seen).is_some(), "{wrong:?}");
}

#[test]
fn the_comparison_sees_a_limit_that_trips_one_early() {
    sees(Wrong::TripsAtTheLimit);
}

#[test]
fn the_comparison_sees_children_stopped_in_start_order() {
    sees(Wrong::StopsInStartOrder);
}

#[test]
fn the_comparison_sees_a_lost_exit() {
    sees(Wrong::LosesExitsBeforeTheGroup);
}

#[test]
fn the_comparison_sees_a_transient_restarted_after_normal() {
    sees(Wrong::RestartsTransientsAfterNormal);
}

#[test]
fn the_comparison_sees_a_kill_taken_for_a_normal_end() {
    sees(Wrong::TakesKilledForNormal);
}

#[test]
fn the_comparison_sees_a_group_counted_by_its_children() {
    sees(Wrong::CountsEveryChildOfAGroup);
}

#[test]
fn the_comparison_sees_a_temporary_restarted_with_its_group() {
    sees(Wrong::RestartsTemporariesInGroups);
}

#[test]
fn the_comparison_sees_a_window_that_never_passes() {
    sees(Wrong::ForgetsNoRestart);
}

#[test]
fn the_comparison_sees_a_terminated_child_come_back() {
    sees(Wrong::RevivesWhatWasTerminated);
}

#[test]
fn the_comparison_sees_a_group_that_starts_only_what_it_stopped() {
    sees(Wrong::LeavesThoseThatEndedOutOfTheGroup);
}

#[test]
fn the_comparison_sees_a_retry_that_begins_too_early_in_the_order() {
    sees(Wrong::RetriesTheWholeRest);
}

#[test]
fn the_comparison_sees_a_failed_restart_that_is_not_retried() {
    sees(Wrong::TriesAFailedStartOnce);
}

#[test]
fn the_comparison_sees_an_ignored_start_that_counts() {
    sees(Wrong::CountsIgnoredStarts);
}

#[test]
fn the_comparison_sees_an_ignored_temporary_that_is_kept() {
    sees(Wrong::KeepsIgnoredTemporaries);
}

#[test]
fn the_comparison_sees_a_supervisor_that_outlives_its_significant_children() {
    sees(Wrong::OutlivesItsSignificantChildren);
}

#[test]
fn the_comparison_sees_a_supervisor_that_does_not_wait_for_the_last_significant_child() {
    sees(Wrong::EndsWithTheFirstSignificant);
}

#[test]
fn the_comparison_sees_a_child_with_a_limit_of_its_own_that_counts_above() {
    sees(Wrong::CountsAlsoAboveAnOwnLimit);
}

#[test]
fn the_comparison_sees_a_recovered_child_whose_old_restarts_count() {
    sees(Wrong::RemembersWhatWasSetAside);
}

#[test]
fn the_comparison_sees_a_back_off_that_does_not_double() {
    sees(Wrong::WaitsTheSameEachTime);
}

#[test]
fn the_comparison_sees_a_back_off_that_does_not_begin_anew() {
    sees(Wrong::NeverWaitsLessAgain);
}

#[test]
fn the_comparison_sees_a_fence_that_does_not_hold() {
    sees(Wrong::ReplacesAllThatIsStuck);
}

#[test]
fn the_comparison_sees_a_stuck_child_that_is_not_replaced() {
    sees(Wrong::LeavesWhatIsStuck);
}

#[test]
fn the_comparison_sees_a_stuck_child_that_does_not_escalate() {
    sees(Wrong::FencesWhatEscalates);
}

#[test]
fn the_comparison_sees_a_fallback_that_does_not_take_over() {
    sees(Wrong::NeverFallsBack);
}

#[test]
fn the_comparison_sees_a_failing_fallback_that_does_not_count() {
    sees(Wrong::CountsNoFallback);
}

#[test]
fn the_comparison_sees_a_failed_try_that_does_not_double_the_delay() {
    sees(Wrong::TriesAgainAfterTheSameDelay);
}

#[test]
fn the_comparison_sees_a_quiet_period_that_does_not_reset_the_delay() {
    sees(Wrong::NeverTrustsAsBefore);
}

#[test]
fn the_comparison_sees_a_probation_under_the_old_limit() {
    sees(Wrong::IsAsLenientOnProbation);
}

#[test]
fn the_comparison_sees_a_stage_that_is_asked_to_clean_up() {
    sees(Wrong::TakesStagesForTasks);
}

#[test]
fn the_comparison_sees_an_end_that_counts_before_it_is_heard_of() {
    sees(Wrong::TakesUnheardEndsForDecided);
}

#[test]
fn the_comparison_sees_a_stuck_child_that_matters_to_a_group_it_is_not_in() {
    sees(Wrong::MindsTheStuckOutsideTheGroup);
}

#[test]
fn the_comparison_sees_a_fallback_that_is_forgotten_while_it_still_ends() {
    sees(Wrong::ForgetsAFallbackThatIsStillEnding);
}

#[test]
fn the_comparison_sees_a_try_by_a_supervisor_that_ends() {
    sees(Wrong::TriesWhileItEnds);
}
