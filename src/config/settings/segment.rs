//! The `[[segments]]` of `bidtree.toml`: our own lists of people.

use std::path::Path;

use super::{Ids, SegmentList};
use crate::campaign::OWN_SEGMENTS_MAX;
use crate::config::keys;
use crate::config::kinds::{ID, LIST_FILE};
use crate::config::reader::Reader;

const IDS: &[(&str, Ids)] = &[("plain", Ids::Plain), ("keys", Ids::Keys)];

/// Every list that could be read.
pub(super) fn read(top: &mut Reader<'_>, dir: &Path) -> Vec<SegmentList> {
    let all = top.sections("segments", &[keys::SEGMENT]);
    if all.len() > OWN_SEGMENTS_MAX {
        let count = all.len();
        top.fault(
            "segments",
            format!("{count} of them; at most {OWN_SEGMENTS_MAX} fit"),
        );
    }
    let mut found: Vec<SegmentList> = Vec::new();
    for mut reader in all.into_iter().take(OWN_SEGMENTS_MAX) {
        let (name, file) = (reader.must("name", &ID), reader.must("file", &LIST_FILE));
        let ids = reader.word("ids", IDS, Ids::Plain);
        let (Some(name), Some(file)) = (name, file) else {
            continue;
        };
        if found.iter().any(|other| other.name == name) {
            reader.fault("name", format!("{name} is there twice; leave one"));
        }
        let file = dir.join(file);
        found.push(SegmentList { name, file, ids });
    }
    found
}
