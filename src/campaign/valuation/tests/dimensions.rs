//! What a multiplier may ask, one row a dimension.

use super::*;
use crate::campaign::fixture::domain;
use crate::campaign::{HoursOfWeek, InventoryList};

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
