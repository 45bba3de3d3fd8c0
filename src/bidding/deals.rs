//! The deals of an impression that campaigns know, and which of them comes first.
//!
//! A deal is found by its id, so an impression whose deals nobody has costs one look-up each. Of the bids that could be
//! made on deals the guaranteed ones come first, then the dearest: rank, which orders campaigns by what they pay in the
//! open, says nothing here.

use std::cmp::Reverse;

use super::blocked::bare_domain;
use super::context::Context;
use super::floor::{FloorRules, in_bid_currency};
use super::opportunity::Opportunity;
use super::pass::PassReason;
use crate::campaign::{Campaign, Catalogue, Deal, OFFERED_DEALS_MAX, Rank, is_within};
use crate::openrtb::request;
use crate::units::{Cpm, Currency};

/// `Deal.at` of a deal at a fixed price (OpenRTB 2.6, list Auction Types).
const FIXED_PRICE: u32 = 3;

/// A campaign on one of its deals.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lead<'c, 'r> {
    pub(super) rank: Rank,
    /// What the campaign has agreed to.
    pub(super) own: &'c Deal,
    /// What the request says of it.
    pub(super) offered: &'r request::Deal<'r>,
    /// What would be bid, for the order in which deals are tried.
    price: Cpm,
}

/// A deal, and what it is worth to the campaign.
#[derive(Clone, Copy, Debug)]
pub(super) struct Valued<'c, 'r> {
    lead: Lead<'c, 'r>,
    /// What the campaign pays at most, in the currency of our bids.
    pub(super) most: Cpm,
    /// The price, where it is agreed.
    fixed: Option<Cpm>,
}

impl<'c, 'r> Lead<'c, 'r> {
    /// A campaign on a deal that it has.
    ///
    /// # Errors
    /// Why it cannot bid on it, whatever it would show.
    pub(super) fn of(
        (rank, campaign, own): (Rank, &Campaign, &'c Deal),
        offered: &'r request::Deal<'r>,
        context: &Context<'_>,
    ) -> Result<Self, PassReason> {
        check_parties(campaign, offered, context)?;
        Ok(Self {
            rank,
            own,
            offered,
            price: Cpm::ZERO,
        })
    }

    /// The deal where the campaign pays at most this on it.
    ///
    /// # Errors
    /// [`PassReason::Currency`] or [`PassReason::UnreadableFloor`].
    pub(super) fn worth(
        self,
        (value, currency): (Cpm, Currency),
        context: &Context<'_>,
    ) -> Result<Valued<'c, 'r>, PassReason> {
        let most = context
            .in_bid_currency(value, currency)
            .ok_or(PassReason::Currency)?;
        let is_fixed = self.offered.at.or(context.auction_type) == Some(FIXED_PRICE);
        let fixed = is_fixed.then(|| agreed(self.own, self.offered, most, context));
        Ok(Valued {
            lead: self,
            most,
            fixed: fixed.transpose()?,
        })
    }

    /// Whether the operator says that its impressions are promised, so that pacing keeps nothing back. That a seller says
    /// so does not open a budget.
    pub(super) fn is_guaranteed(&self) -> bool {
        self.own.guaranteed
    }

    /// The same, tried in the order of this price.
    pub(super) fn at(self, price: Cpm) -> Self {
        Self { price, ..self }
    }

    /// Sorts the first to be tried to the front.
    pub(super) fn order(&self) -> impl Ord + use<> {
        (
            Reverse(self.own.guaranteed || self.offered.guar.is_yes()),
            Reverse(self.price),
            self.rank,
        )
    }
}

impl Valued<'_, '_> {
    /// What is bid.
    pub(super) fn price(&self) -> Cpm {
        self.fixed.unwrap_or(self.most)
    }

    /// What the campaign must at least be ready to pay: the agreed price, else the deal's floor, else the impression's.
    pub(super) fn floor(
        &self,
        seconds: Option<u32>,
        otherwise: Cpm,
        context: &Context<'_>,
    ) -> Result<Cpm, PassReason> {
        match self.fixed {
            Some(agreed) => Ok(agreed),
            None => FloorRules::of_deal(self.lead.offered)
                .floor(seconds, context)
                .map(|floor| floor.unwrap_or(otherwise)),
        }
    }
}

/// The agreed price; what the campaign pays on the deal where the request does not name it and the campaign does.
fn agreed(
    own: &Deal,
    offered: &request::Deal<'_>,
    most: Cpm,
    context: &Context<'_>,
) -> Result<Cpm, PassReason> {
    let stated = in_bid_currency(offered.bidfloor, offered.bidfloorcur, context)?;
    match own.price {
        _ if stated > Cpm::ZERO => Ok(stated),
        Some(_) => Ok(most),
        None => Err(PassReason::UnreadableFloor),
    }
}

/// Whether our seat and the advertiser may use the deal. A list that cannot be read allows nobody.
fn check_parties(
    campaign: &Campaign,
    offered: &request::Deal<'_>,
    context: &Context<'_>,
) -> Result<(), PassReason> {
    let seats = &offered.wseat;
    let place = &context.place;
    let seat = campaign.advertiser.seat_or(place.exchange, place.seat);
    let is_ours = seats.is_empty() || seat.is_some_and(|seat| seats.contains(seat));
    if seats.is_unreadable() || !is_ours {
        return Err(PassReason::DealSeat);
    }
    let domains = &offered.wadomain;
    let named = |own: &str| {
        domains
            .iter()
            .any(|named| is_within(own, bare_domain(named)))
    };
    let is_named = domains.is_empty()
        || campaign
            .advertiser
            .domains
            .iter()
            .all(|domain| named(domain.as_str()));
    if domains.is_unreadable() || !is_named {
        return Err(PassReason::DealAdvertiser);
    }
    Ok(())
}

/// Ids of the impression's deals that campaigns have, without allocating.
pub(super) struct KnownDeals<'r> {
    ids: [&'r str; OFFERED_DEALS_MAX],
    len: usize,
}

impl<'r> KnownDeals<'r> {
    pub(super) fn of(
        chance: &Opportunity<'r>,
        context: &Context<'_>,
        catalogue: &Catalogue,
    ) -> Self {
        let exchange = context.place.exchange;
        let deals: &'r [request::Deal<'r>] = &chance.imp.pmp.deals;
        let mut known = Self {
            ids: [""; OFFERED_DEALS_MAX],
            len: 0,
        };
        let ids = deals.iter().map(|deal| &*deal.id);
        for id in ids.filter(|id| catalogue.knows_deal(exchange, id)) {
            if let Some(place) = known.ids.get_mut(known.len) {
                *place = id;
                known.len += 1;
            }
        }
        known
    }

    pub(super) fn ids(&self) -> &[&'r str] {
        self.ids.get(..self.len).unwrap_or_default()
    }
}

/// A price in US dollars.
pub(super) fn in_dollars(price: Cpm, context: &Context<'_>) -> Option<Cpm> {
    let rates = context.place.rates;
    price.convert(rates.between(context.currency, Currency::USD)?)
}
