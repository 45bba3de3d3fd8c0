//! Auctions of every kind, each with a few bids.

use std::sync::Arc;

use super::*;
use crate::check::Trackers;
use crate::rng::Purpose;
use crate::traffic::Generator;

fn bid(imp: usize, price: &str) -> SoundBid<'static> {
    SoundBid {
        id: format!("b{imp}-{price}").into(),
        bidid: "".into(),
        imp,
        price: price.parse().unwrap(),
        currency: "USD".into(),
        seat: "".into(),
        campaign: "c".into(),
        ad_id: "".into(),
        win_notice: None,
        billing_notice: None,
        loss_notice: None,
        deal: None,
        objection: None,
        trackers: Trackers::default(),
    }
}

fn ends(change: impl Fn(&mut Scenario, &mut Asked), prices: &[&str]) -> Vec<Vec<Decided<'static>>> {
    let mut scenario = Scenario::load("steady").unwrap();
    let generator = Generator::new(1, scenario.traffic.clone(), &scenario.exchanges);
    let mut asked = generator.request(0).unwrap().asked;
    Arc::make_mut(&mut asked.imps).truncate(1);
    change(&mut scenario, &mut asked);
    let bids: Vec<SoundBid<'static>> = prices.iter().map(|price| bid(0, price)).collect();
    // What is decided borrows the bids.
    let bids: &'static [SoundBid<'static>] = bids.leak();
    (0..400)
        .map(|index| {
            let mut rng = Rng::of(1, Purpose::Auction, index);
            decide(&scenario, &asked, bids, &mut rng)
        })
        .collect()
}

#[test]
fn a_first_price_winner_pays_its_bid() {
    let ends = ends(|_, asked| asked.pricing = Pricing::FirstPrice, &["3.00"]);
    let won: Vec<End> = ends.iter().map(|decided| decided[0].end).collect();
    assert!(won.contains(&End::Won(Micros::new(3_000_000))));
    assert!(
        won.iter()
            .any(|end| matches!(end, End::Lost(loss) if loss.to.get() >= 3_000_000))
    );
    assert!(
        won.iter()
            .all(|end| !matches!(end, End::Won(price) if price.get() != 3_000_000))
    );
}

#[test]
fn a_second_price_winner_pays_between_the_floor_and_its_bid() {
    let ends = ends(
        |_, asked| {
            asked.pricing = Pricing::SecondPrice;
            Arc::make_mut(&mut asked.imps)[0].floor = Some(Micros::new(500_000));
            Arc::make_mut(&mut asked.imps)[0].floor_currency = "USD".to_owned();
        },
        &["3.00"],
    );
    let mut prices = Vec::new();
    for decided in &ends {
        if let End::Won(price) = decided[0].end {
            assert!((510_000..=3_000_000).contains(&price.get()), "{price}");
            prices.push(price);
        }
    }
    // Uncontested auctions clear a cent above the floor.
    assert!(prices.contains(&Micros::new(510_000)));
    assert!(prices.iter().any(|price| price.get() > 1_000_000));
}

#[test]
fn one_bid_for_an_imp_wins_and_it_is_the_highest() {
    let ends = ends(
        |scenario, _| scenario.auction.win_share = Some(1.0),
        &["1.00", "3.00", "2.00"],
    );
    for decided in &ends {
        assert_eq!(decided.len(), 3);
        assert!(matches!(decided[0].end, End::Won(_)) && decided[0].bid.price.get() == 3_000_000);
        assert!(
            decided[1..]
                .iter()
                .all(|lost| lost.end == lost_to("3.00", LossReason::HigherBid))
        );
    }
}

#[test]
fn a_win_share_is_kept_whatever_is_bid() {
    let ends = ends(
        |scenario, _| scenario.auction.win_share = Some(0.25),
        &["0.01"],
    );
    let won = ends
        .iter()
        .filter(|decided| matches!(decided[0].end, End::Won(_)))
        .count();
    assert!((70..130).contains(&won), "{won} of 400");
}

fn lost_to(price: &str, reason: LossReason) -> End {
    End::Lost(Loss {
        reason,
        to: price.parse().unwrap(),
    })
}

/// How one bid of 3.00 for the first deal of a private market ends, and the least it had to bid.
fn deal_ends(pricing: DealPricing, rival_deals: f64) -> Vec<(End, Micros)> {
    let mut scenario = Scenario::load("steady").unwrap();
    scenario.auction.deal_competitor_share = rival_deals;
    scenario.auction.win_share = Some(0.0);
    let generator = Generator::new(1, scenario.traffic.clone(), &scenario.exchanges);
    let mut asked = generator.request(0).unwrap().asked;
    Arc::make_mut(&mut asked.imps).truncate(1);
    asked.pricing = Pricing::FirstPrice;
    Arc::make_mut(&mut asked.imps)[0].market.deals = vec![AskedDeal {
        id: "d".to_owned(),
        floor: "2.00".parse().unwrap(),
        floor_currency: "USD".to_owned(),
        pricing,
        seats: Vec::new(),
        advertisers: Vec::new(),
    }];
    let mut dealt = bid(0, "3.00");
    dealt.deal = Some(0);
    let decided = (0..50).map(|index| {
        let mut rng = Rng::of(1, Purpose::Auction, index);
        let bids = [bid(0, "9.00"), dealt.clone()];
        let decided = decide(&scenario, &asked, &bids, &mut rng);
        assert_eq!(decided[0].place, 1);
        assert!(matches!(decided[1].end, End::Lost(loss) if loss.reason == LossReason::DealBid));
        (decided[0].end, decided[0].min_to_win)
    });
    decided.collect()
}

#[test]
fn a_deal_comes_before_open_bids_and_is_sold_as_it_says() {
    let won = |price: &str| End::Won(price.parse().unwrap());
    for (pricing, price) in [
        (DealPricing::Fixed, "2.00"),
        (DealPricing::AsRequest, "3.00"),
        (DealPricing::Auction(Pricing::SecondPrice), "2.01"),
    ] {
        for (end, min_to_win) in deal_ends(pricing, 0.0) {
            assert_eq!(
                (end, min_to_win.get()),
                (won(price), 2_000_000),
                "{pricing:?}"
            );
        }
    }
    // With a win share of nothing, a competitor that has a deal, too, is always higher.
    for (end, _) in deal_ends(DealPricing::Fixed, 1.0) {
        assert!(matches!(end, End::Lost(loss) if loss.reason == LossReason::DealBid));
    }
}

#[test]
fn what_an_exchange_does_not_take_loses_for_its_reason_and_the_next_bid_wins() {
    let mut scenario = Scenario::load("steady").unwrap();
    scenario.auction.win_share = Some(1.0);
    let generator = Generator::new(1, scenario.traffic.clone(), &scenario.exchanges);
    let mut asked = generator.request(0).unwrap().asked;
    Arc::make_mut(&mut asked.imps).truncate(1);
    Arc::make_mut(&mut asked.imps)[0].floor = Some("2.00".parse().unwrap());
    Arc::make_mut(&mut asked.imps)[0].floor_currency = "USD".to_owned();
    let mut low = bid(0, "1.00");
    low.objection = Some(LossReason::BelowFloor);
    let mut blocked = bid(0, "9.00");
    blocked.objection = Some(LossReason::ADVERTISER);
    let bids = [low, bid(0, "3.00"), blocked];
    let decided = decide(
        &scenario,
        &asked,
        &bids,
        &mut Rng::of(1, Purpose::Auction, 0),
    );
    let reason = |place: usize| match decided.iter().find(|one| one.place == place) {
        Some(Decided {
            end: End::Lost(loss),
            min_to_win,
            ..
        }) => (loss.reason.code(), min_to_win.get()),
        _ => (0, 0),
    };
    assert_eq!(reason(0), (100, 2_000_000));
    assert_eq!(reason(1), (0, 0));
    assert_eq!(reason(2), (205, 0));
}

#[test]
fn the_share_of_filtered_creatives_and_of_rival_deals_is_kept() {
    let count = |ends: &[Vec<Decided<'_>>], wanted: LossReason| {
        let is_wanted = |decided: &&Vec<Decided<'_>>| matches!(decided[0].end, End::Lost(loss) if loss.reason == wanted);
        ends.iter().filter(is_wanted).count()
    };
    let filtered = ends(
        |scenario, _| {
            scenario.auction.win_share = Some(1.0);
            scenario.auction.filtered_share = 0.25;
            scenario.auction.filtered_codes = vec![201];
        },
        &["1.00"],
    );
    assert!((70..130).contains(&count(&filtered, LossReason::Filtered(201))));
    let dealt = ends(
        |scenario, _| scenario.auction.deal_competitor_share = 0.25,
        &["90.00"],
    );
    assert!((70..130).contains(&count(&dealt, LossReason::DealBid)));
}
