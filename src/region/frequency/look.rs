//! What the caps would answer, for whoever only looks.

use std::sync::atomic::Ordering;

use super::super::exposures::Second;
use super::{CAP_MAX, Cap, CapRefusal, Frequency, Viewing, window};
use crate::units::LedgerTime;

impl Frequency {
    /// What [`Frequency::admit`] would answer now. Counts nothing, and forgets nothing.
    ///
    /// # Errors
    /// [`CapRefusal`].
    pub fn would_admit(
        &self,
        viewing: Viewing,
        cap: Cap,
        now: LedgerTime,
    ) -> Result<(), CapRefusal> {
        let (shard, key) = self.place(viewing);
        let table = shard.lock();
        let (now, window) = (Second::before(now), window(cap));
        let is_known = now.get().saturating_sub(window) >= self.known_since.load(Ordering::Relaxed);
        if table.loading || !is_known {
            return Err(CapRefusal::Unknown);
        }
        let limit = cap.impressions.min(CAP_MAX);
        let seen = table.seen.get(&key);
        if seen.map_or(0, |seen| seen.counted(now, window)) >= limit {
            Err(CapRefusal::Capped)
        } else if seen.is_none() && table.seen.len() >= shard.most {
            Err(CapRefusal::Unknown)
        } else {
            Ok(())
        }
    }
}
