//! What a request rules out: floors, blocked advertisers, deals of others.

use std::sync::Arc;

use super::*;
use crate::traffic::{AskedDeal, DealPricing};

#[test]
fn blocked_domains_and_categories_are_found_with_their_children() {
    let scenario = scenario();
    let (mut planned, right) = request(&scenario, has_banner);
    let with = |field: &str, value: &str| {
        let mut wrong = right.clone();
        bid(&mut wrong)[field] = json!([value]);
        wrong
    };
    planned.asked.blocked_domains = Arc::new(vec!["Bad.example".to_owned()]);
    planned.asked.blocked_categories = Arc::new(vec!["IAB25".to_owned(), "IAB7-39".to_owned()]);
    let found = |wrong: &Value| kinds(&scenario, &planned.asked, wrong);
    for domain in ["bad.example", "shop.bad.example"] {
        let kinds = found(&with("adomain", domain));
        assert_eq!(
            kinds,
            BTreeSet::from([FaultKind::DomainBlocked]),
            "{domain}"
        );
    }
    for category in ["IAB25", "IAB25-3", "IAB7-39"] {
        let kinds = found(&with("cat", category));
        assert_eq!(
            kinds,
            BTreeSet::from([FaultKind::CategoryBlocked]),
            "{category}"
        );
    }
    for right in [
        with("adomain", "notbad.example"),
        with("cat", "IAB7"),
        with("cat", "IAB2"),
    ] {
        assert_eq!(found(&right), BTreeSet::new());
    }
}

#[test]
fn a_floor_in_another_currency_is_compared_by_the_rates() {
    let mut scenario = scenario();
    scenario
        .rates
        .insert("SGD".to_owned(), "0.5".parse().unwrap());
    let (mut planned, mut response) = request(&scenario, has_banner);
    Arc::make_mut(&mut planned.asked.imps)[0].floor = Some("2.00".parse().unwrap());
    Arc::make_mut(&mut planned.asked.imps)[0].floor_currency = "SGD".to_owned();
    bid(&mut response)["price"] = json!(1.0);
    assert_eq!(kinds(&scenario, &planned.asked, &response), BTreeSet::new());
    bid(&mut response)["price"] = json!(0.999_999);
    let below = BTreeSet::from([FaultKind::BelowFloor]);
    assert_eq!(kinds(&scenario, &planned.asked, &response), below);
    // Without a rate nobody can say.
    scenario.rates.clear();
    assert_eq!(kinds(&scenario, &planned.asked, &response), BTreeSet::new());
}

/// The kinds of fault of a bid, and the code with which an auction then refuses it.
fn refusal(asked: &Asked, response: &Value) -> (BTreeSet<FaultKind>, Option<u32>) {
    let body = response.to_string();
    let content = content(body.as_bytes());
    let verdict = judge(&scenario(), asked, (200, &content));
    let kinds = verdict.faults.iter().map(|fault| fault.kind).collect();
    let objection = verdict.bids.first().and_then(|bid| bid.objection);
    (kinds, objection.map(crate::auction::LossReason::code))
}

#[test]
fn what_a_request_rules_out_is_found_and_loses_for_that_reason() {
    let (mut planned, right) = request(&scenario(), has_banner);
    let asked = &mut planned.asked;
    asked.seats = vec!["1234".to_owned()];
    asked.blocked_apps = vec!["com.example.bad".to_owned()];
    Arc::make_mut(&mut asked.imps)[0].limits[0].banner_types = vec![3, 4];
    let mut allowed = right.clone();
    bid(&mut allowed)["bundle"] = json!("com.example.good");
    bid(&mut allowed)["attr"] = json!([2]);
    assert_eq!(refusal(asked, &allowed), (BTreeSet::new(), None));
    let cases: [(FaultKind, u32, Change); 5] = [
        (FaultKind::Seat, 104, |r| {
            r["seatbid"][0]["seat"] = json!("77");
        }),
        (FaultKind::AppBlocked, 215, |r| {
            bid(r)["bundle"] = json!("com.example.bad");
        }),
        (FaultKind::AttributeBlocked, 210, |r| {
            bid(r)["attr"] = json!([9]);
        }),
        (FaultKind::TypeBlocked, 211, |r| {
            replace(r, "adm", "</a>", "</a><script>x()</script>");
        }),
        (FaultKind::TypeBlocked, 211, |r| {
            replace(
                r,
                "adm",
                "</a>",
                "</a><iframe src='https://x.example/'></iframe>",
            );
        }),
    ];
    for (kind, code, change) in cases {
        let mut wrong = right.clone();
        change(&mut wrong);
        assert_eq!(refusal(asked, &wrong), (BTreeSet::from([kind]), Some(code)));
    }
}

#[test]
fn a_bid_for_a_deal_has_to_be_one_of_the_imps_and_meet_its_floor() {
    let (mut planned, right) = request(&scenario(), has_banner);
    let imp = &mut Arc::make_mut(&mut planned.asked.imps)[0];
    imp.floor = Some("9.00".parse().unwrap());
    imp.market.is_private = true;
    imp.market.deals = vec![AskedDeal {
        id: "d".to_owned(),
        floor: "1.50".parse().unwrap(),
        floor_currency: "USD".to_owned(),
        pricing: DealPricing::Fixed,
        seats: vec!["1234".to_owned()],
        advertisers: vec!["brand.example".to_owned()],
    }];
    let asked = &planned.asked;
    let mut dealt = right;
    bid(&mut dealt)["dealid"] = json!("d");
    bid(&mut dealt)["price"] = json!(1.5);
    assert_eq!(refusal(asked, &dealt), (BTreeSet::new(), None));
    let deal = FaultKind::Deal;
    let cases: [(BTreeSet<FaultKind>, u32, Change); 5] = [
        ([FaultKind::BelowDealFloor].into(), 101, |r| {
            bid(r)["price"] = json!(1.49);
        }),
        ([deal].into(), 4, |r| {
            bid(r)["dealid"] = json!("e");
            bid(r)["price"] = json!(9);
        }),
        // Only deals may buy here.
        ([deal].into(), 4, |r| {
            remove(r, "dealid");
            bid(r)["price"] = json!(9);
        }),
        ([deal].into(), 4, |r| {
            r["seatbid"][0]["seat"] = json!("77");
            bid(r)["price"] = json!(9);
        }),
        ([deal].into(), 4, |r| {
            bid(r)["adomain"] = json!(["other.example"]);
            bid(r)["price"] = json!(9);
        }),
    ];
    for (kinds, code, change) in cases {
        let mut wrong = dealt.clone();
        change(&mut wrong);
        assert_eq!(refusal(asked, &wrong), (kinds, Some(code)), "{wrong}");
    }
}
