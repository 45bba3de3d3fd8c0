//! What happened in each second of a run. A request belongs to the second it was due in, whenever it ends.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Ending, LAG_MAX, LAG_SHARE_MAX, Latencies, Lateness, share};

/// A day; what is later is not told apart.
const SECONDS_MAX: usize = 86_400;

/// Each second of a run.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// Sums over all exchanges.
    pub rows: Vec<Row>,
    /// Counts of each exchange, as the scenario orders them.
    pub exchanges: Vec<Vec<Counts>>,
    /// Latencies of seconds whose requests may still end.
    open: BTreeMap<usize, Latencies>,
    /// How many seconds stay open: as long as an answer is waited for.
    patience: usize,
}

/// One second.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// Requests due.
    pub offered: u64,
    /// Of these, taken up so late that the generator itself is to blame.
    pub lagging: u64,
    /// Answers that came in this second, whenever their requests were due.
    pub answered: u64,
    /// What became of the requests due.
    pub counts: Counts,
    /// Their latencies in ms: the median, what 90 % and 99 % kept, the longest.
    pub latency_ms: [f64; 4],
}

/// How requests ended.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// With a bid.
    pub bids: u64,
    /// Rightly without one.
    pub no_bids: u64,
    /// With a faulty answer.
    pub faulty: u64,
    /// Without an answer.
    pub failed: u64,
    /// Answered after `tmax`.
    pub late: u64,
}

impl Counts {
    fn add(&mut self, ending: &Ending) {
        match ending {
            Ending::Failed { .. } => self.failed += 1,
            Ending::Answered {
                bids,
                faults,
                lateness,
            } => {
                if !faults.is_empty() {
                    self.faulty += 1;
                } else if *bids > 0 {
                    self.bids += 1;
                } else {
                    self.no_bids += 1;
                }
                self.late += u64::from(*lateness == Lateness::Late);
            }
        }
    }

    /// Adds those of another second.
    pub fn merge(&mut self, other: Self) {
        self.bids += other.bids;
        self.no_bids += other.no_bids;
        self.faulty += other.faulty;
        self.failed += other.failed;
        self.late += other.late;
    }
}

impl Series {
    /// Nothing yet, for so many exchanges, whose answers are waited for so long.
    pub fn new(exchanges: usize, give_up: Duration) -> Self {
        let patience = usize::try_from(give_up.as_secs()).unwrap_or(usize::MAX);
        Self {
            exchanges: vec![Vec::new(); exchanges],
            patience: patience.saturating_add(2),
            ..Self::default()
        }
    }

    /// A request due at `at` was taken up, so long after that.
    pub fn started(&mut self, at: Duration, lag: Duration) {
        let second = second(at);
        let due = row(&mut self.rows, second);
        due.offered += 1;
        due.lagging += u64::from(lag > LAG_MAX);
        let closed = second.saturating_sub(self.patience);
        while let Some(first) = self.open.first_entry() {
            if *first.key() >= closed {
                break;
            }
            let (second, latencies) = first.remove_entry();
            close(&mut self.rows, second, &latencies);
        }
    }

    /// A request due at `at` ended after `latency`.
    pub fn ended(&mut self, exchange: usize, at: Duration, latency: Duration, ending: &Ending) {
        let due = second(at);
        if matches!(ending, Ending::Answered { .. }) {
            row(&mut self.rows, second(at + latency)).answered += 1;
        }
        row(&mut self.rows, due).counts.add(ending);
        if let Some(counts) = self.exchanges.get_mut(exchange) {
            row(counts, due).add(ending);
        }
        self.open.entry(due).or_default().record(latency);
    }

    /// Nothing more comes.
    pub fn finish(&mut self) {
        for (second, latencies) in std::mem::take(&mut self.open) {
            close(&mut self.rows, second, &latencies);
        }
        let length = self.rows.len();
        for counts in &mut self.exchanges {
            counts.resize_with(length, Counts::default);
        }
    }

    /// The highest rate of a second whose requests kept `p99_ms`, before more than `SLIPS` seconds in a row did not, and
    /// that second.
    pub fn capacity(&self, p99_ms: f64) -> Option<(u64, usize)> {
        let mut slips = 0;
        let mut best = None;
        for (second, row) in self.rows.iter().enumerate() {
            let [.., p99, _] = row.latency_ms;
            if row.offered == 0 {
                continue;
            }
            if p99 <= p99_ms && row.counts.failed == 0 {
                slips = 0;
                best = best.max(Some((row.offered, second)));
            } else {
                slips += 1;
                if slips > SLIPS {
                    break;
                }
            }
        }
        best
    }
}

impl Series {
    /// Whether the generator kept its own pace until the end of a second.
    pub fn kept_pace_until(&self, second: usize) -> bool {
        let rows = || self.rows.iter().take(second.saturating_add(1));
        let started = rows().map(|row| row.offered).sum();
        let lagging = rows().map(|row| row.lagging).sum();
        share(lagging, started) <= LAG_SHARE_MAX
    }
}

/// Seconds in a row that may miss a latency by chance.
const SLIPS: u32 = 2;

fn second(at: Duration) -> usize {
    usize::try_from(at.as_secs())
        .unwrap_or(usize::MAX)
        .min(SECONDS_MAX)
}

#[expect(clippy::indexing_slicing, reason = "made longer one line above")]
fn row<T: Default>(rows: &mut Vec<T>, second: usize) -> &mut T {
    if rows.len() <= second {
        rows.resize_with(second + 1, T::default);
    }
    &mut rows[second]
}

fn close(rows: &mut Vec<Row>, second: usize, latencies: &Latencies) {
    row(rows, second).latency_ms = [
        latencies.quantile_ms(0.5),
        latencies.quantile_ms(0.9),
        latencies.quantile_ms(0.99),
        latencies.max_ms(),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn bid() -> Ending {
        Ending::Answered {
            bids: 1,
            faults: Vec::new(),
            lateness: Lateness::InTime,
        }
    }

    fn lost() -> Ending {
        Ending::Failed {
            kind: "connect",
            what: "refused".to_owned(),
        }
    }

    #[test]
    fn a_request_belongs_to_the_second_it_was_due_in() {
        let mut series = Series::new(2, ms(2_000));
        series.started(ms(1_900), ms(0));
        series.ended(1, ms(1_900), ms(1_500), &bid());
        series.started(ms(2_100), ms(0));
        series.ended(0, ms(2_100), ms(10), &lost());
        series.finish();
        assert_eq!(series.rows.len(), 4);
        let row = &series.rows[1];
        assert_eq!((row.offered, row.answered, row.counts.bids), (1, 0, 1));
        assert!((row.latency_ms[2] - 1_500.0).abs() < 2.0);
        assert_eq!(series.rows[3].answered, 1);
        assert_eq!(series.rows[2].counts.failed, 1);
        assert_eq!(series.exchanges[1][1].bids, 1);
        assert_eq!(series.exchanges[0].len(), 4);
    }

    #[test]
    fn seconds_that_nobody_waits_for_any_more_hold_no_histogram() {
        let mut series = Series::new(1, ms(1_000));
        for second in 0..100 {
            let at = Duration::from_secs(second);
            series.started(at, ms(0));
            series.ended(0, at, ms(3), &bid());
            assert!(series.open.len() <= 5, "{}", series.open.len());
        }
        assert!((series.rows[10].latency_ms[0] - 3.0).abs() < 0.1);
    }

    #[test]
    fn a_generator_that_lags_later_kept_its_pace_until_then() {
        let mut series = Series::new(1, ms(1_000));
        for request in 0..200 {
            let lag = if request < 100 { ms(1) } else { ms(90) };
            series.started(ms(request * 10), lag);
        }
        assert!(series.kept_pace_until(0));
        assert!(!series.kept_pace_until(1));
    }

    #[test]
    fn capacity_is_the_highest_rate_before_latency_stays_high() {
        let row = |offered, p99: f64| Row {
            offered,
            latency_ms: [1.0, 2.0, p99, p99],
            ..Row::default()
        };
        let rows = vec![
            row(100, 2.0),
            row(200, 90.0),
            row(300, 3.0),
            row(400, 20.0),
            row(500, 20.0),
            row(600, 20.0),
            row(700, 1.0),
        ];
        let series = Series {
            rows,
            ..Series::default()
        };
        assert_eq!(series.capacity(10.0), Some((300, 2)));
        assert_eq!(series.capacity(50.0), Some((700, 6)));
        assert_eq!(series.capacity(0.5), None);
    }
}
