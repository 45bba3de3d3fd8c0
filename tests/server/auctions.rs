//! An exchange's side of a test: what it asks for a banner, and what it reads from the bid.

use serde_json::{Value, json};

use crate::support::Running;

/// A request for a 300x250 banner.
pub(crate) fn request(id: &str) -> Value {
    json!({
        "id": id, "tmax": 1000, "imp": [{ "id": "1", "banner": { "w": 300, "h": 250 } }],
        "site": { "domain": "news.example" },
    })
}

/// One of a bid's URLs.
pub(crate) fn url(bid: &Value, name: &str) -> String {
    bid[name].as_str().expect("a URL").to_owned()
}

/// The bids for which there is money: no more than `most` of them.
pub(crate) fn bids_until_promised(server: &Running, most: usize) -> Vec<Value> {
    let mut bids = Vec::new();
    server.until("the budget is promised", || {
        let reply = server.bid("openrtb", &request("r"));
        if reply.status == 200 {
            bids.push(reply.only_bid());
        }
        assert!(bids.len() <= most, "more was promised than there is");
        bids.len() == most
    });
    assert_no_bid(server, "all of it is promised");
    bids
}

/// However often it is asked, it does not bid.
pub(crate) fn assert_no_bid(server: &Running, why: &str) {
    for number in 0..20 {
        let reply = server.bid("openrtb", &request(&number.to_string()));
        assert_eq!(reply.status, 204, "{why}");
    }
}
