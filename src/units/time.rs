//! Four kinds of time that must not be mixed. None of them reads a clock: `clock.rs` does.

use std::time::Duration;

/// Wall-clock time in milliseconds since 1970, UTC. May jump; for records, schedules and budget days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(i64);

/// Time since the process's clock began, in nanoseconds. Never goes back; means nothing to another process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Monotonic(u64);

/// The ledger's time in milliseconds: the wall clock at start, then monotonic. Never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LedgerTime(i64);

/// The moment after which an answer is worth nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Deadline(Monotonic);

/// A day of a campaign's budget, in the campaign's own time zone: days since 1970-01-01 by that zone's calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BudgetDay(i32);

impl UnixMillis {
    /// A time from its count of milliseconds.
    pub const fn new(millis: i64) -> Self {
        Self(millis)
    }

    /// The count of milliseconds.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl Monotonic {
    /// A time from its count of nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The count of nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// This time later by `span`.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)),
        )
    }

    /// How long ago `earlier` was; zero if it was not.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl LedgerTime {
    /// A time from its count of milliseconds.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The count of milliseconds.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// This time later by `span`, in whole milliseconds rounded up.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        let millis = i64::try_from(span.as_nanos().div_ceil(1_000_000)).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(millis))
    }
}

impl Deadline {
    /// The deadline at this time.
    pub const fn at(time: Monotonic) -> Self {
        Self(time)
    }

    /// Whether it is too late at `now`.
    pub fn passed(self, now: Monotonic) -> bool {
        now >= self.0
    }

    /// What is left at `now`.
    pub const fn left(self, now: Monotonic) -> Duration {
        self.0.since(now)
    }
}

impl BudgetDay {
    /// The day with this number.
    pub const fn new(days_since_1970: i32) -> Self {
        Self(days_since_1970)
    }

    /// The day's number.
    pub const fn get(self) -> i32 {
        self.0
    }
}
