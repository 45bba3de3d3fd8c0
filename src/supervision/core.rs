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
mod events;
mod fallback;
mod groups;

pub(crate) use children::Row;
pub(crate) use events::{Answer, Ask, Body, Effect, Event, Note, ReplyTo, Role};

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use self::children::{Child, Starter, State};
use super::exit::{Exit, Why};
use super::limit::{Limit, Window};
use super::spec::{AutoShutdown, Kind, Meta, OnStuck, Restart, Rules, Shutdown, Strategy};
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

    // ---- a child comes up ------------------------------------------------------------------------------------

    fn on_up(&mut self, body: Body, out: &mut Vec<Effect>) {
        let now = self.now;
        let Some((role, child)) = self.find(body) else {
            return;
        };
        let state = child.state_mut(role);
        if let State::Stopping { since, .. } = state {
            // It can hear now that it should stop.
            since.get_or_insert(now);
        }
        if !matches!(state, State::Starting(_)) {
            return;
        }
        *state = State::Up { body, since: now };
        out.push(Effect::Disarm(body));
        out.push(Effect::Note(
            body.child,
            Note::Started {
                role,
                incarnation: body.incarnation,
            },
        ));
        if let Some(Starter::Adding(reply) | Starter::Restarting(reply)) = child.starting.take() {
            out.push(Effect::Answer(reply, Answer::Done));
        }
        match role {
            Role::Main => self.main_is_up(body.child, out),
            Role::Fallback => self.fallback_is_up(body.child, out),
        }
        self.started(body.child, out);
    }

    fn on_start_failed(&mut self, body: Body, exit: Exit, out: &mut Vec<Effect>) {
        let Some((role, child)) = self.find(body) else {
            return;
        };
        if matches!(child.state_mut(role), State::Stopping { .. }) {
            return self.on_down(body, exit, out);
        }
        *child.state_mut(role) = State::Absent;
        child.last_exit = Some(exit.clone());
        out.push(Effect::Release(body));
        if role == Role::Main && exit == Exit::Ignored {
            return self.ignored(body.child, out);
        }
        out.push(Effect::Note(
            body.child,
            Note::StartFailed { exit: exit.clone() },
        ));
        if role == Role::Fallback {
            return self.restart_fallback(body.child, out);
        }
        if self.probe_failed(body.child, out) {
            return;
        }
        self.main_start_failed(body.child, exit, out);
    }

    /// There was nothing for it to do: it has no process, and everything goes on.
    fn ignored(&mut self, index: u32, out: &mut Vec<Effect>) {
        out.push(Effect::Note(index, Note::Ignored));
        if let Some(child) = self.child(index)
            && let Some(Starter::Adding(reply) | Starter::Restarting(reply)) = child.starting.take()
        {
            out.push(Effect::Answer(reply, Answer::Done));
        }
        self.forget_if_it_must(index, out);
        match self.phase {
            Phase::Stopping { .. } => self.advance_stop(out),
            _ => self.started(index, out),
        }
    }

    fn main_start_failed(&mut self, index: u32, exit: Exit, out: &mut Vec<Effect>) {
        match &self.phase {
            Phase::Starting { initial: true, .. } => {
                let id = self
                    .child(index)
                    .map_or_else(|| Arc::from("?"), |child| Arc::clone(&child.meta.id));
                let reason = Exit::error(format!("{id} did not start: {exit}"));
                self.terminate(End::StartFailed(reason), out);
            }
            Phase::Starting {
                current: Some(current),
                ..
            } if *current == index => self.group_start_failed(index, out),
            Phase::Stopping { .. } => self.advance_stop(out),
            Phase::Ended => {}
            Phase::Starting { .. } | Phase::Running => self.lone_start_failed(index, exit, out),
        }
    }

    /// A start that was not part of a group: somebody's who is answered, or a restart's, which is tried again and counted.
    fn lone_start_failed(&mut self, index: u32, exit: Exit, out: &mut Vec<Effect>) {
        let Some(child) = self.child(index) else {
            return;
        };
        match child.starting.take() {
            Some(Starter::Adding(reply)) => {
                out.push(Effect::Answer(reply, Answer::StartFailed(exit)));
                return self.remove(index, out);
            }
            Some(Starter::Restarting(reply)) => {
                return out.push(Effect::Answer(reply, Answer::StartFailed(exit)));
            }
            None => {}
        }
        if child.meta.probation.is_some() {
            return self.degrade(index, out);
        }
        if self.may_restart(index, out) {
            self.retry(index, Duration::ZERO, out);
        }
    }

    /// Starts a child again by way of the inbox, so that a stop or a question gets in between; after its back-off, if it
    /// has one.
    fn retry(&mut self, index: u32, uptime: Duration, out: &mut Vec<Effect>) {
        let number = self.number();
        let Some(child) = self.child(index) else {
            return;
        };
        child.main = State::Retrying(number);
        let (delay, child) = (child.next_delay(uptime), index);
        let retry = Event::Retry { child, number };
        out.push(if delay.is_zero() {
            Effect::Post(retry)
        } else {
            Effect::After(delay, retry)
        });
    }

    fn on_retry(&mut self, index: u32, number: u64, out: &mut Vec<Effect>) {
        let waiting = self
            .child(index)
            .is_some_and(|child| matches!(child.main, State::Retrying(n) if n == number));
        if waiting && matches!(self.phase, Phase::Running | Phase::Starting { .. }) {
            self.begin(index, Role::Main, None, out);
        }
    }

    fn on_start_deadline(&mut self, body: Body, out: &mut Vec<Effect>) {
        let Some((role, child)) = self.find(body) else {
            return;
        };
        if matches!(child.state_mut(role), State::Starting(_)) {
            let limit = child.meta.start_within;
            out.push(Effect::Kill(body));
            self.on_start_failed(body, Exit::error(format!("not up within {limit:?}")), out);
        } else if matches!(child.state_mut(role), State::Stopping { since: None, .. }) {
            // It was told to stop and cannot hear it; one that is waited for without a limit would keep us for ever.
            Self::kill(body, out);
        }
    }

    // ---- a child goes down -----------------------------------------------------------------------------------

    fn on_down(&mut self, body: Body, exit: Exit, out: &mut Vec<Effect>) {
        let now = self.now;
        let Some((role, child)) = self.find(body) else {
            return;
        };
        let state = child.state_mut(role);
        let (stopping, uptime) = match state {
            State::Starting(_) => return self.on_start_failed(body, exit, out),
            State::Up { since, .. } => (false, now.since(*since)),
            State::Stopping { since, .. } => {
                (true, since.map_or(Duration::ZERO, |since| now.since(since)))
            }
            State::Absent | State::Retrying(_) => (true, Duration::ZERO),
        };
        *state = State::Absent;
        child.last_exit = Some(exit.clone());
        out.push(Effect::Release(body));
        out.push(Effect::Note(
            body.child,
            Note::Exited {
                exit: exit.clone(),
                uptime,
                asked: stopping,
            },
        ));
        if stopping {
            return self.stopped(body, &exit, out);
        }
        match (&self.phase, role) {
            // Not of the group that is going down: its end is an event of its own, decided when the group is up again.
            (
                Phase::Stopping {
                    then: Then::StartFrom(first),
                    ..
                },
                Role::Main,
            ) if body.child < *first => self.deferred.push_back((body.child, exit, uptime)),
            (Phase::Stopping { .. } | Phase::Ended, _) => self.advance_stop(out),
            (Phase::Starting { .. }, Role::Main) => {
                self.deferred.push_back((body.child, exit, uptime));
            }
            (_, Role::Fallback) => self.restart_fallback(body.child, out),
            (Phase::Running, Role::Main) => self.decide(body.child, &exit, uptime, out),
        }
    }

    /// It does not yield: it is left behind, as if it had ended.
    fn on_stuck(&mut self, body: Body, out: &mut Vec<Effect>) {
        let Some((role, child)) = self.find(body) else {
            return;
        };
        if matches!(child.state_mut(role), State::Up { .. } | State::Starting(_)) {
            out.push(Effect::Kill(body));
            self.on_down(body, Exit::Stuck, out);
        }
    }

    /// A child that was told to stop is gone, or is left behind.
    fn stopped(&mut self, body: Body, exit: &Exit, out: &mut Vec<Effect>) {
        let index = body.child;
        if let Some(child) = self.child(index)
            && child.bodies().next().is_none()
            && !child.terminating.is_empty()
        {
            let asked = std::mem::take(&mut child.terminating);
            out.extend(
                asked
                    .into_iter()
                    .map(|reply| Effect::Answer(reply, Answer::Done)),
            );
            self.forget_if_it_must(index, out);
        }
        let restarts = matches!(
            self.phase,
            Phase::Stopping {
                then: Then::StartFrom(_),
                ..
            }
        );
        if *exit == Exit::Stuck && restarts {
            self.may_replace(index, out);
        }
        match self.phase {
            Phase::Stopping { .. } => self.advance_stop(out),
            _ => self.started(index, out),
        }
    }

    /// What is done about a child that is stuck, by its own rule. Says whether a new incarnation may take its place.
    fn may_replace(&mut self, index: u32, out: &mut Vec<Effect>) -> bool {
        let Some(child) = self.child(index) else {
            return false;
        };
        match child.meta.on_stuck {
            OnStuck::Replace => true,
            OnStuck::Fence => {
                child.set_aside = true;
                out.push(Effect::Note(index, Note::Fenced));
                false
            }
            OnStuck::Escalate => {
                self.terminate(End::Down(Exit::Stuck), out);
                false
            }
        }
    }

    /// A child without a process whose spec is not kept.
    fn forget_if_it_must(&mut self, index: u32, out: &mut Vec<Effect>) {
        let dynamic = self.dynamic_max.is_some();
        let forgets = |child: &mut Child| dynamic || child.meta.restart == Restart::Temporary;
        if self.child(index).is_some_and(forgets) {
            self.remove(index, out);
        }
    }

    /// A significant child ended by itself for good.
    fn significant_ended(&mut self, out: &mut Vec<Effect>) {
        let is_live = |child: &Child| {
            let comes_back = matches!(child.main, State::Retrying(_));
            child.meta.is_significant && (comes_back || child.main.body().is_some())
        };
        let ends = match self.auto_shutdown {
            AutoShutdown::Never => false,
            AutoShutdown::AnySignificant => true,
            AutoShutdown::AllSignificant => !self.children.iter().flatten().any(is_live),
        };
        if ends {
            self.terminate(End::Down(Exit::Shutdown(Why::Other)), out);
        }
    }

    /// A child ended by itself: OTP's `do_restart`.
    fn decide(&mut self, index: u32, exit: &Exit, uptime: Duration, out: &mut Vec<Effect>) {
        let Some(child) = self.child(index) else {
            return;
        };
        if !matches!(child.main, State::Absent) {
            return;
        }
        let again = match child.meta.restart {
            Restart::Permanent => true,
            Restart::Transient => !exit.is_normal(),
            Restart::Temporary => false,
        };
        if self.back_to_fallback(index, out) {
            return;
        }
        let Some(child) = self.child(index) else {
            return;
        };
        if !again {
            let is_significant = child.meta.is_significant;
            self.forget_if_it_must(index, out);
            if is_significant {
                self.significant_ended(out);
            }
            return;
        }
        if *exit == Exit::Stuck && !self.may_replace(index, out) {
            return;
        }
        let Some(child) = self.child(index) else {
            return;
        };
        if child.meta.probation.is_some() && *exit == Exit::Shutdown(Why::OverLimit) {
            return self.degrade(index, out);
        }
        if self.may_restart(index, out) {
            let waits = self
                .child(index)
                .is_some_and(|child| child.meta.back_off.is_some());
            match self.strategy {
                Strategy::OneForOne if waits => self.retry(index, uptime, out),
                Strategy::OneForOne => self.begin(index, Role::Main, None, out),
                Strategy::OneForAll => self.stop_group(0, out),
                Strategy::RestForOne => self.stop_group(index, out),
            }
        }
    }

    /// Counts a restart, for the child's own limit and for ours. Over either, says so and acts on it.
    fn may_restart(&mut self, index: u32, out: &mut Vec<Effect>) -> bool {
        let now = self.now;
        let Some(child) = self.child(index) else {
            return false;
        };
        child.restarts += 1;
        if let Some(window) = &mut child.own_window {
            if window.allows_one_more(now) {
                // A child with a limit of its own does not use up its supervisor's.
                out.push(Effect::Note(index, Note::Restarting));
                return true;
            }
            child.set_aside = true;
            out.push(Effect::Note(index, Note::SetAside));
            return false;
        }
        if self.window.allows_one_more(now) {
            out.push(Effect::Note(index, Note::Restarting));
            return true;
        }
        out.push(Effect::Note(
            index,
            Note::OverLimit {
                limit: self.window.limit(),
            },
        ));
        self.terminate(End::Down(Exit::Shutdown(Why::OverLimit)), out);
        false
    }

    fn on_stop_deadline(&mut self, body: Body, out: &mut Vec<Effect>) {
        if let Some((role, child)) = self.find(body)
            && matches!(child.state_mut(role), State::Stopping { .. })
        {
            Self::kill(body, out);
        }
    }

    fn kill(body: Body, out: &mut Vec<Effect>) {
        out.push(Effect::Kill(body));
        out.push(Effect::After(KILL_GRACE, Event::KillDeadline(body)));
    }

    // ---- small things ----------------------------------------------------------------------------------------

    fn begin(&mut self, index: u32, role: Role, limit: Option<Limit>, out: &mut Vec<Effect>) {
        let body = Body {
            child: index,
            incarnation: self.number(),
        };
        let Some(child) = self.child(index) else {
            return;
        };
        *child.state_mut(role) = State::Starting(body);
        let deadline = !matches!(child.meta.kind, Kind::Supervisor | Kind::Stage);
        let start_within = child.meta.start_within;
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
        match child.meta.shutdown {
            Shutdown::Brutal => Self::kill(body, out),
            Shutdown::Within(limit) => {
                let waits = child.meta.kind != Kind::Stage;
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
