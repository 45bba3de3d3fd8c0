//! What the caps answer: one decision, for bids and for whoever only looks.

use std::sync::atomic::Ordering;

use super::super::exposures::Second;
use super::{CAP_MAX, Cap, CapRefusal, Caps, Frequency, Table, Viewing, window};
use crate::units::LedgerTime;

impl Frequency {
    /// What [`Frequency::admit`] would answer now. Counts nothing, and forgets nothing.
    ///
    /// # Errors
    /// [`CapRefusal`].
    pub fn would_admit(
        &self,
        viewing: Viewing,
        caps: Caps,
        now: LedgerTime,
    ) -> Result<(), CapRefusal> {
        let (shard, keys) = self.place(viewing);
        let mut table = shard.lock();
        let table = (&mut *table, shard.most);
        self.decide(table, caps.of(keys), Second::before(now), Table::look)
    }

    /// Whether all caps allow one more, and there is room to count it. `count` says how many views of a pair count now,
    /// and nothing of a pair that is not known.
    #[inline]
    pub(super) fn decide(
        &self,
        (table, most): (&mut Table, usize),
        [own, all]: [Option<(u64, Cap)>; 2],
        now: Second,
        count: impl Fn(&mut Table, u64, Cap, Second) -> Option<u32>,
    ) -> Result<(), CapRefusal> {
        if table.loading || now.get() < self.in_doubt_until.load(Ordering::Relaxed) {
            return Err(CapRefusal::Unknown);
        }
        let mut unknown = 0;
        for (pair, refusal) in [
            (own, CapRefusal::Capped),
            (all, CapRefusal::AdvertiserCapped),
        ] {
            if let Some((key, cap)) = pair {
                if now.get().saturating_sub(window(cap)) < self.known_since.load(Ordering::Relaxed)
                {
                    return Err(CapRefusal::Unknown);
                }
                let seen = count(table, key, cap, now);
                if seen.unwrap_or(0) >= cap.impressions.min(CAP_MAX) {
                    return Err(refusal);
                }
                unknown += usize::from(seen.is_none());
            }
        }
        if unknown > 0 && table.seen.len() + unknown > most {
            return Err(CapRefusal::Unknown);
        }
        Ok(())
    }
}

impl Caps {
    /// Each cap with the key that its views are counted by.
    #[inline]
    pub(super) fn of(self, [own, all]: [u64; 2]) -> [Option<(u64, Cap)>; 2] {
        [
            self.campaign.map(|cap| (own, cap)),
            self.advertiser.map(|cap| (all, cap)),
        ]
    }
}

impl Table {
    /// How many views of a pair count now, without forgetting those that do not; `&mut` because what counts for bids does.
    fn look(&mut self, key: u64, cap: Cap, now: Second) -> Option<u32> {
        let seen = self.seen.get(&key)?;
        Some(seen.counted(now, window(cap)))
    }
}
