//! What happens in the tree, as one bounded stream.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::core::{Note, Role};
use super::exit::Exit;
use super::limit::Limit;
use crate::clock::Clock;
use crate::units::{Monotonic, UnixMillis};

/// What an observer may fall behind by. A crash storm makes thousands of events a second and an observer reads
/// within milliseconds; older ones go first, and are counted.
const PENDING_MAX: usize = 8_192;

/// Something that happened to a child.
#[derive(Clone, Debug)]
pub struct Observation {
    /// When, by the wall clock of the moment it is read.
    pub at: UnixMillis,
    /// The child's path.
    pub path: Arc<str>,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// An incarnation came up.
    Started {
        /// Its number among all incarnations of this supervisor's children.
        incarnation: u64,
        /// Whether it stands in for the real child.
        fallback: bool,
    },
    /// A start failed.
    StartFailed(Exit),
    /// An incarnation ended.
    Exited {
        /// Why.
        exit: Exit,
        /// How long it had been up.
        uptime: Duration,
        /// Whether it was told to.
        asked: bool,
    },
    /// It had nothing to do and has no process.
    Ignored,
    /// It is being started again; this one counts.
    Restarting,
    /// It went over its own limit and stays down until an operator says otherwise.
    SetAside,
    /// It was stuck, and stays down until an operator says otherwise.
    Fenced,
    /// This supervisor serves nobody: a start on its thread does not return.
    Deaf,
    /// That start has returned.
    HearsAgain,
    /// Its supervisor went over its limit with it, and gives up.
    OverLimit(Limit),
    /// Its fallback takes over.
    Degraded,
    /// It is being tried again beside its fallback.
    Probing,
    /// It is back, and watched.
    OnProbation,
    /// It is trusted again.
    Recovered,
}

/// The stream: written by the kernel, read by whoever wants to know. The reader may come, crash, and come again.
#[derive(Debug)]
pub struct Observations {
    clock: Clock,
    pending: Mutex<Pending>,
    arrived: Notify,
}

#[derive(Debug, Default)]
struct Pending {
    queue: VecDeque<Noted>,
    lost: u64,
}

/// An observation before it is read. The wall clock is left to the reader: a crash has no time for it.
#[derive(Debug)]
struct Noted {
    at: Monotonic,
    path: Arc<str>,
    what: What,
}

impl Observations {
    pub(crate) fn new(clock: Clock) -> Self {
        Self {
            clock,
            pending: Mutex::default(),
            arrived: Notify::new(),
        }
    }

    /// Waits until something happened, and takes all of it with the count of what was lost since the last time.
    pub async fn next(&self) -> (Vec<Observation>, u64) {
        loop {
            let arrived = self.arrived.notified();
            let (batch, lost) = self.take();
            if !batch.is_empty() || lost > 0 {
                return (batch, lost);
            }
            arrived.await;
        }
    }

    /// Takes what there is.
    pub fn take(&self) -> (Vec<Observation>, u64) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let (noted, lost) = (
            std::mem::take(&mut pending.queue),
            std::mem::take(&mut pending.lost),
        );
        drop(pending);
        if noted.is_empty() {
            return (Vec::new(), lost);
        }
        let (now, wall) = (self.clock.monotonic(), self.clock.wall());
        let told = |noted: Noted| {
            let age_ms = i64::try_from(now.since(noted.at).as_millis()).unwrap_or(i64::MAX);
            Observation {
                at: UnixMillis::new(wall.get().saturating_sub(age_ms)),
                path: noted.path,
                what: noted.what,
            }
        };
        (noted.into_iter().map(told).collect(), lost)
    }

    pub(crate) fn push(&self, at: Monotonic, path: Arc<str>, what: What) {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        // The oldest goes only after the lock: what it holds may be the last share of much.
        let mut oldest = None;
        if pending.queue.len() >= PENDING_MAX {
            oldest = pending.queue.pop_front();
            pending.lost += 1;
        }
        let first = pending.queue.is_empty();
        pending.queue.push_back(Noted { at, path, what });
        drop(pending);
        drop(oldest);
        // Whoever reads takes all there is, so only the first of a batch has to wake it.
        if first {
            self.arrived.notify_one();
        }
    }
}

impl From<Note> for What {
    fn from(note: Note) -> Self {
        match note {
            Note::Started { role, incarnation } => Self::Started {
                incarnation,
                fallback: role == Role::Fallback,
            },
            Note::StartFailed { exit } => Self::StartFailed(exit),
            Note::Exited {
                exit,
                uptime,
                asked,
            } => Self::Exited {
                exit,
                uptime,
                asked,
            },
            Note::Ignored => Self::Ignored,
            Note::Restarting => Self::Restarting,
            Note::SetAside => Self::SetAside,
            Note::Fenced => Self::Fenced,
            Note::OverLimit { limit } => Self::OverLimit(limit),
            Note::Degraded => Self::Degraded,
            Note::Probing => Self::Probing,
            Note::OnProbation => Self::OnProbation,
            Note::Recovered => Self::Recovered,
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started {
                fallback: false, ..
            } => f.write_str("started"),
            Self::Started { fallback: true, .. } => f.write_str("fallback started"),
            Self::StartFailed(exit) => write!(f, "did not start: {exit}"),
            Self::Exited { exit, uptime, .. } => write!(f, "ended after {uptime:?}: {exit}"),
            Self::Ignored => f.write_str("has nothing to do"),
            Self::Restarting => f.write_str("restarting"),
            Self::SetAside => f.write_str("set aside: over its own restart limit"),
            Self::Fenced => f.write_str("fenced off: it was stuck"),
            Self::Deaf => {
                f.write_str("serves nobody: the start of one of its children does not return")
            }
            Self::HearsAgain => f.write_str("serves again"),
            Self::OverLimit(limit) => {
                write!(
                    f,
                    "its supervisor is over {} restarts in {:?}",
                    limit.intensity, limit.period
                )
            }
            Self::Degraded => f.write_str("degraded: its fallback takes over"),
            Self::Probing => f.write_str("being tried again"),
            Self::OnProbation => f.write_str("back, on probation"),
            Self::Recovered => f.write_str("recovered"),
        }
    }
}
