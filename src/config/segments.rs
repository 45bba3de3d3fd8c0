//! The files of our own segments: one id of a user to a line.
//!
//! They are far larger than the rest of the configuration, so they are read line by line and never held as text.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use super::faults::{Faults, Findings};
use super::settings::{Ids, SegmentList, Settings};
use super::source::{Source, without_mark};
use crate::campaign::{MEMBERSHIPS_MAX, OwnSegments, grow};
use crate::units::{SegmentKey, UserHash, UserKey};

/// The longest line: ids of devices and cookies have 36 bytes, those of some exchanges 100.
const LINE_BYTES_MAX: usize = 256;
/// Faults that one file is told of: a file of the wrong kind has one in each line.
const FAULTS_MAX: usize = 10;

/// Reads the lists again.
///
/// # Errors
/// [`Faults`]: everything that is wrong; the lists that are in use should stay.
pub fn load_segments(settings: &Settings, hash: &UserHash) -> Result<OwnSegments, Faults> {
    let findings = Findings::default();
    let lists = &settings.segments;
    let mut memberships = Vec::new();
    read(lists, Some(hash), &findings, |user, segment| {
        grow(&mut memberships, (user, segment));
    });
    let names: Vec<_> = lists
        .iter()
        .map(|list| SegmentKey::own(&list.name))
        .collect();
    findings.or(Some(OwnSegments::new(memberships, &names)))
}

/// Says what is wrong with the files, and keeps nothing.
pub(super) fn check(lists: &[SegmentList], findings: &Findings) {
    read(lists, None, findings, |_, _| {});
}

/// Gives every user to `take`; without a hash, nobody's key is made of an id.
fn read(
    lists: &[SegmentList],
    hash: Option<&UserHash>,
    findings: &Findings,
    mut take: impl FnMut(UserKey, u16),
) {
    let mut left = MEMBERSHIPS_MAX;
    for (number, list) in (0..).zip(lists) {
        let source = Source::new(&list.file, findings);
        let key = |line: &str| match list.ids {
            Ids::Plain => Some(hash.map_or(UserKey::from_raw(0), |hash| hash.key(line))),
            Ids::Keys => hashed(line),
        };
        let outcome = each_line(list, &mut left, |line, text| {
            let user = key(text);
            match user {
                Some(user) => take(user, number),
                None => source.fault_in(line, "expects a user key: 16 hexadecimal digits"),
            }
            user.is_some()
        });
        match outcome {
            Ok(()) => {}
            Err(Unread::Io(error)) => source.fault("", None, format!("cannot be read: {error}")),
            Err(Unread::Line(line)) => source.fault_in(
                line,
                format!("is no text of at most {LINE_BYTES_MAX} bytes; the rest is not read"),
            ),
            Err(Unread::Many) => source.fault(
                "",
                None,
                format!("with the other segments, has more than {MEMBERSHIPS_MAX} lines"),
            ),
            Err(Unread::Faulty) => source.fault("", None, "has more such lines"),
        }
    }
}

/// Why the rest of a file is not read.
enum Unread {
    Io(io::Error),
    Line(usize),
    Many,
    Faulty,
}

/// Gives each line to `take` that is neither empty nor begins with `#`, with its number; `take` says whether it was good.
fn each_line(
    list: &SegmentList,
    left: &mut usize,
    mut take: impl FnMut(usize, &str) -> bool,
) -> Result<(), Unread> {
    let mut file = BufReader::new(File::open(&list.file).map_err(Unread::Io)?);
    let (mut line, mut number, mut faults) = (Vec::new(), 0, 0);
    loop {
        line.clear();
        number += 1;
        let most = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX) + 2;
        let read = file.by_ref().take(most).read_until(b'\n', &mut line);
        if read.map_err(Unread::Io)? == 0 {
            return Ok(());
        }
        let text = std::str::from_utf8(&line).map_err(|_| Unread::Line(number))?;
        let text = if number == 1 {
            without_mark(text)
        } else {
            text
        };
        let text = text.trim();
        if text.len() > LINE_BYTES_MAX || text.contains(char::is_control) {
            return Err(Unread::Line(number));
        }
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        *left = left.checked_sub(1).ok_or(Unread::Many)?;
        if !take(number, text) {
            faults += 1;
        }
        if faults >= FAULTS_MAX {
            return Err(Unread::Faulty);
        }
    }
}

fn hashed(line: &str) -> Option<UserKey> {
    let is_key = line.len() == 16 && line.bytes().all(|b| b.is_ascii_hexdigit());
    let key = is_key.then(|| u64::from_str_radix(line, 16).ok())?;
    key.map(UserKey::from_raw)
}
