//! Movements: what the journal is made of, and everything else is a fold of.
//!
//! A movement is a fact that was decided at its place in the sequence, so it is never refused later and never changed.
//! Not here: sequence numbers and checksums (`journal`), what movements add up to (`books`), who decides (`writer`).

mod encoding;

use crate::units::{
    AdvertiserKey, BidId, BudgetDay, CampaignKey, Cpm, CreativeKey, Currency, Epoch, ExchangeKey,
    Nanos, RegionKey, UnixMillis, UserKey,
};

/// The longest encoded movement, in bytes; a test holds the codec to it.
pub const MOVEMENT_MAX: usize = 160;

/// What settlement is keyed by: one impression of one bid. `imp` is the impression's index in the bid request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImpressionKey {
    /// The bid.
    pub bid: BidId,
    /// The impression's index in its request.
    pub imp: u16,
}

/// One lease: a slice of a campaign's budget that one region may spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseKey {
    /// Whose budget.
    pub campaign: CampaignKey,
    /// Who spends it.
    pub region: RegionKey,
    /// Which lease; epochs rise within a campaign.
    pub epoch: Epoch,
}

/// The part of an advertiser's shared budget that a lease is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share {
    /// Whose budget.
    pub advertiser: AdvertiserKey,
    /// The day of the advertiser's own time zone.
    pub day: BudgetDay,
}

/// One movement of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Movement {
    /// A region may spend this much more. The first of an epoch opens the lease, later ones top it up.
    Granted {
        /// The lease.
        lease: LeaseKey,
        /// The budget day it belongs to.
        day: BudgetDay,
        /// How much more, above zero.
        amount: Nanos,
        /// When it was decided.
        at: UnixMillis,
        /// What of the advertiser's budget it is; nothing where the campaign does not count there.
        share: Option<Share>,
    },
    /// A lease is closed and its exact rest is the campaign's again.
    Returned {
        /// The lease.
        lease: LeaseKey,
        /// The budget day it belongs to.
        day: BudgetDay,
        /// Granted less billed at this place in the journal.
        amount: Nanos,
        /// When it was decided.
        at: UnixMillis,
    },
    /// An exchange says that a bid of ours won.
    Won(Win),
    /// An impression is paid for.
    Billed {
        /// The bill.
        bill: Bill,
        /// How much of its charge the lease could not carry, because it was closed or used up: all of it for a late
        /// bill, nothing for a usual one.
        debt: Nanos,
    },
}

/// A bid that won its auction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Win {
    /// What was won.
    pub key: ImpressionKey,
    /// For whom.
    pub campaign: CampaignKey,
    /// Which region bid.
    pub region: RegionKey,
    /// Where.
    pub exchange: ExchangeKey,
    /// The clearing price, in the currency of the bid.
    pub price: Cpm,
    /// When the bid was made.
    pub bid_at: UnixMillis,
    /// When the notice was taken.
    pub at: UnixMillis,
}

/// An impression that is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bill {
    /// What is paid for.
    pub key: ImpressionKey,
    /// The lease whose money was promised.
    pub lease: LeaseKey,
    /// The budget day of the bid.
    pub day: BudgetDay,
    /// Whose campaign it is.
    pub advertiser: AdvertiserKey,
    /// What was shown.
    pub creative: CreativeKey,
    /// Where.
    pub exchange: ExchangeKey,
    /// What the exchange is owed, in `currency`.
    pub cost: Nanos,
    /// The currency of `cost`.
    pub currency: Currency,
    /// What the advertiser pays, in the campaign's currency.
    pub charge: Nanos,
    /// Who saw it, where consent allowed us to know.
    pub user: Option<UserKey>,
    /// When the bid was made.
    pub bid_at: UnixMillis,
    /// When the notice was taken.
    pub at: UnixMillis,
}

impl Movement {
    /// The campaign whose account this movement changes.
    pub fn campaign(&self) -> CampaignKey {
        match self {
            Self::Granted { lease, .. } | Self::Returned { lease, .. } => lease.campaign,
            Self::Won(win) => win.campaign,
            Self::Billed { bill, .. } => bill.lease.campaign,
        }
    }

    /// The lease whose money it moves.
    pub fn lease(&self) -> Option<LeaseKey> {
        match self {
            Self::Granted { lease, .. } | Self::Returned { lease, .. } => Some(*lease),
            Self::Won(_) => None,
            Self::Billed { bill, .. } => Some(bill.lease),
        }
    }

    /// The impression this movement settles, if it settles one.
    pub fn settles(&self) -> Option<ImpressionKey> {
        match self {
            Self::Granted { .. } | Self::Returned { .. } => None,
            Self::Won(win) => Some(win.key),
            Self::Billed { bill, .. } => Some(bill.key),
        }
    }

    /// When this movement was decided.
    pub fn at(&self) -> UnixMillis {
        match self {
            Self::Granted { at, .. } | Self::Returned { at, .. } => *at,
            Self::Won(win) => win.at,
            Self::Billed { bill, .. } => bill.at,
        }
    }
}
