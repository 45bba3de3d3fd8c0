//! What goes into a region's till and what comes out of it: grants, bills, returns, sums.

use std::time::Duration;

use super::ledger::Balance;
use crate::units::{BudgetDay, CampaignSlot, Epoch, LedgerTime, Nanos};

/// Money a campaign leases to a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The lease it opens or tops up.
    pub epoch: Epoch,
    /// The budget day it is for.
    pub day: BudgetDay,
    /// How much, in the campaign's currency.
    pub amount: Nanos,
    /// When the grantor takes back what is left: no later than the end of the day.
    pub expires_at: LedgerTime,
    /// Below this much free money the region asks for more.
    pub low_water: Nanos,
}

/// Why a grant was not taken. Nothing of it was spent: the money goes back as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// The table has no such slot.
    #[error("no such slot")]
    NoSuchSlot,
    /// The lease was sealed, or is older than the newest one.
    #[error("stale epoch")]
    StaleEpoch,
    /// Another lease is open: seal it first.
    #[error("another lease is open")]
    AnotherIsOpen,
    /// A lease belongs to one budget day.
    #[error("another budget day")]
    AnotherDay,
    /// Not above zero, or more than a lease holds.
    #[error("amount out of range")]
    Amount,
    /// Too many sealed leases have promises open.
    #[error("too many leases draining")]
    TooManyDraining,
}

/// The region does not hold this lease (any more): the campaign books what concerns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown epoch")]
pub struct UnknownEpoch;

/// What a release did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Released {
    /// The money is free again.
    Freed,
    /// It was already: the promise had lapsed.
    Lapsed,
}

/// What a bill did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Billed {
    /// A standing promise was spent.
    InTime,
    /// The promise had lapsed: free money was spent, down to `free`, which is a debt when negative.
    Late {
        /// What the lease has left.
        free: Nanos,
    },
}

/// Money that goes back to the campaign, or the end of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Returned {
    /// Whose.
    pub slot: CampaignSlot,
    /// Of which lease.
    pub epoch: Epoch,
    /// Of which day.
    pub day: BudgetDay,
    /// How much; may be zero when a lease closes.
    pub amount: Nanos,
    /// The last balance, once nothing of the lease is promised any more: it is forgotten then. Free money that is
    /// negative is the lease's debt.
    pub closed: Option<Balance>,
}

/// What a campaign has spent and promised here for its latest budget day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The day.
    pub day: BudgetDay,
    /// Spent by all leases of the day.
    pub billed: Nanos,
    /// Promised, by all leases of the day.
    pub reserved: Nanos,
    /// The mean time from a bid to its bill, over the last thirty or so.
    pub bill_delay: Option<Duration>,
}

/// A region's money, all together. Currencies are mixed: for gauges per region of one currency, and for tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// The sum of all balances, debts counted against free money.
    pub balance: Balance,
    /// The sum of all debts.
    pub debt: Nanos,
    /// Leases that may be promised from.
    pub open: usize,
    /// Sealed leases with promises open.
    pub draining: usize,
}
