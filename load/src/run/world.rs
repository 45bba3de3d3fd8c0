//! What a run's requests share. One thread, so nothing is locked.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderName, HeaderValue};

use super::bare::Bare;
use crate::auction;
use crate::check;
use crate::notices::{self, Desk, Sale};
use crate::oracle::{Entry, Offer};
use crate::pacer::Due;
use crate::rng::{Purpose, Rng};
use crate::scenario::Scenario;
use crate::tally::{Ending, Lateness, Place, Tally};
use crate::traffic::{Coding, Planned};
use crate::wire::{Answer, Pool, Target, WireError};
use crate::{clock, tasks};

const OPENRTB_VERSION: HeaderName = HeaderName::from_static("x-openrtb-version");
/// How long a readiness check may take.
const READY_WITHIN: Duration = Duration::from_secs(1);

pub(super) struct World {
    pub(super) scenario: Scenario,
    pub(super) tally: Rc<RefCell<Tally>>,
    pub(super) desk: Rc<Desk>,
    in_flight: Cell<u64>,
    /// Set where nothing is checked.
    bare: Option<Bare>,
    /// One per exchange of the scenario.
    pools: Vec<Pool>,
}

impl World {
    /// `prepared` are the requests of a run without checks.
    pub(super) fn new(scenario: Scenario, prepared: Option<&[Planned]>) -> Self {
        let tally = Tally::new(scenario.exchanges.len(), scenario.traffic.regions.len())
            .with_time(&scenario.expectations.phases, scenario.give_up);
        let pools = scenario.exchanges.iter();
        let pools = pools
            .map(|exchange| Pool::new(&exchange.target.authority, scenario.connections_max))
            .collect();
        let tally = Rc::new(RefCell::new(tally));
        let bare = prepared.map(|prepared| Bare::new(&scenario, prepared, &tally));
        Self {
            tally,
            bare,
            desk: Rc::new(Desk::new(scenario.notices.clone())),
            in_flight: Cell::new(0),
            pools,
            scenario,
        }
    }

    /// Requests without an end.
    pub(super) fn in_flight(&self) -> u64 {
        self.in_flight.get() + self.bare.as_ref().map_or(0, Bare::unfinished)
    }

    /// Whether a readiness check answers with a 2xx.
    pub(super) async fn is_ready(&self, ready: &Target) -> Result<(), String> {
        let request = Request::get(ready.path.as_str())
            .header(HOST, ready.authority.as_str())
            .body(Full::new(Bytes::new()))
            .map_err(|error| error.to_string())?;
        let pool = Pool::new(&ready.authority, 1);
        let sending = pool.send(request, &|_| {});
        match clock::before(clock::now() + READY_WITHIN, sending).await {
            None => Err("no answer within a second".to_owned()),
            Some(Err(error)) => Err(error.to_string()),
            Some(Ok(answer)) if answer.status.is_success() => Ok(()),
            Some(Ok(answer)) => Err(format!("status {}", answer.status)),
        }
    }

    /// Sends a request that is due, in a task of its own.
    pub(super) fn send(world: &Rc<Self>, due: Due<Planned>) {
        if let Some(bare) = &world.bare {
            let lag = clock::since(due.at);
            world.tally.borrow_mut().started(due.at, lag);
            return bare.send(&due);
        }
        world.in_flight.set(world.in_flight.get() + 1);
        let world = Rc::clone(world);
        tasks::start(async move {
            world.exchange(due).await;
            world.in_flight.set(world.in_flight.get().saturating_sub(1));
        });
    }

    async fn exchange(&self, due: Due<Planned>) {
        let Due { at, item: planned } = due;
        self.tally.borrow_mut().started(at, clock::since(at));
        let result = self.request(at, &planned).await;
        let latency = clock::since(at);
        let ending = match result {
            None => Ending::Failed {
                kind: "gave_up",
                what: format!("no answer within {} ms", self.scenario.give_up.as_millis()),
            },
            Some(Err(error)) => Ending::Failed {
                kind: error.kind(),
                what: error.to_string(),
            },
            Some(Ok(answer)) => self.judge(&planned, &answer, latency),
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

    async fn request(&self, at: Instant, planned: &Planned) -> Option<Result<Answer, WireError>> {
        let exchange = self.scenario.exchanges.get(planned.exchange)?;
        let pool = self.pools.get(planned.exchange)?;
        let mut head = Request::post(exchange.target.path.as_str())
            .header(HOST, exchange.target.authority.as_str())
            .header(
                CONTENT_TYPE,
                HeaderValue::from_static("application/json; charset=utf-8"),
            )
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .header(OPENRTB_VERSION, HeaderValue::from_static(planned.version));
        if planned.coding == Coding::Gzip {
            head = head.header(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        let request = head.body(Full::new(planned.body.clone())).ok()?;
        clock::before(at + self.scenario.give_up, pool.send(request, &|_| {})).await
    }

    /// Judges an answer; one in time goes to auction.
    fn judge(&self, planned: &Planned, answer: &Answer, latency: Duration) -> Ending {
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
        bids: &[check::SoundBid],
        latency: Duration,
    ) -> Vec<Option<Entry>> {
        let asked = &planned.asked;
        if asked.is_test {
            return vec![None; bids.len()];
        }
        let answered_ms = self.desk.wall().now_ms();
        let took_ms = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX);
        let offer = |bid: &check::SoundBid| {
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

    fn auction(&self, planned: &Planned, bids: &[check::SoundBid], entries: &[Option<Entry>]) {
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
