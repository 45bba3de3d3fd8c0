//! The choice: the first of the best candidates that may be shown, reaches the floor, is drawn, and has the money.
//!
//! Deals come before the open market: what was agreed is kept, whatever the open market would pay. The catalogue names
//! candidates of the open market in falling order of the most they can be worth. One that is worth exactly that is taken if
//! it passes every question, and the search ends there. One with multipliers or a goal of clicks waits with what it is
//! worth here, until nothing that follows can be worth more. Questions that cost nothing come first; those that promise
//! something come last, and what they promised is undone by its guard when the bid is not sent.
//!
//! Where an exchange takes several bids for an impression, each is of another advertiser, and the last is kept for the
//! open market: a seller who compares deals with it must see both.

mod candidate;
mod waiting;

use std::sync::Arc;

pub(super) use self::candidate::{Asked, Way, is_clearly_below, lead, priced};
pub use self::candidate::{Priced, Quote};
use self::waiting::{Waiting, Waits};
use super::context::Context;
use super::deals::{KnownDeals, Lead, in_dollars};
use super::opportunity::Opportunity;
use super::pass::PassReason;
use crate::campaign::{Candidates, Catalogue, FrequencyCap, Offer, Query, Rank, Through};
use crate::units::{AdvertiserKey, CampaignKey, CampaignSlot, Cpm, Nanos, UserKey};

/// Candidates looked at for one impression, and again for its deals. The best are first, and one in a few passes; one that
/// has looked at so many in vain would look at hundreds more, while the others of its request wait.
pub const CANDIDATES_MAX: usize = 64;
/// Campaigns on an impression's deals that are put in order before the best are looked at: the one that is guaranteed or
/// pays most on a deal may pay least in the open, which is the order they are found in. A deal has a handful.
const LEADS_MAX: usize = 512;
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
    /// Whose ad it is.
    pub advertiser: AdvertiserKey,
    /// Its frequency cap.
    pub cap: Option<FrequencyCap>,
    /// Its advertiser's, over all its campaigns.
    pub shared_cap: Option<FrequencyCap>,
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
    /// Its key.
    pub campaign: CampaignKey,
    /// Who pays.
    pub advertiser: AdvertiserKey,
    /// The deal it is on; none in the open market.
    pub deal: Option<Arc<str>>,
    /// What it shows, and the price, with its path.
    pub priced: Priced,
    /// What that costs.
    pub quote: Quote,
    /// What stands behind it; nothing for a test.
    pub hold: Option<H>,
}

/// Chooses the bids for an impression and puts them behind the request's other `choices`. A campaign bids once in a
/// request, so that one page does not show one ad twice.
///
/// # Errors
/// The reason of the candidate that got furthest, where nothing was chosen.
pub fn decide<F: Funds>(
    (context, chance): (&Context<'_>, &mut Opportunity<'_>),
    catalogue: &Catalogue,
    choices: &mut Vec<Choice<F::Hold>>,
    funds: &mut F,
    is_late: &impl Fn() -> bool,
) -> Result<(), PassReason> {
    let most = chance.bids_max(context.place.bids_per_imp.get());
    let before = choices.len();
    let mut search = Search {
        context,
        chance,
        catalogue,
        before,
        choices,
        funds,
        is_late,
        furthest: PassReason::NoCandidate,
    };
    let ended = if search.chance.is_private() {
        search.furthest = PassReason::DealRequired;
        search.deals(most)
    } else {
        search
            .deals(most.saturating_sub(1).max(1))
            .and_then(|()| search.open_market(most))
    };
    if search.chosen() > 0 {
        return Ok(());
    }
    ended.and(Err(search.furthest))
}

/// The search for one impression's bids.
struct Search<'s, 'c, 'r, F: Funds, L> {
    context: &'s Context<'c>,
    chance: &'s mut Opportunity<'r>,
    catalogue: &'s Catalogue,
    /// Choices that were there before it.
    before: usize,
    choices: &'s mut Vec<Choice<F::Hold>>,
    funds: &'s mut F,
    is_late: &'s L,
    furthest: PassReason,
}

impl<'c, 'r, F: Funds, L: Fn() -> bool> Search<'_, 'c, 'r, F, L> {
    /// Looks for bids on deals until there are `wanted`.
    ///
    /// # Errors
    /// [`PassReason::NoTime`].
    fn deals(&mut self, wanted: usize) -> Result<(), PassReason> {
        let (context, imp, catalogue) = (self.context, self.chance.imp, self.catalogue);
        if imp.pmp.deals.is_empty() {
            return Ok(());
        }
        let known = KnownDeals::of(self.chance, context, catalogue);
        if known.ids().is_empty() {
            return Ok(());
        }
        let query = query((self.context, self.chance), Through::Deals(known.ids()));
        let mut leads = Vec::new();
        let mut found = Candidates::default();
        catalogue.search_into(&query, &mut found);
        // By reference, since `take` would move it.
        for (seen, rank) in found.by_ref().take(LEADS_MAX).enumerate() {
            self.look_at_deadline(seen)?;
            let Some(offer) = catalogue.offer(rank) else {
                continue;
            };
            let here = |own: &&crate::campaign::Deal| own.exchange == context.place.exchange;
            for own in offer.campaign.deals.iter().filter(here) {
                let mut offered = imp.pmp.deals.iter();
                let Some(deal) = offered.find(|deal| *deal.id == *own.id) else {
                    continue;
                };
                match lead(self.asked(), (offer, rank), (own, deal)) {
                    Ok(lead) => leads.push(lead),
                    Err(reason) => self.furthest = self.furthest.max(reason),
                }
            }
        }
        leads.sort_by_cached_key(Lead::order);
        for (seen, lead) in leads.into_iter().take(CANDIDATES_MAX).enumerate() {
            self.look_at_deadline(seen)?;
            if let Some(offer) = catalogue.offer(lead.rank) {
                self.take((offer, lead.rank), Way::Deal(lead), None);
            }
            if self.has(wanted) {
                break;
            }
        }
        Ok(())
    }

    /// Looks for bids in the open market until there are `wanted`.
    ///
    /// # Errors
    /// [`PassReason::NoTime`].
    fn open_market(&mut self, wanted: usize) -> Result<(), PassReason> {
        if self.has(wanted) {
            return Ok(());
        }
        let (context, catalogue) = (self.context, self.catalogue);
        let floor_in_dollars = in_dollars(self.chance.lowest_floor(), context);
        let query = query((self.context, self.chance), Through::OpenMarket);
        let mut waiting = Waiting::default();
        let mut found = Candidates::default();
        catalogue.search_into(&query, &mut found);
        for (seen, rank) in found.by_ref().take(CANDIDATES_MAX).enumerate() {
            self.look_at_deadline(seen)?;
            let Some(offer) = catalogue.offer(rank) else {
                continue;
            };
            self.take_waiting(&mut waiting, offer.value, wanted)?;
            if self.has(wanted) {
                return Ok(());
            }
            // All that follow are worth less.
            if is_clearly_below(offer, floor_in_dollars) {
                self.furthest = self.furthest.max(PassReason::BelowFloor);
                break;
            }
            if !waiting.is_empty() || !offer.campaign.is_plain() {
                waiting.extend(self.value((offer, rank)));
                continue;
            }
            self.take((offer, rank), Way::OpenMarket, None);
            if self.has(wanted) {
                return Ok(());
            }
        }
        self.take_waiting(&mut waiting, Cpm::ZERO, wanted)
    }

    /// Takes those that wait and are worth at least this, the best first: nothing that follows is worth more.
    ///
    /// # Errors
    /// [`PassReason::NoTime`].
    fn take_waiting(
        &mut self,
        waiting: &mut Waiting,
        value: Cpm,
        wanted: usize,
    ) -> Result<(), PassReason> {
        let catalogue = self.catalogue;
        let mut seen = 0;
        while let Some(waits) = waiting.pop(value) {
            self.look_at_deadline(seen)?;
            seen += 1;
            if let Some(offer) = catalogue.offer(waits.rank) {
                let (priced, chosen) = waits.priced;
                let priced = (chosen == self.choices.len()).then_some(priced);
                self.take((offer, waits.rank), Way::OpenMarket, priced);
            }
            if self.has(wanted) {
                break;
            }
        }
        Ok(())
    }

    /// What an impression is worth to a candidate here, if it would bid; it remembers why not.
    fn value(&mut self, (offer, rank): (&Offer, Rank)) -> Option<Waits> {
        let found = self.admits(offer)?.and_then(|()| {
            let priced = priced(self.asked(), offer, Way::OpenMarket)?;
            priced.quote(&offer.campaign, self.context)?;
            Ok(Waits {
                value: priced.in_dollars.ok_or(PassReason::AboveCeiling)?,
                rank,
                priced: (priced, self.choices.len()),
            })
        });
        found
            .inspect_err(|reason| self.furthest = self.furthest.max(*reason))
            .ok()
    }

    fn asked(&self) -> Asked<'_, 'c, 'r> {
        (self.context, self.chance, self.catalogue)
    }

    fn look_at_deadline(&self, seen: usize) -> Result<(), PassReason> {
        let looks = seen % LOOK_AT_DEADLINE_EVERY == LOOK_AT_DEADLINE_EVERY - 1;
        if looks && (self.is_late)() {
            return Err(PassReason::NoTime);
        }
        Ok(())
    }

    /// Whether there are as many bids as wanted, or as there is room for.
    fn has(&self, wanted: usize) -> bool {
        self.chosen() >= wanted || self.chance.is_full()
    }

    fn chosen(&self) -> usize {
        self.choices.len() - self.before
    }

    /// Whether a candidate may be tried; nothing where its advertiser has a bid for this impression already.
    fn admits(&self, offer: &Offer) -> Option<Result<(), PassReason>> {
        let advertiser = offer.campaign.advertiser.key;
        let of_this_imp = self.choices.get(self.before..).unwrap_or_default();
        if of_this_imp
            .iter()
            .any(|choice| choice.advertiser == advertiser)
        {
            return None;
        }
        let is_taken = |choice: &Choice<_>| choice.campaign == offer.campaign.key;
        Some(if self.choices.iter().any(is_taken) {
            Err(PassReason::OncePerRequest)
        } else if !self.catalogue.is_on(offer, self.context.place.at) {
            Err(PassReason::NotNow)
        } else {
            Ok(())
        })
    }

    /// Takes a candidate, or remembers why not. What is `known` of its price is not asked again.
    fn take(&mut self, (offer, rank): (&Offer, Rank), way: Way<'_>, known: Option<Priced>) {
        let Some(admitted) = self.admits(offer) else {
            return;
        };
        let advertiser = offer.campaign.advertiser.key;
        let asked = (self.context, &*self.chance, self.catalogue);
        let outcome = admitted.and_then(|()| {
            let priced = known.map_or_else(|| priced(asked, offer, way), Ok)?;
            try_candidate(asked, (offer, rank), (way, &priced), self.funds)
        });
        match outcome {
            Ok(choice) => {
                if let Some(creative) = offer.campaign.creatives.get(choice.priced.creative) {
                    self.chance.take_bid(creative, advertiser);
                }
                self.choices.push(choice);
            }
            Err(reason) => self.furthest = self.furthest.max(reason),
        }
    }
}

/// What the catalogue is asked for an impression.
pub(super) fn query<'q>(
    (context, chance): (&'q Context<'_>, &'q Opportunity<'_>),
    through: Through<'q>,
) -> Query<'q> {
    let place = &context.place;
    Query {
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
        segments: &context.segments,
        more_segments: context.more_segments,
        own_segments: place.own_segments,
        shapes: chance.shapes(),
        through,
    }
}

fn try_candidate<F: Funds>(
    (context, chance, _): Asked<'_, '_, '_>,
    (offer, rank): (&Offer, Rank),
    (way, priced): (Way<'_>, &Priced),
    funds: &mut F,
) -> Result<Choice<F::Hold>, PassReason> {
    let campaign = &*offer.campaign;
    let quote = priced.quote(campaign, context)?;
    let hold = if context.is_test {
        None
    } else {
        Some(fund((offer, context.place.user), &quote, way, funds)?)
    };
    Ok(Choice {
        imp: chance.index,
        rank,
        campaign: campaign.key,
        advertiser: campaign.advertiser.key,
        deal: way.deal().cloned(),
        priced: *priced,
        quote,
        hold,
    })
}

/// Pacing's draw, then the region's promise.
pub(super) fn fund<F: Funds>(
    (offer, user): (&Offer, Option<UserKey>),
    quote: &Quote,
    way: Way<'_>,
    funds: &mut F,
) -> Result<F::Hold, PassReason> {
    // Asked also for what is guaranteed: pacing counts what was there.
    let is_drawn = funds.draws(offer.slot, quote.charge)?;
    if !is_drawn && !way.is_guaranteed() {
        return Err(PassReason::Paced);
    }
    let campaign = &*offer.campaign;
    funds.promise(&Offered {
        slot: offer.slot,
        campaign: campaign.key,
        charge: quote.charge,
        advertiser: campaign.advertiser.key,
        cap: campaign.cap,
        shared_cap: campaign.advertiser.cap,
        user,
    })
}

#[cfg(test)]
mod tests;
