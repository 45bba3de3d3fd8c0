//! Any campaign and any request, from pools so small that they meet.

use jiff::tz::TimeZone;
use proptest::sample::{select, subsequence};

use super::*;
use crate::campaign::fixture::{banner, category, domain, native, size, video};
use crate::campaign::{Bundle, Deal, HoursOfWeek, Targeting};

pub(super) const SITES: [&str; 5] = [
    "news.example",
    "sport.news.example",
    "a.b.sport.news.example",
    "mews.example",
    "x.org",
];
pub(super) const APPS: [&str; 3] = ["com.example.game", "com.example.chat", "431684529"];
pub(super) const CATEGORIES: [&str; 5] = ["IAB1", "IAB1-2", "IAB9", "IAB9-30", "IAB25-3"];

pub(super) const DEALS: [&str; 3] = ["d1", "d2", "d3"];

pub(super) fn segments() -> Vec<SegmentKey> {
    ["p/1", "p/2", "q/1"].map(SegmentKey::of).to_vec()
}

pub(super) fn deals() -> Vec<Deal> {
    let of = |exchange| {
        DEALS.map(|id| Deal {
            id: id.into(),
            exchange,
            price: None,
            guaranteed: false,
        })
    };
    exchanges().into_iter().flat_map(of).collect()
}

pub(super) fn countries() -> Vec<Country> {
    ["SG", "ID", "TH", "DE"].map(country).to_vec()
}

pub(super) fn languages() -> Vec<Language> {
    ["en", "th", "id"]
        .map(|tag| Language::parse(tag).unwrap())
        .to_vec()
}

pub(super) fn regions() -> Vec<RegionKey> {
    ["sg", "id", "row"].map(RegionKey::of).to_vec()
}

pub(super) fn exchanges() -> Vec<ExchangeKey> {
    ["adx", "xandr"].map(ExchangeKey::of).to_vec()
}

pub(super) fn shapes() -> Vec<Shape> {
    vec![
        Shape::Banner(size(300, 250)),
        Shape::Banner(size(320, 50)),
        Shape::AnyBanner,
        Shape::Video,
        Shape::Audio,
        Shape::Native,
    ]
}

/// Mostly open, so that a campaign with eight dimensions is found now and then.
pub(super) fn lists<T: Clone + std::fmt::Debug + 'static>(
    pool: Vec<T>,
) -> impl Strategy<Value = Lists<T>> {
    let some = move || subsequence(pool.clone(), 0..=pool.len().min(3));
    prop_oneof![
        4 => Just(Lists::default()),
        2 => some().prop_map(Lists::only),
        1 => some().prop_map(Lists::except),
        1 => (some(), some()).prop_map(|(include, exclude)| Lists { include, exclude }),
    ]
}

pub(super) fn reach<K: Copy + std::fmt::Debug + 'static>(
    pool: Vec<K>,
) -> impl Strategy<Value = Reach<K>> {
    let all = pool.len();
    prop_oneof![
        Just(Reach::All),
        subsequence(pool, 1..=all).prop_map(Reach::Only)
    ]
}

pub(super) fn hours() -> impl Strategy<Value = HoursOfWeek> {
    let some = vec(any::<bool>(), 168).prop_map(|on| {
        let hours = HourOfWeek::all()
            .zip(on)
            .filter(|(_, on)| *on)
            .map(|(hour, _)| hour);
        hours.collect::<HoursOfWeek>()
    });
    prop_oneof![3 => Just(HoursOfWeek::ALL), 1 => some]
}

pub(super) fn targeting() -> impl Strategy<Value = Targeting> {
    let domains = SITES.map(domain).to_vec();
    let bundles = APPS.map(|app| Bundle::parse(app).unwrap()).to_vec();
    let categories = CATEGORIES.map(category).to_vec();
    let who = (
        lists(countries()),
        lists(DeviceType::ALL.to_vec()),
        lists(Os::ALL[..3].to_vec()),
        lists(languages()),
    );
    (
        who,
        lists(domains),
        lists(bundles),
        lists(categories),
        (hours(), lists(segments())),
    )
        .prop_map(
            |(
                (countries, devices, systems, languages),
                sites,
                apps,
                categories,
                (hours, segments),
            )| {
                Targeting {
                    countries,
                    devices,
                    systems,
                    languages,
                    sites,
                    apps,
                    categories,
                    segments,
                    hours,
                }
            },
        )
}

prop_compose! {
    fn any_campaign()(
        targeting in targeting(),
        regions in reach(regions()),
        exchanges in reach(exchanges()),
        price in 1i64..20,
        zone in select(vec!["UTC", "Asia/Singapore", "America/New_York", "Asia/Kolkata", "Pacific/Chatham"]),
        starts_in in option::weighted(0.2, -30i64..30),
        lasts in option::weighted(0.2, 1i64..60),
        formats in subsequence(vec![0, 1, 2, 3], 1..=4),
        deals in option::weighted(0.3, subsequence(deals(), 1..=3)),
        market in prop_oneof![3 => Just(Market::Open), 1 => Just(Market::DealsOnly)],
    ) -> Campaign {
        let starts_at = starts_in.map(|hours| UnixMillis::new(NOW.get() + hours * HOUR_MS));
        let ends_from = starts_at.unwrap_or(NOW);
        let creatives = [banner("b", 300, 250), banner("c", 320, 50), video("v"), native("n")];
        Campaign {
            targeting,
            regions,
            market: if deals.is_some() { market } else { Market::Open },
            deals: deals.into_iter().flatten().filter(|deal| exchanges.includes(&deal.exchange)).collect(),
            exchanges,
            goal: Goal::Cpm(Cpm::from_micros(price * 100_000)),
            time_zone: TimeZone::get(zone).unwrap(),
            starts_at,
            ends_at: lasts.map(|hours| UnixMillis::new(ends_from.get() + hours * HOUR_MS)),
            creatives: formats.into_iter().map(|format| creatives[format].clone()).collect(),
            ..campaign("x")
        }
    }
}

prop_compose! {
    pub(super) fn any_seen()(
        place in (select(regions()), select(exchanges()), option::of(select(countries()))),
        who in (option::of(select(DeviceType::ALL.to_vec())), option::of(select(Os::ALL[..4].to_vec())), option::of(select(languages()))),
        quarters in 0i64..96 * 240,
        channel in prop_oneof![
            select(SITES.to_vec()).prop_map(|site| (Some(site), None)),
            select(APPS.to_vec()).prop_map(|app| (None, Some(app))),
            Just((None, None)),
        ],
        categories in subsequence(CATEGORIES.to_vec(), 0..=2),
        shapes in subsequence(shapes(), 0..=4),
        segments in subsequence(segments(), 0..=3),
        more_segments in select(vec![MoreSegments::None, MoreSegments::Unread]),
        deals in option::weighted(0.3, subsequence(DEALS.to_vec(), 0..=3)),
    ) -> Seen {
        Seen {
            region: place.0,
            exchange: place.1,
            country: place.2,
            device: who.0,
            system: who.1,
            language: who.2,
            at: UnixMillis::new(NOW.get() + quarters * HOUR_MS / 4),
            site: channel.0,
            app: channel.1,
            categories: categories.into_iter().map(category).collect(),
            shapes,
            segments,
            more_segments,
            deals,
        }
    }
}

/// Campaigns with names of their own, none of them over at `NOW`.
pub(super) fn any_campaigns() -> impl Strategy<Value = Vec<Campaign>> {
    vec(any_campaign(), 0..200).prop_map(|campaigns| {
        let named = campaigns.into_iter().enumerate().map(|(number, campaign)| {
            let id = format!("c{number}");
            Campaign {
                key: CampaignKey::of(&id),
                id: id.into(),
                ..campaign
            }
        });
        named
            .filter(|campaign| {
                campaign.ends_at.is_none_or(|end| end > NOW)
                    && !campaign.targeting.hours.is_empty()
                    && (campaign.market == Market::Open || !campaign.deals.is_empty())
            })
            .collect()
    })
}
