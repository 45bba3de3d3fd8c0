//! Answers of every kind, right and wrong. A wrong one differs from a right one in one thing, so that each fault shows
//! that its check can fail.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::fake::right_answer;
use crate::traffic::{AskedDeal, DealPricing, Generator, Planned, Slot};

fn content(body: &[u8]) -> Content {
    Content {
        media_type: "application/json".into(),
        body: body.to_vec(),
    }
}

fn scenario() -> Scenario {
    Scenario::load("steady").unwrap()
}

fn requests(scenario: &Scenario) -> impl Iterator<Item = Planned> {
    let generator = Generator::new(1, scenario.traffic.clone(), &scenario.exchanges);
    (0..).map_while(move |index| generator.request(index))
}

/// The first request with one imp of this kind.
fn request(scenario: &Scenario, wanted: impl Fn(&Planned) -> bool) -> (Planned, Value) {
    let planned =
        requests(scenario).find(|planned| planned.asked.imps.len() == 1 && wanted(planned));
    let planned = planned.unwrap();
    let asked: Value = serde_json::from_slice(&planned.body).unwrap();
    let right = right_answer(&asked, "127.0.0.1:8110");
    (planned, right)
}

fn kinds(scenario: &Scenario, asked: &Asked, response: &Value) -> BTreeSet<FaultKind> {
    let verdict = judge(
        scenario,
        asked,
        (200, &content(response.to_string().as_bytes())),
    );
    verdict.faults.iter().map(|fault| fault.kind).collect()
}

#[test]
fn right_answers_have_no_fault_and_can_be_auctioned() {
    let scenario = scenario();
    for planned in requests(&scenario).take(600) {
        let asked: Value = serde_json::from_slice(&planned.body).unwrap();
        let right = right_answer(&asked, "127.0.0.1:8110").to_string();
        let verdict = judge(&scenario, &planned.asked, (200, &content(right.as_bytes())));
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
        let verdict = judge(&scenario, &planned.asked, (status, &content(body)));
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

type Change = fn(&mut Value);

fn bid(response: &mut Value) -> &mut Value {
    &mut response["seatbid"][0]["bid"][0]
}

fn remove(response: &mut Value, field: &str) {
    bid(response).as_object_mut().unwrap().remove(field);
}

fn replace(response: &mut Value, field: &str, from: &str, to: &str) {
    let text = bid(response)[field].as_str().unwrap();
    assert!(text.contains(from), "{from} in {text}");
    bid(response)[field] = json!(text.replace(from, to));
}

/// Applies each change to a right answer and finds exactly its fault.
fn each_is_found(wanted: impl Fn(&Planned) -> bool, changes: &[(FaultKind, Change)]) {
    let scenario = scenario();
    let (planned, right) = request(&scenario, wanted);
    assert_eq!(kinds(&scenario, &planned.asked, &right), BTreeSet::new());
    for (number, (kind, change)) in changes.iter().enumerate() {
        let mut wrong = right.clone();
        change(&mut wrong);
        let found = kinds(&scenario, &planned.asked, &wrong);
        assert_eq!(found, BTreeSet::from([*kind]), "change {number}");
    }
}

fn has_banner(planned: &Planned) -> bool {
    let imp = &planned.asked.imps[0];
    imp.is_secure && imp.floor.is_some() && matches!(imp.slots[..], [Slot::Banner(_)])
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

#[test]
fn each_fault_of_a_banner_is_found() {
    each_is_found(
        has_banner,
        &[
            (FaultKind::Size, |r| bid(r)["w"] = json!(301)),
            (FaultKind::Size, |r| remove(r, "h")),
            (FaultKind::MarkupType, |r| bid(r)["mtype"] = json!(2)),
            (FaultKind::MarkupType, |r| remove(r, "mtype")),
            (FaultKind::Markup, |r| remove(r, "adm")),
            (FaultKind::Markup, |r| {
                let adm = bid(r)["adm"].as_str().unwrap();
                bid(r)["adm"] = json!(format!("{{{adm}"));
            }),
            (FaultKind::ImpressionTracker, |r| {
                replace(r, "adm", "/imp?", "/image?");
                replace(r, "adm", "height=1 ", "");
            }),
            (FaultKind::Markup, |r| {
                let script = "<script>f('https://x.example/imp?a=1&amp;b=2')</script>";
                replace(r, "adm", "</a>", &format!("</a>{script}"));
            }),
            (FaultKind::Insecure, |r| {
                replace(r, "adm", "https://cdn", "http://cdn");
            }),
            (FaultKind::Insecure, |r| {
                replace(r, "adm", "src='https:", "src='http:");
            }),
        ],
    );
}

#[test]
fn each_fault_of_a_video_is_found() {
    each_is_found(
        |planned| matches!(planned.asked.imps[0].slots[..], [Slot::Video { .. }]),
        &[
            (FaultKind::Vast, |r| {
                bid(r)["adm"] = json!(
                    "<VAST version=\"3.0\"><Impression>https://x.example/</Impression></VAST>"
                );
            }),
            (FaultKind::Vast, |r| {
                replace(r, "adm", "00:00:15", "00:02:00");
            }),
            (FaultKind::Vast, |r| {
                replace(r, "adm", "video/mp4", "video/ogg");
            }),
            (FaultKind::Vast, |r| {
                replace(r, "adm", "version=\"3.0\"", "version=\"9.0\"");
            }),
            (FaultKind::Vast, |r| bid(r)["protocol"] = json!(2)),
            (FaultKind::ImpressionTracker, |r| {
                replace(r, "adm", "Impression>", "Other>");
            }),
        ],
    );
}

#[test]
fn each_fault_of_a_native_is_found() {
    fn change(response: &mut Value, change: impl Fn(&mut Value)) {
        let adm = bid(response)["adm"].as_str().unwrap();
        let mut native: Value = serde_json::from_str(adm).unwrap();
        change(&mut native);
        bid(response)["adm"] = json!(native.to_string());
    }
    each_is_found(
        |planned| matches!(planned.asked.imps[0].slots[..], [Slot::Native(_)]),
        &[
            (FaultKind::Native, |r| {
                change(r, |native| {
                    native["assets"].as_array_mut().unwrap().remove(0);
                });
            }),
            (FaultKind::Native, |r| {
                change(r, |native| native["assets"][0]["id"] = json!(99));
            }),
            (FaultKind::Native, |r| {
                change(r, |native| {
                    native["assets"][0]["title"]["text"] = json!("x".repeat(91));
                });
            }),
            (FaultKind::Native, |r| {
                change(r, |native| native["assets"][1]["img"]["w"] = json!(599));
            }),
            (FaultKind::Native, |r| {
                change(r, |native| native["link"] = json!({}));
            }),
            (FaultKind::ImpressionTracker, |r| {
                change(r, |native| native["eventtrackers"] = json!([]));
            }),
        ],
    );
}

#[test]
fn blocked_domains_and_categories_are_found_with_their_children() {
    let scenario = scenario();
    let (mut planned, right) = request(&scenario, has_banner);
    let with = |field: &str, value: &str| {
        let mut wrong = right.clone();
        bid(&mut wrong)[field] = json!([value]);
        wrong
    };
    planned.asked.blocked_domains = vec!["Bad.example".to_owned()];
    planned.asked.blocked_categories = vec!["IAB25".to_owned(), "IAB7-39".to_owned()];
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
    planned.asked.imps[0].floor = Some("2.00".parse().unwrap());
    planned.asked.imps[0].floor_currency = "SGD".to_owned();
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
    let verdict = judge(&scenario(), asked, (200, &content(body.as_bytes())));
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
    asked.imps[0].limits[0].banner_types = vec![3, 4];
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
    let imp = &mut planned.asked.imps[0];
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

#[test]
fn a_slot_of_a_pod_takes_its_lengths_only_and_a_bid_says_the_right_one() {
    let is_video =
        |planned: &Planned| matches!(planned.asked.imps[0].slots[..], [Slot::Video { .. }]);
    let (mut planned, right) = request(&scenario(), is_video);
    let found = |planned: &Planned, response: &Value| kinds(&scenario(), &planned.asked, response);
    let duration = BTreeSet::from([FaultKind::Duration]);
    let mut said = right.clone();
    bid(&mut said)["dur"] = json!(15);
    assert_eq!(found(&planned, &said), BTreeSet::new());
    bid(&mut said)["dur"] = json!(30);
    assert_eq!(found(&planned, &said), duration);
    for (lengths, kinds) in [(vec![15, 30], BTreeSet::new()), (vec![10, 30], duration)] {
        if let Slot::Video { durations, .. } = &mut planned.asked.imps[0].slots[0] {
            *durations = lengths;
        }
        assert_eq!(found(&planned, &right), kinds);
    }
}

#[test]
fn audio_is_judged_like_video_without_a_picture() {
    let is_video =
        |planned: &Planned| matches!(planned.asked.imps[0].slots[..], [Slot::Video { .. }]);
    let (mut planned, mut right) = request(&scenario(), is_video);
    planned.asked.imps[0].slots = vec![Slot::Audio {
        mimes: vec!["audio/mpeg".into()],
        seconds: (5, 30),
        durations: Vec::new(),
        protocols: vec![2, 3],
    }];
    bid(&mut right)["mtype"] = json!(3);
    replace(&mut right, "adm", "video/mp4", "audio/mpeg");
    assert_eq!(kinds(&scenario(), &planned.asked, &right), BTreeSet::new());
    let mut wrong = right.clone();
    bid(&mut wrong)["mtype"] = json!(2);
    let markup_type = BTreeSet::from([FaultKind::MarkupType]);
    assert_eq!(kinds(&scenario(), &planned.asked, &wrong), markup_type);
    replace(&mut right, "adm", "audio/mpeg", "audio/ogg");
    assert_eq!(
        kinds(&scenario(), &planned.asked, &right),
        BTreeSet::from([FaultKind::Vast])
    );
}
