//! Things that are to be taken out at their instants, earliest first.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::time::Instant;

/// Things by their instants; those of one instant in the order they were put in.
#[derive(Debug)]
pub(super) struct Later<T> {
    heap: BinaryHeap<Reverse<Put<T>>>,
    puts: u64,
}

#[derive(Debug)]
struct Put<T> {
    at: Instant,
    number: u64,
    what: T,
}

impl<T> Put<T> {
    const fn order(&self) -> (Instant, u64) {
        (self.at, self.number)
    }
}

impl<T> PartialEq for Put<T> {
    fn eq(&self, other: &Self) -> bool {
        self.order() == other.order()
    }
}

impl<T> Eq for Put<T> {}

impl<T> PartialOrd for Put<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Put<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

impl<T> Default for Later<T> {
    fn default() -> Self {
        Self {
            heap: BinaryHeap::new(),
            puts: 0,
        }
    }
}

impl<T> Later<T> {
    /// Puts something in.
    pub(super) fn put(&mut self, at: Instant, what: T) {
        let number = self.puts;
        self.puts += 1;
        self.heap.push(Reverse(Put { at, number, what }));
    }

    /// Takes the earliest out, where its instant has come.
    pub(super) fn take(&mut self, now: Instant) -> Option<T> {
        let is_due = self.heap.peek().is_some_and(|Reverse(put)| put.at <= now);
        is_due
            .then(|| self.heap.pop())
            .flatten()
            .map(|Reverse(put)| put.what)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.heap.is_empty()
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
        let mut later = Later::default();
        for (ms, what) in [(5, "c"), (1, "a"), (5, "d"), (3, "b"), (9, "e")] {
            later.put(at(ms), what);
        }
        assert_eq!(later.take(at(0)), None);
        let due: Vec<_> = std::iter::from_fn(|| later.take(at(5))).collect();
        assert_eq!(due, ["a", "b", "c", "d"]);
        assert!(!later.is_empty());
        assert_eq!(later.take(at(9)), Some("e"));
        assert!(later.is_empty());
    }
}
