//! What the books say was spent, for pacers that begin.

use std::collections::HashMap;
use std::sync::Arc;

use super::sharers::shares_budget;
use crate::campaign::Campaign;
use crate::campaign::campaign_server::budget_of;
use crate::store::books::{Books, Day};
use crate::units::{AdvertiserKey, BudgetDay, CampaignKey, Nanos, UnixMillis};

/// What each campaign has spent in its life and on its present day.
pub(super) fn spends(
    books: &Books,
    campaigns: &[Arc<Campaign>],
    wall: UnixMillis,
) -> Vec<(CampaignKey, (Nanos, Nanos))> {
    let mut spends = Vec::new();
    for campaign in campaigns {
        let Some((account, budget)) = books.account(campaign.key).zip(budget_of(campaign).ok())
        else {
            continue;
        };
        let today: BudgetDay = budget.day_at(wall);
        let billed = account.day(today).map_or(Nanos::ZERO, Day::billed);
        spends.push((campaign.key, (account.spent(), billed)));
    }
    spends
}

/// What was spent of each limited budget that campaigns share, in all and on its present day.
pub(super) fn shared_spends(
    books: &Books,
    campaigns: &[Arc<Campaign>],
    wall: UnixMillis,
) -> HashMap<AdvertiserKey, (Nanos, Nanos)> {
    let mut spends = HashMap::new();
    for campaign in campaigns.iter().filter(|campaign| shares_budget(campaign)) {
        let advertiser = &campaign.advertiser;
        spends.entry(advertiser.key).or_insert_with(|| {
            let today = advertiser.budget.day_at(wall);
            books
                .shared(advertiser.key)
                .map_or((Nanos::ZERO, Nanos::ZERO), |account| {
                    (account.spent(), account.spent_on(today))
                })
        });
    }
    spends
}
