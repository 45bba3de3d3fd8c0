//! Counted on the bid path for pacing: what reached the draw, and what was bid; and what pacing answers: the share to take.
//!
//! Counters are sharded by data thread and written by that thread alone, with a load and a store, no locked instruction.
//! A second writer to a shard would lose counts, and nothing worse. Shares are one atomic load per draw.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::pacing::Share;
use crate::units::{CampaignSlot, Nanos};

/// Slots that are allocated together: 4 KB for each data thread that meets one of them.
const CHUNK: usize = 256;

/// What went past a campaign since the process began, in nanos of its currency. Wraps; only differences mean anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// The charges of bids that reached the draw.
    pub offered: u64,
    /// The charges of bids that were sent.
    pub bid: u64,
}

/// The counters of all data threads of a region.
#[derive(Debug)]
pub struct Supply(Box<[SupplyShard]>);

/// One data thread's counters.
#[derive(Debug)]
pub struct SupplyShard(Box<[OnceLock<Box<[Count]>>]>);

#[derive(Debug, Default)]
struct Count {
    offered: AtomicU64,
    bid: AtomicU64,
}

/// The share of every campaign, as published by the pacer. A slot nobody paces takes nothing.
#[derive(Debug)]
pub struct Shares(Box<[AtomicU32]>);

impl Supply {
    /// Counters for so many data threads and slots.
    pub fn new(threads: usize, slots: usize) -> Self {
        Self((0..threads).map(|_| SupplyShard::new(slots)).collect())
    }

    /// A data thread's own counters.
    pub fn shard(&self, thread: usize) -> Option<&SupplyShard> {
        self.0.get(thread)
    }

    /// The sum over all threads.
    pub fn flow(&self, slot: CampaignSlot) -> Flow {
        let mut flow = Flow::default();
        for count in self.0.iter().filter_map(|shard| shard.seen(slot)) {
            flow.offered = flow
                .offered
                .wrapping_add(count.offered.load(Ordering::Relaxed));
            flow.bid = flow.bid.wrapping_add(count.bid.load(Ordering::Relaxed));
        }
        flow
    }
}

impl SupplyShard {
    fn new(slots: usize) -> Self {
        Self(
            (0..slots.div_ceil(CHUNK))
                .map(|_| OnceLock::new())
                .collect(),
        )
    }

    /// A candidate reached the draw: what winning it would be charged. This thread's own shard only.
    pub fn offer(&self, slot: CampaignSlot, charge: Nanos) {
        if let Some(count) = self.own(slot) {
            add(&count.offered, charge);
        }
    }

    /// The charges that this thread has offered since the process began.
    pub fn offered(&self, slot: CampaignSlot) -> u64 {
        self.seen(slot)
            .map_or(0, |count| count.offered.load(Ordering::Relaxed))
    }

    /// A bid was sent: what was promised for it. This thread's own shard only.
    pub fn bid(&self, slot: CampaignSlot, charge: Nanos) {
        if let Some(count) = self.own(slot) {
            add(&count.bid, charge);
        }
    }

    fn own(&self, slot: CampaignSlot) -> Option<&Count> {
        let chunk = self.0.get(slot.index() / CHUNK)?;
        chunk
            .get_or_init(|| (0..CHUNK).map(|_| Count::default()).collect())
            .get(slot.index() % CHUNK)
    }

    fn seen(&self, slot: CampaignSlot) -> Option<&Count> {
        self.0
            .get(slot.index() / CHUNK)?
            .get()?
            .get(slot.index() % CHUNK)
    }
}

impl Shares {
    /// Shares of so many slots, all of them nothing.
    pub fn new(slots: usize) -> Self {
        Self((0..slots).map(|_| AtomicU32::new(0)).collect())
    }

    /// Whether an opportunity with this random number is taken.
    pub fn draw(&self, slot: CampaignSlot, random: u32) -> bool {
        self.share(slot).takes(random)
    }

    /// A slot's share.
    pub fn share(&self, slot: CampaignSlot) -> Share {
        // Relaxed: the share stands for itself, and a draw with the one of a moment ago is as good.
        self.0.get(slot.index()).map_or(Share::NONE, |share| {
            Share::from_raw(share.load(Ordering::Relaxed))
        })
    }

    /// Publishes a slot's share.
    pub fn publish(&self, slot: CampaignSlot, share: Share) {
        if let Some(place) = self.0.get(slot.index()) {
            place.store(share.raw(), Ordering::Relaxed);
        }
    }
}

/// Adds without a locked instruction: there is one writer.
fn add(count: &AtomicU64, charge: Nanos) {
    let more = u64::try_from(charge.get()).unwrap_or(0);
    let sum = count.load(Ordering::Relaxed).wrapping_add(more);
    count.store(sum, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_nobody_paces_takes_nothing() {
        let shares = Shares::new(10);
        assert!(!shares.draw(CampaignSlot::new(3), 0));
        assert!(!shares.draw(CampaignSlot::new(10), 0));
        shares.publish(CampaignSlot::new(3), Share::ALL);
        assert!(shares.draw(CampaignSlot::new(3), u32::MAX));
        shares.publish(CampaignSlot::new(3), Share::of(0.25));
        let taken = (0..1_000_u32)
            .filter(|turn| shares.draw(CampaignSlot::new(3), turn * 4_294_967))
            .count();
        assert!((249..=251).contains(&taken), "{taken}");
    }

    #[test]
    fn threads_count_apart_and_are_summed() {
        let supply = Supply::new(2, 600);
        let slot = CampaignSlot::new(599);
        std::thread::scope(|scope| {
            for thread in 0..2 {
                let shard = supply.shard(thread).unwrap();
                scope.spawn(move || {
                    for _ in 0..1_000 {
                        shard.offer(slot, Nanos::new(5));
                    }
                    shard.bid(slot, Nanos::new(5));
                });
            }
        });
        let flow = supply.flow(slot);
        assert_eq!((flow.offered, flow.bid), (10_000, 10));
        assert_eq!(supply.flow(CampaignSlot::new(0)), Flow::default());
        assert!(supply.shard(2).is_none());
    }
}
