//! Floors, ceilings and what covers them.

use super::*;

#[test]
fn a_videos_own_floor_replaces_the_impressions_for_the_lengths_it_names() {
    let own = || Campaign {
        creatives: vec![video("v")],
        ..campaign("c")
    };
    let floors = |rules: Value| {
        let mut asked = imp("bidfloor", json!(9.0));
        let mut video = json!({ "mimes": ["video/mp4"], "protocols": [2, 3], "maxduration": 60 });
        for (key, value) in rules.as_object().unwrap() {
            video[key] = value.clone();
        }
        asked["imp"][0]["video"] = video;
        reason(&asked, own())
    };
    let below = Some(PassReason::BelowFloor);
    let range = |least: u32, most: u32, floor: f64| json!({ "durfloors": [{ "mindur": least, "maxdur": most, "bidfloor": floor }] });
    assert_eq!(floors(json!({})), below);
    assert_eq!(floors(range(10, 20, 2.5)), None);
    assert_eq!(floors(range(10, 20, 2.6)), below);
    assert_eq!(
        floors(range(20, 30, 2.5)),
        below,
        "15 s are outside, so the impression's floor counts"
    );
    assert_eq!(floors(json!({ "mincpmpersec": 0.16 })), None);
    assert_eq!(floors(json!({ "mincpmpersec": 0.17 })), below);
    assert!(
        floors(json!({ "durfloors": 7 })).is_some(),
        "what cannot be read is no permission"
    );
}

#[test]
fn a_floor_is_compared_exactly_and_in_its_own_currency() {
    let euro = Currency::parse("EUR").unwrap();
    let rate = Rate::from_billionths(1_100_000_000).unwrap();
    let rates = Rates::new([(euro, rate)]);
    let catalogue = catalogue_and_left_out([campaign("c")], &rates, NOW).0;
    let with = |floor: Value| {
        choose(
            &request(&floor),
            &catalogue,
            place(&rates),
            &mut Purse::full(),
        )
    };
    let floor = |value: f64, currency: &str| json!({ "imp": [{ "id": "1", "banner": { "w": 300, "h": 250 }, "bidfloor": value, "bidfloorcur": currency }] });
    assert!(
        with(floor(2.5, "USD")).is_ok(),
        "a floor is reached by its own amount"
    );
    // 2.27 EUR are 2.497 USD, and 2.28 EUR are 2.508 USD.
    assert!(with(floor(2.27, "EUR")).is_ok());
    assert_eq!(
        with(floor(2.28, "EUR")).unwrap_err(),
        PassReason::BelowFloor
    );
    let mut in_euro = request(&floor(2.28, "EUR"));
    in_euro["cur"] = json!(["EUR"]);
    assert_eq!(
        choose(&in_euro, &catalogue, place(&rates), &mut Purse::full()).unwrap_err(),
        PassReason::BelowFloor
    );
    in_euro["imp"][0]["bidfloor"] = json!(2.27);
    let choice = choose(&in_euro, &catalogue, place(&rates), &mut Purse::full()).unwrap();
    assert_eq!(
        choice.priced.price.micros(),
        2_272_728,
        "2.50 USD in EUR, rounded up"
    );
    assert_eq!(choice.quote.rate, rate, "dollars per euro");
}

#[test]
fn the_ceiling_is_in_dollars_and_no_bid_is_above_it() {
    let rates = Rates::default();
    let catalogue = catalogue([campaign("c")], NOW);
    let under = |micros| {
        let place = Place {
            ceiling: Some(Cpm::from_micros(micros)),
            ..place(&rates)
        };
        choose(&request(&json!({})), &catalogue, place, &mut Purse::full())
    };
    assert!(under(2_500_000).is_ok());
    assert_eq!(under(2_499_999).unwrap_err(), PassReason::AboveCeiling);
}

#[test]
fn the_reserve_covers_the_margin_and_is_in_the_campaigns_currency() {
    let rates = Rates::default();
    let mut purse = Purse::full();
    let mut dear = campaign("c");
    dear.margin_per_mille = 100;
    choose(
        &request(&json!({})),
        &catalogue([dear], NOW),
        place(&rates),
        &mut purse,
    )
    .unwrap();
    assert_eq!(purse.promised[0].charge, Nanos::new(2_750_000));
}
