//! One candidate by itself: what it would bid, and why not. Pure, so that an explanation may ask what a bid asks.

use std::sync::Arc;

use super::query;
use crate::bidding::context::Context;
use crate::bidding::deals::{Lead, in_dollars};
use crate::bidding::eligibility::{Fit, fits};
use crate::bidding::opportunity::Opportunity;
use crate::bidding::pass::PassReason;
use crate::campaign::{
    Campaign, Catalogue, Creative, Deal, FormatKind, Goal, Moment, Offer, Rank, Through, Worth,
};
use crate::openrtb::request;
use crate::units::{Cpm, Nanos, Rate};

/// The way a candidate would buy.
#[derive(Clone, Copy, Debug)]
pub(in crate::bidding) enum Way<'w> {
    OpenMarket,
    Deal(Lead<'w, 'w>),
}

/// What candidates are asked about: the request, the impression, and the catalogue that they are in.
pub(in crate::bidding) type Asked<'a, 'c, 'r> =
    (&'a Context<'c>, &'a Opportunity<'r>, &'a Catalogue);

/// What a candidate would show, what it would bid for that, and how the price came about. Whether that is enough is asked
/// next.
#[derive(Clone, Copy, Debug)]
pub struct Priced {
    /// The creative's place among its creatives.
    pub creative: usize,
    /// What the impression is worth, in the campaign's currency: base, click rate, multipliers, highest price.
    pub worth: Worth,
    /// What it bids, in the currency of our bids: less than the most only where a deal's price is fixed.
    pub price: Cpm,
    /// The most it would bid.
    pub most: Cpm,
    /// What that must at least be.
    pub floor: Cpm,
    /// What it bids in US dollars, for the ceiling; `None` where that does not fit.
    pub in_dollars: Option<Cpm>,
}

/// A candidate that would bid, before pacing and its region's money are asked.
#[derive(Clone, Copy, Debug)]
pub struct Quote {
    /// Units of the campaign's currency per unit of the response's.
    pub rate: Rate,
    /// The most that the impression is charged, in the campaign's currency.
    pub charge: Nanos,
}

impl Way<'_> {
    pub(in crate::bidding) fn deal(&self) -> Option<&Arc<str>> {
        match self {
            Self::OpenMarket => None,
            Self::Deal(lead) => Some(&lead.own.id),
        }
    }

    /// What the campaign pays on the deal at most, where that is agreed: multipliers do not change it.
    fn agreed(&self) -> Option<Cpm> {
        match self {
            Self::OpenMarket => None,
            Self::Deal(lead) => lead.own.price,
        }
    }

    pub(in crate::bidding) fn is_guaranteed(&self) -> bool {
        matches!(self, Self::Deal(lead) if lead.is_guaranteed())
    }
}

/// Whether a candidate of the open market need not be looked at, whatever it shows. Both are rounded up by at most a micro,
/// so one that may reach the floor is left to the exact comparison.
pub(in crate::bidding) fn is_clearly_below(offer: &Offer, floor_in_dollars: Option<Cpm>) -> bool {
    floor_in_dollars.is_some_and(|floor| offer.value.micros() + 2 < floor.micros())
}

/// What a candidate would show and bid: of the creatives that may be shown, the one that is worth most and reaches its
/// floor; of those that are worth the same, the first.
///
/// # Errors
/// Why it shows nothing here: the reason of the creative that got furthest.
pub(in crate::bidding) fn priced(
    asked: Asked<'_, '_, '_>,
    offer: &Offer,
    way: Way<'_>,
) -> Result<Priced, PassReason> {
    let (context, chance, _) = asked;
    let barred = offer.barred_on(context.place.exchange);
    let is_the_same_for_all = way.agreed().is_some() || offer.campaign.is_plain();
    let mut best: Option<Priced> = None;
    // What fits and has no price came further than what does not fit.
    let (mut misfit, mut unpriced) = (PassReason::NoMatchingCreative, None);
    for fit in fits((&offer.campaign, barred), context, chance)? {
        match fit.map(|fit| priced_with(&fit, asked, (offer, way))) {
            Ok(Ok(priced)) => {
                if best.is_none_or(|best| priced.preference() > best.preference()) {
                    best = Some(priced);
                }
                if is_the_same_for_all && priced.reaches_floor() {
                    break;
                }
            }
            Ok(Err(reason)) => unpriced = unpriced.max(Some(reason)),
            Err(reason) => misfit = misfit.max(reason),
        }
    }
    best.ok_or(unpriced.unwrap_or(misfit))
}

fn priced_with(
    fit: &Fit,
    asked: Asked<'_, '_, '_>,
    (offer, way): (&Offer, Way<'_>),
) -> Result<Priced, PassReason> {
    let (campaign, context) = (&*offer.campaign, asked.0);
    let worth = match way.agreed() {
        Some(price) => Worth::exactly(price),
        None => worth(offer, fit.creative, asked),
    };
    let terms = terms(campaign, (way, worth.value), fit, context)?;
    let in_dollars = match way {
        // Rounded as the catalogue rounds, so that it is never above the campaign's value there.
        Way::OpenMarket => in_dollars_of(worth.value, campaign, context),
        Way::Deal(_) => in_dollars(terms.price, context),
    };
    Ok(Priced {
        creative: fit.creative,
        worth,
        price: terms.price,
        most: terms.most,
        floor: terms.floor,
        in_dollars,
    })
}

impl Priced {
    fn reaches_floor(&self) -> bool {
        self.most >= self.floor
    }

    /// The greater, the rather it is shown.
    fn preference(&self) -> (bool, Cpm) {
        (self.reaches_floor(), self.worth.value)
    }

    /// Whether the price is in bounds, and what it costs its campaign.
    ///
    /// # Errors
    /// Why it may not be bid.
    pub(in crate::bidding) fn quote(
        &self,
        campaign: &Campaign,
        context: &Context<'_>,
    ) -> Result<Quote, PassReason> {
        if let Some(ceiling) = context.place.ceiling
            && self.in_dollars.is_none_or(|value| value > ceiling)
        {
            return Err(PassReason::AboveCeiling);
        }
        // What is worth nothing is below any floor, also where there is none.
        if !self.reaches_floor() || self.price <= Cpm::ZERO {
            return Err(PassReason::BelowFloor);
        }
        if campaign.is_capped() && context.place.user.is_none() {
            return Err(PassReason::Unidentified);
        }
        let rates = context.place.rates;
        let rate = rates
            .between(context.currency, campaign.currency)
            .ok_or(PassReason::Currency)?;
        let charge = charge(campaign, self.price, rate).ok_or(PassReason::Currency)?;
        Ok(Quote { rate, charge })
    }
}

/// What an impression is worth to a campaign with one of its creatives, in its currency.
fn worth(offer: &Offer, creative: usize, (context, chance, catalogue): Asked<'_, '_, '_>) -> Worth {
    let campaign = &*offer.campaign;
    if let (true, Goal::Cpm(price)) = (campaign.is_plain(), campaign.goal) {
        return Worth::exactly(price);
    }
    let shown = campaign.creatives.get(creative);
    campaign.worth(offer.click_rate(creative), || Moment {
        query: query((context, chance), Through::OpenMarket),
        hour: catalogue.hour(offer, context.place.at),
        format: shown.map_or(FormatKind::Banner, |it| FormatKind::of(&it.format)),
    })
}

/// A campaign on one of its deals, with the price by which the deals of an impression are ordered.
///
/// # Errors
/// Why it cannot bid on it, whatever it would show.
pub(in crate::bidding) fn lead<'w>(
    asked: Asked<'_, '_, '_>,
    (offer, rank): (&Offer, Rank),
    (own, offered): (&'w Deal, &'w request::Deal<'w>),
) -> Result<Lead<'w, 'w>, PassReason> {
    let (campaign, context) = (&*offer.campaign, asked.0);
    let lead = Lead::of((rank, campaign, own), offered, context)?;
    let value = match (own.price, campaign.goal) {
        (Some(agreed), _) => agreed,
        (None, Goal::Cpm(price)) if campaign.is_plain() => price,
        (None, _) => {
            // What it is worth depends on what it would show. Where that is nothing, trying it tells why.
            let priced = priced(asked, offer, Way::Deal(lead));
            return Ok(lead.at(priced.map_or(Cpm::ZERO, |priced| priced.price)));
        }
    };
    let valued = lead.worth((value, campaign.currency), context)?;
    Ok(lead.at(valued.price()))
}

/// A campaign's price in US dollars.
fn in_dollars_of(price: Cpm, campaign: &Campaign, context: &Context<'_>) -> Option<Cpm> {
    price.convert(context.place.rates.in_dollars(campaign.currency)?)
}

/// What a candidate bids, the most it would, and what that must at least be; all in the currency of our bids.
struct Terms {
    price: Cpm,
    most: Cpm,
    floor: Cpm,
}

fn terms(
    campaign: &Campaign,
    (way, value): (Way<'_>, Cpm),
    fit: &Fit,
    context: &Context<'_>,
) -> Result<Terms, PassReason> {
    match way {
        Way::OpenMarket => {
            let price = context
                .in_bid_currency(value, campaign.currency)
                .ok_or(PassReason::Currency)?;
            Ok(Terms {
                price,
                most: price,
                floor: fit.floor,
            })
        }
        Way::Deal(lead) => {
            let lead = lead.worth((value, campaign.currency), context)?;
            let creative = campaign.creatives.get(fit.creative);
            let seconds = creative.and_then(Creative::duration_seconds);
            Ok(Terms {
                price: lead.price(),
                most: lead.most,
                floor: lead.floor(seconds, fit.floor, context)?,
            })
        }
    }
}

/// The most that an impression at this price is charged: the sum settlement would come to.
fn charge(campaign: &Campaign, price: Cpm, rate: Rate) -> Option<Nanos> {
    campaign.charge(price.per_impression().convert(rate)?)
}
