//! The books: the pure fold of the journal. Balances, open leases, settled impressions, cap history.
//!
//! `apply` accepts only the movement that comes next, and only if it is true of the books so far; a movement it refuses
//! changes nothing. Whatever holds books of the same sequence number holds the same books.
//! Invariants, asserted for each movement, per campaign and per day (`account`), and per advertiser (`shared`):
//! `committed == granted - returned + late == billed + rest of open leases`.
//! Not here: deciding what may be granted or billed (`writer`), files (`journal`, `checkpoint`).

mod account;
mod exposures;
mod settled;
mod shared;

use std::collections::BTreeMap;

use account::row_length;
pub use account::{Account, DAYS_KEPT, Day, Lease};
pub use exposures::{EXPOSURE_WINDOW, EXPOSURES_MAX, Exposure, Exposures};
pub(super) use settled::SettledRow;
pub use settled::{SETTLED_HORIZON, SETTLED_MAX, Settled, SettledTable};
pub use shared::{SharedAccount, SharedAccounts};

use super::movement::{ImpressionKey, LeaseKey, Movement, Share};
use crate::units::{AdvertiserKey, CampaignKey, RegionKey, UnixMillis};

/// Why a movement does not follow from the books. In a journal this means corruption or a bug, never bad luck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// Another movement comes next.
    #[error("out of sequence: expected {expected}, found {found}")]
    OutOfSequence {
        /// What comes next.
        expected: u64,
        /// What was offered.
        found: u64,
    },
    /// A new lease whose epoch does not rise, or a top-up of one that is closed.
    #[error("epoch is not above the campaign's highest")]
    StaleEpoch,
    /// A return of a lease that is not open.
    #[error("lease is not open")]
    NoLease,
    /// A movement of a lease that names another day than the lease's.
    #[error("lease belongs to another budget day")]
    WrongDay,
    /// A top-up of a lease that counts in another advertiser's budget, or on another day of it.
    #[error("lease belongs to another share")]
    WrongShare,
    /// An amount below zero, or a grant of nothing.
    #[error("amount is negative or an empty grant")]
    BadAmount,
    /// A return or a debt that is not what the lease says.
    #[error("amount differs from the lease's rest")]
    WrongRest,
    /// A win or a bill that is in the books already.
    #[error("impression is settled already")]
    Twice,
    /// A win or a bill of a bid so old that nobody knows whether it was settled.
    #[error("bid is older than what is remembered")]
    Forgotten,
    /// A balance that would not fit.
    #[error("amount overflows")]
    Overflow,
}

/// How much is remembered; the defaults are the documented constants, tests take less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) settled: usize,
    pub(super) exposures: usize,
}

impl Limits {
    pub(super) const DEFAULT: Self = Self {
        settled: SETTLED_MAX,
        exposures: EXPOSURES_MAX,
    };
}

/// Everything that is folded from the journal up to one sequence number.
#[derive(Clone, Debug, PartialEq)]
pub struct Books {
    sequence: u64,
    accounts: BTreeMap<CampaignKey, Account>,
    shared: SharedAccounts,
    settled: SettledTable,
    exposures: Exposures,
}

impl Default for Books {
    fn default() -> Self {
        Self::with_limits(Limits::DEFAULT)
    }
}

impl Books {
    pub(super) fn with_limits(limits: Limits) -> Self {
        Self {
            sequence: 0,
            accounts: BTreeMap::new(),
            shared: SharedAccounts::default(),
            settled: SettledTable::with_limit(limits.settled),
            exposures: Exposures::with_limit(limits.exposures),
        }
    }

    /// Books as a checkpoint kept them.
    pub(super) fn restored(
        sequence: u64,
        (accounts, shared): (BTreeMap<CampaignKey, Account>, SharedAccounts),
        settled: SettledTable,
        exposures: Exposures,
    ) -> Self {
        Self {
            sequence,
            accounts,
            shared,
            settled,
            exposures,
        }
    }

    /// The sequence number of the last movement in these books; zero before the first.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Folds the next movement in.
    ///
    /// # Errors
    /// [`FoldError`]: the movement does not follow from these books, which stay as they were.
    ///
    /// # Panics
    /// When an invariant of the books fails after the movement: a bug, and the holder of these books must be rebuilt.
    pub fn apply(&mut self, sequence: u64, movement: &Movement) -> Result<(), FoldError> {
        let expected = self.sequence.checked_add(1).ok_or(FoldError::Overflow)?;
        if sequence != expected {
            return Err(FoldError::OutOfSequence {
                expected,
                found: sequence,
            });
        }
        self.settled.check(movement)?;
        let is_open = movement
            .lease()
            .is_some_and(|lease| self.lease(lease).is_some());
        let change = self.shared.check(movement, is_open)?;
        let campaign = movement.campaign();
        let account = self.accounts.entry(campaign).or_default();
        if let Err(refused) = account.apply(movement) {
            if account.is_untouched() {
                self.accounts.remove(&campaign);
            }
            return Err(refused);
        }
        if let Some(change) = change {
            self.shared.record(&change, movement, sequence);
        }
        self.settled.record(movement);
        self.exposures.record(movement);
        self.sequence = sequence;
        Ok(())
    }

    /// A campaign's account, if anything was ever granted to or settled for it.
    pub fn account(&self, campaign: CampaignKey) -> Option<&Account> {
        self.accounts.get(&campaign)
    }

    /// All accounts, by campaign.
    pub fn accounts(&self) -> impl ExactSizeIterator<Item = (CampaignKey, &Account)> {
        self.accounts.iter().map(|(key, account)| (*key, account))
    }

    /// What an advertiser's campaigns have committed together, if anything was ever granted to them.
    pub fn shared(&self, advertiser: AdvertiserKey) -> Option<&SharedAccount> {
        self.shared.of(advertiser)
    }

    /// The accounts of all advertisers.
    pub fn shared_accounts(&self) -> &SharedAccounts {
        &self.shared
    }

    /// Which advertiser's budget an open lease is of, and of which day.
    pub fn share_of(&self, lease: LeaseKey) -> Option<Share> {
        self.shared.share_of(lease)
    }

    /// An open lease.
    pub fn lease(&self, lease: LeaseKey) -> Option<&Lease> {
        self.account(lease.campaign)?
            .lease(lease.region, lease.epoch)
    }

    /// The open leases of one region: what a region that starts finds in doubt.
    pub fn leases_of(&self, region: RegionKey) -> impl Iterator<Item = (LeaseKey, &Lease)> {
        self.accounts().flat_map(move |(campaign, account)| {
            account
                .leases()
                .filter(move |(of, _, _)| *of == region)
                .map(move |(region, epoch, lease)| {
                    let key = LeaseKey {
                        campaign,
                        region,
                        epoch,
                    };
                    (key, lease)
                })
        })
    }

    /// What is known of an impression.
    pub fn settled(&self, key: ImpressionKey) -> Option<Settled> {
        self.settled.of(key)
    }

    /// The table of settled impressions.
    pub fn settled_table(&self) -> &SettledTable {
        &self.settled
    }

    /// Whether a bid made at this time is so old that its settlement may be forgotten, so that nothing may be booked for it.
    pub fn is_forgotten(&self, bid_at: UnixMillis) -> bool {
        self.settled.is_forgotten(bid_at)
    }

    /// The cap history: who saw what, oldest first.
    pub fn exposures(&self) -> &Exposures {
        &self.exposures
    }
}

#[cfg(test)]
mod tests;
