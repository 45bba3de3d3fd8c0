//! The choice: the first of the best candidates that may be shown, reaches the floor, is drawn, and has the money.
//!
//! The catalogue names candidates in falling order of value, so the first that passes every question is the best, and
//! the search ends there. Questions that cost nothing come first; those that promise something come last, and what they
//! promised is undone by its guard when the bid is not sent.

use super::context::Context;
use super::eligibility::fit;
use super::opportunity::Opportunity;
use super::pass::PassReason;
use crate::campaign::{Campaign, Catalogue, FrequencyCap, Offer, Query, Rank};
use crate::units::{CampaignKey, CampaignSlot, Cpm, Nanos, Rate, UserKey};

/// Candidates looked at for one impression. The best are first, and one in a few passes; one that has looked at so many in
/// vain would look at hundreds more, while the others of its request wait.
pub const CANDIDATES_MAX: usize = 64;
/// How many candidates are looked at between two looks at the deadline: a microsecond's work.
const LOOK_AT_DEADLINE_EVERY: usize = 8;

/// What a region is asked before a bid is made. What it promises is undone when it is dropped.
pub trait Funds {
    /// What stands for a bid that may be sent.
    type Hold;

    /// Whether pacing takes this opportunity. Counts it either way.
    ///
    /// # Errors
    /// The region cannot say.
    fn draws(&mut self, slot: CampaignSlot, charge: Nanos) -> Result<bool, PassReason>;

    /// Promises the money, and the impression where it is capped.
    ///
    /// # Errors
    /// Why it cannot.
    fn promise(&mut self, offered: &Offered) -> Result<Self::Hold, PassReason>;
}

/// A bid that could be made.
#[derive(Clone, Copy, Debug)]
pub struct Offered {
    /// Whose money it would be.
    pub slot: CampaignSlot,
    /// The campaign.
    pub campaign: CampaignKey,
    /// The most it can be charged for it, in its currency.
    pub charge: Nanos,
    /// Its frequency cap.
    pub cap: Option<FrequencyCap>,
    /// Who would see it, where consent allows us to know.
    pub user: Option<UserKey>,
}

/// A bid worth making.
#[derive(Debug)]
pub struct Choice<H> {
    /// The impression's index in the request.
    pub imp: u16,
    /// The campaign, in the catalogue it was found in.
    pub rank: Rank,
    /// Its creative's place among its creatives.
    pub creative: usize,
    /// The price, in the currency of the response.
    pub price: Cpm,
    /// Units of the campaign's currency per unit of the response's.
    pub rate: Rate,
    /// What stands behind it; nothing for a test.
    pub hold: Option<H>,
}

/// Chooses the bid for an impression. `taken` are campaigns that bid on another impression of this request: each bids
/// once, so that one page does not show one ad twice.
///
/// # Errors
/// The reason of the candidate that got furthest.
pub fn decide<F: Funds>(
    (context, chance): (&Context<'_>, &Opportunity<'_>),
    catalogue: &Catalogue,
    taken: &[CampaignKey],
    funds: &mut F,
    is_late: &impl Fn() -> bool,
) -> Result<Choice<F::Hold>, PassReason> {
    let place = &context.place;
    let query = Query {
        region: place.region,
        exchange: place.exchange,
        country: context.country,
        device: context.device,
        system: context.system,
        language: context.language,
        at: place.at,
        site: context.site.as_deref(),
        app: context.app.as_deref(),
        categories: &context.categories,
        shapes: chance.shapes(),
    };
    let floor_in_dollars = chance.floor.convert(
        place
            .rates
            .in_dollars(context.currency)
            .ok_or(PassReason::Currency)?,
    );
    let mut furthest = PassReason::NoCandidate;
    for (seen, rank) in catalogue.search(&query).take(CANDIDATES_MAX).enumerate() {
        if seen % LOOK_AT_DEADLINE_EVERY == LOOK_AT_DEADLINE_EVERY - 1 && is_late() {
            return Err(PassReason::NoTime);
        }
        let Some(offer) = catalogue.offer(rank) else {
            continue;
        };
        // Both are rounded up by at most a micro, so a candidate is left to the exact comparison unless it is clearly
        // below; all that follow are worth less.
        let clearly_below =
            floor_in_dollars.is_some_and(|floor| offer.value.micros() + 2 < floor.micros());
        if clearly_below {
            return Err(furthest.max(PassReason::BelowFloor));
        }
        let outcome = if taken.contains(&offer.campaign.key) {
            Err(PassReason::OncePerRequest)
        } else if !catalogue.is_on(offer, place.at) {
            Err(PassReason::NotNow)
        } else {
            try_candidate((context, chance), offer, rank, funds)
        };
        match outcome {
            Ok(choice) => return Ok(choice),
            Err(reason) => furthest = furthest.max(reason),
        }
    }
    Err(furthest)
}

fn try_candidate<F: Funds>(
    (context, chance): (&Context<'_>, &Opportunity<'_>),
    offer: &Offer,
    rank: Rank,
    funds: &mut F,
) -> Result<Choice<F::Hold>, PassReason> {
    let campaign = &*offer.campaign;
    let fit = fit(campaign, context, chance)?;
    if context
        .place
        .ceiling
        .is_some_and(|ceiling| offer.value > ceiling)
    {
        return Err(PassReason::AboveCeiling);
    }
    let price = context
        .in_bid_currency(campaign.price, campaign.currency)
        .ok_or(PassReason::Currency)?;
    if price < fit.floor {
        return Err(PassReason::BelowFloor);
    }
    let user = context.place.user;
    if campaign.cap.is_some() && user.is_none() {
        return Err(PassReason::Unidentified);
    }
    let rate = context
        .place
        .rates
        .between(context.currency, campaign.currency)
        .ok_or(PassReason::Currency)?;
    let choice = Choice {
        imp: chance.index,
        rank,
        creative: fit.creative,
        price,
        rate,
        hold: None,
    };
    if context.is_test {
        return Ok(choice);
    }
    let charge = charge(campaign, price, rate).ok_or(PassReason::Currency)?;
    if !funds.draws(offer.slot, charge)? {
        return Err(PassReason::Paced);
    }
    let offered = Offered {
        slot: offer.slot,
        campaign: campaign.key,
        charge,
        cap: campaign.cap,
        user,
    };
    let hold = funds.promise(&offered)?;
    Ok(Choice {
        hold: Some(hold),
        ..choice
    })
}

/// The most that an impression at this price is charged: the sum settlement would come to.
fn charge(campaign: &Campaign, price: Cpm, rate: Rate) -> Option<Nanos> {
    campaign.charge(price.per_impression().convert(rate)?)
}

#[cfg(test)]
mod tests;
