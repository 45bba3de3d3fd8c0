//! The catalogue: an immutable snapshot of the campaigns that may be offered, best first, with its index.
//!
//! Campaigns are ordered by falling value, which is the most one impression can be worth in US dollars, whatever a request
//! says; a campaign's place in that order is its [`Rank`], which means something in this snapshot only. What must outlive a
//! snapshot is kept by slot or by key. Built on the control plane, read on data threads, freed by whoever replaced it.

mod bitmap;
mod dimension;
mod exclusion;
mod index;
mod postings;
mod query;
#[cfg(test)]
mod tests;
mod zones;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use jiff::tz::TimeZone;

pub use self::exclusion::Exclusion;
use self::index::Index;
pub use self::index::{Candidates, OFFERED_DEALS_MAX, SHAPES_MAX};
pub use self::query::{MoreSegments, Query, Through};
use self::zones::{ZonePlace, Zones};
use super::approval::{Approvals, Barred};
use super::campaign::{Campaign, CampaignFault};
use super::click_rate::ClickRate;
use super::click_rates::ClickRates;
use super::creative::Creative;
use super::own_segments::OwnSegments;
use super::rates::Rates;
use super::slots::{SLOTS_MAX, SlotTable};
use super::targeting::{HourOfWeek, HoursOfWeek};
use super::valuation::Goal;
use crate::units::{
    CampaignKey, CampaignSlot, Cpm, CreativeKey, ExchangeKey, SegmentKey, UnixMillis, UserKey,
};

/// A campaign's place in the order of one catalogue; 0 is worth most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rank(u32);

/// A campaign that may be offered.
#[derive(Debug)]
pub struct Offer {
    /// The campaign.
    pub campaign: Arc<Campaign>,
    /// Its row in every table by slot.
    pub slot: CampaignSlot,
    /// What an impression is worth at most, whatever the request says, in US dollars.
    pub value: Cpm,
    /// How often each of its creatives is clicked, where it buys clicks; else none.
    click_rates: Box<[ClickRate]>,
    /// Exchanges that do not run some of its creatives, in order.
    barred: Box<[(ExchangeKey, Barred)]>,
    /// Its time zone, if its hours are restricted.
    zone: Option<ZonePlace>,
}

/// What a catalogue is built with besides campaigns.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'t> {
    /// What currencies are worth, to order campaigns by; prices are converted when bidding.
    pub rates: &'t Rates,
    /// What exchanges think of creatives.
    pub approvals: &'t Approvals,
    /// How often creatives are clicked.
    pub clicks: &'t ClickRates,
}

/// A snapshot of all campaigns.
#[derive(Debug)]
pub struct Catalogue {
    offers: Vec<Offer>,
    ranks: HashMap<CampaignKey, Rank>,
    /// Campaigns that are not offered and why, for late clicks and bills.
    others: HashMap<CampaignKey, (Arc<Campaign>, WhyLeftOut)>,
    zones: Zones,
    index: Index,
    own_segments: Arc<OwnSegments>,
}

/// A campaign that is not offered, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its id.
    pub id: Arc<str>,
    /// Why.
    pub why: WhyLeftOut,
}

/// Why a campaign is not offered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WhyLeftOut {
    /// Somebody switched it off.
    #[error("it is not active")]
    Inactive,
    /// Its flight is over.
    #[error("its flight has ended")]
    Ended,
    /// Something is wrong with it.
    #[error(transparent)]
    Faulty(#[from] CampaignFault),
    /// Its currency has no rate.
    #[error("its currency has no rate")]
    NoRate,
    /// All slots are taken or resting.
    #[error("no slot is free")]
    NoSlot,
    /// Another campaign has its key.
    #[error("another campaign has the same key")]
    Twice,
}

impl Catalogue {
    /// The catalogue without campaigns.
    pub fn empty() -> Self {
        let nothing = Approvals::default();
        Self::of(Vec::new(), HashMap::new(), &nothing, UnixMillis::default())
    }

    /// A catalogue of those campaigns that may be offered at `now` or later, and the others with their reasons.
    ///
    /// `slots` was settled with the campaigns' keys.
    pub fn build(
        campaigns: &[Arc<Campaign>],
        slots: &SlotTable,
        terms: Terms<'_>,
        now: UnixMillis,
    ) -> (Self, Vec<LeftOut>) {
        let mut offered = Vec::with_capacity(campaigns.len());
        let mut others = HashMap::new();
        let mut left_out = Vec::new();
        let mut keys = std::collections::HashSet::with_capacity(campaigns.len());
        for campaign in campaigns {
            let first = keys.insert(campaign.key);
            let place = if first {
                admit(campaign, slots, terms, now)
            } else {
                Err(WhyLeftOut::Twice)
            };
            match place {
                Ok(admitted) => offered.push((Arc::clone(campaign), admitted)),
                Err(why) => {
                    if first {
                        others.insert(campaign.key, (Arc::clone(campaign), why.clone()));
                    }
                    left_out.push(LeftOut {
                        id: Arc::clone(&campaign.id),
                        why,
                    });
                }
            }
        }
        offered.sort_by_key(|(campaign, admitted)| (Reverse(admitted.value), campaign.key));
        (Self::of(offered, others, terms.approvals, now), left_out)
    }

    fn of(
        offered: Vec<(Arc<Campaign>, Admitted)>,
        others: HashMap<CampaignKey, (Arc<Campaign>, WhyLeftOut)>,
        approvals: &Approvals,
        now: UnixMillis,
    ) -> Self {
        let zones = Zones::around(
            now,
            offered
                .iter()
                .filter_map(|(campaign, ..)| zone_of(campaign)),
        );
        let campaigns: Vec<&Campaign> = offered.iter().map(|(campaign, ..)| &**campaign).collect();
        let judging = approvals.exchanges();
        let barred: Vec<_> = campaigns
            .iter()
            .map(|campaign| barred(campaign, approvals, &judging))
            .collect();
        let index = Index::build(&campaigns, &barred, &zones);
        let ranks = (0u32..)
            .map(Rank)
            .zip(&campaigns)
            .map(|(rank, campaign)| (campaign.key, rank))
            .collect();
        let offers = offered
            .into_iter()
            .zip(barred)
            .map(|((campaign, admitted), barred)| Offer {
                barred,
                zone: zone_of(&campaign).and_then(|zone| zones.place(zone)),
                campaign,
                slot: admitted.slot,
                value: admitted.value,
                click_rates: admitted.click_rates,
            })
            .collect();
        Self {
            offers,
            ranks,
            others,
            zones,
            index,
            own_segments: Arc::default(),
        }
    }

    /// The same with our own lists of people.
    #[must_use]
    pub fn with_segments(mut self, own: &Arc<OwnSegments>) -> Self {
        self.own_segments = Arc::clone(own);
        self
    }

    /// The segments of our own that a user is in, whom consent allows us to know.
    pub fn own_segments(&self, user: Option<UserKey>) -> &[SegmentKey] {
        user.map(|user| self.own_segments.of(user))
            .unwrap_or_default()
    }

    /// The campaigns that want what the query says, best first, found as they are asked for.
    pub fn search(&self, query: &Query<'_>) -> Candidates<'_> {
        let mut found = Candidates::default();
        self.search_into(query, &mut found);
        found
    }

    /// The same for the bid path, which has no time to copy the three kilobytes of a search.
    pub fn search_into<'c>(&'c self, query: &Query<'_>, found: &mut Candidates<'c>) {
        self.index.search_into(query, found);
    }

    /// Whether any campaign may bid on this deal of an exchange.
    pub fn knows_deal(&self, exchange: ExchangeKey, id: &str) -> bool {
        self.index.knows_deal(exchange, id)
    }

    /// The campaign of this rank; `None` for a rank of another catalogue.
    pub fn offer(&self, rank: Rank) -> Option<&Offer> {
        self.offers.get(rank.0 as usize)
    }

    /// Whether the campaign is in flight and in its hours. The index knows neither exactly.
    pub fn is_on(&self, offer: &Offer, now: UnixMillis) -> bool {
        offer.campaign.is_in_flight(now) && self.is_in_hours(offer, now)
    }

    /// Whether it is one of the campaign's hours.
    fn is_in_hours(&self, offer: &Offer, now: UnixMillis) -> bool {
        let hour = self.hour(offer, now);
        hour.is_none_or(|hour| offer.campaign.targeting.hours.contains(hour))
    }

    /// The hour of the week where the campaign's hours are counted; `None` where it has none that matter.
    pub fn hour(&self, offer: &Offer, now: UnixMillis) -> Option<HourOfWeek> {
        self.zones.hour(offer.zone?, now)
    }

    /// How many campaigns, from the best, may be worth at least this much in US dollars.
    pub fn worth(&self, value: Cpm) -> usize {
        self.offers.partition_point(|offer| offer.value >= value)
    }

    /// How many campaigns may be offered.
    pub fn len(&self) -> usize {
        self.offers.len()
    }

    /// Whether there is nothing to offer.
    pub fn is_empty(&self) -> bool {
        self.offers.is_empty()
    }

    /// Those that may be offered, best first.
    pub fn offers(&self) -> &[Offer] {
        &self.offers
    }

    /// The same, each with its rank.
    pub fn ranked(&self) -> impl Iterator<Item = (Rank, &Offer)> {
        (0u32..).map(Rank).zip(&self.offers)
    }

    /// Any campaign that was given, offered or not: a click may come when its campaign has ended.
    pub fn campaign(&self, key: CampaignKey) -> Option<&Arc<Campaign>> {
        let offered = self.ranks.get(&key).and_then(|rank| self.offer(*rank));
        offered
            .map(|offer| &offer.campaign)
            .or_else(|| self.others.get(&key).map(|(campaign, _)| campaign))
    }

    /// Campaigns that were given and are not offered, and why.
    pub fn others(&self) -> impl Iterator<Item = (&Campaign, &WhyLeftOut)> {
        self.others
            .values()
            .map(|(campaign, why)| (&**campaign, why))
    }

    /// Any creative of any campaign that was given.
    pub fn creative(&self, campaign: CampaignKey, creative: CreativeKey) -> Option<&Creative> {
        self.campaign(campaign)?
            .creatives
            .iter()
            .find(|it| it.key == creative)
    }

    /// Bytes that the index takes, apart from names.
    pub fn index_bytes(&self) -> usize {
        self.index.bytes()
    }
}

impl Offer {
    /// How often the creative at this place is clicked; `None` where the campaign does not buy clicks.
    pub fn click_rate(&self, creative: usize) -> Option<ClickRate> {
        self.click_rates.get(creative).copied()
    }

    /// Which of its creatives an exchange does not run.
    pub fn barred_on(&self, exchange: ExchangeKey) -> Barred {
        let found = self.barred.iter().find(|(judge, _)| *judge == exchange);
        found.map_or_else(Barred::default, |(_, barred)| *barred)
    }
}

impl Rank {
    /// The rank as a number; 0 is worth most.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Exchanges that do not run some of a campaign's creatives.
fn barred(
    campaign: &Campaign,
    approvals: &Approvals,
    judging: &[ExchangeKey],
) -> Box<[(ExchangeKey, Barred)]> {
    let all = judging
        .iter()
        .map(|exchange| (*exchange, approvals.barred(campaign, *exchange)));
    all.filter(|(_, barred)| !barred.is_empty()).collect()
}

/// The zone that decides when a campaign is on and what it is worth then; `None` if all hours are the same to it.
fn zone_of(campaign: &Campaign) -> Option<&TimeZone> {
    let mut multipliers = campaign.multipliers.iter();
    let has_hours = campaign.targeting.hours != HoursOfWeek::ALL
        || multipliers.any(|multiplier| multiplier.when.hours.is_some());
    has_hours.then_some(&campaign.time_zone)
}

/// What a campaign that may be offered is offered with.
struct Admitted {
    slot: CampaignSlot,
    value: Cpm,
    click_rates: Box<[ClickRate]>,
}

fn admit(
    campaign: &Campaign,
    slots: &SlotTable,
    terms: Terms<'_>,
    now: UnixMillis,
) -> Result<Admitted, WhyLeftOut> {
    if !campaign.active {
        return Err(WhyLeftOut::Inactive);
    }
    if campaign.ends_at.is_some_and(|end| end <= now) {
        return Err(WhyLeftOut::Ended);
    }
    if let Some(fault) = campaign.faults().into_iter().next() {
        return Err(fault.into());
    }
    let rate = terms
        .rates
        .in_dollars(campaign.currency)
        .ok_or(WhyLeftOut::NoRate)?;
    let click_rates: Box<[ClickRate]> = match campaign.goal {
        Goal::Cpm(_) => Box::default(),
        Goal::Cpc(_) => {
            let creatives = campaign.creatives.iter();
            creatives.map(|it| terms.clicks.rate(it)).collect()
        }
    };
    let value = campaign.worth_at_most(&click_rates).convert(rate);
    Ok(Admitted {
        slot: slots.slot(campaign.key).ok_or(WhyLeftOut::NoSlot)?,
        value: value.ok_or(CampaignFault::Price)?,
        click_rates,
    })
}

/// Ranks fit in 32 bits, since every offered campaign has a slot.
const _: () = assert!(SLOTS_MAX <= u32::MAX as usize);
