//! The `[targeting]` of a campaign.

use super::folder::{Places, check_known};
use super::hours::{HOURS, joined};
use crate::campaign::{HoursOfWeek, Lists, Targeting};
use crate::config::keys;
use crate::config::kinds::{
    BUNDLE, CATEGORY, COUNTRY, DEVICE, Kind, LANGUAGE, NamedSegment, SEGMENT, SITE, SYSTEM,
};
use crate::config::reader::Reader;
use crate::units::SegmentKey;

pub(super) fn read(campaign: &mut Reader<'_>, places: &Places) -> Targeting {
    let mut reader = campaign.section("targeting", &[keys::TARGETING]);
    let says_hours = reader.has("hours");
    Targeting {
        countries: lists(&mut reader, "countries", &COUNTRY),
        devices: lists(&mut reader, "devices", &DEVICE),
        systems: lists(&mut reader, "os", &SYSTEM),
        languages: lists(&mut reader, "languages", &LANGUAGE),
        sites: lists(&mut reader, "sites", &SITE),
        apps: lists(&mut reader, "apps", &BUNDLE),
        categories: lists(&mut reader, "categories", &CATEGORY),
        segments: segments(&mut reader, places),
        hours: if says_hours {
            joined(reader.list("hours", &HOURS))
        } else {
            HoursOfWeek::ALL
        },
    }
}

/// Segments, of which our own must be there.
fn segments(reader: &mut Reader<'_>, places: &Places) -> Lists<SegmentKey> {
    let named = lists(reader, "segments", &SEGMENT);
    Lists {
        include: segment_keys(reader, &named.include, places),
        exclude: segment_keys(reader, &named.exclude, places),
    }
}

/// The keys of segments, of which our own must be there.
pub(super) fn segment_keys(
    reader: &Reader<'_>,
    named: &[NamedSegment],
    places: &Places,
) -> Vec<SegmentKey> {
    for name in named.iter().filter_map(|segment| segment.own.as_deref()) {
        check_known(reader, "segments", name, places.segments.as_deref());
    }
    named.iter().map(|segment| segment.key).collect()
}

pub(super) fn lists<T>(reader: &mut Reader<'_>, key: &'static str, kind: &Kind<T>) -> Lists<T> {
    let mut lists = reader.section(key, &[keys::LISTS]);
    Lists {
        include: lists.list("include", kind),
        exclude: lists.list("exclude", kind),
    }
}
