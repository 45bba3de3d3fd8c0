//! A region's frequency caps at work: the table is rebuilt from the journal's history when it starts, and then hears of
//! every bill from the journal's feed. Until the history is in, a capped campaign passes.
//!
//! Bids that were sent and not billed are in no journal: a new table takes them over from the one before it, which outlives
//! its child. Those of a former process are lost; where caps are strict, nobody is shown anything capped while they may
//! still be billed.
//!
//! When caps change with the catalogue, the table is made anew from the history: the old one kept no more than they asked.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;

use super::frequency::{CAP_MAX, Cap, Caps, Frequency, Viewing};
use crate::campaign::{Campaign, FrequencyCap, Shelf};
use crate::clock::Clock;
use crate::store::books::Books;
use crate::store::journal_server::{Booked, Journal, Unanswered, follow, pass_on, read};
use crate::supervision::{Address, Context, Failure, Plane, Server, Spec, Stage, server};
use crate::units::{AdvertiserKey, CampaignKey, LedgerTime, RegionKey, UnixMillis, UserKey};

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
        /// Whose ad it was.
        advertiser: AdvertiserKey,
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
    /// For how many (user, campaign) and (user, advertiser) pairs there is room.
    pub pairs_max: usize,
    /// The last table, for its successor.
    pub last: Arc<ArcSwapOption<Frequency>>,
    /// How long bids of a former process may be billed, if caps hold for them, too; zero if not.
    pub doubt: Duration,
    /// When this process began.
    pub began: UnixMillis,
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
    caps: KnownCaps,
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
    /// It hears of bills, and where earlier ones begin and end is still to be asked.
    Anew,
    /// It hears of bills, and earlier ones are still to be read.
    Loading,
    /// It knows all.
    Loaded,
}

impl FrequencyServer {
    fn start(parts: FrequencyParts, context: &Context) -> Self {
        let server = Self {
            table: parts.next_table(),
            caps: KnownCaps::of(parts.shelf.campaigns()),
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
        let (region, began) = (self.parts.region, self.parts.began);
        let look = move |books: &Books| History::of(books, region, began);
        let followed = follow(&self.parts.journal, Some(region), look).await;
        let Ok((history, feed)) = followed else {
            return;
        };
        let (booked, ended) = (FrequencyMessage::Booked, || FrequencyMessage::FeedEnded);
        pass_on(context, feed, own, booked, ended);
        self.begin(history);
    }

    fn begin(&mut self, history: History) {
        if history.is_in_doubt && !self.parts.doubt.is_zero() && !self.parts.had_table() {
            self.table
                .doubt_until(self.clock.ledger().plus(self.parts.doubt));
        }
        self.parts.last.store(Some(Arc::clone(&self.table)));
        self.history = history.positions;
        self.complete_since = history.complete_since;
        self.phase = Phase::Loading;
    }

    /// Looks whether a reload changed any cap: then the table begins anew. Bills that are on their way meanwhile count
    /// twice, in the history and when they come: fewer impressions than allowed for a while, never more.
    fn look_at_caps(&mut self, context: &Context) {
        let campaigns = self.parts.shelf.campaigns();
        if Arc::ptr_eq(&campaigns, &self.caps.from) {
            return;
        }
        let caps = KnownCaps::of(campaigns);
        let are_the_same = caps.says_the_same(&self.caps);
        self.caps = caps;
        if !are_the_same && self.phase != Phase::Unfollowed {
            self.replace_table(context);
            self.phase = Phase::Anew;
        }
    }

    fn replace_table(&mut self, context: &Context) {
        self.table = self.parts.next_table();
        context.publish(&self.parts.frequency, Arc::clone(&self.table));
    }

    /// Bills may have been missed: nobody's history is known until all of it is read again.
    fn lose_feed(&mut self, context: &Context) {
        self.replace_table(context);
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
                let viewing = Viewing {
                    user: exposure.user,
                    campaign: exposure.campaign,
                    advertiser: exposure.advertiser,
                };
                let at = LedgerTime::from_millis(exposure.at.get());
                self.table.load(viewing, self.caps.for_view(viewing), at);
            }
            self.history.start = last + 1;
        }
        self.table.loaded(self.complete_since);
        self.phase = Phase::Loaded;
        Ok(())
    }

    fn booked(&self, booked: &Booked) {
        let bill = &booked.bill;
        let Some(user) = bill.user else {
            return;
        };
        let viewing = Viewing {
            user,
            campaign: bill.lease.campaign,
            advertiser: bill.advertiser,
        };
        self.table.confirm(
            viewing,
            self.caps.for_view(viewing),
            booked.promised.expires_at,
            LedgerTime::from_millis(bill.at.get()),
        );
    }
}

/// What is remembered of bills.
struct History {
    positions: std::ops::Range<u64>,
    complete_since: Option<LedgerTime>,
    /// Whether a lease of a former process is open: only of such are there bids that may still be billed.
    is_in_doubt: bool,
}

impl History {
    fn of(books: &Books, region: RegionKey, began: UnixMillis) -> Self {
        let exposures = books.exposures();
        let since = exposures.complete_since();
        Self {
            positions: exposures.first()..exposures.end(),
            complete_since: since.map(|time| LedgerTime::from_millis(time.get())),
            is_in_doubt: books
                .leases_of(region)
                .any(|(_, lease)| lease.opened_at < began),
        }
    }
}

impl FrequencyParts {
    /// A table in the place of the last one, with the bids that were sent from it.
    fn next_table(&self) -> Arc<Frequency> {
        let table = Arc::new(Frequency::loading(self.pairs_max));
        if let Some(last) = self.last.load_full() {
            table.inherit(&last);
        }
        if self.had_table() {
            self.last.store(Some(Arc::clone(&table)));
        }
        table
    }

    /// Whether this process had a table that was loaded: then only its own bids may still be billed.
    fn had_table(&self) -> bool {
        self.last.load().is_some()
    }
}

/// The caps of a configuration, also of campaigns that are not offered now.
struct KnownCaps {
    from: Arc<Vec<Arc<Campaign>>>,
    campaigns: HashMap<CampaignKey, Cap>,
    advertisers: HashMap<AdvertiserKey, Cap>,
}

impl KnownCaps {
    fn of(from: Arc<Vec<Arc<Campaign>>>) -> Self {
        let own = |campaign: &Arc<Campaign>| Some((campaign.key, counted(campaign.cap?)));
        let shared = |campaign: &Arc<Campaign>| {
            let advertiser = &campaign.advertiser;
            Some((advertiser.key, counted(advertiser.cap?)))
        };
        Self {
            campaigns: from.iter().filter_map(own).collect(),
            advertisers: from.iter().filter_map(shared).collect(),
            from,
        }
    }

    fn says_the_same(&self, other: &Self) -> bool {
        self.campaigns == other.campaigns && self.advertisers == other.advertisers
    }

    fn for_view(&self, viewing: Viewing) -> Caps {
        Caps {
            campaign: self.campaigns.get(&viewing.campaign).copied(),
            advertiser: self.advertisers.get(&viewing.advertiser).copied(),
        }
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
            FrequencyMessage::Booked(booked) => {
                self.look_at_caps(context);
                self.booked(&booked);
            }
            FrequencyMessage::Lost {
                user,
                campaign,
                advertiser,
                hold_until,
            } => {
                let viewing = Viewing {
                    user,
                    campaign,
                    advertiser,
                };
                self.table.release(viewing, hold_until);
            }
            FrequencyMessage::FeedEnded => self.lose_feed(context),
        }
        Ok(())
    }

    fn tick_every(&self) -> Option<Duration> {
        Some(SWEEP_EVERY)
    }

    async fn tick(&mut self, context: &Context) -> Result<(), Failure> {
        self.look_at_caps(context);
        match self.phase {
            Phase::Unfollowed => self.follow(context).await,
            Phase::Anew => {
                let (region, began) = (self.parts.region, self.parts.began);
                let look = move |books: &Books| History::of(books, region, began);
                if let Ok(history) = read(&self.parts.journal, look).await {
                    self.begin(history);
                }
            }
            Phase::Loading | Phase::Loaded => {}
        }
        if self.phase == Phase::Loading {
            // What could not be read is read at the next look.
            self.load().await.ok();
        }
        self.table.sweep(self.clock.ledger(), SWEEP_SHARDS);
        Ok(())
    }
}
