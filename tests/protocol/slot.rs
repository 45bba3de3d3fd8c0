//! What stands in for `ArcSwapOption`, and the ways to take a value out of it.

use std::sync::Arc;

use loom::sync::Mutex;

/// A place for one shared value. Values are told apart by their address, as `ArcSwapOption` does.
pub(crate) struct Slot<T>(Mutex<Option<Arc<T>>>);

/// How an incarnation takes itself out.
#[derive(Clone, Copy)]
pub(crate) enum Withdrawal {
    /// Swapped for nothing if it is still there: `Stage::withdraw`, `Address::withdraw`, `ThreadLife::disconnect`.
    Swapped,
    /// Looked at, then emptied.
    LookedAt,
    /// Emptied, whoever is there.
    Blind,
}

impl<T> Slot<T> {
    pub(crate) fn empty() -> Self {
        Self(Mutex::new(None))
    }

    pub(crate) fn load(&self) -> Option<Arc<T>> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn store(&self, value: Option<Arc<T>>) {
        let mut place = self.0.lock().unwrap();
        let old = std::mem::replace(&mut *place, value);
        drop(place);
        drop(old);
    }

    fn compare_and_swap(&self, expected: &Arc<T>, value: Option<Arc<T>>) {
        let mut place = self.0.lock().unwrap();
        if place
            .as_ref()
            .is_some_and(|there| Arc::ptr_eq(there, expected))
        {
            *place = value;
        }
    }

    pub(crate) fn withdraw(&self, own: &Arc<T>, withdrawal: Withdrawal) {
        let current = self.load();
        let there = current.is_some_and(|current| Arc::ptr_eq(&current, own));
        match withdrawal {
            Withdrawal::Swapped if there => self.compare_and_swap(own, None),
            Withdrawal::LookedAt if there => self.store(None),
            Withdrawal::Blind => self.store(None),
            Withdrawal::Swapped | Withdrawal::LookedAt => {}
        }
    }
}
