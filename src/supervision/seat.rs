//! A child's place in the tree while one incarnation sits in it.

use std::sync::Arc;

use super::context::Incarnation;
use super::core::{Body, Event};
use super::exit::{Exit, Why};
use super::limit::Limit;
use super::node::{Node, deliver};
use super::watchdog::WatchKey;

/// How to start a child: a factory, since it will be started again.
pub(crate) trait Start: Send + Sync {
    /// Starts an incarnation. Its coming up and its end are told through `seat`, possibly before this returns.
    fn begin(&self, seat: Seat, limit: Option<Limit>) -> Box<dyn Life>;
}

/// A live incarnation, held by its supervisor. Dropping it withdraws and ends whatever is left.
pub(crate) trait Life: Send {
    /// Asks it to end.
    fn halt(&mut self, why: Why);
    /// Ends it, if that can be done.
    fn kill(&mut self);
    /// Messages waiting and the most there may be, for what has a mailbox.
    fn mailbox(&self) -> Option<(usize, usize)> {
        None
    }
}

/// Where an incarnation sits: how it tells its supervisor what becomes of it.
#[derive(Clone)]
pub(crate) struct Seat {
    pub(crate) node: Arc<Node>,
    pub(crate) body: Body,
    pub(crate) path: Arc<str>,
    /// Marks the threads it runs on, where it is watched.
    pub(crate) watch_key: WatchKey,
}

impl Seat {
    pub(crate) fn up(&self) {
        deliver(&self.node, Event::Up(self.body));
    }

    pub(crate) fn start_failed(&self, exit: Exit) {
        deliver(&self.node, Event::StartFailed(self.body, exit));
    }

    pub(crate) fn down(&self, exit: Exit) {
        deliver(&self.node, Event::Down(self.body, exit));
    }
}

/// Tells the supervisor of an incarnation's end exactly once, also when its task is aborted or unwinds.
pub(crate) struct Ending {
    incarnation: Arc<Incarnation>,
    told: bool,
}

impl Ending {
    pub(crate) fn new(incarnation: Arc<Incarnation>) -> Self {
        Self {
            incarnation,
            told: false,
        }
    }

    pub(crate) fn tell(mut self, exit: Exit) {
        self.told = true;
        self.incarnation.seat.down(exit);
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if !self.told {
            self.incarnation.seat.down(Exit::Killed);
        }
    }
}

/// Why a child's own code gave up: the text of an error. Any error becomes one with `?`.
#[derive(Clone, Debug)]
pub struct Failure(Exit);

impl Failure {
    /// A failure with this text.
    pub fn new(reason: impl std::fmt::Display) -> Self {
        Self(Exit::error(reason))
    }

    /// No failure: there is nothing for this child to do. Returned by an `init`, or by a task or a thread before it is
    /// ready, it leaves the child without a process, and its supervisor goes on (OTP's `ignore`).
    pub fn ignore() -> Self {
        Self(Exit::Ignored)
    }

    pub(crate) fn exit(self) -> Exit {
        self.0
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(error)
    }
}
