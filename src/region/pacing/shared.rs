//! How fast the campaigns of one advertiser spend what they share: a valve behind the pacers of all of them.
//!
//! Each campaign's pacer answers what its own budget asks for. The valve knows the plan of the shared budget, and what each
//! campaign can spend at which share; it answers one highest share for all of them, with which together they spend what that
//! plan wants. A campaign without demand leaves its part to the others at once, and one that wants less than the highest
//! share has what it wants.
//! One that takes everything at once is not held: what it can spend is taken off what is left to the others.

use super::{Share, Target, amount};
use crate::campaign::budget::{Anchor, Budget, SharedBudget, SharedDay};
use crate::units::{BudgetDay, Nanos, UnixMillis};

/// What the valve sees of one campaign, once a step.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// What its own budget lets it take.
    pub share: Share,
    /// What it would spend per second if it took everything, in nanos; `None` before anything was offered.
    pub supply: Option<f64>,
    /// What of its promises is expected to be spent, in nanos.
    pub promised: f64,
    /// Whether its spend is spread over the day; otherwise it takes what it can.
    pub is_spread: bool,
}

/// One advertiser's valve.
#[derive(Clone, Debug)]
pub struct SharedPacer {
    /// Spent in all, and on the present day.
    spent: Nanos,
    billed: Nanos,
    anchor: Anchor,
    /// The day that `billed` is of, once it is known.
    today: Option<BudgetDay>,
    day: Option<SharedDay>,
}

impl SharedPacer {
    /// A valve that begins now, with so much spent in all and on the advertiser's present day.
    pub fn new(spent: Nanos, billed: Nanos, now: UnixMillis) -> Self {
        Self {
            spent,
            billed,
            // What is left is spread over what is left of the day, as with campaigns.
            anchor: Anchor {
                at: now,
                committed: billed,
            },
            today: None,
            day: None,
        }
    }

    /// Counts a bill, which the advertiser pays from its day at the moment of the bid.
    pub fn booked(&mut self, charge: Nanos, bid_at: UnixMillis) {
        self.spent = self.spent.saturating_add(charge);
        if self.day.as_ref().is_none_or(|day| day.holds(bid_at)) {
            self.billed = self.billed.saturating_add(charge);
        }
    }

    /// What was spent in all, as far as it knows.
    #[cfg(test)]
    pub const fn spent(&self) -> Nanos {
        self.spent
    }

    /// Says that the budget or the campaigns may be others: what is left is spread anew from here.
    pub fn replan(&mut self, now: UnixMillis) {
        self.day = None;
        self.anchor = Anchor {
            at: now,
            committed: self.billed,
        };
    }

    /// The highest share that the members may take until the next step. `budgets` are those of the campaigns whose spend is
    /// spread.
    pub fn step<'b, B: IntoIterator<Item = &'b Budget>>(
        &mut self,
        budget: &SharedBudget,
        budgets: impl FnOnce() -> B,
        now: UnixMillis,
        members: &mut [Member],
    ) -> Share {
        let today = budget.day_at(now);
        if self.today.replace(today).is_some_and(|day| day != today) {
            // A new day begins with nothing spent.
            self.billed = Nanos::ZERO;
            self.replan(now);
        }
        if self.day.is_none() {
            self.day = Some(budget.day(today, budgets()));
        }
        let amount_today = budget.day_amount(self.spent.saturating_sub(self.billed));
        let Some(day) = self.day.as_ref().filter(|_| self.billed < amount_today) else {
            return Share::NONE;
        };
        let plan = budget.plan(day, amount_today, self.anchor, now);
        let target = Target {
            so_far: plan.so_far,
            per_second: plan.per_second,
        };
        let promised: f64 = members.iter().map(|member| member.promised).sum();
        highest(target.wanted(amount(self.billed) + promised), members)
    }
}

/// The share at which they spend `wanted` per second together, each taking no more than its own.
fn highest(wanted: f64, members: &mut [Member]) -> Share {
    let spends = |member: &Member| member.supply.unwrap_or(0.0);
    let part = |member: &Member| member.share.part();
    let (mut left, mut rest) = (wanted, 0.0);
    for member in members.iter() {
        if member.is_spread {
            rest += spends(member);
        } else {
            left -= spends(member) * part(member);
        }
    }
    if left <= 0.0 {
        return Share::NONE;
    }
    // From the one that wants least: it has what it wants unless all that are left would then have too much.
    members.sort_unstable_by_key(|member| member.share);
    for member in members.iter().filter(|member| member.is_spread) {
        if rest * part(member) > left {
            return Share::of(left / rest);
        }
        left -= spends(member) * part(member);
        rest -= spends(member);
    }
    Share::ALL
}
