//! What a run counts while it goes on.

mod series;
mod slow;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::auction::End;
use crate::check::{Fault, FaultKind};
use crate::scenario::Phase;
pub use series::{Counts, Row, Series};
pub use slow::Slowness;

/// Longer latencies count as this long: a minute.
const LATENCY_US_MAX: u64 = 60_000_000;
/// A generator that is later than this is late itself.
pub const LAG_MAX: Duration = Duration::from_millis(50);
/// The share of late requests above which a run says nothing about the server.
pub const LAG_SHARE_MAX: f64 = 0.01;

/// Latencies in microseconds, from the instant a request had to leave.
#[derive(Clone, Debug)]
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Self {
        // Three digits from a microsecond to a minute; these bounds are valid, and the fallback needs none.
        let histogram = Histogram::new_with_bounds(1, LATENCY_US_MAX, 3);
        Self(histogram.unwrap_or_else(|_| unbounded()))
    }
}

fn unbounded() -> Histogram<u64> {
    #[expect(clippy::expect_used, reason = "three digits are always valid")]
    Histogram::new(3).expect("three digits are valid")
}

impl Latencies {
    /// One more.
    pub fn record(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.0.saturating_record(micros.clamp(1, LATENCY_US_MAX));
    }

    /// The latency that this share kept, in ms; 0 where there is none.
    pub fn quantile_ms(&self, share: f64) -> f64 {
        micros_as_ms(self.0.value_at_quantile(share))
    }

    /// The latency that this share kept, in microseconds.
    pub(crate) fn quantile_us(&self, share: f64) -> u64 {
        self.0.value_at_quantile(share)
    }

    /// How many took at least so many microseconds, as exactly as they are told apart.
    pub(crate) fn count_from(&self, micros: u64) -> u64 {
        self.0.count_between(micros, LATENCY_US_MAX)
    }

    /// The longest, in ms.
    pub fn max_ms(&self) -> f64 {
        micros_as_ms(self.0.max())
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// Adds those of another.
    pub fn add(&mut self, other: &Self) {
        // Both have the same bounds, so all of them fit.
        self.0.add(&other.0).unwrap_or_default();
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.reset();
    }
}

#[expect(clippy::cast_precision_loss, reason = "below a minute of microseconds")]
fn micros_as_ms(micros: u64) -> f64 {
    micros as f64 / 1_000.0
}

/// The share of `part` in `whole`; 0 of nothing.
#[expect(
    clippy::cast_precision_loss,
    reason = "a share is shown with a few digits"
)]
pub fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    part as f64 / whole as f64
}

/// How a request ended.
#[derive(Debug)]
pub enum Ending {
    /// With an answer.
    Answered {
        /// Whether it holds a bid that an auction can take.
        bids: u64,
        /// What is wrong with it.
        faults: Vec<Fault>,
        /// Whether it came after `tmax`.
        lateness: Lateness,
    },
    /// Without one.
    Failed {
        /// How, for counting.
        kind: &'static str,
        /// What was seen.
        what: String,
    },
}

/// Whether an answer came within `tmax`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lateness {
    /// It did.
    InTime,
    /// It did not, and took no part in an auction.
    Late,
}

/// What one exchange, or all of them, counted.
#[derive(Clone, Debug, Default)]
pub struct Lane {
    /// Requests that ended.
    pub requests: u64,
    /// With at least one bid.
    pub bids: u64,
    /// Rightly answered without a bid.
    pub no_bids: u64,
    /// With a faulty answer.
    pub faulty: u64,
    /// Without an answer.
    pub failures: u64,
    /// Answered after `tmax`.
    pub late: u64,
    /// How long they took, failures included.
    pub latencies: Latencies,
}

/// What was counted within one phase of a run.
#[derive(Clone, Debug)]
pub struct PhaseTally {
    phase: Phase,
    /// Requests due in it, of its exchanges.
    pub lane: Lane,
}

/// Where and when a request belongs.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Its exchange, as the scenario orders them.
    pub exchange: usize,
    /// Its region, as the scenario orders them.
    pub region: usize,
    /// When it was due.
    pub at: Instant,
}

/// What one region counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct RegionTally {
    /// Requests that ended.
    pub requests: u64,
    /// With at least one bid.
    pub bids: u64,
}

/// How often something happened, and one example.
#[derive(Clone, Debug)]
pub struct Counted {
    /// How often.
    pub count: u64,
    /// The first one.
    pub example: String,
}

/// Auctions.
#[derive(Clone, Debug, Default)]
pub struct AuctionTally {
    /// Bids that won.
    pub won: u64,
    /// Bids that lost.
    pub lost: u64,
    /// Of these, by the code of their loss.
    pub losses: BTreeMap<u32, u64>,
}

impl AuctionTally {
    /// One more end.
    pub fn add(&mut self, end: &End) {
        match end {
            End::Won(_) => self.won += 1,
            End::Lost(loss) => {
                self.lost += 1;
                *self.losses.entry(loss.reason.code()).or_default() += 1;
            }
        }
    }
}

/// Everything that a run counts, notices aside.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// By exchange, as the scenario orders them.
    pub exchanges: Vec<Lane>,
    /// By region, as the scenario orders them.
    pub regions: Vec<RegionTally>,
    /// What was wrong with answers.
    pub faults: BTreeMap<FaultKind, Counted>,
    /// Why there was none.
    pub failures: BTreeMap<&'static str, Counted>,
    /// How auctions ended.
    pub auctions: AuctionTally,
    /// Requests that were taken up to be sent.
    pub started: u64,
    /// Of these, taken up more than [`LAG_MAX`] after their instant.
    pub lagging: u64,
    /// From the instant each was due to that: the generator's own part of the latencies.
    pub lags: Latencies,
    /// Latencies of the last second.
    pub last_second: Latencies,
    /// Whether slow answers hold as many bids as others.
    pub slowness: Slowness,
    /// CPU time that this program took in all; `None` where the system does not tell.
    pub own_cpu: Option<Duration>,
    /// The first request's instant.
    origin: Option<Instant>,
    /// Each second of the run.
    pub series: Series,
    /// Each phase of the scenario's expectations.
    pub phases: Vec<PhaseTally>,
}

impl Tally {
    /// Nothing yet, for so many exchanges and regions.
    pub fn new(exchanges: usize, regions: usize) -> Self {
        Self {
            exchanges: vec![Lane::default(); exchanges],
            regions: vec![RegionTally::default(); regions],
            ..Self::default()
        }
    }

    /// Tells seconds and phases apart, too. `give_up`: for how long an answer is waited for.
    #[must_use]
    pub fn with_time(mut self, phases: &[Phase], give_up: Duration) -> Self {
        self.series = Series::new(self.exchanges.len(), give_up);
        let phases = phases.iter().cloned();
        self.phases = phases
            .map(|phase| PhaseTally {
                phase,
                lane: Lane::default(),
            })
            .collect();
        self
    }

    /// The first request is due at `origin`.
    pub fn begins_at(&mut self, origin: Instant) {
        self.origin = Some(origin);
    }

    /// A request due at `at` is taken up, so long after that.
    pub fn started(&mut self, at: Instant, lag: Duration) {
        let at = self.offset(at);
        self.series.started(at, lag);
        self.started += 1;
        self.lagging += u64::from(lag > LAG_MAX);
        self.lags.record(lag);
    }

    /// A request ended.
    pub fn ended(&mut self, place: Place, latency: Duration, ending: Ending) {
        self.last_second.record(latency);
        let at = self.offset(place.at);
        self.series.ended(place.exchange, at, latency, &ending);
        for phase in &mut self.phases {
            if phase.holds(place.exchange, at) {
                phase.lane.ended(latency, &ending);
            }
        }
        let has_bid = matches!(ending, Ending::Answered { bids: 1.., .. });
        if let Some(lane) = self.exchanges.get_mut(place.exchange) {
            lane.ended(latency, &ending);
        }
        if let Some(region) = self.regions.get_mut(place.region) {
            region.requests += 1;
            region.bids += u64::from(has_bid);
        }
        match ending {
            Ending::Answered { faults, .. } => {
                for fault in faults {
                    count(&mut self.faults, fault.kind, fault.what);
                }
            }
            Ending::Failed { kind, what } => count(&mut self.failures, kind, what),
        }
    }

    fn offset(&self, at: Instant) -> Duration {
        let since = |origin| at.saturating_duration_since(origin);
        self.origin.map_or(Duration::ZERO, since)
    }

    /// All exchanges together.
    pub fn all(&self) -> Lane {
        let mut all = Lane::default();
        for lane in &self.exchanges {
            all.requests += lane.requests;
            all.bids += lane.bids;
            all.no_bids += lane.no_bids;
            all.faulty += lane.faulty;
            all.failures += lane.failures;
            all.late += lane.late;
            all.latencies.add(&lane.latencies);
        }
        all
    }

    /// What a request cost this program, with its check, its auction and its notices, in µs of CPU time.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    pub fn own_cpu_us(&self) -> Option<f64> {
        let own = self.own_cpu?.as_secs_f64();
        Some(own * 1e6 / self.started.max(1) as f64)
    }

    /// Whether the generator kept its own pace, so that latencies are the server's.
    pub fn is_valid(&self) -> bool {
        share(self.lagging, self.started) <= LAG_SHARE_MAX
    }
}

impl PhaseTally {
    /// The phase.
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    fn holds(&self, exchange: usize, at: Duration) -> bool {
        let exchanges = &self.phase.exchanges;
        let is_meant = exchanges.is_empty() || exchanges.contains(&exchange);
        is_meant && self.phase.window.holds(at)
    }
}

impl Lane {
    /// Requests by how they ended, in the order of [`Lane::COUNTS`].
    pub const fn counts(&self) -> [u64; 6] {
        [
            self.requests,
            self.bids,
            self.no_bids,
            self.faulty,
            self.failures,
            self.late,
        ]
    }

    /// What reports call [`Lane::counts`].
    pub const COUNTS: [&'static str; 6] =
        ["requests", "bids", "no bids", "faulty", "failed", "late"];

    /// How long requests took, in the order of [`Lane::TIMES`].
    pub fn times_ms(&self) -> [f64; 4] {
        let [p50, p90, p99] = [0.5, 0.9, 0.99].map(|share| self.latencies.quantile_ms(share));
        [p50, p90, p99, self.latencies.max_ms()]
    }

    /// What reports call [`Lane::times_ms`].
    pub const TIMES: [&'static str; 4] = ["p50 ms", "p90 ms", "p99 ms", "max ms"];

    fn ended(&mut self, latency: Duration, ending: &Ending) {
        self.requests += 1;
        self.latencies.record(latency);
        match ending {
            Ending::Answered {
                bids,
                faults,
                lateness,
            } => {
                self.bids += u64::from(*bids > 0);
                self.faulty += u64::from(!faults.is_empty());
                self.no_bids += u64::from(*bids == 0 && faults.is_empty());
                self.late += u64::from(*lateness == Lateness::Late);
            }
            Ending::Failed { .. } => self.failures += 1,
        }
    }
}

fn count<K: Ord>(counts: &mut BTreeMap<K, Counted>, key: K, what: String) {
    counts
        .entry(key)
        .or_insert(Counted {
            count: 0,
            example: what,
        })
        .count += 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_are_told_to_three_digits() {
        let mut latencies = Latencies::default();
        for ms in 1..=100 {
            latencies.record(Duration::from_millis(ms));
        }
        assert!((latencies.quantile_ms(0.5) - 50.0).abs() < 0.1);
        assert!((latencies.max_ms() - 100.0).abs() < 0.1);
        assert_eq!(latencies.count(), 100);
    }

    #[test]
    fn a_generator_that_lags_makes_a_run_invalid() {
        let mut tally = Tally::new(1, 1);
        for _ in 0..99 {
            tally.started(crate::clock::now(), Duration::from_millis(1));
        }
        tally.started(crate::clock::now(), Duration::from_millis(51));
        assert!(tally.is_valid());
        tally.started(crate::clock::now(), Duration::from_millis(51));
        assert!(!tally.is_valid());
    }
}
