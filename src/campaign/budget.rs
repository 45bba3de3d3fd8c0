//! A campaign's budget: what it may commit, on which day, and how its spend is planned over that day.
//!
//! A budget day is a calendar day in the campaign's own time zone. Plans and slices are advice to pacing and leasing;
//! only the ceilings are money, and only the store applies them.
//! Not here: what is spent (`store`), how fast a region bids (`region`). Pure: time is an argument.

mod day;
mod shared;

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use day::{ActiveHours, Day};
pub use shared::{SharedBudget, SharedDay};

use crate::store::writer::Ceilings;
use crate::units::{BudgetDay, Cpm, Nanos, UnixMillis};

/// How long a region may spend from a lease without hearing from its campaign. Long enough that a campaign that is
/// restarted, or a store that is rebuilt, stops nobody; short enough that a paused campaign is silent within a minute.
pub const LEASE_TTL: Duration = Duration::from_mins(1);

/// How many slices a day's budget is cut into: one is what an even plan spends in five minutes, so that a lease is topped
/// up rarely, and a crash strands a third of a percent.
pub const SLICES_PER_DAY: i64 = 288;

/// The fewest impressions at the campaign's highest price that a slice pays for, so that a small budget does not ask for
/// a lease at every bid.
pub const SLICE_IMPRESSIONS_MIN: i64 = 50;

/// The largest part of a day's budget in one slice, so that several regions can hold one when a day begins.
pub const SLICE_PART_MAX: i64 = 8;

/// How a day's budget is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// Evenly over the active hours.
    Even,
    /// As fast as there is supply.
    Asap,
}

/// When a campaign runs: from `start` on, and before `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flight {
    /// The first moment.
    pub start: UnixMillis,
    /// The first moment after it; `None`: until it is paused or its total is spent.
    pub end: Option<UnixMillis>,
}

/// What a budget is made of.
#[derive(Clone, Debug)]
pub struct Terms {
    /// What a day may commit; `None`: whatever the total leaves.
    pub daily: Option<Nanos>,
    /// What the campaign may commit in its life; `None`: whatever its days allow.
    pub total: Option<Nanos>,
    /// When it runs.
    pub flight: Flight,
    /// Where its days begin and end.
    pub zone: TimeZone,
    /// The hours of the week in which it runs.
    pub hours: ActiveHours,
    /// How a day is spent.
    pub curve: Curve,
}

/// Why terms are no budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BudgetError {
    /// Neither a daily nor a total amount.
    #[error("neither a daily nor a total budget")]
    Unlimited,
    /// An amount that is not above zero.
    #[error("budget is not above zero")]
    NotPositive,
    /// A flight that ends before it starts.
    #[error("flight ends before it starts")]
    EndsBeforeStart,
    /// No hour of the week is active.
    #[error("no hour is active")]
    NeverActive,
}

/// A campaign's budget, with terms that make sense.
#[derive(Clone, Debug)]
pub struct Budget {
    terms: Terms,
}

/// Where a plan begins: what was committed at a moment of the day, the rest being spread over what is left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The moment.
    pub at: UnixMillis,
    /// What the day had committed by then.
    pub committed: Nanos,
}

/// What a day's spend should be by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The day's spend so far.
    pub so_far: Nanos,
    /// How fast it should rise at this moment, per second; zero outside the active hours.
    pub per_second: Nanos,
}

impl Budget {
    /// A budget on these terms.
    ///
    /// # Errors
    /// [`BudgetError`]: the terms contradict themselves.
    pub fn new(terms: Terms) -> Result<Self, BudgetError> {
        let amounts = [terms.daily, terms.total];
        if amounts.iter().all(Option::is_none) {
            return Err(BudgetError::Unlimited);
        }
        if amounts.iter().flatten().any(|amount| !amount.is_positive()) {
            return Err(BudgetError::NotPositive);
        }
        if terms
            .flight
            .end
            .is_some_and(|end| end <= terms.flight.start)
        {
            return Err(BudgetError::EndsBeforeStart);
        }
        if terms.hours.is_never() {
            return Err(BudgetError::NeverActive);
        }
        Ok(Self { terms })
    }

    /// What the campaign may commit. Without a daily amount a day may commit the total, and the other way round.
    pub fn ceilings(&self) -> Ceilings {
        let endless = Nanos::new(i64::MAX);
        let total = self.terms.total.unwrap_or(endless);
        Ceilings {
            day: self.terms.daily.unwrap_or(total).min(total),
            total,
        }
    }

    /// What is left to plan with on a day that had nothing committed when the campaign had `committed` in its life.
    pub fn day_amount(&self, committed_before: Nanos) -> Nanos {
        let ceilings = self.ceilings();
        let left = ceilings.total.saturating_sub(committed_before);
        ceilings.day.min(left).max(Nanos::ZERO)
    }

    /// The budget day at a moment. Times beyond the calendar are held at its ends.
    pub fn day_at(&self, at: UnixMillis) -> BudgetDay {
        day::at(&self.terms.zone, timestamp(at))
    }

    /// A budget day's hours: 24 of them, but for two days of the year in half of the world.
    pub fn day(&self, number: BudgetDay) -> Day {
        Day::new(number, &self.terms)
    }

    /// The first moment after a budget day.
    pub fn day_ends(&self, number: BudgetDay) -> UnixMillis {
        self.day(number).ends()
    }

    /// Whether the campaign runs at this moment: within its flight, in an active hour.
    pub fn is_active(&self, at: UnixMillis) -> bool {
        self.day(self.day_at(at)).is_active(at)
    }

    /// Whether there is no pause between two moments.
    fn always_runs(&self, from: UnixMillis, to: UnixMillis) -> bool {
        let flight = self.terms.flight;
        self.terms.hours == ActiveHours::ALWAYS
            && flight.start <= from
            && flight.end.is_none_or(|end| end >= to)
    }

    /// What the day's spend should be at `now`, if `amount` is the day's and the plan began at `anchor`.
    ///
    /// An even plan spreads what the anchor left over the day's active time after the anchor; one that begins at midnight
    /// with nothing committed is the usual plan, and one that begins at noon does not rush to make up for the morning.
    /// An impatient plan wants everything now.
    pub fn plan(&self, day: &Day, amount: Nanos, anchor: Anchor, now: UnixMillis) -> Plan {
        let left = amount.saturating_sub(anchor.committed).max(Nanos::ZERO);
        let is_active = day.is_active(now);
        match self.terms.curve {
            Curve::Asap if is_active => Plan {
                so_far: anchor.committed.saturating_add(left),
                per_second: left,
            },
            Curve::Asap => Plan {
                so_far: anchor.committed,
                per_second: Nanos::ZERO,
            },
            Curve::Even => {
                let whole = day.active_between(anchor.at, day.ends());
                let passed = day.active_between(anchor.at, now);
                evenly(amount, anchor, (passed, whole), is_active)
            }
        }
    }

    /// How much a region leases at a time, given the highest price the campaign bids, and what a day of its advertiser may
    /// commit where that is less than a day of its own:
    /// `day / SLICES_PER_DAY`, but at least `SLICE_IMPRESSIONS_MIN` impressions, but at most `day / SLICE_PART_MAX`, but at
    /// least one impression. It is wanted again when half of it is left.
    pub fn slice(&self, highest: Cpm, shared_day: Nanos) -> Nanos {
        let day = self.ceilings().day.min(shared_day).get();
        let impression = highest.per_impression().get().max(1);
        let several = impression.saturating_mul(SLICE_IMPRESSIONS_MIN);
        let slice = (day / SLICES_PER_DAY).max(several);
        Nanos::new(slice.min(day / SLICE_PART_MAX).max(impression).min(day))
    }

    /// When a lease that is granted or renewed at `now` expires: after its time to live, but not after its day or the
    /// flight. Renewing moves this on and moves no money, so no journal hears of it.
    pub fn lease_expires(&self, number: BudgetDay, now: UnixMillis) -> UnixMillis {
        let ttl = i64::try_from(LEASE_TTL.as_millis()).unwrap_or(i64::MAX);
        let expires = UnixMillis::new(now.get().saturating_add(ttl)).min(self.day_ends(number));
        self.terms
            .flight
            .end
            .map_or(expires, |end| expires.min(end))
    }
}

/// What the anchor left, spread over the active time after it: so much of it has passed, of so much in all.
fn evenly(amount: Nanos, anchor: Anchor, (passed, whole): (i64, i64), is_active: bool) -> Plan {
    let left = amount.saturating_sub(anchor.committed).max(Nanos::ZERO);
    let per_second = if is_active {
        part(left, 1_000, whole)
    } else {
        Nanos::ZERO
    };
    Plan {
        so_far: anchor.committed.saturating_add(part(left, passed, whole)),
        per_second,
    }
}

/// `amount × numerator ÷ denominator`, rounded down; all of it where there is nothing to spread it over.
fn part(amount: Nanos, numerator: i64, denominator: i64) -> Nanos {
    if denominator <= 0 || numerator >= denominator {
        return amount;
    }
    let share = i128::from(amount.get()) * i128::from(numerator.max(0)) / i128::from(denominator);
    Nanos::new(i64::try_from(share).unwrap_or(i64::MAX))
}

fn timestamp(at: UnixMillis) -> Timestamp {
    Timestamp::from_millisecond(at.get()).unwrap_or(if at.get() < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

#[cfg(test)]
mod tests;
