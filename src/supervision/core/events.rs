//! What reaches the machine, and what it wants done.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use super::super::exit::{Exit, Why};
use super::super::limit::Limit;
use super::super::spec::Spec;
use super::Row;

/// One incarnation of one child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Body {
    pub(crate) child: u32,
    pub(crate) incarnation: u64,
}

/// Whether an incarnation is the child itself or what stands in for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Main,
    Fallback,
}

pub(crate) enum Event {
    Start,
    Up(Body),
    StartFailed(Body, Exit),
    Down(Body, Exit),
    StartDeadline(Body),
    StopDeadline(Body),
    KillDeadline(Body),
    /// A lone restart that failed is tried again.
    Retry {
        child: u32,
        number: u64,
    },
    /// A group start that failed goes on.
    Resume,
    /// It is time to try the real child beside its fallback.
    Probe {
        child: u32,
        number: u64,
    },
    /// The real child has been up for its quiet period.
    Quiet {
        child: u32,
        number: u64,
    },
    Stop(Why),
    Kill,
    Ask(Ask, ReplyTo),
    /// The watchdog found that it does not yield.
    Stuck(Body),
}

impl Event {
    /// The incarnation whose deadline this is; each has one at a time.
    pub(crate) fn deadline_of(&self) -> Option<Body> {
        match self {
            Self::StartDeadline(body) | Self::StopDeadline(body) | Self::KillDeadline(body) => {
                Some(*body)
            }
            _ => None,
        }
    }
}

pub(crate) enum Ask {
    Start(Box<Spec>),
    Terminate(Arc<str>),
    Restart(Arc<str>),
    Delete(Arc<str>),
    Kill(Arc<str>),
    Recover(Arc<str>),
    Report,
}

/// Where an answer goes. Whoever asked may have gone.
pub(crate) type ReplyTo = oneshot::Sender<Answer>;

#[derive(Debug)]
pub(crate) enum Answer {
    Done,
    StartFailed(Exit),
    NotFound,
    NotRunning,
    NotDegraded,
    Misplaced(&'static str),
    AlreadyPresent,
    AlreadyStarted,
    Running,
    Restarting,
    MaxChildren,
    Stopping,
    Report(Vec<Row>),
}

pub(crate) enum Effect {
    /// A new child's spec is kept for its starts.
    Adopt(u32, Box<Spec>),
    /// A child's spec is dropped.
    Forget(u32),
    Begin {
        body: Body,
        role: Role,
        /// A restart limit in place of the child's own, while it is on probation.
        limit: Option<Limit>,
    },
    Halt(Body, Why),
    Kill(Body),
    /// What is left of an incarnation is withdrawn and dropped.
    Release(Body),
    Post(Event),
    After(Duration, Event),
    /// An incarnation has no deadline any more.
    Disarm(Body),
    TellUp,
    TellStartFailed(Exit),
    TellDown(Exit),
    Answer(ReplyTo, Answer),
    Note(u32, Note),
}

/// Something an observer wants to know; `node` adds the path.
#[derive(Clone, Debug)]
pub(crate) enum Note {
    Started {
        role: Role,
        incarnation: u64,
    },
    StartFailed {
        exit: Exit,
    },
    Exited {
        exit: Exit,
        uptime: Duration,
        asked: bool,
    },
    Ignored,
    Restarting,
    SetAside,
    Fenced,
    OverLimit {
        limit: Limit,
    },
    Degraded,
    Probing,
    OnProbation,
    Recovered,
}
