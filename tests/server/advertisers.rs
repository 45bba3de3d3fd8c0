//! What an advertiser's campaigns share, our own lists of people, and user sync: from sockets to the books.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::auctions::{assert_no_bid, bids_until_promised, request, url};
use crate::scratch::Scratch;
use crate::support::{Running, configured};

const PLAIN: &str = "cpm = \"2.00\"\nbudget = { daily = \"100.00\" }";
const ADVERTISER: &str = "domains = [\"acme.example\"]\n";

fn of_user(user: &str) -> Value {
    let mut request = request("r");
    request["user"] = json!({ "buyeruid": user });
    request
}

/// Two campaigns of one advertiser, whose file says this besides.
fn two(advertiser: &str) -> Scratch {
    let folder = configured(&[("one", PLAIN), ("two", PLAIN)]);
    folder.write(
        "advertisers/acme.toml",
        &format!("{ADVERTISER}{advertiser}"),
    );
    folder
}

fn shared(server: &Running) -> Value {
    server.admin("GET", "/campaigns").json()["advertisers"][0].clone()
}

#[test]
fn no_campaign_of_an_advertiser_bids_when_all_of_its_budget_is_promised_or_spent() {
    // Each bid promises 0.002 of the 0.01 that there is for both: five bids.
    let (configuration, data) = (two("budget_total = \"0.01\""), Scratch::new());
    let server = Running::of(&configuration, &data);
    let bids = bids_until_promised(&server, 5);
    for bid in &bids {
        assert_eq!(server.notice(&url(bid, "burl"), "2.00").status, 204);
    }
    assert_eq!(shared(&server)["billed_nanos"], 10_000_000);
    assert_eq!(shared(&server)["budget_total_nanos"], 10_000_000);
    server.stop();

    let server = Running::of(&configuration, &data);
    assert_no_bid(&server, "spent is spent after a restart");
    // The control: with more of it, they go on.
    configuration.write(
        "advertisers/acme.toml",
        &format!("{ADVERTISER}budget_total = \"0.02\""),
    );
    assert_eq!(server.admin("POST", "/campaigns/reload").status, 200);
    server.until("there is money again", || {
        server.bid("openrtb", &request("r")).status == 200
    });
    server.stop();
}

#[test]
fn a_person_sees_an_advertiser_as_often_as_its_cap_says_also_when_its_region_or_the_process_restarts()
 {
    let cap = "cap = { impressions = 2, within = \"24h\" }";
    let (configuration, data) = (two(cap), Scratch::new());
    let server = Running::of(&configuration, &data);
    let loaded = |server: &Running, user: &str| {
        server.until("the caps are loaded", || {
            server.bid("openrtb", &of_user(user)).status == 200
        });
    };
    loaded(&server, "berta");
    let mut two_imps = of_user("anna");
    two_imps["imp"] = json!([
        { "id": "1", "banner": { "w": 300, "h": 250 } },
        { "id": "2", "banner": { "w": 300, "h": 250 } },
    ]);
    let response = server.bid("openrtb", &two_imps).json();
    let bids = response["seatbid"][0]["bid"].as_array().expect("bids");
    let campaigns: BTreeSet<_> = bids.iter().map(|bid| bid["cid"].as_str()).collect();
    assert_eq!(campaigns.len(), 2, "one impression for each campaign");
    assert_eq!(server.bid("openrtb", &of_user("anna")).status, 204);
    server.until("the reason is counted", || {
        server.page("/metrics").contains("advertiser_capped")
    });

    // One is billed, and the other still may be: a region that restarts knows both.
    assert_eq!(server.notice(&url(&bids[0], "burl"), "2.00").status, 204);
    server.rebuild("regions/row/frequency");
    loaded(&server, "clara");
    assert_eq!(server.bid("openrtb", &of_user("anna")).status, 204);
    assert_eq!(server.notice(&url(&bids[1], "burl"), "2.00").status, 204);
    server.stop();

    let server = Running::of(&configuration, &data);
    loaded(&server, "dora");
    assert_eq!(server.bid("openrtb", &of_user("anna")).status, 204);
    server.stop();
}

#[test]
fn a_cap_that_is_raised_counts_all_that_was_seen_before() {
    let cap = |impressions: u32| {
        format!("{ADVERTISER}cap = {{ impressions = {impressions}, within = \"24h\" }}")
    };
    let (configuration, data) = (two(""), Scratch::new());
    configuration.write("advertisers/acme.toml", &cap(3));
    let server = Running::of(&configuration, &data);
    server.until("the caps are loaded", || {
        server.bid("openrtb", &of_user("berta")).status == 200
    });
    for _ in 0..3 {
        let bid = server.bid("openrtb", &of_user("anna")).only_bid();
        assert_eq!(server.notice(&url(&bid, "burl"), "2.00").status, 204);
    }
    for impressions in [1, 4] {
        configuration.write("advertisers/acme.toml", &cap(impressions));
        assert_eq!(server.admin("POST", "/campaigns/reload").status, 200);
        if impressions == 1 {
            server.until("somebody else sees it under the new cap", || {
                server.bid("openrtb", &of_user("clara")).status == 200
            });
            assert_eq!(server.bid("openrtb", &of_user("anna")).status, 204);
        }
    }
    server.until("anna sees the fourth", || {
        server.bid("openrtb", &of_user("anna")).status == 200
    });
    assert_eq!(server.bid("openrtb", &of_user("anna")).status, 204);
    server.stop();
}

#[test]
fn with_strict_caps_nothing_capped_is_shown_while_bids_of_a_former_process_may_be_billed() {
    let cap = "cap = { impressions = 1, within = \"24h\" }";
    let (configuration, data) = (two(cap), Scratch::new());
    let file = configuration.path().join("bidtree.toml");
    let text = std::fs::read_to_string(file).expect("a file");
    configuration.write(
        "bidtree.toml",
        &format!("{text}[campaigns]\nstrict_caps = true\n"),
    );
    let server = Running::of(&configuration, &data);
    // The control: in a folder without a past there is nothing to wait for but the history.
    server.until("the caps are loaded", || {
        server.bid("openrtb", &of_user("anna")).status == 200
    });
    server.stop();

    let server = Running::of(&configuration, &data);
    // The page is made once a second, and a history as short as this is loaded in a part of one.
    for passes in 1..=3 {
        assert_eq!(server.bid("openrtb", &of_user("anna")).status, 204);
        let counted = format!("reason=\"caps_unknown\"}} {passes}\n");
        server.until("the pass is counted", || {
            server.page("/metrics").contains(&counted)
        });
    }
    server.stop();
}

const SEGMENTS: &str = "[[segments]]\nname = \"buyers\"\nfile = \"buyers.txt\"\n";

fn listed(targeting: &str) -> Scratch {
    let campaign = format!("{PLAIN}\ntargeting = {{ segments = {targeting} }}");
    let folder = configured(&[("c", &campaign)]);
    let file = folder.path().join("bidtree.toml");
    let text = std::fs::read_to_string(file).expect("a file");
    folder.write("bidtree.toml", &format!("{text}{SEGMENTS}"));
    folder.write("buyers.txt", "# who bought\nanna\n");
    folder
}

#[test]
fn lists_of_our_own_are_targeted_and_read_again_and_never_used_without_permission() {
    let (configuration, data) = (listed("{ include = [\"own:buyers\"] }"), Scratch::new());
    let server = Running::of(&configuration, &data);
    let bids = |user: &str| server.bid("openrtb", &of_user(user)).status;
    assert_eq!((bids("anna"), bids("berta")), (200, 204));
    let told = |request: &Value| {
        let explained = server.explain("exchange=openrtb", request).json();
        explained["request"]["own_segments"].clone()
    };
    assert_eq!(told(&of_user("anna")), json!(["own:buyers"]));
    assert_eq!(told(&of_user("berta")), json!([]));
    let mut restricted = of_user("anna");
    restricted["regs"] = json!({ "gdpr": 1 });
    assert_eq!(server.bid("openrtb", &restricted).status, 204);
    assert_eq!(told(&restricted), json!([]));
    configuration.write("buyers.txt", "berta\n");
    assert_eq!(server.admin("POST", "/campaigns/reload").status, 200);
    assert_eq!((bids("anna"), bids("berta")), (204, 200));
    configuration.write("buyers.txt", &"x".repeat(300));
    assert_eq!(server.admin("POST", "/campaigns/reload").status, 422);
    assert_eq!(bids("berta"), 200, "what was wrong is not used");
    server.stop();

    let (configuration, data) = (listed("{ exclude = [\"own:buyers\"] }"), Scratch::new());
    let server = Running::of(&configuration, &data);
    let bids = |user: &str| server.bid("openrtb", &of_user(user)).status;
    assert_eq!((bids("anna"), bids("berta")), (204, 200));
    server.stop();
}

const SYNC: &str = "sync_url = \"https://cm.exchange.example/match?uid={user_id}\"\n";

/// A campaign with these keys, on an exchange that matches users.
fn synced(keys: &str) -> Scratch {
    let folder = configured(&[("c", keys)]);
    let text = std::fs::read_to_string(folder.path().join("bidtree.toml")).expect("a file");
    let section = "[exchanges.openrtb]\n";
    let text = text.replace(section, &format!("{section}{SYNC}"));
    folder.write("bidtree.toml", &text);
    folder
}

#[test]
fn a_synced_user_is_the_same_person_in_a_bid_and_on_our_own_domain() {
    let keys = format!("{PLAIN}\nfrequency = {{ impressions = 9, within = \"24h\" }}");
    let (configuration, data) = (synced(&keys), Scratch::new());
    let server = Running::of(&configuration, &data);

    let first = server.browse(
        "/sync/openrtb?gdpr=0&us_privacy=1YNN&to=https://evil.example",
        "",
    );
    assert_eq!(first.status, 302);
    let cookie = first.header("set-cookie").expect("a cookie");
    let (cookie, rules) = cookie.split_once(';').expect("rules");
    for rule in ["Max-Age=", "Secure", "HttpOnly", "SameSite=None"] {
        assert!(rules.contains(rule), "{rules}");
    }
    let (_, id) = cookie.split_once('=').expect("an id");
    let place = format!("https://cm.exchange.example/match?uid={id}");
    assert_eq!(first.header("location"), Some(place.as_str()));
    let again = server.browse("/sync/openrtb", &format!("cookie: {cookie}\r\n"));
    assert_eq!(again.header("location"), Some(place.as_str()));
    assert_eq!(again.header("set-cookie"), None);
    let other = server.browse("/sync/openrtb", "");
    assert_ne!(other.header("location"), Some(place.as_str()));

    // The exchange hands the id back, and the browser reports with its cookie.
    server.until("the caps are loaded", || {
        server.bid("openrtb", &of_user("berta")).status == 200
    });
    let bid = server.bid("openrtb", &of_user(id)).only_bid();
    let click = url(&bid, "adm");
    let click = click.split('"').nth(1).expect("a link");
    let path = click.split_once("notices.example").expect("our host").1;
    let cookies = format!("cookie: {cookie}\r\n");
    assert_eq!(server.browse(path, &cookies).status, 302);
    let metrics = server.page("/metrics");
    let same = "bidtree_notices_total{kind=\"visitor\",outcome=\"same\"} 1";
    assert!(metrics.contains(same), "{metrics}");
    // A browser that objects is sent on, and not looked at: who it is stays as uncounted as it was.
    let stranger = "cookie: bidtree_id=00112233445566778899aabbccddeeff\r\n";
    for objection in ["sec-gpc: 1\r\n", "dnt: 1\r\n"] {
        for cookies in [cookies.as_str(), stranger] {
            let reply = server.browse(path, &format!("{cookies}{objection}"));
            assert_eq!(reply.status, 302);
        }
    }
    let metrics = server.page("/metrics");
    assert!(metrics.contains(same), "{metrics}");
    let other = same.replace("same", "other");
    assert!(!metrics.contains("outcome=\"other\""), "{metrics}");
    assert_eq!(server.browse(path, stranger).status, 302);
    let metrics = server.page("/metrics");
    assert!(metrics.contains(&other), "{metrics}");
    server.stop();
}

#[test]
fn nobody_who_may_not_be_known_gets_a_cookie_and_nobody_is_sent_where_no_configuration_says() {
    let (configuration, data) = (synced(PLAIN), Scratch::new());
    let server = Running::of(&configuration, &data);
    for (query, headers) in [
        ("gdpr=1", ""),
        ("gdpr=1&gdpr_consent=CPx", ""),
        ("gdpr=0&gdpr=1", ""),
        ("us_privacy=1YYN", ""),
        ("gpp=DBAA&gpp_sid=7", ""),
        ("coppa=1", ""),
        ("g%64pr=1", ""),
        ("", "sec-gpc: 1\r\n"),
        ("", "dnt: 1\r\n"),
    ] {
        let known = "cookie: bidtree_id=00112233445566778899aabbccddeeff\r\n";
        for headers in [headers.to_owned(), format!("{headers}{known}")] {
            let reply = server.browse(&format!("/sync/openrtb?{query}"), &headers);
            assert_eq!(reply.status, 204, "{query} {headers}");
            let told = (reply.header("set-cookie"), reply.header("location"));
            assert_eq!(told, (None, None), "{query} {headers}");
        }
    }
    for path in [
        "/sync/nobody",
        "/sync/openrtb/more",
        "/sync/",
        "/sync/%6Fpenrtb",
    ] {
        assert_eq!(server.browse(path, "").status, 404, "{path}");
    }
    server.stop();
}
