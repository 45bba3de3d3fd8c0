//! The only reader of clocks. Everything else is handed a [`Clock`] or a time.
//!
//! The system clock and its test twin are one type: [`Clock::system`] reads the machine's clocks,
//! [`Clock::manual`] stands still until it is moved.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads clocks"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::units::{LedgerTime, Monotonic, UnixMillis};

/// A source of time, cheap to clone.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System {
        origin: Instant,
        wall_at_origin_ms: i64,
    },
    Manual(Arc<Hands>),
}

#[derive(Debug)]
struct Hands {
    monotonic_ns: AtomicU64,
    wall_ms: AtomicI64,
    wall_at_origin_ms: i64,
}

/// Moves a manual clock.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Hands>);

impl Clock {
    /// The machine's clocks; monotonic time begins now.
    pub fn system() -> Self {
        Self(Source::System {
            origin: Instant::now(),
            wall_at_origin_ms: wall_now_ms(),
        })
    }

    /// A clock that stands at `wall` and monotonic zero until its twin moves it.
    pub fn manual(wall: UnixMillis) -> (Self, ManualClock) {
        let hands = Arc::new(Hands {
            monotonic_ns: AtomicU64::new(0),
            wall_ms: AtomicI64::new(wall.get()),
            wall_at_origin_ms: wall.get(),
        });
        (Self(Source::Manual(Arc::clone(&hands))), ManualClock(hands))
    }

    /// Time since this clock began.
    pub fn monotonic(&self) -> Monotonic {
        match &self.0 {
            Source::System { origin, .. } => Monotonic::from_nanos(
                u64::try_from(origin.elapsed().as_nanos()).unwrap_or(u64::MAX),
            ),
            Source::Manual(hands) => {
                Monotonic::from_nanos(hands.monotonic_ns.load(Ordering::Acquire))
            }
        }
    }

    /// The wall clock, which may jump.
    pub fn wall(&self) -> UnixMillis {
        match &self.0 {
            Source::System { .. } => UnixMillis::new(wall_now_ms()),
            Source::Manual(hands) => UnixMillis::new(hands.wall_ms.load(Ordering::Acquire)),
        }
    }

    /// Ledger time: the wall clock when this clock began, and monotonic from there.
    pub fn ledger(&self) -> LedgerTime {
        self.ledger_at(self.monotonic())
    }

    /// Ledger time at a monotonic time that was read already.
    pub fn ledger_at(&self, now: Monotonic) -> LedgerTime {
        let origin = match &self.0 {
            Source::System {
                wall_at_origin_ms, ..
            } => *wall_at_origin_ms,
            Source::Manual(hands) => hands.wall_at_origin_ms,
        };
        let elapsed = i64::try_from(now.as_nanos() / 1_000_000).unwrap_or(i64::MAX);
        LedgerTime::from_millis(origin.saturating_add(elapsed))
    }
}

impl ManualClock {
    /// Moves both clocks forward.
    pub fn advance(&self, span: Duration) {
        let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        self.0.monotonic_ns.fetch_add(nanos, Ordering::AcqRel);
        self.0.wall_ms.fetch_add(
            i64::try_from(span.as_millis()).unwrap_or(i64::MAX),
            Ordering::AcqRel,
        );
    }

    /// Sets the wall clock alone, as an operator or NTP may.
    pub fn jump_wall(&self, to: UnixMillis) {
        self.0.wall_ms.store(to.get(), Ordering::Release);
    }
}

fn wall_now_ms() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ledger_time_follows_the_monotonic_clock_when_the_wall_clock_jumps() {
        let (clock, twin) = Clock::manual(UnixMillis::new(1_000_000));
        twin.advance(Duration::from_secs(5));
        twin.jump_wall(UnixMillis::new(0));
        assert_eq!(clock.ledger(), LedgerTime::from_millis(1_005_000));
        assert_eq!(clock.wall(), UnixMillis::new(0));
    }
}
