//! Does a bidder bid less where it takes long? One that drops the requests that would take long looks fast, and is not.

use std::time::Duration;

use super::{Latencies, share};

/// The slowest answers: this share of all.
const SLOW_SHARE: f64 = 0.01;
/// Fewer say nothing about a share.
const SLOW_MIN: u64 = 20;

/// How long answers took, with and without a bid.
#[derive(Clone, Debug, Default)]
pub struct Slowness {
    all: Latencies,
    bids: Latencies,
}

impl Slowness {
    /// One more answer.
    pub fn answered(&mut self, latency: Duration, has_bid: bool) {
        self.all.record(latency);
        if has_bid {
            self.bids.record(latency);
        }
    }

    /// The bid share of the slowest answers as a part of that of all: 1 where they do not differ, 0 where no slow answer
    /// holds a bid. 1 where there are too few to tell.
    pub fn bid_ratio(&self) -> f64 {
        let answers = self.all.count();
        if answers < 2 * SLOW_MIN {
            return 1.0;
        }
        let slow = SLOW_SHARE.max(share(SLOW_MIN, answers));
        let from = self.all.quantile_us(1.0 - slow);
        let slow_share = share(self.bids.count_from(from), self.all.count_from(from));
        let bid_share = share(self.bids.count(), answers);
        if bid_share > 0.0 {
            slow_share / bid_share
        } else {
            1.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(shed_above_us: u64, count: u64) -> f64 {
        let mut slowness = Slowness::default();
        for number in 0..count {
            // Every other request gets a bid; those that take too long get none, and that at once.
            let us = 100 + number * 37 % 10_000;
            let is_shed = us > shed_above_us;
            let latency = Duration::from_micros(us.min(shed_above_us));
            slowness.answered(latency, number % 2 == 0 && !is_shed);
        }
        slowness.bid_ratio()
    }

    #[test]
    fn who_drops_slow_requests_has_few_bids_among_its_slow_answers() {
        assert!(ratio(20_000, 5_000) > 0.6);
        assert!(ratio(9_000, 5_000) < 0.1);
        assert!(ratio(1_000, 5_000) < 0.3);
    }

    #[test]
    fn a_few_answers_say_nothing() {
        assert!((ratio(1_000, 39) - 1.0).abs() < f64::EPSILON);
        assert!((Slowness::default().bid_ratio() - 1.0).abs() < f64::EPSILON);
    }
}
