//! Multipliers, goals of clicks and highest prices, one fact at a time.

use super::*;

fn multiplied(id: &str, dollars: i64, country: &str, per_mille: u32) -> Campaign {
    let when = Conditions {
        countries: crate::campaign::Country::parse(country)
            .into_iter()
            .collect(),
        ..Conditions::default()
    };
    Campaign {
        goal: Goal::Cpm(Cpm::from_micros(dollars * 1_000_000)),
        multipliers: vec![Multiplier {
            when,
            by_per_mille: per_mille,
        }],
        ..campaign(id)
    }
}

fn plain(id: &str, dollars: i64) -> Campaign {
    Campaign {
        goal: Goal::Cpm(Cpm::from_micros(dollars * 1_000_000)),
        ..campaign(id)
    }
}

#[test]
fn the_control_one_that_may_be_worth_more_but_is_not_does_not_keep_a_better_one_out() {
    let rates = Rates::default();
    let all = [
        multiplied("thai", 3, "THA", 3_000),
        plain("five", 5),
        plain("four", 4),
    ];
    let catalogue = catalogue(all, NOW);
    assert_eq!(catalogue.offers()[0].campaign.key, CampaignKey::of("thai"));
    let best = |country: &str| {
        let asked = request(&json!({ "device": { "geo": { "country": country } } }));
        let choice = choose(&asked, &catalogue, place(&rates), &mut Purse::full()).unwrap();
        (choice.campaign, choice.priced.price.micros() / 1_000_000)
    };
    assert_eq!(
        best("SGP"),
        (CampaignKey::of("five"), 5),
        "the first by its bound is worth 3"
    );
    assert_eq!(best("THA"), (CampaignKey::of("thai"), 9));
}

#[test]
fn who_waits_is_asked_for_money_only_when_nothing_better_can_follow() {
    let rates = Rates::default();
    let all = [
        multiplied("thai", 3, "THA", 3_000),
        plain("five", 5),
        plain("two", 2),
        plain("one", 1),
    ];
    let catalogue = catalogue(all, NOW);
    let mut purse = Purse {
        refuses: Some(PassReason::NoBudget),
        ..Purse::full()
    };
    let refused = choose(&request(&json!({})), &catalogue, place(&rates), &mut purse);
    assert_eq!(refused.unwrap_err(), PassReason::NoBudget);
    let tried: Vec<_> = purse.promised.iter().map(|it| it.campaign).collect();
    assert_eq!(tried, ["five", "thai", "two", "one"].map(CampaignKey::of));
}

#[test]
fn the_search_looks_at_the_first_by_their_bounds_and_no_further() {
    let rates = Rates::default();
    let many = (0..CANDIDATES_MAX).map(|number| multiplied(&format!("m{number}"), 1, "THA", 9_000));
    let catalogue = catalogue(many.chain([plain("eight", 8)]), NOW);
    let choice = choose(
        &request(&json!({})),
        &catalogue,
        place(&rates),
        &mut Purse::full(),
    );
    assert_eq!(
        choice.unwrap().priced.price,
        Cpm::from_micros(1_000_000),
        "eight is beyond what is looked at"
    );
    let asked = request(&json!({ "device": { "geo": { "country": "THA" } } }));
    let choice = choose(&asked, &catalogue, place(&rates), &mut Purse::full());
    assert_eq!(choice.unwrap().priced.price, Cpm::from_micros(9_000_000));
}

#[test]
fn a_bid_on_clicks_is_charged_what_a_click_costs_and_no_more_than_the_highest_price() {
    let rates = Rates::default();
    let charged = |most: i64, margin: u32| {
        let own = Campaign {
            goal: Goal::Cpc(Nanos::new(400_000_000)),
            max_cpm: Some(Cpm::from_micros(most)),
            margin_per_mille: margin,
            ..campaign("c")
        };
        let mut purse = Purse::full();
        let catalogue = catalogue([own], NOW);
        let choice = choose(&request(&json!({})), &catalogue, place(&rates), &mut purse).unwrap();
        (choice.priced.price.micros(), purse.promised[0].charge.get())
    };
    // 0.40 a click at one in a thousand is a CPM of 0.40, margin included.
    assert_eq!(charged(9_000_000, 0), (400_000, 400_000));
    assert_eq!(charged(9_000_000, 250), (320_000, 400_000));
    assert_eq!(
        charged(300_000, 250),
        (300_000, 375_000),
        "the highest price is media cost"
    );
}

#[test]
fn a_deals_own_price_is_not_multiplied_and_the_campaigns_is() {
    let rates = Rates::default();
    let price = |own: Option<i64>| {
        let mut one = multiplied("thai", 3, "THA", 2_000);
        one.deals = vec![Deal {
            price: own.map(Cpm::from_micros),
            ..deal("d")
        }];
        let mut asked = request(&on_deal(&json!({})));
        asked["device"] = json!({ "geo": { "country": "THA" } });
        let choice = choose(
            &asked,
            &catalogue([one], NOW),
            place(&rates),
            &mut Purse::full(),
        )
        .unwrap();
        assert!(choice.deal.is_some());
        choice.priced.price.micros()
    };
    assert_eq!(price(Some(4_000_000)), 4_000_000);
    assert_eq!(price(None), 6_000_000);
}

#[test]
fn an_hours_multiplier_counts_in_the_campaigns_time_zone() {
    let rates = Rates::default();
    let zone = jiff::tz::TimeZone::get("Asia/Singapore").unwrap();
    let local = crate::campaign::HourOfWeek::at(NOW, 8 * 3_600);
    let value = |hour: crate::campaign::HourOfWeek| {
        let mut one = multiplied("c", 3, "THA", 2_000);
        one.time_zone = zone.clone();
        one.multipliers[0].when = Conditions {
            hours: Some(std::iter::once(hour).collect()),
            ..Conditions::default()
        };
        let catalogue = catalogue([one], NOW);
        let choice = choose(
            &request(&json!({})),
            &catalogue,
            place(&rates),
            &mut Purse::full(),
        );
        choice.unwrap().priced.price.micros()
    };
    assert_eq!(value(local), 6_000_000);
    assert_eq!(
        value(local.later(-8)),
        3_000_000,
        "the hour in UTC is another"
    );
}
