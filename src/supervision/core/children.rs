//! A child as its supervisor's machine knows it, and as a snapshot shows it.

use std::sync::Arc;
use std::time::Duration;

use super::super::exit::Exit;
use super::super::limit::{Limit, Window};
use super::super::spec::{Kind, Meta};
use super::fallback::Standby;
use super::{Body, Core, ReplyTo, Role};
use crate::units::Monotonic;

pub(super) struct Child {
    pub(super) meta: Arc<Meta>,
    pub(super) main: State,
    /// Only for a child with a fallback. In a box, like other things that few children have: there may be 100,000 of them.
    pub(super) standby: Option<Box<Standby>>,
    pub(super) own_window: Option<Box<Window>>,
    pub(super) set_aside: bool,
    pub(super) restarts: u64,
    pub(super) last_exit: Option<Exit>,
    pub(super) starting: Option<Starter>,
    pub(super) terminating: Vec<ReplyTo>,
    /// What the next restart waits, for a child with a back-off.
    pub(super) back_off: Duration,
}

/// Who asked for a start, and what becomes of the child if it fails.
pub(super) enum Starter {
    /// It is forgotten: it was never there.
    Adding(ReplyTo),
    /// It stays as it was, down.
    Restarting(ReplyTo),
}

/// Where one incarnation of a child is.
#[derive(Clone, Copy, Debug)]
pub(super) enum State {
    Absent,
    Starting(Body),
    Up {
        body: Body,
        since: Monotonic,
    },
    Stopping {
        body: Body,
        /// Since when it had been up, if it was.
        since: Option<Monotonic>,
    },
    /// It waits for its next start: the retry with this number is on its way.
    Retrying(u64),
}

/// A child in a snapshot.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: Arc<str>,
    pub(crate) kind: Kind,
    pub(crate) state: &'static str,
    pub(crate) incarnation: Option<u64>,
    pub(crate) uptime: Option<Duration>,
    pub(crate) restarts: u64,
    pub(crate) last_exit: Option<Exit>,
    pub(crate) fallback: bool,
    /// The running incarnation, by which `node` finds its mailbox or its own children.
    pub(crate) running: Option<Body>,
    pub(crate) restarts_in_window: u32,
    pub(crate) limit: Limit,
    /// Messages waiting and the most there may be; filled in by `node`.
    pub(crate) mailbox: Option<(usize, usize)>,
    /// The child's place in start order.
    pub(crate) order: usize,
}

impl State {
    pub(super) fn body(self) -> Option<Body> {
        match self {
            Self::Starting(body) | Self::Up { body, .. } | Self::Stopping { body, .. } => {
                Some(body)
            }
            Self::Absent | Self::Retrying(_) => None,
        }
    }

    /// The same incarnation, told to stop.
    pub(super) fn stopping(self) -> Self {
        match self {
            Self::Starting(body) => Self::Stopping { body, since: None },
            Self::Up { body, since } => Self::Stopping {
                body,
                since: Some(since),
            },
            other => other,
        }
    }
}

impl Child {
    pub(super) fn new(meta: Arc<Meta>) -> Self {
        let standby = meta.probation.map(Standby::new).map(Box::new);
        let own_window = meta.own_limit.map(Window::new).map(Box::new);
        let back_off = meta
            .back_off
            .map_or(Duration::ZERO, |back_off| back_off.first);
        Self {
            meta,
            main: State::Absent,
            standby,
            own_window,
            set_aside: false,
            restarts: 0,
            last_exit: None,
            starting: None,
            terminating: Vec::new(),
            back_off,
        }
    }

    pub(super) fn role_of(&self, body: Body) -> Option<Role> {
        if self.main.body() == Some(body) {
            return Some(Role::Main);
        }
        let standby = self.standby.as_ref()?;
        (standby.state.body() == Some(body)).then_some(Role::Fallback)
    }

    /// The state of the child itself or of its stand-in. Asked only for roles that [`Child::role_of`] gave, or for a
    /// fallback that exists; a child without one has only itself.
    pub(super) fn state_mut(&mut self, role: Role) -> &mut State {
        match (role, &mut self.standby) {
            (Role::Fallback, Some(standby)) => &mut standby.state,
            _ => &mut self.main,
        }
    }

    /// The rules by which the child itself, or its stand-in, starts and stops.
    pub(super) fn rules_of(&self, role: Role) -> &Meta {
        match (role, &self.meta.stand_in) {
            (Role::Fallback, Some(stand_in)) => stand_in,
            _ => &self.meta,
        }
    }

    /// What the next restart waits, after it had been up this long.
    pub(super) fn next_delay(&mut self, uptime: Duration) -> Duration {
        let Some(rules) = self.meta.back_off else {
            return Duration::ZERO;
        };
        if uptime >= rules.max {
            self.back_off = rules.first;
        }
        let delay = self.back_off;
        self.back_off = delay.saturating_mul(2).min(rules.max);
        delay
    }

    /// Its live incarnations, the stand-in last.
    pub(super) fn bodies(&self) -> impl Iterator<Item = Body> {
        let standby = self
            .standby
            .as_ref()
            .and_then(|standby| standby.state.body());
        self.main.body().into_iter().chain(standby)
    }
}

impl Core {
    pub(super) fn report(&self) -> Vec<Row> {
        let count = self.window.count(self.now);
        self.children
            .iter()
            .flatten()
            .enumerate()
            .map(|(order, child)| self.row(child, count, order))
            .collect()
    }

    fn row(&self, child: &Child, restarts_in_window: u32, order: usize) -> Row {
        let standing_in = child
            .standby
            .as_ref()
            .is_some_and(|standby| standby.stands_in());
        let state = match &child.standby {
            Some(standby) if standing_in => standby.state,
            _ => child.main,
        };
        let uptime = match state {
            State::Up { since, .. } => Some(self.now.since(since)),
            _ => None,
        };
        let word = match state {
            _ if child.set_aside => "set_aside",
            State::Up { .. } if standing_in => "degraded",
            State::Up { .. }
                if child
                    .standby
                    .as_ref()
                    .is_some_and(|standby| standby.on_probation()) =>
            {
                "on_probation"
            }
            State::Absent => "down",
            State::Starting(_) => "starting",
            State::Up { .. } => "up",
            State::Stopping { .. } => "stopping",
            State::Retrying(_) => "restarting",
        };
        Row {
            id: Arc::clone(&child.meta.id),
            kind: child.meta.kind,
            state: word,
            incarnation: state.body().map(|body| body.incarnation),
            uptime,
            restarts: child.restarts,
            last_exit: child.last_exit.clone(),
            fallback: standing_in,
            running: state.body(),
            restarts_in_window,
            limit: self.window.limit(),
            mailbox: None,
            order,
        }
    }
}
