//! Checkpoints: the books as of one sequence number, in `redb`, so that a restart replays only what came after.
//!
//! A checkpoint may lag and may be missing; the journal is the truth. It is written as a [`Delta`] of what changed since
//! the one before, in one transaction, by whoever has time: the writer makes deltas and need not wait for them.
//! A damaged checkpoint is an error here; whether the journal can do without it is decided in `writer`.

mod delta;

use std::collections::{BTreeMap, VecDeque};
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::{
    Database, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction,
};

pub use delta::Delta;
pub(super) use delta::{Changes, Summary};

use super::books::{
    Account, Books, Exposures, Limits, SettledRow, SettledTable, SharedAccount, SharedAccounts,
};
use super::codec::Malformed;
use super::movement::ImpressionKey;
use crate::units::{AdvertiserKey, BidId, CampaignKey};

const FILE_NAME: &str = "checkpoint.redb";
const DAMAGED_NAME: &str = "checkpoint.redb.damaged";

/// `redb`'s own cache, in bytes: the books are in memory, so the pages on the path of one transaction are enough.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

const SUMMARY: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("summary");
const ACCOUNTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("accounts");
const SHARED: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("shared");
const SETTLED: TableDefinition<'_, (i32, u128, u16), u8> = TableDefinition::new("settled");
const EXPOSURES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("exposures");

/// The one key of the summary table.
const BOOKS: &str = "books";

/// Why a checkpoint cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {fault}", path = path.display())]
pub struct CheckpointError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    #[source]
    pub fault: CheckpointFault,
}

/// What is wrong with a checkpoint. A damaged one is set aside when the journal can do without it.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointFault {
    /// The database says no: the disk, another process, or a damaged file.
    #[error("{0}")]
    Database(Box<redb::Error>),
    /// The file cannot be set aside.
    #[error("cannot be set aside: {0}; move it away")]
    Aside(std::io::Error),
    /// A row that does not check.
    #[error("{table} holds a row that does not check")]
    Row {
        /// Where it is.
        table: &'static str,
    },
    /// The file is so damaged that its reader crashed.
    #[error("damaged beyond reading")]
    Unreadable,
    /// A delta that does not begin where the checkpoint is.
    #[error("a checkpoint at {at} cannot take a delta from {from}")]
    Gap {
        /// Where the checkpoint is.
        at: u64,
        /// Where the delta begins.
        from: u64,
    },
}

impl CheckpointError {
    fn of(path: &Path) -> impl FnOnce(CheckpointFault) -> Self + '_ {
        |fault| Self {
            path: path.to_owned(),
            fault,
        }
    }

    /// Whether the file itself is wrong, so that it may be set aside; anything else may pass by itself.
    pub fn is_damage(&self) -> bool {
        match &self.fault {
            CheckpointFault::Database(error) => match error.as_ref() {
                redb::Error::Io(io) => matches!(
                    io.kind(),
                    ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof
                ),
                redb::Error::DatabaseAlreadyOpen | redb::Error::PreviousIo => false,
                _ => true,
            },
            CheckpointFault::Row { .. } | CheckpointFault::Unreadable => true,
            CheckpointFault::Aside(_) | CheckpointFault::Gap { .. } => false,
        }
    }
}

impl<E: Into<redb::Error>> From<E> for CheckpointFault {
    fn from(error: E) -> Self {
        Self::Database(Box::new(error.into()))
    }
}

/// The checkpoint file of a data directory.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    database: Database,
    sequence: u64,
}

impl Checkpoint {
    /// Opens the checkpoint of a directory, or begins an empty one at sequence zero. It can be open once at a time.
    ///
    /// # Errors
    /// [`CheckpointError`]: the file is damaged, in use, or the disk says no.
    pub fn open(directory: &Path) -> Result<Self, CheckpointError> {
        let path = directory.join(FILE_NAME);
        let opened = contained(|| {
            let mut database = Database::builder()
                .set_cache_size(CACHE_BYTES)
                .create(&path)?;
            // Pages have checksums, but reading does not look at them. A file that could be repaired may be older, which
            // is only a longer replay.
            database.check_integrity()?;
            let sequence = read_summary(&database)?.map_or(0, |summary| summary.sequence);
            Ok((database, sequence))
        });
        let (database, sequence) = opened.map_err(CheckpointError::of(&path))?;
        Ok(Self {
            path,
            database,
            sequence,
        })
    }

    /// Sets a damaged file aside under another name, where an operator finds it, and begins an empty one.
    ///
    /// # Errors
    /// [`CheckpointError`]: the disk says no.
    pub fn begin_again(directory: &Path) -> Result<Self, CheckpointError> {
        let path = directory.join(FILE_NAME);
        std::fs::rename(&path, directory.join(DAMAGED_NAME))
            .map_err(CheckpointFault::Aside)
            .map_err(CheckpointError::of(&path))?;
        Self::open(directory)
    }

    /// The last movement that is in the checkpoint; zero while it is empty.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The books as they were at [`Checkpoint::sequence`].
    ///
    /// # Errors
    /// [`CheckpointError`]: the file is damaged.
    pub fn load(&self) -> Result<Books, CheckpointError> {
        self.load_with(Limits::DEFAULT)
    }

    pub(super) fn load_with(&self, limits: Limits) -> Result<Books, CheckpointError> {
        contained(|| {
            let Some(summary) = read_summary(&self.database)? else {
                return Ok(Books::with_limits(limits));
            };
            let reading = self.database.begin_read()?;
            let mut accounts = BTreeMap::new();
            for row in reading.open_table(ACCOUNTS)?.iter()? {
                let (key, account) = row?;
                let account = Account::decode(account.value()).map_err(row_of("accounts"))?;
                accounts.insert(CampaignKey::from_raw(key.value()), account);
            }
            let shared = read_shared(&reading)?;
            let mut rows = Vec::new();
            for row in reading.open_table(SETTLED)?.iter()? {
                let (key, settled) = row?;
                rows.push(settled_row(key.value(), settled.value()).map_err(row_of("settled"))?);
            }
            let mut list = VecDeque::new();
            for (row, position) in reading
                .open_table(EXPOSURES)?
                .iter()?
                .zip(summary.exposures_first..)
            {
                let (key, exposure) = row?;
                let exposure =
                    delta::decode_exposure(exposure.value()).map_err(row_of("exposures"))?;
                if key.value() != position {
                    return Err(CheckpointFault::Row { table: "exposures" });
                }
                list.push_back(exposure);
            }
            summary
                .counts((accounts.len(), shared.len()), rows.len(), list.len())
                .map_err(row_of("summary"))?;
            Ok(Books::restored(
                summary.sequence,
                (accounts, SharedAccounts::restored(shared)),
                SettledTable::restored(limits.settled, summary.settled_forgotten, rows.into_iter()),
                Exposures::restored(
                    limits.exposures,
                    summary.exposures_first,
                    summary.exposures_forgotten,
                    list,
                ),
            ))
        })
        .map_err(CheckpointError::of(&self.path))
    }

    /// Brings the checkpoint to the delta's end, durably and at once, or leaves it as it was.
    ///
    /// # Errors
    /// [`CheckpointFault::Gap`] if the delta begins elsewhere: ask the writer for another. Others: the disk says no.
    pub fn write(&mut self, delta: &Delta) -> Result<(), CheckpointError> {
        self.bring_to(delta)
            .map_err(CheckpointError::of(&self.path))
    }

    fn bring_to(&mut self, delta: &Delta) -> Result<(), CheckpointFault> {
        if let Some(from) = delta.from
            && from != self.sequence
        {
            return Err(CheckpointFault::Gap {
                at: self.sequence,
                from,
            });
        }
        let transaction = self.database.begin_write()?;
        if delta.from.is_none() {
            transaction.delete_table(ACCOUNTS)?;
            transaction.delete_table(SHARED)?;
            transaction.delete_table(SETTLED)?;
            transaction.delete_table(EXPOSURES)?;
        }
        write_rows(&transaction, delta)?;
        transaction.commit()?;
        self.sequence = delta.summary.sequence;
        Ok(())
    }
}

fn write_rows(transaction: &WriteTransaction, delta: &Delta) -> Result<(), CheckpointFault> {
    let mut accounts = transaction.open_table(ACCOUNTS)?;
    for (campaign, row) in &delta.accounts {
        accounts.insert(campaign.raw(), row.as_slice())?;
    }
    let mut shared = transaction.open_table(SHARED)?;
    for (advertiser, row) in &delta.shared {
        shared.insert(advertiser.raw(), row.as_slice())?;
    }
    let mut settled = transaction.open_table(SETTLED)?;
    for row in &delta.settled {
        let key = (row.minute, row.key.bid.raw(), row.key.imp);
        settled.insert(key, delta::settled_byte(row.settled))?;
    }
    if let Some(forgotten) = delta.summary.settled_forgotten {
        settled.retain_in(..=(forgotten, u128::MAX, u16::MAX), |_, _| false)?;
    }
    let mut exposures = transaction.open_table(EXPOSURES)?;
    for (position, row) in &delta.exposures {
        exposures.insert(*position, row.as_slice())?;
    }
    exposures.retain_in(..delta.summary.exposures_first, |_, _| false)?;
    let mut summary = transaction.open_table(SUMMARY)?;
    summary.insert(BOOKS, delta.summary.encode().as_slice())?;
    Ok(())
}

/// The advertisers' accounts; none in a checkpoint that was written before there were any.
fn read_shared(
    reading: &ReadTransaction,
) -> Result<BTreeMap<AdvertiserKey, SharedAccount>, CheckpointFault> {
    let table = match reading.open_table(SHARED) {
        Ok(table) => table,
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(BTreeMap::new()),
        Err(error) => return Err(error.into()),
    };
    let mut shared = BTreeMap::new();
    for row in table.iter()? {
        let (key, account) = row?;
        let account = SharedAccount::decode(account.value()).map_err(row_of("shared"))?;
        shared.insert(AdvertiserKey::from_raw(key.value()), account);
    }
    Ok(shared)
}

fn read_summary(database: &Database) -> Result<Option<Summary>, CheckpointFault> {
    let table = match database.begin_read()?.open_table(SUMMARY) {
        Ok(table) => table,
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let row = table
        .get(BOOKS)?
        .ok_or(CheckpointFault::Row { table: "summary" })?;
    Summary::decode(row.value())
        .map(Some)
        .map_err(row_of("summary"))
}

fn settled_row((minute, bid, imp): (i32, u128, u16), settled: u8) -> Result<SettledRow, Malformed> {
    Ok(SettledRow {
        minute,
        key: ImpressionKey {
            bid: BidId::from_raw(bid),
            imp,
        },
        settled: delta::settled_of(settled)?,
    })
}

fn row_of(table: &'static str) -> impl Fn(Malformed) -> CheckpointFault {
    move |Malformed| CheckpointFault::Row { table }
}

/// `redb` trusts its pages, and may panic on a file whose bytes were changed under it. Nothing of a failed read is used
/// again, so the panic is one more way of saying damaged.
fn contained<T>(read: impl FnOnce() -> Result<T, CheckpointFault>) -> Result<T, CheckpointFault> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or(Err(CheckpointFault::Unreadable))
}

#[cfg(test)]
mod tests;
