//! Who has seen a campaign, and who may see it again: rolling windows per (user, campaign) and per (user, advertiser), never
//! above either cap. Both are looked at and counted in one step: a bid counts in both or in neither.
//!
//! An impression counts from when it is billed until the window has passed; a bid that was sent counts until it is
//! billed, released, or its hold has passed. Times are kept, not slices, so nothing leaves early: they are whole seconds,
//! an impression's rounded up and the present rounded down.
//!
//! The table is 1,024 shards by user, each a map under a lock that is held for one look-up. A shard has a maximum; where
//! it is reached, or while its history is being loaded, the answer is *unknown* and a capped campaign passes.
//!
//! Memory: 42 bytes per pair of up to three impressions and pending bids, in a full table; more of them take
//! a list of 8 + 4 bytes each besides. Not here: who the user is, and whether consent lets us know (`bidding`).

mod look;

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::exposures::{Exposures, Second};
use crate::units::{AdvertiserKey, CampaignKey, LedgerTime, UserKey};

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
    /// Whose ads.
    pub advertiser: AdvertiserKey,
}

/// The caps that a view counts in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caps {
    /// The campaign's.
    pub campaign: Option<Cap>,
    /// Its advertiser's, over all its campaigns.
    pub advertiser: Option<Cap>,
}

/// Why a campaign passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum CapRefusal {
    /// The user has seen it often enough, or is about to.
    #[error("capped")]
    Capped,
    /// The user has seen its advertiser's ads often enough, or is about to.
    #[error("advertiser capped")]
    AdvertiserCapped,
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
    /// The second until which bids of a former process may still be billed, of which nothing is known; 0: there are none.
    in_doubt_until: AtomicU32,
}

/// A bid that counts although it is not sent yet. Dropped, it does not.
#[must_use = "a pending impression that is dropped is undone"]
#[derive(Debug)]
pub struct Pending {
    shard: Arc<Shard>,
    keys: [Option<u64>; 2],
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
            in_doubt_until: AtomicU32::new(0),
        }
    }

    /// Says that there may be bids of a former process, which may be billed until `until`: [`CapRefusal::Unknown`] till
    /// then.
    pub fn doubt_until(&self, until: LedgerTime) {
        self.in_doubt_until
            .fetch_max(Second::after(until).get(), Ordering::Relaxed);
    }

    /// Takes over the bids that were sent while `former` was the table. It is closed by this: who asks it from now on is
    /// told [`CapRefusal::Unknown`], so that none of its bids is missed.
    ///
    /// A bid that was billed, or undone, without its successor hearing of it counts until its hold has passed.
    pub fn inherit(&self, former: &Self) {
        let doubt = former.in_doubt_until.load(Ordering::Relaxed);
        self.in_doubt_until.fetch_max(doubt, Ordering::Relaxed);
        for (shard, former) in self.shards.iter().zip(&former.shards) {
            let mut before = former.lock();
            before.loading = true;
            let mut table = shard.lock();
            for (key, seen) in &before.seen {
                if let Some(pending) = seen.only_pending() {
                    table.seen.insert(*key, pending);
                }
            }
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

    /// Counts a bid against its caps, if all of them allow it, until `hold_until`. Check and count are one step: of bids at
    /// the same moment no more are admitted than each cap has room for, and one that is refused by either counts in none.
    ///
    /// Budget: 150 ns for one cap, no allocation up to three impressions.
    ///
    /// # Errors
    /// [`CapRefusal`]: pass.
    pub fn admit(
        &self,
        viewing: Viewing,
        caps: Caps,
        now: LedgerTime,
        hold_until: LedgerTime,
    ) -> Result<Pending, CapRefusal> {
        let (shard, keys) = self.place(viewing);
        let pairs = caps.of(keys);
        let until = Second::after(hold_until);
        let now = Second::before(now);
        let mut table = shard.lock();
        self.decide((&mut table, shard.most), pairs, now, Table::count)?;
        for (key, cap) in pairs.into_iter().flatten() {
            table.pend(key, until, window(cap));
        }
        drop(table);
        Ok(Pending {
            shard: Arc::clone(shard),
            keys: pairs.map(|pair| pair.map(|(key, _)| key)),
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
        caps: Caps,
        hold_until: LedgerTime,
        at: LedgerTime,
    ) -> bool {
        self.count(viewing, caps, Some(Second::after(hold_until)), at)
    }

    /// Counts an impression of the past, when the table is rebuilt.
    pub fn load(&self, viewing: Viewing, caps: Caps, at: LedgerTime) -> bool {
        self.count(viewing, caps, None, at)
    }

    /// Stops counting a bid that was lost.
    pub fn release(&self, viewing: Viewing, hold_until: LedgerTime) {
        let (shard, keys) = self.place(viewing);
        shard.undo(keys.map(Some), Second::after(hold_until));
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

    fn count(&self, viewing: Viewing, caps: Caps, pending: Option<Second>, at: LedgerTime) -> bool {
        let (shard, keys) = self.place(viewing);
        let at = Second::after(at);
        let mut table = shard.lock();
        let mut counted = true;
        for (key, cap) in keys.into_iter().zip([caps.campaign, caps.advertiser]) {
            if let Some(cap) = cap {
                counted &= table.show((key, cap), pending, at, shard.most);
            }
        }
        counted
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "ten bits index a table of 1,024 shards"
    )]
    fn place(&self, viewing: Viewing) -> (&Arc<Shard>, [u64; 2]) {
        let user = mix(viewing.user.raw());
        // Two pairs with one key would share their count: one in 10^13 pairs of a million, and then fewer are shown.
        let own = mix(user ^ viewing.campaign.raw().rotate_left(32));
        let all = mix(user ^ viewing.advertiser.raw().rotate_left(32) ^ ADVERTISERS);
        let shard = usize::try_from(user >> 54).unwrap_or(0) % SHARDS;
        (&self.shards[shard], [own, all])
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
            self.shard.undo(self.keys, self.until);
        }
    }
}

impl Shard {
    fn undo(&self, keys: [Option<u64>; 2], until: Second) {
        let mut table = self.lock();
        for key in keys.into_iter().flatten() {
            if let Some(seen) = table.seen.get_mut(&key) {
                seen.unpend(until);
                if seen.count() == 0 {
                    table.seen.remove(&key);
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // Nothing under the lock panics half way; what a panicking thread left is whole.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// How many views of a pair count now; nothing of a pair that is not known.
    fn count(&mut self, key: u64, cap: Cap, now: Second) -> Option<u32> {
        let seen = self.seen.get_mut(&key)?;
        seen.forget(now, window(cap));
        Some(seen.count())
    }

    fn pend(&mut self, key: u64, until: Second, window: u32) {
        match self.seen.get_mut(&key) {
            Some(seen) => seen.pend(until),
            None => {
                self.seen.insert(key, Exposures::pending(until, window));
            }
        }
    }

    /// Counts an impression in place of what was pending; false where there is no room for a pair that is not known.
    fn show(
        &mut self,
        (key, cap): (u64, Cap),
        pending: Option<Second>,
        at: Second,
        most: usize,
    ) -> bool {
        let known = self.seen.len();
        if let Some(seen) = self.seen.get_mut(&key) {
            if let Some(pending) = pending {
                seen.unpend(pending);
            }
            seen.show(at, window(cap), cap.impressions.min(CAP_MAX));
            return true;
        }
        if known >= most {
            return false;
        }
        self.seen.insert(key, Exposures::shown(at, window(cap)));
        true
    }
}

/// Tells an advertiser from a campaign of the same name.
const ADVERTISERS: u64 = 0x9e37_79b9_7f4a_7c15;

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
