//! A run without checks: requests are rendered before it begins and sent round and round, answers are only counted.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::check::{Fault, FaultKind};
use crate::clock;
use crate::pacer::Due;
use crate::scenario::Scenario;
use crate::tally::{Ending, Lateness, Place, Tally};
use crate::traffic::{Asked, Generator, Planned, Pricing};
use crate::volley::Shell;
use crate::wire::{Ended, Errand, Job, Lane, Limits};

/// Different requests: enough that no cache of a bidder knows them all by heart, few enough to render in an instant.
const PREPARED: u64 = 4_096;

/// The requests of a run, rendered; what they ask is left out, since nobody checks it.
pub(super) fn prepare(generator: &Generator) -> Vec<Planned> {
    let requests = (0..PREPARED).filter_map(|index| generator.request(index));
    requests
        .map(|planned| Planned {
            asked: Asked {
                id: String::new(),
                pricing: Pricing::FirstPrice,
                currencies: Vec::new(),
                imps: Arc::default(),
                blocked_domains: Arc::default(),
                blocked_categories: Arc::default(),
                ..planned.asked
            },
            ..planned
        })
        .collect()
}

/// Request number `index` of a run: one of the prepared ones, again.
pub(super) fn again(prepared: &[Planned], index: u64) -> Option<Planned> {
    let count = u64::try_from(prepared.len()).unwrap_or(u64::MAX);
    let place = usize::try_from(index.checked_rem(count)?).ok()?;
    let mut planned = prepared.get(place)?.clone();
    planned.index = index;
    Some(planned)
}

/// Replies are only counted.
struct Count {
    exchange: usize,
    tally: Rc<RefCell<Tally>>,
    /// Region and longest time of each prepared request.
    traits: Rc<[(usize, Duration)]>,
}

impl Errand for Count {
    /// Its place among the prepared.
    type Item = usize;
    type Kept = ();

    fn ended(&self, job: Job<usize>, how: Ended<&()>) {
        let Some((region, tmax)) = self.traits.get(job.item) else {
            return;
        };
        let latency = clock::since(job.at);
        let ending = ending(how, latency > *tmax);
        let place = Place {
            exchange: self.exchange,
            region: *region,
            at: job.at,
        };
        self.tally.borrow_mut().ended(place, latency, ending);
    }
}

/// Sends prepared requests.
pub(super) struct Bare {
    /// One per exchange of the scenario.
    lanes: Vec<Rc<Lane<Count>>>,
    /// Heads and bodies, as they were prepared.
    requests: Vec<Bytes>,
}

impl Bare {
    /// Counts into `tally`. Must be called inside `tasks::run`.
    pub(super) fn new(
        scenario: &Scenario,
        prepared: &[Planned],
        tally: &Rc<RefCell<Tally>>,
    ) -> Self {
        let limits = Limits {
            connections: scenario.connections_max,
            depth: 1,
            give_up: scenario.give_up,
        };
        let traits: Rc<[(usize, Duration)]> = prepared
            .iter()
            .map(|planned| {
                let asked = &planned.asked;
                (asked.region, Duration::from_millis(asked.tmax_ms))
            })
            .collect();
        let lanes = scenario.exchanges.iter().enumerate();
        let lanes = lanes.map(|(place, exchange)| {
            let count = Count {
                exchange: place,
                tally: Rc::clone(tally),
                traits: Rc::clone(&traits),
            };
            Lane::start(exchange.target.clone(), limits, count)
        });
        let requests = prepared.iter().filter_map(|planned| {
            let exchange = scenario.exchanges.get(planned.exchange)?;
            Some(Shell::of(planned).bytes(&exchange.target))
        });
        Self {
            lanes: lanes.collect(),
            requests: requests.collect(),
        }
    }

    /// Sends one that is due.
    pub(super) fn send(&self, due: &Due<Planned>) {
        let Some(lane) = self.lanes.get(due.item.exchange) else {
            return;
        };
        let count = u64::try_from(self.requests.len()).unwrap_or(u64::MAX);
        let place = due.item.index % count.max(1);
        let tag = usize::try_from(place).unwrap_or(usize::MAX);
        if let Some(request) = self.requests.get(tag) {
            lane.offer(Job {
                at: due.at,
                request: request.clone(),
                item: tag,
            });
        }
    }

    /// Requests without an end.
    pub(super) fn unfinished(&self) -> u64 {
        let unfinished: usize = self.lanes.iter().map(|lane| lane.unfinished()).sum();
        u64::try_from(unfinished).unwrap_or(u64::MAX)
    }
}

fn ending(how: Ended<&()>, is_late: bool) -> Ending {
    let (bids, faults) = match how {
        Ended::Failed(kind, what) => return Ending::Failed { kind, what },
        Ended::Answered(200, ()) => (1, Vec::new()),
        Ended::Answered(204, ()) => (0, Vec::new()),
        Ended::Answered(status, ()) => {
            let fault = Fault::new(FaultKind::Status, format!("status {status}"));
            (0, vec![fault])
        }
    };
    Ending::Answered {
        bids,
        faults,
        lateness: if is_late {
            Lateness::Late
        } else {
            Lateness::InTime
        },
    }
}
