//! A region's frequency caps at work: the table is rebuilt from the journal's history when it starts, and then hears of
//! every bill from the journal's feed. Until the history is in, a capped campaign passes.

use std::sync::Arc;
use std::time::Duration;

use super::frequency::{CAP_MAX, Cap, Frequency, Viewing};
use crate::campaign::{FrequencyCap, Shelf};
use crate::clock::Clock;
use crate::store::books::Books;
use crate::store::journal_server::{Booked, Journal, Unanswered, follow, pass_on, read};
use crate::supervision::{Address, Context, Failure, Plane, Server, Spec, Stage, server};
use crate::units::{CampaignKey, LedgerTime, RegionKey, UserKey};

/// Losses and bills that may wait; handling one takes a microsecond.
const MAILBOX: usize = 16_384;
/// Exposures read at a time, so that the journal's thread is held up for under a millisecond.
const PAGE: usize = 10_000;
/// How often, and how many shards at a time, old entries are swept: the whole table in about half a minute.
const SWEEP_EVERY: Duration = Duration::from_millis(250);
const SWEEP_SHARDS: usize = 8;

/// What a region's frequency child is told.
pub enum FrequencyMessage {
    /// A bill is durable.
    Booked(Booked),
    /// A bid lost.
    Lost {
        /// Who would have seen it.
        user: UserKey,
        /// Whose it was.
        campaign: CampaignKey,
        /// Until when it was held.
        hold_until: LedgerTime,
    },
    /// The journal cut this child off, or went down.
    FeedEnded,
}

/// What a frequency child is given.
#[derive(Clone)]
pub struct FrequencyParts {
    /// The region.
    pub region: RegionKey,
    /// Where data threads find the table.
    pub frequency: Stage<Arc<Frequency>>,
    /// Where messages go.
    pub address: Address<FrequencyMessage>,
    /// The journal.
    pub journal: Journal,
    /// The catalogue, for the caps.
    pub shelf: Arc<Shelf>,
    /// For how many (user, campaign) pairs there is room.
    pub pairs_max: usize,
}

/// Frequency capping as a child.
pub fn frequency(parts: &FrequencyParts) -> Spec {
    let parts = parts.clone();
    let address = parts.address.clone();
    server(
        "frequency",
        &address,
        Plane::Control,
        MAILBOX,
        move |context| {
            let parts = parts.clone();
            async move { Ok(FrequencyServer::start(parts, &context)) }
        },
    )
}

struct FrequencyServer {
    parts: FrequencyParts,
    table: Arc<Frequency>,
    clock: Clock,
    /// Positions in the journal's history that are still to be read.
    history: std::ops::Range<u64>,
    /// From when on that history has everything; from the beginning if absent.
    complete_since: Option<LedgerTime>,
    phase: Phase,
}

/// How much it knows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// It does not hear of bills.
    Unfollowed,
    /// It hears of bills, and earlier ones are still to be read.
    Loading,
    /// It knows all.
    Loaded,
}

impl FrequencyServer {
    fn start(parts: FrequencyParts, context: &Context) -> Self {
        let server = Self {
            table: Arc::new(Frequency::loading(parts.pairs_max)),
            clock: context.clock().clone(),
            history: 0..0,
            complete_since: None,
            phase: Phase::Unfollowed,
            parts,
        };
        context.publish(&server.parts.frequency, Arc::clone(&server.table));
        server
    }

    /// Follows the journal from here, with a table whose history is still to be read. A journal that is down is an expected
    /// state, not a crash: every look tries again.
    async fn follow(&mut self, context: &Context) {
        let Some(own) = self.parts.address.whereis() else {
            return;
        };
        let look = |books: &Books| {
            let exposures = books.exposures();
            (
                exposures.first()..exposures.end(),
                exposures.complete_since(),
            )
        };
        let followed = follow(&self.parts.journal, Some(self.parts.region), look).await;
        let Ok(((history, complete_since), feed)) = followed else {
            return;
        };
        let (booked, ended) = (FrequencyMessage::Booked, || FrequencyMessage::FeedEnded);
        pass_on(context, feed, own, booked, ended);
        self.history = history;
        self.complete_since = complete_since.map(|time| LedgerTime::from_millis(time.get()));
        self.phase = Phase::Loading;
    }

    /// Bills may have been missed: nobody's history is known until all of it is read again.
    fn lose_feed(&mut self, context: &Context) {
        self.table = Arc::new(Frequency::loading(self.parts.pairs_max));
        context.publish(&self.parts.frequency, Arc::clone(&self.table));
        self.phase = Phase::Unfollowed;
    }

    /// Loads the history up to where the feed began. When the journal goes down meanwhile, the feed's end says so.
    async fn load(&mut self) -> Result<(), Unanswered> {
        while !self.history.is_empty() {
            let (from, end) = (self.history.start, self.history.end);
            let page = read(&self.parts.journal, move |books| {
                let page = books
                    .exposures()
                    .from(from)
                    .take_while(|(position, _)| *position < end)
                    .take(PAGE);
                page.map(|(position, exposure)| (position, *exposure))
                    .collect::<Vec<_>>()
            })
            .await?;
            let Some(&(last, _)) = page.last() else { break };
            for (_, exposure) in page
                .iter()
                .filter(|(_, exposure)| exposure.region == self.parts.region)
            {
                if let Some(cap) = self.cap(exposure.campaign) {
                    let viewing = Viewing {
                        user: exposure.user,
                        campaign: exposure.campaign,
                    };
                    self.table
                        .load(viewing, cap, LedgerTime::from_millis(exposure.at.get()));
                }
            }
            self.history.start = last + 1;
        }
        self.table.loaded(self.complete_since);
        self.phase = Phase::Loaded;
        Ok(())
    }

    fn booked(&self, booked: &Booked) {
        let bill = &booked.bill;
        let (Some(user), Some(cap)) = (bill.user, self.cap(bill.lease.campaign)) else {
            return;
        };
        let viewing = Viewing {
            user,
            campaign: bill.lease.campaign,
        };
        self.table.confirm(
            viewing,
            cap,
            booked.promised.expires_at,
            LedgerTime::from_millis(bill.at.get()),
        );
    }

    fn cap(&self, campaign: CampaignKey) -> Option<Cap> {
        self.parts
            .shelf
            .current()
            .campaign(campaign)?
            .cap
            .map(counted)
    }
}

/// A campaign's cap as the table counts it; one above what is counted is held to that: fewer impressions, never more.
pub fn counted(cap: FrequencyCap) -> Cap {
    Cap {
        impressions: cap.impressions.min(CAP_MAX),
        window: cap.window,
    }
}

impl Server for FrequencyServer {
    type Message = FrequencyMessage;

    async fn handle_continue(&mut self, context: &Context) -> Result<(), Failure> {
        self.tick(context).await
    }

    async fn handle(
        &mut self,
        message: FrequencyMessage,
        context: &Context,
    ) -> Result<(), Failure> {
        match message {
            FrequencyMessage::Booked(booked) => self.booked(&booked),
            FrequencyMessage::Lost {
                user,
                campaign,
                hold_until,
            } => {
                self.table.release(Viewing { user, campaign }, hold_until);
            }
            FrequencyMessage::FeedEnded => self.lose_feed(context),
        }
        Ok(())
    }

    fn tick_every(&self) -> Option<Duration> {
        Some(SWEEP_EVERY)
    }

    async fn tick(&mut self, context: &Context) -> Result<(), Failure> {
        if self.phase == Phase::Unfollowed {
            self.follow(context).await;
        }
        if self.phase == Phase::Loading {
            // What could not be read is read at the next look.
            self.load().await.ok();
        }
        self.table.sweep(self.clock.ledger(), SWEEP_SHARDS);
        Ok(())
    }
}
