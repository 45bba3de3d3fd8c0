//! Leases: taken from campaigns ahead of the first bid, asked for when they run low, renewed, and ended.

use std::sync::Arc;
use std::time::Duration;

use super::{LedgerMessage, LedgerServer};
use crate::campaign::budget::LEASE_TTL;
use crate::campaign::campaign_server::{CampaignMessage, LeaseWish, Leased, NoLease};
use crate::region::till::Grant;
use crate::store::journal_server::{follow, pass_on};
use crate::supervision::{Context, Plane};
use crate::units::{CampaignKey, CampaignSlot, Epoch, LedgerTime};

/// Leases asked for in one look, so that a region that starts does not flood campaigns and journal.
pub(super) const ASKS_MAX: usize = 256;
/// Leases taken before anybody asks, when a region starts: enough that the first requests of a usual catalogue find
/// money. Campaigns beyond that are leased when they are first wanted.
const LEASED_AHEAD_MAX: usize = 1_000;
/// How long a campaign may take to answer; it asks the journal, which takes milliseconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// After a refusal, a campaign is left alone this long: its budget does not come back sooner.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// Who is in a slot.
pub(super) struct Tenant {
    pub(super) campaign: CampaignKey,
    pub(super) open: Option<(Epoch, LedgerTime)>,
    asked: bool,
    not_before: LedgerTime,
}

impl LedgerServer {
    /// Follows the journal, and takes leases. One that is down is an expected state, not a crash: every look tries again.
    /// Not before the mailbox is there: bills that find none would be lost.
    pub(super) async fn follow(&mut self, context: &Context) {
        let Some(own) = self.parts.address.whereis() else {
            return;
        };
        let followed = follow(&self.parts.journal, Some(self.parts.region), |_| ()).await;
        if let Ok(((), feed)) = followed {
            let (booked, ended) = (LedgerMessage::Booked, || LedgerMessage::FeedEnded);
            pass_on(context, feed, own, booked, ended);
            self.follows = true;
            self.ask_ahead(context);
        }
    }

    /// Ends every lease: a bill that was missed would be spent again from it.
    pub(super) fn lose_feed(&mut self) {
        self.follows = false;
        for (slot, tenant) in &mut self.tenants {
            self.till.seal(*slot);
            tenant.open = None;
        }
    }

    fn ask_ahead(&mut self, context: &Context) {
        let catalogue = self.parts.shelf.current();
        let slots: Vec<_> = catalogue
            .offers()
            .iter()
            .filter(|offer| offer.campaign.regions.includes(&self.parts.region))
            .map(|offer| (offer.slot, offer.campaign.key))
            .take(LEASED_AHEAD_MAX)
            .collect();
        for (slot, campaign) in slots {
            self.ask(slot, campaign, true, context);
        }
    }

    /// The campaign in a slot, by the present catalogue.
    pub(super) fn campaign_in(&mut self, slot: CampaignSlot) -> Option<CampaignKey> {
        let catalogue = self.parts.shelf.current();
        if self
            .seen
            .as_ref()
            .is_none_or(|seen| !Arc::ptr_eq(seen, &catalogue))
        {
            let offers = catalogue.offers().iter();
            self.offered = offers
                .map(|offer| (offer.slot, offer.campaign.key))
                .collect();
            self.seen = Some(catalogue);
        }
        self.offered.get(&slot).copied()
    }

    /// Asks the campaign in a slot for a lease, for more money, or for more time.
    pub(super) fn ask(
        &mut self,
        slot: CampaignSlot,
        campaign: CampaignKey,
        money: bool,
        context: &Context,
    ) {
        let now = self.clock.ledger();
        self.settle_in(slot, campaign, now);
        let Some(tenant) = self.tenants.get_mut(&slot) else {
            return;
        };
        if !self.follows || tenant.asked || now < tenant.not_before {
            return;
        }
        // An answer to a predecessor is none of ours: its leases are in doubt.
        let Some(own) = self.parts.address.whereis() else {
            return;
        };
        let Some(address) = self.parts.campaigns.find(campaign) else {
            return;
        };
        tenant.asked = true;
        let wish = LeaseWish {
            region: self.parts.region,
            held: tenant.open.map(|(epoch, _)| epoch),
            money,
        };
        context.spawn_on(Plane::Control, async move {
            let call = address.call(|reply| CampaignMessage::Lease(wish, reply));
            let leased = match tokio::time::timeout(ANSWER_WITHIN, call).await {
                Ok(Ok(leased)) => leased,
                Ok(Err(_)) | Err(_) => Err(NoLease::Store),
            };
            drop(
                own.send(LedgerMessage::Leased(slot, campaign, leased))
                    .await,
            );
        });
    }

    /// Makes sure that a slot's tenant is this campaign; a slot that changed hands starts anew.
    fn settle_in(&mut self, slot: CampaignSlot, campaign: CampaignKey, now: LedgerTime) {
        if let Some(former) = self
            .tenants
            .get(&slot)
            .filter(|tenant| tenant.campaign != campaign)
        {
            // It may have a new slot already: its bills are looked for there.
            if self.slots.get(&former.campaign) == Some(&slot) {
                self.slots.remove(&former.campaign);
            }
            self.tenants.remove(&slot);
            self.till.seal(slot);
            self.till.forget(slot);
        }
        self.slots.insert(campaign, slot);
        let tenant = Tenant {
            campaign,
            open: None,
            asked: false,
            not_before: now,
        };
        self.tenants.entry(slot).or_insert(tenant);
    }

    pub(super) fn leased(
        &mut self,
        slot: CampaignSlot,
        campaign: CampaignKey,
        leased: Result<Leased, NoLease>,
        context: &Context,
    ) {
        let now = self.clock.ledger();
        let Some(tenant) = self
            .tenants
            .get_mut(&slot)
            .filter(|tenant| tenant.campaign == campaign)
        else {
            return;
        };
        tenant.asked = false;
        match leased {
            // The campaign takes it back when it is not renewed.
            Ok(_) if !self.follows => {}
            Ok(leased) => {
                tenant.not_before = if leased.amount.is_positive() {
                    now
                } else {
                    now.plus(ASK_AGAIN_AFTER)
                };
                let grant = Grant {
                    epoch: leased.epoch,
                    day: leased.day,
                    amount: leased.amount,
                    expires_at: leased.expires_at,
                    low_water: leased.low_water,
                };
                let taken = if leased.amount.is_positive() {
                    self.till
                        .grant(slot, grant)
                        .map_err(|error| error.to_string())
                } else {
                    self.till
                        .extend(slot, leased.epoch, leased.expires_at)
                        .map_err(|error| error.to_string())
                };
                match taken {
                    Ok(()) => tenant.open = Some((leased.epoch, leased.expires_at)),
                    // The campaign takes it back when it is not renewed; asked again at once, it would give another.
                    Err(error) => {
                        tenant.not_before = now.plus(ASK_AGAIN_AFTER);
                        tracing::warn!(?slot, error, "a lease was not taken");
                    }
                }
            }
            Err(NoLease::Ended) => {
                self.till.seal(slot);
                tenant.open = None;
                self.ask(slot, campaign, true, context);
            }
            Err(NoLease::Inactive | NoLease::Exhausted | NoLease::Refused(_) | NoLease::Store) => {
                tenant.not_before = now.plus(ASK_AGAIN_AFTER);
            }
        }
    }

    pub(super) fn renew(&mut self, now: LedgerTime, context: &Context) {
        let half = LEASE_TTL / 2;
        let due: Vec<_> = self
            .tenants
            .iter()
            .filter(|(_, tenant)| {
                tenant
                    .open
                    .is_some_and(|(_, expires_at)| now.plus(half) >= expires_at)
            })
            .map(|(&slot, tenant)| (slot, tenant.campaign))
            .take(ASKS_MAX)
            .collect();
        for (slot, campaign) in due {
            self.ask(slot, campaign, false, context);
        }
    }

    /// Ends leases that nobody renewed in time: they are the campaign's again.
    pub(super) fn seal_expired(&mut self, now: LedgerTime) {
        let expired: Vec<_> = self.till.expired(now).collect();
        for slot in expired {
            self.till.seal(slot);
            if let Some(tenant) = self.tenants.get_mut(&slot) {
                tenant.open = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::campaign_server::Directory;
    use crate::campaign::fixture::shelf;
    use crate::chaos::FailPoints;
    use crate::clock::Clock;
    use crate::region::ledger::Ledger;
    use crate::region::ledger_server::{LedgerMeter, LedgerParts};
    use crate::supervision::{Address, Post, Stage};
    use crate::units::{RegionKey, UnixMillis};

    fn server() -> LedgerServer {
        let (clock, _) = Clock::manual(UnixMillis::new(1_790_000_000_000));
        let now = clock.ledger();
        let holds: Arc<[Duration]> = Arc::new([Duration::from_mins(5)]);
        let ledger = Arc::new(Ledger::new(4, &holds, now));
        let parts = LedgerParts {
            region: RegionKey::of("sg"),
            ledger: Stage::new(),
            address: Address::new(),
            meter: Arc::new(LedgerMeter::default()),
            frequency: Address::new(),
            journal: Post::new(),
            campaigns: Directory::default(),
            shelf: Arc::new(shelf(Vec::new())),
            holds,
            slots_max: 4,
            fail_point: FailPoints::default().point("ledger"),
        };
        LedgerServer::new(parts, ledger, clock)
    }

    #[test]
    fn who_moved_is_found_in_the_new_slot_also_when_the_old_one_is_let() {
        let mut server = server();
        let now = server.clock.ledger();
        let (shoes, hats) = (CampaignKey::of("shoes"), CampaignKey::of("hats"));
        let (old, new) = (CampaignSlot::new(0), CampaignSlot::new(1));
        server.settle_in(old, shoes, now);
        server.settle_in(new, shoes, now);
        server.settle_in(old, hats, now);
        assert_eq!(server.slots.get(&shoes), Some(&new), "its bills go there");
        assert_eq!(server.slots.get(&hats), Some(&old));
        server.settle_in(new, hats, now);
        assert_eq!(server.slots.get(&shoes), None);
    }
}
