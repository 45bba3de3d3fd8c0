//! Counts and instants of every curve.

use std::sync::Arc;

use super::*;

const RATE: u32 = 700;
const SECONDS: u32 = 24;
const SECOND: Duration = Duration::from_secs(1);

fn shapes() -> Vec<Shape> {
    let mut day = [0; HOURS];
    for (weight, hour) in day.iter_mut().zip(0..) {
        *weight = (hour * 7) % 11;
    }
    let burst = |at, length, factor_thousandths| Burst {
        at: SECOND * at,
        length: SECOND * length,
        factor_thousandths,
    };
    vec![
        Shape::Constant,
        Shape::Ramp { from: 0, to: 1_400 },
        Shape::Ramp {
            from: 1_333,
            to: 67,
        },
        Shape::Diurnal(day),
        Shape::Burst(vec![
            burst(2, 3, 2_000),
            burst(10, 4, 0),
            burst(20, 9, 1_500),
        ]),
    ]
}

fn schedule(shape: &Shape, spacing: Spacing, seed: u64) -> Vec<Duration> {
    let arrivals = Arrivals::Shaped(shape.clone(), spacing);
    Schedule::new(&arrivals, (RATE, SECONDS), seed, &Arc::from([])).collect()
}

fn within(instants: &[Duration], from: u32, to: u32) -> usize {
    let range = SECOND * from..SECOND * to;
    instants.iter().filter(|at| range.contains(at)).count()
}

#[test]
fn instants_at_a_constant_rate_are_exact_and_do_not_drift() {
    let mut schedule = Schedule::constant(3, 86_400);
    assert_eq!(schedule.next(), Some(Duration::ZERO));
    assert_eq!(schedule.next(), Some(Duration::from_nanos(333_333_333)));
    assert_eq!(schedule.next(), Some(Duration::from_nanos(666_666_666)));
    assert_eq!(schedule.next(), Some(SECOND));
    let last = schedule.last();
    assert_eq!(
        last,
        Some(SECOND * 86_399 + Duration::from_nanos(666_666_666))
    );
}

#[test]
fn every_curve_is_in_order_within_the_run_and_holds_what_its_area_says() {
    for shape in shapes() {
        for spacing in [Spacing::Even, Spacing::Random] {
            let instants = schedule(&shape, spacing, 5);
            assert!(instants.is_sorted(), "{shape:?}");
            assert!(instants.last().is_some_and(|last| *last < SECOND * SECONDS));
            let area = Curve::new(&shape, RATE, SECONDS).count();
            let count = u64::try_from(instants.len()).unwrap();
            // A Poisson count lies within four deviations of its mean.
            let room = match spacing {
                Spacing::Even => 0,
                Spacing::Random => 4 * area.isqrt(),
            };
            assert!(
                count.abs_diff(area) <= room,
                "{shape:?} {spacing:?}: {count} of {area}"
            );
        }
    }
}

#[test]
fn a_ramp_holds_its_mean_rate_and_grows_in_a_straight_line() {
    let instants = schedule(&Shape::Ramp { from: 0, to: 1_400 }, Spacing::Even, 1);
    assert_eq!(instants.len(), 700 * 24);
    // Half the time holds a quarter of them.
    assert!(within(&instants, 0, 12).abs_diff(700 * 6) <= 1);
    // The n-th instant is T·√(n/N), to the nanosecond.
    let exact = f64::from(SECONDS) * (1_000.0 / (700.0 * 24.0_f64)).sqrt();
    assert!((instants[1_000].as_secs_f64() - exact).abs() < 2e-9);
}

#[test]
fn an_hour_of_a_day_gets_its_weight_and_the_mean_is_the_rate() {
    let Shape::Diurnal(weights) = &shapes()[3] else {
        panic!("the fourth is a day");
    };
    let instants = schedule(&shapes()[3], Spacing::Even, 1);
    assert_eq!(instants.len(), 700 * 24);
    let sum: u32 = weights.iter().sum();
    for (hour, weight) in (0..).zip(weights) {
        let due = 700.0 * 24.0 * f64::from(*weight) / f64::from(sum);
        let got = f64::from(u32::try_from(within(&instants, hour, hour + 1)).unwrap());
        assert!((got - due).abs() <= 1.0, "hour {hour}: {got} of {due}");
    }
}

#[test]
fn a_burst_is_a_multiple_of_the_rate_for_its_time_only() {
    let instants = schedule(&shapes()[4], Spacing::Even, 1);
    let seconds: Vec<usize> = (0..24).map(|at| within(&instants, at, at + 1)).collect();
    assert_eq!(seconds[1], 700);
    assert_eq!(seconds[2..5], [1_400, 1_400, 1_400]);
    assert_eq!(seconds[9..15], [700, 0, 0, 0, 0, 700]);
    // Cut where the run ends.
    assert_eq!(seconds[19..], [700, 1_050, 1_050, 1_050, 1_050]);
}

#[test]
fn random_gaps_follow_from_the_seed_and_are_exponential() {
    let instants = schedule(&Shape::Constant, Spacing::Random, 7);
    assert_eq!(instants, schedule(&Shape::Constant, Spacing::Random, 7));
    assert_ne!(instants, schedule(&Shape::Constant, Spacing::Random, 8));
    let mean = SECOND / RATE;
    let gaps = instants
        .windows(2)
        .map(|pair| pair[1].saturating_sub(pair[0]));
    let longer = gaps.filter(|gap| *gap > mean).count();
    // e^-1 of them are longer than the mean one.
    let due = instants.len() * 3_679 / 10_000;
    assert!(longer.abs_diff(due) < due / 20, "{longer} of {due}");
}

#[test]
fn recorded_instants_come_as_they_were_faster_if_wanted_and_end_with_the_run() {
    let recorded: Arc<[Duration]> = [0, 30, 30, 2_500].map(Duration::from_millis).into();
    let replay = |speed_percent, seconds| {
        let arrivals = Arrivals::Replayed { speed_percent };
        let schedule = Schedule::new(&arrivals, (1, seconds), 1, &recorded);
        assert_eq!(
            schedule.expected(),
            u64::try_from(schedule.clone().count()).unwrap()
        );
        schedule.map(|at| at.as_millis()).collect::<Vec<_>>()
    };
    assert_eq!(replay(100, 10), [0, 30, 30, 2_500]);
    assert_eq!(replay(200, 10), [0, 15, 15, 1_250]);
    assert_eq!(replay(100, 2), [0, 30, 30]);
}
