//! The watchdog: an OS thread that sees code which does not yield.
//!
//! tokio cannot take a thread away from a task that computes, so nobody inside a runtime can be sure to notice. Every poll
//! of a watched task's or server's code, and every call of a watched stage, marks the thread it runs on: which incarnation,
//! since when. The watchdog looks at all marks every few milliseconds; an incarnation that stands in one for longer than
//! its limit is reported to its supervisor as stuck. Waiting leaves no mark.
//!
//! A mark costs a few nanoseconds: two loads and two stores on a line of the thread's own, and the time is what the
//! watchdog saw last, not a clock's. Not watched here: threads, which may block, and are found stuck when they do not end.
//!
//! A supervisor whose machine a thread took and does not bring back, because a start on that thread never returns, is deaf:
//! nothing can be done for it but to say so.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use super::core::{Body, Event};
use super::node::{Kernel, Node, deliver};
use super::observe::What;
use crate::clock::Clock;

/// How often marks are looked at: a child is found stuck this much later than its limit at most.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// After so long a supervisor is called deaf. A start on the spot takes less than a tenth of a millisecond.
const DEAF_AFTER_MS: u64 = 1_000;

/// The time at the watchdogs' last look, in milliseconds of [`CLOCK`].
static LAST_LOOK_MS: AtomicU64 = AtomicU64::new(0);
/// All watchdogs of the process share one time, whatever clocks their trees go by: what spins, spins in real time.
static CLOCK: LazyLock<Clock> = LazyLock::new(Clock::system);
/// The marks of all threads.
static MARKS: Mutex<Vec<Weak<Mark>>> = Mutex::new(Vec::new());
static NEXT_KEY: AtomicU64 = AtomicU64::new(1);

/// The time by which stays are measured: never 0.
pub(super) fn mark() -> u64 {
    LAST_LOOK_MS.load(Ordering::Relaxed) + 1
}

/// What a thread is inside of.
#[derive(Debug, Default)]
struct Mark {
    /// The key of the watched incarnation; 0 for none.
    key: AtomicU64,
    since_ms: AtomicU64,
}

thread_local! {
    static MARK: Arc<Mark> = new_mark();
}

fn new_mark() -> Arc<Mark> {
    let mark = Arc::new(Mark::default());
    let mut marks = MARKS.lock().unwrap_or_else(PoisonError::into_inner);
    marks.retain(|mark| mark.strong_count() > 0);
    marks.push(Arc::downgrade(&mark));
    mark
}

/// Identifies a watched incarnation on the threads it runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct WatchKey(u64);

/// The thread is inside a watched incarnation until this is dropped.
pub(crate) struct Entered {
    before: Option<(u64, u64)>,
}

impl WatchKey {
    /// Marks this thread. Inside another watched incarnation this one is looked at: the innermost owns a hang, as it owns a
    /// panic. Free for what is not watched.
    pub(crate) fn enter(self) -> Entered {
        if self.0 == 0 {
            return Entered { before: None };
        }
        let before = MARK.with(|mark| {
            // The key is released after the time, and acquired before it: a look finds a time that is no older than the
            // stay whose key it found.
            let before = (
                mark.key.load(Ordering::Relaxed),
                mark.since_ms.load(Ordering::Relaxed),
            );
            mark.since_ms
                .store(LAST_LOOK_MS.load(Ordering::Relaxed), Ordering::Relaxed);
            mark.key.store(self.0, Ordering::Release);
            before
        });
        Entered {
            before: Some(before),
        }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let Some((key, since_ms)) = self.before else {
            return;
        };
        // A thread that is ending has no mark any more, and nothing to put back.
        let _ended = MARK.try_with(|mark| {
            mark.key.store(key, Ordering::Release);
            // Outside, the time stays: a look that found the key before would pair it with one that is long over. Inside
            // another stay that may happen, and two looks in a row have to agree.
            if key != 0 {
                mark.since_ms.store(since_ms, Ordering::Relaxed);
            }
        });
    }
}

/// What one tree's watchdog watches.
#[derive(Default)]
pub(crate) struct Watchdog {
    watched: Mutex<HashMap<u64, Watched>>,
    started: OnceLock<()>,
    /// The supervisors that were said to be deaf, and since when they are, by their paths.
    deaf: Mutex<HashMap<Arc<str>, Deaf>>,
}

/// A supervisor and the mark of when its machine was taken.
type Deaf = (Weak<Node>, u64);

struct Watched {
    node: Weak<Node>,
    body: Body,
    limit_ms: u64,
    /// The mark as it was seen at the last look, if it was over the limit then.
    suspected_since_ms: Option<u64>,
}

/// An incarnation is watched until this is dropped.
pub(crate) struct Watch {
    dog: Arc<Watchdog>,
    key: WatchKey,
}

impl Watch {
    pub(crate) fn key(&self) -> WatchKey {
        self.key
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut watched = self
            .dog
            .watched
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        watched.remove(&self.key.0);
    }
}

impl Watchdog {
    /// Watches an incarnation. The first one starts the thread; a tree that watches nothing has none.
    pub(crate) fn watch(self: &Arc<Self>, node: &Arc<Node>, body: Body, limit: Duration) -> Watch {
        let key = NEXT_KEY.fetch_add(1, Ordering::Relaxed);
        let watched = Watched {
            node: Arc::downgrade(node),
            body,
            limit_ms: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX).max(1),
            suspected_since_ms: None,
        };
        self.watched
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, watched);
        self.started.get_or_init(|| start(Arc::downgrade(self)));
        Watch {
            dog: Arc::clone(self),
            key: WatchKey(key),
        }
    }

    fn look(&self, now_ms: u64) {
        let marks: Vec<Arc<Mark>> = {
            let mut marks = MARKS.lock().unwrap_or_else(PoisonError::into_inner);
            marks.retain(|mark| mark.strong_count() > 0);
            marks.iter().filter_map(Weak::upgrade).collect()
        };
        let stuck: Vec<_> = {
            let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
            let over: Vec<u64> = marks
                .iter()
                .filter_map(|mark| suspect(mark, &mut watched, now_ms))
                .collect();
            over.iter().filter_map(|key| watched.remove(key)).collect()
        };
        // Told outside the lock: a supervisor that acts on it may begin to watch another.
        for found in stuck {
            if let Some(node) = found.node.upgrade() {
                deliver(&node, Event::Stuck(found.body));
            }
        }
    }

    /// Looks for supervisors that have become deaf, and for those that hear again.
    fn listen(&self, now: u64) {
        let Some(kernel) = self.kernel() else {
            return;
        };
        let mut deaf = self.deaf.lock().unwrap_or_else(PoisonError::into_inner);
        let mut hears = Vec::new();
        deaf.retain(|_, (node, since)| {
            let Some(node) = node.upgrade() else {
                return false;
            };
            let is_deaf = node.away_since() == Some(*since);
            if !is_deaf {
                hears.push(node);
            }
            is_deaf
        });
        let nodes = kernel.live_nodes();
        for (path, node) in nodes {
            if let Some(since) = node.away_since()
                && now.saturating_sub(since) >= DEAF_AFTER_MS
                && deaf.insert(path, (Arc::downgrade(&node), since)).is_none()
            {
                node.say(What::Deaf);
            }
        }
        for node in hears {
            node.say(What::HearsAgain);
        }
    }

    /// What the watched incarnations' supervisors share. Whoever watches nobody listens to nobody.
    fn kernel(&self) -> Option<Arc<Kernel>> {
        let watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let node = watched.values().find_map(|found| found.node.upgrade())?;
        drop(watched);
        Some(Arc::clone(node.kernel()))
    }
}

/// The key under a mark, if that incarnation was over its limit at this look and the one before, in one stay.
fn suspect(mark: &Mark, watched: &mut HashMap<u64, Watched>, now_ms: u64) -> Option<u64> {
    let (key, since_ms) = (
        mark.key.load(Ordering::Acquire),
        mark.since_ms.load(Ordering::Relaxed),
    );
    let found = watched.get_mut(&key)?;
    if now_ms.saturating_sub(since_ms) < found.limit_ms {
        found.suspected_since_ms = None;
        return None;
    }
    let again = found.suspected_since_ms == Some(since_ms);
    found.suspected_since_ms = Some(since_ms);
    again.then_some(key)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the kernel is the one that spawns"
)]
fn start(dog: Weak<Watchdog>) {
    let watch = move || {
        while let Some(dog) = dog.upgrade() {
            let now_ms = CLOCK.monotonic().as_nanos() / 1_000_000;
            LAST_LOOK_MS.store(now_ms, Ordering::Relaxed);
            dog.look(now_ms);
            dog.listen(now_ms + 1);
            drop(dog);
            std::thread::park_timeout(LOOK_EVERY);
        }
    };
    let thread = std::thread::Builder::new().name("watchdog".to_owned());
    // Without it nothing is found stuck, and everything else goes on.
    thread.spawn(watch).ok();
}
