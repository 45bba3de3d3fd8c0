//! A region's ledger at work: it takes leases from campaigns, hears of bills from the journal, and lets promises lapse.
//!
//! Data threads promise from the shared [`Ledger`]; everything else that moves money is a message here. Bills come from
//! the journal's feed and from nowhere else. When the feed breaks, bills may have been missed: every lease is sealed, and
//! new ones are taken once the journal is followed again. What that strands, or a crash, is returned by its campaign after
//! the longest hold.

mod leasing;
mod settled;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::frequency_server::FrequencyMessage;
use super::lease::HoldClass;
use super::ledger::{Ledger, Promise};
use super::till::{Billed, Till};
use crate::campaign::campaign_server::{Directory, Leased, NoLease};
use crate::campaign::{Catalogue, Shelf};
use crate::chaos::FailPoint;
use crate::clock::Clock;
use crate::store::journal_server::{Booked, Journal, Promised};
use crate::store::movement::ImpressionKey;
use crate::supervision::{Address, Context, Failure, Plane, Reply, Server, Spec, Stage, server};
use crate::units::{
    AdvertiserKey, BudgetDay, CampaignKey, CampaignSlot, Epoch, Nanos, RegionKey, UserKey,
};
use leasing::{ASKS_MAX, Tenant};
use settled::Settled;

/// Losses and leases that may wait. A few thousand losses a second come when half of all bids lose, and one is handled in
/// under a microsecond; a loss that finds no room lapses instead.
const MAILBOX: usize = 16_384;
/// How often lapses, wants and renewals are looked at: a lease is topped up this long after it ran low.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Every so many looks, leases are renewed, sealed and collected: each passes over all of them, and none is urgent, since
/// data threads stop using a lease by themselves.
const LEASES_EVERY: u32 = 20;

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
    pub totals: super::till::Totals,
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
    till: Till,
    clock: Clock,
    /// The campaign in each slot that was ever leased here.
    tenants: HashMap<CampaignSlot, Tenant>,
    slots: HashMap<CampaignKey, CampaignSlot>,
    /// The campaigns by slot of the catalogue that was seen last.
    offered: HashMap<CampaignSlot, CampaignKey>,
    seen: Option<Arc<Catalogue>>,
    settled: Settled,
    late_bills: u64,
    looks: u32,
    /// Whether it hears of bills. While it does not, it takes no lease.
    follows: bool,
}

impl LedgerServer {
    fn start(parts: LedgerParts, context: &Context) -> Self {
        let clock = context.clock().clone();
        let now = clock.ledger();
        let ledger = Arc::new(Ledger::new(parts.slots_max, &parts.holds, now));
        context.publish(&parts.ledger, Arc::clone(&ledger));
        Self::new(parts, ledger, clock)
    }

    /// Nothing leased, and nothing followed yet.
    fn new(parts: LedgerParts, ledger: Arc<Ledger>, clock: Clock) -> Self {
        let now = clock.ledger();
        Self {
            till: Till::new(ledger),
            clock,
            tenants: HashMap::new(),
            slots: HashMap::new(),
            offered: HashMap::new(),
            seen: None,
            settled: Settled::new(now),
            late_bills: 0,
            looks: 0,
            follows: false,
            parts,
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
        let outcome = if self.settled.is_released(&bill.key) {
            self.till.bill_released(&promise, bill.charge)
        } else {
            self.till.bill(&promise, bill.charge, now)
        };
        self.settled.bill(bill.key);
        if let Ok(Billed::Late { .. }) = outcome {
            self.late_bills += 1;
            self.parts.meter.late_bills.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn release(&mut self, release: Release) {
        let Some(&slot) = self.slots.get(&release.campaign) else {
            return;
        };
        if self.settled.may_hold(&release.key) {
            return;
        }
        let promise = promise(slot, release.epoch, release.day, release.promised);
        // A lease that is gone has nothing to give back: its campaign took all of it.
        if self.till.release(&promise).is_ok() {
            self.settled.release(release.key);
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
                let totals = self.till.totals();
                let losses_remembered = self.settled.losses();
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
        self.till.lapse(now);
        self.looks = self.looks.wrapping_add(1);
        if self.looks.is_multiple_of(LEASES_EVERY) {
            self.seal_expired(now);
            self.till.collect();
            self.renew(now, context);
            // Money that was made or lost is a bug: the region is rebuilt from what is durable.
            self.till.check()?;
            let open = self.tenants.values().filter(|tenant| tenant.open.is_some());
            let open = u64::try_from(open.count()).unwrap_or(u64::MAX);
            self.parts.meter.leases_open.store(open, Ordering::Relaxed);
            let follows = u64::from(self.follows);
            self.parts.meter.follows.store(follows, Ordering::Relaxed);
            let longest = self.parts.holds.iter().max().copied().unwrap_or_default();
            self.settled.forget_old(now, longest);
        }
        for slot in self.till.wants(ASKS_MAX) {
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
