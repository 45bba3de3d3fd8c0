//! A region's pacer at work: once a second it sets the share of opportunities that each campaign takes.
//!
//! A campaign's goal is one for all its regions, so each region's pacer looks at all of them: what their data threads were
//! offered, what their ledgers have promised, and what the journal has booked anywhere. From the same figures each comes to
//! the same share, without asking another; a region that is down is simply not offered anything.
//! So that this holds for what campaigns share, too, it also follows campaigns of other regions that share a budget.

mod sharers;
mod spent;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::ledger::Ledger;
use super::pacing::{Goal, Member, Pacer, Seen, Share, SharedPacer, Target};
use super::supply::{Flow, Shares, Supply};
use crate::campaign::budget::{Anchor, Budget, Day};
use crate::campaign::campaign_server::budget_of;
use crate::campaign::{Campaign, Offer, Pacing, Shelf};
use crate::clock::Clock;
use crate::store::books::Books;
use crate::store::journal_server::{Booked, Journal, follow, pass_on, read};
use crate::supervision::{Address, Context, Failure, Plane, Server, Spec, Stage, server};
use crate::units::{
    AdvertiserKey, CampaignKey, CampaignSlot, Monotonic, Nanos, RegionKey, UnixMillis,
};
use sharers::shares_budget;
use spent::{shared_spends, spends};

/// Bills that may wait: two seconds of a busy machine's.
const MAILBOX: usize = 16_384;
/// How often shares are set.
const STEP_EVERY: Duration = Duration::from_secs(1);
/// The weight of one bill in the mean time from bid to bill: about thirty are remembered.
const DELAY_WEIGHT: f64 = 1.0 / 32.0;

/// What a pacer is told.
pub enum PacerMessage {
    /// A bill is durable, in any region.
    Booked(Booked),
    /// The journal cut this pacer off, or went down.
    FeedEnded,
}

/// What every region shows to the pacers of all.
#[derive(Clone)]
pub struct RegionSight {
    /// What its data threads count.
    pub supply: Arc<Supply>,
    /// What it has promised.
    pub ledger: Stage<Arc<Ledger>>,
}

/// What a pacer's child is given.
#[derive(Clone)]
pub struct PacerParts {
    /// The region.
    pub region: RegionKey,
    /// Where data threads find the shares.
    pub shares: Stage<Arc<Shares>>,
    /// Where messages go.
    pub address: Address<PacerMessage>,
    /// The journal.
    pub journal: Journal,
    /// The catalogue.
    pub shelf: Arc<Shelf>,
    /// All regions, this one among them.
    pub sights: Arc<[RegionSight]>,
    /// The most campaigns there may be.
    pub slots_max: usize,
}

/// The pacer as a child.
pub fn pacer(parts: &PacerParts) -> Spec {
    let parts = parts.clone();
    let address = parts.address.clone();
    server("pacer", &address, Plane::Control, MAILBOX, move |context| {
        let parts = parts.clone();
        async move { Ok(PacerServer::start(parts, &context)) }
    })
}

struct PacerServer {
    parts: PacerParts,
    shares: Arc<Shares>,
    clock: Clock,
    campaigns: HashMap<CampaignKey, Paced>,
    /// What advertisers' campaigns share, where that is limited.
    shared: HashMap<AdvertiserKey, SharedPacer>,
    stepped_at: Monotonic,
    /// Whether it hears of bills.
    follows: bool,
    /// The campaigns whose spend is known.
    known: Option<Arc<Vec<Arc<Campaign>>>>,
}

/// A campaign as the pacer follows it.
struct Paced {
    slot: CampaignSlot,
    campaign: Option<Arc<Campaign>>,
    budget: Option<Budget>,
    pacer: Pacer,
    day: Option<Day>,
    anchor: Anchor,
    /// Spent in its life, and on the present day.
    spent: Nanos,
    billed: Nanos,
    bill_delay_s: Option<f64>,
}

impl PacerServer {
    fn start(parts: PacerParts, context: &Context) -> Self {
        let shares = Arc::new(Shares::new(parts.slots_max));
        context.publish(&parts.shares, Arc::clone(&shares));
        let clock = context.clock().clone();
        Self {
            shares,
            campaigns: HashMap::new(),
            shared: HashMap::new(),
            stepped_at: clock.monotonic(),
            clock,
            follows: false,
            known: None,
            parts,
        }
    }

    /// Takes what was spent from the journal's books, and follows them from there. A journal that is down is an expected
    /// state, not a crash: every step tries again, and until then shares stay as they are.
    async fn follow(&mut self, context: &Context) {
        let Some(own) = self.parts.address.whereis() else {
            return;
        };
        let wall = self.clock.wall();
        let campaigns = self.parts.shelf.campaigns();
        let all = Arc::clone(&campaigns);
        let look = move |books: &Books| {
            let shared = shared_spends(books, &all, wall);
            (spends(books, &all, wall), shared)
        };
        let Ok(((spends, shared), feed)) = follow(&self.parts.journal, None, look).await else {
            return;
        };
        let (booked, ended) = (PacerMessage::Booked, || PacerMessage::FeedEnded);
        pass_on(context, feed, own, booked, ended);
        for (key, (spent, billed)) in spends {
            let fresh = || Paced::new(spent, billed, wall);
            let paced = self.campaigns.entry(key).or_insert_with(fresh);
            (paced.spent, paced.billed) = (spent, billed);
        }
        let pacer = |(spent, billed)| SharedPacer::new(spent, billed, wall);
        let pacers = shared.into_iter().map(|(key, sums)| (key, pacer(sums)));
        self.shared = pacers.collect();
        self.known = Some(campaigns);
        self.follows = true;
    }

    /// After a reload: takes what new campaigns have spent before, and forgets those that are gone.
    async fn follow_catalogue(&mut self) {
        let campaigns = self.parts.shelf.campaigns();
        if self
            .known
            .as_ref()
            .is_some_and(|known| Arc::ptr_eq(known, &campaigns))
        {
            return;
        }
        let wall = self.clock.wall();
        // Not those without a pacer: a late bill, or a step before the books were read, begins one that knows of nothing.
        let before = self.known.iter().flat_map(|known| known.iter());
        let known: HashSet<CampaignKey> = before.clone().map(|campaign| campaign.key).collect();
        let sharers = before.filter(|campaign| shares_budget(campaign));
        let sharers: HashSet<AdvertiserKey> =
            sharers.map(|campaign| campaign.advertiser.key).collect();
        let mut new = Vec::clone(&campaigns);
        new.retain(|campaign| !known.contains(&campaign.key));
        let all = Arc::clone(&campaigns);
        let look = move |books: &Books| {
            let shared = shared_spends(books, &all, wall);
            (spends(books, &new, wall), shared)
        };
        let Ok((spends, mut shared)) = read(&self.parts.journal, look).await else {
            return;
        };
        let live: HashSet<CampaignKey> = campaigns.iter().map(|campaign| campaign.key).collect();
        self.campaigns.retain(|key, _| live.contains(key));
        for (key, (spent, billed)) in spends {
            self.campaigns.insert(key, Paced::new(spent, billed, wall));
        }
        self.shared.retain(|key, pacer| {
            pacer.replan(wall);
            sharers.contains(key) && shared.remove(key).is_some()
        });
        for (key, (spent, billed)) in shared {
            self.shared
                .insert(key, SharedPacer::new(spent, billed, wall));
        }
        self.known = Some(campaigns);
    }

    fn booked(&mut self, booked: &Booked) {
        let (bill, wall) = (&booked.bill, self.clock.wall());
        if let Some(shared) = self.shared.get_mut(&bill.advertiser) {
            shared.booked(bill.charge, bill.bid_at);
        }
        let paced = self
            .campaigns
            .entry(bill.lease.campaign)
            .or_insert_with(|| Paced::new(Nanos::ZERO, Nanos::ZERO, wall));
        paced.spent = paced.spent.saturating_add(bill.charge);
        if paced
            .day
            .as_ref()
            .is_none_or(|day| day.number() == bill.day)
        {
            paced.billed = paced.billed.saturating_add(bill.charge);
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds between a bid and its bill"
        )]
        let seconds = bill.at.get().saturating_sub(bill.bid_at.get()).max(0) as f64 / 1_000.0;
        let known = paced.bill_delay_s.unwrap_or(seconds);
        paced.bill_delay_s = Some(known + (seconds - known) * DELAY_WEIGHT);
    }

    fn step(&mut self) {
        let (now, wall) = (self.clock.monotonic(), self.clock.wall());
        let elapsed = now.since(self.stepped_at);
        self.stepped_at = now;
        let catalogue = self.parts.shelf.current();
        let mut sharing: HashMap<AdvertiserKey, Vec<(&Offer, Member)>> = HashMap::new();
        for offer in catalogue.offers() {
            let campaign = &offer.campaign;
            let is_sharer = shares_budget(campaign);
            if !is_sharer && !campaign.regions.includes(&self.parts.region) {
                continue;
            }
            let (flow, reserved) = self.seen(offer.slot);
            let fresh = || Paced::new(Nanos::ZERO, Nanos::ZERO, wall);
            let paced = self.campaigns.entry(campaign.key).or_insert_with(fresh);
            let member = paced.step(offer, (flow, reserved), wall, elapsed);
            if is_sharer {
                let sharers = sharing.entry(campaign.advertiser.key).or_default();
                sharers.push((offer, member));
            } else {
                self.shares.publish(offer.slot, member.share);
            }
        }
        for (advertiser, sharers) in sharing {
            self.share(advertiser, &sharers, wall);
        }
    }

    /// What went past a campaign and what is promised for it, in all regions.
    fn seen(&self, slot: CampaignSlot) -> (Flow, Nanos) {
        let (mut flow, mut reserved) = (Flow::default(), Nanos::ZERO);
        for sight in self.parts.sights.iter() {
            let here = sight.supply.flow(slot);
            flow.offered = flow.offered.wrapping_add(here.offered);
            flow.bid = flow.bid.wrapping_add(here.bid);
            if let Ok(Some(balance)) = sight.ledger.call(|ledger| ledger.balance(slot)) {
                reserved = reserved.saturating_add(balance.reserved);
            }
        }
        (flow, reserved)
    }
}

impl Paced {
    fn new(spent: Nanos, billed: Nanos, wall: UnixMillis) -> Self {
        Self {
            slot: CampaignSlot::new(u32::MAX),
            campaign: None,
            budget: None,
            pacer: Pacer::new(),
            day: None,
            // What is left is spread over what is left of the day: a pacer that starts at noon does not rush.
            anchor: Anchor {
                at: wall,
                committed: billed,
            },
            spent,
            billed,
            bill_delay_s: None,
        }
    }

    fn step(
        &mut self,
        offer: &Offer,
        (flow, reserved): (Flow, Nanos),
        wall: UnixMillis,
        elapsed: Duration,
    ) -> Member {
        self.follow_configuration(offer);
        let mut member = Member {
            share: Share::NONE,
            supply: None,
            promised: 0.0,
            is_spread: offer.campaign.pacing == Pacing::Even,
        };
        let Some(budget) = &self.budget else {
            return member;
        };
        let today = budget.day_at(wall);
        match &self.day {
            Some(day) if day.number() == today => {}
            Some(_) => {
                // A new day begins with nothing spent.
                let day = budget.day(today);
                self.billed = Nanos::ZERO;
                self.anchor = Anchor {
                    at: wall,
                    committed: Nanos::ZERO,
                };
                self.day = Some(day);
            }
            None => self.day = Some(budget.day(today)),
        }
        let Some(day) = &self.day else {
            return member;
        };
        let before = self.spent.saturating_sub(self.billed);
        let amount = budget.day_amount(before);
        let goal = match offer.campaign.pacing {
            _ if !budget.is_active(wall) || self.billed >= amount => Goal::Pause,
            Pacing::Asap => Goal::Asap,
            Pacing::Even => {
                let plan = budget.plan(day, amount, self.anchor, wall);
                Goal::Follow(Target {
                    so_far: plan.so_far,
                    per_second: plan.per_second,
                })
            }
        };
        let bill_delay = self.bill_delay_s.map(Duration::from_secs_f64);
        let seen = Seen {
            flow,
            billed: self.billed,
            reserved,
            bill_delay,
        };
        member.share = self.pacer.step(goal, &seen, elapsed);
        member.supply = self.pacer.supply_per_second();
        member.promised = self.pacer.promised(&seen);
        member
    }

    fn follow_configuration(&mut self, offer: &Offer) {
        if self.slot != offer.slot
            || self
                .campaign
                .as_ref()
                .is_none_or(|known| !Arc::ptr_eq(known, &offer.campaign))
        {
            self.slot = offer.slot;
            // The configuration has refused terms that contradict themselves.
            self.budget = budget_of(&offer.campaign).ok();
            self.campaign = Some(Arc::clone(&offer.campaign));
            self.day = None;
        }
    }
}

impl Server for PacerServer {
    type Message = PacerMessage;

    async fn handle_continue(&mut self, context: &Context) -> Result<(), Failure> {
        self.follow(context).await;
        Ok(())
    }

    async fn handle(&mut self, message: PacerMessage, _context: &Context) -> Result<(), Failure> {
        match message {
            PacerMessage::Booked(booked) => self.booked(&booked),
            PacerMessage::FeedEnded => self.follows = false,
        }
        Ok(())
    }

    fn tick_every(&self) -> Option<Duration> {
        Some(STEP_EVERY)
    }

    async fn tick(&mut self, context: &Context) -> Result<(), Failure> {
        if !self.follows {
            self.follow(context).await;
        }
        if self.follows {
            self.follow_catalogue().await;
            self.step();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
