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
        match table.seen.get(&key) {
            Some(seen) if seen.counted(now, window) >= limit => Err(CapRefusal::Capped),
            Some(_) => Ok(()),
            None if limit == 0 => Err(CapRefusal::Capped),
            None if table.seen.len() >= shard.most => Err(CapRefusal::Unknown),
            None => Ok(()),
        }
    }
}
