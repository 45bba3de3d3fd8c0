//! A supervisor at work: the machine of `core`, run by whoever brings it an event.
//!
//! The desk's lock covers its inbox and the taking out and putting back of the machine, nothing else. The machine is
//! at the desk or in exactly one frame; that frame handles events until the inbox is empty, and the emptiness check
//! and the putting back share one critical section, so no event is left behind. No lock is held while anything runs.
//! Messages to other supervisors go into their inboxes at once; the thread's agenda says which of them it runs after the
//! machine is back: escalation is a loop, not a recursion, and no thread holds two machines.

mod agenda;
mod subtree;

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::watch;

use agenda::run_in_turn;
pub(crate) use agenda::{deliver, spawn_control};
pub(crate) use subtree::StartSupervisor;

use super::contain::contain;
use super::core::{Answer, Body, Core, Effect, Event, Note, Role};
use super::exit::{Exit, Why};
use super::limit::Limit;
use super::observe::{Observations, What};
use super::planes::Planes;
use super::reaper::Reaper;
use super::seat::{Life, Seat, Start};
use super::spec::{Spec, Strategy, Supervisor};
use super::timers::{Key, Timers};
use super::watchdog::{self, Watch, Watchdog};
use crate::clock::Clock;

/// Events handled by one thread in one go. A failing start under a large limit would otherwise keep a data thread;
/// what is left goes on in the control plane.
const INLINE_EVENTS_MAX: u32 = 64;

/// What all supervisors of a tree share.
pub(crate) struct Kernel {
    pub(crate) planes: Planes,
    pub(crate) clock: Clock,
    pub(crate) observations: Arc<Observations>,
    pub(crate) reaper: Reaper,
    pub(crate) watchdog: Arc<Watchdog>,
    /// The live supervisors by path. Touched when one starts or ends and when somebody asks, never by a child.
    pub(crate) nodes: Mutex<HashMap<Arc<str>, Weak<Node>>>,
    pub(crate) timers: Arc<Timers>,
}

impl Kernel {
    pub(crate) fn live_nodes(&self) -> Vec<(Arc<str>, Arc<Node>)> {
        let nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        nodes
            .iter()
            .filter_map(|(path, node)| Some((Arc::clone(path), node.upgrade()?)))
            .collect()
    }
}

pub(crate) struct Node {
    kernel: Arc<Kernel>,
    path: Arc<str>,
    strategy: Strategy,
    desk: Mutex<Desk>,
    /// Since when the machine is away from its desk, as a [`watchdog::mark`]; 0 while it is there.
    away_since: AtomicU64,
    parent: Parent,
}

enum Parent {
    Seat(Seat),
    Owner(watch::Sender<RootState>),
}

/// What the owner of a tree sees of its root.
#[derive(Clone, Debug)]
pub(crate) enum RootState {
    Starting,
    Up,
    StartFailed(Exit),
    Ended(Exit),
}

struct Desk {
    inbox: VecDeque<Event>,
    machine: Option<Box<Machine>>,
}

/// The pure machine and the hands that do what it says; both are out together.
struct Machine {
    core: Core,
    /// By the child's index in the core.
    starts: Vec<Option<Planned>>,
    /// By the incarnation's number.
    lives: HashMap<u64, Seated, BuildHasherDefault<Numbers>>,
    /// Room for what one event leads to; empty between events.
    effects: Vec<Effect>,
}

impl Machine {
    fn planned(&mut self, index: u32) -> Option<&mut Option<Planned>> {
        self.starts.get_mut(usize::try_from(index).ok()?)
    }
}

/// Hashes the numbers that the core gives out, one after the other: nobody outside chooses them.
#[derive(Default)]
struct Numbers(u64);

impl Hasher for Numbers {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, number: u64) {
        // Fibonacci hashing: neighbours land far apart, also in the upper bits, which tables look at first.
        self.0 = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0 ^ u64::from(*byte));
        }
    }
}

/// How a child is started, and where it stands: made once, told with everything that happens to it.
struct Planned {
    spec: Spec,
    path: Arc<str>,
}

impl Planned {
    fn new(spec: Spec, parent: &str) -> Self {
        let id = spec.id();
        let path = match parent {
            "" => id.into(),
            _ => format!("{parent}/{id}").into(),
        };
        Self { spec, path }
    }
}

/// A live incarnation. Dropped in this order: it ends, then it is watched no more.
struct Seated {
    life: Box<dyn Life>,
    _watch: Option<Watch>,
    deadline: Option<Key>,
}

impl Node {
    pub(crate) fn kernel(&self) -> &Arc<Kernel> {
        &self.kernel
    }

    pub(crate) fn root(
        kernel: &Arc<Kernel>,
        plan: Supervisor,
        owner: watch::Sender<RootState>,
    ) -> Arc<Self> {
        let limit = plan.limit;
        Self::new(kernel, Arc::from(""), plan, limit, Parent::Owner(owner))
    }

    fn new(
        kernel: &Arc<Kernel>,
        path: Arc<str>,
        plan: Supervisor,
        limit: Limit,
        parent: Parent,
    ) -> Arc<Self> {
        let core = plan.core(limit);
        let strategy = plan.strategy;
        let starts = plan
            .children
            .into_iter()
            .map(|spec| Some(Planned::new(spec, &path)))
            .collect();
        let machine = Box::new(Machine {
            core,
            starts,
            lives: HashMap::default(),
            effects: Vec::new(),
        });
        let desk = Mutex::new(Desk {
            inbox: VecDeque::new(),
            machine: Some(machine),
        });
        let node = Arc::new(Self {
            kernel: Arc::clone(kernel),
            path: Arc::clone(&path),
            strategy,
            desk,
            away_since: AtomicU64::new(0),
            parent,
        });
        let mut nodes = kernel.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        nodes.insert(path, Arc::downgrade(&node));
        drop(nodes);
        node
    }

    pub(crate) fn strategy(&self) -> Strategy {
        self.strategy
    }

    /// Leaves an event in the inbox. Says whether the machine is at its desk, so that somebody has to run it.
    fn push(&self, event: Event) -> bool {
        let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        desk.inbox.push_back(event);
        desk.machine.is_some()
    }

    /// Handles what is in the inbox and all that follows, if the machine is at its desk.
    fn run(self: &Arc<Self>) {
        let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(mut machine) = desk.machine.take() else {
            return;
        };
        self.away_since.store(watchdog::mark(), Ordering::Relaxed);
        let mut effects = std::mem::take(&mut machine.effects);
        let mut handled = 0;
        while let Some(event) = desk.inbox.pop_front() {
            if handled >= INLINE_EVENTS_MAX {
                desk.inbox.push_front(event);
                machine.effects = effects;
                desk.machine = Some(machine);
                self.away_since.store(0, Ordering::Relaxed);
                drop(desk);
                return self.run_on_control();
            }
            handled += 1;
            drop(desk);
            machine
                .core
                .handle(self.kernel.clock.monotonic(), event, &mut effects);
            for effect in effects.drain(..) {
                self.carry_out(&mut machine, effect);
            }
            desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        }
        machine.effects = effects;
        desk.machine = Some(machine);
        // Under the lock, so that it never hides a later taking.
        self.away_since.store(0, Ordering::Relaxed);
    }

    /// The mark of the time at which a thread took the machine that it still has.
    pub(crate) fn away_since(&self) -> Option<u64> {
        let since = self.away_since.load(Ordering::Relaxed);
        (since != 0).then_some(since)
    }

    /// Says something about this supervisor itself.
    pub(crate) fn say(&self, what: What) {
        let now = self.kernel.clock.monotonic();
        let path = Arc::clone(&self.path);
        self.kernel.observations.push(now, path, what);
    }

    fn carry_out(self: &Arc<Self>, machine: &mut Machine, effect: Effect) {
        match effect {
            Effect::Adopt(index, spec) => {
                let planned = Planned::new(*spec, &self.path);
                match machine.planned(index) {
                    Some(place) => *place = Some(planned),
                    // Indices are given out without gaps.
                    None => machine.starts.push(Some(planned)),
                }
            }
            Effect::Forget(index) => {
                let planned = machine.planned(index).and_then(Option::take);
                // What its factory holds may panic when it is dropped; the machine must not be lost with it.
                drop(contain(move || drop(planned)));
            }
            Effect::Begin { body, role, limit } => self.begin(machine, body, role, limit),
            Effect::Halt(body, why) => {
                if let Some(seated) = machine.lives.get_mut(&body.incarnation) {
                    seated.life.halt(why);
                }
            }
            Effect::Kill(body) => {
                if let Some(seated) = machine.lives.get_mut(&body.incarnation) {
                    seated.life.kill();
                }
            }
            Effect::Release(body) => {
                if let Some(seated) = machine.lives.remove(&body.incarnation) {
                    self.disarm(seated.deadline);
                    drop(contain(move || drop(seated)));
                }
            }
            Effect::Post(event) => deliver(self, event),
            Effect::After(delay, event) => {
                let body = event.deadline_of();
                let control = self.kernel.planes.control();
                let node = Arc::downgrade(self);
                let key = self.kernel.timers.arm(control, delay, node, event);
                let seated = body.and_then(|body| machine.lives.get_mut(&body.incarnation));
                if let Some(seated) = seated {
                    self.disarm(seated.deadline.replace(key));
                }
            }
            Effect::Disarm(body) => {
                if let Some(seated) = machine.lives.get_mut(&body.incarnation) {
                    self.disarm(seated.deadline.take());
                }
            }
            Effect::TellUp => self.tell(RootState::Up, Seat::up),
            Effect::TellStartFailed(exit) => {
                self.tell(RootState::StartFailed(exit.clone()), |seat| {
                    seat.start_failed(exit);
                });
            }
            Effect::TellDown(exit) => {
                self.tell(RootState::Ended(exit.clone()), |seat| seat.down(exit));
            }
            Effect::Answer(reply, answer) => {
                // Whoever asked may have stopped waiting.
                drop(reply.send(with_mailboxes(answer, machine)));
            }
            Effect::Note(index, note) => self.observe(machine, index, note),
        }
    }

    fn begin(
        self: &Arc<Self>,
        machine: &mut Machine,
        body: Body,
        role: Role,
        limit: Option<Limit>,
    ) {
        let Some(Some(Planned { spec, path })) = machine.planned(body.child) else {
            return;
        };
        let start: Arc<dyn Start> = match (role, &spec.fallback) {
            (Role::Fallback, Some(fallback)) => Arc::clone(fallback),
            _ => Arc::clone(&spec.start),
        };
        let path = match role {
            Role::Main => Arc::clone(path),
            Role::Fallback => format!("{path}~fallback").into(),
        };
        let dog = &self.kernel.watchdog;
        let watch = spec
            .meta
            .stuck_after
            .map(|limit| dog.watch(self, body, limit));
        let seat = Seat {
            node: Arc::clone(self),
            body,
            path,
            watch_key: watch.as_ref().map(Watch::key).unwrap_or_default(),
        };
        let life = start.begin(seat, limit);
        let seated = Seated {
            life,
            _watch: watch,
            deadline: None,
        };
        machine.lives.insert(body.incarnation, seated);
    }

    fn disarm(&self, deadline: Option<Key>) {
        if let Some(key) = deadline {
            self.kernel.timers.disarm(key);
        }
    }

    fn tell(&self, root: RootState, seat: impl FnOnce(&Seat)) {
        match &self.parent {
            Parent::Seat(parent) => seat(parent),
            Parent::Owner(owner) => {
                owner.send_replace(root);
            }
        }
    }

    fn observe(&self, machine: &mut Machine, index: u32, note: Note) {
        let Some(Some(planned)) = machine.planned(index) else {
            return;
        };
        let path = Arc::clone(&planned.path);
        let at = machine.core.now();
        self.kernel.observations.push(at, path, note.into());
    }

    fn run_on_control(self: &Arc<Self>) {
        let node = Arc::clone(self);
        spawn_control(self.kernel.planes.control(), async move {
            run_in_turn(&node);
        });
    }
}

fn with_mailboxes(answer: Answer, machine: &Machine) -> Answer {
    match answer {
        Answer::Report(mut rows) => {
            for row in &mut rows {
                let life = row
                    .running
                    .and_then(|body| machine.lives.get(&body.incarnation));
                row.mailbox = life.and_then(|seated| seated.life.mailbox());
            }
            rows.sort_by_key(|row| row.order);
            Answer::Report(rows)
        }
        other => other,
    }
}
