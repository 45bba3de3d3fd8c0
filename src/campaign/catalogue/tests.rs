//! The index against a scan that knows nothing of it, and what a catalogue leaves out.

use jiff::tz::TimeZone;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::campaign::fixture::{
    banner, campaign, catalogue, catalogue_and_left_out, category, country, domain, native, size,
    video,
};
use crate::campaign::{
    Bundle, Category, CategorySet, Deal, DeviceType, HourOfWeek, HoursOfWeek, Language, Lists,
    Market, MoreSegments, Os, Reach, Shape, Targeting,
};
use crate::units::{Currency, ExchangeKey, Rate, RegionKey, SegmentKey};

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

use crate::campaign::Country;

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

/// Those whose exclusion is not the index's answer: named and excluded by more than hours, or neither.
fn misexplained(catalogue: &Catalogue, seen: &Seen) -> Vec<(Arc<str>, Option<Exclusion>)> {
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

/// What the documents of `Targeting` say, one campaign at a time.
fn scanned(campaigns: &[Campaign], seen: &Seen) -> Vec<Arc<str>> {
    let mut wanted: Vec<&Campaign> = campaigns
        .iter()
        .filter(|campaign| wants(campaign, seen))
        .collect();
    wanted.sort_by_key(|campaign| (std::cmp::Reverse(campaign.price_max()), campaign.key));
    wanted
        .into_iter()
        .map(|campaign| Arc::clone(&campaign.id))
        .collect()
}

fn wants(campaign: &Campaign, seen: &Seen) -> bool {
    fn asks<T>(lists: &Lists<T>, is: impl Fn(&T) -> bool) -> bool {
        (lists.include.is_empty() || lists.include.iter().any(&is)) && !lists.exclude.iter().any(is)
    }
    let targeting = &campaign.targeting;
    let reaches = |reach: &Reach<RegionKey>| match reach {
        Reach::All => true,
        Reach::Only(places) => places.contains(&seen.region),
    };
    let buys = match &campaign.exchanges {
        Reach::All => true,
        Reach::Only(places) => places.contains(&seen.exchange),
    };
    let device = |asked: &DeviceType| match (asked, seen.device) {
        (DeviceType::Mobile, Some(DeviceType::Phone | DeviceType::Tablet)) => true,
        (asked, seen) => Some(*asked) == seen,
    };
    let on_site = |asked: &Domain| {
        seen.site.is_some_and(|site| {
            site == asked.as_str() || site.ends_with(&format!(".{}", asked.as_str()))
        })
    };
    let in_app = |asked: &Bundle| seen.app == Some(asked.as_str());
    let about = |asked: &Category| {
        let asked = asked.to_string();
        seen.categories
            .iter()
            .any(|it| it.to_string() == asked || it.to_string().starts_with(&format!("{asked}-")))
    };
    let (sites, apps) = (&targeting.sites, &targeting.apps);
    let inventory = sites.include.is_empty() && apps.include.is_empty()
        || sites.include.iter().any(on_site)
        || apps.include.iter().any(in_app);
    let local = jiff::Timestamp::from_millisecond(seen.at.get())
        .unwrap()
        .to_zoned(campaign.time_zone.clone());
    let day = u8::try_from(local.weekday().to_monday_zero_offset()).unwrap();
    let hour = HourOfWeek::new(day, u8::try_from(local.hour()).unwrap()).unwrap();
    reaches(&campaign.regions)
        && buys
        && asks(&targeting.countries, |asked| Some(*asked) == seen.country)
        && asks(&targeting.devices, device)
        && asks(&targeting.systems, |asked| Some(*asked) == seen.system)
        && asks(&targeting.languages, |asked| Some(*asked) == seen.language)
        && inventory
        && !sites.exclude.iter().any(on_site)
        && !apps.exclude.iter().any(in_app)
        && asks(&targeting.categories, about)
        && targeting.hours.contains(hour)
        && campaign
            .starts_at
            .is_none_or(|start| start.get() <= seen.at.get())
        && campaign.ends_at.is_none_or(|end| seen.at.get() < end.get())
        && has_shape(campaign, &seen.shapes)
        && asks(&targeting.segments, |asked| seen.segments.contains(asked))
        && (seen.more_segments == MoreSegments::None || targeting.segments.exclude.is_empty())
        && match &seen.deals {
            None => campaign.market == Market::Open,
            Some(ids) => campaign
                .deals
                .iter()
                .any(|deal| deal.exchange == seen.exchange && ids.contains(&&*deal.id)),
        }
}

fn has_shape(campaign: &Campaign, shapes: &[Shape]) -> bool {
    campaign.creatives.iter().any(|creative| {
        let shape = creative.shape();
        let is_banner = matches!(shape, Shape::Banner(_));
        shapes.contains(&shape) || is_banner && shapes.contains(&Shape::AnyBanner)
    })
}

use crate::campaign::Domain;

const SITES: [&str; 5] = [
    "news.example",
    "sport.news.example",
    "a.b.sport.news.example",
    "mews.example",
    "x.org",
];
const APPS: [&str; 3] = ["com.example.game", "com.example.chat", "431684529"];
const CATEGORIES: [&str; 5] = ["IAB1", "IAB1-2", "IAB9", "IAB9-30", "IAB25-3"];

const DEALS: [&str; 3] = ["d1", "d2", "d3"];

fn segments() -> Vec<SegmentKey> {
    ["p/1", "p/2", "q/1"].map(SegmentKey::of).to_vec()
}

fn deals() -> Vec<Deal> {
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

fn countries() -> Vec<Country> {
    ["SG", "ID", "TH", "DE"].map(country).to_vec()
}

fn languages() -> Vec<Language> {
    ["en", "th", "id"]
        .map(|tag| Language::parse(tag).unwrap())
        .to_vec()
}

fn regions() -> Vec<RegionKey> {
    ["sg", "id", "row"].map(RegionKey::of).to_vec()
}

fn exchanges() -> Vec<ExchangeKey> {
    ["adx", "xandr"].map(ExchangeKey::of).to_vec()
}

fn shapes() -> Vec<Shape> {
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
fn lists<T: Clone + std::fmt::Debug + 'static>(pool: Vec<T>) -> impl Strategy<Value = Lists<T>> {
    let some = move || subsequence(pool.clone(), 0..=pool.len().min(3));
    prop_oneof![
        4 => Just(Lists::default()),
        2 => some().prop_map(Lists::only),
        1 => some().prop_map(Lists::except),
        1 => (some(), some()).prop_map(|(include, exclude)| Lists { include, exclude }),
    ]
}

fn reach<K: Copy + std::fmt::Debug + 'static>(pool: Vec<K>) -> impl Strategy<Value = Reach<K>> {
    let all = pool.len();
    prop_oneof![
        Just(Reach::All),
        subsequence(pool, 1..=all).prop_map(Reach::Only)
    ]
}

fn hours() -> impl Strategy<Value = HoursOfWeek> {
    let some = vec(any::<bool>(), 168).prop_map(|on| {
        let hours = HourOfWeek::all()
            .zip(on)
            .filter(|(_, on)| *on)
            .map(|(hour, _)| hour);
        hours.collect::<HoursOfWeek>()
    });
    prop_oneof![3 => Just(HoursOfWeek::ALL), 1 => some]
}

fn targeting() -> impl Strategy<Value = Targeting> {
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
    fn any_seen()(
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
fn any_campaigns() -> impl Strategy<Value = Vec<Campaign>> {
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
fn each_dimension_that_excludes_is_told_by_its_name() {
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

fn in_singapore() -> Seen {
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
fn more_categories_than_are_looked_at_exclude_rather_than_admit() {
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

#[test]
fn campaigns_that_cannot_be_offered_are_left_out_with_a_reason_and_still_known() {
    let eur = Currency::parse("EUR").unwrap();
    let inactive = Campaign {
        active: false,
        ..campaign("inactive")
    };
    let ended = Campaign {
        ends_at: Some(NOW),
        ..campaign("ended")
    };
    let foreign = Campaign {
        currency: eur,
        ..campaign("foreign")
    };
    let empty = Campaign {
        creatives: Vec::new(),
        ..campaign("empty")
    };
    let given = [
        campaign("a"),
        inactive,
        ended,
        foreign,
        empty,
        campaign("a"),
    ];
    let (catalogue, left_out) = catalogue_and_left_out(given.clone(), &Rates::default(), NOW);
    let reasons: Vec<(&str, &WhyLeftOut)> = left_out.iter().map(|it| (&*it.id, &it.why)).collect();
    assert_eq!(
        reasons,
        [
            ("inactive", &WhyLeftOut::Inactive),
            ("ended", &WhyLeftOut::Ended),
            ("foreign", &WhyLeftOut::NoRate),
            ("empty", &WhyLeftOut::Faulty(CampaignFault::Creatives)),
            ("a", &WhyLeftOut::Twice),
        ]
    );
    assert_eq!(catalogue.len(), 1);
    let click = catalogue.creative(CampaignKey::of("ended"), CreativeKey::of("ended-300x250"));
    assert!(
        click.is_some(),
        "a click may come when its campaign has ended"
    );

    let rates = Rates::new([(eur, Rate::from_billionths(2_000_000_000).unwrap())]);
    let (catalogue, _) = catalogue_and_left_out(given, &rates, NOW);
    let order: Vec<&str> = catalogue
        .offers()
        .iter()
        .map(|offer| &*offer.campaign.id)
        .collect();
    assert_eq!(order, ["foreign", "a"], "two dollars to the euro");
    assert_eq!(catalogue.worth(Cpm::from_micros(2_500_001)), 1);
    assert_eq!(catalogue.worth(Cpm::from_micros(2_500_000)), 2);
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
