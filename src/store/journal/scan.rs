//! Reading segments: what is whole, what is torn, what is damaged.
//!
//! A batch is written only after the one before it is durable. So what a power failure can leave behind is a damaged
//! end of the last batch, and everything else that does not check is damage to money: it is reported, never skipped.
//!
//! | after the first bad record of the last segment | verdict |
//! |---|---|
//! | nothing that checks | torn: cut off |
//! | a record of the same batch, and a sector of zeros before it | torn: sectors were written out of order |
//! | a record of the same batch otherwise | corrupt |
//! | a record of a later batch | corrupt |

use std::path::{Path, PathBuf};

use super::JournalError;
use super::directory::{list_segments, segment_path};
use super::segment::{Record, SegmentHeader, VERSION};
use crate::store::movement::Movement;

/// What disks write whole or not at all.
const SECTOR: usize = 512;

const OUT_OF_SEQUENCE: &str = "record out of sequence";

/// What the last segment holds.
#[derive(Debug)]
pub(super) struct Scanned {
    /// Its last movement; the one before its first if it has none.
    pub(super) last: u64,
    /// Its header and good records.
    pub(super) good: Vec<u8>,
    /// What follows them.
    pub(super) torn_bytes: u64,
}

/// The movements of a journal from one sequence number on, in order. Reads a segment at a time and changes nothing.
///
/// Of the last segment only what checks is yielded; run [`super::Journal::open`] first to know that nothing follows.
#[derive(Debug)]
pub struct Reader {
    directory: PathBuf,
    segments: std::vec::IntoIter<u64>,
    current: Option<Segment>,
    is_begun: bool,
    next: u64,
}

#[derive(Debug)]
struct Segment {
    path: PathBuf,
    bytes: Vec<u8>,
    offset: usize,
    expected: u64,
    is_last: bool,
}

impl Reader {
    /// A reader whose first movement is `from`.
    ///
    /// # Errors
    /// [`JournalError::Gap`] if the journal begins after `from`, [`JournalError::Io`] if the directory cannot be read.
    pub fn open(directory: &Path, from: u64) -> Result<Self, JournalError> {
        let segments = list_segments(directory)?;
        let skipped = segments.partition_point(|first| *first <= from);
        match segments.first() {
            Some(first) if skipped == 0 => Err(JournalError::Gap {
                path: segment_path(directory, *first),
                expected: from,
                found: *first,
            }),
            _ => Ok(Self {
                directory: directory.to_owned(),
                segments: segments
                    .get(skipped.saturating_sub(1)..)
                    .unwrap_or_default()
                    .to_vec()
                    .into_iter(),
                current: None,
                is_begun: false,
                next: from,
            }),
        }
    }

    fn advance(&mut self) -> Result<Option<(u64, Movement)>, JournalError> {
        loop {
            if self.current.is_none() {
                let Some(first) = self.segments.next() else {
                    return Ok(None);
                };
                self.current = Some(self.begin(first)?);
                self.is_begun = true;
            }
            let Some(segment) = &mut self.current else {
                return Ok(None);
            };
            match segment.take()? {
                None => self.current = None,
                Some((sequence, _)) if sequence < self.next => {}
                Some((sequence, movement)) => {
                    self.next = sequence.saturating_add(1);
                    return Ok(Some((sequence, movement)));
                }
            }
        }
    }

    fn begin(&mut self, first: u64) -> Result<Segment, JournalError> {
        let path = segment_path(&self.directory, first);
        let bytes = std::fs::read(&path).map_err(JournalError::io(&path))?;
        check_header(&path, &bytes, first)?;
        if first > self.next {
            return Err(JournalError::Gap {
                path,
                expected: self.next,
                found: first,
            });
        }
        if first < self.next && self.is_begun {
            return Err(corrupt(&path, 0, "segment repeats the one before it"));
        }
        Ok(Segment {
            path,
            bytes,
            offset: header_length(),
            expected: first,
            is_last: self.segments.as_slice().is_empty(),
        })
    }
}

impl Iterator for Reader {
    type Item = Result<(u64, Movement), JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        let item = self.advance().transpose();
        if matches!(item, Some(Err(_))) {
            self.current = None;
            self.segments = Vec::new().into_iter();
        }
        item
    }
}

impl Segment {
    fn take(&mut self) -> Result<Option<(u64, Movement)>, JournalError> {
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        let Some(record) = Record::decode(rest) else {
            return if rest.is_empty() || self.is_last {
                Ok(None)
            } else {
                Err(corrupt(&self.path, self.offset, "record does not check"))
            };
        };
        if record.sequence != self.expected {
            return Err(corrupt(&self.path, self.offset, OUT_OF_SEQUENCE));
        }
        let movement = Movement::decode(record.payload)
            .map_err(|_| corrupt(&self.path, self.offset, "movement of an unknown shape"))?;
        self.expected = self.expected.saturating_add(1);
        self.offset = self.offset.saturating_add(record.length);
        Ok(Some((record.sequence, movement)))
    }
}

/// Reads the last segment and tells a torn end from damage.
pub(super) fn scan_last(path: &Path, first: u64) -> Result<Scanned, JournalError> {
    let mut bytes = std::fs::read(path).map_err(JournalError::io(path))?;
    check_header(path, &bytes, first)?;
    let mut offset = header_length();
    let mut expected = first;
    while let Some(record) = bytes.get(offset..).and_then(Record::decode) {
        if record.sequence != expected {
            return Err(corrupt(path, offset, OUT_OF_SEQUENCE));
        }
        expected = expected.saturating_add(1);
        offset = offset.saturating_add(record.length);
    }
    if is_damage(&bytes, offset, expected) {
        return Err(corrupt(
            path,
            offset,
            "record does not check, but later ones do",
        ));
    }
    let torn_bytes = length_of(bytes.get(offset..).unwrap_or_default());
    bytes.truncate(offset);
    Ok(Scanned {
        last: expected.saturating_sub(1),
        good: bytes,
        torn_bytes,
    })
}

/// Whether something after the bad record at `bad`, which should have been number `expected`, proves that it was durable.
fn is_damage(bytes: &[u8], bad: usize, expected: u64) -> bool {
    let later = (bad..bytes.len()).skip(1).find_map(|offset| {
        let record = Record::decode(bytes.get(offset..)?)?;
        (record.sequence > expected).then_some((offset, record.batch))
    });
    match later {
        None => false,
        Some((_, batch)) if batch > expected => true,
        Some((offset, _)) => !has_unwritten_sector(bytes, bad, offset),
    }
}

fn has_unwritten_sector(bytes: &[u8], from: usize, to: usize) -> bool {
    let first = from / SECTOR * SECTOR;
    (first..to).step_by(SECTOR).any(|start| {
        bytes
            .get(start..)
            .and_then(|rest| rest.get(..SECTOR))
            .is_some_and(|sector| sector.iter().all(|byte| *byte == 0))
    })
}

fn check_header(path: &Path, bytes: &[u8], first: u64) -> Result<(), JournalError> {
    match SegmentHeader::decode(bytes) {
        None => Err(corrupt(path, 0, "segment header does not check")),
        Some(header) if header.version != VERSION => Err(JournalError::Version {
            path: path.to_owned(),
            version: header.version,
        }),
        Some(header) if header.first != first => {
            Err(corrupt(path, 0, "segment is not what its name says"))
        }
        Some(_) => Ok(()),
    }
}

fn corrupt(path: &Path, offset: usize, what: &'static str) -> JournalError {
    JournalError::Corrupt {
        path: path.to_owned(),
        offset: u64::try_from(offset).unwrap_or(u64::MAX),
        what,
    }
}

fn header_length() -> usize {
    usize::try_from(SegmentHeader::BYTES).unwrap_or(usize::MAX)
}

fn length_of(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
