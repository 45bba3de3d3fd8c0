use proptest::prelude::*;

use super::*;
use crate::campaign::fixture::{campaign, category, country, domain};
use crate::campaign::{
    CampaignFault, CategorySet, DeviceType, HourOfWeek, HoursOfWeek, InventoryList, Language,
    MoreSegments, Os, Query, Shape, Through,
};
use crate::units::{ExchangeKey, RegionKey, SegmentKey, UnixMillis};

const CPM: i64 = 1_000_000;

fn by(per_mille: u32, when: Conditions) -> Multiplier {
    Multiplier {
        when,
        by_per_mille: per_mille,
    }
}

fn in_countries(codes: &[&str]) -> Conditions {
    Conditions {
        countries: codes.iter().map(|code| country(code)).collect(),
        ..Conditions::default()
    }
}

fn about(codes: &[&str]) -> CategorySet {
    codes.iter().map(|code| category(code)).collect()
}

/// A phone in Thailand on a page about tea, on Monday at eight in the campaign's zone.
fn moment<'m>(categories: &'m CategorySet, segments: &'m [SegmentKey]) -> Moment<'m> {
    Moment {
        query: Query {
            region: RegionKey::of("th"),
            exchange: ExchangeKey::of("adx"),
            country: Some(country("THA")),
            device: Some(DeviceType::Phone),
            system: Some(Os::Android),
            language: Language::parse("th"),
            at: UnixMillis::default(),
            site: Some("tea.news.example"),
            app: None,
            categories,
            segments,
            more_segments: MoreSegments::None,
            own_segments: &[],
            shapes: &[Shape::Video],
            through: Through::OpenMarket,
        },
        hour: HourOfWeek::new(0, 8),
        format: FormatKind::Video,
    }
}

fn buying(goal: Goal, max_cpm: Option<i64>, multipliers: Vec<Multiplier>) -> Campaign {
    Campaign {
        goal,
        max_cpm: max_cpm.map(Cpm::from_micros),
        multipliers,
        ..campaign("c")
    }
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "a table with a row for each dimension"
)]
fn each_dimension_is_asked_and_what_is_not_known_applies_nowhere() {
    let eight = HourOfWeek::new(0, 8).into_iter().collect::<HoursOfWeek>();
    let nine = HourOfWeek::new(0, 9).into_iter().collect::<HoursOfWeek>();
    let sites = |name| InventoryList::new(vec![domain(name)], Vec::new());
    let any = Conditions::default;
    let rows = [
        (
            "country",
            in_countries(&["SGP", "THA"]),
            in_countries(&["SGP"]),
        ),
        (
            "device",
            Conditions {
                devices: vec![DeviceType::Mobile],
                ..any()
            },
            Conditions {
                devices: vec![DeviceType::Tablet],
                ..any()
            },
        ),
        (
            "os",
            Conditions {
                systems: vec![Os::Android],
                ..any()
            },
            Conditions {
                systems: vec![Os::Ios],
                ..any()
            },
        ),
        (
            "language",
            Conditions {
                languages: Language::parse("th").into_iter().collect(),
                ..any()
            },
            Conditions {
                languages: Language::parse("en").into_iter().collect(),
                ..any()
            },
        ),
        (
            "exchange",
            Conditions {
                exchanges: vec![ExchangeKey::of("adx")],
                ..any()
            },
            Conditions {
                exchanges: vec![ExchangeKey::of("xandr")],
                ..any()
            },
        ),
        (
            "site and what is below it",
            Conditions {
                inventory: sites("news.example"),
                ..any()
            },
            Conditions {
                inventory: sites("sport.example"),
                ..any()
            },
        ),
        (
            "category and what is below it",
            Conditions {
                categories: vec![category("IAB8")],
                ..any()
            },
            Conditions {
                categories: vec![category("IAB8-7")],
                ..any()
            },
        ),
        (
            "segment",
            Conditions {
                segments: vec![SegmentKey::of("dmp/1")],
                ..any()
            },
            Conditions {
                segments: vec![SegmentKey::of("dmp/2")],
                ..any()
            },
        ),
        (
            "hour",
            Conditions {
                hours: Some(eight),
                ..any()
            },
            Conditions {
                hours: Some(nine),
                ..any()
            },
        ),
        (
            "format",
            Conditions {
                formats: vec![FormatKind::Video, FormatKind::Audio],
                ..any()
            },
            Conditions {
                formats: vec![FormatKind::Banner],
                ..any()
            },
        ),
        (
            "two dimensions",
            Conditions {
                formats: vec![FormatKind::Video],
                ..in_countries(&["THA"])
            },
            Conditions {
                formats: vec![FormatKind::Banner],
                ..in_countries(&["THA"])
            },
        ),
    ];
    let (categories, segments) = (about(&["IAB8-18"]), [SegmentKey::of("dmp/1")]);
    let known = moment(&categories, &segments);
    let nothing = about(&[]);
    let unknown = Moment {
        query: Query {
            country: None,
            device: None,
            system: None,
            language: None,
            site: None,
            exchange: ExchangeKey::of("other"),
            ..moment(&nothing, &[]).query
        },
        hour: None,
        format: FormatKind::Native,
    };
    let applies = |when: &Conditions, moment: &Moment<'_>| {
        let one = buying(
            Goal::Cpm(Cpm::from_micros(CPM)),
            None,
            vec![by(2_000, when.clone())],
        );
        one.worth(None, || *moment).value == Cpm::from_micros(2 * CPM)
    };
    for (what, so, not) in rows {
        assert!(applies(&so, &known), "{what}");
        assert!(!applies(&not, &known), "another {what}");
        assert!(!applies(&so, &unknown), "no {what} is known");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table with a row for each path")]
fn the_path_of_a_price_is_base_times_multipliers_up_to_the_highest() {
    let thai = || by(1_200, in_countries(&["THA"]));
    let video = || {
        let formats = vec![FormatKind::Video];
        by(
            1_500,
            Conditions {
                formats,
                ..Conditions::default()
            },
        )
    };
    let elsewhere = || by(9_000, in_countries(&["SGP"]));
    let rate = |billionths| Some(ClickRate::from_billionths(billionths));
    let per_mille = Goal::Cpm(Cpm::from_micros(2_500_000));
    let click = Goal::Cpc(Nanos::new(400_000_000));
    // goal, margin, highest, multipliers, click rate → base, factor, whether capped, value
    let rows = [
        (
            per_mille,
            0,
            None,
            vec![],
            None,
            2_500_000,
            "1",
            false,
            2_500_000,
        ),
        (
            per_mille,
            0,
            None,
            vec![thai()],
            None,
            2_500_000,
            "1.2",
            false,
            3_000_000,
        ),
        (
            per_mille,
            0,
            None,
            vec![thai(), elsewhere(), video()],
            None,
            2_500_000,
            "1.8",
            false,
            4_500_000,
        ),
        (
            per_mille,
            0,
            Some(4_000_000),
            vec![thai(), video()],
            None,
            2_500_000,
            "1.8",
            true,
            4_000_000,
        ),
        (
            per_mille,
            500,
            None,
            vec![thai()],
            None,
            2_500_000,
            "1.2",
            false,
            3_000_000,
        ),
        (
            click,
            0,
            Some(9_000_000),
            vec![],
            rate(1_000_000),
            400_000,
            "1",
            false,
            400_000,
        ),
        (
            click,
            250,
            Some(9_000_000),
            vec![],
            rate(1_000_000),
            320_000,
            "1",
            false,
            320_000,
        ),
        (
            click,
            0,
            Some(9_000_000),
            vec![thai()],
            rate(1_000_000),
            400_000,
            "1.2",
            false,
            480_000,
        ),
        (
            click,
            0,
            Some(300_000),
            vec![],
            rate(1_000_000),
            400_000,
            "1",
            true,
            300_000,
        ),
        (
            click,
            0,
            Some(9_000_000),
            vec![],
            None,
            400,
            "1",
            false,
            400,
        ),
    ];
    let categories = about(&[]);
    for (row, (goal, margin, most, multipliers, click_rate, base, factor, capped, value)) in
        rows.into_iter().enumerate()
    {
        let mut one = buying(goal, most, multipliers);
        one.margin_per_mille = margin;
        let worth = one.worth(click_rate, || moment(&categories, &[]));
        assert_eq!(worth.base.micros(), base, "row {row}");
        assert_eq!(worth.factor.to_string(), factor, "row {row}");
        assert_eq!(worth.capped_at.is_some(), capped, "row {row}");
        assert_eq!(worth.value.micros(), value, "row {row}");
    }
    let both = buying(per_mille, None, vec![thai(), elsewhere(), video()]);
    let worth = both.worth(None, || moment(&categories, &[]));
    let named: Vec<u32> = worth
        .applied
        .of(&both.multipliers)
        .map(|it| it.by_per_mille)
        .collect();
    assert_eq!(named, [1_200, 1_500], "which of them applied");
}

#[test]
fn a_product_does_not_depend_on_its_order_and_stays_within_a_hundredfold() {
    let product = |factors: &[u32]| Factor::product(factors.iter().copied());
    let tiny_first = [[100; 8], [10_000; 8]].concat();
    assert_eq!(product(&tiny_first), Factor::ONE);
    assert_eq!(product(&[10_000, 10_000, 10_000]), Factor::MAX);
    assert_eq!(product(&[100, 100, 100]), Factor::MIN);
    assert_eq!(product(&[]), Factor::ONE);
}

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

#[test]
fn what_makes_no_sense_is_a_fault_that_says_what_to_do() {
    let per_mille = || Goal::Cpm(Cpm::from_micros(2_500_000));
    let click = || Goal::Cpc(Nanos::new(400_000_000));
    let thai = |factor| by(factor, in_countries(&["THA"]));
    let rows = [
        (
            buying(Goal::Cpc(Nanos::ZERO), Some(1), vec![]),
            "what a click costs must be above 0",
        ),
        (
            buying(click(), None, vec![]),
            "highest price is missing; who buys clicks must say",
        ),
        (
            buying(click(), Some(0), vec![]),
            "highest price must be above 0",
        ),
        (
            buying(per_mille(), Some(2_499_999), vec![]),
            "highest price is below the price",
        ),
        (
            buying(per_mille(), None, vec![thai(0)]),
            "multiplier 1: by = \"0\" is no multiplier but an exclusion",
        ),
        (
            buying(per_mille(), None, vec![thai(1_100), thai(99)]),
            "multiplier 2: by must be from 0.1 to 10",
        ),
        (
            buying(per_mille(), None, vec![thai(10_001)]),
            "multiplier 1: by must be from 0.1 to 10",
        ),
        (
            buying(per_mille(), None, vec![by(2_000, Conditions::default())]),
            "multiplier 1: names nothing",
        ),
        (
            buying(per_mille(), None, vec![thai(1_100); MULTIPLIERS_MAX + 1]),
            "needs at most 16 multipliers",
        ),
        (
            buying(
                per_mille(),
                None,
                vec![by(2_000, in_countries(&["THA"; VALUES_MAX + 1]))],
            ),
            "multiplier 1: names more than 256 values",
        ),
    ];
    for (one, said) in rows {
        let faults: Vec<String> = one.faults().iter().map(CampaignFault::to_string).collect();
        assert_eq!(faults.len(), 1, "{said}: {faults:?}");
        assert!(faults[0].starts_with(said), "{said}: {faults:?}");
    }
    let control = buying(click(), Some(CPM), vec![thai(100), thai(10_000)]);
    assert_eq!(control.faults(), []);
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
