//! What ends with an incarnation: the values it published and the tasks it started.
//!
//! Most children have neither, so it takes no room until it is used.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::contain::contain_async;
use super::context::Incarnation;
use super::node::spawn_control;
use super::seat::Seat;
use super::stage::Stage;

/// How long the owned tasks of a child that is gone may go on, so that a connection can finish its answer.
const OWNED_GRACE: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(crate) struct Owned {
    /// Whether the supervisor has given the incarnation up. Nothing is published or made after that.
    given_up: Mutex<bool>,
    belongings: OnceLock<Box<Belongings>>,
}

#[derive(Default)]
struct Belongings {
    /// By the place of the stage. What is dropped is withdrawn.
    published: Mutex<HashMap<usize, Box<dyn Send>>>,
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
    /// Does something, unless the supervisor has given this incarnation up: its successor may be there already.
    pub(crate) fn if_live<R>(&self, work: impl FnOnce() -> R) -> Option<R> {
        let given_up = self.given_up.lock().unwrap_or_else(PoisonError::into_inner);
        (!*given_up).then(work)
    }

    /// Publishes a value until this incarnation ends; what it had published there before is withdrawn.
    pub(crate) fn publish<S: Send + Sync + 'static>(
        &self,
        stage: &Stage<S>,
        value: S,
        seat: &Seat,
    ) {
        let former = self.if_live(|| {
            let belongings = self.belongings.get_or_init(Box::default);
            let value = Box::new(stage.publish(value, seat.clone()));
            belongings.lock_published().insert(stage.place(), value)
        });
        drop(former);
    }

    /// Tasks that are running.
    pub(crate) fn tasks(&self) -> usize {
        self.belongings
            .get()
            .map_or(0, |belongings| belongings.live.load(Ordering::Acquire))
    }

    /// Tasks that have panicked.
    pub(crate) fn panics(&self) -> u64 {
        self.belongings
            .get()
            .map_or(0, |belongings| belongings.panics.load(Ordering::Relaxed))
    }

    /// Resolves when no task is left.
    pub(crate) async fn gone(&self) {
        let Some(belongings) = self.belongings.get() else {
            return;
        };
        loop {
            let changed = belongings.fewer.notified();
            if self.tasks() == 0 {
                return;
            }
            changed.await;
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the kernel is the one that spawns"
    )]
    pub(crate) fn spawn(
        incarnation: &Arc<Incarnation>,
        runtime: &Handle,
        task: impl Future<Output = ()> + Send + 'static,
    ) {
        let owned = &incarnation.owned;
        let belongings = owned.if_live(|| owned.belongings.get_or_init(Box::default));
        let Some(number) = belongings.and_then(|belongings| belongings.take_number()) else {
            return;
        };
        let leave = Leave {
            incarnation: Arc::clone(incarnation),
            number,
        };
        // The guard moves into the task, so it leaves also when it is aborted before its first poll. A runtime that has
        // gone drops the task here and now, so no lock may be held that leaving needs.
        let handle = runtime.spawn(async move {
            let leave = leave;
            if contain_async(task).await.is_err()
                && let Some(belongings) = leave.incarnation.owned.belongings.get()
            {
                belongings.panics.fetch_add(1, Ordering::Relaxed);
            }
        });
        if let Some(belongings) = belongings {
            belongings.started(number, handle.abort_handle());
        }
    }

    /// Withdraws what is published, at once; ends the tasks, after a grace.
    pub(crate) fn end(incarnation: &Arc<Incarnation>) {
        let owned = &incarnation.owned;
        // Under its lock belongings are made, so after this there are some already or there will be none.
        *owned
            .given_up
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = true;
        let Some(belongings) = owned.belongings.get() else {
            return;
        };
        let published = std::mem::take(&mut *belongings.lock_published());
        drop(published);
        belongings.lock_tasks().closed = true;
        if owned.tasks() > 0 {
            let incarnation = Arc::clone(incarnation);
            let control = incarnation.seat.node.kernel().planes.control().clone();
            spawn_control(&control, async move {
                tokio::time::sleep(OWNED_GRACE).await;
                if let Some(belongings) = incarnation.owned.belongings.get() {
                    let tasks = std::mem::take(&mut belongings.lock_tasks().running);
                    tasks.values().flatten().for_each(AbortHandle::abort);
                }
            });
        }
    }
}

impl Belongings {
    fn lock_published(&self) -> MutexGuard<'_, HashMap<usize, Box<dyn Send>>> {
        self.published
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_tasks(&self) -> MutexGuard<'_, Tasks> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place on the list for a task that is about to start.
    fn take_number(&self) -> Option<u64> {
        let mut tasks = self.lock_tasks();
        if tasks.closed {
            return None;
        }
        let number = tasks.next;
        tasks.next += 1;
        tasks.running.insert(number, None);
        self.live.fetch_add(1, Ordering::AcqRel);
        Some(number)
    }

    fn started(&self, number: u64, handle: AbortHandle) {
        match self.lock_tasks().running.get_mut(&number) {
            Some(place) => *place = Some(handle),
            // It has left, or its grace has passed.
            None => handle.abort(),
        }
    }

    fn left(&self, number: u64) {
        self.lock_tasks().running.remove(&number);
        self.live.fetch_sub(1, Ordering::AcqRel);
        self.fewer.notify_waiters();
    }
}

/// Takes a task off its owner's list.
struct Leave {
    incarnation: Arc<Incarnation>,
    number: u64,
}

impl Drop for Leave {
    fn drop(&mut self) {
        if let Some(belongings) = self.incarnation.owned.belongings.get() {
            belongings.left(self.number);
        }
    }
}
