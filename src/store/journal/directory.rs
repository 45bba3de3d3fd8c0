//! The data directory: its lock, the names of segments, and files that appear whole or not at all.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use super::JournalError;
use super::segment::{SegmentHeader, VERSION};
use crate::store::whole_file::{self, UNFINISHED};

const LOCK_NAME: &str = "lock";
const PREFIX: &str = "journal-";
const SUFFIX: &str = ".log";

/// Holds a data directory against every other process, until it is dropped.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Creates the directory if it is missing, and takes its lock.
    ///
    /// # Errors
    /// [`JournalError::InUse`] if another process has it, [`JournalError::Io`] if the disk says no.
    pub fn take(directory: &Path) -> Result<Self, JournalError> {
        std::fs::create_dir_all(directory).map_err(JournalError::io(directory))?;
        let path = directory.join(LOCK_NAME);
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(JournalError::io(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(JournalError::InUse { path }),
            Err(TryLockError::Error(source)) => Err(JournalError::Io { path, source }),
        }
    }
}

/// A segment's file: names sort as their numbers do.
pub(super) fn segment_path(directory: &Path, first: u64) -> PathBuf {
    directory.join(format!("{PREFIX}{first:020}{SUFFIX}"))
}

/// The first sequence numbers of all segments, in order.
pub(super) fn list_segments(directory: &Path) -> Result<Vec<u64>, JournalError> {
    let mut segments = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(JournalError::io(directory))? {
        let name = entry.map_err(JournalError::io(directory))?.file_name();
        let number = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX))
            .and_then(|digits| digits.parse::<u64>().ok());
        segments.extend(number);
    }
    segments.sort_unstable();
    Ok(segments)
}

/// Deletes files that a crash left half written.
pub(super) fn remove_unfinished(directory: &Path) -> Result<(), JournalError> {
    for entry in std::fs::read_dir(directory).map_err(JournalError::io(directory))? {
        let path = entry.map_err(JournalError::io(directory))?.path();
        let unfinished = path
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(UNFINISHED));
        if unfinished {
            std::fs::remove_file(&path).map_err(JournalError::io(&path))?;
        }
    }
    Ok(())
}

/// Begins a segment: when this returns, its header and its name are durable.
pub(super) fn create_segment(directory: &Path, first: u64) -> Result<PathBuf, JournalError> {
    let path = segment_path(directory, first);
    let header = SegmentHeader {
        version: VERSION,
        first,
    };
    whole_file::replace(&path, &header.encode()).map_err(JournalError::io(&path))?;
    Ok(path)
}

/// Makes the names in a directory durable.
pub(super) fn sync_directory(directory: &Path) -> Result<(), JournalError> {
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(JournalError::io(directory))
}
