//! When promises lapse: a wheel of 64 buckets per lease and hold, each with the sum of what lapses at one tick.
//!
//! Expiry is rounded up to a tick, so nothing lapses early. A [`Dial`] is the geometry all wheels of one hold share, and
//! the last tick that was lapsed. Data threads only add to buckets; the ledger's server alone subtracts and lapses. So a
//! bucket needs no tag: a promise may enter the bucket of tick t only when the dial says that t − 64 has been emptied.

#![deny(clippy::float_arithmetic, clippy::as_conversions)]

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::units::LedgerTime;

/// Buckets in a wheel: 512 bytes of them, which is what a campaign costs for each hold it uses.
const BUCKETS: i64 = 64;
/// Ticks a hold is divided into: a promise is kept at most 2.1 % longer than its hold, and the server may be late by
/// the other 15 ticks (19 s of a hold of one minute) before bids are refused.
const TICKS_PER_HOLD: i64 = 48;

const _: () = assert!(TICKS_PER_HOLD + 1 < BUCKETS);

/// One turn's number: `tick × tick length` is the moment its bucket lapses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tick(i64);

/// One hold's division of time, shared by all wheels of that hold.
#[derive(Debug)]
pub(super) struct Dial {
    hold_ms: i64,
    tick_ms: i64,
    /// Every tick up to this one has been lapsed, in every wheel.
    lapsed_through: AtomicI64,
}

impl Dial {
    /// The dial of a hold, with nothing left to lapse before `now`. A hold is at least one millisecond.
    pub(super) fn new(hold: Duration, now: LedgerTime) -> Self {
        let hold_ms = i64::try_from(hold.as_millis()).unwrap_or(i64::MAX).max(1);
        let tick_ms = (hold_ms / TICKS_PER_HOLD).max(1) + i64::from(hold_ms % TICKS_PER_HOLD != 0);
        Self {
            hold_ms,
            tick_ms,
            lapsed_through: AtomicI64::new(now.millis().div_euclid(tick_ms)),
        }
    }

    /// The tick at which a promise made now lapses; `None` where its bucket is not known to be empty of an older
    /// turn (the server is late), or lapsed already (the caller is).
    pub(super) fn tick_for(&self, now: LedgerTime) -> Option<Tick> {
        let tick = now
            .millis()
            .checked_add(self.hold_ms)?
            .checked_add(self.tick_ms - 1)?
            .div_euclid(self.tick_ms);
        // Acquire pairs with the Release in `turned`: whoever sees t − 64 lapsed adds after its bucket was emptied.
        let lapsed = self.lapsed_through.load(Ordering::Acquire);
        let ahead = tick.checked_sub(lapsed)?;
        (1..=BUCKETS).contains(&ahead).then_some(Tick(tick))
    }

    /// The moment a tick's bucket lapses.
    pub(super) const fn expires_at(&self, tick: Tick) -> LedgerTime {
        LedgerTime::from_millis(tick.0.saturating_mul(self.tick_ms))
    }

    /// The tick that lapses at this moment, if it still waits to.
    pub(super) fn waiting(&self, expires_at: LedgerTime) -> Option<Tick> {
        let tick = expires_at.millis().div_euclid(self.tick_ms);
        // Relaxed: only the server's own thread asks, and it alone writes.
        let lapsed = self.lapsed_through.load(Ordering::Relaxed);
        (tick > lapsed).then_some(Tick(tick))
    }

    /// The hold in milliseconds, before rounding.
    pub(super) const fn hold_ms(&self) -> i64 {
        self.hold_ms
    }

    /// The ticks due by `now`, at most one turn of them: a server that slept longer than a turn meets each bucket once.
    pub(super) fn due(&self, now: LedgerTime) -> Option<RangeInclusive<i64>> {
        let lapsed = self.lapsed_through.load(Ordering::Relaxed);
        let target = now.millis().div_euclid(self.tick_ms);
        (target > lapsed).then(|| lapsed + 1..=target.min(lapsed + BUCKETS))
    }

    /// Declares every tick due by `now` lapsed, once all wheels have been emptied of them.
    pub(super) fn turned(&self, now: LedgerTime) {
        let target = now.millis().div_euclid(self.tick_ms);
        let lapsed = self.lapsed_through.load(Ordering::Relaxed);
        self.lapsed_through
            .store(target.max(lapsed), Ordering::Release);
    }
}

/// What one lease has promised at one hold, by the tick it lapses.
#[derive(Debug)]
pub(super) struct Wheel([AtomicI64; 64]);

impl Wheel {
    pub(super) fn new() -> Self {
        Self([const { AtomicI64::new(0) }; 64])
    }

    /// Adds a promise. Any thread.
    ///
    /// A thread that slept past the tick adds to a bucket that lapses one turn later: money is held longer than it
    /// need be, and none is lost.
    pub(super) fn add(&self, tick: Tick, nanos: i64) {
        // Release: whoever sees this promise also sees that it was taken from the lease's free money before.
        self.bucket(tick.0).fetch_add(nanos, Ordering::Release);
    }

    /// Takes a promise out. The server's thread only.
    ///
    /// # Panics
    /// When the bucket holds less: something was released or billed twice.
    pub(super) fn remove(&self, tick: Tick, nanos: i64) {
        let before = self.bucket(tick.0).fetch_sub(nanos, Ordering::AcqRel);
        assert!(
            before >= nanos,
            "a promise of {nanos} left a bucket that held {before}"
        );
    }

    /// Empties the buckets of these ticks and says what they held. The server's thread only.
    pub(super) fn lapse(&self, ticks: RangeInclusive<i64>) -> i64 {
        ticks
            .map(|tick| self.bucket(tick).swap(0, Ordering::AcqRel))
            .sum()
    }

    /// The sum of all promises.
    pub(super) fn total(&self) -> i64 {
        // Acquire: see `add`.
        self.0
            .iter()
            .map(|bucket| bucket.load(Ordering::Acquire))
            .sum()
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "a number modulo 64 indexes an array of 64"
    )]
    fn bucket(&self, tick: i64) -> &AtomicI64 {
        let index = usize::try_from(tick.rem_euclid(BUCKETS)).unwrap_or(0);
        &self.0[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: LedgerTime = LedgerTime::from_millis(1_790_000_000_123);

    fn minute() -> Dial {
        Dial::new(Duration::from_mins(1), START)
    }

    #[test]
    fn expiry_is_rounded_up_by_less_than_one_tick() {
        for hold in [1, 47, 48, 49, 1_000, 60_000, 61_001, 7_200_000] {
            let dial = Dial::new(Duration::from_millis(hold), START);
            for late in 0..200 {
                let now = START.plus(Duration::from_millis(late));
                dial.turned(now);
                let expiry = dial.expires_at(dial.tick_for(now).unwrap()).millis();
                let wanted = now.millis() + dial.hold_ms();
                assert!(expiry >= wanted && expiry < wanted + dial.tick_ms);
            }
        }
    }

    #[test]
    fn a_server_that_is_late_by_a_third_of_the_hold_is_refused_not_guessed_at() {
        let dial = minute();
        assert!(dial.tick_for(START.plus(Duration::from_secs(17))).is_some());
        assert!(dial.tick_for(START.plus(Duration::from_secs(21))).is_none());
        dial.turned(START.plus(Duration::from_secs(21)));
        assert!(dial.tick_for(START.plus(Duration::from_secs(21))).is_some());
    }

    #[test]
    fn a_caller_whose_time_is_a_hold_behind_is_refused() {
        let dial = minute();
        dial.turned(START.plus(Duration::from_secs(90)));
        assert!(dial.tick_for(START).is_none());
    }

    #[test]
    fn every_promise_lapses_at_its_tick_and_none_before() {
        let (dial, wheel) = (minute(), Wheel::new());
        let tick = dial.tick_for(START).unwrap();
        wheel.add(tick, 7);
        let expiry = dial.expires_at(tick);
        let just_before = LedgerTime::from_millis(expiry.millis() - 1);
        assert_eq!(wheel.lapse(dial.due(just_before).unwrap()), 0);
        dial.turned(just_before);
        assert_eq!(dial.waiting(expiry), Some(tick));
        assert_eq!(wheel.lapse(dial.due(expiry).unwrap()), 7);
        dial.turned(expiry);
        assert_eq!(dial.waiting(expiry), None);
    }

    #[test]
    fn a_server_that_slept_for_days_empties_each_bucket_once() {
        let (dial, wheel) = (minute(), Wheel::new());
        wheel.add(dial.tick_for(START).unwrap(), 5);
        let later = START.plus(Duration::from_hours(72));
        let due = dial.due(later).unwrap();
        assert_eq!(due.clone().count(), 64);
        assert_eq!(wheel.lapse(due), 5);
    }

    #[test]
    #[should_panic(expected = "left a bucket")]
    fn taking_a_promise_out_twice_is_a_crash() {
        let (dial, wheel) = (minute(), Wheel::new());
        let tick = dial.tick_for(START).unwrap();
        wheel.add(tick, 5);
        wheel.remove(tick, 5);
        wheel.remove(tick, 5);
    }
}
