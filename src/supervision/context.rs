//! What a child's code may know and do while its incarnation lives.

use std::future::Future;
use std::sync::{Arc, OnceLock};

use tokio::sync::Notify;

use super::exit::Why;
use super::owned::Owned;
use super::planes::{Plane, Planes};
use super::seat::Seat;
use super::stage::Stage;
use crate::clock::Clock;

/// What a child's code may know and do: its path, the clock, whether it should stop, and tasks of its own. Cheap to clone.
#[derive(Clone)]
pub struct Context(Arc<Incarnation>);

/// What one incarnation and its supervisor share.
pub(crate) struct Incarnation {
    pub(crate) seat: Seat,
    pub(crate) owned: Owned,
    told: OnceLock<Why>,
    changed: Notify,
}

impl Incarnation {
    pub(crate) fn new(seat: Seat) -> Arc<Self> {
        Arc::new(Self {
            seat,
            owned: Owned::default(),
            told: OnceLock::new(),
            changed: Notify::new(),
        })
    }

    /// Tells it to stop. What it was told first stands.
    pub(crate) fn tell(&self, why: Why) {
        if self.told.set(why).is_ok() {
            self.changed.notify_waiters();
        }
    }

    /// Why it should stop, if it should.
    pub(crate) fn told(&self) -> Option<Why> {
        self.told.get().copied()
    }

    /// It is given up by its supervisor: told to stop if it was not, its values withdrawn, its tasks ended after a grace.
    pub(crate) fn give_up(self: &Arc<Self>) {
        self.tell(Why::Other);
        Owned::end(self);
    }
}

impl Context {
    pub(crate) fn new(incarnation: Arc<Incarnation>) -> Self {
        Self(incarnation)
    }

    pub(crate) fn incarnation(&self) -> &Incarnation {
        &self.0
    }

    /// The child's path from the root.
    pub fn path(&self) -> &str {
        &self.0.seat.path
    }

    /// The tree's clock.
    pub fn clock(&self) -> &Clock {
        &self.0.seat.node.kernel().clock
    }

    /// The tree's runtimes.
    pub fn planes(&self) -> &Planes {
        &self.0.seat.node.kernel().planes
    }

    /// Says that the child is up. Tasks and threads must say so; a server is up when its `init` has returned.
    pub fn ready(&self) {
        self.0.seat.up();
    }

    /// Resolves when the child should end, with the reason.
    pub async fn stopped(&self) -> Why {
        loop {
            let changed = self.0.changed.notified();
            if let Some(why) = self.0.told() {
                return why;
            }
            changed.await;
        }
    }

    /// Whether the child should end.
    pub fn is_stopping(&self) -> bool {
        self.0.told().is_some()
    }

    /// Publishes a value for inline calls, for as long as this incarnation lives. A panic in a call is this child's
    /// crash.
    pub fn publish<S: Send + Sync + 'static>(&self, stage: &Stage<S>, value: S) {
        self.0.owned.publish(stage, value, &self.0.seat);
    }

    /// Runs a task that ends with this incarnation: it sees [`Context::stopped`], and is aborted a second later. A
    /// panic in it closes that task and is counted; it is not this child's crash. Says whether there was a runtime.
    pub fn spawn_on(&self, plane: Plane, task: impl Future<Output = ()> + Send + 'static) -> bool {
        let Some(runtime) = self.planes().runtime(plane) else {
            return false;
        };
        Owned::spawn(&self.0, &runtime, task);
        true
    }

    /// How many tasks of this incarnation are running.
    pub fn owned_tasks(&self) -> usize {
        self.0.owned.tasks()
    }

    /// How many tasks of this incarnation have panicked.
    pub fn owned_panics(&self) -> u64 {
        self.0.owned.panics()
    }

    /// Resolves when no task of this incarnation is left.
    pub async fn owned_tasks_gone(&self) {
        self.0.owned.gone().await;
    }
}
