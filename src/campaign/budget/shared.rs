//! An advertiser's budget: what all its campaigns may commit together, whatever their own budgets say.

use jiff::tz::TimeZone;

use super::{day, timestamp};
use crate::store::writer::Ceilings;
use crate::units::{BudgetDay, Nanos, UnixMillis};

/// What an advertiser's campaigns may commit together, in the advertiser's currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedBudget {
    /// In a day of its zone; `None`: whatever the total leaves.
    pub daily: Option<Nanos>,
    /// In all; `None`: whatever its days allow.
    pub total: Option<Nanos>,
    /// Where its days begin and end, whatever the zones of its campaigns.
    pub zone: TimeZone,
}

impl Default for SharedBudget {
    fn default() -> Self {
        Self {
            daily: None,
            total: None,
            zone: TimeZone::UTC,
        }
    }
}

impl SharedBudget {
    /// Whether it limits anything.
    pub fn is_limited(&self) -> bool {
        self.daily.is_some() || self.total.is_some()
    }

    /// What may be committed; more than there is money where it limits nothing.
    pub fn ceilings(&self) -> Ceilings {
        let endless = Nanos::new(i64::MAX);
        let total = self.total.unwrap_or(endless);
        Ceilings {
            day: self.daily.unwrap_or(total).min(total),
            total,
        }
    }

    /// The budget day at a moment.
    pub fn day_at(&self, at: UnixMillis) -> BudgetDay {
        day::at(&self.zone, timestamp(at))
    }

    /// The first moment after a budget day.
    pub fn day_ends(&self, number: BudgetDay) -> UnixMillis {
        day::ends(&self.zone, number)
    }
}
