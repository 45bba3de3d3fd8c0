//! What one user has seen of one campaign, and may be about to: the times that still count.
//!
//! Up to three are kept in place, more in a list. Pending bids are never dropped for room; of impressions the newest as
//! many as the cap are kept, since older ones leave the window first and decide nothing.

use crate::units::LedgerTime;

/// Whole seconds since 2020, in 31 bits: until 2088.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Second(u32);

const YEAR_2020_MS: i64 = 1_577_836_800_000;
const SECOND_MAX: u32 = u32::MAX >> 1;

/// A time with what it means: an impression at that second, or (top bit) a bid that is pending until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark(u32);

const PENDING: u32 = 1 << 31;

/// The times that count for one (user, campaign).
#[derive(Debug)]
pub(super) struct Exposures {
    /// When the last of them leaves.
    over_at: Second,
    marks: Marks,
}

#[derive(Debug)]
enum Marks {
    Few(u8, [Mark; 3]),
    #[expect(
        clippy::box_collection,
        reason = "a list in place would make every pair 16 bytes larger for the few that need one"
    )]
    Many(Box<Vec<Mark>>),
}

impl Second {
    /// The last whole second at or before this time.
    pub(super) fn before(time: LedgerTime) -> Self {
        Self::clamped((time.millis().saturating_sub(YEAR_2020_MS)).div_euclid(1_000))
    }

    /// The first whole second at or after this time.
    pub(super) fn after(time: LedgerTime) -> Self {
        let millis = time.millis().saturating_sub(YEAR_2020_MS);
        Self::clamped(millis.saturating_add(999).div_euclid(1_000))
    }

    /// Seconds since 2020.
    pub(super) const fn get(self) -> u32 {
        self.0
    }

    fn clamped(seconds: i64) -> Self {
        Self(u32::try_from(seconds.clamp(0, i64::from(SECOND_MAX))).unwrap_or(SECOND_MAX))
    }

    fn plus(self, seconds: u32) -> Self {
        Self(self.0.saturating_add(seconds).min(SECOND_MAX))
    }
}

impl Mark {
    const fn shown(at: Second) -> Self {
        Self(at.0)
    }

    const fn pending(until: Second) -> Self {
        Self(until.0 | PENDING)
    }

    const fn is_pending(self) -> bool {
        self.0 & PENDING != 0
    }

    fn counts(self, now: Second, window: u32) -> bool {
        let time = Second(self.0 & !PENDING);
        if self.is_pending() {
            time > now
        } else {
            time.plus(window) > now
        }
    }
}

impl Exposures {
    pub(super) fn pending(until: Second, window: u32) -> Self {
        let mut new = Self::empty();
        new.pend(until);
        new.over_at = until.plus(window);
        new
    }

    pub(super) fn shown(at: Second, window: u32) -> Self {
        let mut new = Self::empty();
        new.show(at, window, u32::MAX);
        new
    }

    /// Only the bids that are pending; nothing if there are none.
    pub(super) fn only_pending(&self) -> Option<Self> {
        let mut pending = Self::empty();
        for mark in self.marks.as_slice().iter().filter(|it| it.is_pending()) {
            pending.pend(Second(mark.0 & !PENDING));
        }
        (pending.count() > 0).then_some(pending)
    }

    const fn empty() -> Self {
        Self {
            over_at: Second(0),
            marks: Marks::Few(0, [Mark(0); 3]),
        }
    }

    /// Leaves out what does not count any more.
    pub(super) fn forget(&mut self, now: Second, window: u32) {
        self.marks.retain(|mark| mark.counts(now, window));
    }

    /// How many times count, as of the last [`Exposures::forget`].
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.marks.as_slice().len()).unwrap_or(u32::MAX)
    }

    /// How many times count at this moment, for whoever only looks.
    pub(super) fn counted(&self, now: Second, window: u32) -> u32 {
        let marks = self.marks.as_slice().iter();
        let counted = marks.filter(|mark| mark.counts(now, window)).count();
        u32::try_from(counted).unwrap_or(u32::MAX)
    }

    /// Adds a pending bid.
    pub(super) fn pend(&mut self, until: Second) {
        self.marks.push(Mark::pending(until));
        self.over_at = self.over_at.max(until);
    }

    /// Takes one pending bid out, if it is still there. Two that are held until the same second are the same.
    pub(super) fn unpend(&mut self, until: Second) {
        let mark = Mark::pending(until);
        let mut found = false;
        self.marks.retain(|one| {
            let out = !found && one == mark;
            found |= out;
            !out
        });
    }

    /// Adds an impression, and keeps the newest `keep` of them.
    pub(super) fn show(&mut self, at: Second, window: u32, keep: u32) {
        self.marks.push(Mark::shown(at));
        self.over_at = self.over_at.max(at.plus(window));
        let shown = |mark: &Mark| !mark.is_pending();
        let marks = self.marks.as_slice();
        let number = marks.iter().filter(|mark| shown(mark)).count();
        if u32::try_from(number).is_ok_and(|number| number > keep) {
            let oldest = marks
                .iter()
                .copied()
                .filter(shown)
                .min_by_key(|mark| mark.0);
            let mut dropped = false;
            self.marks.retain(|one| {
                let out = !dropped && Some(one) == oldest;
                dropped |= out;
                !out
            });
        }
    }

    /// Whether nothing counts any more, by any window it was counted with.
    pub(super) fn is_over(&self, now: Second) -> bool {
        self.over_at <= now || self.marks.as_slice().is_empty()
    }
}

impl Marks {
    fn as_slice(&self) -> &[Mark] {
        match self {
            Self::Few(length, marks) => marks.get(..usize::from(*length)).unwrap_or_default(),
            Self::Many(marks) => marks,
        }
    }

    fn push(&mut self, mark: Mark) {
        match self {
            Self::Few(length, marks) => {
                if let Some(place) = marks.get_mut(usize::from(*length)) {
                    *place = mark;
                    *length += 1;
                } else {
                    let mut list = marks.to_vec();
                    list.push(mark);
                    *self = Self::Many(Box::new(list));
                }
            }
            Self::Many(marks) => marks.push(mark),
        }
    }

    fn retain(&mut self, mut keep: impl FnMut(Mark) -> bool) {
        match self {
            Self::Few(length, marks) => {
                let before = *marks;
                let known = usize::from(*length);
                *length = 0;
                for mark in before.into_iter().take(known) {
                    if keep(mark)
                        && let Some(place) = marks.get_mut(usize::from(*length))
                    {
                        *place = mark;
                        *length += 1;
                    }
                }
            }
            Self::Many(marks) => {
                marks.retain(|mark| keep(*mark));
                if marks.len() <= 3 {
                    let mut small = Self::Few(0, [Mark(0); 3]);
                    for mark in marks.iter() {
                        small.push(*mark);
                    }
                    *self = small;
                }
            }
        }
    }
}

const _: () = assert!(size_of::<Exposures>() == 24);
