//! One candidate by itself: what it would bid, and why not. Pure, so that an explanation may ask what a bid asks.

use std::sync::Arc;

use crate::bidding::context::Context;
use crate::bidding::deals::{Lead, in_dollars};
use crate::bidding::eligibility::{Fit, fit};
use crate::bidding::opportunity::Opportunity;
use crate::bidding::pass::PassReason;
use crate::campaign::{Campaign, Creative, Offer};
use crate::units::{Cpm, Nanos, Rate};

/// The way a candidate would buy.
#[derive(Clone, Copy)]
pub(in crate::bidding) enum Way<'w> {
    OpenMarket,
    Deal(Lead<'w, 'w>),
}

/// What a candidate would show, and what it would bid for that. Whether that is enough is asked next.
#[derive(Clone, Copy, Debug)]
pub struct Priced {
    /// The creative's place among its creatives.
    pub creative: usize,
    /// What it bids, in the currency of our bids.
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

    pub(in crate::bidding) fn is_guaranteed(&self) -> bool {
        matches!(self, Self::Deal(lead) if lead.is_guaranteed())
    }
}

/// What a candidate would show and bid.
///
/// # Errors
/// Why it shows nothing here.
pub(in crate::bidding) fn priced(
    (context, chance): (&Context<'_>, &Opportunity<'_>),
    offer: &Offer,
    way: Way<'_>,
) -> Result<Priced, PassReason> {
    let campaign = &*offer.campaign;
    let barred = offer.barred_on(context.place.exchange);
    let fit = fit((campaign, barred), context, chance)?;
    let terms = terms(campaign, way, &fit, context)?;
    let in_dollars = match way {
        Way::OpenMarket => Some(offer.value),
        Way::Deal(_) => in_dollars(terms.price, context),
    };
    Ok(Priced {
        creative: fit.creative,
        price: terms.price,
        most: terms.most,
        floor: terms.floor,
        in_dollars,
    })
}

impl Priced {
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
        if self.most < self.floor {
            return Err(PassReason::BelowFloor);
        }
        if campaign.cap.is_some() && context.place.user.is_none() {
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

/// What a candidate bids, the most it would, and what that must at least be; all in the currency of our bids.
struct Terms {
    price: Cpm,
    most: Cpm,
    floor: Cpm,
}

fn terms(
    campaign: &Campaign,
    way: Way<'_>,
    fit: &Fit,
    context: &Context<'_>,
) -> Result<Terms, PassReason> {
    match way {
        Way::OpenMarket => {
            let price = context
                .in_bid_currency(campaign.price, campaign.currency)
                .ok_or(PassReason::Currency)?;
            Ok(Terms {
                price,
                most: price,
                floor: fit.floor,
            })
        }
        Way::Deal(lead) => {
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
