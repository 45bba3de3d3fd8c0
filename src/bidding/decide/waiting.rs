//! Candidates of the open market that wait until nothing that follows can be worth more.

use super::candidate::Priced;
use crate::campaign::Rank;
use crate::units::Cpm;

/// Those that wait, at most as many as are looked at. Nothing is allocated until one has to.
#[derive(Debug, Default)]
pub(super) struct Waiting(Vec<Waits>);

/// One that waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waits {
    /// What it is worth here, in US dollars.
    pub(super) value: Cpm,
    pub(super) rank: Rank,
    /// How that came about, with so many bids chosen: another may leave it less room.
    pub(super) priced: (Priced, usize),
}

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn extend(&mut self, waits: Option<Waits>) {
        self.0.extend(waits);
    }

    /// The best, if it is worth at least so much. Of two that are worth the same it is the one that can be worth more.
    pub(super) fn pop(&mut self, least: Cpm) -> Option<Waits> {
        let all = self.0.iter().enumerate();
        let (place, best) = all.max_by_key(|(_, it)| (it.value, std::cmp::Reverse(it.rank)))?;
        if best.value < least {
            return None;
        }
        Some(self.0.swap_remove(place))
    }
}
