//! Requests with `test = 1`: answered as any other, and nothing of them is promised, paced, capped or booked.

use bidtree::units::CampaignSlot;
use serde_json::{Value, json};

use crate::scratch::Scratch;
use crate::support::{Running, configured};

const CAPPED: &str = "cpm = \"2.00\"\nbudget = { daily = \"100.00\" }\nfrequency = { impressions = 1, within = \"24h\" }";

fn request(user: &str) -> Value {
    json!({
        "id": "r", "tmax": 1000, "imp": [{ "id": "1", "banner": { "w": 300, "h": 250 } }],
        "site": { "domain": "news.example" }, "device": { "ifa": user },
    })
}

fn rehearsal(user: &str, says: &Value) -> Value {
    let mut request = request(user);
    request["test"] = says.clone();
    request
}

/// Everything that a bid moves: what is promised, what pacing has counted, what the books say.
fn moved(server: &Running) -> (i64, u64, u64, Value) {
    let region = &server.parts().regions[0];
    let flows = region.pacer.sights.iter().flat_map(|sight| {
        let slots = (0..64).map(CampaignSlot::new);
        slots.map(|slot| sight.supply.flow(slot))
    });
    let (offered, bid) = flows.fold((0, 0), |(offered, bid), flow| {
        (offered + flow.offered, bid + flow.bid)
    });
    let reserved = server.ledger("row").totals.balance.reserved.get();
    let campaign = server.campaign("capped");
    let booked = json!([
        campaign["cost_nanos"],
        campaign["billed_nanos"],
        campaign["impressions"]
    ]);
    (reserved, offered, bid, booked)
}

fn fields(bid: &Value) -> Vec<&String> {
    bid.as_object().expect("a bid").keys().collect()
}

#[test]
fn a_test_is_answered_as_any_other_request_and_moves_nothing() {
    let (configuration, data) = (configured(&[("capped", CAPPED)]), Scratch::new());
    let server = Running::of(&configuration, &data);
    let (anna, berta) = ("0f2d4c6e-8a1b", "1f2d4c6e-8a1b");
    server.until("the caps are loaded", || {
        server.bid("openrtb", &request(berta)).status == 200
    });
    let before = moved(&server);

    let mut bids = Vec::new();
    for says in [
        json!(1),
        json!(true),
        json!("1"),
        json!(1.0),
        json!(2),
        json!("perhaps"),
    ] {
        for _ in 0..3 {
            bids.push(server.bid("openrtb", &rehearsal(anna, &says)).only_bid());
        }
    }
    assert_eq!(moved(&server), before, "nothing is promised or paced");
    for bid in &bids {
        for name in ["nurl", "burl"] {
            let url = bid[name].as_str().expect("a URL");
            assert_eq!(server.notice(url, "1.50").status, 204);
        }
        let markup = bid["adm"].as_str().expect("markup");
        let pixel = markup.split('"').find(|part| part.contains("/imp?t="));
        assert_eq!(server.notice(pixel.expect("a pixel"), "1.50").status, 200);
        let lurl = bid["lurl"].as_str().expect("a URL");
        assert_eq!(server.notice(lurl, "1.50").status, 204);
    }
    assert_eq!(moved(&server), before, "nothing is booked or freed");
    let page = server.page("/metrics");
    let refused = "bidtree_notices_total{kind=\"bill\",outcome=\"test\"} 18";
    assert!(page.contains(refused), "{page}");

    // The control: the same user's first real request still fits the cap, and moves all of it.
    let real = server.bid("openrtb", &rehearsal(anna, &json!(0)));
    let real = real.only_bid();
    assert_eq!(fields(&real), fields(&bids[0]));
    assert_eq!(real["price"], bids[0]["price"]);
    let promised = moved(&server);
    assert!(promised.0 > before.0 && promised.1 > before.1 && promised.2 > before.2);
    let burl = real["burl"].as_str().expect("a URL");
    assert_eq!(server.notice(burl, "1.50").status, 204);
    server.until("it is booked", || moved(&server).3 != before.3);
    for says in [json!(0), json!(false), json!("0"), json!(null)] {
        let again = server.bid("openrtb", &rehearsal(anna, &says));
        assert_eq!(again.status, 204, "{says}: seen once, which is the cap");
    }
    assert_eq!(
        server.bid("openrtb", &rehearsal(anna, &json!(1))).status,
        200,
        "a cap is not asked"
    );
    let booked = moved(&server).3;
    server.stop();

    let server = Running::of(&configuration, &data);
    assert_eq!(
        moved(&server).3,
        booked,
        "nor is any of it found after a restart"
    );
    server.stop();
}
