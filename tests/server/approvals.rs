//! What exchanges think of creatives: learnt from losses, said by operators, kept over restarts.

use std::fs;

use serde_json::{Value, json};

use crate::scratch::Scratch;
use crate::support::{Running, configured};

const CAMPAIGN: &str = r#"
cpm = "2.00"
budget = { daily = "100" }
"#;

/// Two exchanges and a campaign with one creative, `tile`.
fn two_exchanges(second: &str) -> Scratch {
    let folder = configured(&[("c", CAMPAIGN)]);
    let file = folder.path().join("bidtree.toml");
    let first = fs::read_to_string(&file).expect("a configuration");
    let second = format!("{first}\n[exchanges.other]\nlisten = \"127.0.0.1:0\"\n{second}\n");
    folder.write("bidtree.toml", &second);
    folder
}

fn request(id: &str) -> Value {
    json!({
        "id": id, "tmax": 5_000, "site": { "domain": "news.example" }, "device": { "geo": { "country": "DEU" } },
        "imp": [{ "id": "1", "banner": { "w": 300, "h": 250 } }],
    })
}

/// A bid that is made, with what it is told of; then it is lost for this reason.
fn lose(server: &Running, code: &str) -> Value {
    let bid = server.bid("openrtb", &request("r")).only_bid();
    let lurl = bid["lurl"].as_str().expect("a URL");
    let told = lurl.replace("${AUCTION_LOSS}", code);
    assert_eq!(server.notice(&told, "1.00").status, 204);
    bid
}

fn bids(server: &Running, exchange: &str) -> bool {
    server.bid(exchange, &request("r")).status == 200
}

/// Whether the catalogue has it that the exchange runs none of the campaign's creatives.
fn is_barred(server: &Running, exchange: &str) -> bool {
    let query = format!("exchange={exchange}");
    let explained = server.explain(&query, &request("r")).json();
    explained["imps"][0]["campaigns"][0]["targeting"] == "approval"
}

fn approvals(server: &Running) -> Value {
    server.admin("GET", "/approvals").json()
}

fn say(server: &Running, place: &str, state: &str) -> u16 {
    let path = format!("/approvals/{place}?state={state}");
    server.admin("POST", &path).status
}

#[test]
fn losses_bar_a_creative_where_it_is_disapproved_and_nowhere_else() {
    let (configuration, data) = (two_exchanges(""), Scratch::new());
    let server = Running::of(&configuration, &data);
    for _ in 0..4 {
        lose(&server, "202");
    }
    server.until("four are counted", || {
        approvals(&server)["refusals"][0]["refused_bids"] == 4
    });
    assert!(bids(&server, "openrtb"));
    lose(&server, "202");
    server.until("it is barred there", || is_barred(&server, "openrtb"));
    assert!(!bids(&server, "openrtb"));
    assert!(bids(&server, "other") && !is_barred(&server, "other"));

    let row = approvals(&server)["approvals"][0].clone();
    assert_eq!(
        (&row["exchange"], &row["creative"]),
        (&json!("openrtb"), &json!("tile"))
    );
    assert_eq!(
        (&row["state"], &row["source"]),
        (&json!("rejected"), &json!("losses"))
    );
    assert!(row["until"].is_string());
    server.until("it is shown", || {
        let page = server.page("/metrics");
        page.contains("bidtree_creatives_rejected{exchange=\"openrtb\"} 1")
            && page.contains("bidtree_creatives_rejected{exchange=\"other\"} 0")
            && page.contains("bidtree_losses_total{code=\"202\"} 5")
    });

    // An operator knows better, and losses do not overrule one.
    assert_eq!(say(&server, "openrtb/tile", "approved"), 200);
    server.until("it is bid again", || bids(&server, "openrtb"));
    for _ in 0..6 {
        lose(&server, "202");
    }
    server.until("they are counted", || {
        server
            .page("/metrics")
            .contains("bidtree_losses_total{code=\"202\"} 11")
    });
    assert_eq!(approvals(&server)["refusals"], json!([]));
    assert!(bids(&server, "openrtb"));
    server.stop();
}

#[test]
fn what_is_said_and_what_is_learnt_survive_a_restart() {
    let (configuration, data) = (two_exchanges(""), Scratch::new());
    let server = Running::of(&configuration, &data);
    for _ in 0..5 {
        lose(&server, "202");
    }
    assert_eq!(say(&server, "other/tile", "rejected"), 200);
    server.until("it is barred everywhere", || {
        is_barred(&server, "openrtb") && is_barred(&server, "other")
    });
    let before = approvals(&server)["approvals"].clone();
    assert_eq!(before.as_array().map(Vec::len), Some(2));
    // The child alone, then the whole server.
    server.rebuild("learning/approvals");
    assert_eq!(approvals(&server)["approvals"], before);
    server.stop();
    let server = Running::of(&configuration, &data);
    assert!(
        !bids(&server, "openrtb") && !bids(&server, "other"),
        "from the first bid on"
    );
    assert_eq!(approvals(&server)["approvals"], before);
    assert_eq!(say(&server, "openrtb/tile", "unknown"), 200);
    server.until("it is bid again", || bids(&server, "openrtb"));
    assert!(!bids(&server, "other"));
    server.stop();
}

#[test]
fn a_damaged_file_takes_down_nothing_but_what_reads_it() {
    let (configuration, data) = (two_exchanges(""), Scratch::new());
    let server = Running::of(&configuration, &data);
    assert_eq!(say(&server, "openrtb/tile", "rejected"), 200);
    server.until("it is barred there", || is_barred(&server, "openrtb"));
    let before = approvals(&server)["approvals"].clone();
    let others = || -> Vec<_> {
        let places = server.places().into_iter();
        places
            .filter(|(path, ..)| !path.starts_with("learning"))
            .collect()
    };
    let (others_before, file) = (others(), data.path().join("approvals.json"));
    let whole = fs::read(&file).expect("a file");
    fs::write(&file, "half").expect("a file");
    server.kill("learning/approvals");
    server.until("its stand-in serves", || {
        server.state("learning") == Some("degraded")
    });
    let stands = |server: &Running| {
        let alerts = server.admin("GET", "/alerts").json();
        let mut alerts = alerts.as_array().into_iter().flatten();
        alerts.any(|alert| alert["path"] == "learning" && alert["alert"] == "degraded")
    };
    server.until("an alert stands", || stands(&server));
    assert_eq!(others(), others_before, "nobody else was restarted");
    assert!(!bids(&server, "openrtb") && is_barred(&server, "openrtb"));
    assert!(bids(&server, "other"), "and the others bid");
    assert_eq!(server.admin("GET", "/approvals").status, 503);
    assert_eq!(server.admin("POST", "/campaigns/reload").status, 200);
    assert!(is_barred(&server, "openrtb"), "over a reload, too");
    // The control: with the file as it was, it comes back.
    fs::write(&file, whole).expect("a file");
    let recovered = server.admin("POST", "/tree/learning/recover").status;
    assert_eq!(recovered, 200);
    server.until("it is up again", || {
        server.state("learning/approvals") == Some("up")
    });
    assert_eq!(approvals(&server)["approvals"], before);
    assert!(is_barred(&server, "openrtb"));
    server.stop();
}

#[test]
fn what_is_forged_told_twice_or_of_another_reason_bars_nothing() {
    let (configuration, data) = (two_exchanges(""), Scratch::new());
    let server = Running::of(&configuration, &data);
    let counted = |code: &str, times: usize| {
        let line = format!("bidtree_losses_total{{code=\"{code}\"}} {times}");
        server.until("it is counted", || server.page("/metrics").contains(&line));
    };
    // Other reasons.
    for code in ["102", "200", "203", "209", "1103", "UNKNOWN"] {
        for _ in 0..6 {
            lose(&server, code);
        }
    }
    counted("102", 6);
    counted("209", 6);
    counted("other", 6);
    counted("unknown", 6);
    // One bid, however often it is told of.
    let bid = lose(&server, "202");
    let lurl = bid["lurl"]
        .as_str()
        .expect("a URL")
        .replace("${AUCTION_LOSS}", "202");
    for _ in 0..20 {
        server.notice(&lurl, "1.00");
    }
    // Tokens that are not ours.
    for letter in ["A", "B", "C", "D", "E", "F", "G"] {
        let place = lurl.find("t=").expect("a token") + 40;
        let mut forged = lurl.clone();
        forged.replace_range(place..=place, letter);
        if forged != lurl {
            assert_eq!(server.notice(&forged, "1.00").status, 400);
        }
    }
    counted("202", 1);
    // Tokens of bids that were sold, and of tests.
    for _ in 0..6 {
        let bid = server.bid("openrtb", &request("sold")).only_bid();
        server.notice(bid["burl"].as_str().expect("a URL"), "1.00");
        let lurl = bid["lurl"]
            .as_str()
            .expect("a URL")
            .replace("${AUCTION_LOSS}", "202");
        server.notice(&lurl, "1.00");
        let mut test = request("test");
        test["test"] = json!(1);
        let bid = server.bid("openrtb", &test).only_bid();
        let lurl = bid["lurl"]
            .as_str()
            .expect("a URL")
            .replace("${AUCTION_LOSS}", "202");
        server.notice(&lurl, "1.00");
    }
    server.until("a sale has begun the count anew", || {
        approvals(&server)["refusals"] == json!([])
    });
    assert_eq!(approvals(&server)["approvals"], json!([]));
    assert!(bids(&server, "openrtb"));
    // The control: five genuine ones.
    for _ in 0..5 {
        lose(&server, "202");
    }
    server.until("it is barred there", || is_barred(&server, "openrtb"));
    server.stop();
}

#[test]
fn losses_of_what_was_sold_bar_nothing_even_when_settlement_has_forgotten_the_sale() {
    let (configuration, data) = (two_exchanges(""), Scratch::new());
    let server = Running::of(&configuration, &data);
    let lurl = |bid: &Value| {
        let lurl = bid["lurl"].as_str().expect("a URL");
        lurl.replace("${AUCTION_LOSS}", "202")
    };
    let bids_made: Vec<Value> = (0..6)
        .map(|_| server.bid("openrtb", &request("sold")).only_bid())
        .collect();
    for bid in &bids_made {
        let burl = bid["burl"].as_str().expect("a URL");
        assert_eq!(server.notice(burl, "1.00").status, 204);
    }
    server.rebuild("notices/settlement");
    for bid in &bids_made {
        assert_eq!(server.notice(&lurl(bid), "1.00").status, 204);
    }
    assert_eq!(approvals(&server)["refusals"], json!([]));
    assert_eq!(approvals(&server)["approvals"], json!([]));
    // The control: a bid that nobody bought.
    let unsold = server.bid("openrtb", &request("unsold")).only_bid();
    server.rebuild("notices/settlement");
    server.notice(&lurl(&unsold), "1.00");
    server.until("it is counted", || {
        approvals(&server)["refusals"][0]["refused_bids"] == 1
    });
    server.stop();
}

#[test]
fn an_exchange_that_approves_first_gets_nothing_before_it_has_approved() {
    let (configuration, data) = (two_exchanges("approval_first = true"), Scratch::new());
    let server = Running::of(&configuration, &data);
    assert!(bids(&server, "openrtb"));
    assert!(!bids(&server, "other"));
    assert_eq!(approvals(&server)["approval_first"], json!(["other"]));
    assert_eq!(say(&server, "other/tile", "approved"), 200);
    server.until("it is bid there, too", || bids(&server, "other"));
    for (place, state, status) in [
        ("other/tile", "maybe", 400),
        ("nobody/tile", "approved", 404),
        ("other/nothing", "approved", 404),
        ("other", "approved", 404),
        ("other/nothing", "unknown", 200),
    ] {
        assert_eq!(say(&server, place, state), status, "{place} {state}");
    }
    server.stop();
}
