//! How auctions end: the bidder against one competitor, whose price is drawn.
//!
//! Bids that an exchange would not take lose first, each for its own reason. Of the others the best one meets the
//! competitor: a bid for a deal comes before open bids, and only a competitor with a deal can beat it.

mod loss;

use crate::check::SoundBid;
use crate::decimal::Micros;
use crate::rng::Rng;
use crate::scenario::Scenario;
use crate::traffic::{Asked, AskedDeal, AskedImp, DealPricing, Pricing};
pub use loss::LossReason;

/// A bid and what became of it.
#[derive(Clone, Debug)]
pub struct Decided {
    /// The bid.
    pub bid: SoundBid,
    /// Its place among the bids that came.
    pub place: usize,
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
    /// It is not.
    Lost(Loss),
}

/// A bid that is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Why.
    pub reason: LossReason,
    /// The price that won in its place; zero where none did.
    pub to: Micros,
}

/// Ends the auction of each imp that has bids. One bid for an imp can win; the others have lost to it.
pub fn decide(
    scenario: &Scenario,
    asked: &Asked,
    bids: &[SoundBid],
    rng: &mut Rng,
) -> Vec<Decided> {
    let mut decided = Vec::with_capacity(bids.len());
    for (number, imp) in asked.imps.iter().enumerate() {
        let own = bids.iter().enumerate().filter(|(_, bid)| bid.imp == number);
        let (barred, mut standing): (Vec<_>, Vec<_>) =
            own.partition(|(_, bid)| bid.objection.is_some());
        standing.sort_by_key(|(_, bid)| std::cmp::Reverse((bid.deal.is_some(), bid.price)));
        let sale = Sale {
            scenario,
            pricing: asked.pricing,
            imp,
        };
        for (place, bid) in barred {
            decided.extend(sale.barred(place, bid));
        }
        let Some((place, best)) = standing.first() else {
            continue;
        };
        let winner = sale.best(*place, best, rng);
        let rest = standing.iter().skip(1);
        let rest: Vec<Decided> = rest
            .map(|(place, bid)| beaten(*place, bid, &winner))
            .collect();
        decided.push(winner);
        decided.extend(rest);
    }
    decided
}

/// One imp and how it is sold.
struct Sale<'a> {
    scenario: &'a Scenario,
    pricing: Pricing,
    imp: &'a AskedImp,
}

/// The best price of others, in the bid's currency.
#[derive(Clone, Copy)]
struct Rival {
    price: Micros,
    has_deal: bool,
}

impl Sale<'_> {
    /// A bid that the exchange does not take.
    fn barred(&self, place: usize, bid: &SoundBid) -> Option<Decided> {
        let reason = bid.objection?;
        let min_to_win = match reason {
            LossReason::BelowFloor | LossReason::BelowDealFloor => self.floor(bid),
            _ => Micros::ZERO,
        };
        let end = End::Lost(Loss {
            reason,
            to: Micros::ZERO,
        });
        Some(Decided {
            bid: bid.clone(),
            place,
            end,
            min_to_win,
        })
    }

    /// The best of the bids, against the competitor.
    fn best(&self, place: usize, bid: &SoundBid, rng: &mut Rng) -> Decided {
        let auction = &self.scenario.auction;
        let mut rival = Rival {
            price: competitor(self.scenario, bid, rng),
            has_deal: rng.chance(auction.deal_competitor_share),
        };
        if bid.deal.is_some() && !rival.has_deal {
            // Nobody else may buy before this deal is served.
            rival.price = Micros::ZERO;
        }
        let is_outranked = rival.has_deal && bid.deal.is_none();
        let end = if is_outranked || rival.price >= bid.price {
            let reason = if rival.has_deal {
                LossReason::DealBid
            } else {
                LossReason::HigherBid
            };
            End::Lost(Loss {
                reason,
                to: rival.price,
            })
        } else if rng.chance(auction.filtered_share) {
            let code = rng.pick(&auction.filtered_codes).copied().unwrap_or(202);
            End::Lost(Loss {
                reason: LossReason::Filtered(code),
                to: rival.price,
            })
        } else {
            End::Won(self.clearing(bid, rival.price))
        };
        let above = if rival.price > Micros::ZERO {
            rival.price.plus(Micros::CENT)
        } else {
            Micros::ZERO
        };
        let mut min_to_win = above.max(self.floor(bid));
        if matches!(end, End::Won(_)) {
            min_to_win = min_to_win.min(bid.price);
        }
        Decided {
            bid: bid.clone(),
            place,
            end,
            min_to_win,
        }
    }

    fn clearing(&self, bid: &SoundBid, rival: Micros) -> Micros {
        let pricing = self
            .deal(bid)
            .map_or(DealPricing::AsRequest, |deal| deal.pricing);
        let floor = self.floor(bid);
        match pricing {
            DealPricing::Fixed if floor > Micros::ZERO => bid.price.min(floor),
            DealPricing::Auction(Pricing::FirstPrice) | DealPricing::Fixed => bid.price,
            DealPricing::AsRequest if self.pricing == Pricing::FirstPrice => bid.price,
            DealPricing::Auction(Pricing::SecondPrice) | DealPricing::AsRequest => {
                bid.price.min(rival.max(floor).plus(Micros::CENT))
            }
        }
    }

    fn deal(&self, bid: &SoundBid) -> Option<&AskedDeal> {
        self.imp.market.deals.get(bid.deal?)
    }

    /// The floor of the bid's deal, or of the imp, in the bid's currency; zero where nobody knows it in that.
    fn floor(&self, bid: &SoundBid) -> Micros {
        let (floor, currency) = match self.deal(bid) {
            Some(deal) => (Some(deal.floor), &deal.floor_currency),
            None => (self.imp.floor, &self.imp.floor_currency),
        };
        let floor = floor.unwrap_or(Micros::ZERO);
        if *currency == bid.currency {
            return floor;
        }
        let converted = self.scenario.exchanged(floor, currency, &bid.currency);
        converted.unwrap_or(Micros::ZERO)
    }
}

/// A bid that another one of the same bidder was put before.
fn beaten(place: usize, bid: &SoundBid, winner: &Decided) -> Decided {
    let to = match winner.end {
        End::Won(_) => winner.bid.price,
        End::Lost(loss) => loss.to.max(winner.bid.price),
    };
    let is_outranked = winner.bid.deal.is_some() && bid.deal.is_none();
    Decided {
        bid: bid.clone(),
        place,
        end: End::Lost(Loss {
            reason: if is_outranked {
                LossReason::DealBid
            } else {
                LossReason::HigherBid
            },
            to,
        }),
        min_to_win: to.plus(Micros::CENT),
    }
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
            deal: None,
            objection: None,
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
        asked.imps.truncate(1);
        asked.pricing = Pricing::FirstPrice;
        asked.imps[0].market.deals = vec![AskedDeal {
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
            let open = bid(0, "9.00");
            let decided = decide(&scenario, &asked, &[open, dealt.clone()], &mut rng);
            assert_eq!(decided[0].place, 1);
            assert!(
                matches!(decided[1].end, End::Lost(loss) if loss.reason == LossReason::DealBid)
            );
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
        asked.imps.truncate(1);
        asked.imps[0].floor = Some("2.00".parse().unwrap());
        asked.imps[0].floor_currency = "USD".to_owned();
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
        let count = |ends: &[Vec<Decided>], wanted: LossReason| {
            let is_wanted = |decided: &&Vec<Decided>| matches!(decided[0].end, End::Lost(loss) if loss.reason == wanted);
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
}
