//! One budget day: when its hours begin in real time, and which of them are active.
//!
//! Hours are those of the wall in the campaign's zone. The hour a clock skips is empty, and the one it repeats is twice
//! as long, so that the hours of a day always fill it.

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};

use super::{Flight, Terms};
use crate::units::{BudgetDay, UnixMillis};

const HOURS: usize = 24;

/// The hours of the week in which a campaign runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActiveHours {
    /// From Monday on, one bit per hour, the lowest being midnight to one.
    days: [u32; 7],
}

/// A budget day with its hours placed in time. Made once a day; what is asked of it costs a few dozen comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    number: BudgetDay,
    /// When each hour begins, and when the day ends.
    begins: [i64; HOURS + 1],
    active: u32,
    flight: Flight,
}

impl ActiveHours {
    const ALL_DAY: u32 = (1 << HOURS) - 1;

    /// All hours of all days.
    pub const ALWAYS: Self = Self {
        days: [Self::ALL_DAY; 7],
    };

    /// The hours of each day from Monday on, one bit per hour, the lowest being midnight to one; higher bits are ignored.
    pub fn from_bits(days: [u32; 7]) -> Self {
        Self {
            days: days.map(|hours| hours & Self::ALL_DAY),
        }
    }

    /// Whether there is no hour at all.
    pub fn is_never(&self) -> bool {
        self.days.iter().all(|hours| *hours == 0)
    }

    fn on(&self, day: Date) -> u32 {
        let monday_first = usize::try_from(day.weekday().to_monday_zero_offset()).unwrap_or(0);
        self.days.get(monday_first).copied().unwrap_or(0)
    }
}

impl Day {
    pub(super) fn new(number: BudgetDay, terms: &Terms) -> Self {
        let date = date_of(number);
        let mut begins = [0; HOURS + 1];
        for (begin, hour) in begins.iter_mut().zip(0_i8..24) {
            *begin = hour_begins(&terms.zone, date, hour);
        }
        if let Some(end) = begins.last_mut() {
            *end = ends(&terms.zone, number).get();
        }
        Self {
            number,
            begins,
            active: terms.hours.on(date),
            flight: terms.flight,
        }
    }

    /// Which day it is.
    pub fn number(&self) -> BudgetDay {
        self.number
    }

    /// Its first moment.
    pub fn begins(&self) -> UnixMillis {
        UnixMillis::new(self.begins.first().copied().unwrap_or(0))
    }

    /// The first moment after it.
    pub fn ends(&self) -> UnixMillis {
        UnixMillis::new(self.begins.last().copied().unwrap_or(0))
    }

    /// Whether the campaign runs at this moment of the day.
    pub fn is_active(&self, at: UnixMillis) -> bool {
        self.active_between(at, UnixMillis::new(at.get().saturating_add(1))) > 0
    }

    /// How many milliseconds of active time there are from `from` until `to`, within the day and the flight.
    pub fn active_between(&self, from: UnixMillis, to: UnixMillis) -> i64 {
        let (from, to) = (from.get(), to.get());
        self.active()
            .map(|(begin, end)| end.min(to).saturating_sub(begin.max(from)).max(0))
            .sum()
    }

    /// The active hours, cut to the flight, in order: from when until when, in milliseconds. Of some nothing is left.
    pub(super) fn active(&self) -> impl Iterator<Item = (i64, i64)> {
        let starts = self.flight.start.get();
        let ends = self.flight.end.map_or(i64::MAX, UnixMillis::get);
        self.begins
            .array_windows::<2>()
            .enumerate()
            .filter(|(hour, _)| self.active & (1 << hour) != 0)
            .map(move |(_, [begin, end])| ((*begin).max(starts), (*end).min(ends)))
    }
}

/// The number of the day at a moment.
pub(super) fn at(zone: &TimeZone, moment: Timestamp) -> BudgetDay {
    number(zone.to_datetime(moment).date())
}

/// The first moment after a day.
pub(super) fn ends(zone: &TimeZone, number: BudgetDay) -> UnixMillis {
    let date = date_of(number);
    let tomorrow = date.checked_add(1.day()).unwrap_or(date);
    UnixMillis::new(hour_begins(zone, tomorrow, 0))
}

/// The number of a date: days since 1970-01-01.
fn number(of: Date) -> BudgetDay {
    let days = of.duration_since(date(1970, 1, 1)).as_hours() / 24;
    BudgetDay::new(i32::try_from(days).unwrap_or(0))
}

fn date_of(number: BudgetDay) -> Date {
    Span::new()
        .try_days(number.get())
        .and_then(|days| date(1970, 1, 1).checked_add(days))
        .unwrap_or(if number.get() < 0 {
            Date::MIN
        } else {
            Date::MAX
        })
}

/// When the wall shows this hour for the first time, or would if it were not skipped.
fn hour_begins(zone: &TimeZone, day: Date, hour: i8) -> i64 {
    zone.to_ambiguous_timestamp(day.at(hour, 0, 0, 0))
        .compatible()
        .unwrap_or(if day.year() < 1970 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        })
        .as_millisecond()
}
