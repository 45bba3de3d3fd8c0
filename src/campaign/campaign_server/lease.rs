//! What regions ask campaigns for, and what they are answered.

use crate::store::writer::Refusal;
use crate::units::{BudgetDay, Epoch, LedgerTime, Nanos, RegionKey};

/// What a region wants of a campaign.
#[derive(Clone, Copy, Debug)]
pub struct LeaseWish {
    /// Who.
    pub region: RegionKey,
    /// The lease it holds open; none if it has just started, or sealed what it had.
    pub held: Option<Epoch>,
    /// Whether it wants money; otherwise only time.
    pub money: bool,
}

/// What a region may spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leased {
    /// The lease.
    pub epoch: Epoch,
    /// The budget day it belongs to.
    pub day: BudgetDay,
    /// How much more; zero for a renewal.
    pub amount: Nanos,
    /// When it ends unless it is renewed.
    pub expires_at: LedgerTime,
    /// Below this much free money, more should be asked for.
    pub low_water: Nanos,
}

/// Why there is nothing to spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoLease {
    /// The campaign is paused, not yet or no longer in flight, or outside its hours.
    #[error("the campaign does not run now")]
    Inactive,
    /// Its budget is committed.
    #[error("the budget is committed")]
    Exhausted,
    /// The lease that the region holds has ended: seal it and ask for a new one.
    #[error("the lease has ended")]
    Ended,
    /// The books take no more, or cannot tell what there is.
    #[error("the books grant nothing: {0}")]
    Refused(Refusal),
    /// The store does not answer: nothing is granted.
    #[error("the store does not answer")]
    Store,
}
