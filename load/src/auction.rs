//! How auctions end: the bidder against one competitor, whose price is drawn.

use crate::check::SoundBid;
use crate::decimal::Micros;
use crate::rng::Rng;
use crate::scenario::Scenario;
use crate::traffic::{Asked, AskedImp, Pricing};

/// A bid and what became of it.
#[derive(Clone, Debug)]
pub struct Decided {
    /// The bid.
    pub bid: SoundBid,
    /// What became of it.
    pub end: End,
    /// The least it had to bid to win.
    pub min_to_win: Micros,
}

/// What becomes of a bid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It is shown, at this price.
    Won(Micros),
    /// Another was higher: this much.
    Lost(Micros),
}

/// Ends the auction of each imp that has bids. One bid for an imp can win; the others have lost to it.
pub fn decide(
    scenario: &Scenario,
    asked: &Asked,
    bids: &[SoundBid],
    rng: &mut Rng,
) -> Vec<Decided> {
    let mut decided = Vec::with_capacity(bids.len());
    for (place, imp) in asked.imps.iter().enumerate() {
        let mut own: Vec<&SoundBid> = bids.iter().filter(|bid| bid.imp == place).collect();
        own.sort_by_key(|bid| std::cmp::Reverse(bid.price));
        let Some(best) = own.first() else { continue };
        let end = end_of(scenario, asked.pricing, imp, best, rng);
        let highest = match end {
            End::Won(_) => best.price,
            End::Lost(to) => to,
        };
        for (rank, bid) in own.into_iter().enumerate() {
            let end = if rank == 0 { end } else { End::Lost(highest) };
            let min_to_win = match end {
                End::Won(price) => price,
                End::Lost(to) => to.plus(Micros::CENT),
            };
            decided.push(Decided {
                bid: bid.clone(),
                end,
                min_to_win,
            });
        }
    }
    decided
}

fn end_of(
    scenario: &Scenario,
    pricing: Pricing,
    imp: &AskedImp,
    bid: &SoundBid,
    rng: &mut Rng,
) -> End {
    let competitor = competitor(scenario, bid, rng);
    if competitor >= bid.price {
        return End::Lost(competitor);
    }
    let floor = imp.floor.filter(|_| imp.floor_currency == bid.currency);
    let next_best = competitor.max(floor.unwrap_or(Micros::ZERO));
    End::Won(match pricing {
        Pricing::FirstPrice => bid.price,
        Pricing::SecondPrice => bid.price.min(next_best.plus(Micros::CENT)),
    })
}

/// The competitor's price in the bid's currency; zero where there is none.
fn competitor(scenario: &Scenario, bid: &SoundBid, rng: &mut Rng) -> Micros {
    let auction = &scenario.auction;
    let is_uncontested = rng.chance(auction.uncontested_share);
    if let Some(win_share) = auction.win_share {
        // Between half the bid and the bid, or between the bid and half as much again.
        let price = u64::try_from(bid.price.get()).unwrap_or(0);
        let part = i64::try_from(rng.below(price / 2 + 1)).unwrap_or(0);
        return if rng.chance(win_share) {
            Micros::new((bid.price.get() - part - 1).max(0))
        } else {
            bid.price.plus(Micros::new(part))
        };
    }
    if is_uncontested {
        return Micros::ZERO;
    }
    let median = auction.competitor_median.get();
    let in_usd = i128::from(rng.log_normal(median, auction.competitor_spread));
    let rate = scenario.rates.get(&bid.currency);
    let rate = rate.map_or(1_000_000, |rate| i128::from(rate.get()));
    Micros::new(i64::try_from(in_usd * 1_000_000 / rate).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Trackers;
    use crate::rng::Purpose;
    use crate::traffic::Generator;

    fn bid(imp: usize, price: &str) -> SoundBid {
        SoundBid {
            id: format!("b{imp}-{price}"),
            bidid: String::new(),
            imp,
            price: price.parse().unwrap(),
            currency: "USD".to_owned(),
            seat: String::new(),
            campaign: "c".to_owned(),
            ad_id: String::new(),
            win_notice: None,
            billing_notice: None,
            loss_notice: None,
            trackers: Trackers::default(),
        }
    }

    fn ends(change: impl Fn(&mut Scenario, &mut Asked), prices: &[&str]) -> Vec<Vec<Decided>> {
        let mut scenario = Scenario::load("steady").unwrap();
        let generator = Generator::new(1, scenario.traffic.clone(), &scenario.exchanges);
        let mut asked = generator.request(0).unwrap().asked;
        asked.imps.truncate(1);
        change(&mut scenario, &mut asked);
        (0..400)
            .map(|index| {
                let bids: Vec<SoundBid> = prices.iter().map(|price| bid(0, price)).collect();
                let mut rng = Rng::of(1, Purpose::Auction, index);
                decide(&scenario, &asked, &bids, &mut rng)
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
                .any(|end| matches!(end, End::Lost(to) if to.get() >= 3_000_000))
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
                asked.imps[0].floor = Some(Micros::new(500_000));
                asked.imps[0].floor_currency = "USD".to_owned();
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
            assert!(
                matches!(decided[0].end, End::Won(_)) && decided[0].bid.price.get() == 3_000_000
            );
            assert!(
                decided[1..]
                    .iter()
                    .all(|lost| lost.end == End::Lost(Micros::new(3_000_000)))
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
}
