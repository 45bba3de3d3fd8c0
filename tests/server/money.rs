//! From a notice to the books, and over a restart.

use serde_json::{Value, json};

use crate::auctions::{assert_no_bid, bids_until_promised, request, url};
use crate::scratch::Scratch;
use crate::support::{Running, configured};

const PLAIN: &str = "cpm = \"2.00\"\nmargin_percent = \"10\"\nbudget = { daily = \"100.00\" }";

#[test]
fn a_bill_is_booked_once_however_often_it_comes_and_outlives_the_process() {
    let (configuration, data) = (configured(&[("c", PLAIN)]), Scratch::new());
    let server = Running::of(&configuration, &data);
    let bid = server.bid("openrtb", &request("a")).only_bid();
    for _ in 0..3 {
        assert_eq!(server.notice(&url(&bid, "nurl"), "1.50").status, 204);
        assert_eq!(server.notice(&url(&bid, "burl"), "1.50").status, 204);
    }
    // 1.50 per thousand is 1,500,000 nanos each, and ten per cent on top.
    let booked = |server: &Running| {
        let campaign = server.campaign("c");
        (
            campaign["cost_nanos"]["USD"].clone(),
            campaign["billed_nanos"].clone(),
            campaign["impressions"].clone(),
        )
    };
    assert_eq!(
        booked(&server),
        (json!(1_500_000), json!(1_650_000), json!(1))
    );
    server.stop();

    let server = Running::of(&configuration, &data);
    assert_eq!(
        booked(&server),
        (json!(1_500_000), json!(1_650_000), json!(1)),
        "after a restart"
    );
    assert_eq!(
        server.notice(&url(&bid, "burl"), "1.50").status,
        204,
        "the exchange asks again"
    );
    assert_eq!(
        booked(&server),
        (json!(1_500_000), json!(1_650_000), json!(1)),
        "twice is once over a restart"
    );
    server.stop();
}

#[test]
fn a_token_that_is_not_ours_books_nothing() {
    let (configuration, data) = (configured(&[("c", PLAIN)]), Scratch::new());
    let server = Running::of(&configuration, &data);
    let bid = server.bid("openrtb", &request("a")).only_bid();
    let burl = url(&bid, "burl");
    let place = burl.find("t=").expect("a token") + 40;
    let mut forged = burl.clone();
    let other = if &burl[place..=place] == "A" {
        "B"
    } else {
        "A"
    };
    forged.replace_range(place..=place, other);
    assert_eq!(server.notice(&forged, "1.50").status, 400);
    for price in ["-1", "NaN", "1e400", ""] {
        let reply = server.notice(&burl, price);
        assert!(reply.status < 500, "{price}: {}", reply.status);
    }
    let billed = server.campaign("c")["cost_nanos"]["USD"]
        .as_i64()
        .expect("an amount");
    assert!(
        (0..=2_000_000).contains(&billed),
        "no more than the bid's own price: {billed}"
    );
    server.stop();
}

#[test]
fn a_click_leads_on_and_costs_nothing() {
    let (configuration, data) = (configured(&[("c", PLAIN)]), Scratch::new());
    let server = Running::of(&configuration, &data);
    let bid = server.bid("openrtb", &request("a")).only_bid();
    let adm = url(&bid, "adm");
    let click = adm.split('"').nth(1).expect("a link").to_owned();
    assert!(click.contains("/click?"), "{click}");
    assert_eq!(server.notice(&click, "").status, 302);
    assert_eq!(server.campaign("c")["impressions"], 0);
    server.stop();
}

#[test]
fn a_loss_frees_what_was_promised_and_one_that_is_told_of_a_bill_frees_nothing() {
    let (configuration, data) = (configured(&[("c", PLAIN)]), Scratch::new());
    let server = Running::of(&configuration, &data);
    let bids: Vec<Value> = (0..3)
        .map(|number| {
            server
                .bid("openrtb", &request(&number.to_string()))
                .only_bid()
        })
        .collect();
    let reserved = || server.ledger("row").totals.balance.reserved.get();
    // 2.00 per thousand and ten per cent are 2,200,000 nanos each.
    assert_eq!(reserved(), 3 * 2_200_000);
    for _ in 0..2 {
        assert!(server.notice(&url(&bids[0], "lurl"), "3.00").status < 300);
    }
    server.until("the loss is free", || reserved() == 2 * 2_200_000);
    assert_eq!(server.notice(&url(&bids[1], "burl"), "2.00").status, 204);
    server.until("the bill is spent", || reserved() == 2_200_000);
    // Settlement forgets what it had in memory; the region does not.
    server.rebuild("notices/settlement");
    assert!(server.notice(&url(&bids[1], "lurl"), "3.00").status < 500);
    assert_eq!(server.notice(&url(&bids[2], "burl"), "2.00").status, 204);
    server.until("the other bill is spent", || reserved() == 0);
    assert_eq!(server.campaign("c")["billed_nanos"], 2 * 2_200_000);
    server.stop();
}

#[test]
fn no_bid_is_made_when_the_budget_is_promised_and_none_when_it_is_spent() {
    // Each bid promises 0.002 of the 0.01 that there is: five bids.
    let keys = "cpm = \"2.00\"\nbudget = { daily = \"0.01\" }";
    let (configuration, data) = (configured(&[("small", keys)]), Scratch::new());
    let server = Running::of(&configuration, &data);
    let bids = bids_until_promised(&server, 5);
    for bid in &bids {
        assert_eq!(server.notice(&url(bid, "burl"), "2.00").status, 204);
    }
    assert_eq!(server.campaign("small")["billed_nanos"], 10_000_000);
    server.stop();

    let server = Running::of(&configuration, &data);
    assert_no_bid(&server, "spent is spent after a restart");
    server.stop();
}

#[test]
fn a_user_who_has_seen_it_often_enough_sees_it_no_more_also_after_a_restart() {
    let keys = "cpm = \"2.00\"\nbudget = { daily = \"100.00\" }\nfrequency = { impressions = 2, within = \"24h\" }";
    let (configuration, data) = (configured(&[("capped", keys)]), Scratch::new());
    let server = Running::of(&configuration, &data);
    let of_user = |user: &str| {
        let mut request = request("r");
        request["device"] = json!({ "ifa": user });
        request
    };
    let (anna, berta) = (
        of_user("0f2d4c6e-8a1b-4c3d-9e5f-60718293a4b5"),
        of_user("1f2d4c6e-8a1b-4c3d-9e5f-60718293a4b5"),
    );
    server.until("the caps are loaded", || {
        server.bid("openrtb", &berta).status == 200
    });
    for _ in 0..2 {
        let bid = server.bid("openrtb", &anna).only_bid();
        assert_eq!(server.notice(&url(&bid, "burl"), "2.00").status, 204);
    }
    assert_eq!(server.bid("openrtb", &anna).status, 204, "seen twice");
    assert_eq!(
        server.bid("openrtb", &berta).status,
        200,
        "the control: somebody else sees it"
    );
    server.stop();

    let server = Running::of(&configuration, &data);
    server.until("the caps are loaded", || {
        server.bid("openrtb", &of_user("2f2d4c6e")).status == 200
    });
    assert_eq!(
        server.bid("openrtb", &anna).status,
        204,
        "seen twice, before the restart"
    );
    server.stop();
}

#[test]
fn stopping_all_bidding_works_at_once_and_survives_a_restart() {
    let (configuration, data) = (configured(&[("c", PLAIN)]), Scratch::new());
    let server = Running::of(&configuration, &data);
    assert_eq!(server.bid("openrtb", &request("a")).status, 200);
    assert_eq!(server.admin("POST", "/stop-all").status, 200);
    assert_eq!(server.bid("openrtb", &request("a")).status, 204);
    assert_eq!(server.admin("GET", "/readyz").status, 503);
    server.stop();

    let server = Running::of(&configuration, &data);
    assert_eq!(server.bid("openrtb", &request("a")).status, 204);
    assert_eq!(server.admin("POST", "/resume").status, 200);
    assert_eq!(server.bid("openrtb", &request("a")).status, 200);
    server.stop();
}

#[test]
fn clicks_on_billed_impressions_raise_what_the_next_bid_is_worth_and_a_flood_of_them_counts_once() {
    const CLICKS: &str =
        "goal = { cpc = \"0.40\" }\nmax_cpm = \"9.00\"\nbudget = { daily = \"100.00\" }";
    let (configuration, data) = (configured(&[("c", CLICKS)]), Scratch::new());
    let link = |bid: &Value| {
        let adm = url(bid, "adm");
        adm.split('"').nth(1).expect("a link").to_owned()
    };
    let server = Running::of(&configuration, &data);
    let bid = server.bid("openrtb", &request("a")).only_bid();
    assert_eq!(bid["price"], 0.4, "0.40 a click, one click in a thousand");
    assert_eq!(server.notice(&url(&bid, "burl"), "0.40").status, 204);
    for _ in 0..20 {
        assert_eq!(server.notice(&link(&bid), "").status, 302);
    }
    // The control: what nobody paid for may be clicked as often as anybody likes.
    let lost = server.bid("openrtb", &request("b")).only_bid();
    assert_eq!(server.notice(&link(&lost), "").status, 302);
    server.stop();

    let server = Running::of(&configuration, &data);
    let bid = server.bid("openrtb", &request("c")).only_bid();
    // 0.40 times (1 + 2) / (1 + 2,000).
    assert_eq!(bid["price"], 0.5997, "one click more, and one impression");
    server.stop();
}

#[test]
fn bills_whose_price_is_in_doubt_are_counted_by_why() {
    let (configuration, data) = (configured(&[("c", PLAIN)]), Scratch::new());
    let server = Running::of(&configuration, &data);
    // The bid is 2.00; the second notice of an impression is no second bill.
    let prices = ["1.50", "2.00", "", "", "NaN", "9.00", "9.00", "9.00"];
    for (number, price) in prices.into_iter().enumerate() {
        let bid = server
            .bid("openrtb", &request(&number.to_string()))
            .only_bid();
        for _ in 0..2 {
            assert_eq!(server.notice(&url(&bid, "burl"), price).status, 204);
        }
    }
    for (why, times) in [("missing", 2), ("unreadable", 1), ("above_bid", 3)] {
        let line = format!("bidtree_doubtful_prices_total{{why=\"{why}\"}} {times}\n");
        server.until("it is counted", || server.page("/metrics").contains(&line));
    }
    server.stop();
}
