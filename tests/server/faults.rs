//! Every child of the tree is killed, and only what must be rebuilt with it is.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::scratch::Scratch;
use crate::support::{Line, Running, ask, configured};

const PLAIN: &str = "cpm = \"2.00\"\nbudget = { daily = \"100.00\" }";

fn request() -> Value {
    json!({
        "id": "r", "tmax": 1000, "imp": [{ "id": "1", "banner": { "w": 300, "h": 250 } }],
        "site": { "domain": "news.example" }, "device": { "geo": { "country": "SGP" } },
    })
}

/// What is rebuilt when the child at this path goes, by paths that begin so; itself alone unless it says more.
fn rebuilt_with(path: &str) -> Vec<String> {
    let (parent, id) = path.rsplit_once('/').unwrap_or(("", path));
    let after = |siblings: &[&str]| {
        let from = siblings
            .iter()
            .position(|sibling| *sibling == id)
            .unwrap_or(0);
        siblings[from..]
            .iter()
            .map(|sibling| format!("{parent}/{sibling}"))
            .collect()
    };
    match path.split('/').next() {
        Some("exchanges") if path.matches('/').count() == 2 => {
            after(&["connection_pool", "bid_engine", "serializer"])
        }
        Some("regions") if path.matches('/').count() == 2 => ["ledger", "pacer", "frequency"]
            .map(|sibling| format!("{parent}/{sibling}"))
            .into(),
        Some("store") => after(&["journal", "checkpoint"]),
        Some("campaigns") if path.matches('/').count() == 1 => {
            after(&["catalogue", "pool", "stock", "roster"])
        }
        _ => vec![path.to_owned()],
    }
}

fn by_path(places: Vec<(String, Option<u64>, &str)>) -> BTreeMap<String, Option<u64>> {
    let incarnations = places.into_iter();
    incarnations
        .map(|(path, incarnation, _)| (path, incarnation))
        .collect()
}

fn incarnations(server: &Running) -> BTreeMap<String, Option<u64>> {
    by_path(server.places())
}

#[test]
fn killing_any_child_rebuilds_what_must_be_and_nothing_else_and_bids_go_on() {
    let data = Scratch::new();
    let server = Running::sample(&data);
    let leaves: Vec<String> = [
        "telemetry/event_log",
        "telemetry/trace_exporter",
        "telemetry/metrics_aggregator",
        "store/checkpoint",
        "store/journal",
        "campaigns/pool/parallel-launch",
        "campaigns/roster",
        "campaigns/stock",
        "campaigns/catalogue",
        "learning/approvals",
        "learning/click_rates",
        "regions/sg/frequency",
        "regions/sg/ledger",
        "regions/th/pacer",
        "exchanges/adx/connection_pool",
        "exchanges/adx/bid_engine",
        "exchanges/xandr/serializer",
        "notices/settlement",
        "notices/listener",
        "admin/explainer",
        "admin/listener",
        "admin/stop_all",
        "listeners/adx",
        "data_threads/data_thread_1",
    ]
    .map(str::to_owned)
    .into();
    for path in leaves {
        let before = incarnations(&server);
        server.kill(&path);
        let mut after = BTreeMap::new();
        server.until(&format!("{path} is up again"), || {
            let places = server.places();
            let is_up = places.iter().all(|(_, _, state)| *state == "up");
            after = by_path(places);
            is_up && after.get(&path).is_some_and(|now| *now != before[&path])
        });
        let expected = rebuilt_with(&path);
        let changed: BTreeSet<&String> = after
            .iter()
            .filter(|(path, now)| before.get(*path) != Some(now))
            .map(|(path, _)| path)
            .collect();
        for place in &changed {
            let is_expected = expected
                .iter()
                .any(|root| *place == root || place.starts_with(&format!("{root}/")));
            assert!(is_expected, "{place} was rebuilt when {path} was killed");
        }
        for place in &expected {
            assert!(
                changed.contains(place),
                "{place} was not rebuilt when {path} was killed"
            );
        }
        server.until(&format!("every exchange bids after {path}"), || {
            server
                .exchanges()
                .iter()
                .all(|exchange| server.bid(exchange, &request()).status == 200)
        });
    }
    server.stop();
}

#[test]
fn an_engine_that_dies_keeps_its_connections_and_a_pool_that_dies_closes_them() {
    let (configuration, data) = (configured(&[("c", PLAIN)]), Scratch::new());
    let server = Running::of(&configuration, &data);
    let body = request().to_string();
    let mut line = Line::to(server.exchange("openrtb"));
    let mut answer = || {
        line.ask("POST", "/bid", body.as_bytes())
            .map(|reply| reply.status)
    };
    assert_eq!(answer().expect("an answer"), 200);
    server.rebuild("exchanges/openrtb/bid_engine");
    server.until("the engine bids on the same connection", || {
        answer().expect("the connection stays") == 200
    });
    server.kill("exchanges/openrtb/connection_pool");
    server.until("the connection is closed", || answer().is_err());
    assert_eq!(
        server.bid("openrtb", &request()).status,
        200,
        "a new connection is served by the new pool"
    );
    server.stop();
}

#[test]
fn an_exchange_over_its_limit_answers_204_raises_an_alert_and_comes_back_when_told() {
    let data = Scratch::new();
    let server = Running::sample(&data);
    server.degrade("exchanges/openrtb", "exchanges/openrtb/bid_engine");
    assert_eq!(server.bid("openrtb", &request()).status, 204);
    assert_eq!(
        ask(server.exchange("openrtb"), "GET", "/ready", b"").status,
        503
    );
    assert_eq!(
        server.bid("adx", &request()).status,
        200,
        "another exchange does not notice"
    );
    server.until("there is an alert", || {
        server
            .admin("GET", "/alerts")
            .json()
            .as_array()
            .is_some_and(|alerts| {
                alerts.iter().any(|alert| {
                    alert["path"] == "exchanges/openrtb" && alert["alert"] == "degraded"
                })
            })
    });
    server.until("the page says so", || {
        let page = String::from_utf8(server.admin("GET", "/metrics").body).expect("text");
        page.contains("bidtree_exchange_mode{exchange=\"openrtb\",mode=\"degraded\"} 1")
    });
    assert_eq!(
        server.admin("POST", "/exchanges/openrtb/recover").status,
        200
    );
    server.until("it bids again", || {
        server.bid("openrtb", &request()).status == 200
    });
    server.stop();
}

#[test]
fn payloads_that_crash_an_engine_degrade_their_exchange_and_no_other() {
    let data = Scratch::new();
    let server = Running::chaotic(&data);
    let mut poison = request();
    poison["id"] = json!("poison-1");
    assert_eq!(server.bid("adx", &poison).status, 200);
    let arm = "/fail-points/exchanges/adx/bid_engine?do=panic&id_prefix=poison-";
    assert_eq!(server.admin("POST", arm).status, 200);
    server.until("its exchange is degraded", || {
        assert_eq!(server.bid("xandr", &poison).status, 200);
        let answered = server.bid("adx", &poison).status;
        assert_eq!(answered, 204, "a crash is a no-bid");
        server.state("exchanges/adx") == Some("degraded")
    });
    assert_eq!(server.bid("adx", &request()).status, 204);
    let off = "/fail-points/exchanges/adx/bid_engine?do=off";
    assert_eq!(server.admin("POST", off).status, 200);
    assert_eq!(server.admin("POST", "/exchanges/adx/recover").status, 200);
    server.until("it bids again", || server.bid("adx", &poison).status == 200);
    server.stop();
}

#[test]
fn a_journal_that_errs_is_started_again_and_nobody_is_billed_twice() {
    let data = Scratch::new();
    let server = Running::chaotic(&data);
    let burl = server.bid("openrtb", &request()).only_bid()["burl"]
        .as_str()
        .expect("a URL")
        .to_owned();
    let arm = "/fail-points/store/journal?do=error&times=1";
    assert_eq!(server.admin("POST", arm).status, 200);
    server.until("the notice is taken", || {
        server.notice(&burl, "1.00").status == 204
    });
    assert_eq!(server.notice(&burl, "1.00").status, 204);
    let booked = || {
        let campaigns = server.campaigns();
        let costs = campaigns.iter().map(|row| row["cost_nanos"].clone());
        costs
            .filter(|cost| cost.as_object().is_some_and(|cost| !cost.is_empty()))
            .collect::<Vec<_>>()
    };
    assert_eq!(booked(), [json!({ "USD": 1_000_000 })]);
    server.stop();
}

#[test]
fn fail_points_are_armed_only_where_chaos_is_allowed_and_by_their_names() {
    let data = Scratch::new();
    let server = Running::sample(&data);
    let arm = |path: &str| server.admin("POST", path).status;
    assert_eq!(arm("/fail-points/store/journal?do=error"), 403);
    assert_eq!(server.admin("GET", "/fail-points").status, 200);
    server.stop();
    let server = Running::chaotic(&data);
    let arm = |path: &str| server.admin("POST", path).status;
    assert_eq!(arm("/fail-points/store/jurnal?do=error"), 404);
    assert_eq!(arm("/fail-points/store/journal?do=explode"), 400);
    // It would never fire there.
    for (point, status) in [
        ("store/journal", 400),
        ("regions/sg/ledger", 400),
        ("admin/explainer", 400),
        ("exchanges/openrtb/serializer", 200),
    ] {
        let path = format!("/fail-points/{point}?do=error&id_prefix=a");
        assert_eq!(arm(&path), status, "{point}");
    }
    assert_eq!(arm("/fail-points/store/journal?do=off"), 200);
    server.stop();
}

#[test]
fn a_region_over_its_limit_is_closed_and_the_others_bid() {
    let data = Scratch::new();
    let server = Running::sample(&data);
    server.degrade("regions/sg", "regions/sg/ledger");
    assert_eq!(server.bid("openrtb", &request()).status, 204);
    let mut elsewhere = request();
    elsewhere["device"]["geo"]["country"] = json!("THA");
    assert_eq!(server.bid("openrtb", &elsewhere).status, 200);
    assert_eq!(server.admin("POST", "/tree/regions/sg/recover").status, 200);
    server.until("it bids again", || {
        server.bid("openrtb", &request()).status == 200
    });
    server.stop();
}

#[test]
fn a_region_that_is_rebuilt_among_bills_books_each_of_them_once() {
    let (configuration, data) = (configured(&[("c", PLAIN)]), Scratch::new());
    let server = Running::of(&configuration, &data);
    let bid = || server.bid("openrtb", &request());
    let some = || (0..20).map(|_| bid().only_bid()).collect::<Vec<_>>();
    let before = some();
    server.rebuild("regions/row/ledger");
    server.until("it bids again", || bid().status == 200);
    let rebuilt = incarnations(&server)["regions/row/ledger"];
    let after = some();
    for bid in before.iter().chain(&after) {
        let burl = bid["burl"].as_str().expect("a URL");
        assert_eq!(server.notice(burl, "1.00").status, 204);
    }
    assert_eq!(server.campaign("c")["cost_nanos"]["USD"], 40 * 1_000_000);
    // The bills of the bids before are the campaign's to settle: the lease they were taken from has ended.
    let billed = || server.ledger("row").totals.balance.billed.get();
    server.until("the region has heard of the others", || {
        billed() >= 20 * 1_000_000
    });
    assert_eq!(billed(), 20 * 1_000_000, "each once");
    let now = incarnations(&server)["regions/row/ledger"];
    assert_eq!(now, rebuilt, "it crashed on a bill");
    server.stop();
}

#[test]
fn a_journal_that_dies_takes_no_region_with_it_and_no_bill_is_lost() {
    let (configuration, data) = (configured(&[("c", PLAIN)]), Scratch::new());
    let server = Running::of(&configuration, &data);
    let bids: Vec<_> = (0..20)
        .map(|_| server.bid("openrtb", &request()).only_bid())
        .collect();
    let before = incarnations(&server);
    server.kill("store/journal");
    for bid in &bids {
        let burl = bid["burl"].as_str().expect("a URL");
        server.until("the bill is booked", || {
            server.notice(burl, "1.00").status == 204
        });
    }
    server.until("it bids again", || {
        server.bid("openrtb", &request()).status == 200
    });
    assert_eq!(server.campaign("c")["cost_nanos"]["USD"], 20 * 1_000_000);
    let after = incarnations(&server);
    for child in [
        "regions/row/ledger",
        "regions/row/pacer",
        "regions/row/frequency",
        "campaigns/pool/c",
    ] {
        assert_eq!(before[child], after[child], "{child}");
    }
    server.stop();
}

#[test]
fn notices_over_their_limit_are_answered_503_so_that_exchanges_ask_again() {
    let (configuration, data) = (configured(&[("c", PLAIN)]), Scratch::new());
    let server = Running::of(&configuration, &data);
    let bid = server.bid("openrtb", &request()).only_bid();
    let burl = bid["burl"].as_str().expect("a URL");
    server.degrade("notices", "notices/settlement");
    assert_eq!(server.notice(burl, "1.00").status, 503);
    assert_eq!(server.campaign("c")["impressions"], 0);
    assert_eq!(server.bid("openrtb", &request()).status, 200, "bids go on");
    assert_eq!(server.admin("POST", "/tree/notices/recover").status, 200);
    server.until("notices are taken again", || {
        let taken = server.try_notice(burl, "1.00");
        taken.is_ok_and(|reply| reply.status == 204)
    });
    assert_eq!(server.campaign("c")["cost_nanos"]["USD"], 1_000_000);
    server.stop();
}

#[test]
fn killing_from_outside_needs_leave() {
    let data = Scratch::new();
    let server = Running::sample(&data);
    assert_eq!(
        server
            .admin("POST", "/tree/exchanges/adx/bid_engine/kill")
            .status,
        403
    );
    server.stop();
}

#[test]
fn rates_that_are_older_than_they_may_be_are_an_alert() {
    for (as_of, is_old) in [("2020-01-01", true), ("2999-01-01", false)] {
        let (configuration, data) = (configured(&[]), Scratch::new());
        let main = std::fs::read_to_string(configuration.path().join("bidtree.toml"));
        let main = main.expect("a file").replace("2026-01-01", as_of);
        configuration.write("bidtree.toml", &main);
        let server = Running::of(&configuration, &data);
        let has_alert = || server.page("/alerts").contains("\"alert\":\"old_rates\"");
        if is_old {
            server.until("the alert stands", has_alert);
        } else {
            server.until("the page is made", || {
                server.page("/metrics").contains("bidtree_connections")
            });
            assert!(!has_alert());
        }
        server.stop();
    }
}
