//! What an impression can be worth at the most.

use proptest::prelude::*;

use super::*;

#[test]
fn multipliers_that_keep_each_other_out_do_not_add_to_the_bound() {
    let greatest_of = |multipliers: &[Multiplier]| greatest(multipliers).to_string();
    let three = ["SGP", "THA", "IDN"].map(|code| by(1_500, in_countries(&[code])));
    assert_eq!(greatest_of(&three), "1.5");
    let overlapping = [
        by(1_500, in_countries(&["SGP", "THA"])),
        by(2_000, in_countries(&["THA", "IDN"])),
        by(500, in_countries(&["THA"])),
    ];
    assert_eq!(greatest_of(&overlapping), "3");
    let devices = [DeviceType::Mobile, DeviceType::Phone, DeviceType::Computer].map(|device| {
        let devices = vec![device];
        by(
            2_000,
            Conditions {
                devices,
                ..Conditions::default()
            },
        )
    });
    assert_eq!(greatest_of(&devices), "4", "a phone is mobile, too");
    let segments = ["a/1", "a/2"].map(|name| {
        let segments = vec![SegmentKey::of(name)];
        by(
            2_000,
            Conditions {
                segments,
                ..Conditions::default()
            },
        )
    });
    assert_eq!(greatest_of(&segments), "4", "one person may be in both");
}

#[derive(Clone, Debug)]
struct Random {
    goal: Goal,
    margin: u32,
    most: Option<i64>,
    multipliers: Vec<Multiplier>,
}

const CODES: [&str; 3] = ["THA", "SGP", "IDN"];

fn multiplier() -> impl Strategy<Value = Multiplier> {
    let codes = prop::sample::subsequence(CODES.to_vec(), 0..3);
    let formats = prop::sample::subsequence(FormatKind::ALL.to_vec(), 1..3);
    let segments = prop::option::weighted(0.3, 0..3_u8);
    let hours = prop::option::weighted(0.3, 0..3_u8);
    (100..=10_000_u32, codes, formats, segments, hours).prop_map(
        |(factor, codes, formats, segment, hour)| {
            let mut when = in_countries(&codes);
            if codes.len() != 1 {
                when.formats = formats;
            }
            let key = |it| SegmentKey::of(["a/0", "a/1", "a/2"][usize::from(it)]);
            when.segments = segment.map(key).into_iter().collect();
            when.hours = hour.map(|hour| HourOfWeek::new(0, hour).into_iter().collect());
            by(factor, when)
        },
    )
}

prop_compose! {
    fn random()(
        buys_clicks in any::<bool>(), price in 1..20_000_000_i64, click in 1..2_000_000_000_i64, margin in 0..2_000_u32,
        most in prop::option::of(1..30_000_000_i64),
        multipliers in prop::collection::vec(multiplier(), 0..6),
    ) -> Random {
        let goal = if buys_clicks { Goal::Cpc(Nanos::new(click)) } else { Goal::Cpm(Cpm::from_micros(price)) };
        Random { goal, margin, most, multipliers }
    }
}

prop_compose! {
    fn asked()(
        country in prop::option::of(0..3_usize), hour in 0..4_u8, format in 0..4_usize,
        segments in prop::sample::subsequence(vec!["a/0", "a/1", "a/2"], 0..3),
        rates in prop::collection::vec(1_000..500_000_000_u32, 1..4),
    ) -> (Option<usize>, u8, usize, Vec<SegmentKey>, Vec<ClickRate>) {
        let rates = rates.into_iter().map(ClickRate::from_billionths).collect();
        (country, hour, format, segments.into_iter().map(SegmentKey::of).collect(), rates)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_024))]

    #[test]
    fn no_impression_is_worth_more_than_the_bound_or_the_highest_price_and_each_multiplier_counts_its_way(
        random in random(), asked in asked(), place in any::<prop::sample::Index>(), more in 1..5_000_u32,
    ) {
        let (code, hour, format, segments, rates) = asked;
        let nothing = about(&[]);
        let mut moment = moment(&nothing, &segments);
        moment.query.country = code.map(|code| country(CODES[code]));
        moment.hour = HourOfWeek::new(0, hour);
        moment.format = FormatKind::ALL[format];
        let mut one = buying(random.goal, random.most, random.multipliers);
        one.margin_per_mille = random.margin;
        let rate = rates.first().copied();
        let worth = one.worth(rate, || moment);
        prop_assert!(worth.value <= one.worth_at_most(&rates));
        prop_assert!(one.worth_at_most(&rates) <= one.price_max());
        prop_assert!(one.max_cpm.is_none_or(|most| worth.value <= most));
        if let (Goal::Cpc(click), Some(rate)) = (one.goal, rate) {
            // What is charged for so many impressions that one is clicked is what was agreed for a click, to the nano.
            let charge = one.charge(worth.base.per_impression()).unwrap();
            let agreed = i128::from(click.get()) * i128::from(rate.billionths());
            prop_assert!(i128::from(charge.get() - 1) * 1_000_000_000 < agreed);
        }
        if !one.multipliers.is_empty() {
            let mut raised = one.clone();
            let place = place.index(raised.multipliers.len());
            let by = &mut raised.multipliers[place].by_per_mille;
            *by = (*by + more).min(MULTIPLIER_PER_MILLE_MAX);
            prop_assert!(raised.worth(rate, || moment).value >= worth.value);
        }
    }
}
