//! Whole responses: right, empty, broken.

use super::*;

#[test]
fn right_answers_have_no_fault_and_can_be_auctioned() {
    let scenario = scenario();
    for planned in requests(&scenario).take(600) {
        let asked: Value = serde_json::from_slice(&planned.body).unwrap();
        let right = right_answer(&asked, "127.0.0.1:8110").to_string();
        let content = content(right.as_bytes());
        let verdict = judge(&scenario, &planned.asked, (200, &content));
        assert_eq!(verdict.faults, [], "{right}");
        assert_eq!(verdict.bids.len(), planned.asked.imps.len());
        for bid in &verdict.bids {
            assert_eq!(bid.trackers.impressions.len(), 1);
            assert_eq!(bid.trackers.clicks.len(), 1);
            assert!(!bid.trackers.impressions[0].contains("&amp;"));
        }
    }
}

#[test]
fn no_bids_are_right_in_every_form() {
    let scenario = scenario();
    let planned = requests(&scenario).next().unwrap();
    let empty = format!(
        "{{\"id\":\"{}\",\"seatbid\":[],\"nbr\":2}}",
        planned.asked.id
    );
    for (status, body) in [(204, ""), (200, empty.as_str())] {
        let found = content(body.as_bytes());
        let verdict = judge(&scenario, &planned.asked, (status, &found));
        assert_eq!(verdict.faults, []);
        assert!(verdict.bids.is_empty());
    }
}

#[test]
fn what_is_no_response_is_a_fault() {
    let scenario = scenario();
    let planned = requests(&scenario).next().unwrap();
    for (status, body, kind) in [
        (500, &b""[..], FaultKind::Status),
        (400, &b""[..], FaultKind::Status),
        (204, &b"x"[..], FaultKind::Status),
        (200, &b""[..], FaultKind::Json),
        (200, &b"{\"id\":"[..], FaultKind::Json),
        (200, &b"{\"id\":null}"[..], FaultKind::Json),
        (200, &b"{\"id\":7}"[..], FaultKind::Json),
        (200, &b"{\"id\":\"other\"}"[..], FaultKind::ResponseId),
    ] {
        let content = content(body);
        let verdict = judge(&scenario, &planned.asked, (status, &content));
        assert_eq!(verdict.faults.len(), 1);
        assert_eq!(verdict.faults[0].kind, kind, "{status} {body:?}");
    }
    for media_type in ["", "text/html", "application/xml"] {
        let named = Content {
            media_type: media_type.into(),
            ..content(b"{\"id\":\"other\"}")
        };
        let verdict = judge(&scenario, &planned.asked, (200, &named));
        assert_eq!(verdict.faults[0].kind, FaultKind::ContentType);
    }
}

#[test]
fn each_fault_of_a_response_or_bid_is_found() {
    each_is_found(
        has_banner,
        &[
            (FaultKind::ResponseId, |r| r["id"] = json!("other")),
            (FaultKind::ResponseShape, |r| r["nbr"] = json!(2)),
            (FaultKind::ResponseShape, |r| {
                r["seatbid"][0]["bid"] = json!([]);
            }),
            (FaultKind::Currency, |r| r["cur"] = json!("EUR")),
            (FaultKind::BidId, |r| bid(r)["id"] = json!("")),
            (FaultKind::BidId, |r| {
                let again = bid(r).clone();
                r["seatbid"][0]["bid"].as_array_mut().unwrap().push(again);
            }),
            (FaultKind::ImpUnknown, |r| bid(r)["impid"] = json!("none")),
            (FaultKind::Price, |r| bid(r)["price"] = json!(0)),
            (FaultKind::Price, |r| bid(r)["price"] = json!(-1.5)),
            (FaultKind::Price, |r| bid(r)["price"] = json!(2_500_000)),
            (FaultKind::Json, |r| bid(r)["price"] = json!("2.50")),
            (FaultKind::Json, |r| bid(r)["burl"] = Value::Null),
            (FaultKind::BelowFloor, |r| bid(r)["price"] = json!(0.01)),
            (FaultKind::Deal, |r| bid(r)["dealid"] = json!("d")),
            (FaultKind::AttributeBlocked, |r| {
                bid(r)["attr"] = json!([4, 3]);
            }),
            (FaultKind::CreativeId, |r| remove(r, "crid")),
            (FaultKind::CampaignId, |r| remove(r, "cid")),
            (FaultKind::AdvertiserDomain, |r| remove(r, "adomain")),
            (FaultKind::AdvertiserDomain, |r| {
                bid(r)["adomain"] = json!(["https://brand.example"]);
            }),
            (FaultKind::NoticeUrl, |r| bid(r)["lurl"] = json!("/loss")),
            (FaultKind::NoticeUrl, |r| {
                replace(r, "burl", "/bill", "/bi{ll");
            }),
            (FaultKind::MacroUnknown, |r| {
                replace(r, "lurl", "${AUCTION_LOSS}", "${AUCTION_REASON}");
            }),
            (FaultKind::MacroPrice, |r| {
                replace(r, "burl", "${AUCTION_PRICE}", "1");
            }),
        ],
    );
}
