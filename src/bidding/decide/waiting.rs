//! Candidates of the open market that wait until nothing that follows can be worth more.

use crate::campaign::Rank;
use crate::units::Cpm;

/// Those that wait, at most as many as are looked at. Nothing is allocated until one has to.
#[derive(Debug, Default)]
pub(super) struct Waiting(Vec<(Cpm, Rank)>);

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A candidate that is worth so much in US dollars.
    pub(super) fn push(&mut self, value: Cpm, rank: Rank) {
        self.0.push((value, rank));
    }

    /// The best, if it is worth at least so much. Of two that are worth the same it is the one that can be worth more.
    pub(super) fn pop(&mut self, least: Cpm) -> Option<Rank> {
        let all = self.0.iter().enumerate();
        let (place, best) =
            all.max_by_key(|(_, (value, rank))| (*value, std::cmp::Reverse(*rank)))?;
        if best.0 < least {
            return None;
        }
        Some(self.0.swap_remove(place).1)
    }
}
