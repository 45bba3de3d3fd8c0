//! An advertiser's budget: what all its campaigns may commit together, whatever their own budgets say.

use jiff::tz::TimeZone;

use super::{Anchor, Budget, Plan, day, evenly, timestamp};
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

/// One day of an advertiser, with the times in it at which any of its campaigns runs. Made once a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedDay {
    begins: UnixMillis,
    ends: UnixMillis,
    /// From when until when, in order and apart from each other.
    active: Vec<(i64, i64)>,
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

    /// What is left to plan with on a day that had nothing spent when its campaigns had spent `before` in all.
    pub fn day_amount(&self, before: Nanos) -> Nanos {
        let ceilings = self.ceilings();
        let left = ceilings.total.saturating_sub(before);
        ceilings.day.min(left).max(Nanos::ZERO)
    }

    /// A day, and when any of these campaigns runs in it: their own days may be others.
    pub fn day<'b>(
        &self,
        number: BudgetDay,
        campaigns: impl IntoIterator<Item = &'b Budget>,
    ) -> SharedDay {
        let before = BudgetDay::new(number.get().saturating_sub(1));
        let (begins, ends) = (self.day_ends(before), self.day_ends(number));
        let campaigns: Vec<&Budget> = campaigns.into_iter().collect();
        let mut times: Vec<(i64, i64)> = Vec::new();
        // One that always runs, as most do, spares the hours of all the others.
        let always = campaigns.iter().find(|one| one.always_runs(begins, ends));
        let campaigns = always.map_or(&*campaigns, std::slice::from_ref);
        for campaign in campaigns {
            let (first, last) = (campaign.day_at(begins), campaign.day_at(ends));
            for own in first.get()..=last.get() {
                let day = campaign.day(BudgetDay::new(own));
                let within = |(from, to): (i64, i64)| (from.max(begins.get()), to.min(ends.get()));
                times.extend(day.active().map(within).filter(|(from, to)| from < to));
            }
        }
        times.sort_unstable();
        let mut active: Vec<(i64, i64)> = Vec::new();
        for (from, to) in times {
            match active.last_mut() {
                Some((_, end)) if from <= *end => *end = to.max(*end),
                _ => active.push((from, to)),
            }
        }
        SharedDay {
            begins,
            ends,
            active,
        }
    }

    /// What all campaigns together should have spent of the day at `now`, as [`Budget::plan`] spreads it.
    pub fn plan(&self, day: &SharedDay, amount: Nanos, anchor: Anchor, now: UnixMillis) -> Plan {
        let whole = day.active_between(anchor.at, day.ends);
        let passed = day.active_between(anchor.at, now);
        let next = UnixMillis::new(now.get().saturating_add(1));
        let is_active = day.active_between(now, next) > 0;
        evenly(amount, anchor, (passed, whole), is_active)
    }
}

impl SharedDay {
    /// Whether it is this day at that moment.
    pub fn holds(&self, at: UnixMillis) -> bool {
        (self.begins..self.ends).contains(&at)
    }

    fn active_between(&self, from: UnixMillis, to: UnixMillis) -> i64 {
        let (from, to) = (from.get(), to.get());
        let within = |(begin, end): &(i64, i64)| (*end).min(to).saturating_sub((*begin).max(from));
        self.active.iter().map(|time| within(time).max(0)).sum()
    }
}
