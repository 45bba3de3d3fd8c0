//! A row for each reason not to bid, in the order a candidate meets them.

use std::time::Duration;

use super::*;
use crate::campaign::Reach;
use crate::units::RegionKey;

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
        (
            PassReason::AdvertiserSeat,
            json!({ "bseat": ["other, house"] }),
            plain(),
        ),
        (
            PassReason::NoCandidate,
            json!({ "site": { "domain": "news.example", "cat": ["IAB1, IAB7"] } }),
            with(|c| {
                c.targeting.categories.exclude = Category::parse("IAB7").into_iter().collect();
            }),
        ),
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
        (PassReason::Quantity, imp("qty", json!(3)), plain()),
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
            PassReason::Bot,
            json!({ "device": { "ua": "Mozilla/5.0", "sua": { "browsers": [{ "brand": "Chromium" }, { "brand": "ExampleBot" }] } } }),
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
            json!({ "regs": { "ext": { "dsa": "required" } } }),
            plain(),
        ),
        (
            // Both would show it.
            PassReason::NoTransparency,
            json!({ "regs": { "dsa": { "dsarequired": 2, "pubrender": 2 } } }),
            with(|c| c.advertiser = transparent(true)),
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
            PassReason::BlockedAdvertiser,
            json!({ "badv": ["*.shoes.example"] }),
            plain(),
        ),
        (
            PassReason::BlockedAdvertiser,
            json!({ "badv": ["a.example, shoes.example;b.example"] }),
            plain(),
        ),
        (
            PassReason::BlockedCategory,
            json!({ "bcat": ["IAB1,IAB18"] }),
            plain(),
        ),
        (
            PassReason::BlockedCategory,
            json!({ "bcat": ["3 150"], "cattax": 7 }),
            classified(7, "150/151"),
        ),
        (
            PassReason::BlockedApp,
            json!({ "bapp": ["7,com.example.game"] }),
            with(|c| c.creatives[0].bundle = Some("com.example.Game".into())),
        ),
        (
            PassReason::BlockedApp,
            json!({ "bapp": [" com.Example.game "] }),
            with(|c| c.creatives[0].bundle = Some("com.example.Game".into())),
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
fn what_only_looks_like_a_refusal_gets_its_bid() {
    for change in [
        imp("qty", json!({ "multiplier": 1.0 })),
        imp("qty", json!([])),
        on_deal(&json!({ "wadomain": ["https://www.Shoes.example/"] })),
        json!({ "regs": { "ext": { "dsa": [] } } }),
        json!({ "badv": ["*", "*.example.org", "."], "bapp": ["*"] }),
        json!({ "acat": ["IAB1,IAB18"] }),
    ] {
        let deals = change["imp"][0].get("pmp").is_some();
        let own = if deals {
            on_deals_alone()
        } else {
            campaign("c")
        };
        assert_eq!(reason(&change, own), None, "{change}");
    }
}
