//! What each campaign has spent, as JSON. Amounts are nanos (billionths of a currency unit), exact.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::campaign::campaign_server::budget_of;
use crate::campaign::{Campaign, Catalogue};
use crate::store::books::{Account, Books};
use crate::units::{CampaignKey, UnixMillis};

/// One object a campaign of the configuration, in the order of their ids.
pub(super) fn page(
    books: &Books,
    campaigns: &[Arc<Campaign>],
    catalogue: &Catalogue,
    now: UnixMillis,
) -> Value {
    let offered: HashSet<CampaignKey> = catalogue
        .offers()
        .iter()
        .map(|offer| offer.campaign.key)
        .collect();
    let rows = campaigns.iter().map(|campaign| {
        let account = books.account(campaign.key);
        row(campaign, account, offered.contains(&campaign.key), now)
    });
    json!({ "campaigns": rows.collect::<Vec<_>>() })
}

fn row(campaign: &Campaign, account: Option<&Account>, offered: bool, now: UnixMillis) -> Value {
    let today = budget_of(campaign)
        .ok()
        .and_then(|budget| account?.day(budget.day_at(now)));
    let nanos = |amount: Option<crate::units::Nanos>| amount.map_or(0, crate::units::Nanos::get);
    let mut costs: BTreeMap<String, i64> = BTreeMap::new();
    for (_, day) in account.into_iter().flat_map(Account::days) {
        for (currency, cost) in day.costs() {
            *costs.entry(currency.to_string()).or_default() += cost.get();
        }
    }
    json!({
        "id": *campaign.id,
        "advertiser": *campaign.advertiser.id,
        "active": campaign.active,
        "offered": offered,
        "currency": campaign.currency.to_string(),
        "budget_daily_nanos": campaign.budget_daily.get(),
        "billed_nanos": nanos(account.map(Account::spent)),
        "billed_today_nanos": nanos(today.map(crate::store::books::Day::billed)),
        "committed_today_nanos": nanos(today.map(crate::store::books::Day::committed)),
        "committed_nanos": nanos(account.map(Account::committed)),
        "late_nanos": nanos(account.map(Account::late)),
        "billed_cost_nanos": costs.values().sum::<i64>(),
        "cost_nanos": costs,
        "wins": account.map_or(0, Account::wins),
        "impressions": account.map_or(0, Account::impressions),
        "open_leases": account.map_or(0, Account::open_leases),
    })
}
