//! A thread's mark: written by its thread, read by the watchdog in two loads.

use std::sync::Arc;

use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;

use crate::explore_within;

/// The one watched incarnation.
const KEY: u64 = 1;
const LIMIT_MS: u64 = 50;

/// What a thread does to its mark when it is inside nothing any more.
#[derive(Clone, Copy)]
enum Leave {
    /// The key and the time are zeroed.
    Zeroed,
    /// The key is zeroed. The time is never older than that of the stay whose key was read before it.
    TimeKept,
}

/// `Entered::drop`.
const AS_BUILT: Leave = Leave::TimeKept;

/// `watchdog::Mark`, with `watchdog::LAST_LOOK_MS`.
struct Mark {
    key: AtomicU64,
    since_ms: AtomicU64,
    last_look_ms: AtomicU64,
}

impl Mark {
    /// `WatchKey::enter` and the drop of what it returns, on a thread that is inside nothing else. The key is
    /// released and acquired, so that the time written before it is seen with it.
    fn visit(&self, leave: Leave) {
        let now_ms = self.last_look_ms.load(Ordering::Relaxed);
        self.since_ms.store(now_ms, Ordering::Relaxed);
        self.key.store(KEY, Ordering::Release);
        self.key.store(0, Ordering::Relaxed);
        if matches!(leave, Leave::Zeroed) {
            self.since_ms.store(0, Ordering::Relaxed);
        }
    }

    /// `watchdog::suspect`: whether the incarnation was over its limit at this look and one before, in one stay.
    fn look(&self, suspected: &mut Option<u64>, now_ms: u64) -> bool {
        self.last_look_ms.store(now_ms, Ordering::Relaxed);
        let key = self.key.load(Ordering::Acquire);
        let since_ms = self.since_ms.load(Ordering::Relaxed);
        if key != KEY || now_ms.saturating_sub(since_ms) < LIMIT_MS {
            return false;
        }
        suspected.replace(since_ms) == Some(since_ms)
    }
}

/// A child that is called again and again, and never stays.
fn visits(leave: Leave) {
    let mark = Arc::new(Mark {
        key: AtomicU64::new(0),
        since_ms: AtomicU64::new(0),
        last_look_ms: AtomicU64::new(990),
    });
    let visitor = thread::spawn({
        let mark = Arc::clone(&mark);
        move || (0..2).for_each(|_| mark.visit(leave))
    });
    let mut suspected = None;
    for now_ms in [1_000, 1_010] {
        let stuck = mark.look(&mut suspected, now_ms);
        assert!(!stuck, "found stuck, and was never inside for long");
    }
    visitor.join().unwrap();
}

#[test]
fn a_child_that_is_called_often_is_not_found_stuck() {
    explore_within(3, || visits(AS_BUILT));
}

#[test]
#[should_panic(expected = "found stuck")]
fn control_a_time_that_is_zeroed_on_leaving_finds_a_busy_child_stuck() {
    explore_within(3, || visits(Leave::Zeroed));
}
