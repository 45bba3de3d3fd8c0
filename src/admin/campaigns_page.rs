//! What each campaign has spent, as JSON. Amounts are nanos (billionths of a currency unit), exact.
//!
//! The journal's thread only copies numbers, some thousands of campaigns at a time; the page is made of them elsewhere.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::campaign::campaign_server::budget_of;
use crate::campaign::{Campaign, Catalogue};
use crate::store::books::{Account, Books, Day};
use crate::units::{CampaignKey, Currency, Nanos, UnixMillis};

/// Campaigns looked at in one go: a millisecond of the journal's thread.
pub(super) const ROWS_AT_ONCE: usize = 2_000;

/// A campaign's numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    billed: Nanos,
    billed_today: Nanos,
    committed: Nanos,
    committed_today: Nanos,
    late: Nanos,
    costs: BTreeMap<Currency, Nanos>,
    wins: u64,
    impressions: u64,
    open_leases: usize,
}

/// The numbers of these campaigns, in their order.
pub(super) fn figures(books: &Books, campaigns: &[Arc<Campaign>], now: UnixMillis) -> Vec<Figures> {
    let of = |campaign: &Arc<Campaign>| {
        let account = books.account(campaign.key);
        account.map_or_else(Figures::default, |account| {
            figures_of(account, campaign, now)
        })
    };
    campaigns.iter().map(of).collect()
}

fn figures_of(account: &Account, campaign: &Campaign, now: UnixMillis) -> Figures {
    let budget = budget_of(campaign).ok();
    let today = budget.and_then(|budget| account.day(budget.day_at(now)));
    let mut costs: BTreeMap<Currency, Nanos> = BTreeMap::new();
    for (currency, cost) in account.days().flat_map(|(_, day)| day.costs()) {
        let sum = costs.entry(currency).or_default();
        *sum = sum.saturating_add(cost);
    }
    Figures {
        billed: account.spent(),
        billed_today: today.map_or(Nanos::ZERO, Day::billed),
        committed: account.committed(),
        committed_today: today.map_or(Nanos::ZERO, Day::committed),
        late: account.late(),
        costs,
        wins: account.wins(),
        impressions: account.impressions(),
        open_leases: account.open_leases(),
    }
}

/// One object a campaign of the configuration, in the order of their ids.
pub(super) fn page(
    campaigns: &[Arc<Campaign>],
    figures: &[Figures],
    catalogue: &Catalogue,
) -> Value {
    let offers = catalogue.offers().iter();
    let offered: HashSet<CampaignKey> = offers.map(|offer| offer.campaign.key).collect();
    let rows = campaigns.iter().zip(figures);
    let rows =
        rows.map(|(campaign, figures)| row(campaign, figures, offered.contains(&campaign.key)));
    json!({ "campaigns": rows.collect::<Vec<_>>() })
}

fn row(campaign: &Campaign, figures: &Figures, offered: bool) -> Value {
    let costs = figures.costs.iter();
    let costs: BTreeMap<String, i64> = costs
        .map(|(currency, cost)| (currency.to_string(), cost.get()))
        .collect();
    json!({
        "id": *campaign.id,
        "advertiser": *campaign.advertiser.id,
        "active": campaign.active,
        "offered": offered,
        "currency": campaign.currency.to_string(),
        "budget_daily_nanos": campaign.budget_daily.get(),
        "billed_nanos": figures.billed.get(),
        "billed_today_nanos": figures.billed_today.get(),
        "committed_nanos": figures.committed.get(),
        "committed_today_nanos": figures.committed_today.get(),
        "late_nanos": figures.late.get(),
        "cost_nanos": costs,
        "wins": figures.wins,
        "impressions": figures.impressions,
        "open_leases": figures.open_leases,
    })
}
