use std::cell::Cell;
use std::num::NonZeroUsize;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::bidding::{
    AddressRange, ChainRule, Inquiry, Place, Pods, Seller, SupplyPolicy, Told, Traffic,
};
use crate::campaign::fixture::{
    banner, campaign, catalogue, catalogue_and_left_out, domain, judged, native, video,
};
use crate::campaign::{
    Advertiser, Approval, Approvals, Bundle, Campaign, Category, CategoryPath, Classified, Deal,
    Format, Goal, InventoryList, Language, Lists, Market, Rates, Reach, Transparency,
};
use crate::openrtb::decode;
use crate::units::{CreativeKey, Currency, ExchangeKey, RegionKey, SegmentKey, UnixMillis};

mod deals;
mod naive;
mod privacy;
mod valued;

const NOW: UnixMillis = UnixMillis::new(1_790_000_000_000);

/// Money that says what a test wants, and counts what it was asked.
struct Purse {
    draws: bool,
    refuses: Option<PassReason>,
    promised: Vec<Offered>,
}

impl Purse {
    fn full() -> Self {
        Self {
            draws: true,
            refuses: None,
            promised: Vec::new(),
        }
    }
}

impl Funds for Purse {
    type Hold = CampaignKey;

    fn draws(&mut self, _: CampaignSlot, _: Nanos) -> Result<bool, PassReason> {
        Ok(self.draws)
    }

    fn promise(&mut self, offered: &Offered) -> Result<CampaignKey, PassReason> {
        self.promised.push(*offered);
        self.refuses.map_or(Ok(offered.campaign), Err)
    }
}

fn request(change: &Value) -> Value {
    let mut request = json!({
        "id": "r", "imp": [{ "id": "1", "banner": { "w": 300, "h": 250 } }],
        "site": { "domain": "news.example" },
    });
    for (key, value) in change.as_object().into_iter().flatten() {
        request[key] = value.clone();
    }
    request
}

fn place(rates: &Rates) -> Place<'_> {
    Place {
        exchange: ExchangeKey::of("adx"),
        seat: None,
        seats: &[],
        supply: None,
        traffic: None,
        bids_per_imp: NonZeroUsize::MIN,
        region: RegionKey::of("sg"),
        user: None,
        own_segments: &[],
        at: NOW,
        rates,
        ceiling: None,
        has_secure_notices: true,
    }
}

type Chosen = Result<Choice<CampaignKey>, PassReason>;

/// What is chosen for the first impression of a request.
fn choose(request: &Value, catalogue: &Catalogue, place: Place<'_>, purse: &mut Purse) -> Chosen {
    let bytes = request.to_string();
    let request = decode(bytes.as_bytes()).unwrap();
    let context = Context::read(&request, place)?;
    let mut chance = Opportunity::read(&request.imps[0], 0, &context)?;
    let mut choices = Vec::new();
    decide(
        (&context, &mut chance),
        catalogue,
        &mut choices,
        purse,
        &|| false,
    )?;
    Ok(choices.remove(0))
}

fn reason(change: &Value, one: Campaign) -> Option<PassReason> {
    let rates = Rates::default();
    let catalogue = catalogue([one], NOW);
    let seats = ["house".into(), "own".into()];
    let supply = SupplyPolicy {
        rule: ChainRule::CompleteIfSent,
        blocked: Seller::parse("bad.example").into_iter().collect(),
        ..SupplyPolicy::default()
    };
    let datacentres = AddressRange::parse("192.0.2.0/24").into_iter().collect();
    let traffic = Traffic::new(&["examplebot".to_owned()], datacentres).unwrap();
    let place = Place {
        seat: Some("house"),
        seats: &seats,
        supply: Some(&supply),
        traffic: Some(&traffic),
        ..place(&rates)
    };
    choose(&request(change), &catalogue, place, &mut Purse::full()).err()
}

/// A campaign whose creative is about one category of one taxonomy.
fn classified(taxonomy: u32, category: &str) -> Campaign {
    let mut one = campaign("c");
    one.creatives[0].classified = vec![Classified {
        taxonomy,
        categories: vec![CategoryPath::parse(category).unwrap()],
    }];
    one
}

/// An advertiser that says who paid.
fn transparent(renders: bool) -> Arc<Advertiser> {
    let mut advertiser = (*campaign("c").advertiser).clone();
    advertiser.transparency = Some(Transparency {
        behalf: "Shoes Ltd".into(),
        paid: "Shoes Holding".into(),
        renders,
        parameters: vec![(domain("shoes.example"), 1 << 2)],
    });
    Arc::new(advertiser)
}

/// An advertiser that runs only on some sites, and not on others.
fn running(allowed: &[&str], blocked: &[&str]) -> Arc<Advertiser> {
    let list = |names: &[&str]| {
        let apps = vec![Bundle::parse("com.example.game").unwrap()];
        let sites = names.iter().map(|name| domain(name)).collect();
        let apps = if names.is_empty() { Vec::new() } else { apps };
        InventoryList::new(sites, apps)
    };
    let mut advertiser = (*campaign("c").advertiser).clone();
    (advertiser.allowed, advertiser.blocked) = (list(allowed), list(blocked));
    Arc::new(advertiser)
}

fn deal(id: &str) -> Deal {
    Deal {
        id: id.into(),
        exchange: ExchangeKey::of("adx"),
        price: None,
        guaranteed: false,
    }
}

/// A campaign that bids on the deal `d` and nowhere else.
fn on_deals_alone() -> Campaign {
    Campaign {
        deals: vec![deal("d")],
        market: Market::DealsOnly,
        ..campaign("c")
    }
}

/// An impression with the deal `d`, about which it says this.
fn on_deal(says: &Value) -> Value {
    let mut deal = json!({ "id": "d" });
    for (key, value) in says.as_object().into_iter().flatten() {
        deal[key] = value.clone();
    }
    imp("pmp", json!({ "deals": [deal] }))
}

fn private_deal(says: &Value) -> Value {
    let mut request = on_deal(says);
    request["imp"][0]["pmp"]["private_auction"] = json!(1);
    request
}

fn imp(key: &str, value: Value) -> Value {
    let mut imp = json!({ "id": "1", "banner": { "w": 300, "h": 250 } });
    imp[key] = value;
    json!({ "imp": [imp] })
}

#[test]
fn the_control_gets_a_bid_at_the_campaigns_price() {
    let rates = Rates::default();
    let choice = choose(
        &request(&json!({})),
        &catalogue([campaign("c")], NOW),
        place(&rates),
        &mut Purse::full(),
    );
    let choice = choice.unwrap();
    assert_eq!(
        (choice.price, choice.hold),
        (Cpm::from_micros(2_500_000), Some(CampaignKey::of("c")))
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table with a row for each rule")]
fn each_rule_refuses_with_its_own_reason() {
    let plain = || campaign("c");
    let with = |change: fn(&mut Campaign)| {
        let mut changed = campaign("c");
        change(&mut changed);
        changed
    };
    let insecure = || with(|campaign| campaign.creatives[0].secure = false);
    let rows: Vec<(PassReason, Value, Campaign)> = vec![
        (
            PassReason::AmbiguousChannel,
            json!({ "app": { "bundle": "a.b" } }),
            plain(),
        ),
        (
            PassReason::UnreadableBlocks,
            json!({ "badv": { "no": "list" } }),
            plain(),
        ),
        (
            PassReason::UnreadableBlocks,
            json!({ "bcat": ["1"], "cattax": "seven" }),
            plain(),
        ),
        (PassReason::Seat, json!({ "wseat": ["other"] }), plain()),
        (PassReason::Currency, json!({ "cur": ["XTS"] }), plain()),
        (
            PassReason::Currency,
            json!({ "imp": [{ "id": "1", "banner": { "w": 300, "h": 250 }, "bidfloor": 1, "bidfloorcur": "XTS" }] }),
            plain(),
        ),
        (
            PassReason::Quantity,
            imp("qty", json!({ "multiplier": 3.0 })),
            plain(),
        ),
        (
            PassReason::DealRequired,
            imp("pmp", json!({ "private_auction": 1 })),
            plain(),
        ),
        (
            PassReason::UnreadableFloor,
            imp("bidfloor", json!("much")),
            plain(),
        ),
        (
            PassReason::NoFormat,
            json!({ "imp": [{ "id": "1", "banner": {} }] }),
            plain(),
        ),
        (
            PassReason::NoCandidate,
            json!({ "imp": [{ "id": "1", "audio": {} }] }),
            plain(),
        ),
        (
            PassReason::NoMatchingCreative,
            imp(
                "banner",
                json!({ "w": 300, "h": 250, "mimes": ["image/gif"] }),
            ),
            plain(),
        ),
        (
            PassReason::NoCandidate,
            imp("banner", json!({ "w": 1, "h": 1 })),
            plain(),
        ),
        (
            PassReason::NoCandidate,
            json!({}),
            with(|c| c.regions = Reach::Only(vec![RegionKey::of("th")])),
        ),
        (
            PassReason::NoCandidate,
            json!({}),
            with(|c| c.exchanges = Reach::Only(vec![ExchangeKey::of("x")])),
        ),
        (
            PassReason::DealRequired,
            imp(
                "pmp",
                json!({ "private_auction": "perhaps", "deals": [{ "id": "unknown" }] }),
            ),
            with(|c| c.deals = vec![deal("d")]),
        ),
        (
            PassReason::NoCandidate,
            json!({}),
            with(|c| {
                c.deals = vec![deal("d")];
                c.market = Market::DealsOnly;
            }),
        ),
        (
            PassReason::NoCandidate,
            on_deal(&json!({})),
            with(|c| {
                let elsewhere = ExchangeKey::of("xandr");
                c.deals = vec![Deal {
                    exchange: elsewhere,
                    ..deal("d")
                }];
                c.market = Market::DealsOnly;
            }),
        ),
        (
            PassReason::DealSeat,
            on_deal(&json!({ "wseat": ["other"] })),
            on_deals_alone(),
        ),
        (
            PassReason::DealSeat,
            on_deal(&json!({ "wseat": { "no": "list" } })),
            on_deals_alone(),
        ),
        (
            PassReason::DealAdvertiser,
            on_deal(&json!({ "wadomain": ["other.example"] })),
            on_deals_alone(),
        ),
        (
            PassReason::DealAdvertiser,
            on_deal(&json!({ "wadomain": 7.5 })),
            on_deals_alone(),
        ),
        (
            PassReason::UnreadableFloor,
            private_deal(&json!({ "bidfloor": "much" })),
            on_deals_alone(),
        ),
        (
            PassReason::UnreadableFloor,
            private_deal(&json!({ "at": 3 })),
            on_deals_alone(),
        ),
        (
            PassReason::BelowFloor,
            on_deal(&json!({ "bidfloor": 2.500_001 })),
            on_deals_alone(),
        ),
        (
            PassReason::BelowFloor,
            on_deal(&json!({ "bidfloor": 2.500_001, "at": 3 })),
            on_deals_alone(),
        ),
        (
            PassReason::AdvertiserSeat,
            json!({ "wseat": ["house"] }),
            with(|c| {
                let mut advertiser = (*c.advertiser).clone();
                advertiser.seats = vec![(ExchangeKey::of("adx"), "own".into())];
                c.advertiser = std::sync::Arc::new(advertiser);
            }),
        ),
        (
            PassReason::Bot,
            json!({ "device": { "ua": "Mozilla/5.0 (compatible; ExampleBot/2.1)" } }),
            plain(),
        ),
        (
            PassReason::Datacentre,
            json!({ "device": { "ip": "192.0.2.77" } }),
            plain(),
        ),
        (
            PassReason::IncompleteChain,
            json!({ "source": { "schain": { "complete": 0, "nodes": [] } } }),
            plain(),
        ),
        (
            PassReason::BlockedSeller,
            json!({ "source": { "schain": { "complete": 1, "nodes": [{ "asi": "bad.example", "sid": "1" }] } } }),
            plain(),
        ),
        (
            PassReason::AdvertiserInventory,
            json!({}),
            with(|c| c.advertiser = running(&["sport.example"], &[])),
        ),
        (
            PassReason::AdvertiserInventory,
            json!({ "site": { "domain": "Live.News.example" } }),
            with(|c| c.advertiser = running(&[], &["news.example"])),
        ),
        (
            PassReason::NoTransparency,
            json!({ "regs": { "dsa": { "dsarequired": 2 } } }),
            plain(),
        ),
        (
            PassReason::NoTransparency,
            json!({ "regs": { "ext": { "dsa": { "dsarequired": "always" } } } }),
            plain(),
        ),
        (
            PassReason::NoTransparency,
            json!({ "regs": { "dsa": { "dsarequired": 3, "pubrender": 0 } } }),
            with(|c| c.advertiser = transparent(false)),
        ),
        (
            PassReason::BlockedAdvertiser,
            json!({ "badv": ["Shoes.example"] }),
            plain(),
        ),
        (
            PassReason::BlockedAdvertiser,
            json!({ "badv": ["https://www.shoes.example/"] }),
            plain(),
        ),
        (
            PassReason::BlockedCategory,
            json!({ "bcat": ["IAB18"] }),
            plain(),
        ),
        (
            PassReason::BlockedCategory,
            json!({ "acat": ["IAB1"] }),
            plain(),
        ),
        (
            // Nobody said what it is about there.
            PassReason::BlockedCategory,
            json!({ "bcat": ["1"], "cattax": 7 }),
            plain(),
        ),
        (
            PassReason::BlockedCategory,
            json!({ "bcat": ["IAB9"] }),
            classified(2, "150/151"),
        ),
        (
            PassReason::BlockedCategory,
            json!({ "bcat": ["3", "150"], "cattax": 7 }),
            classified(7, "150/151"),
        ),
        (
            PassReason::BlockedCategory,
            json!({ "acat": ["15", "1510"], "cattax": "7" }),
            classified(7, "150/151"),
        ),
        (
            PassReason::BlockedAttribute,
            imp("banner", json!({ "w": 300, "h": 250, "btype": [2] })),
            plain(),
        ),
        (
            PassReason::BlockedAttribute,
            imp("banner", json!({ "w": 300, "h": 250, "battr": [3] })),
            with(|c| c.creatives[0].attributes = 1 << 3),
        ),
        (
            PassReason::BlockedAttribute,
            json!({}),
            with(|c| c.creatives[0].apis = 1 << 5),
        ),
        (
            PassReason::BlockedAttribute,
            imp("banner", json!({ "w": 300, "h": 250, "expdir": [1, 2] })),
            with(|c| {
                if let Format::Banner(banner) = &mut c.creatives[0].format {
                    banner.expands = 1 << 4;
                }
            }),
        ),
        (
            PassReason::Language,
            json!({ "wlang": ["th"] }),
            with(|c| c.creatives[0].language = Language::parse("en")),
        ),
        (PassReason::Language, json!({ "wlang": ["th"] }), plain()),
        (PassReason::NotSecure, imp("secure", json!(1)), insecure()),
        (
            PassReason::NotSecure,
            imp("secure", json!("perhaps")),
            insecure(),
        ),
        (
            PassReason::BelowFloor,
            imp("bidfloor", json!(2.500_001)),
            plain(),
        ),
        (
            PassReason::Unidentified,
            json!({}),
            with(|c| {
                c.cap = Some(FrequencyCap {
                    impressions: 1,
                    window: Duration::from_hours(1),
                });
            }),
        ),
    ];
    for (expected, change, campaign) in rows {
        assert_eq!(reason(&change, campaign), Some(expected), "{change}");
    }
}

#[test]
fn a_videos_own_floor_replaces_the_impressions_for_the_lengths_it_names() {
    let own = || Campaign {
        creatives: vec![video("v")],
        ..campaign("c")
    };
    let floors = |rules: Value| {
        let mut asked = imp("bidfloor", json!(9.0));
        let mut video = json!({ "mimes": ["video/mp4"], "protocols": [2, 3], "maxduration": 60 });
        for (key, value) in rules.as_object().unwrap() {
            video[key] = value.clone();
        }
        asked["imp"][0]["video"] = video;
        reason(&asked, own())
    };
    let below = Some(PassReason::BelowFloor);
    let range = |least: u32, most: u32, floor: f64| json!({ "durfloors": [{ "mindur": least, "maxdur": most, "bidfloor": floor }] });
    assert_eq!(floors(json!({})), below);
    assert_eq!(floors(range(10, 20, 2.5)), None);
    assert_eq!(floors(range(10, 20, 2.6)), below);
    assert_eq!(
        floors(range(20, 30, 2.5)),
        below,
        "15 s are outside, so the impression's floor counts"
    );
    assert_eq!(floors(json!({ "mincpmpersec": 0.16 })), None);
    assert_eq!(floors(json!({ "mincpmpersec": 0.17 })), below);
    assert!(
        floors(json!({ "durfloors": 7 })).is_some(),
        "what cannot be read is no permission"
    );
}

#[test]
fn what_an_exchange_has_rejected_is_not_bid_there() {
    let rates = Rates::default();
    let mut approvals = Approvals::default();
    let two = Campaign {
        creatives: vec![banner("tile", 300, 250), banner("strip", 320, 50)],
        ..campaign("c")
    };
    let chosen = |approvals: &Approvals, exchange: &str| {
        let catalogue = judged([two.clone()], &rates, (approvals, NOW)).0;
        let place = Place {
            exchange: ExchangeKey::of(exchange),
            ..place(&rates)
        };
        let asked = request(&json!({}));
        choose(&asked, &catalogue, place, &mut Purse::full()).map(|choice| choice.creative)
    };
    assert_eq!(chosen(&approvals, "adx"), Ok(0), "the control");
    let adx = ExchangeKey::of("adx");
    approvals.judge(adx, CreativeKey::of("tile"), Approval::Rejected);
    assert_eq!(chosen(&approvals, "adx"), Err(PassReason::NotApproved));
    assert_eq!(chosen(&approvals, "xandr"), Ok(0));
    approvals.judge(adx, CreativeKey::of("strip"), Approval::Rejected);
    assert_eq!(
        chosen(&approvals, "adx"),
        Err(PassReason::NoCandidate),
        "the index does not even find it"
    );
    approvals.wants_approval_first(ExchangeKey::of("xandr"));
    assert_eq!(chosen(&approvals, "xandr"), Err(PassReason::NoCandidate));
    let xandr = ExchangeKey::of("xandr");
    approvals.judge(xandr, CreativeKey::of("tile"), Approval::Approved);
    assert_eq!(chosen(&approvals, "xandr"), Ok(0));
}

#[test]
fn who_says_who_paid_bids_where_that_must_be_shown() {
    for (dsa, renders) in [
        (json!({ "dsarequired": 3 }), false),
        (json!({ "dsarequired": 2, "pubrender": 2 }), false),
        (json!({ "dsarequired": 2, "pubrender": 0 }), true),
    ] {
        let own = Campaign {
            advertiser: transparent(renders),
            ..campaign("c")
        };
        assert_eq!(reason(&json!({ "regs": { "dsa": dsa } }), own), None);
    }
    let silent = json!({ "regs": { "dsa": { "dsarequired": 1, "pubrender": 0 } } });
    assert_eq!(reason(&silent, campaign("c")), None);
}

#[test]
fn a_floor_is_compared_exactly_and_in_its_own_currency() {
    let euro = Currency::parse("EUR").unwrap();
    let rate = Rate::from_billionths(1_100_000_000).unwrap();
    let rates = Rates::new([(euro, rate)]);
    let catalogue = catalogue_and_left_out([campaign("c")], &rates, NOW).0;
    let with = |floor: Value| {
        choose(
            &request(&floor),
            &catalogue,
            place(&rates),
            &mut Purse::full(),
        )
    };
    let floor = |value: f64, currency: &str| json!({ "imp": [{ "id": "1", "banner": { "w": 300, "h": 250 }, "bidfloor": value, "bidfloorcur": currency }] });
    assert!(
        with(floor(2.5, "USD")).is_ok(),
        "a floor is reached by its own amount"
    );
    // 2.27 EUR are 2.497 USD, and 2.28 EUR are 2.508 USD.
    assert!(with(floor(2.27, "EUR")).is_ok());
    assert_eq!(
        with(floor(2.28, "EUR")).unwrap_err(),
        PassReason::BelowFloor
    );
    let mut in_euro = request(&floor(2.28, "EUR"));
    in_euro["cur"] = json!(["EUR"]);
    assert_eq!(
        choose(&in_euro, &catalogue, place(&rates), &mut Purse::full()).unwrap_err(),
        PassReason::BelowFloor
    );
    in_euro["imp"][0]["bidfloor"] = json!(2.27);
    let choice = choose(&in_euro, &catalogue, place(&rates), &mut Purse::full()).unwrap();
    assert_eq!(
        choice.price.micros(),
        2_272_728,
        "2.50 USD in EUR, rounded up"
    );
    assert_eq!(choice.rate, rate, "dollars per euro");
}

#[test]
fn an_advertiser_that_bids_in_a_pod_is_refused_for_the_rest_of_it_only() {
    let rates = Rates::default();
    let two = ["one", "two"].map(|id| {
        let mut campaign = campaign(id);
        campaign.creatives = vec![video(&format!("{id}-video"))];
        campaign
    });
    let catalogue = catalogue(two, NOW);
    let pod = |podid: &str| json!({ "podid": podid, "poddur": 60, "mimes": ["video/mp4"] });
    let imps = json!([
        { "id": "1", "video": pod("first") },
        { "id": "2", "video": pod("first") },
        { "id": "3", "video": pod("second") },
        { "id": "4", "video": { "podid": "first" } },
    ]);
    let bytes = request(&json!({ "imp": imps })).to_string();
    let request = decode(bytes.as_bytes()).unwrap();
    let context = Context::read(&request, place(&rates)).unwrap();
    let mut pods = Pods::default();
    // One imp after another, as the engine does, but that a campaign may bid on several.
    let mut next = |imp: u16| {
        let mut choices = Vec::new();
        let asked = &request.imps[usize::from(imp)];
        let mut chance = Opportunity::read(asked, imp, &context).unwrap();
        pods.enter(&mut chance);
        let outcome = decide(
            (&context, &mut chance),
            &catalogue,
            &mut choices,
            &mut Purse::full(),
            &|| false,
        );
        pods.leave(&chance);
        outcome.map(|()| choices.len())
    };
    assert_eq!(next(0), Ok(1), "one of the advertiser's two");
    assert_eq!(next(1), Err(PassReason::OncePerPod));
    assert_eq!(next(2), Ok(1), "another pod is another break");
    assert_eq!(next(3), Err(PassReason::OncePerPod));
}

#[test]
fn a_dynamic_pod_gets_bids_that_fit_into_it_together_and_one_of_each_advertiser() {
    let rates = Rates::default();
    let film = |number: i64, seconds: u32| {
        let mut one = campaign(&format!("c{number}"));
        one.goal = Goal::Cpm(Cpm::from_micros(9_000_000 - number * 1_000_000));
        let mut advertiser = (*one.advertiser).clone();
        advertiser.key = AdvertiserKey::of(&format!("a{number}"));
        one.advertiser = Arc::new(advertiser);
        let mut creative = video("v");
        if let Format::Video(spot) = &mut creative.format {
            spot.duration_seconds = seconds;
        }
        one.creatives = vec![creative, banner("b", 300, 250)];
        one
    };
    let films = [
        film(0, 30),
        film(1, 40),
        film(2, 15),
        film(3, 15),
        film(4, 5),
    ];
    let catalogue = catalogue(films, NOW);
    for (pod, prices) in [
        (json!({ "poddur": 60 }), vec![9, 7, 6]),
        (json!({ "poddur": 60, "maxseq": 2 }), vec![9, 7]),
        (json!({ "poddur": 50 }), vec![9, 7, 5]),
        (json!({ "poddur": 4 }), vec![]),
        (json!({ "podid": "p" }), vec![9]),
    ] {
        let bytes = request(&json!({ "imp": [{ "id": "1", "video": pod }] })).to_string();
        let request = decode(bytes.as_bytes()).unwrap();
        let context = Context::read(&request, place(&rates)).unwrap();
        let mut chance = Opportunity::read(&request.imps[0], 0, &context).unwrap();
        let mut choices = Vec::new();
        decide(
            (&context, &mut chance),
            &catalogue,
            &mut choices,
            &mut Purse::full(),
            &|| false,
        )
        .ok();
        let chosen: Vec<i64> = choices
            .iter()
            .map(|choice| choice.price.micros() / 1_000_000)
            .collect();
        assert_eq!(chosen, prices, "{pod}");
    }
}

#[test]
fn the_ceiling_is_in_dollars_and_no_bid_is_above_it() {
    let rates = Rates::default();
    let catalogue = catalogue([campaign("c")], NOW);
    let under = |micros| {
        let place = Place {
            ceiling: Some(Cpm::from_micros(micros)),
            ..place(&rates)
        };
        choose(&request(&json!({})), &catalogue, place, &mut Purse::full())
    };
    assert!(under(2_500_000).is_ok());
    assert_eq!(under(2_499_999).unwrap_err(), PassReason::AboveCeiling);
}

#[test]
fn what_money_refuses_is_said_and_the_next_best_is_tried() {
    let rates = Rates::default();
    let mut dear = campaign("dear");
    dear.goal = Goal::Cpm(Cpm::from_micros(9_000_000));
    let catalogue = catalogue([campaign("cheap"), dear], NOW);
    for refusal in [
        PassReason::Capped,
        PassReason::AdvertiserCapped,
        PassReason::NoLease,
        PassReason::NoBudget,
        PassReason::LedgerBehind,
    ] {
        let mut purse = Purse {
            refuses: Some(refusal),
            ..Purse::full()
        };
        let chosen = choose(&request(&json!({})), &catalogue, place(&rates), &mut purse);
        assert_eq!(chosen.unwrap_err(), refusal);
        let tried: Vec<_> = purse
            .promised
            .iter()
            .map(|offered| offered.campaign)
            .collect();
        assert_eq!(tried, [CampaignKey::of("dear"), CampaignKey::of("cheap")]);
    }
    let mut purse = Purse {
        draws: false,
        ..Purse::full()
    };
    let chosen = choose(&request(&json!({})), &catalogue, place(&rates), &mut purse);
    assert_eq!(chosen.unwrap_err(), PassReason::Paced);
    assert!(
        purse.promised.is_empty(),
        "what pacing refuses promises nothing"
    );
}

#[test]
fn a_test_is_answered_and_neither_paced_nor_promised() {
    let rates = Rates::default();
    let mut purse = Purse {
        draws: false,
        refuses: Some(PassReason::NoBudget),
        promised: Vec::new(),
    };
    let catalogue = catalogue([campaign("c")], NOW);
    let choice = choose(
        &request(&json!({ "test": 1 })),
        &catalogue,
        place(&rates),
        &mut purse,
    )
    .unwrap();
    assert_eq!((choice.hold, purse.promised.len()), (None, 0));
}

#[test]
fn the_reserve_covers_the_margin_and_is_in_the_campaigns_currency() {
    let rates = Rates::default();
    let mut purse = Purse::full();
    let mut dear = campaign("c");
    dear.margin_per_mille = 100;
    choose(
        &request(&json!({})),
        &catalogue([dear], NOW),
        place(&rates),
        &mut purse,
    )
    .unwrap();
    assert_eq!(purse.promised[0].charge, Nanos::new(2_750_000));
}

#[test]
fn the_search_stops_when_time_is_up_and_after_so_many_candidates() {
    let rates = Rates::default();
    let many: Vec<Campaign> = (0..200)
        .map(|number| campaign(&format!("c{number}")))
        .collect();
    let catalogue = catalogue(many, NOW);
    let bytes = request(&json!({})).to_string();
    let request = decode(bytes.as_bytes()).unwrap();
    let context = Context::read(&request, place(&rates)).unwrap();
    let mut chance = Opportunity::read(&request.imps[0], 0, &context).unwrap();
    let refusing = || Purse {
        refuses: Some(PassReason::NoBudget),
        ..Purse::full()
    };
    let mut purse = refusing();
    let mut none = Vec::new();
    let chosen = decide(
        (&context, &mut chance),
        &catalogue,
        &mut none,
        &mut purse,
        &|| false,
    );
    assert_eq!(
        (chosen.unwrap_err(), purse.promised.len()),
        (PassReason::NoBudget, CANDIDATES_MAX)
    );
    let looks = Cell::new(0);
    let mut purse = refusing();
    let late = || {
        looks.set(looks.get() + 1);
        looks.get() == 2
    };
    let chosen = decide(
        (&context, &mut chance),
        &catalogue,
        &mut none,
        &mut purse,
        &late,
    );
    assert_eq!(chosen.unwrap_err(), PassReason::NoTime);
    assert_eq!(purse.promised.len(), 2 * LOOK_AT_DEADLINE_EVERY - 1);
}

#[expect(clippy::struct_excessive_bools, reason = "two independent properties")]
#[derive(Clone, Debug)]
struct Random {
    price: i64,
    kind: u8,
    advertiser: u8,
    secure: bool,
    active: bool,
}

impl Random {
    fn campaign(&self, number: usize) -> Campaign {
        let mut one = campaign(&format!("c{number}"));
        one.goal = Goal::Cpm(Cpm::from_micros(self.price));
        one.active = self.active;
        let mut creative = match self.kind {
            0 => banner("b", 300, 250),
            1 => banner("b", 320, 50),
            2 => video("v"),
            _ => native("n"),
        };
        creative.secure = self.secure;
        one.creatives = vec![creative];
        let mut advertiser = (*one.advertiser).clone();
        advertiser.domains = vec![domain(&format!("brand{}.example", self.advertiser))];
        one.advertiser = std::sync::Arc::new(advertiser);
        one
    }

    /// What the rules say, read one by one.
    fn may(&self, floor: i64, blocked: u8, secure: bool) -> bool {
        let fits = matches!(self.kind, 0 | 2);
        self.active
            && fits
            && self.price >= floor
            && self.advertiser != blocked
            && (self.secure || !secure)
    }
}

fn random() -> impl Strategy<Value = Random> {
    (
        1..40_i64,
        0..4_u8,
        0..4_u8,
        any::<bool>(),
        prop::bool::weighted(0.8),
    )
        .prop_map(|(price, kind, advertiser, secure, active)| Random {
            price: price * 100_000,
            kind,
            advertiser,
            secure,
            active,
        })
}

proptest! {
    #[test]
    fn the_best_that_may_bid_does(
        all in prop::collection::vec(random(), 0..60),
        floor in 0..45_i64,
        blocked in 0..5_u8,
        secure in any::<bool>(),
    ) {
        let rates = Rates::default();
        let floor = floor * 100_000;
        let campaigns = all.iter().enumerate().map(|(number, one)| one.campaign(number));
        let catalogue = catalogue(campaigns, NOW);
        let asked = json!({
            "id": "r", "site": { "domain": "news.example" }, "badv": [format!("brand{blocked}.example")],
            "imp": [{
                "id": "1", "secure": u8::from(secure), "bidfloor": Cpm::from_micros(floor).to_string().parse::<f64>().unwrap(),
                "banner": { "w": 300, "h": 250 },
                "video": { "mimes": ["video/mp4"], "minduration": 5, "maxduration": 60, "protocols": [2, 3, 5, 6] },
            }],
        });
        let chosen = choose(&asked, &catalogue, place(&rates), &mut Purse::full());
        let best = all.iter().filter(|one| one.may(floor, blocked, secure)).map(|one| one.price).max();
        prop_assert_eq!(chosen.map(|choice| choice.price.micros()).ok(), best);
    }
}

#[test]
fn an_ad_is_compared_in_the_taxonomy_that_the_request_names() {
    for (change, taxonomy) in [
        (json!({ "bcat": ["15", "1510"], "cattax": 7 }), 7),
        (json!({ "acat": ["150"], "cattax": 7 }), 7),
        (json!({ "acat": [" 151"], "cattax": 7 }), 7),
        (json!({ "bcat": ["1"], "cattax": 500 }), 500),
        (json!({ "bcat": [], "acat": null, "cattax": 3 }), 7),
    ] {
        assert_eq!(
            reason(&change, classified(taxonomy, "150/151")),
            None,
            "{change}"
        );
    }
}
