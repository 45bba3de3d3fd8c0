//! What the caps would answer, for whoever only looks.

use std::sync::atomic::Ordering;

use super::super::exposures::Second;
use super::{CAP_MAX, CapRefusal, Caps, Frequency, Viewing, window};
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
        let (shard, [own, all]) = self.place(viewing);
        let table = shard.lock();
        let now = Second::before(now);
        if table.loading || now.get() < self.in_doubt_until.load(Ordering::Relaxed) {
            return Err(CapRefusal::Unknown);
        }
        let mut unknown = 0;
        for (key, cap, refusal) in [
            (own, caps.campaign, CapRefusal::Capped),
            (all, caps.advertiser, CapRefusal::AdvertiserCapped),
        ] {
            let Some(cap) = cap else { continue };
            let window = window(cap);
            if now.get().saturating_sub(window) < self.known_since.load(Ordering::Relaxed) {
                return Err(CapRefusal::Unknown);
            }
            let seen = table.seen.get(&key);
            if seen.map_or(0, |seen| seen.counted(now, window)) >= cap.impressions.min(CAP_MAX) {
                return Err(refusal);
            }
            unknown += usize::from(seen.is_none());
        }
        if unknown > 0 && table.seen.len() + unknown > shard.most {
            return Err(CapRefusal::Unknown);
        }
        Ok(())
    }
}
