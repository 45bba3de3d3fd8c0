//! What each campaign, and each advertiser, has spent, as JSON. Amounts are nanos (billionths of a currency unit), exact.
//!
//! The journal's thread only copies numbers, some thousands of campaigns at a time; the page is made of them elsewhere.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::campaign::campaign_server::budget_of;
use crate::campaign::{Advertiser, Campaign, Catalogue};
use crate::store::books::{Account, Books, Day, SharedAccount};
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

/// The numbers of all campaigns of an advertiser that count in its budget.
#[derive(Clone, Debug, Default)]
pub(super) struct SharedFigures {
    billed: Nanos,
    billed_today: Nanos,
    committed: Nanos,
    committed_today: Nanos,
    late: Nanos,
}

/// The advertisers of these campaigns, by their ids.
pub(super) fn advertisers(campaigns: &[Arc<Campaign>]) -> Vec<Arc<Advertiser>> {
    let all = campaigns.iter().map(|campaign| &campaign.advertiser);
    let by_id: BTreeMap<_, _> = all.map(|it| (&it.id, it)).collect();
    by_id.into_values().cloned().collect()
}

/// The numbers of these advertisers, in their order.
pub(super) fn shared_figures(
    books: &Books,
    advertisers: &[Arc<Advertiser>],
    now: UnixMillis,
) -> Vec<SharedFigures> {
    let of = |advertiser: &Arc<Advertiser>| {
        let today = advertiser.budget.day_at(now);
        let figures = |account: &SharedAccount| SharedFigures {
            billed: account.spent(),
            billed_today: account.spent_on(today),
            committed: account.committed(),
            committed_today: account.committed_on(today),
            late: account.late(),
        };
        books
            .shared(advertiser.key)
            .map(figures)
            .unwrap_or_default()
    };
    advertisers.iter().map(of).collect()
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

/// One object for each campaign of the configuration, and for each advertiser of one, in the order of their ids.
pub(super) fn page(
    (campaigns, figures): (&[Arc<Campaign>], &[Figures]),
    (advertisers, shared): (&[Arc<Advertiser>], &[SharedFigures]),
    catalogue: &Catalogue,
) -> Value {
    let offers = catalogue.offers().iter();
    let offered: HashSet<CampaignKey> = offers.map(|offer| offer.campaign.key).collect();
    let rows = campaigns.iter().zip(figures);
    let rows =
        rows.map(|(campaign, figures)| row(campaign, figures, offered.contains(&campaign.key)));
    let shared = advertisers.iter().zip(shared);
    let shared = shared.map(|(advertiser, figures)| shared_row(advertiser, figures));
    json!({
        "campaigns": rows.collect::<Vec<_>>(),
        "advertisers": shared.collect::<Vec<_>>(),
    })
}

fn shared_row(advertiser: &Advertiser, figures: &SharedFigures) -> Value {
    let budget = &advertiser.budget;
    json!({
        "id": *advertiser.id,
        "currency": advertiser.currency.to_string(),
        "budget_daily_nanos": budget.daily.map(Nanos::get),
        "budget_total_nanos": budget.total.map(Nanos::get),
        "billed_nanos": figures.billed.get(),
        "billed_today_nanos": figures.billed_today.get(),
        "committed_nanos": figures.committed.get(),
        "committed_today_nanos": figures.committed_today.get(),
        "late_nanos": figures.late.get(),
    })
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
