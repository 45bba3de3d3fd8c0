//! Which impressions are settled, so that twice is once.
//!
//! Entries are remembered by the minute of their *bid*, and forgotten minute by minute, oldest first: when the bid is
//! older than the horizon, or when there are too many. Whatever is at or before the last forgotten minute is refused
//! from then on, so forgetting never lets an impression be booked twice.

use std::collections::{BTreeMap, HashMap};

use super::FoldError;
use crate::store::movement::{ImpressionKey, Movement};
use crate::units::{BidId, UnixMillis};

/// How long after its bid an impression can be settled, in milliseconds: seven days, far beyond any exchange's notice
/// window, and short enough that an invoice for the week can be compared.
pub const SETTLED_HORIZON: i64 = 7 * 24 * 3_600_000;

/// How many impressions are remembered: some 400 MB at most, an hour of the busiest node, weeks of a usual one. Above
/// it the oldest minutes go, and notices for them are refused.
pub const SETTLED_MAX: usize = 4_000_000;

const MINUTE_MS: i64 = 60_000;

/// What is booked of an impression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// Its win.
    Won,
    /// Its bill: some exchanges send no win notice, or send it later.
    Billed,
    /// Both.
    WonAndBilled,
}

impl Settled {
    /// Whether the win is booked.
    pub fn is_won(self) -> bool {
        matches!(self, Self::Won | Self::WonAndBilled)
    }

    /// Whether the bill is booked.
    pub fn is_billed(self) -> bool {
        matches!(self, Self::Billed | Self::WonAndBilled)
    }
}

/// The settled impressions.
#[derive(Clone, Debug)]
pub struct SettledTable {
    limit: usize,
    entries: HashMap<Packed, Entry>,
    by_minute: BTreeMap<i32, Vec<Packed>>,
    forgotten: Option<i32>,
}

/// An impression key without the padding a `u128` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Packed {
    high: u64,
    low: u64,
    imp: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    minute: i32,
    settled: Settled,
}

/// One entry as a checkpoint keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct SettledRow {
    pub(in crate::store) minute: i32,
    pub(in crate::store) key: ImpressionKey,
    pub(in crate::store) settled: Settled,
}

impl SettledTable {
    pub(super) fn with_limit(limit: usize) -> Self {
        Self {
            limit,
            entries: HashMap::new(),
            by_minute: BTreeMap::new(),
            forgotten: None,
        }
    }

    /// A table as a checkpoint kept it.
    pub(in crate::store) fn restored(
        limit: usize,
        forgotten: Option<i32>,
        rows: impl Iterator<Item = SettledRow>,
    ) -> Self {
        let mut table = Self::with_limit(limit);
        table.forgotten = forgotten;
        for row in rows {
            table.insert(row.key, row.minute, row.settled);
        }
        table
    }

    /// What is known of an impression.
    pub fn of(&self, key: ImpressionKey) -> Option<Settled> {
        self.entries
            .get(&Packed::from(key))
            .map(|entry| entry.settled)
    }

    /// Whether the settlement of a bid made at this time may be forgotten.
    pub fn is_forgotten(&self, bid_at: UnixMillis) -> bool {
        self.forgotten
            .is_some_and(|forgotten| minute(bid_at) <= forgotten)
    }

    /// How many impressions are remembered.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no impression is remembered.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The impressions whose bids were made in the minute of `bid_at` or later, in the order of those minutes.
    pub fn since(&self, bid_at: UnixMillis) -> impl Iterator<Item = (ImpressionKey, Settled)> {
        self.by_minute
            .range(minute(bid_at)..)
            .flat_map(|(_, keys)| keys)
            .filter_map(|key| Some((ImpressionKey::from(*key), self.entries.get(key)?.settled)))
    }

    /// The last minute that was forgotten.
    pub(in crate::store) fn forgotten(&self) -> Option<i32> {
        self.forgotten
    }

    /// The row of one entry.
    pub(in crate::store) fn row(&self, key: ImpressionKey) -> Option<SettledRow> {
        let entry = self.entries.get(&Packed::from(key))?;
        Some(SettledRow {
            minute: entry.minute,
            key,
            settled: entry.settled,
        })
    }

    /// The rows of all entries.
    pub(in crate::store) fn rows(&self) -> impl Iterator<Item = SettledRow> {
        self.entries.iter().map(|(key, entry)| SettledRow {
            minute: entry.minute,
            key: ImpressionKey::from(*key),
            settled: entry.settled,
        })
    }

    /// Whether a movement that settles an impression may be booked.
    pub(super) fn check(&self, movement: &Movement) -> Result<(), FoldError> {
        let (key, bid_at, won) = match movement {
            Movement::Granted { .. } | Movement::Returned { .. } => return Ok(()),
            Movement::Won(win) => (win.key, win.bid_at, true),
            Movement::Billed { bill, .. } => (bill.key, bill.bid_at, false),
        };
        match self.of(key) {
            Some(settled) if won && settled.is_won() => Err(FoldError::Twice),
            Some(settled) if !won && settled.is_billed() => Err(FoldError::Twice),
            None if self.is_forgotten(bid_at) => Err(FoldError::Forgotten),
            Some(_) | None => Ok(()),
        }
    }

    /// Books what `check` let through, and forgets what is too old or too much.
    pub(super) fn record(&mut self, movement: &Movement) {
        match movement {
            Movement::Granted { .. } | Movement::Returned { .. } => {}
            Movement::Won(win) => self.settle(win.key, win.bid_at, Settled::Won),
            Movement::Billed { bill, .. } => self.settle(bill.key, bill.bid_at, Settled::Billed),
        }
        self.forget(movement.at());
    }

    fn settle(&mut self, key: ImpressionKey, bid_at: UnixMillis, by: Settled) {
        match self.entries.get_mut(&Packed::from(key)) {
            Some(entry) if entry.settled == by => {}
            Some(entry) => entry.settled = Settled::WonAndBilled,
            None => self.insert(key, minute(bid_at), by),
        }
    }

    fn insert(&mut self, key: ImpressionKey, minute: i32, settled: Settled) {
        let packed = Packed::from(key);
        self.entries.insert(packed, Entry { minute, settled });
        self.by_minute.entry(minute).or_default().push(packed);
    }

    /// The horizon is measured from this movement's own time and not from the latest there ever was, so that a clock
    /// which was wrong for a while does not make every later bid look old.
    fn forget(&mut self, now: UnixMillis) {
        let oldest_kept = minute(UnixMillis::new(now.get().saturating_sub(SETTLED_HORIZON)));
        while let Some(oldest) = self.by_minute.first_entry() {
            if *oldest.key() >= oldest_kept && self.entries.len() <= self.limit {
                return;
            }
            self.forgotten = self.forgotten.max(Some(*oldest.key()));
            for key in oldest.remove() {
                self.entries.remove(&key);
            }
        }
    }
}

/// Times that no clock shows are held at the first and last minute there is.
fn minute(at: UnixMillis) -> i32 {
    let minute = at.get().div_euclid(MINUTE_MS);
    i32::try_from(minute).unwrap_or(if minute < 0 { i32::MIN } else { i32::MAX })
}

/// Tables are equal when they know the same; the order within a minute is nobody's business.
impl PartialEq for SettledTable {
    fn eq(&self, other: &Self) -> bool {
        self.limit == other.limit
            && self.forgotten == other.forgotten
            && self.entries == other.entries
    }
}

impl From<ImpressionKey> for Packed {
    fn from(key: ImpressionKey) -> Self {
        let [high, low] = split(key.bid.raw());
        Self {
            high,
            low,
            imp: key.imp,
        }
    }
}

impl From<Packed> for ImpressionKey {
    fn from(packed: Packed) -> Self {
        Self {
            bid: BidId::from_raw(u128::from(packed.high) << 64 | u128::from(packed.low)),
            imp: packed.imp,
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the two halves are what the truncation is for"
)]
fn split(raw: u128) -> [u64; 2] {
    [(raw >> 64) as u64, raw as u64]
}
