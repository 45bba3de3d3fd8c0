//! A supervisor as a pure state machine: events in, effects out. It starts nothing, waits for nothing, and reads no
//! clock; `node` carries out what it decides.
//!
//! Rules are OTP's. Waiting is a phase that a later event resumes, on whatever thread brings it:
//!
//! ```text
//!            Start                    a group must go down           all of it is down
//!  Starting ───────▶ Running ──────────────────────────▶ Stopping ──────────────────────▶ Starting (group)
//!     │ a start fails at first start   over the limit, told to stop     │ nothing left to stop
//!     └───────────────────────────────────────────────────▶ Stopping ───┴──▶ Ended
//! ```
//!
//! Every incarnation has a number that never comes back, so that a late exit or a stale timer touches no newer one.

mod asks;
mod children;
mod ending;
mod events;
mod fallback;
mod groups;
mod starting;

pub(crate) use children::Row;
pub(crate) use events::{Answer, Ask, Body, Effect, Event, Note, ReplyTo, Role};

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use self::children::{Child, State};
use super::exit::{Exit, Why};
use super::limit::{Limit, Window};
use super::spec::{AutoShutdown, Kind, Meta, Rules, Shutdown, Strategy};
use crate::units::Monotonic;

/// How long a killed child may take to be gone before it is called stuck. A task that yields is gone in
/// microseconds, so this only has to outlast a busy machine.
const KILL_GRACE: Duration = Duration::from_secs(1);

/// The machine. `now` is the time of the event being handled.
pub(crate) struct Core {
    strategy: Strategy,
    window: Window,
    dynamic_max: Option<usize>,
    auto_shutdown: AutoShutdown,
    children: Vec<Option<Child>>,
    /// Places of children that are gone, to be used again; only a dynamic supervisor has any.
    free: Vec<u32>,
    ids: HashMap<Arc<str>, u32>,
    phase: Phase,
    /// Exits that came while a group was starting, decided afterwards, as OTP finds them in its mailbox.
    deferred: VecDeque<(u32, Exit, Duration)>,
    /// What was asked while a group was being started or stopped.
    asked: VecDeque<(Ask, ReplyTo)>,
    next_number: u64,
    now: Monotonic,
}

enum Phase {
    Running,
    Starting {
        queue: VecDeque<u32>,
        current: Option<u32>,
        initial: bool,
    },
    Stopping {
        queue: Vec<Body>,
        current: Option<Body>,
        then: Then,
    },
    Ended,
}

enum Then {
    StartFrom(u32),
    End(End),
}

enum End {
    Down(Exit),
    StartFailed(Exit),
}

impl Core {
    pub(crate) fn new(rules: Rules, children: Vec<Arc<Meta>>) -> Self {
        let ids = (0..)
            .zip(&children)
            .map(|(index, meta)| (Arc::clone(&meta.id), index))
            .collect();
        Self {
            strategy: rules.strategy,
            window: Window::new(rules.limit),
            dynamic_max: rules.dynamic_max,
            auto_shutdown: rules.auto_shutdown,
            children: children
                .into_iter()
                .map(|meta| Some(Child::new(meta)))
                .collect(),
            free: Vec::new(),
            ids,
            phase: Phase::Running,
            deferred: VecDeque::new(),
            asked: VecDeque::new(),
            next_number: 1,
            now: Monotonic::default(),
        }
    }

    /// The time of the last event.
    pub(crate) fn now(&self) -> Monotonic {
        self.now
    }

    pub(crate) fn handle(&mut self, now: Monotonic, event: Event, out: &mut Vec<Effect>) {
        self.now = now;
        match event {
            Event::Start => {
                let queue = self.indices().collect();
                self.phase = Phase::Starting {
                    queue,
                    current: None,
                    initial: true,
                };
                self.advance_start(out);
            }
            Event::Up(body) => self.on_up(body, out),
            Event::StartFailed(body, exit) => self.on_start_failed(body, exit, out),
            Event::Down(body, exit) => self.on_down(body, exit, out),
            Event::StartDeadline(body) => self.on_start_deadline(body, out),
            Event::StopDeadline(body) => self.on_stop_deadline(body, out),
            Event::KillDeadline(body) => {
                if self.find(body).is_some() {
                    self.on_down(body, Exit::Stuck, out);
                }
            }
            Event::Retry { child, number } => self.on_retry(child, number, out),
            Event::Resume => self.advance_start(out),
            Event::Probe { child, number } => self.on_probe(child, number, out),
            Event::Quiet { child, number } => self.on_quiet(child, number, out),
            Event::Stop(why) => self.terminate(End::Down(Exit::Shutdown(why)), out),
            Event::Kill => self.kill_all(out),
            Event::Ask(ask, reply) => self.on_ask(ask, reply, out),
            Event::Stuck(body) => self.on_stuck(body, out),
        }
    }

    fn begin(&mut self, index: u32, role: Role, limit: Option<Limit>, out: &mut Vec<Effect>) {
        let body = Body {
            child: index,
            incarnation: self.number(),
        };
        let Some(child) = self.child(index) else {
            return;
        };
        *child.state_mut(role) = State::Starting(body);
        let rules = child.rules_of(role);
        let deadline = !matches!(rules.kind, Kind::Supervisor | Kind::Stage);
        let start_within = rules.start_within;
        out.push(Effect::Begin { body, role, limit });
        if deadline {
            out.push(Effect::After(start_within, Event::StartDeadline(body)));
        }
    }

    fn halt(&mut self, body: Body, why: Why, out: &mut Vec<Effect>) {
        let Some((role, child)) = self.find(body) else {
            return;
        };
        let state = child.state_mut(role);
        *state = state.stopping();
        let rules = child.rules_of(role);
        match rules.shutdown {
            Shutdown::Brutal => Self::kill(body, out),
            Shutdown::Within(limit) => {
                let waits = rules.kind != Kind::Stage;
                out.push(Effect::Halt(body, why));
                // A stage is gone when it has been asked.
                if waits {
                    out.push(Effect::After(limit, Event::StopDeadline(body)));
                }
            }
            Shutdown::Infinity => out.push(Effect::Halt(body, why)),
        }
    }

    fn find(&mut self, body: Body) -> Option<(Role, &mut Child)> {
        let child = self.child(body.child)?;
        let role = child.role_of(body)?;
        Some((role, child))
    }

    fn child(&mut self, index: u32) -> Option<&mut Child> {
        self.children
            .get_mut(usize::try_from(index).ok()?)?
            .as_mut()
    }

    fn indices(&self) -> impl Iterator<Item = u32> + '_ {
        (0..)
            .zip(&self.children)
            .filter(|(_, child)| child.is_some())
            .map(|(index, _)| index)
    }

    fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    fn insert(&mut self, child: Child) -> Option<u32> {
        let id = Arc::clone(&child.meta.id);
        let index = if let Some(index) = self.free.pop() {
            *self.children.get_mut(usize::try_from(index).ok()?)? = Some(child);
            index
        } else {
            let index = u32::try_from(self.children.len()).ok()?;
            self.children.push(Some(child));
            index
        };
        self.ids.insert(id, index);
        Some(index)
    }

    fn remove(&mut self, index: u32, out: &mut Vec<Effect>) {
        let Ok(place) = usize::try_from(index) else {
            return;
        };
        if let Some(child) = self.children.get_mut(place).and_then(Option::take) {
            self.ids.remove(&child.meta.id);
            if self.dynamic_max.is_some() {
                self.free.push(index);
            }
            out.push(Effect::Forget(index));
        }
    }
}
