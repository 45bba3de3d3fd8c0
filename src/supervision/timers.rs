//! Deadlines of all supervisors of a tree, in one task of the control plane.
//!
//! Nearly all of them are called off: a child is up, or gone, long before its deadline. So arming and disarming touch
//! one map under a lock, and the task is woken only for a deadline earlier than what it sleeps until. An empty map is
//! looked at once more after [`LINGER`], so that a restart a moment later wakes nobody either.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::core::Event;
use super::node::{Node, deliver, spawn_control};

/// How long the task stays when nothing is armed. Start and stop deadlines are longer than this.
const LINGER: Duration = Duration::from_secs(1);

/// One armed deadline.
pub(crate) type Key = (Instant, u64);

#[derive(Default)]
pub(crate) struct Timers {
    armed: Mutex<Armed>,
    earlier: Notify,
}

#[derive(Default)]
struct Armed {
    events: BTreeMap<Key, (Weak<Node>, Event)>,
    next: u64,
    /// What the task sleeps until; `None` while there is no task.
    wakes_at: Option<Instant>,
}

impl Timers {
    pub(crate) fn arm(
        self: &Arc<Self>,
        control: &Handle,
        delay: Duration,
        node: Weak<Node>,
        event: Event,
    ) -> Key {
        #[expect(
            clippy::disallowed_methods,
            reason = "tokio's own clock, which its timers follow"
        )]
        let at = Instant::now() + delay;
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (at, armed.next);
        armed.next += 1;
        armed.events.insert(key, (node, event));
        let before = armed.wakes_at;
        if before.is_none_or(|wakes_at| at < wakes_at) {
            armed.wakes_at = Some(at);
            drop(armed);
            if before.is_none() {
                let timers = Arc::clone(self);
                spawn_control(control, async move { timers.run().await });
            } else {
                self.earlier.notify_one();
            }
        }
        key
    }

    pub(crate) fn disarm(&self, key: Key) {
        self.armed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .events
            .remove(&key);
    }

    async fn run(&self) {
        while let Some(at) = self.fire() {
            tokio::select! {
                () = tokio::time::sleep_until(at) => {}
                () = self.earlier.notified() => {}
            }
        }
    }

    /// Delivers what is due, and says when to look again.
    fn fire(&self) -> Option<Instant> {
        #[expect(
            clippy::disallowed_methods,
            reason = "tokio's own clock, which its timers follow"
        )]
        let now = Instant::now();
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        let later = armed.events.split_off(&(now, u64::MAX));
        let due = std::mem::replace(&mut armed.events, later);
        let first = armed.events.first_key_value().map(|((at, _), _)| *at);
        let lingered = armed.wakes_at.is_some_and(|at| at <= now) && due.is_empty();
        armed.wakes_at = match first {
            None if lingered => None,
            None => Some(now + LINGER),
            first => first,
        };
        let next = armed.wakes_at;
        drop(armed);
        for (node, event) in due.into_values() {
            if let Some(node) = node.upgrade() {
                deliver(&node, event);
            }
        }
        next
    }
}
