//! Who has seen a campaign, and who may see it again: rolling windows per (user, campaign), never above the cap.
//!
//! An impression counts from when it is billed until the window has passed; a bid that was sent counts until it is
//! billed, released, or its hold has passed. Times are kept, not slices, so nothing leaves early: they are whole seconds,
//! an impression's rounded up and the present rounded down.
//!
//! The table is 1,024 shards by user, each a map under a lock that is held for one look-up. A shard has a maximum; where
//! it is reached, or while its history is being loaded, the answer is *unknown* and a capped campaign passes.
//!
//! Memory: 42 bytes per (user, campaign) of up to three impressions and pending bids, in a full table; more of them take
//! a list of 8 + 4 bytes each besides. Not here: who the user is, and whether consent lets us know (`bidding`).

mod look;

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::exposures::{Exposures, Second};
use crate::units::{CampaignKey, LedgerTime, UserKey};

/// Shards: data threads seldom meet in one, and a sweep holds back one in a thousand bids for microseconds.
const SHARDS: usize = 1_024;
/// The highest cap that is counted; a higher one is held to this: fewer impressions than allowed, never more.
pub const CAP_MAX: u32 = 255;
/// The longest window: impressions of 60 days are few enough to keep, and times fit in 31 bits beside it.
pub const WINDOW_MAX: Duration = Duration::from_hours(60 * 24);

/// At most so many impressions for one user in any window of this length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cap {
    /// Impressions; at most [`CAP_MAX`] are counted. Zero allows none.
    pub impressions: u32,
    /// The window; at most [`WINDOW_MAX`].
    pub window: Duration,
}

/// A user and what they may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Viewing {
    /// Who.
    pub user: UserKey,
    /// Which campaign.
    pub campaign: CampaignKey,
}

/// Why a campaign passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum CapRefusal {
    /// The user has seen it often enough, or is about to.
    #[error("capped")]
    Capped,
    /// It is not known how often: the table is full here, or its history is still loading.
    #[error("caps unknown")]
    Unknown,
}

/// Whom a campaign was shown to.
#[derive(Debug)]
pub struct Frequency {
    shards: Box<[Arc<Shard>]>,
    /// Whose turn it is to be swept.
    next: AtomicUsize,
    /// The second (since 2020) from which all impressions are known; 0: from the beginning.
    known_since: AtomicU32,
}

/// A bid that counts although it is not sent yet. Dropped, it does not.
#[must_use = "a pending impression that is dropped is undone"]
#[derive(Debug)]
pub struct Pending {
    shard: Arc<Shard>,
    key: u64,
    until: Second,
    sent: bool,
}

#[derive(Debug)]
struct Shard {
    most: usize,
    table: Mutex<Table>,
}

#[derive(Debug)]
struct Table {
    loading: bool,
    seen: HashMap<u64, Exposures, BuildHasherDefault<AsItIs>>,
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Pairs forgotten.
    pub forgotten: usize,
    /// Pairs kept, in the shards that were swept.
    pub kept: usize,
}

impl Frequency {
    /// A table for about so many (user, campaign) pairs, whose history is still to be loaded: every answer is
    /// [`CapRefusal::Unknown`] until [`Frequency::loaded`].
    ///
    /// The room is taken now, so that no bid waits for a table to grow.
    pub fn loading(pairs: usize) -> Self {
        let most = pairs.div_ceil(SHARDS).max(1);
        let shard = || {
            Arc::new(Shard {
                most,
                table: Mutex::new(Table {
                    loading: true,
                    // Twice the maximum: then what was removed is reclaimed in place, without growing.
                    seen: HashMap::with_capacity_and_hasher(
                        most * 2,
                        BuildHasherDefault::default(),
                    ),
                }),
            })
        };
        Self {
            shards: (0..SHARDS).map(|_| shard()).collect(),
            next: AtomicUsize::new(0),
            known_since: AtomicU32::new(0),
        }
    }

    /// Says that the history is in: from now on what is not in the table has not been seen. A history that is complete
    /// only since some time answers [`CapRefusal::Unknown`] for windows that reach further back.
    pub fn loaded(&self, complete_since: Option<LedgerTime>) {
        let since = complete_since.map_or(0, |time| Second::after(time).get());
        self.known_since.store(since, Ordering::Relaxed);
        for shard in &self.shards {
            shard.lock().loading = false;
        }
    }

    /// Counts a bid against the cap, if the cap allows it, until `hold_until`. Check and count are one step: of bids at the
    /// same moment no more are admitted than the cap has room for.
    ///
    /// Budget: 150 ns, no allocation up to three impressions.
    ///
    /// # Errors
    /// [`CapRefusal`]: pass.
    pub fn admit(
        &self,
        viewing: Viewing,
        cap: Cap,
        now: LedgerTime,
        hold_until: LedgerTime,
    ) -> Result<Pending, CapRefusal> {
        let (shard, key) = self.place(viewing);
        let until = Second::after(hold_until);
        let mut table = shard.lock();
        if table.loading {
            return Err(CapRefusal::Unknown);
        }
        let now = Second::before(now);
        let limit = cap.impressions.min(CAP_MAX);
        let window = window(cap);
        if now.get().saturating_sub(window) < self.known_since.load(Ordering::Relaxed) {
            return Err(CapRefusal::Unknown);
        }
        if let Some(seen) = table.seen.get_mut(&key) {
            seen.forget(now, window);
            if seen.count() >= limit {
                return Err(CapRefusal::Capped);
            }
            seen.pend(until);
        } else if limit == 0 {
            return Err(CapRefusal::Capped);
        } else if table.seen.len() >= shard.most {
            return Err(CapRefusal::Unknown);
        } else {
            table.seen.insert(key, Exposures::pending(until, window));
        }
        drop(table);
        Ok(Pending {
            shard: Arc::clone(shard),
            key,
            until,
            sent: false,
        })
    }

    /// Counts a billed impression from `at` on, in place of the pending bid that was held until `hold_until`. One whose
    /// hold has passed counts as well.
    ///
    /// A shard that is full does not take a pair it does not know; false then. Whoever is asked about that pair while the
    /// shard is full answers *unknown*.
    pub fn confirm(
        &self,
        viewing: Viewing,
        cap: Cap,
        hold_until: LedgerTime,
        at: LedgerTime,
    ) -> bool {
        self.count(viewing, cap, Some(Second::after(hold_until)), at)
    }

    /// Counts an impression of the past, when the table is rebuilt.
    pub fn load(&self, viewing: Viewing, cap: Cap, at: LedgerTime) -> bool {
        self.count(viewing, cap, None, at)
    }

    /// Stops counting a bid that was lost.
    pub fn release(&self, viewing: Viewing, hold_until: LedgerTime) {
        let (shard, key) = self.place(viewing);
        shard.undo(key, Second::after(hold_until));
    }

    /// Forgets what no window can see any more, in the next `shards` shards: all of them in turn, 1,024 in all. About 10 µs
    /// each in a table of a million pairs.
    pub fn sweep(&self, now: LedgerTime, shards: usize) -> Swept {
        let now = Second::before(now);
        let mut swept = Swept::default();
        for _ in 0..shards.min(SHARDS) {
            let turn = self.next.fetch_add(1, Ordering::Relaxed) % SHARDS;
            if let Some(shard) = self.shards.get(turn) {
                let mut table = shard.lock();
                let before = table.seen.len();
                table.seen.retain(|_, seen| !seen.is_over(now));
                swept.kept += table.seen.len();
                swept.forgotten += before - table.seen.len();
            }
        }
        swept
    }

    /// How many pairs are known. Takes every lock once: for metrics.
    pub fn pairs(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| shard.lock().seen.len())
            .sum()
    }

    fn count(&self, viewing: Viewing, cap: Cap, pending: Option<Second>, at: LedgerTime) -> bool {
        let (shard, key) = self.place(viewing);
        let (at, window) = (Second::after(at), window(cap));
        let keep = cap.impressions.min(CAP_MAX);
        let mut table = shard.lock();
        let known = table.seen.len();
        if let Some(seen) = table.seen.get_mut(&key) {
            if let Some(pending) = pending {
                seen.unpend(pending);
            }
            seen.show(at, window, keep);
            return true;
        }
        if known >= shard.most {
            return false;
        }
        table.seen.insert(key, Exposures::shown(at, window));
        true
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "ten bits index a table of 1,024 shards"
    )]
    fn place(&self, viewing: Viewing) -> (&Arc<Shard>, u64) {
        let user = mix(viewing.user.raw());
        // Two pairs with one key would share their count: one in 10^13 pairs of a million, and then fewer are shown.
        let key = mix(user ^ viewing.campaign.raw().rotate_left(32));
        let shard = usize::try_from(user >> 54).unwrap_or(0) % SHARDS;
        (&self.shards[shard], key)
    }
}

impl Pending {
    /// The bid is about to leave: it counts until it is billed, released, or its hold has passed.
    pub fn sent(mut self) {
        self.sent = true;
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.sent {
            self.shard.undo(self.key, self.until);
        }
    }
}

impl Shard {
    fn undo(&self, key: u64, until: Second) {
        let mut table = self.lock();
        if let Some(seen) = table.seen.get_mut(&key) {
            seen.unpend(until);
            if seen.count() == 0 {
                table.seen.remove(&key);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // Nothing under the lock panics half way; what a panicking thread left is whole.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The window in seconds, rounded up.
fn window(cap: Cap) -> u32 {
    let window = cap.window.min(WINDOW_MAX);
    u32::try_from(window.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX)
}

/// The finishing step of splitmix64: every bit of the key depends on every bit of what it was made from.
const fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// Keys are mixed already, and a user key is a keyed hash, so that nobody outside can choose them.
#[derive(Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 << 8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests;
