//! The till: a region's money as the ledger's server sees it, the one place where leases are granted, billed, released,
//! lapsed and sealed.
//!
//! There is one `Till` to a [`Ledger`], and it takes `&mut self`: a balance has one writer besides the data threads that
//! take promises from it. A slot holds at most one open lease; sealed ones drain beside it until nothing of them is
//! promised any more. After every movement the lease is checked, and a lease that does not balance is a crash.
//!
//! Not here: the journal. The server makes a bill durable before it acknowledges it.

#![deny(
    clippy::float_arithmetic,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::lease::{HoldClass, Imbalance, LARGEST, Lease};
use super::ledger::{Balance, Ledger, Promise, STOP_BEFORE_EXPIRY};
pub use super::movement::{
    Billed, Committed, Grant, GrantError, Released, Returned, Totals, UnknownEpoch,
};
use super::wheel::{Dial, Tick};
use crate::units::{BudgetDay, CampaignSlot, Epoch, LedgerTime, Nanos};

/// Sealed leases a slot may have draining. They are sealed once a day or when a lease is not renewed; a slot with so many
/// is one whose promises never lapse.
pub const DRAINING_MAX: usize = 8;
/// The weight of one bill in the mean time from bid to bill, as a fraction of this: about thirty bills are remembered.
const DELAY_WEIGHT: i64 = 32;

/// The server's side of a ledger.
#[derive(Debug)]
pub struct Till {
    ledger: Arc<Ledger>,
    accounts: BTreeMap<CampaignSlot, Account>,
    /// Where the search for wanting slots goes on, so that a short answer is a fair one.
    next_word: usize,
}

#[derive(Debug, Default)]
struct Account {
    open: Option<Arc<Lease>>,
    draining: Vec<Arc<Lease>>,
    last_epoch: Option<Epoch>,
    /// What leases that are gone have billed, for the day of the last one.
    closed: Option<(BudgetDay, Nanos)>,
    bill_delay_ms: Option<i64>,
}

impl Till {
    /// The till of a ledger that holds nothing yet.
    pub const fn new(ledger: Arc<Ledger>) -> Self {
        Self {
            ledger,
            accounts: BTreeMap::new(),
            next_word: 0,
        }
    }

    /// What data threads share.
    pub const fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    /// Opens a lease, or tops up the open one. The grant is in the store already.
    ///
    /// # Errors
    /// [`GrantError`]: the money is to be returned whole.
    ///
    /// # Panics
    /// When the lease does not balance, as all movements here.
    pub fn grant(&mut self, slot: CampaignSlot, grant: Grant) -> Result<(), GrantError> {
        if !self.ledger.has(slot) {
            return Err(GrantError::NoSuchSlot);
        }
        let account = self.accounts.entry(slot).or_default();
        let held = match &account.open {
            Some(open) if open.epoch == grant.epoch && open.day != grant.day => {
                return Err(GrantError::AnotherDay);
            }
            Some(open) if open.epoch == grant.epoch => open.holds(),
            Some(open) if open.epoch < grant.epoch => return Err(GrantError::AnotherIsOpen),
            Some(_) => return Err(GrantError::StaleEpoch),
            None if account.last_epoch >= Some(grant.epoch) => return Err(GrantError::StaleEpoch),
            None if account.draining.len() >= DRAINING_MAX => {
                return Err(GrantError::TooManyDraining);
            }
            None => 0,
        };
        let amount = grant.amount.get();
        if amount <= 0 || held.checked_add(amount).is_none_or(|sum| sum > LARGEST) {
            return Err(GrantError::Amount);
        }
        let lease = account.open.get_or_insert_with(|| {
            let holds = self.ledger.dials().len();
            Arc::new(Lease::new(slot, grant.epoch, grant.day, holds))
        });
        account.last_epoch = Some(grant.epoch);
        lease.grant(amount, grant.low_water.get());
        lease.usable_until(usable_until(grant.expires_at));
        balanced(lease);
        if held == 0 {
            self.ledger.publish(slot, Some(Arc::clone(lease)));
        }
        Ok(())
    }

    /// Lets the open lease live longer; never shorter.
    ///
    /// # Errors
    /// [`UnknownEpoch`]: that lease is not open.
    pub fn extend(
        &mut self,
        slot: CampaignSlot,
        epoch: Epoch,
        expires_at: LedgerTime,
    ) -> Result<(), UnknownEpoch> {
        let account = self.accounts.get(&slot).ok_or(UnknownEpoch)?;
        let open = account.open.as_ref().filter(|open| open.epoch == epoch);
        open.ok_or(UnknownEpoch)?
            .usable_until(usable_until(expires_at));
        Ok(())
    }

    /// Ends the open lease and takes out its free money, to be returned. What it has promised is still billed or
    /// released; what comes free by that is found by [`Till::collect`].
    pub fn seal(&mut self, slot: CampaignSlot) -> Option<Returned> {
        let account = self.accounts.get_mut(&slot)?;
        let lease = account.open.take()?;
        self.ledger.publish(slot, None);
        let amount = Nanos::new(lease.seal());
        balanced(&lease);
        let returned = returned(&lease, amount, None);
        account.draining.push(lease);
        Some(returned)
    }

    /// Slots whose open lease may no longer be promised from: to be renewed, or sealed.
    pub fn expired(&self, now: LedgerTime) -> impl Iterator<Item = CampaignSlot> {
        self.accounts.iter().filter_map(move |(slot, account)| {
            let open = account.open.as_ref()?;
            open.expired(now).then_some(*slot)
        })
    }

    /// What came free of sealed leases, and which of them are done with.
    pub fn collect(&mut self) -> Vec<Returned> {
        let mut all = Vec::new();
        for account in self.accounts.values_mut() {
            let closed = &mut account.closed;
            account.draining.retain(|lease| {
                let amount = Nanos::new(lease.take_spare());
                let balance = balanced(lease);
                let done = balance.reserved == Nanos::ZERO && balance.in_flight == Nanos::ZERO;
                if done {
                    carry(closed, lease.day, balance.billed);
                }
                if done || amount.is_positive() {
                    all.push(returned(lease, amount, done.then_some(balance)));
                }
                !done
            });
        }
        all
    }

    /// Gives back what a lost bid had promised.
    ///
    /// # Errors
    /// [`UnknownEpoch`]: nothing is promised by that lease any more.
    ///
    /// # Panics
    /// When it was released or billed before: settlement lets one of them through.
    pub fn release(&mut self, promise: &Promise) -> Result<Released, UnknownEpoch> {
        let (_, lease) = self.find(promise)?;
        let Some(tick) = self.waiting(promise) else {
            return Ok(Released::Lapsed);
        };
        lease.release(promise.hold, tick, promise.reserved.get());
        balanced(&lease);
        Ok(Released::Freed)
    }

    /// Spends what a bid had promised, or free money where the promise has lapsed, even if that makes a debt.
    ///
    /// # Errors
    /// [`UnknownEpoch`]: the campaign books it against that lease itself.
    ///
    /// # Panics
    /// When `charge` is negative, or the promise was released or billed before.
    pub fn bill(
        &mut self,
        promise: &Promise,
        charge: Nanos,
        now: LedgerTime,
    ) -> Result<Billed, UnknownEpoch> {
        assert!(charge >= Nanos::ZERO, "a bill of {charge}");
        let (slot, lease) = self.find(promise)?;
        let Some(tick) = self.waiting(promise) else {
            return Ok(bill_late(&lease, charge));
        };
        let (reserved, charge) = (promise.reserved.get(), charge.get());
        lease.bill_promised((promise.hold, tick), reserved, charge);
        balanced(&lease);
        self.learn_delay(slot, promise, now);
        Ok(Billed::InTime)
    }

    /// Spends free money for a bid whose promise is known to be gone: it was released by a loss that the exchange took
    /// back by billing it.
    ///
    /// # Errors
    /// [`UnknownEpoch`]: the campaign books it against that lease itself.
    ///
    /// # Panics
    /// When `charge` is negative.
    pub fn bill_released(
        &mut self,
        promise: &Promise,
        charge: Nanos,
    ) -> Result<Billed, UnknownEpoch> {
        assert!(charge >= Nanos::ZERO, "a bill of {charge}");
        let (_, lease) = self.find(promise)?;
        Ok(bill_late(&lease, charge))
    }

    /// Frees every promise that is due, and says how much that was. Call it at least each hold's 48th part.
    pub fn lapse(&mut self, now: LedgerTime) -> Nanos {
        let mut total = 0_i64;
        for (place, dial) in (0..).zip(self.ledger.dials()) {
            if dial.due(now).is_none() {
                continue;
            }
            let hold = HoldClass::new(place);
            for lease in self.accounts.values().flat_map(Account::leases) {
                total = total.saturating_add(lease.lapse(hold, dial, now));
                balanced(lease);
            }
            // Last: only now may promises enter the buckets that were emptied.
            dial.turned(now);
        }
        Nanos::new(total)
    }

    /// Slots that ran low, or were asked for money they do not have, since they were last named here; at most `limit`.
    pub fn wants(&mut self, limit: usize) -> Vec<CampaignSlot> {
        let mut slots = Vec::new();
        let words = self.ledger.wanted();
        for _ in 0..words.len() {
            if slots.len() >= limit {
                break;
            }
            let index = self.next_word.checked_rem(words.len()).unwrap_or(0);
            let Some(word) = words.get(index) else { break };
            let mut bits = word.load(Ordering::Relaxed);
            let mut named = 0_u64;
            while bits != 0 && slots.len() < limit {
                let bit = bits & bits.wrapping_neg();
                let number = index
                    .saturating_mul(64)
                    .saturating_add(usize::try_from(bit.trailing_zeros()).unwrap_or(0));
                slots.extend(u32::try_from(number).map(CampaignSlot::new));
                named |= bit;
                bits ^= bit;
            }
            if named != 0 {
                word.fetch_and(!named, Ordering::Relaxed);
            }
            if bits == 0 {
                self.next_word = index.saturating_add(1);
            }
        }
        slots
    }

    /// What the slot's campaign has spent and promised here on its latest day.
    pub fn committed(&self, slot: CampaignSlot) -> Option<Committed> {
        let account = self.accounts.get(&slot)?;
        let closed_day = account.closed.map(|(day, _)| day);
        let day = account
            .leases()
            .map(|lease| lease.day)
            .chain(closed_day)
            .max()?;
        let mut committed = Committed {
            day,
            billed: match account.closed {
                Some((closed, billed)) if closed == day => billed,
                _ => Nanos::ZERO,
            },
            reserved: Nanos::ZERO,
            bill_delay: account
                .bill_delay_ms
                .and_then(|ms| u64::try_from(ms).ok())
                .map(Duration::from_millis),
        };
        for lease in account.leases().filter(|lease| lease.day == day) {
            let balance = lease.balance();
            committed.billed = committed.billed.saturating_add(balance.billed);
            committed.reserved = committed.reserved.saturating_add(balance.reserved);
        }
        Some(committed)
    }

    /// Tells what the campaign had spent here on `day` before this ledger was built: a rebuilt region paces on from there.
    pub fn carry(&mut self, slot: CampaignSlot, day: BudgetDay, billed: Nanos) {
        carry(
            &mut self.accounts.entry(slot).or_default().closed,
            day,
            billed,
        );
    }

    /// Every slot with an open lease, its epoch and its balance.
    pub fn open(&self) -> impl Iterator<Item = (CampaignSlot, Epoch, Balance)> {
        self.accounts.iter().filter_map(|(slot, account)| {
            let lease = account.open.as_ref()?;
            Some((*slot, lease.epoch, lease.balance()))
        })
    }

    /// Forgets a slot, so that another campaign may have it; false while any lease of it lives.
    pub fn forget(&mut self, slot: CampaignSlot) -> bool {
        let idle = self
            .accounts
            .get(&slot)
            .is_none_or(|account| account.leases().next().is_none());
        if idle {
            self.accounts.remove(&slot);
        }
        idle
    }

    /// The sum of everything.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for account in self.accounts.values() {
            totals.open = totals.open.saturating_add(account.open.iter().count());
            totals.draining = totals.draining.saturating_add(account.draining.len());
            for lease in account.leases() {
                let one = lease.balance();
                let debt = one.free.min(Nanos::ZERO);
                totals.debt = totals.debt.saturating_sub(debt);
                totals.balance = sum(totals.balance, one);
            }
        }
        totals
    }

    /// Checks every lease, as each movement does for its own, and says what data threads have in hand.
    ///
    /// # Errors
    /// [`Imbalance`]: money was made. The server crashes with it.
    pub fn check(&self) -> Result<Nanos, Imbalance> {
        let mut in_flight = Nanos::ZERO;
        for lease in self.accounts.values().flat_map(Account::leases) {
            in_flight = in_flight.saturating_add(lease.check()?.in_flight);
        }
        Ok(in_flight)
    }

    fn find(&self, promise: &Promise) -> Result<(CampaignSlot, Arc<Lease>), UnknownEpoch> {
        let account = self.accounts.get(&promise.slot).ok_or(UnknownEpoch)?;
        let mut leases = account.leases();
        let lease = leases.find(|lease| lease.epoch == promise.epoch);
        Ok((promise.slot, Arc::clone(lease.ok_or(UnknownEpoch)?)))
    }

    fn waiting(&self, promise: &Promise) -> Option<Tick> {
        let dial = self.ledger.dials().get(promise.hold.index())?;
        dial.waiting(promise.expires_at)
    }

    fn learn_delay(&mut self, slot: CampaignSlot, promise: &Promise, now: LedgerTime) {
        let hold_ms = self
            .ledger
            .dials()
            .get(promise.hold.index())
            .map_or(0, Dial::hold_ms);
        let bid_at = promise.expires_at.millis().saturating_sub(hold_ms);
        let seen = now.millis().saturating_sub(bid_at).max(0);
        if let Some(account) = self.accounts.get_mut(&slot) {
            let known = account.bill_delay_ms.unwrap_or(seen);
            let step = seen.saturating_sub(known).div_euclid(DELAY_WEIGHT);
            account.bill_delay_ms = Some(known.saturating_add(step));
        }
    }
}

impl Account {
    fn leases(&self) -> impl Iterator<Item = &Arc<Lease>> {
        self.open.iter().chain(&self.draining)
    }
}

fn bill_late(lease: &Lease, charge: Nanos) -> Billed {
    lease.bill_free(charge.get());
    let free = balanced(lease).free;
    Billed::Late { free }
}

fn usable_until(expires_at: LedgerTime) -> LedgerTime {
    let early = i64::try_from(STOP_BEFORE_EXPIRY.as_millis()).unwrap_or(i64::MAX);
    LedgerTime::from_millis(expires_at.millis().saturating_sub(early))
}

fn returned(lease: &Lease, amount: Nanos, closed: Option<Balance>) -> Returned {
    Returned {
        slot: lease.slot,
        epoch: lease.epoch,
        day: lease.day,
        amount,
        closed,
    }
}

fn carry(closed: &mut Option<(BudgetDay, Nanos)>, day: BudgetDay, billed: Nanos) {
    *closed = match *closed {
        Some((known, before)) if known == day => Some((day, before.saturating_add(billed))),
        Some((known, before)) if known > day => Some((known, before)),
        _ => Some((day, billed)),
    };
}

fn sum(a: Balance, b: Balance) -> Balance {
    Balance {
        leased: a.leased.saturating_add(b.leased),
        free: a.free.saturating_add(b.free),
        reserved: a.reserved.saturating_add(b.reserved),
        billed: a.billed.saturating_add(b.billed),
        in_flight: a.in_flight.saturating_add(b.in_flight),
    }
}

/// The balance of a lease after a movement; a lease that does not balance ends the ledger, and with it the region,
/// which is rebuilt under new epochs.
fn balanced(lease: &Lease) -> Balance {
    match lease.check() {
        Ok(balance) => balance,
        Err(imbalance) => panic!("{imbalance}"),
    }
}
