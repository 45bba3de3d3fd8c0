//! Who has seen which campaign: for each campaign and person the impressions, the last one first, as a chain of rows.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::catalogue::Cap;
use super::fingerprint;
use super::rows::{Row, Rows};

/// No impression yet.
const NOTHING: u32 = u32::MAX;

/// Fingerprints are random bits already.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

/// Persons and campaigns. There are at most as many as bids.
#[derive(Debug, Default)]
pub(super) struct Viewers {
    numbers: HashMap<u64, u32, BuildHasherDefault<AsIs>>,
    /// Their last impression.
    last: Vec<u32>,
}

impl Viewers {
    /// This person, as one who may see this campaign.
    pub(super) fn viewer(&mut self, campaign: u32, person: u64) -> Option<u32> {
        let next = u32::try_from(self.last.len()).ok()?;
        let key = fingerprint(&(campaign, person));
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            self.last.push(NOTHING);
        }
        Some(number)
    }

    /// An impression was acknowledged.
    pub(super) fn seen(&mut self, viewer: u32, entry: u32, rows: &mut Rows) {
        let place = usize::try_from(viewer).unwrap_or(usize::MAX);
        if let Some(last) = self.last.get_mut(place)
            && let Some(row) = rows.get_mut(entry)
        {
            row.previous = *last;
            *last = entry;
        }
    }

    /// How many impressions of a viewer `counts` takes, and at most one more than the cap, looked at from `now`.
    pub(super) fn count(
        &self,
        viewer: u32,
        rows: &Rows,
        (cap, now): (&Cap, u32),
        counts: impl Fn(&Row) -> bool,
    ) -> u32 {
        let place = usize::try_from(viewer).unwrap_or(usize::MAX);
        let mut next = self.last.get(place).copied().unwrap_or(NOTHING);
        let mut seen = 0;
        while let Some(row) = rows.get(next) {
            // Acknowledged in this order, so that all before are outside, too.
            if seen > cap.impressions
                || u64::from(row.acknowledged) + cap.within_ms <= u64::from(now)
            {
                break;
            }
            seen += u32::from(counts(row));
            next = row.previous;
        }
        seen
    }

    pub(super) fn bytes(&self) -> u64 {
        // A bucket holds a key, a number with its padding, and a byte of control; 7 of 8 are filled at most.
        let buckets = self.numbers.capacity() * 8 / 7;
        let bytes = buckets * 17 + self.last.capacity() * size_of::<u32>();
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}
