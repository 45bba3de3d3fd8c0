//! Which of a campaign's creatives is shown: of those that may be and reach their floor the one that is worth most, and of
//! those that are worth the same the first.

use super::*;
use crate::campaign::fixture::clicked;
use crate::campaign::{
    ClickRates, ClickTally, Conditions, Creative, FormatKind, Multiplier, Priors,
};
use crate::store::movement::ImpressionKey;
use crate::units::{BidId, CreativeKey};

/// What is shown, and for how many micros.
fn shown(asked: &Value, catalogue: &Catalogue) -> (String, i64) {
    let rates = Rates::default();
    let choice = choose(asked, catalogue, place(&rates), &mut Purse::full()).unwrap();
    let campaign = &catalogue.offer(choice.rank).unwrap().campaign;
    let creative = &campaign.creatives[choice.priced.creative];
    (creative.id.to_string(), choice.priced.price.micros())
}

fn of_two(first: Creative, second: Creative) -> Campaign {
    Campaign {
        creatives: vec![first, second],
        ..campaign("c")
    }
}

/// 0.40 USD a click, with two banners of one size.
fn on_clicks() -> Campaign {
    Campaign {
        goal: Goal::Cpc(Nanos::new(400_000_000)),
        max_cpm: Some(Cpm::from_micros(9_000_000)),
        ..of_two(banner("old", 300, 250), banner("new", 300, 250))
    }
}

/// What is known after 2,000 impressions of each, of which so many were clicked.
fn after(clicks: [(&str, u64); 2]) -> ClickRates {
    let mut tally = ClickTally::new(NOW);
    for (id, clicked) in clicks {
        let creative = CreativeKey::of(id);
        for number in 0..2_000 {
            let key = ImpressionKey {
                bid: BidId::from_raw(u128::from(creative.raw()) << 64 | u128::from(number)),
                imp: 0,
            };
            tally.billed(key, creative);
            if number < clicked {
                tally.clicked(key, creative);
            }
        }
    }
    tally.rates(Priors::default())
}

#[test]
fn of_two_that_are_worth_the_same_the_first_is_shown() {
    let own = of_two(banner("old", 300, 250), banner("new", 300, 250));
    let asked = request(&json!({}));
    assert_eq!(shown(&asked, &catalogue([own], NOW)).0, "old");
    let untold = clicked([on_clicks()], &ClickRates::believed(Priors::default()), NOW);
    assert_eq!(shown(&asked, &untold), ("old".into(), 400_000));
}

#[test]
fn who_buys_clicks_shows_what_is_clicked_most_at_its_own_price() {
    let asked = request(&json!({}));
    let shows = |clicks| shown(&asked, &clicked([on_clicks()], &after(clicks), NOW));
    // Two clicks in two thousand were believed before; half of what is known now was seen.
    assert_eq!(shows([("old", 2), ("new", 6)]), ("new".into(), 800_000));
    assert_eq!(shows([("old", 6), ("new", 2)]), ("old".into(), 800_000));
}

#[test]
fn what_is_clicked_most_but_may_not_be_shown_is_not() {
    let asked = request(&json!({ "wlang": ["en"] }));
    let mut own = on_clicks();
    own.creatives[0].language = Language::parse("en");
    own.creatives[1].language = Language::parse("th");
    let clicks = after([("old", 2), ("new", 6)]);
    assert_eq!(shown(&asked, &clicked([own], &clicks, NOW)).0, "old");
}

#[test]
fn a_format_that_is_worth_more_is_shown_where_several_are_taken() {
    let mut own = of_two(banner("still", 300, 250), video("moving"));
    own.multipliers = vec![Multiplier {
        when: Conditions {
            formats: vec![FormatKind::Video],
            ..Conditions::default()
        },
        by_per_mille: 2_000,
    }];
    let catalogue = catalogue([own], NOW);
    let mut asked = request(&json!({}));
    assert_eq!(shown(&asked, &catalogue), ("still".into(), 2_500_000));
    asked["imp"][0]["video"] = json!({ "mimes": ["video/mp4"], "protocols": [2, 3] });
    assert_eq!(shown(&asked, &catalogue), ("moving".into(), 5_000_000));
}

#[test]
fn one_that_reaches_its_floor_goes_before_one_that_does_not() {
    let lasting = |id: &str, seconds: u32| {
        let mut creative = video(id);
        if let Format::Video(spot) = &mut creative.format {
            spot.duration_seconds = seconds;
        }
        creative
    };
    let own = of_two(lasting("long", 30), lasting("short", 15));
    let catalogue = catalogue([own], NOW);
    let asked = |per_second: f64| {
        let mut asked = imp(
            "video",
            json!({ "mimes": ["video/mp4"], "protocols": [2, 3], "mincpmpersec": per_second }),
        );
        asked["imp"][0]["banner"] = Value::Null;
        request(&asked)
    };
    assert_eq!(shown(&asked(0.08), &catalogue).0, "long");
    assert_eq!(shown(&asked(0.09), &catalogue).0, "short");
}
