use super::*;

const HOUR: i64 = 3_600_000;

fn terms(zone: &str) -> Terms {
    Terms {
        daily: Some(Nanos::new(24_000)),
        total: None,
        flight: Flight {
            start: UnixMillis::new(0),
            end: None,
        },
        zone: TimeZone::get(zone).unwrap(),
        hours: ActiveHours::ALWAYS,
        curve: Curve::Even,
    }
}

fn budget(terms: Terms) -> Budget {
    Budget::new(terms).unwrap()
}

fn moment(text: &str) -> UnixMillis {
    UnixMillis::new(text.parse::<Timestamp>().unwrap().as_millisecond())
}

fn later(at: UnixMillis, millis: i64) -> UnixMillis {
    UnixMillis::new(at.get() + millis)
}

fn from_midnight(day: &Day) -> Anchor {
    Anchor {
        at: day.begins(),
        committed: Nanos::ZERO,
    }
}

#[test]
fn terms_that_contradict_themselves_are_refused() {
    let refusal = |change: fn(&mut Terms)| {
        let mut terms = terms("UTC");
        change(&mut terms);
        Budget::new(terms).unwrap_err()
    };
    assert_eq!(refusal(|terms| terms.daily = None), BudgetError::Unlimited);
    assert_eq!(
        refusal(|terms| terms.total = Some(Nanos::ZERO)),
        BudgetError::NotPositive
    );
    let ends_at_once = |terms: &mut Terms| terms.flight.end = Some(terms.flight.start);
    assert_eq!(refusal(ends_at_once), BudgetError::EndsBeforeStart);
    let never = |terms: &mut Terms| terms.hours = ActiveHours::from_bits([1 << 24; 7]);
    assert_eq!(refusal(never), BudgetError::NeverActive);
}

#[test]
fn a_day_is_the_zones_own() {
    let noon_in_greenwich = moment("2026-03-01T18:00:00Z");
    let greenwich = budget(terms("UTC")).day_at(noon_in_greenwich);
    let singapore = budget(terms("Asia/Singapore")).day_at(noon_in_greenwich);
    assert_eq!(greenwich, BudgetDay::new(20_513));
    assert_eq!(singapore, BudgetDay::new(20_514));
    let day = budget(terms("Asia/Singapore")).day(singapore);
    assert_eq!(day.begins(), moment("2026-03-01T16:00:00Z"));
    assert_eq!(day.ends(), moment("2026-03-02T16:00:00Z"));
    assert_eq!(
        budget(terms("UTC")).day_at(UnixMillis::new(-1)),
        BudgetDay::new(-1)
    );
}

#[test]
fn days_are_shorter_and_longer_when_clocks_are_moved() {
    let berlin = budget(terms("Europe/Berlin"));
    for (noon, hours) in [
        ("2026-03-28T12:00:00Z", 24),
        ("2026-03-29T12:00:00Z", 23),
        ("2026-10-25T12:00:00Z", 25),
    ] {
        let day = berlin.day(berlin.day_at(moment(noon)));
        assert_eq!(
            day.ends().get() - day.begins().get(),
            hours * HOUR,
            "{noon}"
        );
        assert_eq!(day.active_between(day.begins(), day.ends()), hours * HOUR);
        let plan = berlin.plan(&day, Nanos::new(24_000), from_midnight(&day), day.ends());
        assert_eq!(plan.so_far, Nanos::new(24_000));
    }
}

#[test]
fn every_moment_is_in_the_day_it_is_said_to_be_in() {
    for zone in [
        "UTC",
        "America/Sao_Paulo",
        "Asia/Kathmandu",
        "Pacific/Apia",
        "Africa/Cairo",
    ] {
        let budget = budget(terms(zone));
        let mut before = i32::MIN;
        for step in 0..2_000 {
            let at = UnixMillis::new(1_293_000_000_000 + step * 7 * HOUR + step * 1_234_567);
            let number = budget.day_at(at);
            let day = budget.day(number);
            assert!(day.begins() <= at && at < day.ends(), "{zone} {at:?}");
            assert!(number.get() >= before);
            before = number.get();
        }
    }
}

#[test]
fn times_beyond_the_calendar_are_held_at_its_ends() {
    let budget = budget(terms("Asia/Singapore"));
    for (at, day) in [(i64::MIN, i32::MIN), (i64::MAX, i32::MAX)] {
        let number = budget.day_at(UnixMillis::new(at));
        assert!(budget.day(number).begins() <= budget.day(number).ends());
        let beyond = budget.day(BudgetDay::new(day));
        assert!(beyond.begins() <= beyond.ends());
    }
}

#[test]
fn an_even_plan_rises_in_active_hours_only() {
    let mornings = ActiveHours::from_bits([0b1111 << 8; 7]);
    let budget = budget(Terms {
        hours: mornings,
        ..terms("UTC")
    });
    let day = budget.day(BudgetDay::new(20_513));
    let amount = Nanos::new(4_000 * 3_600);
    let at_hour = |hour: i64| {
        let now = later(day.begins(), hour * HOUR);
        budget.plan(&day, amount, from_midnight(&day), now)
    };
    assert_eq!(
        at_hour(7),
        Plan {
            so_far: Nanos::ZERO,
            per_second: Nanos::ZERO
        }
    );
    assert_eq!(
        at_hour(9),
        Plan {
            so_far: Nanos::new(1_000 * 3_600),
            per_second: Nanos::new(1_000)
        }
    );
    assert_eq!(
        at_hour(12),
        Plan {
            so_far: amount,
            per_second: Nanos::ZERO
        }
    );
    assert!(budget.is_active(later(day.begins(), 8 * HOUR)));
    assert!(!budget.is_active(later(day.begins(), 12 * HOUR)));
}

#[test]
fn a_plan_that_begins_at_noon_does_not_rush_to_make_up_for_the_morning() {
    let budget = budget(terms("UTC"));
    let day = budget.day(BudgetDay::new(20_513));
    let noon = Anchor {
        at: later(day.begins(), 12 * HOUR),
        committed: Nanos::new(6_000),
    };
    let plan = |hour: i64| {
        let now = later(day.begins(), hour * HOUR);
        budget
            .plan(&day, Nanos::new(24_000), noon, now)
            .so_far
            .get()
    };
    assert_eq!((plan(12), plan(18), plan(24)), (6_000, 15_000, 24_000));
}

#[test]
fn a_flight_that_begins_or_ends_within_the_day_takes_the_whole_day_amount() {
    let day_begins = moment("2026-03-01T00:00:00Z");
    let budget = budget(Terms {
        flight: Flight {
            start: later(day_begins, 6 * HOUR),
            end: Some(later(day_begins, 18 * HOUR)),
        },
        ..terms("UTC")
    });
    let day = budget.day(budget.day_at(day_begins));
    let plan = |hour: i64| {
        let now = later(day_begins, hour * HOUR);
        budget
            .plan(&day, Nanos::new(24_000), from_midnight(&day), now)
            .so_far
            .get()
    };
    assert_eq!(
        (plan(6), plan(12), plan(18), plan(24)),
        (0, 12_000, 24_000, 24_000)
    );
    assert!(!budget.is_active(later(day_begins, 6 * HOUR - 1)));
    assert!(budget.is_active(later(day_begins, 18 * HOUR - 1)));
    assert!(!budget.is_active(later(day_begins, 18 * HOUR)));
}

#[test]
fn an_impatient_plan_wants_all_of_it_at_once() {
    let budget = budget(Terms {
        curve: Curve::Asap,
        ..terms("UTC")
    });
    let day = budget.day(BudgetDay::new(20_513));
    let plan = budget.plan(&day, Nanos::new(24_000), from_midnight(&day), day.begins());
    assert_eq!(
        plan,
        Plan {
            so_far: Nanos::new(24_000),
            per_second: Nanos::new(24_000)
        }
    );
}

#[test]
fn without_a_daily_amount_a_day_may_take_what_the_total_leaves() {
    let total = Some(Nanos::new(1_000));
    let only_total = budget(Terms {
        daily: None,
        total,
        ..terms("UTC")
    });
    assert_eq!(only_total.ceilings().day, Nanos::new(1_000));
    assert_eq!(only_total.day_amount(Nanos::new(400)), Nanos::new(600));
    assert_eq!(only_total.day_amount(Nanos::new(4_000)), Nanos::ZERO);
    let both = budget(Terms {
        total,
        ..terms("UTC")
    });
    assert_eq!(
        both.ceilings().day,
        Nanos::new(1_000),
        "a day cannot commit more than the whole"
    );
}

#[test]
fn a_slice_pays_for_impressions_and_leaves_something_to_other_regions() {
    let with_daily = |daily: i64| {
        budget(Terms {
            daily: Some(Nanos::new(daily)),
            ..terms("UTC")
        })
    };
    let price = Cpm::from_micros(1_000);
    let endless = Nanos::new(i64::MAX);
    let slice = |daily| with_daily(daily).slice(price, endless).get();
    assert_eq!(slice(288_000_000), 1_000_000);
    assert_eq!(slice(2_880_000), 50_000, "several impressions");
    assert_eq!(slice(80_000), 10_000, "an eighth of the day");
    assert_eq!(slice(4_000), 1_000, "one impression");
    assert_eq!(slice(400), 400, "all there is");
}

#[test]
fn a_lease_expires_with_its_day_at_the_latest() {
    let budget = budget(terms("UTC"));
    let day = budget.day(BudgetDay::new(20_513));
    let noon = later(day.begins(), 12 * HOUR);
    assert_eq!(
        budget.lease_expires(day.number(), noon),
        later(noon, 60_000)
    );
    let late = later(day.ends(), -1_000);
    assert_eq!(budget.lease_expires(day.number(), late), day.ends());
}

#[test]
fn an_advertisers_day_is_planned_over_the_hours_in_which_any_of_its_campaigns_runs() {
    let singapore = SharedBudget {
        daily: Some(Nanos::new(24_000)),
        zone: TimeZone::get("Asia/Singapore").unwrap(),
        ..SharedBudget::default()
    };
    let hours = |zone: &str, first: u32, hours: u32| {
        let bits = (1 << hours) - 1;
        budget(Terms {
            hours: ActiveHours::from_bits([bits << first; 7]),
            ..terms(zone)
        })
    };
    // Eight to twelve and ten to fourteen in Singapore; and of two days of Greenwich, two to six and eighteen to nineteen
    // in Singapore.
    let campaigns = [
        hours("Asia/Singapore", 8, 4),
        hours("Asia/Singapore", 10, 4),
        hours("UTC", 18, 4),
        hours("UTC", 10, 1),
    ];
    let noon = moment("2026-03-02T04:00:00Z");
    let day = singapore.day(singapore.day_at(noon), &campaigns);
    assert!(day.holds(noon) && !day.holds(later(noon, 12 * HOUR)));
    let anchor = Anchor {
        at: later(noon, -12 * HOUR),
        committed: Nanos::ZERO,
    };
    let plan = |hour: i64| {
        let at = later(noon, (hour - 12) * HOUR);
        let plan = singapore.plan(&day, Nanos::new(39_600_000), anchor, at);
        (plan.so_far.get() / 3_600_000, plan.per_second.is_positive())
    };
    // Eleven hours of it.
    assert_eq!(plan(1), (0, false));
    assert_eq!(plan(3), (1, true));
    assert_eq!(plan(7), (4, false));
    assert_eq!(plan(11), (7, true));
    assert_eq!(plan(15), (10, false));
    assert_eq!(plan(18), (10, true));
    assert_eq!(plan(20), (11, false));
}
