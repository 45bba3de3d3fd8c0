//! Facts about campaigns of one advertiser that share a daily budget, on the same market.

use jiff::tz::TimeZone;

use super::*;
use crate::campaign::budget::{ActiveHours, Anchor, Budget, Curve, Flight, SharedBudget, Terms};
use crate::units::UnixMillis;

const CAMPAIGNS: usize = 3;
const HOUR: i64 = 3_600;
/// Midnight in UTC.
const MIDNIGHT: UnixMillis = UnixMillis::new(1_790_035_200_000);
/// In how many parts the shared budget is leased.
const SLICES: i64 = 288;

/// What differs between days.
#[derive(Clone, Copy)]
struct Case {
    /// Opportunities for each campaign, in a hundred seconds.
    traffic: [u64; CAMPAIGNS],
    /// The shared daily budget, as a part of what all could spend.
    part: f64,
    /// Each campaign's own budget, as a part of the shared one.
    own: [f64; CAMPAIGNS],
    /// The hours in which they run, of the first four: few, so that the tests are quick.
    hours: u32,
    pacing: [Curve; CAMPAIGNS],
    /// Without it, each campaign follows its own budget alone.
    has_valve: bool,
}

struct Advertiser {
    trade: Trade,
    budget: SharedBudget,
    own: Vec<Budget>,
    pacers: Vec<Pacer>,
    valve: SharedPacer,
    granted: i64,
    shared: i64,
    billed: i64,
}

/// Enough of everything, and own budgets that hold nothing back.
fn plenty() -> Case {
    Case {
        traffic: [100, 100, 100],
        part: 0.4,
        own: [1.0, 1.0, 1.0],
        hours: 0b0011,
        pacing: [Curve::Even; CAMPAIGNS],
        has_valve: true,
    }
}

impl Case {
    fn seconds(&self) -> i64 {
        i64::from(self.hours.count_ones()) * HOUR
    }

    fn runs_at(&self, second: i64) -> bool {
        self.hours & (1 << (second / HOUR)) != 0
    }
}

impl Advertiser {
    fn new(case: &Case) -> Self {
        let all: u64 = case.traffic.iter().sum();
        let supply = all as f64 / 100.0 * 1_500_000.0 * 0.8 * 0.3 * case.seconds() as f64;
        let shared = (supply * case.part) as i64;
        let own = |part: f64, curve: Curve| {
            let terms = Terms {
                daily: Some(Nanos::new((shared as f64 * part) as i64)),
                total: None,
                flight: Flight {
                    start: UnixMillis::new(0),
                    end: None,
                },
                zone: TimeZone::UTC,
                hours: ActiveHours::from_bits([case.hours; 7]),
                curve,
            };
            Budget::new(terms).unwrap()
        };
        let parts = case.own.iter().zip(case.pacing);
        let mut advertiser = Self {
            trade: Trade::new(CAMPAIGNS),
            budget: SharedBudget {
                daily: Some(Nanos::new(shared)),
                ..SharedBudget::default()
            },
            own: parts.map(|(part, curve)| own(*part, curve)).collect(),
            pacers: vec![Pacer::new(); CAMPAIGNS],
            valve: SharedPacer::new(Nanos::ZERO, Nanos::ZERO, MIDNIGHT),
            granted: 0,
            shared,
            billed: 0,
        };
        for slot in slots() {
            advertiser.top_up(slot);
        }
        advertiser
    }

    /// Leases a slice, as long as there is anything left of the shared budget.
    fn top_up(&mut self, slot: CampaignSlot) {
        let slice = (self.shared / SLICES).min(self.shared - self.granted);
        let free = self
            .trade
            .till
            .ledger()
            .balance(slot)
            .map_or(0, |balance| balance.free.get());
        if slice > 0 && free < self.shared / SLICES / 2 {
            self.granted += slice;
            let ends = START.plus(Duration::from_hours(48));
            self.trade.grant(slot, slice, ends);
        }
    }

    /// Runs a day, and answers what was spent by the end of each quarter of the time in which they run, as parts of the
    /// shared budget.
    fn run(&mut self, case: &Case) -> [f64; 4] {
        let (mut quarters, mut passed) = ([0.0; 4], 0);
        for second in 0..4 * HOUR {
            let at = START.plus(Duration::from_secs(second as u64));
            let wall = UnixMillis::new(MIDNIGHT.get() + second * 1_000);
            self.trade.till.lapse(at);
            for (slot, traffic) in slots().zip(case.traffic) {
                let more = u64::from(self.trade.below(100) < traffic % 100);
                for _ in 0..(traffic / 100 + more) * u64::from(case.runs_at(second)) {
                    self.trade.opportunity(slot, at, Market::default());
                }
                self.top_up(slot);
            }
            self.trade.settle(at);
            self.step(case, wall);
            if case.runs_at(second) {
                let quarter = usize::try_from(passed * 4 / case.seconds()).unwrap();
                quarters[quarter] = self.billed as f64 / self.shared as f64;
                passed += 1;
            }
        }
        assert!(self.billed <= self.shared, "over budget");
        quarters
    }

    fn step(&mut self, case: &Case, wall: UnixMillis) {
        let mut members = Vec::new();
        let mut billed = 0;
        let seen: Vec<_> = slots().map(|slot| self.trade.seen(slot)).collect();
        let pacers = self.pacers.iter_mut().zip(case.pacing);
        for ((own, (pacer, pacing)), seen) in self.own.iter().zip(pacers).zip(&seen) {
            let day = own.day(own.day_at(MIDNIGHT));
            let anchor = Anchor {
                at: MIDNIGHT,
                committed: Nanos::ZERO,
            };
            let plan = own.plan(&day, own.day_amount(Nanos::ZERO), anchor, wall);
            let target = Target {
                so_far: plan.so_far,
                per_second: plan.per_second,
            };
            let is_spread = pacing == Curve::Even;
            let goal = match is_spread {
                _ if !own.is_active(wall) || seen.billed >= own.day_amount(Nanos::ZERO) => {
                    Goal::Pause
                }
                true => Goal::Follow(target),
                false => Goal::Asap,
            };
            members.push(Member {
                share: pacer.step(goal, seen, SECOND),
                supply: pacer.supply_per_second(),
                promised: pacer.promised(seen),
                is_spread,
            });
            billed += seen.billed.get();
        }
        self.valve.booked(Nanos::new(billed - self.billed), wall);
        self.billed = billed;
        let shares: Vec<_> = members
            .iter()
            .map(|member| (member.share, member.is_spread))
            .collect();
        let most = self
            .valve
            .step(&self.budget, || &self.own, wall, &mut members);
        for ((slot, pacer), (own, is_spread)) in slots().zip(&mut self.pacers).zip(shares) {
            let held = case.has_valve && is_spread;
            let share = if held { pacer.hold(most) } else { own };
            self.trade.shares.publish(slot, share);
        }
    }

    fn spent(&self, slot: u32) -> f64 {
        amount(self.trade.seen(CampaignSlot::new(slot)).billed) / self.shared as f64
    }
}

fn slots() -> impl Iterator<Item = CampaignSlot> {
    (0..CAMPAIGNS as u32).map(CampaignSlot::new)
}

/// Whether each quarter ended within a tenth of its target.
fn is_even(quarters: [f64; 4]) -> bool {
    let near = |(spent, target): (f64, f64)| (spent - target).abs() <= target / 10.0;
    quarters.into_iter().zip([0.25, 0.5, 0.75, 1.0]).all(near)
}

fn quarters(case: &Case) -> ([f64; 4], Advertiser) {
    let mut advertiser = Advertiser::new(case);
    (advertiser.run(case), advertiser)
}

#[test]
fn campaigns_spend_what_they_share_evenly_over_the_day() {
    let (spent, _) = quarters(&plenty());
    assert!(is_even(spent), "{spent:?}");
}

#[test]
fn without_a_valve_what_campaigns_share_is_gone_before_the_evening() {
    let (spent, _) = quarters(&Case {
        has_valve: false,
        ..plenty()
    });
    assert!(!is_even(spent) && spent[1] > 0.9, "{spent:?}");
}

#[test]
fn one_without_demand_leaves_its_part_to_the_others() {
    let (spent, advertiser) = quarters(&Case {
        traffic: [150, 0, 150],
        ..plenty()
    });
    assert!(is_even(spent), "{spent:?}");
    assert!(advertiser.spent(1) < f64::EPSILON);
}

#[test]
fn one_with_a_small_budget_of_its_own_has_it_and_others_have_the_rest() {
    let (spent, advertiser) = quarters(&Case {
        own: [0.1, 1.0, 1.0],
        ..plenty()
    });
    assert!(is_even(spent), "{spent:?}");
    assert!(
        (0.095..0.102).contains(&advertiser.spent(0)),
        "{}",
        advertiser.spent(0)
    );
}

#[test]
fn a_pause_of_all_campaigns_is_not_made_up_for_in_a_rush() {
    let (spent, _) = quarters(&Case {
        hours: 0b1001,
        ..plenty()
    });
    assert!(is_even(spent), "{spent:?}");
}

#[test]
fn one_that_takes_everything_has_what_it_can_and_the_others_spread_the_rest() {
    let (spent, advertiser) = quarters(&Case {
        own: [0.2, 1.0, 1.0],
        pacing: [Curve::Asap, Curve::Even, Curve::Even],
        ..plenty()
    });
    assert!(advertiser.spent(0) > 0.19, "{}", advertiser.spent(0));
    assert!(is_even(spent), "{spent:?}");
}

#[test]
fn a_day_begins_with_nothing_spent_also_when_campaigns_changed_just_before_it() {
    let advertiser = Advertiser::new(&plenty());
    let (budget, own) = (advertiser.budget, advertiser.own);
    let evening = UnixMillis::new(MIDNIGHT.get() - 1_000);
    let member = Member {
        share: Share::ALL,
        supply: Some(1.0),
        promised: 0.0,
        is_spread: true,
    };
    let mut valve = SharedPacer::new(Nanos::ZERO, Nanos::ZERO, evening);
    let step = |valve: &mut SharedPacer, now| valve.step(&budget, || &own, now, &mut [member]);
    step(&mut valve, evening);
    valve.booked(budget.daily.unwrap(), evening);
    assert_eq!(step(&mut valve, evening), Share::NONE, "it is spent");
    valve.replan(evening);
    assert_eq!(step(&mut valve, MIDNIGHT), Share::ALL);
}
