//! What the index leaves out, by the name of its dimension.

use super::any::{languages, segments};
use super::*;
use crate::campaign::HoursOfWeek;
use crate::campaign::fixture::{category, domain, size, video};

/// Those whose exclusion is not the index's answer: named and excluded by more than hours, or neither.
pub(super) fn misexplained(
    catalogue: &Catalogue,
    seen: &Seen,
) -> Vec<(Arc<str>, Option<Exclusion>)> {
    with_query(seen, |query| {
        let named: Vec<Rank> = catalogue.search(query).collect();
        let ranks = (0..).map(Rank).zip(catalogue.offers());
        let all = ranks.map(|(rank, offer)| {
            let exclusion = catalogue.exclusion(offer, query);
            (
                Arc::clone(&offer.campaign.id),
                named.contains(&rank),
                exclusion,
            )
        });
        all.filter(|(_, is_named, exclusion)| match exclusion {
            None => !is_named,
            // The index knows hours in UTC, and may be an hour early or late.
            Some(Exclusion::Hours) => false,
            Some(_) => *is_named,
        })
        .map(|(id, _, exclusion)| (id, exclusion))
        .collect()
    })
}

#[test]
pub(super) fn each_dimension_that_excludes_is_told_by_its_name() {
    let told = |change: fn(&mut Campaign)| {
        let mut one = campaign("c");
        change(&mut one);
        let catalogue = catalogue([one], NOW);
        let offer = &catalogue.offers()[0];
        with_query(&in_singapore(), |query| catalogue.exclusion(offer, query))
    };
    assert_eq!(told(|_| {}), None, "the control");
    for (change, exclusion) in [
        (
            (|c| c.regions = Reach::Only(vec![RegionKey::of("eu")])) as fn(&mut Campaign),
            Exclusion::Region,
        ),
        (
            |c| c.exchanges = Reach::Only(vec![ExchangeKey::of("xandr")]),
            Exclusion::Exchange,
        ),
        (
            |c| c.targeting.countries = Lists::only([country("THA")]),
            Exclusion::Country,
        ),
        (
            |c| c.targeting.devices = Lists::only([DeviceType::Mobile]),
            Exclusion::Device,
        ),
        (
            |c| c.targeting.systems = Lists::only([Os::Ios]),
            Exclusion::System,
        ),
        (
            |c| c.targeting.languages = Lists::only(languages()),
            Exclusion::Language,
        ),
        (
            |c| c.targeting.sites = Lists::only([domain("news.example")]),
            Exclusion::Inventory,
        ),
        (
            |c| c.targeting.categories = Lists::only([category("IAB9")]),
            Exclusion::Category,
        ),
        (
            |c| c.targeting.segments = Lists::only(segments()),
            Exclusion::Segment,
        ),
        (|c| c.creatives = vec![video("v")], Exclusion::Shape),
        (
            |c| {
                c.market = Market::DealsOnly;
                c.deals = deals();
            },
            Exclusion::Market,
        ),
        (
            |c| {
                c.targeting.hours = HoursOfWeek::NONE;
                let now = HourOfWeek::at(NOW, 0);
                c.targeting.hours.insert(now.later(24));
            },
            Exclusion::Hours,
        ),
    ] {
        assert_eq!(told(change), Some(exclusion));
    }
}

pub(super) fn in_singapore() -> Seen {
    Seen {
        region: RegionKey::of("sg"),
        exchange: ExchangeKey::of("adx"),
        country: Some(country("SGP")),
        device: None,
        system: None,
        language: None,
        at: NOW,
        site: None,
        app: None,
        categories: Vec::new(),
        shapes: vec![Shape::Banner(size(300, 250))],
        segments: Vec::new(),
        more_segments: MoreSegments::None,
        deals: None,
    }
}

#[test]
pub(super) fn more_categories_than_are_looked_at_exclude_rather_than_admit() {
    let many: Vec<Category> = (1..=26)
        .map(|tier1| category(&format!("IAB{tier1}")))
        .collect();
    let mut narrow = campaign("a");
    narrow.targeting.categories = Lists::except(many.clone());
    let open = campaign("b");
    let others = many.iter().map(|excluded| {
        let id = excluded.to_string();
        let mut other = campaign(&id);
        other.targeting.categories = Lists::except([*excluded]);
        other
    });
    let catalogue = catalogue(others.chain([narrow, open]), NOW);
    let seen = Seen {
        categories: many,
        ..in_singapore()
    };
    assert_eq!(found(&catalogue, &seen), ["b".into()]);
}
