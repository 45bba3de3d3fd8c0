//! The writer: the one owner of journal and books, who decides commands in sequence and acknowledges what is durable.
//!
//! `stage` decides a command against the books at its place in the sequence; `commit` makes everything staged durable
//! with one sync and only then yields the outcomes. A writer whose commit failed is poisoned: its books hold what may
//! not be on the disk, so it answers nothing any more and must be opened again, which folds what is really there.
//! Not here: the thread it runs on, its mailbox, and when to commit.

mod command;
mod decide;

use std::path::{Path, PathBuf};

pub use command::{Ceilings, Close, Command, Grant, LeaseChoice, Outcome, Refusal};
pub use decide::{ACCOUNTS_MAX, ADVERTISERS_MAX, OPEN_LEASES_MAX, SHARERS_MAX};

use super::books::{Books, FoldError, Limits};
use super::checkpoint::{Changes, Checkpoint, CheckpointError, Delta};
use super::codec::Malformed;
use super::journal::{
    BATCH_RECORDS_MAX, DirectoryLock, Journal, JournalError, RESTORE, Reader, SEGMENT_BYTES,
};
use super::movement::Movement;

/// The most commands one commit answers. Each makes one movement or none, so a batch is never too large to write.
pub const BATCH_MAX: usize = BATCH_RECORDS_MAX;

/// After so many movements a checkpoint is worth its time: they replay in some 50 ms, their delta is made in 10 ms and
/// written in 100 ms.
pub const CHECKPOINT_EVERY: u64 = 50_000;

/// What an operator does when one of the two is not what the other needs.
const TOGETHER: &str = "journal and checkpoint are of different times, or one is damaged: restore both together, from one \
                        backup";

/// Why the store cannot be opened. None of these loses a movement that was acknowledged, so opening may be tried again.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The journal cannot be read, or another process has it.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The checkpoint is in use, or its disk says no.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A movement of the journal does not follow from those before it.
    #[error("{folder}: movement {sequence} does not fold: {source}; {RESTORE}", folder = folder.display())]
    Fold {
        /// The data directory.
        folder: PathBuf,
        /// Its number.
        sequence: u64,
        /// Why.
        source: FoldError,
    },
    /// The journal is older than its checkpoint: somebody restored or deleted files.
    #[error(
        "{folder}: the journal ends at {journal}, but its checkpoint holds {checkpoint}; {TOGETHER}",
        folder = folder.display()
    )]
    Behind {
        /// The data directory.
        folder: PathBuf,
        /// The journal's last movement.
        journal: u64,
        /// The checkpoint's.
        checkpoint: u64,
    },
    /// Without its checkpoint the journal is not enough.
    #[error(
        "{folder}: the checkpoint is unusable ({reason}) and the journal begins only at {first}; {TOGETHER}",
        folder = folder.display()
    )]
    NotCovered {
        /// The data directory.
        folder: PathBuf,
        /// The first movement that is in the journal.
        first: u64,
        /// What is wrong with the checkpoint.
        reason: CheckpointState,
    },
}

/// What opening found of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckpointState {
    /// It was folded on from this sequence number.
    Loaded(u64),
    /// There was none, or an empty one.
    Missing,
    /// It could not be read, was set aside, and everything was folded from the journal.
    Damaged(String),
}

impl std::fmt::Display for CheckpointState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Loaded(sequence) => write!(f, "loaded at {sequence}"),
            Self::Missing => f.write_str("missing"),
            Self::Damaged(why) => write!(f, "damaged: {why}"),
        }
    }
}

/// What opening did: for the log, and for alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// The last movement in the books.
    pub last: u64,
    /// How many movements were replayed.
    pub replayed: u64,
    /// How many bytes of an unfinished batch were cut off; nobody was told that they are durable.
    pub torn_bytes: u64,
    /// What became of the checkpoint.
    pub checkpoint: CheckpointState,
}

/// Why a writer that is open does not answer.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A commit failed, now or earlier. What was staged may or may not be durable.
    #[error("store is poisoned: {0}")]
    Poisoned(#[source] JournalError),
    /// The batch is full: commit first.
    #[error("batch is full")]
    Full,
    /// Something is staged, so that the books hold what is not durable yet: commit first.
    #[error("commands are staged")]
    Staged,
    /// An account is too large for a checkpoint row.
    #[error("account does not fit a checkpoint row")]
    TooLarge,
}

/// The writer of a data directory, which is locked while it lives.
#[derive(Debug)]
pub struct Writer {
    books: Books,
    journal: Journal,
    changes: Changes,
    batch: Vec<Movement>,
    outcomes: Vec<Outcome>,
    poisoned: bool,
    _lock: DirectoryLock,
}

impl Writer {
    /// Opens a data directory, or begins one: takes its lock, cuts a torn tail, folds checkpoint and journal.
    ///
    /// The checkpoint is handed out, since it may be written by another thread; it must be dropped before the directory is
    /// opened again.
    ///
    /// # Errors
    /// [`OpenError`]; most of them are for an operator.
    pub fn open(directory: &Path) -> Result<(Self, Checkpoint, Recovery), OpenError> {
        Self::open_with(directory, Limits::DEFAULT, SEGMENT_BYTES)
    }

    pub(super) fn open_with(
        directory: &Path,
        limits: Limits,
        segment_bytes: u64,
    ) -> Result<(Self, Checkpoint, Recovery), OpenError> {
        let lock = DirectoryLock::take(directory)?;
        let (journal, tail) = Journal::open_with(directory, segment_bytes)?;
        let (checkpoint, mut books, state) = open_checkpoint(directory, limits, journal.first())?;
        let begun = books.sequence();
        if tail.last < begun {
            return Err(OpenError::Behind {
                folder: directory.to_owned(),
                journal: tail.last,
                checkpoint: begun,
            });
        }
        let mut changes = Changes::after(&books);
        for movement in Reader::open(directory, begun.saturating_add(1))? {
            let (sequence, movement) = movement?;
            books
                .apply(sequence, &movement)
                .map_err(|source| OpenError::Fold {
                    folder: directory.to_owned(),
                    sequence,
                    source,
                })?;
            changes.note(&movement);
        }
        assert_eq!(
            books.sequence(),
            tail.last,
            "the reader ended where the journal does not"
        );
        let recovery = Recovery {
            last: tail.last,
            replayed: tail.last.saturating_sub(begun),
            torn_bytes: tail.torn_bytes,
            checkpoint: state,
        };
        let writer = Self {
            books,
            journal,
            changes,
            batch: Vec::new(),
            outcomes: Vec::new(),
            poisoned: false,
            _lock: lock,
        };
        Ok((writer, checkpoint, recovery))
    }

    /// Decides a command. Its outcome is yielded by the next commit, in the order of staging.
    ///
    /// # Errors
    /// [`WriteError::Full`]: commit and stage it again. [`WriteError::Poisoned`].
    ///
    /// # Panics
    /// When the books refuse a movement that was decided from them: a bug.
    pub fn stage(&mut self, command: Command) -> Result<(), WriteError> {
        self.check_usable()?;
        if self.outcomes.len() >= BATCH_MAX {
            return Err(WriteError::Full);
        }
        let (movement, outcome) = decide::decide(&self.books, command);
        let outcome = match movement {
            None => outcome,
            Some(movement) => {
                let sequence = self.books.sequence().saturating_add(1);
                match self.books.apply(sequence, &movement) {
                    Ok(()) => {
                        self.batch.push(movement);
                        outcome
                    }
                    Err(FoldError::Overflow) => Outcome::Refused(Refusal::Overflow),
                    Err(bug) => panic!("decided movement does not fold: {movement:?}: {bug}"),
                }
            }
        };
        self.outcomes.push(outcome);
        Ok(())
    }

    /// How many commands are staged.
    pub fn staged(&self) -> usize {
        self.outcomes.len()
    }

    /// Makes everything staged durable with one sync, and yields the outcomes in the order of staging.
    ///
    /// # Errors
    /// [`WriteError::Poisoned`]: nobody may be told anything of this batch, and the store must be opened again.
    pub fn commit(&mut self) -> Result<Vec<Outcome>, WriteError> {
        self.check_usable()?;
        if let Err(error) = self.journal.append(&self.batch) {
            self.poisoned = true;
            return Err(WriteError::Poisoned(error));
        }
        for movement in &self.batch {
            self.changes.note(movement);
        }
        self.batch.clear();
        Ok(std::mem::take(&mut self.outcomes))
    }

    /// The books, all of which is durable.
    ///
    /// # Errors
    /// [`WriteError::Staged`]: commit first. [`WriteError::Poisoned`].
    pub fn books(&self) -> Result<&Books, WriteError> {
        self.check_usable()?;
        if self.outcomes.is_empty() {
            Ok(&self.books)
        } else {
            Err(WriteError::Staged)
        }
    }

    /// Whether there is enough behind a checkpoint for another one.
    pub fn checkpoint_due(&self) -> bool {
        self.journal.last().saturating_sub(self.changes.since()) >= CHECKPOINT_EVERY
    }

    /// What a checkpoint at this sequence number lacks. Taking it costs a copy of the rows; writing it is the caller's.
    ///
    /// # Errors
    /// [`WriteError::Staged`]: commit first. [`WriteError::Poisoned`], [`WriteError::TooLarge`].
    pub fn delta(&mut self, checkpoint: u64) -> Result<Delta, WriteError> {
        let books = self.books()?;
        let delta = self
            .changes
            .delta(books, checkpoint)
            .map_err(|Malformed| WriteError::TooLarge)?;
        self.changes = Changes::after(&self.books);
        Ok(delta)
    }

    /// Deletes the segments a durable checkpoint covers, and answers how many.
    ///
    /// # Errors
    /// [`JournalError::Io`]: they are deleted another time; the writer goes on.
    pub fn checkpointed(&mut self, checkpoint: u64) -> Result<usize, JournalError> {
        self.journal.forget_up_to(checkpoint)
    }

    /// How many segment files the journal has.
    pub fn segments(&self) -> usize {
        self.journal.segments()
    }

    fn check_usable(&self) -> Result<(), WriteError> {
        if self.poisoned {
            Err(WriteError::Poisoned(JournalError::Poisoned))
        } else {
            Ok(())
        }
    }

    /// Makes the next commit fail as if the disk had.
    #[cfg(test)]
    pub(super) fn break_journal(&mut self) {
        self.journal.break_file();
    }
}

/// The checkpoint and its books; empty ones where it is unusable and the journal reaches back to the beginning.
fn open_checkpoint(
    directory: &Path,
    limits: Limits,
    journal_first: u64,
) -> Result<(Checkpoint, Books, CheckpointState), OpenError> {
    let loaded = Checkpoint::open(directory).and_then(|checkpoint| {
        checkpoint
            .load_with(limits)
            .map(|books| (checkpoint, books))
    });
    let state = match &loaded {
        Ok((_, books)) if books.sequence() > 0 => CheckpointState::Loaded(books.sequence()),
        Ok(_) => CheckpointState::Missing,
        Err(error) => CheckpointState::Damaged(error.to_string()),
    };
    let covered = matches!(state, CheckpointState::Loaded(sequence) if sequence.saturating_add(1) >= journal_first);
    match loaded {
        Ok((checkpoint, books)) if covered || journal_first == 1 => Ok((checkpoint, books, state)),
        Err(error) if !error.is_damage() => Err(error.into()),
        Err(_) if journal_first == 1 => {
            let checkpoint = Checkpoint::begin_again(directory)?;
            Ok((checkpoint, Books::with_limits(limits), state))
        }
        Ok(_) | Err(_) => Err(OpenError::NotCovered {
            folder: directory.to_owned(),
            first: journal_first,
            reason: state,
        }),
    }
}

#[cfg(test)]
mod tests;
