//! Bids in rows of one size, in pieces, so that ten million of them neither move nor double.

use crate::decimal::Micros;

/// Rows of one piece: 2 MiB.
const PIECE: usize = 1 << 16;
/// More are not remembered: with a viewer for each they would take more than 2 GiB.
const ROWS_MAX: usize = 20_000_000;
/// Stands for a row, a viewer or a moment that there is not.
const NONE: u32 = u32::MAX;
/// The last moment that a row can tell.
pub(super) const LATEST: u32 = u32::MAX - 1;

/// One bid. Moments are in ms since the run began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// What it offered; once it is billed, what it costs.
    price: i64,
    /// Its account.
    pub(super) account: u32,
    viewer: u32,
    /// The impression that this viewer saw before it, as a row.
    pub(super) previous: u32,
    /// When the request left.
    pub(super) left: u32,
    sent: u32,
    /// When its bill was acknowledged; later than anything where it was not.
    pub(super) acknowledged: u32,
}

impl Row {
    pub(super) fn new(price: Micros, account: u32, viewer: Option<u32>, left: u32) -> Self {
        Self {
            price: price.get(),
            account,
            viewer: viewer.unwrap_or(NONE),
            previous: NONE,
            left,
            sent: NONE,
            acknowledged: NONE,
        }
    }

    pub(super) const fn price(&self) -> Micros {
        Micros::new(self.price)
    }

    pub(super) fn viewer(&self) -> Option<u32> {
        (self.viewer != NONE).then_some(self.viewer)
    }

    pub(super) const fn is_sent(&self) -> bool {
        self.sent != NONE
    }

    pub(super) const fn is_acknowledged(&self) -> bool {
        self.acknowledged != NONE
    }

    pub(super) const fn sent(&mut self, price: Micros, now: u32) {
        self.price = price.get();
        self.sent = now;
    }

    pub(super) const fn acknowledged(&mut self, now: u32) {
        self.acknowledged = now;
    }

    /// Whether it was billed so little before `now` that it surely counts in a window of this length.
    pub(super) fn sent_within(&self, window_ms: u64, now: u32) -> bool {
        self.is_sent() && u64::from(now) < u64::from(self.sent) + window_ms
    }

    /// Whether its bill came after the promise of its bid may have lapsed.
    pub(super) fn is_late(&self, hold_ms: u64) -> bool {
        u64::from(self.acknowledged) > u64::from(self.left) + hold_ms
    }
}

/// All bids.
#[derive(Debug, Default)]
pub(super) struct Rows(Vec<Vec<Row>>);

impl Rows {
    pub(super) fn has_room(&self) -> bool {
        self.0.len() < ROWS_MAX / PIECE
    }

    /// Adds a row and says its number.
    pub(super) fn push(&mut self, row: Row) -> u32 {
        if self.0.last().is_none_or(|piece| piece.len() >= PIECE) {
            self.0.push(Vec::with_capacity(PIECE));
        }
        let full = self.0.len().saturating_sub(1) * PIECE;
        let Some(piece) = self.0.last_mut() else {
            return NONE;
        };
        let number = u32::try_from(full + piece.len()).unwrap_or(NONE);
        piece.push(row);
        number
    }

    pub(super) fn get(&self, number: u32) -> Option<&Row> {
        let place = usize::try_from(number).ok()?;
        self.0.get(place / PIECE)?.get(place % PIECE)
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut Row> {
        let place = usize::try_from(number).ok()?;
        self.0.get_mut(place / PIECE)?.get_mut(place % PIECE)
    }

    pub(super) fn count(&self) -> u64 {
        let count: usize = self.0.iter().map(Vec::len).sum();
        u64::try_from(count).unwrap_or(u64::MAX)
    }

    pub(super) fn bytes(&self) -> u64 {
        let rows: usize = self.0.iter().map(Vec::capacity).sum();
        u64::try_from(rows * size_of::<Row>()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_takes_32_bytes_and_is_found_by_its_number() {
        assert_eq!(size_of::<Row>(), 32);
        let mut rows = Rows::default();
        for number in 0..70_000 {
            let row = Row::new(Micros::new(i64::from(number)), 1, None, 5);
            assert_eq!(rows.push(row), number);
        }
        for number in [0, 65_535, 65_536, 69_999] {
            let row = rows.get(number).unwrap();
            assert_eq!(row.price(), Micros::new(i64::from(number)));
        }
        assert!(rows.get(70_000).is_none() && rows.get(NONE).is_none());
        assert_eq!(rows.bytes(), 2 * 65_536 * 32);
    }

    #[test]
    fn a_window_ends_where_it_ends_and_a_late_bill_is_late() {
        let mut row = Row::new(Micros::new(1), 0, None, 100);
        assert!(!row.sent_within(1_000, 100) && !row.is_acknowledged());
        row.sent(Micros::new(1), 500);
        row.acknowledged(510);
        assert!(row.sent_within(1_000, 1_499) && !row.sent_within(1_000, 1_500));
        assert!(!row.is_late(410) && row.is_late(409));
    }
}
