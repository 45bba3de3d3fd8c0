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
pub struct Decided<'a> {
    /// The bid.
    pub bid: &'a SoundBid<'a>,
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
pub fn decide<'a>(
    scenario: &Scenario,
    asked: &Asked,
    bids: &'a [SoundBid<'a>],
    rng: &mut Rng,
) -> Vec<Decided<'a>> {
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
        let rest: Vec<Decided<'_>> = rest
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
    fn barred<'a>(&self, place: usize, bid: &'a SoundBid<'a>) -> Option<Decided<'a>> {
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
            bid,
            place,
            end,
            min_to_win,
        })
    }

    /// The best of the bids, against the competitor.
    fn best<'a>(&self, place: usize, bid: &'a SoundBid<'a>, rng: &mut Rng) -> Decided<'a> {
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
            bid,
            place,
            end,
            min_to_win,
        }
    }

    fn clearing(&self, bid: &SoundBid<'_>, rival: Micros) -> Micros {
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

    fn deal(&self, bid: &SoundBid<'_>) -> Option<&AskedDeal> {
        self.imp.market.deals.get(bid.deal?)
    }

    /// The floor of the bid's deal, or of the imp, in the bid's currency; zero where nobody knows it in that.
    fn floor(&self, bid: &SoundBid<'_>) -> Micros {
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
fn beaten<'a>(place: usize, bid: &'a SoundBid<'a>, winner: &Decided<'_>) -> Decided<'a> {
    let to = match winner.end {
        End::Won(_) => winner.bid.price,
        End::Lost(loss) => loss.to.max(winner.bid.price),
    };
    let is_outranked = winner.bid.deal.is_some() && bid.deal.is_none();
    Decided {
        bid,
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
fn competitor(scenario: &Scenario, bid: &SoundBid<'_>, rng: &mut Rng) -> Micros {
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
    let rate = scenario.rates.get(&*bid.currency);
    let rate = rate.map_or(1_000_000, |rate| i128::from(rate.get()));
    Micros::new(i64::try_from(in_usd * 1_000_000 / rate).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
