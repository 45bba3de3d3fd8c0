//! A campaign's own process: it owns the budget and leases slices of it to regions.
//!
//! ```text
//!              asked, and the store granted            not renewed, or the region took a new one
//!   (nothing) ─────────────────────────────▶ live ──────────────────────────────────────────────▶ sealed
//!                                             │ ▲                                                   │ the longest hold has passed
//!                                             └─┘ renewed, topped up                                ▼
//!                                                                                        closed: the store returned its rest
//! ```
//!
//! Regions call campaigns; campaigns never call regions. What a lease may be is decided here, what money there is by the
//! store, at its place in the journal. A campaign that restarts finds its leases in the books and gives each the time to
//! be renewed.

mod directory;
mod lease;
mod terms;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

pub use directory::{Directory, Place};
pub use lease::{LeaseWish, Leased, NoLease};
pub use terms::budget_of;
use terms::{open_leases, shared, why_no_lease};

use super::Campaign;
use super::budget::{Budget, LEASE_TTL};
use crate::clock::Clock;
use crate::store::books::Books;
use crate::store::journal_server::{Journal, Unanswered, decide, read, read_when_up};
use crate::store::movement::{LeaseKey, Share};
use crate::store::writer::{Ceilings, Close, Command, Grant, LeaseChoice, Outcome, Refusal};
use crate::supervision::{Context, Failure, Limit, Plane, Reply, Server, Spec, server};
use crate::units::{BudgetDay, Epoch, LedgerTime, Nanos, RegionKey, UnixMillis};

/// Regions times what one may ask before it hears an answer; beyond that a region asks again.
const MAILBOX: usize = 64;

/// How often leases are looked over. They live for a minute and close after minutes, so seconds do not matter.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What a campaign is asked.
pub enum CampaignMessage {
    /// A region wants to spend.
    Lease(LeaseWish, Reply<Result<Leased, NoLease>>),
    /// The campaign's configuration changed: its place has the newest.
    Configure,
}

/// A campaign's process as a child of the pool, which enters its arrival in the directory. `hold_longest` is how long after
/// a bid its bill may come; over `own_limit` it is set aside, and the others go on.
pub fn process(
    (place, directory): (&Place, &Directory),
    journal: &Journal,
    hold_longest: Duration,
    own_limit: Limit,
) -> Spec {
    let (newest, journal) = (Arc::clone(&place.newest), journal.clone());
    let directory = directory.clone();
    let spec = server(
        &newest.load_full().id,
        &place.address,
        Plane::Control,
        MAILBOX,
        move |context| {
            let (newest, journal) = (Arc::clone(&newest), journal.clone());
            let directory = directory.clone();
            async move {
                let clock = context.clock().clone();
                let server = CampaignServer::start(newest, journal, hold_longest, clock).await?;
                let key = server.campaign.key;
                // Before anybody can ask it for anything.
                directory.arrived(key);
                Ok(server)
            }
        },
    );
    spec.set_aside_over(own_limit)
}

struct CampaignServer {
    newest: Arc<ArcSwap<Campaign>>,
    campaign: Arc<Campaign>,
    budget: Budget,
    journal: Journal,
    clock: Clock,
    hold_longest: Duration,
    leases: HashMap<(RegionKey, Epoch), Held>,
    /// Whether the journal went down over a grant, which may or may not have happened.
    is_unsure: bool,
    /// What the log was told last of why the books grant nothing.
    refused: Option<Refusal>,
}

struct Held {
    day: BudgetDay,
    share: Option<Share>,
    state: LeaseState,
}

#[derive(Clone, Copy)]
enum LeaseState {
    Live { expires_at: LedgerTime },
    Sealed { closes_at: LedgerTime },
}

impl CampaignServer {
    async fn start(
        newest: Arc<ArcSwap<Campaign>>,
        journal: Journal,
        hold_longest: Duration,
        clock: Clock,
    ) -> Result<Self, Failure> {
        let campaign = newest.load_full();
        let budget = budget_of(&campaign)?;
        let key = campaign.key;
        let open = read_when_up(&journal, move |books: &Books| open_leases(books, key)).await;
        let expires_at = clock.ledger().plus(LEASE_TTL);
        let held = |(region, epoch, day, share)| {
            (
                (region, epoch),
                Held {
                    day,
                    share,
                    state: LeaseState::Live { expires_at },
                },
            )
        };
        let leases = open.into_iter().map(held).collect();
        Ok(Self {
            newest,
            campaign,
            budget,
            journal,
            clock,
            hold_longest,
            leases,
            is_unsure: false,
            refused: None,
        })
    }

    fn follow_configuration(&mut self) -> Result<(), Failure> {
        let newest = self.newest.load_full();
        self.budget = budget_of(&newest)?;
        self.campaign = newest;
        Ok(())
    }

    async fn lease(&mut self, wish: LeaseWish) -> Result<Leased, NoLease> {
        let (wall, now) = (self.clock.wall(), self.clock.ledger());
        let campaign = Arc::clone(&self.campaign);
        if !campaign.active || !self.budget.is_active(wall) {
            return Err(NoLease::Inactive);
        }
        let day = self.budget.day_at(wall);
        let shared = shared(&campaign, wall);
        let share = shared.map(|(share, _)| share);
        let choice = match wish.held {
            None => {
                // Whatever it had before it started is in doubt now.
                self.seal_all_of(wish.region, now);
                LeaseChoice::New
            }
            Some(epoch) if self.is_live((wish.region, epoch), (day, share)) => {
                LeaseChoice::TopUp(epoch)
            }
            Some(_) => return Err(NoLease::Ended),
        };
        let expires_at = self.expiry((day, share), wall, now);
        let shared_day = shared.map_or(Nanos::new(i64::MAX), |(_, ceilings)| ceilings.day);
        let slice = self.budget.slice(campaign.price_max(), shared_day);
        let (epoch, amount) = match choice {
            LeaseChoice::TopUp(epoch) if !wish.money => (epoch, Nanos::ZERO),
            _ => match self.grant(wish.region, (day, shared), choice, slice).await {
                // A region that holds a lease keeps it, though there is no more money.
                Err(why @ (NoLease::Exhausted | NoLease::Refused(_))) => {
                    (wish.held.ok_or(why)?, Nanos::ZERO)
                }
                granted => granted?,
            },
        };
        self.leases.insert(
            (wish.region, epoch),
            Held {
                day,
                share,
                state: LeaseState::Live { expires_at },
            },
        );
        Ok(Leased {
            epoch,
            day,
            amount,
            expires_at,
            low_water: Nanos::new(slice.get() / 2),
        })
    }

    async fn grant(
        &mut self,
        region: RegionKey,
        (day, shared): (BudgetDay, Option<(Share, Ceilings)>),
        lease: LeaseChoice,
        want: Nanos,
    ) -> Result<(Epoch, Nanos), NoLease> {
        let campaign = self.campaign.key;
        let (ceilings, at) = (self.budget.ceilings(), self.clock.wall());
        let grant = Grant {
            campaign,
            region,
            day,
            lease,
            want,
            ceilings,
            shared,
            at,
        };
        match decide(&self.journal, Command::Grant(grant)).await {
            Ok(Outcome::Granted { lease, amount }) => {
                self.refused = None;
                Ok((lease.epoch, amount))
            }
            Ok(Outcome::Refused(refusal)) => {
                let why = why_no_lease(refusal);
                self.tell(why);
                Err(why)
            }
            Ok(_) => Err(NoLease::Exhausted),
            Err(unanswered) => {
                self.is_unsure |= unanswered == Unanswered::Down;
                Err(NoLease::Store)
            }
        }
    }

    /// Says in the log, once, that the books grant nothing though there is money: an operator sees only that bids end.
    fn tell(&mut self, why: NoLease) {
        let refused = match why {
            NoLease::Refused(refusal) => Some(refusal),
            _ => None,
        };
        if let Some(refusal) = refused.filter(|_| self.refused != refused) {
            tracing::error!(campaign = %self.campaign.id, %refusal, "the books grant a campaign nothing");
        }
        self.refused = refused;
    }

    /// Whether a lease is open that is of this day, and of this share of the advertiser's budget.
    fn is_live(
        &self,
        lease: (RegionKey, Epoch),
        (today, share): (BudgetDay, Option<Share>),
    ) -> bool {
        self.leases.get(&lease).is_some_and(|held| {
            (held.day, held.share) == (today, share)
                && matches!(held.state, LeaseState::Live { .. })
        })
    }

    /// When a lease given now ends, in ledger time: with its day, and with its advertiser's.
    fn expiry(
        &self,
        (day, share): (BudgetDay, Option<Share>),
        wall: UnixMillis,
        now: LedgerTime,
    ) -> LedgerTime {
        let own = self.budget.lease_expires(day, wall);
        let ends = share.map_or(own, |share| {
            let budget = &self.campaign.advertiser.budget;
            own.min(budget.day_ends(share.day))
        });
        let left_ms = ends.get().saturating_sub(wall.get());
        now.plus(Duration::from_millis(u64::try_from(left_ms).unwrap_or(0)))
    }

    fn seal_all_of(&mut self, region: RegionKey, now: LedgerTime) {
        let closes_at = now.plus(self.hold_longest);
        for (_, held) in self
            .leases
            .iter_mut()
            .filter(|((holder, _), _)| *holder == region)
        {
            if let LeaseState::Live { .. } = held.state {
                held.state = LeaseState::Sealed { closes_at };
            }
        }
    }

    /// Takes on leases that are in the books and that nobody was told of: sealed from the start, they are closed like any
    /// other.
    async fn adopt(&mut self) {
        let key = self.campaign.key;
        let Ok(open) = read(&self.journal, move |books| open_leases(books, key)).await else {
            return;
        };
        let closes_at = self.clock.ledger().plus(self.hold_longest);
        for (region, epoch, day, share) in open {
            let state = LeaseState::Sealed { closes_at };
            self.leases
                .entry((region, epoch))
                .or_insert(Held { day, share, state });
        }
        self.is_unsure = false;
    }

    /// Seals what was not renewed, and closes what has been sealed for the longest hold.
    async fn look_over(&mut self) {
        let now = self.clock.ledger();
        let mut due = Vec::new();
        for (&lease, held) in &mut self.leases {
            match held.state {
                LeaseState::Live { expires_at } if expires_at <= now => {
                    held.state = LeaseState::Sealed {
                        closes_at: expires_at.plus(self.hold_longest),
                    };
                }
                LeaseState::Sealed { closes_at } if closes_at <= now => due.push(lease),
                LeaseState::Live { .. } | LeaseState::Sealed { .. } => {}
            }
        }
        let campaign = self.campaign.key;
        for (region, epoch) in due {
            let close = Close {
                lease: LeaseKey {
                    campaign,
                    region,
                    epoch,
                },
                at: self.clock.wall(),
            };
            if let Ok(Outcome::Closed { .. } | Outcome::AlreadyClosed) =
                decide(&self.journal, Command::Close(close)).await
            {
                self.leases.remove(&(region, epoch));
            }
            // Otherwise the next look asks again; until then its money stays where it is.
        }
    }
}

impl Server for CampaignServer {
    type Message = CampaignMessage;

    /// Who says that it changed finds nobody while it starts.
    async fn handle_continue(&mut self, _context: &Context) -> Result<(), Failure> {
        self.follow_configuration()
    }

    async fn handle(
        &mut self,
        message: CampaignMessage,
        _context: &Context,
    ) -> Result<(), Failure> {
        match message {
            CampaignMessage::Lease(wish, reply) => {
                let leased = self.lease(wish).await;
                // A region that stopped waiting asks again: the lease is in the books and is renewed or closed.
                reply.send(leased);
            }
            CampaignMessage::Configure => self.follow_configuration()?,
        }
        Ok(())
    }

    fn tick_every(&self) -> Option<Duration> {
        Some(LOOK_EVERY)
    }

    async fn tick(&mut self, _context: &Context) -> Result<(), Failure> {
        if self.is_unsure {
            self.adopt().await;
        }
        self.look_over().await;
        Ok(())
    }
}
