//! The cap history: who was shown what and when, in the order of the journal.
//!
//! It is a list, not an index: regions build their own sharded tables from it when they start. An exposure keeps its
//! position for ever, so that a reader may page through, and a checkpoint knows what is new.

use std::collections::VecDeque;

use crate::store::movement::Movement;
use crate::units::{AdvertiserKey, CampaignKey, RegionKey, UnixMillis, UserKey};

/// The longest cap window, in milliseconds: 31 days, a month's cap.
pub const EXPOSURE_WINDOW: i64 = 31 * 24 * 3_600_000;

/// How many exposures are remembered: 160 MB at 40 bytes each. Above it the oldest go, and [`Exposures::complete_since`]
/// says from when on the history is whole, so that a longer window is known to be unknown.
pub const EXPOSURES_MAX: usize = 4_000_000;

/// One billed impression that somebody saw whom we may recognise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// Who saw it.
    pub user: UserKey,
    /// Whose campaign it was.
    pub campaign: CampaignKey,
    /// Whose advertisement it was.
    pub advertiser: AdvertiserKey,
    /// Which region bid.
    pub region: RegionKey,
    /// When it was billed.
    pub at: UnixMillis,
}

/// The exposures of the longest window, oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposures {
    limit: usize,
    first: u64,
    list: VecDeque<Exposure>,
    forgotten: Option<UnixMillis>,
}

impl Exposures {
    pub(super) fn with_limit(limit: usize) -> Self {
        Self {
            limit,
            first: 0,
            list: VecDeque::new(),
            forgotten: None,
        }
    }

    /// A history as a checkpoint kept it: `first` is the position of the first of `list`.
    pub(in crate::store) fn restored(
        limit: usize,
        first: u64,
        forgotten: Option<UnixMillis>,
        list: VecDeque<Exposure>,
    ) -> Self {
        Self {
            limit,
            first,
            list,
            forgotten,
        }
    }

    /// How many exposures are remembered.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether no exposure is remembered.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The position of the oldest exposure that is remembered.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The position that the next exposure will have.
    pub fn end(&self) -> u64 {
        self.first
            .saturating_add(u64::try_from(self.list.len()).unwrap_or(u64::MAX))
    }

    /// Everything billed after this time is remembered; `None`: nothing was ever forgotten.
    pub fn complete_since(&self) -> Option<UnixMillis> {
        self.forgotten
    }

    /// The exposures from a position on, each with its own, oldest first. A reader takes a page, and goes on after the
    /// last position it got.
    pub fn from(&self, position: u64) -> impl Iterator<Item = (u64, &Exposure)> {
        let skip = usize::try_from(position.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let start = self.list.len().min(skip);
        (self.first.max(position)..).zip(self.list.range(start..))
    }

    pub(super) fn record(&mut self, movement: &Movement) {
        if let Movement::Billed { bill, .. } = movement
            && let Some(user) = bill.user
        {
            self.list.push_back(Exposure {
                user,
                campaign: bill.lease.campaign,
                advertiser: bill.advertiser,
                region: bill.lease.region,
                at: bill.at,
            });
        }
        self.forget(movement.at());
    }

    fn forget(&mut self, now: UnixMillis) {
        let oldest_kept = now.get().saturating_sub(EXPOSURE_WINDOW);
        while let Some(oldest) = self.list.front() {
            if oldest.at.get() >= oldest_kept && self.list.len() <= self.limit {
                return;
            }
            self.forgotten = self.forgotten.max(Some(oldest.at));
            self.first = self.first.saturating_add(1);
            self.list.pop_front();
        }
    }
}
