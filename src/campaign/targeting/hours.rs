//! Hours of the week, Monday 00:00 first, in the campaign's own time zone.
//!
//! The campaign's zone and not the user's, because a request seldom says what time it is for its user, and because
//! budget days turn in the same zone.

use crate::units::UnixMillis;

/// Hours in a week.
pub const HOURS_OF_WEEK: u8 = 168;

/// Which hours of the week; by default all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HoursOfWeek([u64; 3]);

/// One hour of the week: 0 is Monday from 00:00 to 01:00.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct HourOfWeek(u8);

impl HourOfWeek {
    /// The hour on a day (0 is Monday), or `None` if there is no such day or hour.
    pub fn new(day: u8, hour: u8) -> Option<Self> {
        (day < 7 && hour < 24).then(|| Self(day.saturating_mul(24).saturating_add(hour)))
    }

    /// The hour at `time`, where clocks are `offset` seconds ahead of UTC.
    pub fn at(time: UnixMillis, offset: i32) -> Self {
        let hours = (time.get().div_euclid(1_000) + i64::from(offset)).div_euclid(3_600);
        // 1970-01-01 was a Thursday.
        let hour = (hours + 3 * 24).rem_euclid(i64::from(HOURS_OF_WEEK));
        Self(u8::try_from(hour).unwrap_or(0))
    }

    /// The place of this hour in a table of [`HOURS_OF_WEEK`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// Every hour of the week.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..HOURS_OF_WEEK).map(Self)
    }

    /// The hour this many hours later, in a week without end.
    #[must_use]
    pub fn later(self, hours: i32) -> Self {
        let hour = (i32::from(self.0) + hours % i32::from(HOURS_OF_WEEK))
            .rem_euclid(i32::from(HOURS_OF_WEEK));
        Self(u8::try_from(hour).unwrap_or(0))
    }
}

impl HoursOfWeek {
    /// The whole week.
    pub const ALL: Self = Self([u64::MAX, u64::MAX, (1 << (HOURS_OF_WEEK - 128)) - 1]);
    /// Never.
    pub const NONE: Self = Self([0; 3]);

    /// Adds an hour.
    pub fn insert(&mut self, hour: HourOfWeek) {
        if let Some(word) = self.0.get_mut(hour.index() / 64) {
            *word |= 1 << (hour.index() % 64);
        }
    }

    /// Whether the hour is among them.
    pub fn contains(&self, hour: HourOfWeek) -> bool {
        self.0
            .get(hour.index() / 64)
            .is_some_and(|word| word >> (hour.index() % 64) & 1 == 1)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::NONE
    }
}

impl Default for HoursOfWeek {
    fn default() -> Self {
        Self::ALL
    }
}

impl FromIterator<HourOfWeek> for HoursOfWeek {
    fn from_iter<I: IntoIterator<Item = HourOfWeek>>(hours: I) -> Self {
        let mut set = Self::NONE;
        for hour in hours {
            set.insert(hour);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_epoch_was_a_thursday_at_midnight_and_still_wednesday_in_new_york() {
        let epoch = UnixMillis::new(0);
        assert_eq!(Some(HourOfWeek::at(epoch, 0)), HourOfWeek::new(3, 0));
        assert_eq!(
            Some(HourOfWeek::at(epoch, -5 * 3_600)),
            HourOfWeek::new(2, 19)
        );
        assert_eq!(
            Some(HourOfWeek::at(epoch, 8 * 3_600)),
            HourOfWeek::new(3, 8)
        );
    }

    #[test]
    fn a_week_has_no_end() {
        let last = HourOfWeek::new(6, 23).unwrap();
        assert_eq!(Some(last.later(1)), HourOfWeek::new(0, 0));
        assert_eq!(last.later(1).later(-1), last);
        assert_eq!(last.later(168 * 3), last);
    }

    #[test]
    fn the_whole_week_is_every_hour_of_it() {
        assert_eq!(HourOfWeek::all().collect::<HoursOfWeek>(), HoursOfWeek::ALL);
        assert!(!HoursOfWeek::NONE.contains(HourOfWeek(0)));
        assert_eq!(HourOfWeek::new(7, 0), None);
    }
}
