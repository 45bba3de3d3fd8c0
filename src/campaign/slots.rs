//! Which campaign has which slot: dense numbers that index every per-campaign table of this process.
//!
//! A slot stays with its campaign over reloads. A campaign that is gone keeps it until `hold` has passed, since bills
//! for its bids may still come; only then another campaign may have it. One that comes back in time finds its own.
//! Kept by whoever builds catalogues, and never stored: other processes number differently.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::units::{CampaignKey, CampaignSlot, Monotonic};

/// The most slots there are. Tables of every region have a row per slot; a million rows are what a machine still holds,
/// and ten times the largest catalogue that was measured.
pub const SLOTS_MAX: usize = 1 << 20;

/// Slots and who has them.
#[derive(Debug)]
pub struct SlotTable {
    hold: Duration,
    limit: usize,
    seats: Vec<Seat>,
    by_key: HashMap<CampaignKey, CampaignSlot>,
}

#[derive(Clone, Copy, Debug)]
struct Seat {
    key: CampaignKey,
    retired_at: Option<Monotonic>,
}

impl SlotTable {
    /// An empty table whose slots rest for `hold` between two campaigns.
    pub fn new(hold: Duration) -> Self {
        Self::with_limit(hold, SLOTS_MAX)
    }

    /// An empty table of at most so many slots, within [`SLOTS_MAX`].
    pub fn with_limit(hold: Duration, limit: usize) -> Self {
        Self {
            hold,
            limit: limit.min(SLOTS_MAX),
            seats: Vec::new(),
            by_key: HashMap::new(),
        }
    }

    /// Gives every live campaign its slot and retires those that are not live any more. Returns the campaigns for which
    /// there was no slot; they cannot be offered until another's has rested.
    #[must_use]
    pub fn settle(&mut self, live: &[CampaignKey], now: Monotonic) -> Vec<CampaignKey> {
        let alive: HashSet<CampaignKey> = live.iter().copied().collect();
        for seat in &mut self.seats {
            seat.retired_at = match seat.retired_at {
                _ if alive.contains(&seat.key) => None,
                Some(since) => Some(since),
                None => Some(now),
            };
        }
        let mut rested = self.rested(now).into_iter();
        let mut without = Vec::new();
        for &key in live {
            if self.by_key.contains_key(&key) {
                continue;
            }
            let Some(slot) = rested.next().or_else(|| self.grow(key)) else {
                without.push(key);
                continue;
            };
            if let Some(seat) = self.seats.get_mut(slot.index()) {
                self.by_key.remove(&seat.key);
                *seat = Seat {
                    key,
                    retired_at: None,
                };
            }
            self.by_key.insert(key, slot);
        }
        without
    }

    /// The slot of a campaign, also while it rests.
    pub fn slot(&self, key: CampaignKey) -> Option<CampaignSlot> {
        self.by_key.get(&key).copied()
    }

    /// One more than the highest slot that was ever given: the length of a table by slot.
    pub fn len(&self) -> usize {
        self.seats.len()
    }

    /// Whether no slot was ever given.
    pub fn is_empty(&self) -> bool {
        self.seats.is_empty()
    }

    fn rested(&self, now: Monotonic) -> Vec<CampaignSlot> {
        let slots = (0u32..).map(CampaignSlot::new);
        let rested = |seat: &Seat| {
            seat.retired_at
                .is_some_and(|since| now.since(since) >= self.hold)
        };
        slots
            .zip(&self.seats)
            .filter(|(_, seat)| rested(seat))
            .map(|(slot, _)| slot)
            .collect()
    }

    fn grow(&mut self, key: CampaignKey) -> Option<CampaignSlot> {
        let number = u32::try_from(self.seats.len()).ok()?;
        if self.seats.len() >= self.limit {
            return None;
        }
        self.seats.push(Seat {
            key,
            retired_at: None,
        });
        Some(CampaignSlot::new(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLD: Duration = Duration::from_mins(1);

    fn key(name: &str) -> CampaignKey {
        CampaignKey::of(name)
    }

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn slots_are_the_same_over_reloads_and_reused_only_after_a_rest() {
        let mut table = SlotTable::new(HOLD);
        assert!(table.settle(&[key("a"), key("b")], at(0)).is_empty());
        let (a, b) = (table.slot(key("a")).unwrap(), table.slot(key("b")).unwrap());

        assert!(table.settle(&[key("c"), key("b")], at(10)).is_empty());
        let c = table.slot(key("c")).unwrap();
        assert_eq!((table.slot(key("b")), table.len()), (Some(b), 3));
        assert_eq!(table.slot(key("a")), Some(a), "its bills may still come");

        assert!(
            table
                .settle(&[key("c"), key("b"), key("d")], at(69))
                .is_empty()
        );
        assert_eq!(table.len(), 4, "a rests until 70");
        assert!(
            table
                .settle(&[key("c"), key("b"), key("d"), key("e")], at(70))
                .is_empty()
        );
        assert_eq!(
            (table.slot(key("e")), table.slot(key("a"))),
            (Some(a), None)
        );
        assert_eq!(table.slot(key("c")), Some(c));
    }

    #[test]
    fn a_campaign_that_comes_back_finds_its_slot_and_rests_anew_when_it_goes() {
        let mut table = SlotTable::new(HOLD);
        assert!(table.settle(&[key("a")], at(0)).is_empty());
        assert!(table.settle(&[], at(1)).is_empty());
        assert!(table.settle(&[key("a")], at(50)).is_empty());
        assert!(table.settle(&[], at(60)).is_empty());
        assert!(table.settle(&[key("b")], at(100)).is_empty());
        assert_ne!(table.slot(key("a")), table.slot(key("b")));
    }

    #[test]
    fn a_campaign_without_a_slot_is_told() {
        let mut table = SlotTable::with_limit(HOLD, 1);
        assert_eq!(table.settle(&[key("a"), key("b")], at(0)), [key("b")]);
        assert_eq!(table.settle(&[key("b")], at(1)), [key("b")]);
        assert!(table.settle(&[key("b")], at(61)).is_empty());
    }
}
