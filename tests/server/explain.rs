//! What an operator is told of a bid request, and that asking leaves no trace.

use std::sync::Arc;

use bidtree::campaign::CatalogueStage;
use bidtree::clock::Clock;
use bidtree::exchange::bid_engine::{EngineShared, RegionMap};
use bidtree::exchange::explain::{Explainer, Names, Wanted};
use serde_json::{Value, json};

use crate::scratch::Scratch;
use crate::support::{Running, configured};

const CAPPED: &str = r#"
cpm = "2.00"
budget = { daily = "100" }
frequency = { impressions = 1, within = "1h" }
"#;
const CHEAP: &str = r#"
cpm = "1.00"
budget = { daily = "100" }
"#;
const ELSEWHERE: &str = r#"
cpm = "3.00"
budget = { daily = "100" }
targeting = { countries = { include = ["THA"] } }
"#;
const OFF: &str = r#"
cpm = "4.00"
active = false
budget = { daily = "100" }
"#;

fn request(change: &Value) -> Value {
    let mut request = json!({
        "id": "why", "site": { "domain": "news.example" },
        "device": { "ip": "203.0.113.7", "ifa": "6d92078a-8246-4ba4-ae5b-76104861e7dc", "geo": { "country": "DEU", "lat": 52.5, "lon": 13.4 } },
        "user": { "id": "somebody-in-particular", "data": [{ "id": "dmp", "segment": [{ "id": "runners" }] }] },
        "imp": [{ "id": "1", "banner": { "w": 300, "h": 250 }, "bidfloor": 0.5 }],
    });
    for (key, value) in change.as_object().into_iter().flatten() {
        request[key] = value.clone();
    }
    request
}

fn four() -> Scratch {
    configured(&[
        ("capped", CAPPED),
        ("cheap", CHEAP),
        ("elsewhere", ELSEWHERE),
        ("off", OFF),
    ])
}

fn told<'e>(explained: &'e Value, campaign: &str) -> &'e Value {
    let campaigns = explained["imps"][0]["campaigns"].as_array();
    let mut all = campaigns.into_iter().flatten();
    all.find(|told| told["campaign"] == campaign)
        .expect("every campaign is told of")
}

#[test]
fn every_campaign_is_told_its_price_path_or_its_first_reason() {
    let (configuration, data) = (four(), Scratch::new());
    let server = Running::of(&configuration, &data);
    let reply = server.explain("exchange=openrtb", &request(&json!({})));
    assert_eq!(reply.status, 200);
    let explained = reply.json();

    assert_eq!(explained["outcome"], "bid");
    let imp = &explained["imps"][0];
    assert_eq!(imp["chosen"], json!(["capped"]));
    assert_eq!(
        imp["counts"],
        json!({ "chosen": 1, "lost": 1, "no_candidate/country": 1, "not_offered": 1 })
    );
    assert_eq!(imp["unlisted"], 0);
    assert_eq!(imp["imp"]["floor"], "0.5");
    assert_eq!(imp["imp"]["shapes"], json!(["banner 300x250"]));

    let chosen = told(&explained, "capped");
    assert_eq!(
        (&chosen["outcome"], &chosen["creative"]),
        (&json!("chosen"), &json!("tile"))
    );
    assert_eq!(chosen["price"]["campaign"], "2 USD");
    assert_eq!(chosen["price"]["floor"], "0.5 USD");
    assert_eq!(chosen["price"]["bid"], "2 USD");
    assert_eq!(chosen["price"]["charge"], "0.002000000 USD");
    assert_eq!(chosen["region"]["pacing_takes"], 1.0);
    let lost = told(&explained, "cheap");
    assert_eq!(
        (&lost["outcome"], &lost["lost_to"]),
        (&json!("lost"), &json!("capped"))
    );
    let elsewhere = told(&explained, "elsewhere");
    assert_eq!(elsewhere["reason"], "no_candidate");
    assert_eq!(elsewhere["targeting"], "country");
    assert_eq!(told(&explained, "off")["why"], "it is not active");

    let seen = &explained["request"];
    assert_eq!(
        (&seen["country"], &seen["site"]),
        (&json!("DEU"), &json!("news.example"))
    );
    assert_eq!(
        (&seen["region"], &seen["user"]),
        (&json!("row"), &json!("known"))
    );
    assert_eq!(seen["segments"], json!(["dmp/runners"]));

    // The bid that follows is the one that was explained.
    let bid = server.bid("openrtb", &request(&json!({}))).only_bid();
    assert_eq!((&bid["cid"], &bid["price"]), (&json!("capped"), &json!(2)));
    // It counts for the cap from now on, and the explanation sees it.
    let explained = server
        .explain("exchange=openrtb", &request(&json!({})))
        .json();
    assert_eq!(told(&explained, "capped")["reason"], "capped");
    assert_eq!(explained["imps"][0]["chosen"], json!(["cheap"]));
    server.stop();
}

#[test]
fn each_step_from_a_price_to_what_is_bid_is_told() {
    let raised = r#"
cpm = "1.00"
max_cpm = "1.60"
budget = { daily = "100" }
multipliers = [
  { countries = ["THA"], by = "5" },
  { countries = ["DEU"], by = "1.5" },
  { sites = ["news.example"], by = "1.2" },
]
"#;
    let (configuration, data) = (configured(&[("raised", raised)]), Scratch::new());
    let server = Running::of(&configuration, &data);
    let told_of = |change: &Value| {
        let explained = server.explain("exchange=openrtb", &request(change)).json();
        told(&explained, "raised")["price"].clone()
    };
    let price = told_of(&json!({}));
    assert_eq!(price["campaign"], "1 USD");
    let steps = json!([{ "number": 2, "by": "1.5" }, { "number": 3, "by": "1.2" }]);
    assert_eq!(price["multipliers"], steps);
    assert_eq!(price["factor"], "1.8");
    assert_eq!(price["held_at_max_cpm"], "1.6 USD");
    assert_eq!(price["bid"], "1.6 USD");
    let elsewhere = told_of(&json!({ "site": { "domain": "other.example" } }));
    assert_eq!(elsewhere["bid"], "1.5 USD");
    assert_eq!(elsewhere.get("held_at_max_cpm"), None, "it did not count");
    server.stop();
}

#[test]
fn a_request_that_leaves_no_time_is_told_what_metrics_count_and_of_every_campaign() {
    let (configuration, data) = (four(), Scratch::new());
    let server = Running::of(&configuration, &data);
    let hasty = request(&json!({ "tmax": 1 }));
    assert_eq!(server.bid("openrtb", &hasty).status, 204);
    let explained = server.explain("exchange=openrtb", &hasty).json();
    assert_eq!(
        (&explained["outcome"], &explained["reason"]),
        (&json!("shed"), &json!("late"))
    );
    assert_eq!(told(&explained, "capped")["price"]["bid"], "2 USD");
    server.stop();
}

#[test]
fn asking_changes_nothing_and_a_bid_does() {
    let (configuration, data) = (four(), Scratch::new());
    let server = Running::of(&configuration, &data);
    let asked = request(&json!({}));
    // A lease may be renewed while we ask; an explanation that changed anything would do so each time.
    let unchanged = (0..5).any(|_| {
        let before = server.what_a_bid_changes();
        for _ in 0..20 {
            assert_eq!(server.explain("exchange=openrtb", &asked).status, 200);
        }
        server.what_a_bid_changes() == before
    });
    assert!(unchanged);
    let before = server.what_a_bid_changes();
    server.bid("openrtb", &asked).only_bid();
    assert_ne!(server.what_a_bid_changes(), before, "the control");
    server.stop();
}

#[test]
fn nothing_of_a_user_is_shown_and_where_the_law_forbids_it_no_segments_either() {
    let (configuration, data) = (four(), Scratch::new());
    let server = Running::of(&configuration, &data);
    for (change, privacy) in [
        (json!({}), "allowed"),
        (json!({ "regs": { "coppa": 1 } }), "coppa"),
        (json!({ "regs": { "gdpr": 1 } }), "gdpr"),
    ] {
        let reply = server.explain("exchange=openrtb&pretty", &request(&change));
        let text = String::from_utf8(reply.body.clone()).expect("text");
        for personal in [
            "somebody-in-particular",
            "6d92078a",
            "203.0.113.7",
            "52.5",
            "13.4",
        ] {
            assert!(!text.contains(personal), "{personal} is shown");
        }
        let seen = &reply.json()["request"];
        assert_eq!(seen["privacy"], privacy);
        let is_allowed = privacy == "allowed";
        assert_eq!(text.contains("runners"), is_allowed);
        assert_eq!(seen["user"], if is_allowed { "known" } else { "unknown" });
    }
    server.stop();
}

#[test]
fn a_request_that_gets_no_bid_is_told_the_reason_that_metrics_count() {
    let (configuration, data) = (four(), Scratch::new());
    let server = Running::of(&configuration, &data);
    let imp = |imp: Value| json!({ "imp": [imp] });
    for (change, reason) in [
        (json!({ "app": { "bundle": "a" } }), "ambiguous_channel"),
        (json!({ "bcat": ["IAB18"] }), "blocked_category"),
        (json!({ "wseat": ["nobody"] }), "seat"),
        (imp(json!({ "id": "1", "banner": {} })), "no_format"),
        (
            imp(json!({ "id": "1", "banner": { "w": 1, "h": 1 } })),
            "no_candidate",
        ),
        (
            imp(json!({ "id": "1", "banner": { "w": 300, "h": 250 }, "bidfloor": 9 })),
            "below_floor",
        ),
        (
            imp(
                json!({ "id": "1", "banner": { "w": 300, "h": 250 }, "pmp": { "private_auction": 1 } }),
            ),
            "deal_required",
        ),
    ] {
        let asked = request(&change);
        let explained = server.explain("exchange=openrtb", &asked).json();
        assert_eq!(
            (&explained["outcome"], &explained["reason"]),
            (&json!("pass"), &json!(reason))
        );
        assert_eq!(server.bid("openrtb", &asked).status, 204, "{reason}");
        let counted = format!("outcome=\"pass\",reason=\"{reason}\"");
        server.until("it is counted", || {
            server.page("/metrics").contains(&counted)
        });
    }
    server.stop();
}

#[test]
fn a_refused_impression_tells_of_the_same_campaigns_as_any_other() {
    let (configuration, data) = (four(), Scratch::new());
    let server = Running::of(&configuration, &data);
    let asked = request(&json!({ "imp": [{ "id": "1", "banner": {} }] }));
    let explain = |query: &str| {
        let explained = server.explain(&format!("exchange=openrtb{query}"), &asked);
        explained.json()["imps"][0].clone()
    };
    let told = |imp: &Value| {
        let all = imp["campaigns"].as_array().cloned().unwrap_or_default();
        let all = all
            .iter()
            .map(|one| (one["campaign"].clone(), one["outcome"].clone()));
        let mut all: Vec<(String, String)> = all
            .map(|(id, outcome)| (id.to_string(), outcome.to_string()))
            .collect();
        all.sort_unstable();
        all
    };
    let all = explain("");
    assert_eq!(all["counts"], json!({ "no_format": 3, "not_offered": 1 }));
    assert_eq!((told(&all).len(), &all["unlisted"]), (4, &json!(0)));
    assert_eq!(explain("&limit=1")["unlisted"], 3);
    for (campaign, outcome, counted) in [
        ("cheap", "pass", "no_format"),
        ("off", "not_offered", "not_offered"),
    ] {
        let one = explain(&format!("&campaign={campaign}"));
        assert_eq!(one["counts"], json!({ counted: 1 }));
        let expected = (format!("\"{campaign}\""), format!("\"{outcome}\""));
        assert_eq!(told(&one), [expected]);
    }
    server.stop();
}

#[test]
fn while_the_catalogue_restarts_no_campaign_is_said_not_to_exist() {
    let (configuration, data) = (four(), Scratch::new());
    let server = Running::of(&configuration, &data);
    let running = &server.exchange_parts("openrtb").engine;
    let with = |catalogue: CatalogueStage| {
        let shared = &running.shared;
        let regions = &shared.regions;
        let mut parts = running.clone();
        parts.shared = Arc::new(EngineShared {
            catalogue,
            regions: RegionMap {
                by_country: regions.by_country.clone(),
                rest: regions.rest.clone(),
            },
            rates: shared.rates.clone(),
            ceiling: shared.ceiling,
            traffic: Arc::clone(&shared.traffic),
            user_hash: shared.user_hash,
            stop_all: shared.stop_all.clone(),
        });
        let names = Names {
            regions: Arc::new([]),
            own_segments: Arc::new([]),
        };
        Explainer::new(&parts, names)
    };
    let ask = |explainer: &Explainer, campaign: &str| {
        let wanted = Wanted {
            campaign: Some(campaign.to_owned()),
            limit: 9,
        };
        let body = request(&json!({})).to_string();
        let clock = Clock::system();
        let explained = explainer.explain(body.as_bytes(), &wanted, (&clock, &|| false));
        explained.map(|it| serde_json::to_value(it).expect("a page")["reason"].clone())
    };
    let down = with(CatalogueStage::new());
    let restarting = Ok(json!("catalogue_restarting"));
    assert_eq!(ask(&down, "cheap").map_err(|it| it.to_string()), restarting);
    let up = with(running.shared.catalogue.clone());
    assert!(ask(&up, "cheap").is_ok());
    assert!(ask(&up, "nobody").is_err(), "the control");
    server.stop();
}

#[test]
fn what_cannot_be_explained_is_refused_with_its_fault() {
    let (configuration, data) = (four(), Scratch::new());
    let server = Running::of(&configuration, &data);
    let asked = request(&json!({}));
    for (query, body, status, said) in [
        ("", &asked, 400, "openrtb"),
        ("exchange=nobody", &asked, 400, "openrtb"),
        ("exchange=openrtb&limit=many", &asked, 400, "limit"),
        ("exchange=openrtb&campaign=nobody", &asked, 404, "nobody"),
        (
            "exchange=openrtb",
            &json!({ "id": "r" }),
            400,
            "no usable imp",
        ),
    ] {
        let reply = server.explain(query, body);
        let error = reply.json()["error"].to_string();
        assert_eq!(reply.status, status, "{query} {error}");
        assert!(error.contains(said), "{error}");
    }
    let one = server
        .explain("exchange=openrtb&campaign=elsewhere", &asked)
        .json();
    let campaigns = one["imps"][0]["campaigns"].as_array().map(Vec::len);
    assert_eq!(
        (campaigns, &one["imps"][0]["chosen"]),
        (Some(1), &json!(["capped"]))
    );
    let none = server.explain("exchange=openrtb&limit=0", &asked).json();
    assert_eq!(none["imps"][0]["unlisted"], 4);
    let huge = json!({ "id": "r".repeat(300_000), "imp": [{ "id": "1" }] });
    assert_eq!(server.explain("exchange=openrtb", &huge).status, 413);
    server.stop();
}

#[test]
fn one_is_explained_at_a_time_and_a_crash_of_it_is_nobody_elses() {
    let (configuration, data) = (four(), Scratch::new());
    let server = Running::of(&configuration, &data);
    let asked = request(&json!({}));
    let arm = |what: &str| {
        let path = format!("/fail-points/admin/explainer?{what}&times=1");
        assert_eq!(server.admin("POST", &path).status, 200);
    };
    arm("do=stall&ms=500");
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let ask = || server.explain("exchange=openrtb", &asked).status;
        let callers: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
        let joined = callers.into_iter().map(|it| it.join().expect("an answer"));
        joined.collect()
    });
    assert!(
        statuses.contains(&200) && statuses.contains(&429),
        "{statuses:?}"
    );
    arm("do=panic");
    assert_eq!(server.explain("exchange=openrtb", &asked).status, 503);
    server.until("it is explained again", || {
        server.explain("exchange=openrtb", &asked).status == 200
    });
    assert_eq!(server.bid("openrtb", &asked).status, 200);
    server.stop();
}
