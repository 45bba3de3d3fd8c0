//! What is told of each campaign: chosen, lost to another, or the first reason that it did not bid, with its price path.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::Wanted;
use crate::bidding::{CANDIDATES_MAX, Choice, Context, PassReason, Priced, Quote, Told, Tried};
use crate::campaign::{Campaign, Catalogue, Exclusion, Factor, Offer, Rank};
use crate::exchange::region_desk::Cover;
use crate::units::{Cpm, Currency};

pub(super) type Verdict = Told<Cover>;

/// What is told of an impression's campaigns.
pub(super) struct Page {
    pub(super) counts: Counts,
    pub(super) unlisted: usize,
    pub(super) campaigns: Vec<ToldCampaign>,
}

/// How many campaigns end how, the most frequent first.
#[derive(Debug, Default)]
pub struct Counts(BTreeMap<String, usize>);

/// One campaign.
#[derive(Debug, Serialize)]
pub struct ToldCampaign {
    campaign: String,
    /// `chosen`, `lost`, `pass` or `not_offered`.
    outcome: &'static str,
    /// As metrics count it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// What of its targeting excludes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    targeting: Option<&'static str>,
    /// Why it is not offered, or not looked at, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// The campaign that was chosen before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    lost_to: Option<String>,
    /// Its place in the order of worth, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    rank: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    creative: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<PricePath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Money>,
}

/// From what a campaign pays to what is bid and charged, step by step; each a CPM but the last.
#[derive(Debug, Serialize)]
struct PricePath {
    /// What the campaign pays before multipliers, here or on the deal, in its own currency; where it buys clicks, what one
    /// costs times the click rate, less the margin.
    campaign: String,
    /// How often the creative is clicked, where clicks are bought.
    #[serde(skip_serializing_if = "Option::is_none")]
    click_rate: Option<String>,
    /// The multipliers that apply, by their numbers in its file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    multipliers: Vec<Step>,
    /// Their product.
    #[serde(skip_serializing_if = "Option::is_none")]
    factor: Option<String>,
    /// The campaign's highest price, where that is what counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    held_at_max_cpm: Option<String>,
    /// What that comes to in the currency of our bids.
    most: String,
    /// What it must at least be.
    floor: String,
    /// What no bid is above.
    #[serde(skip_serializing_if = "Option::is_none")]
    ceiling: Option<String>,
    /// What is bid.
    bid: String,
    /// What the advertiser pays for one impression at that price, with the margin.
    #[serde(skip_serializing_if = "Option::is_none")]
    charge: Option<String>,
    /// What of the media cost it pays on top, as its file says it.
    margin_percent: String,
}

/// A multiplier that applies.
#[derive(Debug, Serialize)]
struct Step {
    /// 1 is the first.
    number: usize,
    by: String,
}

/// What its region says.
#[derive(Debug, Serialize)]
struct Money {
    /// What part of such opportunities pacing takes; those on guaranteed deals are all taken.
    pacing_takes: f64,
    /// What its lease has left.
    lease_left: String,
}

impl Page {
    /// What was counted and listed so far, and more of it: counted all, listed while there is room.
    fn new(
        (mut counts, mut campaigns): (Counts, Vec<ToldCampaign>),
        more: impl Iterator<Item = ToldCampaign>,
        wanted: &Wanted,
    ) -> Self {
        for told in more {
            counts.add(&told);
            if campaigns.len() < wanted.limit {
                campaigns.push(told);
            }
        }
        let all: usize = counts.0.values().sum();
        Self {
            unlisted: all.saturating_sub(campaigns.len()),
            counts,
            campaigns,
        }
    }
}

impl Counts {
    fn add(&mut self, told: &ToldCampaign) {
        let reason = told.reason.unwrap_or(told.outcome);
        let name = match told.targeting {
            Some(targeting) => format!("{reason}/{targeting}"),
            None => reason.to_owned(),
        };
        *self.0.entry(name).or_default() += 1;
    }
}

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows: Vec<_> = self.0.iter().collect();
        rows.sort_by_key(|(_, count)| Reverse(**count));
        serializer.collect_map(rows)
    }
}

/// Counts what is told of campaigns, and lists as many as are wanted: what is chosen first, then what came furthest.
pub(super) fn page(
    verdicts: &[(Rank, Verdict)],
    (context, catalogue): (&Context<'_>, &Catalogue),
    chosen: &[Choice<Cover>],
    wanted: &Wanted,
) -> Page {
    let mut counts = Counts::default();
    let mut order = Vec::with_capacity(verdicts.len());
    for (number, (rank, verdict)) in verdicts.iter().enumerate() {
        if let Some(offer) = catalogue.offer(*rank) {
            let told = one((*rank, offer), verdict, (context, catalogue), chosen);
            counts.add(&told);
            let is_chosen = told.outcome == "chosen";
            order.push((
                Reverse(is_chosen),
                Reverse(furthest(verdict)),
                *rank,
                number,
            ));
        }
    }
    order.sort_unstable();
    let first = order.into_iter().take(wanted.limit);
    let listed = first.filter_map(|(.., rank, number)| {
        let (_, verdict) = verdicts.get(number)?;
        let offer = catalogue.offer(rank)?;
        Some(one((rank, offer), verdict, (context, catalogue), chosen))
    });
    let campaigns: Vec<ToldCampaign> = listed.collect();
    Page::new((counts, campaigns), not_offered(catalogue, wanted), wanted)
}

/// The same of an impression that nobody may bid for: all that are offered end the same way.
pub(super) fn refused_page(reason: PassReason, catalogue: &Catalogue, wanted: &Wanted) -> Page {
    let offered = catalogue.ranked();
    let offered = offered.filter(|(_, offer)| wanted.names(offer.campaign.key));
    let offered = offered.map(|(rank, offer)| ToldCampaign {
        rank: Some(rank.index()),
        reason: Some(reason.label()),
        ..ToldCampaign::of(&offer.campaign, "pass")
    });
    let all = offered.chain(not_offered(catalogue, wanted));
    Page::new((Counts::default(), Vec::new()), all, wanted)
}

/// What is known and not offered, and wanted.
fn not_offered<'p>(
    catalogue: &'p Catalogue,
    wanted: &'p Wanted,
) -> impl Iterator<Item = ToldCampaign> + 'p {
    let others = catalogue.others();
    let others = others.filter(|(campaign, _)| wanted.names(campaign.key));
    others.map(|(campaign, why)| ToldCampaign {
        why: Some(why.to_string()),
        ..ToldCampaign::of(campaign, "not_offered")
    })
}

/// Those that would bid came further than any reason.
fn furthest(verdict: &Verdict) -> (bool, Option<PassReason>) {
    let reason = verdict.reason();
    (reason.is_none(), reason)
}

fn one(
    (rank, offer): (Rank, &Offer),
    verdict: &Verdict,
    (context, catalogue): (&Context<'_>, &Catalogue),
    chosen: &[Choice<Cover>],
) -> ToldCampaign {
    let campaign = &*offer.campaign;
    let choice = chosen.iter().find(|choice| choice.campaign == campaign.key);
    if let Some(choice) = choice {
        return ToldCampaign {
            rank: Some(rank.index()),
            ..chosen_one(choice, (campaign, context))
        };
    }
    let mut told = ToldCampaign::of(campaign, "pass");
    told.rank = Some(rank.index());
    told.targeting = verdict.exclusion.map(Exclusion::label);
    told.reason = verdict.reason().map(PassReason::label);
    if told.reason.is_none() {
        told.outcome = "lost";
        told.lost_to = lost_to(campaign, catalogue, chosen);
        if told.lost_to.is_none() {
            told.why = Some(format!(
                "it stands behind the {CANDIDATES_MAX} candidates that are looked at"
            ));
        }
    }
    match verdict.best() {
        Some(tried) => of_way(told, tried, (campaign, context)),
        None => told,
    }
}

/// An advertiser's own bid, where it has one: it bids once for an impression. Else the last that there was room for.
fn lost_to(campaign: &Campaign, catalogue: &Catalogue, chosen: &[Choice<Cover>]) -> Option<String> {
    let mut all = chosen.iter();
    let own = all.find(|choice| choice.advertiser == campaign.advertiser.key);
    let winner = catalogue.offer(own.or(chosen.last())?.rank)?;
    Some(winner.campaign.id.to_string())
}

/// What is told of what was chosen: its own price path, since in a dynamic pod what is bid second depends on what was bid
/// first.
fn chosen_one(
    choice: &Choice<Cover>,
    (campaign, context): (&Campaign, &Context<'_>),
) -> ToldCampaign {
    let price = path((&choice.priced, Some(&choice.quote)), (campaign, context));
    ToldCampaign {
        deal: choice.deal.as_deref().map(str::to_owned),
        creative: creative(campaign, choice.priced.creative),
        price: Some(price),
        region: choice.hold.as_ref().map(|cover| money(cover, campaign)),
        ..ToldCampaign::of(campaign, "chosen")
    }
}

fn money(cover: &Cover, campaign: &Campaign) -> Money {
    Money {
        pacing_takes: cover.share,
        lease_left: format!("{} {}", cover.free, campaign.currency),
    }
}

fn of_way(
    told: ToldCampaign,
    tried: &Tried<Cover>,
    (campaign, context): (&Campaign, &Context<'_>),
) -> ToldCampaign {
    let cover = tried.outcome.as_ref().ok().and_then(Option::as_ref);
    let priced = tried.priced.as_ref();
    ToldCampaign {
        deal: tried.deal.as_deref().map(str::to_owned),
        creative: priced.and_then(|priced| creative(campaign, priced.creative)),
        price: priced.map(|priced| path((priced, tried.quote.as_ref()), (campaign, context))),
        region: cover.map(|cover| money(cover, campaign)),
        ..told
    }
}

fn path(
    (priced, quote): (&Priced, Option<&Quote>),
    (campaign, context): (&Campaign, &Context<'_>),
) -> PricePath {
    let worth = &priced.worth;
    let own = |price: Cpm| amount(price, campaign.currency);
    let numbered = (1..).zip(&campaign.multipliers).enumerate();
    let multipliers = numbered
        .filter(|(place, _)| worth.applied.contains(*place))
        .map(|(_, (number, multiplier))| Step {
            number,
            by: multiplier.factor().to_string(),
        });
    let ours = |price: Cpm| amount(price, context.currency);
    PricePath {
        campaign: own(worth.base),
        click_rate: worth.click_rate.map(|rate| rate.to_string()),
        multipliers: multipliers.collect(),
        factor: (worth.factor != Factor::ONE).then(|| worth.factor.to_string()),
        held_at_max_cpm: worth.capped_at.map(own),
        most: ours(priced.most),
        floor: ours(priced.floor),
        ceiling: context.place.ceiling.map(|it| amount(it, Currency::USD)),
        bid: ours(priced.price),
        charge: quote.map(|quote| format!("{} {}", quote.charge, campaign.currency)),
        margin_percent: percent(campaign.margin_per_mille),
    }
}

/// Thousandths as so many per cent: `12.5`.
fn percent(per_mille: u32) -> String {
    match per_mille % 10 {
        0 => (per_mille / 10).to_string(),
        tenth => format!("{}.{tenth}", per_mille / 10),
    }
}

fn amount(price: Cpm, currency: Currency) -> String {
    format!("{price} {currency}")
}

fn creative(campaign: &Campaign, place: usize) -> Option<String> {
    let creative = campaign.creatives.get(place)?;
    Some(creative.id.to_string())
}

impl ToldCampaign {
    fn of(campaign: &Campaign, outcome: &'static str) -> Self {
        Self {
            campaign: campaign.id.to_string(),
            outcome,
            reason: None,
            targeting: None,
            why: None,
            lost_to: None,
            rank: None,
            deal: None,
            creative: None,
            price: None,
            region: None,
        }
    }
}
