//! What a campaign has surely spent, by its budget days, and whether a bid was still within its budget.

use std::collections::BTreeMap;

use super::Offer;
use super::catalogue::{Day, Terms};
use super::charge::Charge;

/// Near a change of days nobody can say from outside which one a bid belongs to: this far, in ms, from either side.
const DAY_EDGE_MS: u64 = 2_000;

/// A campaign's charges that are certain, in nanos of its currency.
#[derive(Debug, Default)]
pub(super) struct Spending {
    total: i64,
    days: BTreeMap<i32, i64>,
    /// The day that was looked at last: the next bid is of the same one but for once a day.
    day: Option<Day>,
}

impl Spending {
    /// What was charged before the run.
    pub(super) fn before(&mut self, day: Day, today: i64, total: i64) {
        self.total = self.total.saturating_add(total);
        let sum = self.days.entry(day.number).or_default();
        *sum = sum.saturating_add(today);
    }

    /// A bill of a bid of then.
    pub(super) fn spent(&mut self, terms: &Terms, bid_ms: u64, charge: Charge) {
        let day = self.day_of(terms, bid_ms);
        self.total = self.total.saturating_add(charge.least_nanos);
        let sum = self.days.entry(day.number).or_default();
        *sum = sum.saturating_add(charge.least_nanos);
    }

    /// What a bid that would charge so much was above; `None` where it was within its budget, or nobody can say.
    pub(super) fn is_over(
        &mut self,
        terms: &Terms,
        offer: &Offer<'_>,
        charge: Charge,
    ) -> Option<String> {
        let with = |spent: i64| spent.saturating_add(charge.least_nanos);
        if let Some(budget) = terms
            .budget_total
            .filter(|budget| with(self.total) > *budget)
        {
            return Some(beyond(self.total, charge, (budget, "in all")));
        }
        let day = self.day_of(terms, offer.left_ms);
        let is_sure = offer.left_ms >= day.starts_ms + DAY_EDGE_MS
            && offer.answered_ms + DAY_EDGE_MS < day.ends_ms;
        let spent = self.days.get(&day.number).copied().unwrap_or(0);
        let budget = terms.budget_daily?;
        (is_sure && with(spent) > budget).then(|| beyond(spent, charge, (budget, "a day")))
    }

    fn day_of(&mut self, terms: &Terms, at_ms: u64) -> Day {
        match self.day {
            Some(day) if (day.starts_ms..day.ends_ms).contains(&at_ms) => day,
            _ => {
                let day = terms.day(at_ms);
                self.day = Some(day);
                day
            }
        }
    }
}

fn beyond(spent: i64, charge: Charge, (budget, of): (i64, &str)) -> String {
    let least = charge.least_nanos;
    format!("{spent} nanos spent and {least} more bid, of {budget} {of}")
}
