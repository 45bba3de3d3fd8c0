//! What became of requests and how long they took, as data threads count it.
//!
//! Every data thread writes counters of its own, so that counting is a load and a store on a line that no other core
//! writes. Whoever reads adds them up; totals only grow, also over restarts of the reader.
//! Budget: 10 ns, no allocation.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bounds of the histogram's buckets in microseconds: dense around a bid's usual tens of microseconds, and at the
/// deadlines that exchanges set.
pub(super) const BOUNDS_US: [u64; 16] = [
    10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 75_000, 100_000,
    250_000, 1_000_000,
];
const BUCKETS: usize = BOUNDS_US.len() + 1;

/// Counters of all exchanges and data threads.
#[derive(Debug)]
pub struct RequestCounters {
    exchanges: Box<[Box<str>]>,
    labels: Box<[(&'static str, &'static str)]>,
    /// By data thread, then by exchange.
    threads: Box<[Box<[Cell]>]>,
}

/// One exchange on one data thread.
#[derive(Debug)]
struct Cell {
    outcomes: Box<[AtomicU64]>,
    buckets: [AtomicU64; BUCKETS],
    sum_ns: AtomicU64,
}

/// One exchange over all data threads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totals {
    /// By outcome.
    pub outcomes: Vec<u64>,
    /// By bucket, not cumulated; the last one is what was longer than every bound.
    pub buckets: [u64; BUCKETS],
    /// All durations together, in nanoseconds.
    pub sum_ns: u64,
}

impl RequestCounters {
    /// Counters for these exchanges, for outcomes with these labels (outcome and reason), on so many data threads.
    pub fn new<'e>(
        exchanges: impl IntoIterator<Item = &'e str>,
        labels: Vec<(&'static str, &'static str)>,
        threads: usize,
    ) -> Self {
        let exchanges: Box<[Box<str>]> = exchanges.into_iter().map(Box::from).collect();
        let cell = || Cell {
            outcomes: labels.iter().map(|_| AtomicU64::new(0)).collect(),
            buckets: std::array::from_fn(|_| AtomicU64::new(0)),
            sum_ns: AtomicU64::new(0),
        };
        let threads = (0..threads)
            .map(|_| exchanges.iter().map(|_| cell()).collect())
            .collect();
        Self {
            exchanges,
            labels: labels.into(),
            threads,
        }
    }

    /// Counts a request. To be called on that data thread alone: two writers would lose counts, and nothing else.
    pub fn count(&self, thread: usize, exchange: usize, outcome: usize, took: Duration) {
        let Some(cell) = self
            .threads
            .get(thread)
            .and_then(|cells| cells.get(exchange))
        else {
            return;
        };
        let took_ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_US.partition_point(|bound| bound.saturating_mul(1_000) < took_ns);
        add(cell.outcomes.get(outcome), 1);
        add(cell.buckets.get(bucket), 1);
        add(Some(&cell.sum_ns), took_ns);
    }

    /// The exchanges, in order.
    pub fn exchanges(&self) -> impl Iterator<Item = &str> {
        self.exchanges.iter().map(|name| &**name)
    }

    /// Outcome and reason of each outcome, in order.
    pub fn labels(&self) -> &[(&'static str, &'static str)] {
        &self.labels
    }

    /// What was counted for an exchange so far.
    pub fn totals(&self, exchange: usize) -> Totals {
        let mut totals = Totals {
            outcomes: vec![0; self.labels.len()],
            buckets: [0; BUCKETS],
            sum_ns: 0,
        };
        for cell in self.threads.iter().filter_map(|cells| cells.get(exchange)) {
            for (total, count) in totals.outcomes.iter_mut().zip(&cell.outcomes) {
                *total += count.load(Ordering::Relaxed);
            }
            for (total, count) in totals.buckets.iter_mut().zip(&cell.buckets) {
                *total += count.load(Ordering::Relaxed);
            }
            totals.sum_ns = totals
                .sum_ns
                .wrapping_add(cell.sum_ns.load(Ordering::Relaxed));
        }
        totals
    }
}

fn add(counter: Option<&AtomicU64>, by: u64) {
    if let Some(counter) = counter {
        // One writer: no read-modify-write is needed.
        counter.store(
            counter.load(Ordering::Relaxed).wrapping_add(by),
            Ordering::Relaxed,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_add_up_what_every_thread_counted() {
        let counters = RequestCounters::new(
            ["adx", "openrtb"],
            vec![("bid", "bid"), ("pass", "capped")],
            2,
        );
        counters.count(0, 1, 0, Duration::from_micros(40));
        counters.count(1, 1, 0, Duration::from_micros(50));
        counters.count(1, 1, 1, Duration::from_secs(2));
        let totals = counters.totals(1);
        assert_eq!(totals.outcomes, [2, 1]);
        assert_eq!((totals.buckets[2], totals.buckets[BUCKETS - 1]), (2, 1));
        assert_eq!(totals.sum_ns, 2_000_090_000);
        assert_eq!(counters.totals(0).outcomes, [0, 0]);
    }

    #[test]
    fn what_nobody_knows_is_not_counted() {
        let counters = RequestCounters::new(["adx"], vec![("bid", "bid")], 1);
        counters.count(1, 0, 0, Duration::ZERO);
        counters.count(0, 1, 0, Duration::ZERO);
        assert_eq!(counters.totals(0).outcomes, [0]);
    }
}
