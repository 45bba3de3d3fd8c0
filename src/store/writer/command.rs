//! What the writer can be asked, and what it answers.
//!
//! Commands are conditional: they say what is wanted, and the books decide at the command's place in the sequence.
//! Every answer but an acknowledgement is a value the caller expects.

use crate::store::movement::{Bill, LeaseKey, Share, Win};
use crate::units::{BudgetDay, CampaignKey, Epoch, Nanos, RegionKey, UnixMillis};

/// One command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Lease a slice of a budget to a region.
    Grant(Grant),
    /// Close a lease that has been sealed for longer than the longest hold.
    Close(Close),
    /// Book a win.
    Win(Win),
    /// Book a bill.
    Bill(Bill),
}

/// A wish for money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Whose budget.
    pub campaign: CampaignKey,
    /// Who spends it.
    pub region: RegionKey,
    /// The budget day it comes from.
    pub day: BudgetDay,
    /// A new lease, or more for one that is open.
    pub lease: LeaseChoice,
    /// How much at most, above zero.
    pub want: Nanos,
    /// What the campaign may commit.
    pub ceilings: Ceilings,
    /// What of the advertiser's budget it would be, and what all campaigns there may commit together.
    pub shared: Option<(Share, Ceilings)>,
    /// The time of the decision.
    pub at: UnixMillis,
}

/// What a campaign, or all campaigns of an advertiser, may commit: spend, or leave with regions to spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ceilings {
    /// On one budget day.
    pub day: Nanos,
    /// In all its life.
    pub total: Nanos,
}

/// Which lease a grant goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseChoice {
    /// A new one, with the next epoch.
    New,
    /// The region's open lease of this epoch.
    TopUp(Epoch),
}

/// An order to close a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Close {
    /// The lease.
    pub lease: LeaseKey,
    /// The time of the decision.
    pub at: UnixMillis,
}

/// What became of a command. All but `Refused` may be acknowledged once the commit has yielded it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The region may spend `amount` more from `lease`.
    Granted {
        /// The lease, with its epoch.
        lease: LeaseKey,
        /// How much more: what was wanted, or what the ceilings left.
        amount: Nanos,
    },
    /// The lease is closed; its rest is the campaign's again.
    Closed {
        /// The rest.
        returned: Nanos,
    },
    /// The lease was closed before, or never was.
    AlreadyClosed,
    /// The win is booked.
    Won,
    /// The win was booked before.
    AlreadyWon,
    /// The bill is booked.
    Billed {
        /// What its lease could not carry: above zero for a late bill.
        debt: Nanos,
    },
    /// The bill was booked before.
    AlreadyBilled,
    /// Nothing happened.
    Refused(Refusal),
}

/// Why nothing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// All of the day's budget is committed.
    #[error("day budget is committed")]
    DayExhausted,
    /// All of the campaign's budget is committed.
    #[error("total budget is committed")]
    TotalExhausted,
    /// All of the advertiser's budget for its day is committed, by this campaign or its others.
    #[error("advertiser's day budget is committed")]
    SharedDayExhausted,
    /// All of the advertiser's budget is committed.
    #[error("advertiser's total budget is committed")]
    SharedTotalExhausted,
    /// The lease to top up is not open, or another region's.
    #[error("lease is not open")]
    NoLease,
    /// The lease to top up belongs to another budget day, of the campaign or its advertiser.
    #[error("lease belongs to another budget day")]
    WrongDay,
    /// The budget day is so long ago that nobody knows what it committed.
    #[error("budget day is too old")]
    DayForgotten,
    /// The campaign has too many open leases; close some.
    #[error("too many open leases")]
    TooManyLeases,
    /// There are too many campaigns in the books.
    #[error("too many campaigns")]
    TooManyAccounts,
    /// There are too many advertisers in the books.
    #[error("too many advertisers")]
    TooManyAdvertisers,
    /// Campaigns were moved between advertisers too often.
    #[error("too many campaigns in the budgets of advertisers")]
    TooManySharers,
    /// An amount is below zero, or a wish for nothing.
    #[error("amount is negative or nothing is wanted")]
    BadAmount,
    /// The bid is so old that nobody knows whether it was settled.
    #[error("bid is too old")]
    TooOld,
    /// A balance would not fit.
    #[error("amount overflows")]
    Overflow,
}
