//! Deals: found by id, preferred to the open market, at their own price.

use super::*;

fn dollars(price: f64) -> Cpm {
    Cpm::from_micros(
        Value::from(price)
            .as_f64()
            .map_or(0, |it| format!("{:.0}", it * 1e6).parse().unwrap()),
    )
}

/// Everything chosen for the first impression.
fn choose_all(
    request: &Value,
    catalogue: &Catalogue,
    place: Place<'_>,
    purse: &mut Purse,
) -> Result<Vec<Choice<CampaignKey>>, PassReason> {
    let bytes = request.to_string();
    let request = decode(bytes.as_bytes()).unwrap();
    let context = Context::read(&request, place)?;
    let mut chance = Opportunity::read(&request.imps[0], 0, &context)?;
    let mut choices = Vec::new();
    let both = (&context, &mut chance);
    decide(both, catalogue, &mut choices, purse, &|| false).map(|()| choices)
}

fn named(id: &str, price: f64, deals: &[Deal]) -> Campaign {
    let mut advertiser = (*campaign(id).advertiser).clone();
    advertiser.id = id.into();
    advertiser.key = AdvertiserKey::of(id);
    Campaign {
        goal: Goal::Cpm(dollars(price)),
        deals: deals.to_vec(),
        advertiser: Arc::new(advertiser),
        ..campaign(id)
    }
}

fn offering(deals: &Value) -> Value {
    request(&imp("pmp", json!({ "deals": deals })))
}

fn bids(choices: &[Choice<CampaignKey>]) -> Vec<(CampaignKey, Option<&str>, Cpm)> {
    choices
        .iter()
        .map(|it| (it.campaign, it.deal.as_deref(), it.priced.price))
        .collect()
}

fn taking(bids_per_imp: usize, rates: &Rates) -> Place<'_> {
    Place {
        bids_per_imp: NonZeroUsize::new(bids_per_imp).unwrap(),
        ..place(rates)
    }
}

#[test]
fn a_bid_on_a_deal_is_made_whatever_the_open_market_would_pay() {
    let rates = Rates::default();
    let catalogue = catalogue(
        [
            named("open", 9.0, &[]),
            named("dealt", 2.0, &[deal("d")]),
            named("guaranteed", 1.0, &[deal("g")]),
        ],
        NOW,
    );
    let choose = |deals: &Value, most| {
        let purse = &mut Purse::full();
        choose_all(&offering(deals), &catalogue, taking(most, &rates), purse).unwrap()
    };
    let key = CampaignKey::of;
    let open = (key("open"), None, dollars(9.0));
    let dealt = (key("dealt"), Some("d"), dollars(2.0));
    let guaranteed = (key("guaranteed"), Some("g"), dollars(1.0));
    assert_eq!(bids(&choose(&json!([{ "id": "x" }]), 1)), [open]);
    assert_eq!(bids(&choose(&json!([{ "id": "d" }]), 1)), [dealt]);
    let both = json!([{ "id": "d" }, { "id": "g", "guar": 1 }]);
    assert_eq!(bids(&choose(&both, 1)), [guaranteed]);
    assert_eq!(
        bids(&choose(&both, 2)),
        [guaranteed, open],
        "the last is kept for the open market"
    );
    assert_eq!(bids(&choose(&both, 3)), [guaranteed, dealt, open]);
}

#[test]
fn a_private_auction_is_bid_in_on_its_deals_alone() {
    let rates = Rates::default();
    let catalogue = catalogue(
        [named("open", 9.0, &[]), named("dealt", 2.0, &[deal("d")])],
        NOW,
    );
    let mut asked = offering(&json!([{ "id": "d" }]));
    asked["imp"][0]["pmp"]["private_auction"] = json!(1);
    let chosen = choose_all(&asked, &catalogue, taking(3, &rates), &mut Purse::full()).unwrap();
    assert_eq!(
        bids(&chosen),
        [(CampaignKey::of("dealt"), Some("d"), dollars(2.0))]
    );
}

#[test]
fn a_deals_own_price_counts_and_an_agreed_one_is_bid_exactly() {
    let euro = Currency::parse("EUR").unwrap();
    let rates = Rates::new([(euro, Rate::from_billionths(1_100_000_000).unwrap())]);
    let own = Deal {
        price: Some(dollars(4.0)),
        ..deal("d")
    };
    let (catalogue, _) = catalogue_and_left_out([named("c", 2.0, &[own])], &rates, NOW);
    let price = |says: Value, at: u32| {
        let mut asked = offering(&json!([{ "id": "d" }]));
        asked["at"] = json!(at);
        for (key, value) in says.as_object().unwrap() {
            asked["imp"][0]["pmp"]["deals"][0][key] = value.clone();
        }
        choose_all(&asked, &catalogue, taking(1, &rates), &mut Purse::full())
            .map(|chosen| (chosen[0].deal.is_some(), chosen[0].priced.price))
    };
    let on_deal = |price: f64| Ok((true, dollars(price)));
    let in_the_open = Ok((false, dollars(2.0)));
    assert_eq!(price(json!({}), 1), on_deal(4.0));
    assert_eq!(price(json!({ "bidfloor": 4.0 }), 1), on_deal(4.0));
    assert_eq!(price(json!({ "bidfloor": 4.000_001 }), 1), in_the_open);
    assert_eq!(price(json!({ "bidfloor": 3.0, "at": 3 }), 1), on_deal(3.0));
    assert_eq!(price(json!({ "bidfloor": 3.0 }), 3), on_deal(3.0));
    assert_eq!(price(json!({ "bidfloor": 3.0, "at": 1 }), 3), on_deal(4.0));
    assert_eq!(
        price(json!({ "bidfloor": 3.0, "at": 3, "bidfloorcur": "EUR" }), 1),
        on_deal(3.3)
    );
    assert_eq!(price(json!({ "bidfloor": 4.1, "at": 3 }), 1), in_the_open);
    assert_eq!(
        price(json!({ "at": 3 }), 1),
        on_deal(4.0),
        "the operator knows the price that the request leaves out"
    );
}

#[test]
fn a_deals_floor_replaces_the_impressions_and_does_not_inherit_its_currency() {
    let euro = Currency::parse("EUR").unwrap();
    let rates = Rates::new([(euro, Rate::from_billionths(1_100_000_000).unwrap())]);
    let (catalogue, _) = catalogue_and_left_out([named("c", 2.0, &[deal("d")])], &rates, NOW);
    let wins = |deal: Value| {
        let mut asked = offering(&json!([deal]));
        asked["imp"][0]["bidfloor"] = json!(5.0);
        asked["imp"][0]["bidfloorcur"] = json!("EUR");
        choose_all(&asked, &catalogue, taking(1, &rates), &mut Purse::full()).is_ok()
    };
    assert!(wins(json!({ "id": "d", "bidfloor": 2.0 })));
    assert!(!wins(
        json!({ "id": "d", "bidfloor": 2.0, "bidfloorcur": "EUR" })
    ));
    assert!(
        !wins(json!({ "id": "d" })),
        "a deal that says no floor leaves it to the impression"
    );
}

#[test]
fn what_is_guaranteed_is_not_paced_and_still_budgeted() {
    let rates = Rates::default();
    let promised = Deal {
        guaranteed: true,
        ..deal("d")
    };
    let catalogue = catalogue([named("c", 2.0, &[promised])], NOW);
    let asked = offering(&json!([{ "id": "d" }]));
    let choose = |purse: &mut Purse, asked: &Value| {
        choose_all(asked, &catalogue, taking(1, &rates), purse).map(|chosen| chosen.len())
    };
    let paced = || Purse {
        draws: false,
        ..Purse::full()
    };
    assert_eq!(choose(&mut paced(), &asked), Ok(1));
    let open = offering(&json!([]));
    assert_eq!(choose(&mut paced(), &open), Err(PassReason::Paced));
    let mut poor = Purse {
        refuses: Some(PassReason::NoBudget),
        ..paced()
    };
    assert_eq!(choose(&mut poor, &asked), Err(PassReason::NoBudget));
}

#[test]
fn a_seller_who_calls_a_deal_guaranteed_does_not_stop_pacing() {
    let rates = Rates::default();
    let catalogue = catalogue([named("c", 2.0, &[deal("d")])], NOW);
    let asked = offering(&json!([{ "id": "d", "guar": 1 }]));
    let mut paced = Purse {
        draws: false,
        ..Purse::full()
    };
    let chosen = choose_all(&asked, &catalogue, taking(1, &rates), &mut paced);
    assert_eq!(chosen.err(), Some(PassReason::Paced));
}

#[test]
fn several_bids_for_one_impression_are_of_several_advertisers() {
    let rates = Rates::default();
    let mut same = named("second", 3.0, &[]);
    same.advertiser = named("first", 4.0, &[]).advertiser;
    let all = [named("first", 4.0, &[]), same, named("third", 2.0, &[])];
    let catalogue = catalogue(all, NOW);
    let asked = request(&json!({}));
    let chosen = choose_all(&asked, &catalogue, taking(3, &rates), &mut Purse::full()).unwrap();
    let campaigns: Vec<_> = chosen.iter().map(|choice| choice.campaign).collect();
    assert_eq!(campaigns, ["first", "third"].map(CampaignKey::of));
    let one = choose_all(&asked, &catalogue, taking(1, &rates), &mut Purse::full()).unwrap();
    assert_eq!(one.len(), 1);
}

#[test]
fn bids_on_deals_are_tried_dearest_first_and_only_so_many_of_them() {
    let rates = Rates::default();
    let many = (0..200).map(|number| {
        let price = Some(Cpm::from_micros(1_000_000 + number));
        let own = Deal { price, ..deal("d") };
        named(&format!("c{number}"), 1.0, &[own])
    });
    let catalogue = catalogue(many, NOW);
    let asked = offering(&json!([{ "id": "d" }]));
    let mut purse = Purse {
        refuses: Some(PassReason::NoBudget),
        ..Purse::full()
    };
    let chosen = choose_all(&asked, &catalogue, taking(2, &rates), &mut purse);
    assert_eq!(chosen.unwrap_err(), PassReason::NoBudget);
    assert_eq!(purse.promised.len(), 2 * CANDIDATES_MAX);
    let on_deals = &purse.promised[..CANDIDATES_MAX];
    assert!(on_deals.is_sorted_by_key(|offered| std::cmp::Reverse(offered.charge)));
}

#[test]
fn what_is_guaranteed_is_found_behind_many_that_pay_more_in_the_open() {
    let rates = Rates::default();
    let guaranteed = Deal {
        guaranteed: true,
        ..deal("d")
    };
    let last = named("last", 0.5, &[guaranteed]);
    let others = (0..200).map(|number| named(&format!("c{number}"), 2.0, &[deal("d")]));
    let catalogue = catalogue(others.chain([last]), NOW);
    let asked = offering(&json!([{ "id": "d" }]));
    let chosen = choose_all(&asked, &catalogue, taking(1, &rates), &mut Purse::full()).unwrap();
    assert_eq!(chosen[0].campaign, CampaignKey::of("last"));
}
