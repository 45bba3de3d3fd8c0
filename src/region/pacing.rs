//! How fast to spend: the share of opportunities a campaign takes in this region, so that its spend follows its plan.
//!
//! Each second, off the bid path, [`Pacer::step`] answers
//! `p = clamp((planned rate + (plan so far − committed) ÷ 90 s) ÷ supply)`: feed-forward, and catching up on what is behind
//! or ahead. The campaign holds the goal (its budget's plan); this is how a region meets it. It is never what keeps a
//! campaign within its budget: leases are.
//!
//! `supply` is the expected spend per second at p = 1: the prices that reached the draw, times the part of them that is
//! bid (caps, leases), times the part of that which is billed. `committed` is what was billed, and the part of what is
//! promised that will be: a promise that has waited longer than bills take is a lost bid that nobody told us of, and
//! counting it would hold back a hold's worth of spend for ever.
//!
//! What the campaigns of one advertiser share is spread by a valve over all of them (`shared`).

mod shared;

use std::time::Duration;

pub use shared::{Member, SharedPacer};

use super::supply::Flow;
use crate::units::Nanos;

/// How soon what is behind or ahead of plan is made up for. Shorter follows noise; longer lets a flash pass into the spend.
const CATCH_UP: f64 = 90.0;
/// Over how many seconds the supply is averaged: traffic doubles within seconds, and single seconds are noise.
const SUPPLY_MEMORY: f64 = 10.0;
/// Over how many seconds the part that is bid is averaged: it changes with caps and leases.
const TAKE_MEMORY: f64 = 60.0;
/// Over how many seconds the part that is billed is averaged: bids, prices and competition change by the hour.
const WIN_MEMORY: f64 = 600.0;
/// The part that is billed before anything is known, above what is usual: a new campaign begins slowly.
const WIN_PRIOR: f64 = 0.5;
/// How many seconds of planned spend the prior weighs: it fades as soon as there is anything to learn from.
const PRIOR_SECONDS: f64 = 10.0;
/// The mean time from bid to bill before one is known, in seconds.
const BILL_DELAY_PRIOR: f64 = 5.0;
/// The share that is taken before any supply was seen: enough to find out, little enough that the first second of a busy
/// region does not spend the day of a small budget.
const EXPLORE: f64 = 0.01;
/// A pacer that slept longer has learnt as much as it would in this many seconds.
const STEP_MAX: f64 = 10.0;

/// What a region is to spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// Follow a plan.
    Follow(Target),
    /// Take everything, as long as there is money.
    Asap,
    /// Take nothing.
    Pause,
}

/// A plan at one moment, in the campaign's currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// What should be spent by now, of the budget day.
    pub so_far: Nanos,
    /// How fast that rises, per second.
    pub per_second: Nanos,
}

/// What a pacer sees of its campaign, once a step. Amounts are in the campaign's currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What reached the draw and what was bid, since the process began.
    pub flow: Flow,
    /// What was billed, of the budget day.
    pub billed: Nanos,
    /// What is promised now.
    pub reserved: Nanos,
    /// The mean time from a bid to its bill, if one is known.
    pub bill_delay: Option<Duration>,
}

/// What part of the opportunities is taken: 0 to 1, as the threshold a random number has to stay below.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u32);

/// One campaign's controller in one region.
#[derive(Clone, Debug, Default)]
pub struct Pacer {
    last: Option<Last>,
    /// Prices that reached the draw, per second.
    offered: Option<f64>,
    take: Ratio,
    win: Ratio,
    /// What was bid and may still be billed.
    undecided: f64,
    win_part: f64,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    flow: Flow,
    billed: Nanos,
    share: Share,
}

/// Two sums that fade alike, so that their ratio is one of what was seen lately.
#[derive(Clone, Copy, Debug, Default)]
struct Ratio {
    part: f64,
    whole: f64,
}

impl Target {
    /// What should be spent per second, with so much committed.
    fn wanted(self, committed: f64) -> f64 {
        amount(self.per_second) + (amount(self.so_far) - committed) / CATCH_UP
    }
}

impl Share {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Everything.
    pub const ALL: Self = Self(u32::MAX);

    /// The share nearest to a part of one.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0 and u32::MAX; a float that is no number becomes 0, which takes nothing"
    )]
    pub fn of(part: f64) -> Self {
        Self((part.clamp(0.0, 1.0) * f64::from(u32::MAX)) as u32)
    }

    /// A share as it was stored.
    pub const fn from_raw(raw: u32) -> Self {
        Self(raw)
    }

    /// The number to store.
    pub const fn raw(self) -> u32 {
        self.0
    }

    /// Whether an opportunity with this random number is taken.
    pub const fn takes(self, random: u32) -> bool {
        random < self.0 || self.0 == u32::MAX
    }

    /// As a part of one.
    pub fn part(self) -> f64 {
        f64::from(self.0) / f64::from(u32::MAX)
    }
}

impl Pacer {
    /// A pacer that has seen nothing.
    pub fn new() -> Self {
        Self {
            win_part: WIN_PRIOR,
            ..Self::default()
        }
    }

    /// Learns from the time since the last step, and answers what share to take until the next.
    pub fn step(&mut self, goal: Goal, seen: &Seen, elapsed: Duration) -> Share {
        let seconds = elapsed.as_secs_f64();
        if let Some(last) = self.last
            && seconds > 0.0
        {
            self.learn(last, goal, seen, seconds.min(STEP_MAX));
        }
        let share = match goal {
            Goal::Asap => Share::ALL,
            Goal::Pause => Share::NONE,
            Goal::Follow(target) => self.follow(target, seen),
        };
        self.last = Some(Last {
            flow: seen.flow,
            billed: seen.billed,
            share,
        });
        share
    }

    /// Says that no more than this is taken until the next step, whatever the last one answered.
    pub fn hold(&mut self, most: Share) -> Share {
        match &mut self.last {
            Some(last) => {
                // What is bid is learnt from as a part of what was let through.
                last.share = last.share.min(most);
                last.share
            }
            None => Share::NONE,
        }
    }

    /// What of the promises is expected to be spent.
    pub fn promised(&self, seen: &Seen) -> f64 {
        self.undecided.min(amount(seen.reserved)).max(0.0) * self.win_part
    }

    /// What part of what is bid is billed, as far as is known.
    pub const fn win_rate(&self) -> f64 {
        self.win_part
    }

    /// What would be spent per second if everything were taken; `None` before anything was offered.
    pub fn supply_per_second(&self) -> Option<f64> {
        let take = self.take.of(1.0, self.offered.unwrap_or(0.0));
        self.offered.map(|offered| offered * take * self.win_part)
    }

    /// What is spent, and what part of the promises is expected to be.
    fn committed(&self, seen: &Seen) -> f64 {
        amount(seen.billed) + self.promised(seen)
    }

    fn follow(&self, target: Target, seen: &Seen) -> Share {
        let wanted = target.wanted(self.committed(seen));
        if wanted <= 0.0 {
            return Share::NONE;
        }
        match self.supply_per_second() {
            // What reaches the draw is counted before it, so that supply is seen at any share, even none.
            None => Share::of(EXPLORE),
            Some(supply) => Share::of(wanted / supply.max(f64::MIN_POSITIVE)),
        }
    }

    fn learn(&mut self, last: Last, goal: Goal, seen: &Seen, seconds: f64) {
        let offered = difference(seen.flow.offered, last.flow.offered);
        let bid = difference(seen.flow.bid, last.flow.bid);
        // At midnight what was billed begins at zero again.
        let billed = if seen.billed >= last.billed {
            amount(seen.billed) - amount(last.billed)
        } else {
            amount(seen.billed)
        };
        let rate = offered / seconds;
        self.offered = match self.offered {
            Some(known) => Some(known + (rate - known) * fresh(seconds, SUPPLY_MEMORY)),
            None => (offered > 0.0).then_some(rate),
        };
        self.take
            .add(bid, offered * last.share.part(), seconds, TAKE_MEMORY);
        // Bids come to be decided as bills come in, so that a bill is compared with the bids of its own time, not with
        // those that nobody has heard of yet.
        let delay = seen
            .bill_delay
            .map_or(BILL_DELAY_PRIOR, |delay| delay.as_secs_f64());
        let decided = self.undecided * fresh(seconds, delay.max(0.1));
        self.undecided += bid - decided;
        self.win.add(billed, decided, seconds, WIN_MEMORY);
        let weight = match goal {
            Goal::Follow(target) => amount(target.per_second) * PRIOR_SECONDS,
            Goal::Asap | Goal::Pause => 0.0,
        };
        self.win_part = self.win.of(WIN_PRIOR, weight);
    }
}

impl Ratio {
    fn add(&mut self, part: f64, whole: f64, seconds: f64, memory: f64) {
        let kept = 1.0 - fresh(seconds, memory);
        self.part = self.part * kept + part;
        self.whole = self.whole * kept + whole;
    }

    /// The ratio, starting from a prior that weighs as much as `weight` of the whole; at most 1.
    fn of(self, prior: f64, weight: f64) -> f64 {
        let weight = weight.max(1.0);
        ((self.part + prior * weight) / (self.whole + weight)).clamp(0.0, 1.0)
    }
}

/// What part of a mean over `memory` seconds is replaced in this many.
fn fresh(seconds: f64, memory: f64) -> f64 {
    1.0 - (-seconds / memory).exp()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a plan is followed to a few parts in ten thousand; an f64 has fifteen digits"
)]
fn amount(nanos: Nanos) -> f64 {
    nanos.get() as f64
}

#[expect(
    clippy::cast_precision_loss,
    reason = "what one second offered, to fifteen digits"
)]
fn difference(now: u64, before: u64) -> f64 {
    now.wrapping_sub(before) as f64
}

#[cfg(test)]
mod tests;
