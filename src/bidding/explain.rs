//! Why each campaign does or does not bid for an impression: the questions that a bid asks, asked of all of them.
//!
//! The rules are the bid path's own functions; only the search is left out, which ends at the first that passes. Who asks
//! gives [`Funds`] that only look, so that asking changes nothing.

use std::sync::Arc;

use super::context::Context;
use super::deals::{KnownDeals, Lead, in_dollars};
use super::decide::{
    Asked, Funds, Priced, Quote, Way, fund, is_clearly_below, lead, priced, query,
};
use super::opportunity::Opportunity;
use super::pass::PassReason;
use crate::campaign::{Catalogue, Exclusion, Offer, Rank, Through};
use crate::units::CampaignKey;

/// What is asked of an impression: who wants it at all, found once for all campaigns.
pub struct Inquiry<'e, 'r> {
    context: &'e Context<'r>,
    chance: &'e Opportunity<'r>,
    catalogue: &'e Catalogue,
    /// By rank: whether the index names it in the open market.
    in_open: Vec<bool>,
    /// By rank: whether the index names it for the impression's deals.
    on_deals: Vec<bool>,
}

/// What there is to say of one campaign.
pub struct Told<H> {
    /// What in its targeting excludes it, where the index does not name it.
    pub exclusion: Option<Exclusion>,
    /// How each way of buying ends that it could try, deals first, in the order in which they are tried.
    pub tried: Vec<Tried<H>>,
}

/// One way of buying.
pub struct Tried<H> {
    /// The deal; none in the open market.
    pub deal: Option<Arc<str>>,
    /// What it would show and bid, as far as it came to that.
    pub priced: Option<Priced>,
    /// What that costs, as far as it came to that.
    pub quote: Option<Quote>,
    /// What stands behind the bid (nothing for a test), or why there is none.
    pub outcome: Result<Option<H>, PassReason>,
}

impl<H> Told<H> {
    /// The way it would bid; else the way on which it got furthest.
    pub fn best(&self) -> Option<&Tried<H>> {
        let would = self.tried.iter().find(|tried| tried.outcome.is_ok());
        would.or_else(|| {
            let reason = |tried: &&Tried<H>| tried.outcome.as_ref().err().copied();
            self.tried.iter().max_by_key(reason)
        })
    }

    /// Why it does not bid; `None` if it would.
    pub fn reason(&self) -> Option<PassReason> {
        match self.best() {
            Some(tried) => tried.outcome.as_ref().err().copied(),
            None => Some(PassReason::NoCandidate),
        }
    }
}

impl<'e, 'r> Inquiry<'e, 'r> {
    /// Asks the index who wants an impression. As a bid does, it asks before any bid was chosen for it.
    pub fn new(
        (context, chance): (&'e Context<'r>, &'e Opportunity<'r>),
        catalogue: &'e Catalogue,
    ) -> Self {
        let known = KnownDeals::of(chance, context, catalogue);
        let named = |through: Through<'_>| {
            let mut named = vec![false; catalogue.len()];
            for rank in catalogue.search(&query((context, chance), through)) {
                if let Some(place) = named.get_mut(rank.index()) {
                    *place = true;
                }
            }
            named
        };
        let in_open = if chance.is_private() {
            Vec::new()
        } else {
            named(Through::OpenMarket)
        };
        let on_deals = if known.ids().is_empty() {
            Vec::new()
        } else {
            named(Through::Deals(known.ids()))
        };
        Self {
            context,
            chance,
            catalogue,
            in_open,
            on_deals,
        }
    }

    /// What there is to say of a campaign, where the request has bids of the campaigns `taken` already.
    pub fn tell<F: Funds>(
        &self,
        (offer, rank): (&Offer, Rank),
        taken: &[CampaignKey],
        funds: &mut F,
    ) -> Told<F::Hold> {
        let is_named = |named: &Vec<bool>| named.get(rank.index()) == Some(&true);
        let mut tried = Vec::new();
        if is_named(&self.on_deals) {
            self.try_deals((offer, rank), taken, funds, &mut tried);
        }
        if is_named(&self.in_open) {
            tried.push(self.try_open(offer, taken, funds));
        } else if tried.is_empty() && self.chance.is_private() && self.exclusion(offer).is_none() {
            tried.push(Tried::refused(None, PassReason::DealRequired));
        }
        let exclusion = tried
            .is_empty()
            .then(|| self.exclusion(offer).unwrap_or(Exclusion::BeyondIndex));
        Told { exclusion, tried }
    }

    /// What excludes it. That it does not buy in the open is nothing to a private auction.
    fn exclusion(&self, offer: &Offer) -> Option<Exclusion> {
        let asked = query((self.context, self.chance), Through::OpenMarket);
        let exclusion = self.catalogue.exclusion(offer, &asked);
        exclusion.filter(|it| *it != Exclusion::Market || !self.chance.is_private())
    }

    fn try_deals<F: Funds>(
        &self,
        (offer, rank): (&Offer, Rank),
        taken: &[CampaignKey],
        funds: &mut F,
        tried: &mut Vec<Tried<F::Hold>>,
    ) {
        let (context, imp) = (self.context, self.chance.imp);
        let mut leads = Vec::new();
        let own = offer.campaign.deals.iter();
        for own in own.filter(|own| own.exchange == context.place.exchange) {
            let offered = imp.pmp.deals.iter().find(|deal| *deal.id == *own.id);
            match offered.map(|deal| lead(self.asked(), (offer, rank), (own, deal))) {
                None => {}
                Some(Ok(lead)) => leads.push(lead),
                Some(Err(reason)) => {
                    tried.push(Tried::refused(Some(Arc::clone(&own.id)), reason));
                }
            }
        }
        leads.sort_by_cached_key(Lead::order);
        for lead in leads {
            tried.push(self.try_way(offer, taken, Way::Deal(lead), funds));
        }
    }

    fn try_open<F: Funds>(
        &self,
        offer: &Offer,
        taken: &[CampaignKey],
        funds: &mut F,
    ) -> Tried<F::Hold> {
        let floor = in_dollars(self.chance.lowest_floor(), self.context);
        if !is_clearly_below(offer, floor) {
            return self.try_way(offer, taken, Way::OpenMarket, funds);
        }
        Tried {
            priced: priced(self.asked(), offer, Way::OpenMarket).ok(),
            ..Tried::refused(None, PassReason::BelowFloor)
        }
    }

    fn asked(&self) -> Asked<'_, 'r, 'r> {
        (self.context, self.chance, self.catalogue)
    }

    fn try_way<F: Funds>(
        &self,
        offer: &Offer,
        taken: &[CampaignKey],
        way: Way<'_>,
        funds: &mut F,
    ) -> Tried<F::Hold> {
        let (campaign, context) = (&*offer.campaign, self.context);
        let deal = way.deal().cloned();
        if taken.contains(&campaign.key) {
            return Tried::refused(deal, PassReason::OncePerRequest);
        }
        if !self.catalogue.is_on(offer, context.place.at) {
            return Tried::refused(deal, PassReason::NotNow);
        }
        let priced = match priced(self.asked(), offer, way) {
            Ok(priced) => priced,
            Err(reason) => return Tried::refused(deal, reason),
        };
        let quote = priced.quote(campaign, context);
        let outcome = match &quote {
            Err(reason) => Err(*reason),
            Ok(_) if context.is_test => Ok(None),
            Ok(quote) => fund((offer, context.place.user), quote, way, funds).map(Some),
        };
        Tried {
            deal,
            priced: Some(priced),
            quote: quote.ok(),
            outcome,
        }
    }
}

impl<H> Tried<H> {
    fn refused(deal: Option<Arc<str>>, reason: PassReason) -> Self {
        Self {
            deal,
            priced: None,
            quote: None,
            outcome: Err(reason),
        }
    }
}
