//! `advertisers/<id>.toml`.

use std::path::Path;

use crate::campaign::Advertiser;
use crate::config::keys;
use crate::config::kinds::{CATEGORY, DOMAIN, TEXT};
use crate::config::reader::Reader;
use crate::config::source::{Source, read_table};
use crate::units::AdvertiserKey;

pub(super) fn read(source: &Source<'_>, id: &str, path: &Path) -> Option<Advertiser> {
    let table = read_table(path, source)?;
    let mut reader = Reader::new(source, String::new(), table, &[keys::ADVERTISER]);
    // For people only.
    reader.one("name", &TEXT);
    if !reader.has("domains") {
        let advice = "missing; expects the domains of its landing pages, the main one first, like [\"shop.example\"]";
        reader.fault("domains", advice);
    }
    Some(Advertiser {
        id: id.into(),
        key: AdvertiserKey::of(id),
        domains: reader.list("domains", &DOMAIN),
        categories: reader.list("categories", &CATEGORY),
    })
}
