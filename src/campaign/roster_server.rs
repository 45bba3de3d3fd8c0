//! The roster: keeps one process in the pool for each campaign of the configuration, and swaps the catalogue on reload.
//!
//! It starts after the pool and goes down with it, so that a pool that comes back empty is filled again.
//! Campaigns that left, and those whose process was set aside, have nobody who closes their leases, so it closes them
//! (`orphans`).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::campaign_server::{CampaignMessage, Directory, Place, process};
use super::catalogue_server::Shelf;
use super::orphans::{Orphans, found_in};
use super::stock_server::{Restock, Restocked, StockParts};
use super::{Campaign, LeftOut};
use crate::clock::Clock;
use crate::store::books::Books;
use crate::store::journal_server::{Journal, decide, read};
use crate::store::writer::{Close, Command, Outcome};
use crate::supervision::{
    Address, AskError, CallFailed, Context, Dynamic, Failure, Limit, Plane, Reply, SendError,
    Server, Spec, server,
};
use crate::units::CampaignKey;

/// Reloads come from operators, one at a time.
const MAILBOX: usize = 4;

/// How often leases of campaigns without a process are looked over. They close after minutes, so seconds do not matter.
pub const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What the roster is asked.
pub enum RosterMessage {
    /// Read the campaigns and the lists of people again, and put them in the place of the current ones.
    Reload(Reply<Result<Reloaded, NotReloaded>>),
}

/// Why campaigns stay as they were.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NotReloaded {
    /// Everything that is wrong with them.
    #[error("{0}")]
    Faults(String),
    /// What reads them.
    #[error("what reads campaigns does not answer: {0}")]
    Stock(CallFailed),
}

/// What a reload did.
#[derive(Clone, Debug, Default)]
pub struct Reloaded {
    /// Campaigns of the configuration.
    pub campaigns: usize,
    /// Processes that were started.
    pub started: usize,
    /// Processes that were stopped.
    pub stopped: usize,
    /// Campaigns that are not offered, and why.
    pub left_out: Vec<LeftOut>,
}

/// What the roster's child is given.
#[derive(Clone)]
pub struct RosterParts {
    /// Where reloads go.
    pub address: Address<RosterMessage>,
    /// The pool of processes.
    pub pool: Dynamic,
    /// Where regions find the processes.
    pub directory: Directory,
    /// The catalogue.
    pub shelf: Arc<Shelf>,
    /// The journal.
    pub journal: Journal,
    /// The longest a bill may come after its bid.
    pub hold_longest: Duration,
    /// How often one process may be restarted before it is set aside.
    pub own_limit: Limit,
    /// How often leases of campaigns without a process are looked over.
    pub look_every: Duration,
    /// What reads them again.
    pub stock: StockParts,
}

/// The roster as a child.
pub fn roster(parts: &RosterParts) -> Spec {
    let parts = parts.clone();
    let address = parts.address.clone();
    server("roster", &address, Plane::Control, MAILBOX, move |_| {
        let mut roster = Roster {
            parts: parts.clone(),
            orphans: Orphans::new(parts.hold_longest),
        };
        async move {
            let campaigns = roster.parts.shelf.campaigns();
            let former = roster.parts.directory.all();
            roster.fill(&campaigns).await?;
            // A roster that died in a reload may have told them nothing of it.
            let former = campaigns.iter().filter(|it| former.contains_key(&it.key));
            former.for_each(|campaign| roster.configure(campaign));
            Ok(roster)
        }
    })
}

struct Roster {
    parts: RosterParts,
    orphans: Orphans,
}

impl Roster {
    /// Puts each campaign in its place, and starts a process where there is none. Addresses are kept, so that whoever holds
    /// one goes on.
    async fn fill(&mut self, campaigns: &[Arc<Campaign>]) -> Result<usize, Failure> {
        let known = self.parts.directory.all();
        let mut places: HashMap<CampaignKey, Place> = HashMap::with_capacity(campaigns.len());
        let mut started = 0;
        for campaign in campaigns {
            let known = known.get(&campaign.key).cloned();
            let is_new = known.is_none();
            let place = known.unwrap_or_else(|| Place::new(campaign));
            place.newest.store(Arc::clone(campaign));
            if place.address.depth().is_none() {
                match self.start_process(&place, is_new).await {
                    Ok(()) => started += 1,
                    // It is restarting, or set aside: it has its place.
                    Err(AskError::AlreadyPresent(_)) => {}
                    // One campaign that cannot start must not stop the others; it does not bid, since it leases nothing.
                    Err(error @ (AskError::StartFailed(..) | AskError::MaxChildren(_))) => {
                        tracing::error!(campaign = %campaign.id, %error, "a campaign has no process");
                    }
                    Err(error) => return Err(Failure::new(error)),
                }
            }
            places.insert(campaign.key, place);
        }
        self.parts.directory.replace(places);
        Ok(started)
    }

    async fn start_process(&self, place: &Place, is_new: bool) -> Result<(), AskError> {
        let pool = &self.parts.pool;
        let spec = || {
            process(
                (place, &self.parts.directory),
                &self.parts.journal,
                self.parts.hold_longest,
                self.parts.own_limit,
            )
        };
        match pool.start_child(spec()).await {
            // A roster that died in a reload had not stopped it yet: nobody knows its address any more.
            Err(AskError::AlreadyStarted(_) | AskError::AlreadyPresent(_)) if is_new => {
                pool.terminate_child(&place.newest.load().id).await?;
                pool.start_child(spec()).await
            }
            started => started,
        }
    }

    async fn reload(
        &mut self,
        Restocked {
            before,
            campaigns,
            left_out,
        }: Restocked,
    ) -> Result<Reloaded, Failure> {
        let known: HashMap<_, _> = before
            .iter()
            .map(|campaign| (campaign.key, campaign))
            .collect();
        let wanted: HashSet<_> = campaigns.iter().map(|campaign| campaign.key).collect();
        let mut stopped = 0;
        for gone in before.iter().filter(|old| !wanted.contains(&old.key)) {
            stopped += usize::from(self.parts.pool.terminate_child(&gone.id).await.is_ok());
            // Only now, so that the books hold whatever it was granted.
            self.orphans.leave(gone.key);
        }
        self.orphans.keep(&wanted);
        let started = self.fill(&campaigns).await?;
        for campaign in campaigns.iter() {
            let changed = known
                .get(&campaign.key)
                .is_none_or(|old| ***old != **campaign);
            if changed {
                self.configure(campaign);
            }
        }
        Ok(Reloaded {
            campaigns: campaigns.len(),
            started,
            stopped,
            left_out,
        })
    }

    /// Tells a campaign's process that its place says something new.
    fn configure(&self, campaign: &Arc<Campaign>) {
        let Some(address) = self.parts.directory.find(campaign.key) else {
            return;
        };
        // A process that is down begins with what its place says.
        if let Err(SendError::Full(_)) = address.cast(CampaignMessage::Configure) {
            tracing::warn!(campaign = %campaign.id, "a campaign is too busy to be configured");
        }
    }

    /// Finds the leases of campaigns that left or have no process, and closes those that nobody can spend from or bill any
    /// more.
    async fn look_over(&mut self, clock: &Clock) {
        let arrivals = self.parts.directory.take_arrivals();
        let places = self.parts.directory.all();
        let idle = places
            .iter()
            .filter(|(_, place)| place.address.depth().is_none());
        let idle = idle.map(|(campaign, _)| *campaign).collect();
        self.orphans.without_process(idle, &arrivals);
        if self.orphans.is_behind() {
            let campaigns = self.parts.shelf.campaigns();
            let idle = self.orphans.idle().clone();
            let look = move |books: &Books| {
                let wanted = campaigns.iter().map(|campaign| campaign.key);
                let looked_after = wanted.filter(|campaign| !idle.contains(campaign)).collect();
                found_in(books, &looked_after)
            };
            // A journal that does not answer is asked again by the next look.
            if let Ok(found) = read(&self.parts.journal, look).await {
                self.orphans.take(found, clock.ledger());
            }
        }
        let mut closed = 0_usize;
        for lease in self.orphans.due(clock.ledger()) {
            let at = clock.wall();
            let close = Command::Close(Close { lease, at });
            match decide(&self.parts.journal, close).await {
                Ok(Outcome::Closed { .. } | Outcome::AlreadyClosed) => {
                    self.orphans.closed(lease);
                    closed += 1;
                }
                // The next look asks again; until then the money stays where it is.
                Ok(_) | Err(_) => break,
            }
        }
        if closed > 0 {
            tracing::info!(
                closed,
                "leases of campaigns without a process were closed: what was not billed is given back"
            );
        }
    }
}

impl Server for Roster {
    type Message = RosterMessage;

    async fn handle(&mut self, message: RosterMessage, _: &Context) -> Result<(), Failure> {
        let RosterMessage::Reload(reply) = message;
        // On a thread of its own: a million lines are read, and whoever builds a catalogue is waited for.
        let restocked = self.parts.stock.post.call(Restock).await;
        let reloaded = match restocked {
            Ok(Ok(restocked)) => Ok(self.reload(restocked).await?),
            Ok(Err(faults)) => Err(NotReloaded::Faults(faults)),
            Err(error) => Err(NotReloaded::Stock(error)),
        };
        reply.send(reloaded);
        Ok(())
    }

    fn tick_every(&self) -> Option<Duration> {
        Some(self.parts.look_every)
    }

    async fn tick(&mut self, context: &Context) -> Result<(), Failure> {
        self.look_over(context.clock()).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
