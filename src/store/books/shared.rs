//! The accounts of advertisers: what their campaigns have committed together, by the days of the advertiser's time zone.
//!
//! A lease belongs to one campaign's day and to one advertiser's day, both fixed when it is opened, so that its money counts
//! once in each. A bill counts where its lease does; one whose lease is closed counts on the last day of the advertiser
//! that had begun to be spent when the bid was made.
//! A movement is checked against copies of the balances it changes, and they are stored when the campaign's own account
//! took it, too.

#![deny(
    clippy::float_arithmetic,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

use std::collections::{BTreeMap, BTreeSet};

use super::account::{Balance, DAYS_KEPT};
use super::{FoldError, row_length};
use crate::store::codec::{Decoder, Encoder, Malformed};
use crate::store::movement::{Bill, LeaseKey, Movement, Share};
use crate::units::{AdvertiserKey, BudgetDay, CampaignKey, Nanos, UnixMillis};

/// What an advertiser's campaigns have committed together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SharedAccount {
    balance: Balance,
    days: BTreeMap<BudgetDay, SharedDay>,
    /// The latest day that is not kept any more.
    forgotten: Option<BudgetDay>,
    /// The open leases, each with the day it counts on.
    leases: BTreeMap<LeaseKey, BudgetDay>,
    /// Every campaign that counts here: their late bills do, too.
    campaigns: BTreeSet<CampaignKey>,
    /// The movement that changed it last.
    touched: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SharedDay {
    /// When the first lease of it was granted.
    opened_at: UnixMillis,
    balance: Balance,
}

/// The accounts of all advertisers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SharedAccounts {
    accounts: BTreeMap<AdvertiserKey, SharedAccount>,
    /// Whose account an open lease counts in.
    holders: BTreeMap<LeaseKey, AdvertiserKey>,
    /// How many campaigns count in all accounts together.
    sharers: usize,
}

/// A movement that was checked: what the balances will be.
pub(super) struct Change {
    share: Share,
    day: SharedDay,
    lifetime: Balance,
}

impl SharedAccount {
    /// What its campaigns spent, in all.
    pub fn spent(&self) -> Nanos {
        self.balance.billed
    }

    /// What they spent, and may yet spend from leases that are open.
    pub fn committed(&self) -> Nanos {
        self.balance.committed()
    }

    /// What late bills added to what was granted.
    pub fn late(&self) -> Nanos {
        self.balance.late
    }

    /// What they spent of one day.
    pub fn spent_on(&self, day: BudgetDay) -> Nanos {
        self.day(day).map_or(Nanos::ZERO, |day| day.balance.billed)
    }

    /// What they spent of one day, and may yet spend of it.
    pub fn committed_on(&self, day: BudgetDay) -> Nanos {
        self.day(day)
            .map_or(Nanos::ZERO, |day| day.balance.committed())
    }

    /// Whether this day is so old that its balance may be gone, so that nothing may be granted of it.
    pub fn has_forgotten(&self, day: BudgetDay) -> bool {
        self.forgotten.is_some_and(|forgotten| day <= forgotten)
    }

    /// Whether this campaign counts here.
    pub fn is_shared_by(&self, campaign: CampaignKey) -> bool {
        self.campaigns.contains(&campaign)
    }

    /// The movement that changed it last.
    pub(in crate::store) fn touched(&self) -> u64 {
        self.touched
    }

    fn day(&self, day: BudgetDay) -> Option<&SharedDay> {
        self.days.get(&day)
    }

    /// The day that a bid of this moment was paid from.
    fn day_of(&self, bid_at: UnixMillis) -> Option<BudgetDay> {
        let began = |(_, day): &(&BudgetDay, &SharedDay)| day.opened_at <= bid_at;
        let found = self.days.iter().rfind(began).or(self.days.iter().next());
        found.map(|(number, _)| *number)
    }

    /// A day with an open lease is kept, also one whose lease is used up: where that counts must be known until it is
    /// closed.
    fn forget_old_days(&mut self) {
        while self.days.len() > DAYS_KEPT {
            let leased: BTreeSet<BudgetDay> = self.leases.values().copied().collect();
            let settled = self.days.keys().find(|day| !leased.contains(day)).copied();
            let Some(oldest) = settled else { return };
            self.days.remove(&oldest);
            self.forgotten = self.forgotten.max(Some(oldest));
        }
    }
}

impl SharedAccounts {
    /// Accounts as a checkpoint kept them.
    pub(in crate::store) fn restored(accounts: BTreeMap<AdvertiserKey, SharedAccount>) -> Self {
        let holders = accounts
            .iter()
            .flat_map(|(advertiser, account)| {
                account
                    .leases
                    .keys()
                    .map(move |lease| (*lease, *advertiser))
            })
            .collect();
        let sharers = accounts
            .values()
            .map(|account| account.campaigns.len())
            .fold(0, usize::saturating_add);
        Self {
            accounts,
            holders,
            sharers,
        }
    }

    /// How many campaigns count here: each once at every advertiser that it was ever of, for its late bills.
    pub fn sharers(&self) -> usize {
        self.sharers
    }

    /// All accounts, by advertiser.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (AdvertiserKey, &SharedAccount)> {
        self.accounts.iter().map(|(key, account)| (*key, account))
    }

    pub(super) fn of(&self, advertiser: AdvertiserKey) -> Option<&SharedAccount> {
        self.accounts.get(&advertiser)
    }

    /// Where an open lease counts.
    pub(super) fn share_of(&self, lease: LeaseKey) -> Option<Share> {
        let advertiser = *self.holders.get(&lease)?;
        let day = *self.of(advertiser)?.leases.get(&lease)?;
        Some(Share { advertiser, day })
    }

    /// What a movement would change here. `is_open` says whether its lease is open.
    pub(super) fn check(
        &self,
        movement: &Movement,
        is_open: bool,
    ) -> Result<Option<Change>, FoldError> {
        match movement {
            Movement::Won(_) => Ok(None),
            Movement::Granted {
                lease,
                amount,
                at,
                share,
                ..
            } => {
                if is_open && self.share_of(*lease) != *share {
                    return Err(FoldError::WrongShare);
                }
                let grant = |balance: Balance| balance.grant(*amount);
                share
                    .map(|share| self.change(share, *at, grant))
                    .transpose()
            }
            Movement::Returned {
                lease, amount, at, ..
            } => {
                let give_back = |balance: Balance| balance.give_back(*amount);
                let share = self.share_of(*lease);
                share
                    .map(|share| self.change(share, *at, give_back))
                    .transpose()
            }
            Movement::Billed { bill, debt } => {
                let charged = |balance: Balance| balance.bill(bill.charge, *debt);
                let share = self.share_of_bill(bill, is_open);
                share
                    .map(|share| self.change(share, bill.bid_at, charged))
                    .transpose()
            }
        }
    }

    /// Where a bill counts: where its lease does, or if that is closed, where its campaign does.
    fn share_of_bill(&self, bill: &Bill, is_open: bool) -> Option<Share> {
        if is_open {
            return self.share_of(bill.lease);
        }
        let account = self.of(bill.advertiser)?;
        if !account.is_shared_by(bill.lease.campaign) {
            return None;
        }
        Some(Share {
            advertiser: bill.advertiser,
            day: account.day_of(bill.bid_at)?,
        })
    }

    fn change(
        &self,
        share: Share,
        at: UnixMillis,
        change: impl Fn(Balance) -> Result<Balance, FoldError>,
    ) -> Result<Change, FoldError> {
        let account = self.of(share.advertiser);
        let day = account.and_then(|account| account.day(share.day)).copied();
        let day = day.unwrap_or(SharedDay {
            opened_at: at,
            balance: Balance::default(),
        });
        let lifetime = account.map(|account| account.balance).unwrap_or_default();
        // The campaign's account has not judged the movement yet, so that here it may be anything.
        Ok(Change {
            share,
            day: SharedDay {
                balance: change(day.balance)?.sound()?,
                ..day
            },
            lifetime: change(lifetime)?.sound()?,
        })
    }

    /// Stores what was checked.
    pub(super) fn record(&mut self, change: &Change, movement: &Movement, sequence: u64) {
        let advertiser = change.share.advertiser;
        let account = self.accounts.entry(advertiser).or_default();
        account.balance = change.lifetime;
        account.days.insert(change.share.day, change.day);
        account.touched = sequence;
        match movement {
            Movement::Granted { lease, .. } => {
                account.leases.insert(*lease, change.share.day);
                let is_new = account.campaigns.insert(lease.campaign);
                self.sharers = self.sharers.saturating_add(usize::from(is_new));
                self.holders.insert(*lease, advertiser);
            }
            Movement::Returned { lease, .. } => {
                account.leases.remove(lease);
                self.holders.remove(lease);
            }
            Movement::Won(_) | Movement::Billed { .. } => {}
        }
        account.forget_old_days();
    }
}

impl SharedAccount {
    pub(in crate::store) fn encode(&self, into: &mut Vec<u8>) -> Result<(), Malformed> {
        let mut out = Encoder::new(into);
        out.u64(self.touched);
        self.balance.encode(&mut out);
        out.u8(u8::from(self.forgotten.is_some()));
        out.i32(self.forgotten.map_or(0, BudgetDay::get));
        out.u32(row_length(self.days.len())?);
        for (number, day) in &self.days {
            out.i32(number.get());
            out.time(day.opened_at);
            day.balance.encode(&mut out);
        }
        out.u32(row_length(self.leases.len())?);
        for (lease, day) in &self.leases {
            lease.encode(&mut out);
            out.i32(day.get());
        }
        out.u32(row_length(self.campaigns.len())?);
        for campaign in &self.campaigns {
            out.u64(campaign.raw());
        }
        Ok(())
    }

    /// Reads a row; one whose days do not add up is malformed.
    pub(in crate::store) fn decode(row: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Decoder::new(row);
        let mut account = Self {
            touched: fields.u64()?,
            balance: Balance::decode(&mut fields)?,
            forgotten: match (fields.u8()?, fields.i32()?) {
                (0, _) => None,
                (_, day) => Some(BudgetDay::new(day)),
            },
            ..Self::default()
        };
        let mut open = Nanos::ZERO;
        for _ in 0..fields.u32()? {
            let number = BudgetDay::new(fields.i32()?);
            let day = SharedDay {
                opened_at: fields.time()?,
                balance: Balance::decode(&mut fields)?,
            };
            open = open.checked_add(day.balance.open).ok_or(Malformed)?;
            account.days.insert(number, day);
        }
        for _ in 0..fields.u32()? {
            let lease = LeaseKey::decode(&mut fields)?;
            let day = BudgetDay::new(fields.i32()?);
            if !account.days.contains_key(&day) && !account.has_forgotten(day) {
                return Err(Malformed);
            }
            account.leases.insert(lease, day);
        }
        for _ in 0..fields.u32()? {
            account
                .campaigns
                .insert(CampaignKey::from_raw(fields.u64()?));
        }
        fields.finish()?;
        if open == account.balance.open {
            Ok(account)
        } else {
            Err(Malformed)
        }
    }
}

#[cfg(test)]
mod tests;
