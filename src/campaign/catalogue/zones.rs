//! What clocks show in the time zones of campaigns, looked up without walking a time zone's rules.
//!
//! Offsets are taken when the catalogue is built, for as long ahead as one may serve; after that the last offset stays.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::campaign::HourOfWeek;
use crate::units::UnixMillis;

/// How long ahead offsets are taken. A catalogue that nobody changes is still built anew within a day, at midnight.
const AHEAD_MS: i64 = 400 * 86_400_000;
/// How long before the build, so that a request stamped a little earlier is right, too.
const BEHIND_MS: i64 = 2 * 86_400_000;
/// Changes that are kept of one zone. Most zones change twice a year, a few around Ramadan four times.
const CHANGES_MAX: usize = 16;

/// Zones and their offsets.
#[derive(Debug)]
pub(super) struct Zones(Vec<(TimeZone, Box<[Change]>)>);

/// A zone's place among the zones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ZonePlace(u32);

#[derive(Clone, Copy, Debug)]
struct Change {
    from: UnixMillis,
    offset: i32,
}

impl Zones {
    /// The offsets of these zones around `now`; each zone once.
    pub(super) fn around<'a>(now: UnixMillis, zones: impl Iterator<Item = &'a TimeZone>) -> Self {
        let mut known: Vec<(TimeZone, Box<[Change]>)> = Vec::new();
        for zone in zones {
            if !known.iter().any(|(seen, _)| seen == zone) {
                known.push((zone.clone(), changes(zone, now)));
            }
        }
        Self(known)
    }

    /// Where a zone is.
    pub(super) fn place(&self, zone: &TimeZone) -> Option<ZonePlace> {
        let place = self.0.iter().position(|(known, _)| known == zone)?;
        u32::try_from(place).ok().map(ZonePlace)
    }

    /// Every offset of a zone.
    pub(super) fn offsets(&self, zone: &TimeZone) -> impl Iterator<Item = i32> {
        let known = self.place(zone).and_then(|place| self.changes(place));
        known.into_iter().flatten().map(|change| change.offset)
    }

    /// The hour of the week in a zone.
    pub(super) fn hour(&self, place: ZonePlace, now: UnixMillis) -> Option<HourOfWeek> {
        let changes = self.changes(place)?;
        let latest = changes.iter().rev().find(|change| change.from <= now);
        let offset = latest.or(changes.first())?.offset;
        Some(HourOfWeek::at(now, offset))
    }

    fn changes(&self, place: ZonePlace) -> Option<&[Change]> {
        self.0.get(place.0 as usize).map(|(_, changes)| &**changes)
    }
}

fn changes(zone: &TimeZone, now: UnixMillis) -> Box<[Change]> {
    let time = |ms: i64| Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
    let start = now.get().saturating_sub(BEHIND_MS);
    let end = time(now.get().saturating_add(AHEAD_MS));
    let first = Change {
        from: UnixMillis::new(start),
        offset: zone.to_offset(time(start)).seconds(),
    };
    let later = zone
        .following(time(start))
        .take_while(|transition| transition.timestamp() <= end)
        .take(CHANGES_MAX)
        .map(|transition| Change {
            from: UnixMillis::new(transition.timestamp().as_millisecond()),
            offset: transition.offset().seconds(),
        });
    std::iter::once(first).chain(later).collect()
}
