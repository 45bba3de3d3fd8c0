//! The journal: numbered records in segment files, appended in batches that are synced once.
//!
//! A segment `journal-<first sequence>.log` is a header and records (`segment`); only the last one is written, and a new
//! one is begun when it is full. A batch is durable when `append` returns, not before. A failed append leaves the file
//! in an unknown state: the journal refuses everything after it, and must be opened again.
//! Opening cuts a torn tail off; damage anywhere else is an error that names file and offset (`scan`).

mod directory;
mod scan;
mod segment;

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub use directory::DirectoryLock;
pub use scan::Reader;
pub use segment::{BATCH_RECORDS_MAX, RECORD_OVERHEAD};

use super::whole_file;
use directory::{list_segments, segment_path, sync_directory};
use segment::SegmentHeader;

use super::codec::Malformed;
use super::movement::Movement;

/// When a segment is full, in bytes: 16 MiB are some 100,000 movements, which replay in well under a second and are
/// rewritten in a few dozen milliseconds when the journal is opened.
pub const SEGMENT_BYTES: u64 = 16 * 1024 * 1024;

/// What an operator does when movements are lost: the money of those that are left would be wrong.
pub(super) const RESTORE: &str = "restore the whole data folder from a backup: nothing is skipped";

/// Why a journal cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The operating system says no.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// Another process holds the data directory.
    #[error("{path}: data directory is in use by another process; end it, or set server.data_dir", path = path.display())]
    InUse {
        /// The lock file.
        path: PathBuf,
    },
    /// Bytes that a torn write cannot explain.
    #[error("{path}: corrupt at offset {offset}: {what}; {RESTORE}", path = path.display())]
    Corrupt {
        /// The segment.
        path: PathBuf,
        /// The first byte that is wrong.
        offset: u64,
        /// What is wrong there.
        what: &'static str,
    },
    /// A segment whose format this program does not know.
    #[error(
        "{path}: journal version {version} is not supported; run the version that wrote it, or a newer one",
        path = path.display()
    )]
    Version {
        /// The segment.
        path: PathBuf,
        /// The version it names.
        version: u32,
    },
    /// Movements are missing.
    #[error(
        "{path}: movements are missing from {expected} to before {found}; {RESTORE}",
        path = path.display()
    )]
    Gap {
        /// Where the sequence goes on.
        path: PathBuf,
        /// The first that is missing.
        expected: u64,
        /// The first that is there.
        found: u64,
    },
    /// An earlier append failed, so that nobody knows what the file holds.
    #[error("journal is poisoned by an earlier failure")]
    Poisoned,
}

impl JournalError {
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}

/// What opening found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    /// The last movement in the journal; zero if there is none.
    pub last: u64,
    /// How many bytes of an unfinished batch were cut off.
    pub torn_bytes: u64,
}

/// The writing end.
#[derive(Debug)]
pub struct Journal {
    directory: PathBuf,
    segment_bytes: u64,
    /// The first sequence number of every segment, oldest first; the last one is `file`.
    segments: Vec<u64>,
    file: File,
    path: PathBuf,
    written: u64,
    last: u64,
    poisoned: bool,
    buffer: Vec<u8>,
}

impl Journal {
    /// Opens the journal of a directory for writing, or begins one. The caller holds the directory's lock.
    ///
    /// The last segment is rewritten from what was read of it: after a failed sync the page cache may hold what the
    /// disk does not, and only a new file that syncs is known to be whole.
    ///
    /// # Errors
    /// [`JournalError`]; nothing was changed if it is `Corrupt`, `Version` or `Gap`.
    pub fn open(directory: &Path) -> Result<(Self, Tail), JournalError> {
        Self::open_with(directory, SEGMENT_BYTES)
    }

    pub(super) fn open_with(
        directory: &Path,
        segment_bytes: u64,
    ) -> Result<(Self, Tail), JournalError> {
        directory::remove_unfinished(directory)?;
        let mut segments = list_segments(directory)?;
        let tail = if let Some(first) = segments.last().copied() {
            let path = segment_path(directory, first);
            let scanned = scan::scan_last(&path, first)?;
            whole_file::replace(&path, &scanned.good).map_err(JournalError::io(&path))?;
            Tail {
                last: scanned.last,
                torn_bytes: scanned.torn_bytes,
            }
        } else {
            directory::create_segment(directory, 1)?;
            segments.push(1);
            Tail::default()
        };
        let path = segment_path(directory, segments.last().copied().unwrap_or(1));
        let file = File::options()
            .append(true)
            .open(&path)
            .map_err(JournalError::io(&path))?;
        let written = file.metadata().map_err(JournalError::io(&path))?.len();
        let journal = Self {
            directory: directory.to_owned(),
            segment_bytes,
            segments,
            file,
            path,
            written,
            last: tail.last,
            poisoned: false,
            buffer: Vec::new(),
        };
        Ok((journal, tail))
    }

    /// The last movement that is durable.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// The first movement that is still in the journal, or will be.
    pub fn first(&self) -> u64 {
        self.segments.first().copied().unwrap_or(1)
    }

    /// How many segment files there are.
    pub fn segments(&self) -> usize {
        self.segments.len()
    }

    /// Appends a batch and syncs it. When this returns, all of it is durable; the next movement has the number after
    /// its last.
    ///
    /// # Errors
    /// [`JournalError`]: any part of the batch may be on the disk, and the journal is poisoned.
    pub fn append(&mut self, batch: &[Movement]) -> Result<(), JournalError> {
        if self.poisoned {
            return Err(JournalError::Poisoned);
        }
        if batch.is_empty() {
            return Ok(());
        }
        self.poisoned = true;
        if self.written >= self.segment_bytes {
            self.rotate()?;
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        let last = segment::encode_batch(self.last, batch, &mut buffer)
            .map_err(|Malformed| too_large(&self.path))?;
        self.file
            .write_all(&buffer)
            .and_then(|()| self.file.sync_data())
            .map_err(JournalError::io(&self.path))?;
        self.written = self
            .written
            .saturating_add(u64::try_from(buffer.len()).unwrap_or(u64::MAX));
        self.buffer = buffer;
        self.last = last;
        self.poisoned = false;
        Ok(())
    }

    /// Deletes the segments that hold nothing after `covered`; the one being written stays.
    ///
    /// # Errors
    /// [`JournalError::Io`]: a segment stays, and is deleted the next time.
    pub fn forget_up_to(&mut self, covered: u64) -> Result<usize, JournalError> {
        let mut deleted = 0;
        while let [oldest, next, ..] = *self.segments.as_slice()
            && next <= covered.saturating_add(1)
        {
            let path = segment_path(&self.directory, oldest);
            std::fs::remove_file(&path).map_err(JournalError::io(&path))?;
            self.segments.remove(0);
            deleted += 1;
        }
        if deleted > 0 {
            sync_directory(&self.directory)?;
        }
        Ok(deleted)
    }

    /// Makes the next append fail as if the disk had, so that tests meet what follows.
    #[cfg(test)]
    pub(super) fn break_file(&mut self) {
        self.file = File::open(&self.path).unwrap();
    }

    fn rotate(&mut self) -> Result<(), JournalError> {
        let first = self.last.saturating_add(1);
        self.path = directory::create_segment(&self.directory, first)?;
        self.file = File::options()
            .append(true)
            .open(&self.path)
            .map_err(JournalError::io(&self.path))?;
        self.written = SegmentHeader::BYTES;
        self.segments.push(first);
        Ok(())
    }
}

fn too_large(path: &Path) -> JournalError {
    JournalError::Io {
        path: path.to_owned(),
        source: io::Error::new(io::ErrorKind::InvalidInput, "batch or movement too large"),
    }
}

#[cfg(test)]
mod tests;
