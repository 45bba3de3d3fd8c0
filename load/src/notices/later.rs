//! Things that are to be taken out at their instants, earliest first.
//!
//! They lie together by the millisecond, so that none is moved again until its time has come: there are tens of thousands.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Things by their instants; those of one millisecond in the order they were put in.
#[derive(Debug)]
pub(super) struct Later<T> {
    start: Instant,
    /// By the first whole ms from the start at which they are due.
    by_ms: BTreeMap<u128, Vec<T>>,
}

impl<T> Later<T> {
    /// Nothing yet. No instant may lie before `start`.
    pub(super) const fn new(start: Instant) -> Self {
        Self {
            start,
            by_ms: BTreeMap::new(),
        }
    }

    /// Puts something in.
    pub(super) fn put(&mut self, at: Instant, what: T) {
        let due = self.since_start(at).as_nanos().div_ceil(1_000_000);
        self.by_ms.entry(due).or_default().push(what);
    }

    /// Takes those of the earliest millisecond out, where it has come.
    pub(super) fn take(&mut self, now: Instant) -> Option<Vec<T>> {
        let now_ms = self.since_start(now).as_millis();
        let earliest = self.by_ms.first_entry()?;
        (*earliest.key() <= now_ms).then(|| earliest.remove())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_ms.is_empty()
    }

    fn since_start(&self, at: Instant) -> Duration {
        at.saturating_duration_since(self.start)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock;

    #[test]
    fn things_come_out_when_they_are_due_in_order() {
        let start = clock::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut later = Later::new(start);
        for (ms, what) in [(5, "c"), (1, "a"), (5, "d"), (3, "b"), (9, "e")] {
            later.put(at(ms), what);
        }
        let take = |later: &mut Later<_>, now| -> Vec<&str> {
            std::iter::from_fn(|| later.take(now)).flatten().collect()
        };
        assert!(take(&mut later, at(0)).is_empty());
        assert_eq!(take(&mut later, at(5)), ["a", "b", "c", "d"]);
        assert!(!later.is_empty());
        assert_eq!(take(&mut later, at(9)), ["e"]);
        assert!(later.is_empty());
    }

    #[test]
    fn nothing_comes_out_before_its_instant() {
        let start = clock::now();
        let mut later = Later::new(start);
        later.put(start + Duration::from_micros(1_500), "a");
        assert_eq!(later.take(start + Duration::from_micros(1_999)), None);
        assert_eq!(
            later.take(start + Duration::from_millis(2)),
            Some(vec!["a"])
        );
    }
}
