//! Which impressions were billed or lost, so that a promise is given back or spent, once.

use std::collections::HashSet;
use std::time::Duration;

use crate::store::movement::ImpressionKey;
use crate::units::LedgerTime;

/// Losses, and bills, remembered of one generation. Beyond it losses are left to lapse.
const SETTLED_MAX: usize = 500_000;

/// Two generations of settled impressions: the older is forgotten when the newer has stood for the longest hold.
pub(super) struct Settled {
    now: Generation,
    before: Generation,
    turned_at: LedgerTime,
}

#[derive(Default)]
struct Generation {
    released: HashSet<ImpressionKey>,
    /// A loss that is told of one of these frees nothing.
    billed: HashSet<ImpressionKey>,
}

impl Settled {
    pub(super) fn new(now: LedgerTime) -> Self {
        Self {
            now: Generation::default(),
            before: Generation::default(),
            turned_at: now,
        }
    }

    pub(super) fn is_released(&self, key: &ImpressionKey) -> bool {
        self.now.released.contains(key) || self.before.released.contains(key)
    }

    /// Whether an impression is settled, or was so for all that is known: with a list full, losses are left to lapse.
    pub(super) fn may_hold(&self, key: &ImpressionKey) -> bool {
        let is_full = self.now.released.len().max(self.now.billed.len()) >= SETTLED_MAX;
        let is_billed = self.now.billed.contains(key) || self.before.billed.contains(key);
        is_full || is_billed || self.is_released(key)
    }

    pub(super) fn release(&mut self, key: ImpressionKey) {
        self.now.released.insert(key);
    }

    pub(super) fn bill(&mut self, key: ImpressionKey) {
        if self.now.billed.len() < SETTLED_MAX {
            self.now.billed.insert(key);
        }
    }

    /// How many losses are remembered.
    pub(super) fn losses(&self) -> usize {
        self.now.released.len() + self.before.released.len()
    }

    /// Forgets losses and bills after the longest hold: then their promises have lapsed, and telling one again frees
    /// nothing.
    pub(super) fn forget_old(&mut self, now: LedgerTime, longest_hold: Duration) {
        // A promise lapses up to a 48th of its hold later than its hold.
        if now >= self.turned_at.plus(longest_hold + longest_hold / 16) {
            self.before = std::mem::take(&mut self.now);
            self.turned_at = now;
        }
    }
}
