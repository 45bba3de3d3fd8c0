//! The `[targeting]` of a campaign.

use super::hours::{HOURS, joined};
use crate::campaign::{HoursOfWeek, Lists, Targeting};
use crate::config::keys;
use crate::config::kinds::{
    BUNDLE, CATEGORY, COUNTRY, DEVICE, DOMAIN, Kind, LANGUAGE, SEGMENT, SYSTEM,
};
use crate::config::reader::Reader;

pub(super) fn read(campaign: &mut Reader<'_>) -> Targeting {
    let mut reader = campaign.section("targeting", &[keys::TARGETING]);
    let says_hours = reader.has("hours");
    Targeting {
        countries: lists(&mut reader, "countries", &COUNTRY),
        devices: lists(&mut reader, "devices", &DEVICE),
        systems: lists(&mut reader, "os", &SYSTEM),
        languages: lists(&mut reader, "languages", &LANGUAGE),
        sites: lists(&mut reader, "sites", &DOMAIN),
        apps: lists(&mut reader, "apps", &BUNDLE),
        categories: lists(&mut reader, "categories", &CATEGORY),
        segments: lists(&mut reader, "segments", &SEGMENT),
        hours: if says_hours {
            joined(reader.list("hours", &HOURS))
        } else {
            HoursOfWeek::ALL
        },
    }
}

pub(super) fn lists<T>(reader: &mut Reader<'_>, key: &'static str, kind: &Kind<T>) -> Lists<T> {
    let mut lists = reader.section(key, &[keys::LISTS]);
    Lists {
        include: lists.list("include", kind),
        exclude: lists.list("exclude", kind),
    }
}
