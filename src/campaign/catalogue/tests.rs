//! The index against a scan that knows nothing of it, and what a catalogue leaves out.

mod any;
mod exclusions;
mod left_out;
mod scan;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::campaign::fixture::{campaign, catalogue, country};
use crate::campaign::{
    Category, CategorySet, Country, DeviceType, HourOfWeek, Language, Lists, Market, MoreSegments,
    Os, Reach, Shape,
};
use crate::units::{ExchangeKey, RegionKey, SegmentKey};
use any::{any_campaigns, any_seen, deals, shapes};
use exclusions::{in_singapore, misexplained};
use scan::scanned;

const NOW: UnixMillis = UnixMillis::new(1_763_672_400_000);
const HOUR_MS: i64 = 3_600_000;

/// A request as plain values.
#[derive(Clone, Debug)]
struct Seen {
    region: RegionKey,
    exchange: ExchangeKey,
    country: Option<Country>,
    device: Option<DeviceType>,
    system: Option<Os>,
    language: Option<Language>,
    at: UnixMillis,
    site: Option<&'static str>,
    app: Option<&'static str>,
    categories: Vec<Category>,
    shapes: Vec<Shape>,
    segments: Vec<SegmentKey>,
    more_segments: MoreSegments,
    /// The deals it is sold on, or the open market.
    deals: Option<Vec<&'static str>>,
}

fn with_query<T>(seen: &Seen, ask: impl FnOnce(&Query<'_>) -> T) -> T {
    let categories: CategorySet = seen.categories.iter().copied().collect();
    // Whoever says that the user is in a segment, it is one.
    let (of_others, own) = seen.segments.split_at(seen.segments.len() / 2);
    ask(&Query {
        region: seen.region,
        exchange: seen.exchange,
        country: seen.country,
        device: seen.device,
        system: seen.system,
        language: seen.language,
        at: seen.at,
        site: seen.site,
        app: seen.app,
        categories: &categories,
        segments: of_others,
        own_segments: own,
        more_segments: seen.more_segments,
        shapes: &seen.shapes,
        through: match &seen.deals {
            None => Through::OpenMarket,
            Some(deals) => Through::Deals(deals),
        },
    })
}

fn found(catalogue: &Catalogue, seen: &Seen) -> Vec<Arc<str>> {
    with_query(seen, |query| {
        catalogue
            .search(query)
            .filter_map(|rank| catalogue.offer(rank))
            .filter(|offer| catalogue.is_on(offer, seen.at))
            .map(|offer| Arc::clone(&offer.campaign.id))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_index_finds_what_a_scan_finds(campaigns in any_campaigns(), requests in vec(any_seen(), 1..12)) {
        let catalogue = catalogue(campaigns.clone(), NOW);
        prop_assert_eq!(catalogue.len(), campaigns.len());
        for seen in &requests {
            prop_assert_eq!(found(&catalogue, seen), scanned(&campaigns, seen));
        }
    }

    #[test]
    fn an_exclusion_is_told_of_exactly_those_that_the_index_does_not_name(
        campaigns in any_campaigns(), requests in vec(any_seen(), 1..12),
    ) {
        let catalogue = catalogue(campaigns, NOW);
        for seen in &requests {
            prop_assert_eq!(misexplained(&catalogue, seen), []);
        }
    }
}

#[test]
fn a_catalogue_of_other_campaigns_does_not_agree_with_the_scan() {
    let mut campaigns = [campaign("a"), campaign("b")];
    let right = catalogue(campaigns.clone(), NOW);
    assert_eq!(
        found(&right, &in_singapore()),
        scanned(&campaigns, &in_singapore())
    );
    campaigns[0].targeting.countries = Lists::except([country("SGP")]);
    assert_ne!(
        found(&right, &in_singapore()),
        scanned(&campaigns, &in_singapore())
    );
}

#[test]
fn a_catalogue_without_campaigns_finds_none() {
    assert_eq!(
        Catalogue::empty()
            .search(&Query {
                shapes: &shapes(),
                ..query_of(&CategorySet::EMPTY)
            })
            .count(),
        0
    );
}

fn query_of(categories: &CategorySet) -> Query<'_> {
    Query {
        region: RegionKey::of("sg"),
        exchange: ExchangeKey::of("adx"),
        country: None,
        device: None,
        system: None,
        language: None,
        at: NOW,
        site: None,
        app: None,
        categories,
        segments: &[],
        own_segments: &[],
        more_segments: MoreSegments::None,
        shapes: &[],
        through: Through::OpenMarket,
    }
}
