//! Restart limits and probations as they are written.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::config::keys;
use crate::config::reader::Reader;
use crate::supervision::{Limit, Probation};

/// Restarts of one limit: each is kept with its time until its window has passed.
const RESTARTS: RangeInclusive<i64> = 0..=1_000;
const WINDOW: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(24);
const DELAY: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_hours(24);

const PROBATION: Probation = Probation {
    delay: Duration::from_secs(5),
    delay_max: Duration::from_mins(5),
    quiet: Duration::from_mins(1),
};

/// `{ restarts = 5, within = "10s" }`; what is not said is as in `default`.
pub(super) fn limit(parent: &mut Reader<'_>, key: &'static str, default: (u32, u64)) -> Limit {
    let mut reader = parent.section(key, &[keys::LIMIT]);
    let (restarts, seconds) = default;
    Limit::new(
        reader.whole("restarts", &RESTARTS).unwrap_or(restarts),
        reader.span("within", Duration::from_secs(seconds), &WINDOW),
    )
}

/// The same under its usual name.
pub(super) fn restart_limit(parent: &mut Reader<'_>, default: (u32, u64)) -> Limit {
    limit(parent, "restart_limit", default)
}

/// `{ delay = "5s", delay_max = "5m", quiet = "1m" }`
pub(super) fn probation(parent: &mut Reader<'_>) -> Probation {
    let mut reader = parent.section("probation", &[keys::PROBATION]);
    let read = Probation {
        delay: reader.span("delay", PROBATION.delay, &DELAY),
        delay_max: reader.span("delay_max", PROBATION.delay_max, &DELAY),
        quiet: reader.span("quiet", PROBATION.quiet, &DELAY),
    };
    if read.delay > read.delay_max {
        reader.fault(
            "delay",
            "must not be above delay_max, which it doubles up to",
        );
    }
    read
}
