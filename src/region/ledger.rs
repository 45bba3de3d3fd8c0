//! A region's money as data threads see it: a lease per campaign, and promises taken from it.
//!
//! A bid promises money (`reserve`); a bill spends it, a loss or time gives it back. Only `reserve` and the undoing of
//! what was never sent happen here, on many threads at once, with atomics alone; all the rest is done by
//! [`Till`](super::till::Till), of which there is one. The table has a maximum of slots and allocates 256 at a time.
//!
//! Not here: how fast to spend ([`pacing`](super::pacing)), who has seen the ad ([`frequency`](super::frequency)).

#![deny(
    clippy::float_arithmetic,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::{ArcSwapOption, Guard};

pub use super::lease::{Balance, HoldClass, Imbalance};
use super::lease::{Lease, Refused};
use super::wheel::{Dial, Tick};
use crate::units::{BudgetDay, CampaignSlot, Epoch, LedgerTime, Nanos};

/// The holder of a lease stops this long before it expires, by its own monotonic clock: the grantor, whose clock may
/// run a little faster, then never gives away money that is still being promised.
pub const STOP_BEFORE_EXPIRY: Duration = Duration::from_secs(2);
/// Slots that are allocated together: 2 KB, so that a table of a hundred thousand campaigns costs what is used of it.
const CHUNK: usize = 256;
/// The most holds a ledger tells apart: exchanges differ by a handful of delays (banner, app, native, video, outdoor).
pub const HOLDS_MAX: usize = 16;

type Place = ArcSwapOption<Lease>;

/// What all threads share of a region's money.
pub struct Ledger {
    chunks: Box<[OnceLock<Box<[Place]>>]>,
    /// One bit for each slot that is short of money.
    wanted: Box<[AtomicU64]>,
    dials: Box<[Dial]>,
}

/// Why nothing was promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReserveError {
    /// The slot holds no lease: pass; one has been asked for.
    #[error("no lease")]
    NoLease,
    /// The lease has not that much left: expected, try the next candidate.
    #[error("lease exhausted")]
    Exhausted,
    /// The lease ends within two seconds, or has ended: pass; a longer one has been asked for.
    #[error("lease expired")]
    Expired,
    /// The ledger's server has not lapsed what is due, or the caller's time is a hold behind: pass.
    #[error("wheel behind")]
    WheelBehind,
    /// The ledger was not built with this hold.
    #[error("unknown hold")]
    UnknownHold,
}

/// What a notice needs to know to settle a promise: it travels in the bid's token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    /// Whose money.
    pub slot: CampaignSlot,
    /// Which lease.
    pub epoch: Epoch,
    /// The budget day it counts for.
    pub day: BudgetDay,
    /// How much, in the campaign's currency.
    pub reserved: Nanos,
    /// The hold it was made at.
    pub hold: HoldClass,
    /// When it lapses.
    pub expires_at: LedgerTime,
}

/// Money taken for a bid that is not sent yet. Dropped, it goes back.
#[must_use = "a reservation that is dropped is undone"]
pub struct Reservation {
    lease: Guard<Option<Arc<Lease>>>,
    promise: Promise,
    tick: Tick,
    sent: bool,
}

/// What a lease gives, and when it lapses.
struct Decided<'a, T> {
    lease: Guard<Option<Arc<Lease>>>,
    given: T,
    dial: &'a Dial,
    tick: Tick,
}

impl Ledger {
    /// An empty ledger of at most `slots` campaigns, for these holds, as of `now`.
    ///
    /// # Panics
    /// With more than [`HOLDS_MAX`] holds: configuration has refused that before.
    pub fn new(slots: usize, holds: &[Duration], now: LedgerTime) -> Self {
        assert!(
            holds.len() <= HOLDS_MAX,
            "a ledger tells {HOLDS_MAX} holds apart"
        );
        Self {
            chunks: (0..slots.div_ceil(CHUNK))
                .map(|_| OnceLock::new())
                .collect(),
            wanted: (0..slots.div_ceil(64)).map(|_| AtomicU64::new(0)).collect(),
            dials: holds.iter().map(|hold| Dial::new(*hold, now)).collect(),
        }
    }

    /// Promises `amount` of the campaign's currency before a bid is sent.
    ///
    /// The promise is a guard: dropped unsent, it is undone. Sent, it lapses at its expiry, one hold from `now`, rounded
    /// up by at most 2.1 % of the hold; a later bill is still booked, and counted as late. It belongs to the lease it was
    /// taken from, whatever lease the slot holds by then.
    ///
    /// Budget: 60 ns, no allocation but a hold's first wheel in a lease.
    ///
    /// # Errors
    /// [`ReserveError`]: each is expected. All but a late wheel or an unknown hold also ask for money for the slot.
    ///
    /// # Panics
    /// When `amount` is negative.
    pub fn reserve(
        &self,
        slot: CampaignSlot,
        amount: Nanos,
        now: LedgerTime,
        hold: HoldClass,
    ) -> Result<Reservation, ReserveError> {
        assert!(amount >= Nanos::ZERO, "a promise of {amount}");
        let take = |lease: &Lease| {
            let is_low = lease.take(amount.get())?;
            Ok((is_low, lease.epoch, lease.day))
        };
        let decided = self.decide(slot, (now, hold), take);
        if matches!(
            decided,
            Err(ReserveError::NoLease | ReserveError::Expired | ReserveError::Exhausted)
        ) {
            self.want(slot);
        }
        let Decided {
            lease,
            given: (is_low, epoch, day),
            dial,
            tick,
        } = decided?;
        if is_low {
            self.want(slot);
        }
        let promise = Promise {
            slot,
            epoch,
            day,
            reserved: amount,
            hold,
            expires_at: dial.expires_at(tick),
        };
        Ok(Reservation {
            lease,
            promise,
            tick,
            sent: false,
        })
    }

    /// What [`Ledger::reserve`] would answer now: what is free, or why nothing would be promised. Takes nothing, and asks
    /// for no money.
    ///
    /// # Errors
    /// [`ReserveError`].
    pub fn would_reserve(
        &self,
        slot: CampaignSlot,
        amount: Nanos,
        now: LedgerTime,
        hold: HoldClass,
    ) -> Result<Nanos, ReserveError> {
        let look = |lease: &Lease| lease.would_give(amount.get());
        let decided = self.decide(slot, (now, hold), look)?;
        Ok(Nanos::new(decided.given))
    }

    /// Whether a slot's lease gives, by `take`, and when what it gives lapses.
    #[inline]
    fn decide<T>(
        &self,
        slot: CampaignSlot,
        (now, hold): (LedgerTime, HoldClass),
        take: impl FnOnce(&Lease) -> Result<T, Refused>,
    ) -> Result<Decided<'_, T>, ReserveError> {
        let place = self.place(slot).ok_or(ReserveError::NoLease)?;
        let guard = place.load();
        let lease = guard.as_ref().ok_or(ReserveError::NoLease)?;
        if !lease.usable_at(now) {
            return Err(ReserveError::Expired);
        }
        let dial = self.dials.get(hold.index());
        let dial = dial.ok_or(ReserveError::UnknownHold)?;
        let tick = dial.tick_for(now).ok_or(ReserveError::WheelBehind)?;
        let given = take(lease).map_err(|refused| match refused {
            Refused::Exhausted => ReserveError::Exhausted,
            Refused::Sealed => ReserveError::NoLease,
        })?;
        Ok(Decided {
            lease: guard,
            given,
            dial,
            tick,
        })
    }

    /// Where the money of a slot's present lease is, for whoever only looks: the server may be in the middle of a movement.
    pub fn balance(&self, slot: CampaignSlot) -> Option<Balance> {
        let lease = self.place(slot)?.load();
        lease.as_ref().map(|lease| lease.balance())
    }

    pub(super) fn dials(&self) -> &[Dial] {
        &self.dials
    }

    pub(super) fn wanted(&self) -> &[AtomicU64] {
        &self.wanted
    }

    /// Publishes the lease that a slot's bids are paid from; false when the table has no such slot.
    pub(super) fn publish(&self, slot: CampaignSlot, lease: Option<Arc<Lease>>) -> bool {
        let Some(chunk) = self.chunks.get(slot.index() / CHUNK) else {
            return false;
        };
        let places = chunk.get_or_init(|| (0..CHUNK).map(|_| Place::empty()).collect());
        let Some(place) = places.get(slot.index() % CHUNK) else {
            return false;
        };
        place.store(lease);
        true
    }

    pub(super) fn has(&self, slot: CampaignSlot) -> bool {
        slot.index() / CHUNK < self.chunks.len()
    }

    fn place(&self, slot: CampaignSlot) -> Option<&Place> {
        self.chunks
            .get(slot.index() / CHUNK)?
            .get()?
            .get(slot.index() % CHUNK)
    }

    fn want(&self, slot: CampaignSlot) {
        if let Some(word) = self.wanted.get(slot.index() / 64) {
            let bit = 1u64.rotate_left(u32::try_from(slot.index() % 64).unwrap_or(0));
            // Most of the time the bit is set already: a load is shared between threads, a write is not. Relaxed: the
            // bit says that the server should look, and nothing about what it will find.
            if word.load(Ordering::Relaxed) & bit == 0 {
                word.fetch_or(bit, Ordering::Relaxed);
            }
        }
    }
}

impl Reservation {
    /// What the bid's token must carry.
    pub const fn promise(&self) -> Promise {
        self.promise
    }

    /// The bid is about to leave: the promise now stands until it is billed, released, or lapses.
    ///
    /// Call it before the response is handed to the socket, so that no notice can overtake it.
    pub fn sent(mut self) -> Promise {
        if let Some(lease) = self.lease.as_ref() {
            lease.promise(self.promise.hold, self.tick, self.promise.reserved.get());
        }
        self.sent = true;
        self.promise
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if let (false, Some(lease)) = (self.sent, self.lease.as_ref()) {
            lease.put_back(self.promise.reserved.get());
        }
    }
}

impl fmt::Debug for Reservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reservation")
            .field("promise", &self.promise)
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger")
            .field("chunks", &self.chunks.len())
            .field("dials", &self.dials)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
