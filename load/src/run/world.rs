//! What a run's requests share. One thread, so nothing is locked.

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::HOST;

use super::bare::Bare;
use crate::auction;
use crate::check;
use crate::clock;
use crate::notices::{self, Desk, Sale};
use crate::oracle::{Entry, Offer};
use crate::pacer::Due;
use crate::rng::{Purpose, Rng};
use crate::scenario::Scenario;
use crate::tally::{Ending, Lateness, Place, Tally};
use crate::traffic::Planned;
use crate::volley::Shell;
use crate::wire::{Content, Ended, Errand, Job, Lane, Limits, Pool, Target};

/// How long a readiness check may take.
const READY_WITHIN: Duration = Duration::from_secs(1);

pub(super) struct World {
    pub(super) scenario: Scenario,
    pub(super) tally: Rc<RefCell<Tally>>,
    pub(super) desk: Rc<Desk>,
    sender: Sender,
}

/// How requests leave.
enum Sender {
    /// Counted only.
    Bare(Bare),
    /// Each answer is judged; a lane for each exchange of the scenario.
    Judged(Vec<Rc<Lane<Judged>>>),
}

/// Answers of one exchange's requests are judged, and bids auctioned.
struct Judged {
    world: Weak<World>,
}

impl Errand for Judged {
    type Item = Planned;
    type Kept = Content;

    fn ended(&self, job: Job<Planned>, how: Ended<&Content>) {
        // The last answers may come when everything is being put away.
        if let Some(world) = self.world.upgrade() {
            world.ended(&job, how);
        }
    }
}

impl World {
    /// `prepared` are the requests of a run without checks. Must be called inside `tasks::run`.
    pub(super) fn new(scenario: Scenario, prepared: Option<&[Planned]>) -> Rc<Self> {
        let tally = Tally::new(scenario.exchanges.len(), scenario.traffic.regions.len())
            .with_time(&scenario.expectations.phases, scenario.give_up);
        let tally = Rc::new(RefCell::new(tally));
        Rc::new_cyclic(|world| {
            let sender = match prepared {
                Some(prepared) => Sender::Bare(Bare::new(&scenario, prepared, &tally)),
                None => Sender::Judged(lanes(&scenario, world)),
            };
            Self {
                tally,
                desk: Desk::new(scenario.notices.clone()),
                sender,
                scenario,
            }
        })
    }

    /// Requests without an end.
    pub(super) fn in_flight(&self) -> u64 {
        match &self.sender {
            Sender::Bare(bare) => bare.unfinished(),
            Sender::Judged(lanes) => {
                let unfinished: usize = lanes.iter().map(|lane| lane.unfinished()).sum();
                u64::try_from(unfinished).unwrap_or(u64::MAX)
            }
        }
    }

    /// Whether a readiness check answers with a 2xx.
    pub(super) async fn is_ready(&self, ready: &Target) -> Result<(), String> {
        let request = Request::get(ready.path.as_str())
            .header(HOST, ready.authority.as_str())
            .body(Full::new(Bytes::new()))
            .map_err(|error| error.to_string())?;
        let pool = Pool::new(&ready.authority, 1);
        let sending = pool.send(request);
        match clock::before(clock::now() + READY_WITHIN, sending).await {
            None => Err("no answer within a second".to_owned()),
            Some(Err(error)) => Err(error.to_string()),
            Some(Ok(answer)) if answer.status.is_success() => Ok(()),
            Some(Ok(answer)) => Err(format!("status {}", answer.status)),
        }
    }

    /// Sends a request that is due.
    pub(super) fn send(&self, due: Due<Planned>) {
        let lag = clock::since(due.at);
        self.tally.borrow_mut().started(due.at, lag);
        let lanes = match &self.sender {
            Sender::Bare(bare) => return bare.send(&due),
            Sender::Judged(lanes) => lanes,
        };
        let Due { at, mut item } = due;
        if let Some(lane) = lanes.get(item.exchange) {
            let request = Shell::take(&mut item).bytes(lane.target());
            lane.offer(Job { at, request, item });
        }
    }

    fn ended(&self, job: &Job<Planned>, how: Ended<&Content>) {
        let (at, planned) = (job.at, &job.item);
        let latency = clock::since(at);
        let ending = match how {
            Ended::Failed(kind, what) => Ending::Failed { kind, what },
            Ended::Answered(status, content) => self.judge(planned, (status, content), latency),
        };
        let latency = match ending {
            Ending::Answered { .. } => latency,
            // Who breaks a connection rather than answer late is not faster for it.
            Ending::Failed { .. } => latency.max(self.scenario.give_up),
        };
        let place = Place {
            exchange: planned.exchange,
            region: planned.asked.region,
            at,
        };
        self.tally.borrow_mut().ended(place, latency, ending);
    }

    /// Judges an answer; one in time goes to auction.
    fn judge(&self, planned: &Planned, answer: (u16, &Content), latency: Duration) -> Ending {
        let verdict = check::judge(&self.scenario, &planned.asked, answer);
        let bids = u64::try_from(verdict.bids.len()).unwrap_or(u64::MAX);
        self.tally.borrow_mut().slowness.answered(latency, bids > 0);
        let entries = self.enter(planned, &verdict.bids, latency);
        let lateness = if latency > Duration::from_millis(planned.asked.tmax_ms) {
            Lateness::Late
        } else {
            self.auction(planned, &verdict.bids, &entries);
            Lateness::InTime
        };
        Ending::Answered {
            bids,
            faults: verdict.faults,
            lateness,
        }
    }

    /// Tells the oracle of every bid, in time or not.
    fn enter(
        &self,
        planned: &Planned,
        bids: &[check::SoundBid<'_>],
        latency: Duration,
    ) -> Vec<Option<Entry>> {
        let asked = &planned.asked;
        if asked.is_test {
            return vec![None; bids.len()];
        }
        let answered_ms = self.desk.wall().now_ms();
        let took_ms = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
        let offer = |bid: &check::SoundBid<'_>| {
            let offer = Offer {
                campaign: &bid.campaign,
                currency: &bid.currency,
                price: bid.price,
                person: asked.person,
                left_ms: answered_ms.saturating_sub(took_ms),
                answered_ms,
            };
            self.desk.with_oracle(|oracle| oracle.bid(&offer))
        };
        bids.iter().map(offer).collect()
    }

    fn auction(&self, planned: &Planned, bids: &[check::SoundBid<'_>], entries: &[Option<Entry>]) {
        let mut rng = Rng::of(self.scenario.seed, Purpose::Auction, planned.index);
        let settings = &self.scenario.notices;
        let exchange = self.scenario.exchanges.get(planned.exchange);
        let keys = exchange.and_then(|exchange| settings.price_keys.get(&exchange.name));
        let ended_ms = self.desk.wall().now_ms();
        for decided in auction::decide(&self.scenario, &planned.asked, bids, &mut rng) {
            self.tally.borrow_mut().auctions.add(&decided.end);
            let sale = Sale {
                asked: &planned.asked,
                keys,
                ended_ms,
                entry: entries.get(decided.place).copied().flatten(),
            };
            for notice in notices::plan(settings, &sale, &decided, &mut rng) {
                self.desk.post(notice);
            }
        }
    }
}

fn lanes(scenario: &Scenario, world: &Weak<World>) -> Vec<Rc<Lane<Judged>>> {
    let limits = Limits {
        connections: scenario.connections_max,
        depth: 1,
        give_up: scenario.give_up,
    };
    let start = |target: &Target| {
        let world = Weak::clone(world);
        Lane::start(target.clone(), limits, Judged { world })
    };
    let exchanges = scenario.exchanges.iter();
    exchanges.map(|exchange| start(&exchange.target)).collect()
}
