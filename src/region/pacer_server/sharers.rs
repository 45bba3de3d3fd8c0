//! What campaigns of one advertiser share: who counts in it, and the share that it leaves them.

use super::PacerServer;
use crate::campaign::{Campaign, Offer};
use crate::region::pacing::{Member, SharedPacer};
use crate::units::{AdvertiserKey, Nanos, UnixMillis};

/// Whether what a campaign spends is limited together with others.
pub(super) fn shares_budget(campaign: &Campaign) -> bool {
    let advertiser = &campaign.advertiser;
    advertiser.budget.is_limited() && campaign.currency == advertiser.currency
}

impl PacerServer {
    /// Publishes the shares of campaigns that share a budget: their own, and none above what that leaves.
    pub(super) fn share(
        &mut self,
        advertiser: AdvertiserKey,
        sharers: &[(&Offer, Member)],
        wall: UnixMillis,
    ) {
        let Some((first, _)) = sharers.first() else {
            return;
        };
        let budget = &first.campaign.advertiser.budget;
        let campaigns = &self.campaigns;
        let budgets = || {
            let spread = sharers.iter().filter(|(_, member)| member.is_spread);
            spread.filter_map(|(offer, _)| {
                let paced = campaigns.get(&offer.campaign.key)?;
                paced.budget.as_ref()
            })
        };
        let mut members: Vec<Member> = sharers.iter().map(|(_, member)| *member).collect();
        let fresh = || SharedPacer::new(Nanos::ZERO, Nanos::ZERO, wall);
        let pacer = self.shared.entry(advertiser).or_insert_with(fresh);
        let most = pacer.step(budget, budgets, wall, &mut members);
        for (offer, member) in sharers {
            let mut share = member.share;
            if member.is_spread
                && let Some(paced) = self.campaigns.get_mut(&offer.campaign.key)
            {
                share = paced.pacer.hold(most);
            }
            let campaign = &offer.campaign;
            if campaign.regions.includes(&self.parts.region) {
                self.shares.publish(offer.slot, share);
            }
        }
    }
}
