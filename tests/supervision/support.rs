//! A tree of recording children on one paused runtime.

mod puppets;
mod stones;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bidtree::clock::{Clock, ManualClock};
use bidtree::supervision::{
    Address, Context, Exit, Failure, Limit, Place, Plane, Planes, Reply, Server, Spec, Strategy,
    Supervisor, Tree, What, Why, server,
};
use bidtree::units::UnixMillis;

pub(crate) use self::puppets::{Act, Part};
use self::puppets::{Parts, Puppets};
use self::stones::{Stone, Stones};

/// What happened, in order: `+a` its init ran, `-a` it was told to stop.
#[derive(Clone, Default)]
pub(crate) struct Script(Arc<Mutex<Vec<String>>>);

impl Script {
    pub(crate) fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    pub(crate) fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap()).join(" ")
    }
}

pub(crate) enum Say {
    Incarnation(Reply<u64>),
    Panic,
    Fail,
}

pub(crate) struct Actor {
    id: &'static str,
    script: Script,
    number: u64,
}

impl Server for Actor {
    type Message = Say;

    async fn handle(&mut self, message: Say, _context: &Context) -> Result<(), Failure> {
        match message {
            Say::Incarnation(reply) => {
                reply.send(self.number);
                Ok(())
            }
            Say::Panic => panic!("{} was told to", self.id),
            Say::Fail => Err(Failure::new("told to")),
        }
    }

    async fn terminate(&mut self, _why: Why) {
        self.script.note(format!("-{}", self.id));
    }
}

pub(crate) struct Stand {
    pub(crate) script: Script,
    counter: Arc<Mutex<u64>>,
    /// Starts that fail from now on.
    pub(crate) failing: Arc<Mutex<u32>>,
}

impl Stand {
    pub(crate) fn new() -> Self {
        bidtree::supervision::install_panic_hook();
        Self {
            script: Script::default(),
            counter: Arc::default(),
            failing: Arc::default(),
        }
    }

    pub(crate) fn actor(&self, id: &'static str) -> (Spec, Address<Say>) {
        let address = Address::new();
        let (script, counter, failing) = (
            self.script.clone(),
            Arc::clone(&self.counter),
            Arc::clone(&self.failing),
        );
        let spec = server(id, &address, Plane::Control, 16, move |_| {
            let (script, counter, failing) =
                (script.clone(), Arc::clone(&counter), Arc::clone(&failing));
            async move {
                script.note(format!("+{id}"));
                let mut left = failing.lock().unwrap();
                if *left > 0 {
                    *left -= 1;
                    return Err(Failure::new("told not to start"));
                }
                let mut number = counter.lock().unwrap();
                *number += 1;
                Ok(Actor {
                    id,
                    script,
                    number: *number,
                })
            }
        });
        (spec, address)
    }
}

pub(crate) fn tree() -> Tree {
    Tree::new(
        Planes::single(tokio::runtime::Handle::current()),
        Clock::manual(UnixMillis::new(0)).0,
    )
}

pub(crate) fn supervisor(strategy: Strategy, intensity: u32) -> Supervisor {
    Supervisor::new(strategy, Limit::new(intensity, Duration::from_secs(5)))
}

/// A tree on a runtime with threads of its own, for tests whose callers are threads.
pub(crate) fn threaded() -> (tokio::runtime::Runtime, Tree) {
    bidtree::supervision::install_panic_hook();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let tree = Tree::new(Planes::single(runtime.handle().clone()), Clock::system());
    (runtime, tree)
}

/// Lets everything that can happen happen. Time is paused, so this takes none.
pub(crate) async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

pub(crate) async fn incarnation(address: &Address<Say>) -> Option<u64> {
    address.call(Say::Incarnation).await.ok()
}

/// A tree of puppets, and time in our hands: `+a` its start began, `-a` it was told to stop.
pub(crate) struct World {
    pub(crate) tree: Tree,
    pub(crate) script: Script,
    parts: Parts,
    stones: Arc<Mutex<Vec<Stone>>>,
    clock: ManualClock,
}

impl World {
    pub(crate) fn new() -> Self {
        bidtree::supervision::install_panic_hook();
        let (clock, hands) = Clock::manual(UnixMillis::new(0));
        Self {
            tree: Tree::new(Planes::single(tokio::runtime::Handle::current()), clock),
            script: Script::default(),
            parts: Parts::default(),
            stones: Arc::default(),
            clock: hands,
        }
    }

    /// A child that behaves as its part says.
    pub(crate) fn puppet(&self, id: &str) -> Spec {
        self.puppeteer().task(id)
    }

    /// Makes puppets of all kinds.
    pub(crate) fn puppeteer(&self) -> Puppets {
        Puppets {
            script: self.script.clone(),
            parts: Arc::clone(&self.parts),
        }
    }

    /// Puppets with these ids, one letter each, under one supervisor.
    pub(crate) fn puppets(&self, supervisor: Supervisor, ids: &str) -> Supervisor {
        ids.split(' ')
            .fold(supervisor, |plan, id| plan.child(self.puppet(id)))
    }

    /// A thread that cannot be killed, once somebody attends to it: see [`Stones`].
    pub(crate) fn stone(&self, id: &str, path: &str) -> Spec {
        let (stone, spec) = Stone::new(id, path);
        self.stones.lock().unwrap().push(stone);
        spec
    }

    pub(crate) fn stones(&self) -> Stones {
        Stones {
            tree: self.tree.clone(),
            script: self.script.clone(),
            parts: Arc::clone(&self.parts),
            all: Arc::clone(&self.stones),
        }
    }

    pub(crate) fn part<R>(&self, path: &str, change: impl FnOnce(&mut Part) -> R) -> R {
        change(
            self.parts
                .lock()
                .unwrap()
                .entry(path.to_owned())
                .or_default(),
        )
    }

    /// Has a puppet end, and lets everything happen that follows without time passing. Says whether it was up.
    pub(crate) async fn act(&self, path: &str, act: Act) -> bool {
        let sent = self.tell(path, act);
        settle().await;
        sent
    }

    /// Has a puppet end, and lets nothing happen yet.
    pub(crate) fn tell(&self, path: &str, act: Act) -> bool {
        // Not under the lock: a stage is started again by the thread that makes it crash.
        let wire = self.part(path, |part| part.wire.clone());
        wire.is_some_and(|wire| wire.carry(act))
    }

    pub(crate) fn incarnations(&self, path: &str) -> u64 {
        self.part(path, |part| part.incarnations)
    }

    /// Moves the tree's clock alone.
    pub(crate) fn advance_clock(&self, span: Duration) {
        self.clock.advance(span);
    }

    /// Moves the tree's clock and the runtime's. What happens meanwhile reads the time at the end.
    pub(crate) async fn pass(&self, span: Duration) {
        self.clock.advance(span);
        tokio::time::sleep(span).await;
    }

    /// The live tree, flat: path, state and restarts of each place.
    pub(crate) async fn places(&self) -> Vec<(String, &'static str, u64)> {
        let mut flat = Vec::new();
        flatten(self.tree.snapshot().await, &mut flat);
        flat
    }

    /// The exits seen since the last time, by path.
    pub(crate) fn exits(&self) -> Vec<(String, Exit)> {
        let (seen, lost) = self.tree.observations().take();
        assert_eq!(lost, 0);
        seen.into_iter()
            .filter_map(|seen| match seen.what {
                What::Exited { exit, .. } => Some((seen.path.to_string(), exit)),
                _ => None,
            })
            .collect()
    }
}

fn flatten(places: Vec<Place>, flat: &mut Vec<(String, &'static str, u64)>) {
    for place in places {
        flat.push((place.path, place.state, place.restarts));
        flatten(place.children, flat);
    }
}

/// Paused time that `work` takes.
#[expect(
    clippy::disallowed_methods,
    reason = "measures the runtime's paused clock, which only the runtime can read"
)]
pub(crate) async fn timed<R>(work: impl Future<Output = R>) -> (R, Duration) {
    let before = tokio::time::Instant::now();
    let outcome = work.await;
    (outcome, before.elapsed())
}
