//! Settlement at work: decides what a notice does, has it made durable, and only then says so.
//!
//! The journal is the judge of last resort: what it has booked before is a duplicate, whatever this server remembers. So
//! its memory may be bounded and may be lost; it only spares the journal what is plainly told twice.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::settlement::{Amounts, Notice, Reason, Refusal, State, Verdict, settle};
use super::token::Token;
use crate::campaign::click_rate_server::ClickMessage;
use crate::region::ledger_server::{LedgerMessage, Release};
use crate::store::journal_server::{Booked, Journal, Promised, Unanswered, bill, decide};
use crate::store::movement::{Bill, ImpressionKey, LeaseKey, Win};
use crate::store::writer::{self, Command, Outcome};
use crate::supervision::{Address, Context, Failure, Plane, Post, Reply, Server, Spec, server};
use crate::units::{RegionKey, UnixMillis};

/// Notices that may wait: about a second of what one machine hears. Who finds it full gets a 503 and asks again.
const MAILBOX: usize = 8_192;
/// Notices whose booking may be under way. The journal takes as many.
const BOOKINGS_MAX: usize = 8_192;
/// Impressions remembered, in two generations; older ones are asked of the journal.
const REMEMBERED_MAX: usize = 250_000;
/// How long a booking may take before the exchange is told to ask again.
const BOOK_WITHIN: Duration = Duration::from_secs(2);

/// What settlement is told.
pub enum SettlementMessage {
    /// A notice came with this token.
    Settle(Notice, Box<Token>, Reply<Settled>),
    /// What was decided is durable.
    Done(ImpressionKey, Verdict),
}

/// What became of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// A win is durable.
    Won,
    /// A bill is durable.
    Billed,
    /// A promise was freed.
    Freed,
    /// Nothing had to be done.
    Nothing(Reason),
    /// It is refused for good.
    Refused(Refusal),
    /// It could not be made durable now: ask again.
    Unavailable,
}

impl Settled {
    /// A label for metrics.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Won => "won",
            Self::Billed => "billed",
            Self::Freed => "freed",
            Self::Nothing(reason) => reason.label(),
            Self::Refused(Refusal::PastHorizon) => "past_horizon",
            Self::Refused(Refusal::OutOfRange) => "out_of_range",
            Self::Unavailable => "unavailable",
        }
    }
}

/// Where each region's ledger is reached.
pub type Ledgers = Arc<HashMap<RegionKey, Address<LedgerMessage>>>;

/// What settlement's child is given.
#[derive(Clone)]
pub struct SettlementParts {
    /// Where it hears.
    pub address: Address<SettlementMessage>,
    /// What makes its decisions durable.
    pub journal: Journal,
    /// Where promises are given back.
    pub ledgers: Ledgers,
    /// Who learns how often creatives are clicked. It may be busy or gone: then it learns less.
    pub clicks: Post<ClickMessage>,
    /// What counts bills whose price was not taken as reported.
    pub count_doubt: CountDoubt,
}

/// Counts a bill by why its price was not taken as reported.
pub type CountDoubt = Arc<dyn Fn(&'static str) + Send + Sync>;

/// Settlement as a child.
pub fn settlement(parts: &SettlementParts) -> Spec {
    let (address, parts) = (parts.address.clone(), parts.clone());
    server("settlement", &address, Plane::Control, MAILBOX, move |_| {
        let settlement = Settlement {
            parts: parts.clone(),
            recent: HashMap::new(),
            former: HashMap::new(),
        };
        async move { Ok(settlement) }
    })
}

struct Settlement {
    parts: SettlementParts,
    recent: HashMap<ImpressionKey, State>,
    former: HashMap<ImpressionKey, State>,
}

impl Settlement {
    fn state(&self, key: &ImpressionKey) -> State {
        self.recent
            .get(key)
            .or_else(|| self.former.get(key))
            .copied()
            .unwrap_or_default()
    }

    fn remember(&mut self, key: ImpressionKey, state: State) {
        if self.recent.len() >= REMEMBERED_MAX {
            self.former = std::mem::take(&mut self.recent);
        }
        self.recent.insert(key, state);
    }

    fn settle(&mut self, notice: Notice, token: &Token, reply: Reply<Settled>, context: &Context) {
        let now = context.clock().wall();
        let key = ImpressionKey {
            bid: token.bid,
            imp: token.imp,
        };
        let state = self.state(&key);
        let verdict = settle(state, notice, token, now);
        match verdict {
            Verdict::Nothing(reason) => {
                if (notice, reason) == (Notice::Click, Reason::Noted) {
                    drop(
                        self.parts
                            .clicks
                            .cast(ClickMessage::Clicked(key, token.creative)),
                    );
                }
                reply.send(Settled::Nothing(reason));
            }
            Verdict::Refused(refusal) => drop(reply.send(Settled::Refused(refusal))),
            Verdict::Release => {
                self.remember(key, state.after(&verdict));
                if context.clock().ledger() >= token.expires_at {
                    reply.send(Settled::Nothing(Reason::Late));
                } else {
                    self.release(key, token);
                    reply.send(Settled::Freed);
                }
            }
            Verdict::Win(amounts) => {
                let win = win(key, token, amounts, now);
                let journal = self.parts.journal.clone();
                let booking = async move { decide(&journal, Command::Win(win)).await };
                self.book((key, verdict), booking, reply, context);
            }
            Verdict::Bill(amounts) => {
                let booked = booked(key, token, amounts, now);
                let journal = self.parts.journal.clone();
                let (clicks, creative) = (self.parts.clicks.clone(), token.creative);
                let count_doubt = Arc::clone(&self.parts.count_doubt);
                let booking = async move {
                    let outcome = bill(&journal, booked).await;
                    // The journal says so of each impression once, also over a restart.
                    if matches!(outcome, Ok(Outcome::Billed { .. })) {
                        drop(clicks.cast(ClickMessage::Billed(key, creative)));
                        if let Some(doubt) = amounts.doubt {
                            count_doubt(doubt.label());
                        }
                    }
                    outcome
                };
                self.book((key, verdict), booking, reply, context);
            }
        }
    }

    /// Waits for the journal beside this server's other work, then answers.
    fn book(
        &self,
        (key, verdict): (ImpressionKey, Verdict),
        booking: impl Future<Output = Result<Outcome, Unanswered>> + Send + 'static,
        reply: Reply<Settled>,
        context: &Context,
    ) {
        if context.owned_tasks() >= BOOKINGS_MAX {
            reply.send(Settled::Unavailable);
            return;
        }
        // What a predecessor learns is the journal's to tell.
        let own = self.parts.address.whereis();
        context.spawn_on(Plane::Control, async move {
            let outcome = tokio::time::timeout(BOOK_WITHIN, booking).await;
            let settled = match outcome {
                Ok(Ok(Outcome::Won)) => Settled::Won,
                Ok(Ok(Outcome::Billed { .. })) => Settled::Billed,
                Ok(Ok(Outcome::AlreadyWon | Outcome::AlreadyBilled)) => {
                    Settled::Nothing(Reason::Duplicate)
                }
                Ok(Ok(Outcome::Refused(writer::Refusal::TooOld))) => {
                    Settled::Refused(Refusal::PastHorizon)
                }
                Ok(Ok(Outcome::Refused(
                    writer::Refusal::BadAmount | writer::Refusal::Overflow,
                ))) => Settled::Refused(Refusal::OutOfRange),
                Ok(Ok(_) | Err(_)) | Err(_) => Settled::Unavailable,
            };
            reply.send(settled);
            if matches!(
                settled,
                Settled::Won | Settled::Billed | Settled::Nothing(_)
            ) {
                // Lost with this server's mailbox, it is asked of the journal again.
                if let Some(own) = own {
                    drop(own.send(SettlementMessage::Done(key, verdict)).await);
                }
            }
        });
    }

    fn release(&self, key: ImpressionKey, token: &Token) {
        let Some(ledger) = self.parts.ledgers.get(&token.region) else {
            return;
        };
        let release = Release {
            key,
            campaign: token.campaign,
            advertiser: token.advertiser,
            epoch: token.epoch,
            day: token.day,
            promised: promised(token),
            user: token.user,
        };
        // A ledger that is down or busy lets the promise lapse.
        drop(ledger.cast(LedgerMessage::Release(release)));
    }
}

impl Server for Settlement {
    type Message = SettlementMessage;

    async fn handle(
        &mut self,
        message: SettlementMessage,
        context: &Context,
    ) -> Result<(), Failure> {
        match message {
            SettlementMessage::Settle(notice, token, reply) => {
                self.settle(notice, &token, reply, context);
            }
            SettlementMessage::Done(key, verdict) => {
                let state = self.state(&key).after(&verdict);
                self.remember(key, state);
            }
        }
        Ok(())
    }
}

fn promised(token: &Token) -> Promised {
    Promised {
        reserved: token.reserved,
        hold: token.hold,
        expires_at: token.expires_at,
    }
}

fn win(key: ImpressionKey, token: &Token, amounts: Amounts, at: UnixMillis) -> Win {
    Win {
        key,
        campaign: token.campaign,
        region: token.region,
        exchange: token.exchange,
        price: amounts.price,
        bid_at: token.bid_at,
        at,
    }
}

fn booked(key: ImpressionKey, token: &Token, amounts: Amounts, at: UnixMillis) -> Booked {
    let bill = Bill {
        key,
        lease: LeaseKey {
            campaign: token.campaign,
            region: token.region,
            epoch: token.epoch,
        },
        day: token.day,
        advertiser: token.advertiser,
        creative: token.creative,
        exchange: token.exchange,
        cost: amounts.cost,
        currency: token.currency,
        charge: amounts.charge,
        user: token.user,
        bid_at: token.bid_at,
        at,
    };
    Booked {
        bill,
        promised: promised(token),
    }
}

#[cfg(test)]
mod tests {
    use super::super::settlement::tests::{BID_AT, token};
    use super::super::token::BillingEvent;
    use super::*;
    use crate::clock::Clock;
    use crate::supervision::{Limit, Planes, Strategy, Supervisor, Tree};
    use crate::units::LedgerTime;

    #[tokio::test]
    async fn a_loss_frees_a_promise_once_and_only_before_it_lapses() {
        let (clock, hands) = Clock::manual(BID_AT);
        let handle = tokio::runtime::Handle::current();
        let tree = Tree::new(Planes::single(handle), clock.clone());
        let parts = SettlementParts {
            address: Address::new(),
            journal: Journal::new(),
            ledgers: Ledgers::default(),
            clicks: Post::new(),
            count_doubt: Arc::new(|_| {}),
        };
        let limit = Limit::new(0, Duration::from_secs(1));
        let top = Supervisor::new(Strategy::OneForOne, limit).child(settlement(&parts));
        tree.start(top).await.unwrap();
        let token = |imp| Token {
            imp,
            expires_at: LedgerTime::from_millis(BID_AT.get() + 60_000),
            ..token(BillingEvent::Impression)
        };
        let lose = async |imp| {
            let token = Box::new(token(imp));
            let settle = |reply| SettlementMessage::Settle(Notice::Loss, token, reply);
            parts.address.call(settle).await.unwrap()
        };
        hands.advance(Duration::from_millis(59_999));
        assert_eq!(lose(0).await, Settled::Freed);
        assert_eq!(lose(0).await, Settled::Nothing(Reason::Duplicate));
        hands.advance(Duration::from_millis(1));
        assert_eq!(lose(1).await, Settled::Nothing(Reason::Late));
        assert_eq!(lose(1).await, Settled::Nothing(Reason::Duplicate));
        tree.stop().await;
    }
}
