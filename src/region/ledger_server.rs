//! A region's ledger at work: it takes leases from campaigns, hears of bills from the journal, and lets promises lapse.
//!
//! Data threads promise from the shared [`Ledger`]; everything else that moves money is a message here. Bills come from
//! the journal's feed and from nowhere else. When the feed breaks, bills may have been missed: every lease is sealed, and
//! new ones are taken once the journal is followed again. What that strands, or a crash, is returned by its campaign after
//! the longest hold.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::books::{Billed, Books, Grant};
use super::frequency_server::FrequencyMessage;
use super::lease::HoldClass;
use super::ledger::{Ledger, Promise};
use crate::campaign::budget::LEASE_TTL;
use crate::campaign::campaign_server::{CampaignMessage, Directory, LeaseWish, Leased, NoLease};
use crate::campaign::{Catalogue, Shelf};
use crate::chaos::FailPoint;
use crate::clock::Clock;
use crate::store::journal_server::{Booked, Journal, Promised, follow, pass_on};
use crate::store::movement::ImpressionKey;
use crate::supervision::{Address, Context, Failure, Plane, Reply, Server, Spec, Stage, server};
use crate::units::{
    AdvertiserKey, BudgetDay, CampaignKey, CampaignSlot, Epoch, LedgerTime, Nanos, RegionKey,
    UserKey,
};

/// Losses and leases that may wait. A few thousand losses a second come when half of all bids lose, and one is handled in
/// under a microsecond; a loss that finds no room lapses instead.
const MAILBOX: usize = 16_384;
/// How often lapses, wants and renewals are looked at: a lease is topped up this long after it ran low.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Every so many looks, leases are renewed, sealed and collected: each passes over all of them, and none is urgent, since
/// data threads stop using a lease by themselves.
const LEASES_EVERY: u32 = 20;
/// Leases asked for in one look, so that a region that starts does not flood campaigns and journal.
const ASKS_MAX: usize = 256;
/// Leases taken before anybody asks, when a region starts: enough that the first requests of a usual catalogue find
/// money. Campaigns beyond that are leased when they are first wanted.
const LEASED_AHEAD_MAX: usize = 1_000;
/// How long a campaign may take to answer; it asks the journal, which takes milliseconds.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// After a refusal, a campaign is left alone this long: its budget does not come back sooner.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(2);
/// Losses and bills remembered, so that a promise is given back or spent, once. Beyond it losses are left to lapse.
const SETTLED_MAX: usize = 500_000;

/// What a region's ledger is told.
pub enum LedgerMessage {
    /// The exchange says that a bid lost.
    Release(Release),
    /// A bill is durable.
    Booked(Booked),
    /// The journal cut this ledger off, or went down.
    FeedEnded,
    /// A campaign answered.
    Leased(CampaignSlot, CampaignKey, Result<Leased, NoLease>),
    /// How things stand, for the admin.
    Report(Reply<LedgerReport>),
}

/// A promise that a lost bid gives back.
#[derive(Clone, Copy, Debug)]
pub struct Release {
    /// Which impression; a loss told twice gives back once.
    pub key: ImpressionKey,
    /// Whose money.
    pub campaign: CampaignKey,
    /// Whose ad it was.
    pub advertiser: AdvertiserKey,
    /// Of which lease.
    pub epoch: Epoch,
    /// Of which day.
    pub day: BudgetDay,
    /// What was promised.
    pub promised: Promised,
    /// Who would have seen it, where that is counted.
    pub user: Option<UserKey>,
}

/// How a region's money stands.
#[derive(Clone, Copy, Debug, Default)]
pub struct LedgerReport {
    /// Money, all together.
    pub totals: super::books::Totals,
    /// Losses remembered.
    pub losses_remembered: usize,
    /// Bills that found their promise lapsed.
    pub late_bills: u64,
}

/// What a ledger shows to whoever reads metrics. Counts only: amounts of several currencies have no sum.
#[derive(Debug, Default)]
pub struct LedgerMeter {
    /// Leases that may be promised from.
    pub leases_open: AtomicU64,
    /// Bills that found their promise lapsed, since the process began.
    pub late_bills: AtomicU64,
    /// 1 while it hears of bills.
    pub follows: AtomicU64,
}

/// What a ledger's child is given.
#[derive(Clone)]
pub struct LedgerParts {
    /// The region.
    pub region: RegionKey,
    /// Where data threads find the ledger.
    pub ledger: Stage<Arc<Ledger>>,
    /// Where messages go.
    pub address: Address<LedgerMessage>,
    /// What it shows.
    pub meter: Arc<LedgerMeter>,
    /// Where lost views go.
    pub frequency: Address<FrequencyMessage>,
    /// The journal.
    pub journal: Journal,
    /// The campaigns' processes.
    pub campaigns: Directory,
    /// The catalogue.
    pub shelf: Arc<Shelf>,
    /// How long after a bid its bill may come, for each class of exchange.
    pub holds: Arc<[Duration]>,
    /// The most campaigns there may be.
    pub slots_max: usize,
    /// Where it may be made to fail.
    pub fail_point: FailPoint,
}

/// The ledger as a child.
pub fn ledger(parts: &LedgerParts) -> Spec {
    let parts = parts.clone();
    let address = parts.address.clone();
    server(
        "ledger",
        &address,
        Plane::Control,
        MAILBOX,
        move |context| {
            let parts = parts.clone();
            async move { Ok(LedgerServer::start(parts, &context)) }
        },
    )
}

struct LedgerServer {
    parts: LedgerParts,
    books: Books,
    clock: Clock,
    /// The campaign in each slot that was ever leased here.
    tenants: HashMap<CampaignSlot, Tenant>,
    slots: HashMap<CampaignKey, CampaignSlot>,
    /// The campaigns by slot of the catalogue that was seen last.
    offered: HashMap<CampaignSlot, CampaignKey>,
    seen: Option<Arc<Catalogue>>,
    released: HashSet<ImpressionKey>,
    released_before: HashSet<ImpressionKey>,
    /// Impressions that were billed: a loss that is told of one frees nothing.
    billed: HashSet<ImpressionKey>,
    billed_before: HashSet<ImpressionKey>,
    turned_at: LedgerTime,
    late_bills: u64,
    looks: u32,
    /// Whether it hears of bills. While it does not, it takes no lease.
    follows: bool,
}

struct Tenant {
    campaign: CampaignKey,
    open: Option<(Epoch, LedgerTime)>,
    asked: bool,
    not_before: LedgerTime,
}

impl LedgerServer {
    fn start(parts: LedgerParts, context: &Context) -> Self {
        let clock = context.clock().clone();
        let now = clock.ledger();
        let ledger = Arc::new(Ledger::new(parts.slots_max, &parts.holds, now));
        context.publish(&parts.ledger, Arc::clone(&ledger));
        Self {
            books: Books::new(ledger),
            clock,
            tenants: HashMap::new(),
            slots: HashMap::new(),
            offered: HashMap::new(),
            seen: None,
            released: HashSet::new(),
            released_before: HashSet::new(),
            billed: HashSet::new(),
            billed_before: HashSet::new(),
            turned_at: now,
            late_bills: 0,
            looks: 0,
            follows: false,
            parts,
        }
    }

    /// Follows the journal, and takes leases. One that is down is an expected state, not a crash: every look tries again.
    /// Not before the mailbox is there: bills that find none would be lost.
    async fn follow(&mut self, context: &Context) {
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
    fn lose_feed(&mut self) {
        self.follows = false;
        for (slot, tenant) in &mut self.tenants {
            self.books.seal(*slot);
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
    fn campaign_in(&mut self, slot: CampaignSlot) -> Option<CampaignKey> {
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
    fn ask(&mut self, slot: CampaignSlot, campaign: CampaignKey, money: bool, context: &Context) {
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
            self.slots.remove(&former.campaign);
            self.tenants.remove(&slot);
            self.books.seal(slot);
            self.books.forget(slot);
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

    fn leased(
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
                    self.books
                        .grant(slot, grant)
                        .map_err(|error| error.to_string())
                } else {
                    self.books
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
                self.books.seal(slot);
                tenant.open = None;
                self.ask(slot, campaign, true, context);
            }
            Err(NoLease::Inactive | NoLease::Exhausted | NoLease::Store) => {
                tenant.not_before = now.plus(ASK_AGAIN_AFTER);
            }
        }
    }

    fn booked(&mut self, booked: Booked) {
        let now = self.clock.ledger();
        let bill = booked.bill;
        // A campaign that this incarnation never leased from: its lease was an earlier one's, and the campaign settles it.
        let Some(&slot) = self.slots.get(&bill.lease.campaign) else {
            return;
        };
        let promise = promise(slot, bill.lease.epoch, bill.day, booked.promised);
        let outcome = if self.was_released(&bill.key) {
            self.books.bill_released(&promise, bill.charge)
        } else {
            self.books.bill(&promise, bill.charge, now)
        };
        if self.billed.len() < SETTLED_MAX {
            self.billed.insert(bill.key);
        }
        if let Ok(Billed::Late { .. }) = outcome {
            self.late_bills += 1;
            self.parts.meter.late_bills.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn release(&mut self, release: Release) {
        let Some(&slot) = self.slots.get(&release.campaign) else {
            return;
        };
        let was_settled = self.was_released(&release.key)
            || self.billed.contains(&release.key)
            || self.billed_before.contains(&release.key);
        // With either list full, what was settled is not known any more, and losses are left to lapse.
        let is_full = self.released.len().max(self.billed.len()) >= SETTLED_MAX;
        if was_settled || is_full {
            return;
        }
        let promise = promise(slot, release.epoch, release.day, release.promised);
        // A lease that is gone has nothing to give back: its campaign took all of it.
        if self.books.release(&promise).is_ok() {
            self.released.insert(release.key);
            if let Some(user) = release.user {
                // Lost in a full mailbox, the view stays counted until its hold has passed.
                drop(self.parts.frequency.cast(FrequencyMessage::Lost {
                    user,
                    campaign: release.campaign,
                    advertiser: release.advertiser,
                    hold_until: promise.expires_at,
                }));
            }
        }
    }

    fn was_released(&self, key: &ImpressionKey) -> bool {
        self.released.contains(key) || self.released_before.contains(key)
    }

    /// Forgets losses and bills after the longest hold, in two generations: then their promises have lapsed, and telling one again
    /// frees nothing.
    fn forget_old_settlements(&mut self, now: LedgerTime) {
        let longest = self.parts.holds.iter().max().copied().unwrap_or_default();
        // A promise lapses up to a 48th of its hold later than its hold.
        if now >= self.turned_at.plus(longest + longest / 16) {
            self.released_before = std::mem::take(&mut self.released);
            self.billed_before = std::mem::take(&mut self.billed);
            self.turned_at = now;
        }
    }

    fn renew(&mut self, now: LedgerTime, context: &Context) {
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
    fn seal_expired(&mut self, now: LedgerTime) {
        let expired: Vec<_> = self.books.expired(now).collect();
        for slot in expired {
            self.books.seal(slot);
            if let Some(tenant) = self.tenants.get_mut(&slot) {
                tenant.open = None;
            }
        }
    }
}

impl Server for LedgerServer {
    type Message = LedgerMessage;

    async fn handle_continue(&mut self, context: &Context) -> Result<(), Failure> {
        self.follow(context).await;
        Ok(())
    }

    async fn handle(&mut self, message: LedgerMessage, context: &Context) -> Result<(), Failure> {
        match message {
            LedgerMessage::Release(release) => self.release(release),
            LedgerMessage::Booked(booked) => self.booked(booked),
            LedgerMessage::FeedEnded => self.lose_feed(),
            LedgerMessage::Leased(slot, campaign, leased) => {
                self.leased(slot, campaign, leased, context);
            }
            LedgerMessage::Report(reply) => {
                let totals = self.books.totals();
                let losses_remembered = self.released.len() + self.released_before.len();
                reply.send(LedgerReport {
                    totals,
                    losses_remembered,
                    late_bills: self.late_bills,
                });
            }
        }
        Ok(())
    }

    fn tick_every(&self) -> Option<Duration> {
        Some(LOOK_EVERY)
    }

    async fn tick(&mut self, context: &Context) -> Result<(), Failure> {
        self.parts.fail_point.pass()?;
        if !self.follows {
            self.follow(context).await;
        }
        let now = self.clock.ledger();
        self.books.lapse(now);
        self.looks = self.looks.wrapping_add(1);
        if self.looks.is_multiple_of(LEASES_EVERY) {
            self.seal_expired(now);
            self.books.collect();
            self.renew(now, context);
            // Money that was made or lost is a bug: the region is rebuilt from what is durable.
            self.books.check()?;
            let open = self.tenants.values().filter(|tenant| tenant.open.is_some());
            let open = u64::try_from(open.count()).unwrap_or(u64::MAX);
            self.parts.meter.leases_open.store(open, Ordering::Relaxed);
            let follows = u64::from(self.follows);
            self.parts.meter.follows.store(follows, Ordering::Relaxed);
            self.forget_old_settlements(now);
        }
        for slot in self.books.wants(ASKS_MAX) {
            if let Some(campaign) = self.campaign_in(slot) {
                self.ask(slot, campaign, true, context);
            }
        }
        Ok(())
    }
}

impl LedgerReport {
    /// Money that may be promised.
    pub fn free(&self) -> Nanos {
        self.totals.balance.free
    }
}

fn promise(slot: CampaignSlot, epoch: Epoch, day: BudgetDay, promised: Promised) -> Promise {
    let hold = HoldClass::new(promised.hold);
    Promise {
        slot,
        epoch,
        day,
        reserved: promised.reserved,
        hold,
        expires_at: promised.expires_at,
    }
}
