//! What an exchange has judged or asks to be shown, and in which words.

use super::*;
use crate::campaign::fixture::judged;
use crate::campaign::{Approval, Approvals};
use crate::units::CreativeKey;

#[test]
fn what_an_exchange_has_rejected_is_not_bid_there() {
    let rates = Rates::default();
    let mut approvals = Approvals::default();
    let two = Campaign {
        creatives: vec![banner("tile", 300, 250), banner("strip", 320, 50)],
        ..campaign("c")
    };
    let chosen = |approvals: &Approvals, exchange: &str| {
        let catalogue = judged([two.clone()], &rates, (approvals, NOW)).0;
        let place = Place {
            exchange: ExchangeKey::of(exchange),
            ..place(&rates)
        };
        let asked = request(&json!({}));
        choose(&asked, &catalogue, place, &mut Purse::full()).map(|choice| choice.priced.creative)
    };
    assert_eq!(chosen(&approvals, "adx"), Ok(0), "the control");
    let adx = ExchangeKey::of("adx");
    approvals.judge(adx, CreativeKey::of("tile"), Approval::Rejected);
    assert_eq!(chosen(&approvals, "adx"), Err(PassReason::NotApproved));
    assert_eq!(chosen(&approvals, "xandr"), Ok(0));
    approvals.judge(adx, CreativeKey::of("strip"), Approval::Rejected);
    assert_eq!(
        chosen(&approvals, "adx"),
        Err(PassReason::NoCandidate),
        "the index does not even find it"
    );
    approvals.wants_approval_first(ExchangeKey::of("xandr"));
    assert_eq!(chosen(&approvals, "xandr"), Err(PassReason::NoCandidate));
    let xandr = ExchangeKey::of("xandr");
    approvals.judge(xandr, CreativeKey::of("tile"), Approval::Approved);
    assert_eq!(chosen(&approvals, "xandr"), Ok(0));
}

#[test]
fn who_says_who_paid_bids_where_that_must_be_shown() {
    for (dsa, renders) in [
        (json!({ "dsarequired": 3 }), false),
        (json!({ "dsarequired": 2, "pubrender": 2 }), false),
        (json!({ "dsarequired": 2, "pubrender": 0 }), true),
    ] {
        let own = Campaign {
            advertiser: transparent(renders),
            ..campaign("c")
        };
        assert_eq!(reason(&json!({ "regs": { "dsa": dsa } }), own), None);
    }
    let silent = json!({ "regs": { "dsa": { "dsarequired": 1, "pubrender": 0 } } });
    assert_eq!(reason(&silent, campaign("c")), None);
}

#[test]
fn an_ad_is_compared_in_the_taxonomy_that_the_request_names() {
    for (change, taxonomy) in [
        (json!({ "bcat": ["15", "1510"], "cattax": 7 }), 7),
        (json!({ "acat": ["150"], "cattax": 7 }), 7),
        (json!({ "acat": [" 151"], "cattax": 7 }), 7),
        (json!({ "bcat": ["1"], "cattax": 500 }), 500),
        (json!({ "bcat": [], "acat": null, "cattax": 3 }), 7),
    ] {
        assert_eq!(
            reason(&change, classified(taxonomy, "150/151")),
            None,
            "{change}"
        );
    }
}
