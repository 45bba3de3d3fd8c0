//! A tree of recording children on one paused runtime.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bidtree::clock::{Clock, ManualClock};
use bidtree::supervision::{
    Address, Context, Exit, Failure, Limit, Place, Plane, Planes, Reply, Server, Spec, Strategy,
    Supervisor, Tree, What, Why, server, task,
};
use bidtree::units::UnixMillis;
use tokio::sync::mpsc;

mod stones;

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

/// A way for a puppet to end by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Normal,
    Fail,
    Panic,
}

/// How the incarnations of one puppet behave, looked up by its path whenever it matters.
#[derive(Default)]
pub(crate) struct Part {
    /// Starts that fail from now on.
    pub(crate) failing: u32,
    /// Starts after those that find nothing to do.
    pub(crate) ignoring: u32,
    /// Starts that hang after those.
    pub(crate) hanging: u32,
    /// Whether it takes no notice of being told to stop.
    pub(crate) deaf: bool,
    /// How long it cleans up after it was told to stop.
    pub(crate) cleanup: Duration,
    /// Starts that came up.
    pub(crate) incarnations: u64,
    wire: Option<mpsc::Sender<Act>>,
}

/// Puppets by their paths.
type Parts = Arc<Mutex<BTreeMap<String, Part>>>;

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
        let (script, parts) = (self.script.clone(), Arc::clone(&self.parts));
        task(id, Plane::Control, move |context| {
            play(context, script.clone(), Arc::clone(&parts))
        })
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
            stones: Arc::clone(&self.stones),
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
        self.part(path, |part| {
            part.wire
                .as_ref()
                .is_some_and(|wire| wire.try_send(act).is_ok())
        })
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

async fn play(context: Context, script: Script, parts: Parts) -> Result<(), Failure> {
    let path = context.path().to_owned();
    script.note(format!("+{path}"));
    let (wire, mut acts) = mpsc::channel(1);
    let hangs = {
        let mut parts = parts.lock().unwrap();
        let part = parts.entry(path.clone()).or_default();
        if part.failing > 0 {
            part.failing -= 1;
            return Err(Failure::new("told not to start"));
        }
        if part.ignoring > 0 {
            part.ignoring -= 1;
            return Err(Failure::ignore());
        }
        let hangs = part.hanging > 0;
        part.hanging = part.hanging.saturating_sub(1);
        if !hangs {
            part.incarnations += 1;
            part.wire = Some(wire);
        }
        hangs
    };
    if hangs {
        std::future::pending::<()>().await;
    }
    context.ready();
    tokio::select! {
        biased;
        act = acts.recv() => match act {
            Some(Act::Panic) => panic!("{path} was told to"),
            Some(Act::Fail) => return Err(Failure::new("told to")),
            Some(Act::Normal) | None => return Ok(()),
        },
        _ = context.stopped() => {}
    }
    let (deaf, cleanup) = {
        let parts = parts.lock().unwrap();
        parts
            .get(&path)
            .map_or((false, Duration::ZERO), |part| (part.deaf, part.cleanup))
    };
    if deaf {
        std::future::pending::<()>().await;
    }
    script.note(format!("-{path}"));
    if cleanup > Duration::ZERO {
        tokio::time::sleep(cleanup).await;
    }
    Ok(())
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
