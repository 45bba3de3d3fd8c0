//! The `[traffic]` of `bidtree.toml`: files that list whose requests are refused, one to a line.

use std::path::Path;
use std::sync::Arc;

use crate::bidding::{
    ADDRESSES_MAX, AddressRange, BOT_BYTES_MAX, BOT_BYTES_MIN, BOTS_MAX, Traffic,
};
use crate::config::keys;
use crate::config::kinds::LIST_FILE;
use crate::config::reader::Reader;
use crate::config::source::{Source, read_text_to, without_mark};

/// The largest list in bytes: as many lines as are read, each as long as it may be, fit.
const LIST_BYTES_MAX: u64 = 8 << 20;

/// The lists of both files; nothing where there are none.
pub(super) fn read(top: &mut Reader<'_>, dir: &Path) -> Arc<Traffic> {
    let mut reader = top.section("traffic", &[keys::TRAFFIC]);
    let bots = lines(&mut reader, ("bots", BOTS_MAX), dir, |line| {
        (BOT_BYTES_MIN..=BOT_BYTES_MAX)
            .contains(&line.len())
            .then(|| line.to_owned())
            .ok_or("expects a part of a user agent, of 3 to 128 bytes")
    });
    let addresses = lines(&mut reader, ("datacentres", ADDRESSES_MAX), dir, |line| {
        AddressRange::parse(line).ok_or("expects an address or a range, like 192.0.2.0/24")
    });
    let traffic = Traffic::new(&bots, addresses.into_iter().collect());
    if traffic.is_none() {
        reader.fault(
            "bots",
            "has too many and too long texts to look for at once",
        );
    }
    Arc::new(traffic.unwrap_or_default())
}

/// What the lines of a file say, without empty ones and those that begin with `#`.
fn lines<T>(
    reader: &mut Reader<'_>,
    (key, max): (&'static str, usize),
    dir: &Path,
    parse: impl Fn(&str) -> Result<T, &'static str>,
) -> Vec<T> {
    let Some(file) = reader.one(key, &LIST_FILE) else {
        return Vec::new();
    };
    let path = dir.join(file);
    let source = Source::new(&path, reader.source.findings);
    let Some(text) = read_text_to(&path, &source, LIST_BYTES_MAX) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (number, line) in (1..).zip(without_mark(&text).lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match parse(line) {
            Ok(item) => found.push(item),
            Err(advice) => source.fault_in(number, advice),
        }
    }
    if found.len() > max {
        let count = found.len();
        source.fault(
            "",
            None,
            format!("has {count} lines; at most {max} are read"),
        );
    }
    found
}
