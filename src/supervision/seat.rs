//! A child's place in the tree while one incarnation sits in it, and what its code may do there.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;

use super::contain::contain_async;
use super::core::{Body, Event};
use super::exit::{Exit, Why};
use super::limit::Limit;
use super::node::{Node, deliver};
use super::planes::{Plane, Planes};
use super::stage::Stage;
use super::watchdog::WatchKey;
use crate::clock::Clock;

/// How long the owned tasks of a child that is gone may go on, so that a connection can finish its answer.
const OWNED_GRACE: Duration = Duration::from_secs(1);

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
    seat: Seat,
    told: bool,
}

impl Ending {
    pub(crate) fn new(seat: Seat) -> Self {
        Self { seat, told: false }
    }

    pub(crate) fn tell(mut self, exit: Exit) {
        self.told = true;
        self.seat.down(exit);
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if !self.told {
            self.seat.down(Exit::Killed);
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

/// What a child's code may know and do: its path, the clock, whether it should stop, and tasks of its own.
#[derive(Clone)]
pub struct Context {
    pub(crate) seat: Seat,
    pub(crate) stop: watch::Receiver<Option<Why>>,
    pub(crate) owned: Arc<Owned>,
}

impl Context {
    pub(crate) fn new(seat: Seat, stop: watch::Receiver<Option<Why>>) -> Self {
        let owned = Arc::new(Owned::default());
        Self { seat, stop, owned }
    }

    /// The child's path from the root.
    pub fn path(&self) -> &str {
        &self.seat.path
    }

    /// The tree's clock.
    pub fn clock(&self) -> &Clock {
        &self.seat.node.kernel().clock
    }

    /// The tree's runtimes.
    pub fn planes(&self) -> &Planes {
        &self.seat.node.kernel().planes
    }

    /// Says that the child is up. Tasks and threads must say so; a server is up when its `init` has returned.
    pub fn ready(&self) {
        self.seat.up();
    }

    /// Resolves when the child should end, with the reason.
    pub async fn stopped(&self) -> Why {
        let mut stop = self.stop.clone();
        match stop.wait_for(Option::is_some).await {
            Ok(why) => why.unwrap_or(Why::Other),
            Err(_) => Why::Other,
        }
    }

    /// Whether the child should end.
    pub fn is_stopping(&self) -> bool {
        self.stop.borrow().is_some() || self.stop.has_changed().is_err()
    }

    /// Publishes a value for inline calls, for as long as this incarnation lives. A panic in a call is this child's
    /// crash.
    pub fn publish<S: Send + Sync + 'static>(&self, stage: &Stage<S>, value: S) {
        self.owned.if_live(|| {
            let withdraw = stage.publish(value, self.seat.clone());
            self.owned.on_end(stage.place(), withdraw);
        });
    }

    /// Runs a task that ends with this incarnation: it sees [`Context::stopped`], and is aborted a second later. A
    /// panic in it closes that task and is counted; it is not this child's crash. Says whether there was a runtime.
    pub fn spawn_on(&self, plane: Plane, task: impl Future<Output = ()> + Send + 'static) -> bool {
        let Some(runtime) = self.planes().runtime(plane) else {
            return false;
        };
        self.owned.spawn(&runtime, task);
        true
    }

    /// How many tasks of this incarnation are running.
    pub fn owned_tasks(&self) -> usize {
        self.owned.live.load(Ordering::Acquire)
    }

    /// How many tasks of this incarnation have panicked.
    pub fn owned_panics(&self) -> u64 {
        self.owned.panics.load(Ordering::Relaxed)
    }

    /// Resolves when no task of this incarnation is left.
    pub async fn owned_tasks_gone(&self) {
        loop {
            let changed = self.owned.fewer.notified();
            if self.owned_tasks() == 0 {
                return;
            }
            changed.await;
        }
    }
}

/// What ends with an incarnation: published values and tasks.
#[derive(Default)]
pub(crate) struct Owned {
    given_up: Mutex<bool>,
    /// By the place of the stage that is withdrawn from.
    withdrawals: Mutex<HashMap<usize, Box<dyn FnOnce() + Send>>>,
    tasks: Mutex<Tasks>,
    live: AtomicUsize,
    panics: AtomicU64,
    fewer: Notify,
}

#[derive(Default)]
struct Tasks {
    next: u64,
    /// Without a handle until it is spawned.
    running: HashMap<u64, Option<AbortHandle>>,
    closed: bool,
}

impl Owned {
    /// Publishes, unless the supervisor has given this incarnation up: its successor may be there already.
    pub(crate) fn if_live<R>(&self, publish: impl FnOnce() -> R) -> Option<R> {
        let given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        (!*given_up).then(publish)
    }

    /// Withdraws what is published at a place when this incarnation ends; what it had published there before, now.
    fn on_end(&self, place: usize, withdraw: impl FnOnce() + Send + 'static) {
        let mut withdrawals = self
            .withdrawals
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let former = withdrawals.insert(place, Box::new(withdraw));
        drop(withdrawals);
        if let Some(former) = former {
            former();
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the kernel is the one that spawns"
    )]
    fn spawn(
        self: &Arc<Self>,
        runtime: &tokio::runtime::Handle,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        if tasks.closed {
            return;
        }
        let number = tasks.next;
        tasks.next += 1;
        tasks.running.insert(number, None);
        self.live.fetch_add(1, Ordering::AcqRel);
        drop(tasks);
        let leave = Leave {
            owned: Arc::clone(self),
            number,
        };
        // The guard moves into the task, so it leaves also when it is aborted before its first poll. A runtime that has
        // gone drops the task here and now, so no lock may be held that leaving needs.
        let handle = runtime.spawn(async move {
            let leave = leave;
            if contain_async(task).await.is_err() {
                leave.owned.panics.fetch_add(1, Ordering::Relaxed);
            }
        });
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        match tasks.running.get_mut(&number) {
            Some(place) => *place = Some(handle.abort_handle()),
            // It has left, or its grace has passed.
            None => handle.abort(),
        }
    }

    /// Withdraws what is published, at once; ends the tasks, after a grace.
    pub(crate) fn end(self: &Arc<Self>, control: &tokio::runtime::Handle) {
        *self.given_up.lock().unwrap_or_else(PoisonError::into_inner) = true;
        let withdrawals = std::mem::take(
            &mut *self
                .withdrawals
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        for withdraw in withdrawals.into_values() {
            withdraw();
        }
        self.tasks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .closed = true;
        if self.live.load(Ordering::Acquire) > 0 {
            let owned = Arc::clone(self);
            super::node::spawn_control(control, async move {
                tokio::time::sleep(OWNED_GRACE).await;
                let tasks = std::mem::take(
                    &mut owned
                        .tasks
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .running,
                );
                tasks.values().flatten().for_each(AbortHandle::abort);
            });
        }
    }
}

/// Takes a task off its owner's list.
struct Leave {
    owned: Arc<Owned>,
    number: u64,
}

impl Drop for Leave {
    fn drop(&mut self) {
        self.owned
            .tasks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .running
            .remove(&self.number);
        self.owned.live.fetch_sub(1, Ordering::AcqRel);
        self.owned.fewer.notify_waiters();
    }
}
