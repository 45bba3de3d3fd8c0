//! Moments as they are written: a day, a time of a day, or a moment with its offset.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use crate::config::kinds::Kind;
use crate::units::UnixMillis;

/// A moment before its time zone is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    Day(Date),
    Time(DateTime),
    Exact(Timestamp),
}

/// Where in a flight a moment stands: its last day belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edge {
    Start,
    End,
}

pub(super) const MOMENT: Kind<Moment> = Kind {
    expects: "a day like 2026-01-31, or a time like 2026-01-31T18:00 in the campaign's time zone, \
              or with an offset like 2026-01-31T18:00:00+08:00",
    parse: |text| {
        let day = || text.parse().ok().map(Moment::Day);
        let time = || text.parse().ok().map(Moment::Time);
        let exact = || text.parse().ok().map(Moment::Exact);
        if text.len() <= 10 {
            day()
        } else {
            exact().or_else(time)
        }
    },
};

impl Moment {
    /// When it is in this zone; `None` beyond the calendar. A day that ends a flight is over at its midnight.
    pub(super) fn at(self, zone: &TimeZone, edge: Edge) -> Option<UnixMillis> {
        let timestamp = match (self, edge) {
            (Self::Exact(timestamp), _) => timestamp,
            (Self::Time(time), _) => zone.to_timestamp(time).ok()?,
            (Self::Day(day), Edge::Start) => day.to_zoned(zone.clone()).ok()?.timestamp(),
            (Self::Day(day), Edge::End) => {
                let next = day.tomorrow().ok()?;
                next.to_zoned(zone.clone()).ok()?.timestamp()
            }
        };
        Some(UnixMillis::new(timestamp.as_millisecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str, zone: &str, edge: Edge) -> i64 {
        let zone = TimeZone::get(zone).unwrap();
        (MOMENT.parse)(text).unwrap().at(&zone, edge).unwrap().get()
    }

    #[test]
    fn a_day_begins_and_ends_in_the_campaigns_zone() {
        let day = 86_400_000;
        assert_eq!(ms("1970-01-02", "UTC", Edge::Start), day);
        assert_eq!(ms("1970-01-02", "UTC", Edge::End), 2 * day);
        assert_eq!(
            ms("1970-01-02", "Asia/Bangkok", Edge::Start),
            day - 7 * 3_600_000
        );
    }

    #[test]
    fn a_time_with_an_offset_needs_no_zone() {
        for zone in ["UTC", "Asia/Jakarta"] {
            assert_eq!(ms("1970-01-01T08:00:00+08:00", zone, Edge::End), 0);
        }
        assert_eq!(ms("1970-01-01T07:00", "Asia/Bangkok", Edge::Start), 0);
    }

    #[test]
    fn other_ways_to_write_a_day_are_refused() {
        for text in [
            "",
            "01/02/2026",
            "2026-13-01",
            "2026-1-1",
            "tomorrow",
            "2026-01-01T25:00",
        ] {
            assert_eq!((MOMENT.parse)(text), None, "{text}");
        }
    }
}
