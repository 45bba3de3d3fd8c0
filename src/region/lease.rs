//! One lease: a slice of a campaign's budget for one day, and where its money is.
//!
//! Invariant: `leased == free + reserved + billed`, less what is in flight: taken from `free` by a data thread that has
//! neither sent its bid (then it is `reserved`) nor dropped it (then it is `free` again). Read in the order reserved, then
//! free, the right side is never the larger one, whatever data threads do meanwhile; when they rest, both are equal.
//!
//! Data threads take from `free`, put back into it, and add to the wheels. Everything else is the server's.

#![deny(
    clippy::float_arithmetic,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};

use super::wheel::{Dial, Tick, Wheel};
use crate::units::{BudgetDay, CampaignSlot, Epoch, LedgerTime, Nanos};

/// Subtracted from `free` when a lease is sealed, in the same atomic that data threads take from: whoever comes after
/// finds less than any price, and whoever came before is in the balance that is returned. No flag could say both.
const SEAL: i64 = 1 << 62;
/// The most that one lease may hold, and the largest debt it may run into: a billion currency units. It keeps sealed
/// and open balances apart.
pub(super) const LARGEST: i64 = 1 << 60;

/// Which of a region's holds a promise was made at: its place in the list the ledger was built with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HoldClass(u8);

impl HoldClass {
    /// The hold at this place of the list.
    pub const fn new(place: u8) -> Self {
        Self(place)
    }

    /// The place, to store.
    pub const fn get(self) -> u8 {
        self.0
    }

    pub(super) fn index(self) -> usize {
        usize::from(self.0)
    }
}

#[derive(Debug)]
pub(super) struct Lease {
    pub(super) slot: CampaignSlot,
    pub(super) epoch: Epoch,
    pub(super) day: BudgetDay,
    /// Ledger time in milliseconds from which nothing more is promised.
    usable_until: AtomicI64,
    /// Below this much free money, more is wanted.
    low_water: AtomicI64,
    /// Granted, less what was returned. Written by the server only.
    leased: AtomicI64,
    free: AtomicI64,
    /// Written by the server only.
    billed: AtomicI64,
    wheels: Box<[OnceLock<Box<Wheel>>]>,
}

/// Why a lease gave nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Exhausted,
    Sealed,
}

/// Where a lease's money is, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Granted, less what was returned.
    pub leased: Nanos,
    /// May still be promised, or be returned; negative after late bills that found nothing: a debt.
    pub free: Nanos,
    /// Promised by bids that were sent.
    pub reserved: Nanos,
    /// Spent.
    pub billed: Nanos,
    /// Taken by data threads that are still deciding.
    pub in_flight: Nanos,
}

/// A lease whose parts are more than its whole: money was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unbalanced lease slot={slot:?} epoch={} leased={} free={} reserved={} billed={}",
    epoch.get(), balance.leased, balance.free, balance.reserved, balance.billed
)]
pub struct Imbalance {
    /// Whose lease.
    pub slot: CampaignSlot,
    /// Which of its leases.
    pub epoch: Epoch,
    /// Its figures; what is in flight is negative.
    pub balance: Balance,
}

impl Lease {
    pub(super) fn new(slot: CampaignSlot, epoch: Epoch, day: BudgetDay, holds: usize) -> Self {
        Self {
            slot,
            epoch,
            day,
            usable_until: AtomicI64::new(i64::MIN),
            low_water: AtomicI64::new(0),
            leased: AtomicI64::new(0),
            free: AtomicI64::new(0),
            billed: AtomicI64::new(0),
            wheels: (0..holds).map(|_| OnceLock::new()).collect(),
        }
    }

    // For data threads.

    pub(super) fn usable_at(&self, now: LedgerTime) -> bool {
        // Relaxed: the two seconds a holder stops early are there for far longer delays than a cache line takes.
        now.millis() < self.usable_until.load(Ordering::Relaxed)
    }

    /// Takes from the free money, and says whether more is wanted.
    pub(super) fn take(&self, nanos: i64) -> Result<bool, Refused> {
        // One compare-and-swap decides, so that no two threads are given the same money. AcqRel: it comes before this
        // promise's entry in a wheel for whoever sees that entry.
        let taken = self
            .free
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |free| {
                free.checked_sub(nanos).filter(|left| *left >= 0)
            });
        match taken {
            Ok(before) => Ok(before.saturating_sub(nanos) < self.low_water.load(Ordering::Relaxed)),
            Err(free) if free < LARGEST.saturating_neg() => Err(Refused::Sealed),
            Err(_) => Err(Refused::Exhausted),
        }
    }

    /// Whether [`Lease::take`] would give so much: what is free, for whoever only looks.
    pub(super) fn would_give(&self, nanos: i64) -> Result<i64, Refused> {
        match self.free.load(Ordering::Acquire) {
            free if free < LARGEST.saturating_neg() => Err(Refused::Sealed),
            free if free < nanos => Err(Refused::Exhausted),
            free => Ok(free),
        }
    }

    /// Puts back what was taken and never sent. Right also when the lease was sealed meanwhile: it is then part of what
    /// is still to be returned.
    pub(super) fn put_back(&self, nanos: i64) {
        self.free.fetch_add(nanos, Ordering::AcqRel);
    }

    /// Enters what was taken in the wheel of its hold.
    pub(super) fn promise(&self, hold: HoldClass, tick: Tick, nanos: i64) {
        if let Some(wheel) = self.wheels.get(hold.index()) {
            // The wheel of a hold is built by the first bid that uses it; bids that come meanwhile wait for that
            // allocation, once in a lease's life.
            wheel
                .get_or_init(|| Box::new(Wheel::new()))
                .add(tick, nanos);
        }
    }

    // For the server.

    pub(super) fn expired(&self, now: LedgerTime) -> bool {
        !self.usable_at(now)
    }

    pub(super) fn grant(&self, nanos: i64, low_water: i64) {
        // What is leased rises first: the parts are never more than the whole.
        self.leased.fetch_add(nanos, Ordering::AcqRel);
        self.free.fetch_add(nanos, Ordering::AcqRel);
        self.low_water.store(low_water, Ordering::Relaxed);
    }

    /// Moves the moment of the last promise; never back.
    pub(super) fn usable_until(&self, until: LedgerTime) {
        self.usable_until
            .fetch_max(until.millis(), Ordering::AcqRel);
    }

    pub(super) fn holds(&self) -> i64 {
        self.leased.load(Ordering::Acquire)
    }

    pub(super) fn release(&self, hold: HoldClass, tick: Tick, nanos: i64) {
        self.wheel(hold).remove(tick, nanos);
        self.free.fetch_add(nanos, Ordering::AcqRel);
    }

    /// Spends a promise that is still in its wheel: what the charge leaves of it is free again.
    pub(super) fn bill_promised(
        &self,
        (hold, tick): (HoldClass, Tick),
        reserved: i64,
        charge: i64,
    ) {
        self.wheel(hold).remove(tick, reserved);
        self.billed.fetch_add(charge, Ordering::AcqRel);
        self.free
            .fetch_add(reserved.saturating_sub(charge), Ordering::AcqRel);
    }

    /// Spends free money, also money that is not there.
    pub(super) fn bill_free(&self, charge: i64) {
        self.billed.fetch_add(charge, Ordering::AcqRel);
        self.free.fetch_sub(charge, Ordering::AcqRel);
    }

    pub(super) fn lapse(&self, hold: HoldClass, dial: &Dial, now: LedgerTime) -> i64 {
        let Some((wheel, due)) = self
            .wheels
            .get(hold.index())
            .and_then(OnceLock::get)
            .zip(dial.due(now))
        else {
            return 0;
        };
        let lapsed = wheel.lapse(due);
        self.free.fetch_add(lapsed, Ordering::AcqRel);
        lapsed
    }

    /// Ends promising from this lease, and takes out what was free. Once.
    pub(super) fn seal(&self) -> i64 {
        self.free.fetch_sub(SEAL, Ordering::AcqRel);
        self.usable_until.store(i64::MIN, Ordering::Release);
        self.take_spare()
    }

    /// Takes out what lapsed or was released since the lease was sealed.
    pub(super) fn take_spare(&self) -> i64 {
        let spare = unsealed(self.free.load(Ordering::Acquire)).max(0);
        // Data threads only ever add to a sealed balance, so what was seen is still there. What is leased falls last.
        self.free.fetch_sub(spare, Ordering::AcqRel);
        self.leased.fetch_sub(spare, Ordering::AcqRel);
        spare
    }

    /// Where the money is.
    ///
    /// Exact for the server. Another thread sees each figure as it was within the same instant, and may see a movement
    /// of the server half done.
    pub(super) fn balance(&self) -> Balance {
        // Reserved first, then free: a promise that is seen in a wheel was taken from `free` before.
        let reserved = self.reserved();
        let free = unsealed(self.free.load(Ordering::Acquire));
        let billed = self.billed.load(Ordering::Acquire);
        let leased = self.leased.load(Ordering::Acquire);
        let placed = reserved.saturating_add(free).saturating_add(billed);
        Balance {
            leased: Nanos::new(leased),
            free: Nanos::new(free),
            reserved: Nanos::new(reserved),
            billed: Nanos::new(billed),
            in_flight: Nanos::new(leased.saturating_sub(placed)),
        }
    }

    /// The balance, if it is one. The server's thread only.
    pub(super) fn check(&self) -> Result<Balance, Imbalance> {
        let balance = self.balance();
        let sound = balance.in_flight >= Nanos::ZERO
            && balance.free.get() > LARGEST.saturating_neg()
            && balance.leased.get() <= LARGEST;
        if sound {
            return Ok(balance);
        }
        Err(Imbalance {
            slot: self.slot,
            epoch: self.epoch,
            balance,
        })
    }

    fn reserved(&self) -> i64 {
        self.wheels
            .iter()
            .filter_map(OnceLock::get)
            .map(|wheel| wheel.total())
            .fold(0, i64::saturating_add)
    }

    fn wheel(&self, hold: HoldClass) -> &Wheel {
        let wheel = self.wheels.get(hold.index()).and_then(OnceLock::get);
        let Some(wheel) = wheel else {
            panic!("a promise at a hold this lease never used: {hold:?}");
        };
        wheel
    }

    /// Makes money out of nothing, to show that the check sees it.
    #[cfg(test)]
    pub(super) fn counterfeit(&self, nanos: i64) {
        self.free.fetch_add(nanos, Ordering::AcqRel);
    }
}

/// What `free` means: a sealed balance without its seal.
const fn unsealed(free: i64) -> i64 {
    if free < LARGEST.saturating_neg() {
        free.saturating_add(SEAL)
    } else {
        free
    }
}
