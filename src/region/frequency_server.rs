//! A region's frequency caps at work: the table is rebuilt from the journal's history when it starts, and then hears of
//! every bill from the journal's feed. Until the history is in, a capped campaign passes.

use std::sync::Arc;
use std::time::Duration;

use super::frequency::{CAP_MAX, Cap, Frequency, Viewing};
use crate::campaign::{FrequencyCap, Shelf};
use crate::clock::Clock;
use crate::store::journal_server::{Booked, Journal, follow, read};
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
            async move { FrequencyServer::start(parts, &context).await }
        },
    )
}

struct FrequencyServer {
    parts: FrequencyParts,
    table: Arc<Frequency>,
    clock: Clock,
    /// Positions in the journal's history that are still to be read.
    history: std::ops::Range<u64>,
}

impl FrequencyServer {
    async fn start(parts: FrequencyParts, context: &Context) -> Result<Self, Failure> {
        let look = |books: &crate::store::books::Books| {
            (books.exposures().first(), books.exposures().end())
        };
        let ((first, end), mut feed) = follow(&parts.journal, Some(parts.region), look).await?;
        let table = Arc::new(Frequency::loading(parts.pairs_max));
        context.publish(&parts.frequency, Arc::clone(&table));
        let address = parts.address.clone();
        context.spawn_on(Plane::Control, async move {
            while let Some(booked) = feed.recv().await {
                if address
                    .send(FrequencyMessage::Booked(booked))
                    .await
                    .is_err()
                {
                    return;
                }
            }
            // Nobody to tell means that the child has gone by itself.
            drop(address.send(FrequencyMessage::FeedEnded).await);
        });
        Ok(Self {
            table,
            clock: context.clock().clone(),
            history: first..end,
            parts,
        })
    }

    /// Loads the history up to where the feed began.
    async fn load(&mut self) -> Result<(), Failure> {
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
        self.table.loaded();
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

    async fn handle_continue(&mut self, _context: &Context) -> Result<(), Failure> {
        self.load().await
    }

    async fn handle(
        &mut self,
        message: FrequencyMessage,
        _context: &Context,
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
            FrequencyMessage::FeedEnded => return Err(Failure::new("the journal's feed ended")),
        }
        Ok(())
    }

    fn tick_every(&self) -> Option<Duration> {
        Some(SWEEP_EVERY)
    }

    async fn tick(&mut self, _context: &Context) -> Result<(), Failure> {
        self.table.sweep(self.clock.ledger(), SWEEP_SHARDS);
        Ok(())
    }
}
