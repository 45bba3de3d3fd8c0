//! Which creatives an exchange has approved.
//!
//! Exchanges look at creatives before or while they run. A rejected one is never bid there; one that nobody has judged is
//! bid unless the exchange wants to see creatives first. This is only what is known: who learns it (an operator, a loss
//! notice) says so with [`Approvals::judge`], and the next catalogue is built with it.

use std::collections::{HashMap, HashSet};

use super::campaign::Campaign;
use crate::units::{CreativeKey, ExchangeKey};

/// What an exchange thinks of a creative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approval {
    /// It may run.
    Approved,
    /// It may not.
    Rejected,
}

/// What every exchange thinks of every creative, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Approvals {
    known: HashMap<(ExchangeKey, CreativeKey), Approval>,
    /// Exchanges that run only what they have approved.
    first: HashSet<ExchangeKey>,
}

/// Which of a campaign's creatives an exchange does not run, by their places; a campaign has at most 64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Barred(u64);

/// A bit for each creative.
const _: () = assert!(super::campaign::CREATIVES_MAX <= 64);

impl Approvals {
    /// An exchange has judged a creative; what it thought before is forgotten.
    pub fn judge(&mut self, exchange: ExchangeKey, creative: CreativeKey, approval: Approval) {
        self.known.insert((exchange, creative), approval);
    }

    /// An exchange runs only what it has approved.
    pub fn wants_approval_first(&mut self, exchange: ExchangeKey) {
        self.first.insert(exchange);
    }

    /// Exchanges on which anything could be barred, in order.
    pub(super) fn exchanges(&self) -> Vec<ExchangeKey> {
        let judging = self.known.keys().map(|(exchange, _)| *exchange);
        let mut all: Vec<_> = judging.chain(self.first.iter().copied()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// What of a campaign an exchange does not run.
    pub(super) fn barred(&self, campaign: &Campaign, exchange: ExchangeKey) -> Barred {
        let may_run = |key: CreativeKey| match self.known.get(&(exchange, key)) {
            Some(Approval::Approved) => true,
            Some(Approval::Rejected) => false,
            None => !self.first.contains(&exchange),
        };
        let places = (0_u32..).zip(&campaign.creatives);
        let bits = places
            .filter(|(_, creative)| !may_run(creative.key))
            .filter_map(|(place, _)| 1_u64.checked_shl(place));
        Barred(bits.fold(0, |all, bit| all | bit))
    }
}

impl Barred {
    /// Whether the creative at this place is barred.
    pub fn contains(self, place: usize) -> bool {
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        self.0 & 1_u64.checked_shl(place).unwrap_or(0) != 0
    }

    /// Whether no creative is.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether every creative of so many is.
    pub(super) fn is_all_of(self, creatives: usize) -> bool {
        (0..creatives).all(|place| self.contains(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::fixture::{banner, campaign};

    #[test]
    fn a_rejected_creative_is_barred_and_an_unknown_one_only_where_approval_comes_first() {
        let (lax, strict) = (ExchangeKey::of("lax"), ExchangeKey::of("strict"));
        let own = Campaign {
            creatives: ["good", "bad", "new"].map(|id| banner(id, 300, 250)).into(),
            ..campaign("c")
        };
        let mut approvals = Approvals::default();
        assert!(approvals.barred(&own, lax).is_empty(), "the control");
        approvals.wants_approval_first(strict);
        for exchange in [lax, strict] {
            approvals.judge(exchange, CreativeKey::of("good"), Approval::Rejected);
            approvals.judge(exchange, CreativeKey::of("good"), Approval::Approved);
            approvals.judge(exchange, CreativeKey::of("bad"), Approval::Rejected);
        }
        let barred = |exchange| {
            let found = approvals.barred(&own, exchange);
            [0, 1, 2].map(|place| found.contains(place))
        };
        assert_eq!(barred(lax), [false, true, false]);
        assert_eq!(barred(strict), [false, true, true]);
        assert_eq!(barred(ExchangeKey::of("other")), [false; 3]);
        assert_eq!(approvals.exchanges().len(), 2);
    }
}
