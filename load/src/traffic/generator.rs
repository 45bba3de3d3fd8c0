//! Requests of a run by their number: drawn and rendered, rendered ahead, or recorded.

use std::ops::Range;

use bytes::Bytes;

use super::asked;
use super::coding::Coding;
use super::consent::Signal;
use super::population::Person;
use super::request::{Asked, Draft, Privacy};
use super::shape::{Shape, request_id};
use crate::replay::place;
use crate::rng::{Purpose, Rng};
use crate::scenario::{Dialect, Exchange, Traffic};

/// A request ready to be sent.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Its number in the run.
    pub index: u64,
    /// Which exchange of the scenario sends it.
    pub exchange: usize,
    /// What `x-openrtb-version` says.
    pub version: &'static str,
    /// The JSON, packed where `coding` says so.
    pub body: Bytes,
    /// How the body travels.
    pub coding: Coding,
    /// What it asks for.
    pub asked: Asked,
}

/// Makes requests.
pub struct Generator {
    seed: u64,
    traffic: Traffic,
    exchanges: Vec<(Dialect, f64)>,
    /// What each recorded request asks for, where requests are recorded.
    recorded: Vec<Asked>,
    /// Requests that were rendered ahead, where the scenario wants it.
    prepared: Vec<Prepared>,
}

/// A request that was rendered ahead.
struct Prepared {
    /// Not packed.
    planned: Planned,
    /// Where the value of its id is.
    id: Range<usize>,
}

impl Generator {
    /// For these exchanges and this traffic.
    pub fn new(seed: u64, traffic: Traffic, exchanges: &[Exchange]) -> Self {
        let recorded = traffic.recording.as_ref().map(|recording| {
            let requests = (0..).take(recording.len());
            requests
                .filter_map(|index| asked::read(&recording.body(index, "")?, &traffic))
                .collect()
        });
        let mut generator = Self {
            seed,
            recorded: recorded.unwrap_or_default(),
            prepared: Vec::new(),
            traffic,
            exchanges: exchanges
                .iter()
                .map(|exchange| (exchange.dialect, exchange.weight))
                .collect(),
        };
        let ahead = (0..generator.traffic.prepared).filter_map(|index| {
            let planned = generator.rendered(index)?;
            let id = place::of(&planned.body, "id")?;
            Some(Prepared { planned, id })
        });
        generator.prepared = ahead.collect();
        generator
    }

    /// Request number `index`; `None` only for a scenario without regions or exchanges.
    pub fn request(&self, index: u64) -> Option<Planned> {
        let mut planned = if self.traffic.recording.is_some() {
            self.recorded(index)?
        } else if self.prepared.is_empty() {
            self.rendered(index)?
        } else {
            self.prepared(index)?
        };
        planned.body = planned.coding.pack(planned.body);
        Some(planned)
    }

    /// One of those rendered ahead, with an id of its own.
    fn prepared(&self, index: u64) -> Option<Planned> {
        let Prepared { planned, id } = round(&self.prepared, index)?;
        let (dialect, _) = self.exchanges.get(planned.exchange)?;
        let mut rng = Rng::of(self.seed, Purpose::Id, index);
        let mut planned = planned.clone();
        planned.index = index;
        planned.asked.id = request_id(*dialect, &mut rng);
        let (before, after) = (planned.body.get(..id.start)?, planned.body.get(id.end..)?);
        let fresh = planned.asked.id.as_bytes();
        planned.body = [before, b"\"", fresh, b"\"", after].concat().into();
        planned.coding = self.coding(&mut rng);
        Some(planned)
    }

    fn rendered(&self, index: u64) -> Option<Planned> {
        let mut rng = Rng::of(self.seed, Purpose::Request, index);
        let (exchange, dialect) = self.exchange(&mut rng)?;
        let shares = &self.traffic.shares;
        let shape = Shape {
            dialect,
            is_old: dialect == Dialect::Xandr || rng.chance(shares.old_shape),
        };
        let person = Person::draw(self.seed, &self.traffic, &mut rng)?;
        let mut traits = Rng::of(self.seed, Purpose::Trait, index);
        let coding = self.coding(&mut traits);
        let draft = Draft {
            traffic: &self.traffic,
            app: person.device.app.filter(|_| rng.chance(shares.app)),
            privacy: if rng.chance(shares.coppa) {
                Privacy::Child
            } else if rng.chance(shares.limited) {
                Privacy::Limited
            } else {
                Privacy::Ordinary
            },
            person: &person,
            shape: &shape,
            traits: (self.seed, index),
            signal: Signal::draw(&self.traffic.privacy, &mut traits),
        };
        let (asked, body) = draft.write(&mut rng);
        Some(Planned {
            index,
            exchange,
            version: shape.version(),
            body: Bytes::from(body.to_string()),
            coding,
            asked,
        })
    }

    fn recorded(&self, index: u64) -> Option<Planned> {
        let mut rng = Rng::of(self.seed, Purpose::Request, index);
        let (exchange, dialect) = self.exchange(&mut rng)?;
        let recording = self.traffic.recording.as_ref()?;
        let fresh = request_id(dialect, &mut rng);
        let body = recording.body(index, &fresh)?;
        let mut asked = round(&self.recorded, index)?.clone();
        if recording.is_renamed(index) {
            asked.id = fresh;
        }
        let shape = Shape {
            dialect,
            is_old: false,
        };
        Some(Planned {
            index,
            exchange,
            version: shape.version(),
            body,
            coding: self.coding(&mut Rng::of(self.seed, Purpose::Trait, index)),
            asked,
        })
    }

    /// Which exchange sends a request, and its dialect.
    fn exchange(&self, rng: &mut Rng) -> Option<(usize, Dialect)> {
        let exchange = rng.weighted(self.exchanges.iter().map(|(_, weight)| *weight));
        let (dialect, _) = *self.exchanges.get(exchange)?;
        Some((exchange, dialect))
    }

    fn coding(&self, traits: &mut Rng) -> Coding {
        if traits.chance(self.traffic.gzip_share) {
            Coding::Gzip
        } else {
            Coding::Plain
        }
    }
}

/// Number `index` of some that are taken round and round.
fn round<T>(items: &[T], index: u64) -> Option<&T> {
    let count = u64::try_from(items.len()).ok()?;
    items.get(usize::try_from(index.checked_rem(count)?).ok()?)
}
