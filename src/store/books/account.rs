//! One campaign's account: what its days committed and spent, and which leases are open.
//!
//! A movement is checked against copies of the few balances it changes, and they are stored only when all of it holds.
//! Amounts are in the campaign's currency, but for the media costs, which name theirs.

#![deny(
    clippy::float_arithmetic,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

use std::collections::BTreeMap;

mod row;

pub(super) use row::length as row_length;

use super::FoldError;
use crate::store::movement::{Bill, LeaseKey, Movement};
use crate::units::{BudgetDay, Currency, Epoch, Nanos, RegionKey, UnixMillis};

/// How many budget days an account keeps apart: a month's report and then some. Older ones live on in the lifetime
/// sums; a day with money on an open lease is kept until that is closed.
pub const DAYS_KEPT: usize = 35;

/// A campaign's account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    epoch: u64,
    balance: Balance,
    wins: u64,
    impressions: u64,
    days: BTreeMap<BudgetDay, Day>,
    /// The latest day that is not kept any more.
    forgotten: Option<BudgetDay>,
    leases: BTreeMap<(RegionKey, Epoch), Lease>,
}

/// One budget day of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Day {
    balance: Balance,
    impressions: u64,
    costs: BTreeMap<Currency, Nanos>,
}

/// An open lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The budget day whose money it is.
    pub day: BudgetDay,
    /// All grants of this epoch.
    pub granted: Nanos,
    /// What was billed against it, never above `granted`.
    pub billed: Nanos,
    /// When it was opened.
    pub opened_at: UnixMillis,
}

/// Invariant: `granted - returned + late == billed + open`, nothing below zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Balance {
    pub(super) granted: Nanos,
    pub(super) returned: Nanos,
    pub(super) late: Nanos,
    pub(super) billed: Nanos,
    pub(super) open: Nanos,
}

impl Account {
    /// The highest epoch a lease of this campaign ever had.
    pub fn highest_epoch(&self) -> Epoch {
        Epoch::new(self.epoch)
    }

    /// What the campaign spent in its life.
    pub fn spent(&self) -> Nanos {
        self.balance.billed
    }

    /// What the campaign spent in its life, and may yet spend from leases that are open.
    pub fn committed(&self) -> Nanos {
        self.balance.committed()
    }

    /// What late bills added to what was granted, in the campaign's life.
    pub fn late(&self) -> Nanos {
        self.balance.late
    }

    /// Auctions won in the campaign's life.
    pub fn wins(&self) -> u64 {
        self.wins
    }

    /// Impressions billed in the campaign's life.
    pub fn impressions(&self) -> u64 {
        self.impressions
    }

    /// One day, if it is among those that are kept and anything happened on it.
    pub fn day(&self, day: BudgetDay) -> Option<&Day> {
        self.days.get(&day)
    }

    /// Whether this day is so old that its balance may be gone, so that nothing may be granted of it.
    pub fn has_forgotten(&self, day: BudgetDay) -> bool {
        self.forgotten.is_some_and(|forgotten| day <= forgotten)
    }

    /// The days that are kept, oldest first.
    pub fn days(&self) -> impl Iterator<Item = (BudgetDay, &Day)> {
        self.days.iter().map(|(number, day)| (*number, day))
    }

    /// An open lease.
    pub fn lease(&self, region: RegionKey, epoch: Epoch) -> Option<&Lease> {
        self.leases.get(&(region, epoch))
    }

    /// The open leases, by region and epoch.
    pub fn leases(&self) -> impl Iterator<Item = (RegionKey, Epoch, &Lease)> {
        self.leases
            .iter()
            .map(|((region, epoch), lease)| (*region, *epoch, lease))
    }

    /// How many leases are open.
    pub fn open_leases(&self) -> usize {
        self.leases.len()
    }

    /// How much of a charge against this lease would be debt.
    pub(crate) fn debt_of(&self, lease: LeaseKey, day: BudgetDay, charge: Nanos) -> Nanos {
        let rest = self
            .lease(lease.region, lease.epoch)
            .filter(|open| open.day == day)
            .map_or(Nanos::ZERO, Lease::rest);
        charge.saturating_sub(rest).max(Nanos::ZERO)
    }

    pub(super) fn is_untouched(&self) -> bool {
        *self == Self::default()
    }

    /// Folds one movement of this campaign in, or changes nothing.
    pub(super) fn apply(&mut self, movement: &Movement) -> Result<(), FoldError> {
        match movement {
            Movement::Granted {
                lease,
                day,
                amount,
                at,
                ..
            } => self.grant(*lease, *day, *amount, *at)?,
            Movement::Returned {
                lease, day, amount, ..
            } => self.give_back(*lease, *day, *amount)?,
            Movement::Won(_) => self.wins = self.wins.checked_add(1).ok_or(FoldError::Overflow)?,
            Movement::Billed { bill, debt } => self.bill(bill, *debt)?,
        }
        self.forget_old_days();
        Ok(())
    }

    fn grant(
        &mut self,
        key: LeaseKey,
        day: BudgetDay,
        amount: Nanos,
        at: UnixMillis,
    ) -> Result<(), FoldError> {
        if !amount.is_positive() {
            return Err(FoldError::BadAmount);
        }
        let open = self.lease(key.region, key.epoch).copied();
        let lease = match open {
            Some(open) if open.day != day => return Err(FoldError::WrongDay),
            Some(open) => Lease {
                granted: add(open.granted, amount)?,
                ..open
            },
            None if key.epoch.get() <= self.epoch => return Err(FoldError::StaleEpoch),
            None => Lease {
                day,
                granted: amount,
                billed: Nanos::ZERO,
                opened_at: at,
            },
        };
        self.book(day, |balance| balance.grant(amount))?;
        self.epoch = self.epoch.max(key.epoch.get());
        self.leases.insert((key.region, key.epoch), lease);
        Ok(())
    }

    fn give_back(&mut self, key: LeaseKey, day: BudgetDay, amount: Nanos) -> Result<(), FoldError> {
        let open = self
            .lease(key.region, key.epoch)
            .ok_or(FoldError::NoLease)?;
        if open.day != day {
            return Err(FoldError::WrongDay);
        }
        if open.rest() != amount {
            return Err(FoldError::WrongRest);
        }
        self.book(day, |balance| balance.give_back(amount))?;
        self.leases.remove(&(key.region, key.epoch));
        Ok(())
    }

    fn bill(&mut self, bill: &Bill, debt: Nanos) -> Result<(), FoldError> {
        let (key, day, charge) = (bill.lease, bill.day, bill.charge);
        if charge < Nanos::ZERO || bill.cost < Nanos::ZERO {
            return Err(FoldError::BadAmount);
        }
        if self.debt_of(key, day, charge) != debt {
            return Err(FoldError::WrongRest);
        }
        let carried = subtract(charge, debt)?;
        let impressions = self.impressions.checked_add(1).ok_or(FoldError::Overflow)?;
        let cost_so_far = self
            .day(day)
            .and_then(|day| day.costs.get(&bill.currency).copied())
            .unwrap_or_default();
        let cost = add(cost_so_far, bill.cost)?;
        self.book(day, |balance| balance.bill(charge, debt))?;
        self.impressions = impressions;
        if let Some(day) = self.days.get_mut(&day) {
            day.impressions = day.impressions.saturating_add(1);
            day.costs.insert(bill.currency, cost);
        }
        if let Some(lease) = self.leases.get_mut(&(key.region, key.epoch))
            && carried.is_positive()
        {
            lease.billed = lease.billed.saturating_add(carried);
            assert!(
                lease.billed <= lease.granted,
                "lease billed beyond its grant: {key:?} {lease:?}"
            );
        }
        Ok(())
    }

    /// Changes the day's and the lifetime balance alike, or neither.
    fn book(
        &mut self,
        day: BudgetDay,
        change: impl Fn(Balance) -> Result<Balance, FoldError>,
    ) -> Result<(), FoldError> {
        let today = self
            .days
            .get(&day)
            .map(|day| day.balance)
            .unwrap_or_default();
        let (daily, lifetime) = (change(today)?, change(self.balance)?);
        daily.check()?;
        lifetime.check()?;
        self.days.entry(day).or_default().balance = daily;
        self.balance = lifetime;
        Ok(())
    }

    fn forget_old_days(&mut self) {
        while self.days.len() > DAYS_KEPT {
            let settled = self
                .days
                .iter()
                .find(|(_, day)| day.balance.open == Nanos::ZERO)
                .map(|(number, _)| *number);
            let Some(oldest) = settled else { return };
            self.days.remove(&oldest);
            self.forgotten = self.forgotten.max(Some(oldest));
        }
    }
}

impl Day {
    /// All that was granted of this day.
    pub fn granted(&self) -> Nanos {
        self.balance.granted
    }

    /// What closed leases gave back.
    pub fn returned(&self) -> Nanos {
        self.balance.returned
    }

    /// What late bills added to what was granted.
    pub fn late(&self) -> Nanos {
        self.balance.late
    }

    /// What advertisers were charged.
    pub fn billed(&self) -> Nanos {
        self.balance.billed
    }

    /// What open leases may yet spend.
    pub fn open(&self) -> Nanos {
        self.balance.open
    }

    /// What is spent or may yet be: granted less returned plus late, which is billed plus open.
    pub fn committed(&self) -> Nanos {
        self.balance.committed()
    }

    /// Impressions billed.
    pub fn impressions(&self) -> u64 {
        self.impressions
    }

    /// What exchanges are owed, by currency.
    pub fn costs(&self) -> impl Iterator<Item = (Currency, Nanos)> {
        self.costs.iter().map(|(currency, cost)| (*currency, *cost))
    }
}

impl Lease {
    /// What may yet be billed against it.
    pub fn rest(&self) -> Nanos {
        self.granted.saturating_sub(self.billed)
    }
}

impl Balance {
    /// With more to spend from a lease that is open.
    pub(super) fn grant(self, amount: Nanos) -> Result<Self, FoldError> {
        Ok(Self {
            granted: add(self.granted, amount)?,
            open: add(self.open, amount)?,
            ..self
        })
    }

    /// With the rest of a lease that was closed.
    pub(super) fn give_back(self, amount: Nanos) -> Result<Self, FoldError> {
        Ok(Self {
            returned: add(self.returned, amount)?,
            open: subtract(self.open, amount)?,
            ..self
        })
    }

    /// With a charge, of which no lease carried `debt`.
    pub(super) fn bill(self, charge: Nanos, debt: Nanos) -> Result<Self, FoldError> {
        Ok(Self {
            billed: add(self.billed, charge)?,
            late: add(self.late, debt)?,
            open: subtract(self.open, subtract(charge, debt)?)?,
            ..self
        })
    }

    /// Exact, since `check` refused a balance whose sum does not fit.
    pub(super) fn committed(&self) -> Nanos {
        self.billed.saturating_add(self.open)
    }

    /// The same, if it is a balance.
    pub(super) fn sound(self) -> Result<Self, FoldError> {
        add(self.billed, self.open)?;
        add(self.granted, self.late)?;
        self.holds().then_some(self).ok_or(FoldError::WrongRest)
    }

    fn check(&self) -> Result<(), FoldError> {
        add(self.billed, self.open)?;
        add(self.granted, self.late)?;
        assert!(self.holds(), "the books do not balance: {self:?}");
        Ok(())
    }

    fn holds(&self) -> bool {
        let committed = self.billed.checked_add(self.open);
        let granted = self
            .granted
            .checked_add(self.late)
            .and_then(|granted| granted.checked_sub(self.returned));
        let lowest = self.returned.min(self.late).min(self.billed).min(self.open);
        committed.is_some()
            && committed == granted
            && lowest >= Nanos::ZERO
            && self.returned <= self.granted
    }
}

fn add(a: Nanos, b: Nanos) -> Result<Nanos, FoldError> {
    a.checked_add(b).ok_or(FoldError::Overflow)
}

fn subtract(a: Nanos, b: Nanos) -> Result<Nanos, FoldError> {
    a.checked_sub(b).ok_or(FoldError::Overflow)
}
