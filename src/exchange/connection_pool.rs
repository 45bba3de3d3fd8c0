//! An exchange's connections: limits, keep-alive, admission, and the way from a request's bytes to an answer's.
//!
//! The pool takes sockets from the [`Doorstep`] and gives each to the data thread with the fewest connections, as a task
//! that ends with the pool. A connection calls the bid engine and the serializer inline: whichever panics is that child's
//! crash, and the answer is a 204. When the pool goes, its connections answer what they have in hand and close.

use std::sync::Arc;
use std::time::Duration;

use super::bid_engine::{BidCall, BidEngine, Verdict};
use super::doorstep::Doorstep;
use super::outcome::{Crash, Outcome, Reject, Shed};
use super::serializer::Serializer;
use crate::clock::Clock;
use crate::http::{
    Answer, Berth, ContentType, DataThreads, Head, Limits, Methods, Request, Route, Service,
    StatusCode, serve_connection,
};
use crate::supervision::{CallError, Context, Failure, Plane, Shutdown, Spec, Stage, task};
use crate::units::Monotonic;

const ROUTES: &[Route] = &[
    Route::new("/bid", Methods::Post),
    Route::new("/ready", Methods::Get),
];
const BID: usize = 0;

/// Connections close at an age within this part of the maximum, so that they do not all come back at once.
const AGE_SPREAD: u32 = 4;

/// What a pool may take to end beyond the time its connections have for what they have in hand.
const KILLED_AFTER: Duration = Duration::from_secs(1);

/// Counts a request: data thread, outcome, how long it took.
pub type CountRequest = Arc<dyn Fn(usize, Outcome, Duration) + Send + Sync>;

/// What an exchange's pool is given, and its stand-in too.
#[derive(Clone)]
pub struct PoolParts {
    /// The exchange's name, for logs.
    pub name: Arc<str>,
    /// Where its sockets wait.
    pub doorstep: Doorstep,
    /// The data threads.
    pub threads: DataThreads,
    /// What a connection may take.
    pub limits: Limits,
    /// Connections beyond it are closed at once.
    pub connections_max: usize,
    /// Whether answers are packed for who asks.
    pub packs: bool,
    /// What decides.
    pub engine: Stage<BidEngine>,
    /// What writes.
    pub serializer: Stage<Serializer>,
    /// What counts.
    pub count: CountRequest,
}

/// The pool as a child.
pub fn connection_pool(parts: &PoolParts) -> Spec {
    pool("connection_pool", parts, Mode::Bidding)
}

/// What stands in for an exchange that went over its limit: every request is answered 204 at once.
pub fn degraded_pool(parts: &PoolParts) -> Spec {
    pool("degraded", parts, Mode::Degraded)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Bidding,
    Degraded,
}

fn pool(id: &str, parts: &PoolParts, mode: Mode) -> Spec {
    let parts = parts.clone();
    let patience = parts.limits.drain_timeout + KILLED_AFTER;
    let spec = task(id, Plane::Control, move |context| {
        let parts = parts.clone();
        async move { run(&parts, mode, &context).await }
    });
    spec.shutdown(Shutdown::Within(patience))
}

async fn run(parts: &PoolParts, mode: Mode, context: &Context) -> Result<(), Failure> {
    context.ready();
    // Whoever kept the door before may still be answering what it has in hand.
    let mut door = tokio::select! {
        biased;
        _ = context.stopped() => return Ok(()),
        door = parts.doorstep.keep() => door,
    };
    loop {
        let socket = tokio::select! {
            biased;
            _ = context.stopped() => return Ok(()),
            socket = door.next() => socket,
        };
        if context.owned_tasks() >= parts.connections_max {
            tracing::warn!(exchange = %parts.name, limit = parts.connections_max, "a connection over the limit is closed");
            continue;
        }
        serve(parts, mode, context, socket);
    }
}

fn serve(parts: &PoolParts, mode: Mode, context: &Context, socket: std::net::TcpStream) {
    let berth = parts.threads.berth();
    let thread = berth.number();
    let child = context.clone();
    let mut random = fastrand::Rng::new();
    let mut limits = parts.limits;
    let spread = limits.max_age / AGE_SPREAD;
    limits.max_age -=
        Duration::from_millis(random.u64(0..=u64::try_from(spread.as_millis()).unwrap_or(0)));
    let service = BidService {
        parts: parts.clone(),
        mode,
        berth,
        clock: context.clock().clone(),
        random,
        child: context.clone(),
    };
    let spawned = context.spawn_on(Plane::Data(thread), async move {
        let Ok(stream) = tokio::net::TcpStream::from_std(socket) else {
            return;
        };
        let closing = async {
            child.stopped().await;
        };
        serve_connection(stream, limits, service, closing, child.clock().clone()).await;
    });
    if !spawned {
        // The thread is being restarted; the exchange connects again.
        tracing::warn!(exchange = %parts.name, thread, "no data thread for a connection");
    }
}

/// What answers on one connection.
struct BidService {
    parts: PoolParts,
    mode: Mode,
    berth: Berth,
    clock: Clock,
    random: fastrand::Rng,
    child: Context,
}

impl Service for BidService {
    fn routes(&self) -> &'static [Route] {
        ROUTES
    }

    fn admit(&mut self, head: &Head<'_>) -> Result<(), Answer> {
        if head.route != BID {
            return Ok(());
        }
        let shed = if self.mode == Mode::Degraded {
            Shed::Degraded
        } else if self.child.is_stopping() {
            Shed::Closing
        } else if self.berth.load().is_some_and(crate::http::Load::sheds) {
            Shed::Overloaded
        } else {
            return Ok(());
        };
        self.count(Outcome::Shed(shed), head.arrived);
        Err(Answer::no_content())
    }

    fn answer(&mut self, request: Request<'_>) -> Answer {
        if request.head.route != BID {
            return self.ready();
        }
        let (answer, outcome) = self.bid(&request);
        self.count(outcome, request.head.arrived);
        answer
    }

    fn refused(&mut self, status: StatusCode, arrived: Monotonic) {
        self.count(Outcome::Reject(Reject::of_status(status)), arrived);
    }
}

impl BidService {
    fn bid(&mut self, request: &Request<'_>) -> (Answer, Outcome) {
        // What it waited in the socket before this thread could see it counts as its age too.
        let waited = self
            .berth
            .load()
            .map_or(Duration::ZERO, crate::http::Load::late);
        let call = BidCall {
            body: request.body,
            arrived: request.head.arrived,
            waited,
            thread: self.berth.number(),
            clock: &self.clock,
        };
        let random = &mut self.random;
        let verdict = match self.parts.engine.call(|engine| engine.bid(&call, random)) {
            Ok(verdict) => verdict,
            Err(CallError::Restarting) => {
                return (Answer::no_content(), Outcome::Shed(Shed::Restarting));
            }
            Err(CallError::Crashed) => {
                return (Answer::no_content(), Outcome::Crash(Crash::BidEngine));
            }
        };
        let decided = match verdict {
            Verdict::Bid(decided) => decided,
            Verdict::Pass(reason) => return (Answer::no_content(), Outcome::Pass(reason)),
            Verdict::Late => return (Answer::no_content(), Outcome::Shed(Shed::Late)),
            Verdict::Reject(error) => {
                return (
                    Answer::empty(StatusCode::BAD_REQUEST),
                    Outcome::Reject(Reject::Decode(error)),
                );
            }
        };
        match self
            .parts
            .serializer
            .call(|serializer| serializer.write(&decided))
        {
            Ok(body) => {
                // From here the promises stand; a bid that was not written gives them back when it is dropped.
                decided.sent();
                let answer = Answer::new(StatusCode::OK, ContentType::JSON, body);
                let answer = if self.parts.packs {
                    answer.packed()
                } else {
                    answer
                };
                (answer, Outcome::Bid)
            }
            Err(CallError::Restarting) => (Answer::no_content(), Outcome::Shed(Shed::Restarting)),
            Err(CallError::Crashed) => (Answer::no_content(), Outcome::Crash(Crash::Serializer)),
        }
    }

    /// Some exchanges look for the digit 1 in the body.
    fn ready(&self) -> Answer {
        let ready = self.mode == Mode::Bidding
            && self.parts.engine.is_up()
            && self.parts.serializer.is_up();
        if ready {
            Answer::text(StatusCode::OK, "1")
        } else {
            Answer::text(StatusCode::SERVICE_UNAVAILABLE, "0")
        }
    }

    fn count(&self, outcome: Outcome, arrived: Monotonic) {
        (self.parts.count)(
            self.berth.number(),
            outcome,
            self.clock.monotonic().since(arrived),
        );
    }
}
