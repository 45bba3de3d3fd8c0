//! Which candidate is chosen, and how long it is searched for.

use std::cell::Cell;

use super::*;
use crate::campaign::fixture::native;

#[test]
fn what_money_refuses_is_said_and_the_next_best_is_tried() {
    let rates = Rates::default();
    let mut dear = campaign("dear");
    dear.goal = Goal::Cpm(Cpm::from_micros(9_000_000));
    let catalogue = catalogue([campaign("cheap"), dear], NOW);
    for refusal in [
        PassReason::Capped,
        PassReason::AdvertiserCapped,
        PassReason::NoLease,
        PassReason::NoBudget,
        PassReason::LedgerBehind,
    ] {
        let mut purse = Purse {
            refuses: Some(refusal),
            ..Purse::full()
        };
        let chosen = choose(&request(&json!({})), &catalogue, place(&rates), &mut purse);
        assert_eq!(chosen.unwrap_err(), refusal);
        let tried: Vec<_> = purse
            .promised
            .iter()
            .map(|offered| offered.campaign)
            .collect();
        assert_eq!(tried, [CampaignKey::of("dear"), CampaignKey::of("cheap")]);
    }
    let mut purse = Purse {
        draws: false,
        ..Purse::full()
    };
    let chosen = choose(&request(&json!({})), &catalogue, place(&rates), &mut purse);
    assert_eq!(chosen.unwrap_err(), PassReason::Paced);
    assert!(
        purse.promised.is_empty(),
        "what pacing refuses promises nothing"
    );
}

#[test]
fn a_test_is_answered_and_neither_paced_nor_promised() {
    let rates = Rates::default();
    let mut purse = Purse {
        draws: false,
        refuses: Some(PassReason::NoBudget),
        promised: Vec::new(),
    };
    let catalogue = catalogue([campaign("c")], NOW);
    let choice = choose(
        &request(&json!({ "test": 1 })),
        &catalogue,
        place(&rates),
        &mut purse,
    )
    .unwrap();
    assert_eq!((choice.hold, purse.promised.len()), (None, 0));
}

#[test]
fn the_search_stops_when_time_is_up_and_after_so_many_candidates() {
    let rates = Rates::default();
    let many: Vec<Campaign> = (0..200)
        .map(|number| campaign(&format!("c{number}")))
        .collect();
    let catalogue = catalogue(many, NOW);
    let bytes = request(&json!({})).to_string();
    let request = decode(bytes.as_bytes()).unwrap();
    let context = Context::read(&request, place(&rates)).unwrap();
    let mut chance = Opportunity::read(&request.imps[0], 0, &context).unwrap();
    let refusing = || Purse {
        refuses: Some(PassReason::NoBudget),
        ..Purse::full()
    };
    let mut purse = refusing();
    let mut none = Vec::new();
    let chosen = decide(
        (&context, &mut chance),
        &catalogue,
        &mut none,
        &mut purse,
        &|| false,
    );
    assert_eq!(
        (chosen.unwrap_err(), purse.promised.len()),
        (PassReason::NoBudget, CANDIDATES_MAX)
    );
    let looks = Cell::new(0);
    let mut purse = refusing();
    let late = || {
        looks.set(looks.get() + 1);
        looks.get() == 2
    };
    let chosen = decide(
        (&context, &mut chance),
        &catalogue,
        &mut none,
        &mut purse,
        &late,
    );
    assert_eq!(chosen.unwrap_err(), PassReason::NoTime);
    assert_eq!(purse.promised.len(), 2 * LOOK_AT_DEADLINE_EVERY - 1);
}

#[expect(clippy::struct_excessive_bools, reason = "two independent properties")]
#[derive(Clone, Debug)]
struct Random {
    price: i64,
    kind: u8,
    advertiser: u8,
    secure: bool,
    active: bool,
}

impl Random {
    fn campaign(&self, number: usize) -> Campaign {
        let mut one = campaign(&format!("c{number}"));
        one.goal = Goal::Cpm(Cpm::from_micros(self.price));
        one.active = self.active;
        let mut creative = match self.kind {
            0 => banner("b", 300, 250),
            1 => banner("b", 320, 50),
            2 => video("v"),
            _ => native("n"),
        };
        creative.secure = self.secure;
        one.creatives = vec![creative];
        let mut advertiser = (*one.advertiser).clone();
        advertiser.domains = vec![domain(&format!("brand{}.example", self.advertiser))];
        one.advertiser = std::sync::Arc::new(advertiser);
        one
    }

    /// What the rules say, read one by one.
    fn may(&self, floor: i64, blocked: u8, secure: bool) -> bool {
        let fits = matches!(self.kind, 0 | 2);
        self.active
            && fits
            && self.price >= floor
            && self.advertiser != blocked
            && (self.secure || !secure)
    }
}

fn random() -> impl Strategy<Value = Random> {
    (
        1..40_i64,
        0..4_u8,
        0..4_u8,
        any::<bool>(),
        prop::bool::weighted(0.8),
    )
        .prop_map(|(price, kind, advertiser, secure, active)| Random {
            price: price * 100_000,
            kind,
            advertiser,
            secure,
            active,
        })
}

proptest! {
    #[test]
    fn the_best_that_may_bid_does(
        all in prop::collection::vec(random(), 0..60),
        floor in 0..45_i64,
        blocked in 0..5_u8,
        secure in any::<bool>(),
    ) {
        let rates = Rates::default();
        let floor = floor * 100_000;
        let campaigns = all.iter().enumerate().map(|(number, one)| one.campaign(number));
        let catalogue = catalogue(campaigns, NOW);
        let asked = json!({
            "id": "r", "site": { "domain": "news.example" }, "badv": [format!("brand{blocked}.example")],
            "imp": [{
                "id": "1", "secure": u8::from(secure), "bidfloor": Cpm::from_micros(floor).to_string().parse::<f64>().unwrap(),
                "banner": { "w": 300, "h": 250 },
                "video": { "mimes": ["video/mp4"], "minduration": 5, "maxduration": 60, "protocols": [2, 3, 5, 6] },
            }],
        });
        let chosen = choose(&asked, &catalogue, place(&rates), &mut Purse::full());
        let best = all.iter().filter(|one| one.may(floor, blocked, secure)).map(|one| one.price).max();
        prop_assert_eq!(chosen.map(|choice| choice.priced.price.micros()).ok(), best);
    }
}

#[test]
fn no_number_of_sizes_hides_another_format_or_the_last_size() {
    let sizes: Vec<Value> = (1..40).map(|side| json!({ "w": side, "h": 9 })).collect();
    let mut with_tile = sizes.clone();
    with_tile.push(json!({ "w": 300, "h": 250 }));
    let mut with_ratio = sizes.clone();
    with_ratio.push(json!({ "wratio": 6, "hratio": 5, "wmin": 300 }));
    let mut scaling = campaign("c");
    if let Format::Banner(banner) = &mut scaling.creatives[0].format {
        banner.scales_from_w = Some(1);
    }
    let mut playing = campaign("c");
    playing.creatives = vec![crate::campaign::fixture::video("v")];
    for (formats, own) in [
        (&with_tile, campaign("c")),
        (&with_ratio, scaling),
        (&sizes, playing),
    ] {
        let imp = json!({ "id": "1", "banner": { "format": formats }, "video": { "mimes": ["video/mp4"] } });
        assert_eq!(
            reason(&json!({ "imp": [imp] }), own.clone()),
            None,
            "{own:?}"
        );
    }
}
