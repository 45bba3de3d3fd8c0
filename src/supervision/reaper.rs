//! Where old incarnations and old snapshots go, so that no data thread pays for freeing them.
//!
//! The last caller inside an old incarnation would otherwise drop it, and with it whatever it owns. The reaper keeps a
//! share of it until it is the only one that does, and frees it in the control plane, in a contained frame.

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;

use super::contain::contain;
use super::node::spawn_control;

/// How often what waits is looked at. A call lasts microseconds, so the first look usually finds it unused.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Looks after which an old value is left to its last user. A minute: only a stuck call holds one that long.
const LOOKS_MAX: u32 = 6_000;
/// Looks at an empty yard before nobody looks any more: a crash a moment later wakes nobody.
const IDLE_LOOKS_MAX: u32 = 100;

/// Frees old values off the data threads. Cheap to clone.
#[derive(Clone)]
pub struct Reaper(Arc<Yard>);

struct Yard {
    control: Handle,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    old: Vec<Old>,
    looking: bool,
    idle_looks: u32,
}

struct Old {
    value: Arc<dyn Any + Send + Sync>,
    looks: u32,
}

impl Reaper {
    pub(crate) fn new(control: Handle) -> Self {
        Self(Arc::new(Yard {
            control,
            waiting: Mutex::default(),
        }))
    }

    /// Takes a value that nobody will find any more; those who are using it finish.
    pub fn retire(&self, value: Arc<dyn Any + Send + Sync>) {
        let mut waiting = self
            .0
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let idle = !std::mem::replace(&mut waiting.looking, true);
        waiting.idle_looks = 0;
        waiting.old.push(Old { value, looks: 0 });
        drop(waiting);
        if idle {
            let reaper = self.clone();
            spawn_control(&self.0.control, async move {
                while reaper.look() {
                    tokio::time::sleep(LOOK_EVERY).await;
                }
            });
        }
    }

    /// Frees what nobody uses any more. Says whether something still waits.
    fn look(&self) -> bool {
        let mut waiting = self
            .0
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (free, mut busy): (Vec<_>, Vec<_>) = std::mem::take(&mut waiting.old)
            .into_iter()
            .partition(|old| Arc::strong_count(&old.value) == 1 || old.looks >= LOOKS_MAX);
        for old in &mut busy {
            old.looks += 1;
        }
        waiting.idle_looks = if busy.is_empty() {
            waiting.idle_looks + 1
        } else {
            0
        };
        let more = waiting.idle_looks < IDLE_LOOKS_MAX;
        waiting.looking = more;
        waiting.old = busy;
        drop(waiting);
        for old in free {
            // A value whose Drop panics is its own bug; it has been replaced already.
            drop(contain(move || drop(old)));
        }
        more
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_value_in_use_is_freed_when_its_last_user_is_done() {
        let reaper = Reaper::new(Handle::current());
        let user = Arc::new(7_u64);
        let seen = Arc::downgrade(&user);
        reaper.retire(Arc::clone(&user) as Arc<dyn Any + Send + Sync>);
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(seen.strong_count(), 2);
        drop(user);
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(seen.strong_count(), 0);
    }
}
