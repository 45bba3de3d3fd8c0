//! The thread that writes checkpoints, so that no notice waits for one.

use std::path::Path;

use super::checkpoint::{Checkpoint, CheckpointError, CheckpointFault, Delta};
use super::journal_server::{Journal, JournalMessage};
use crate::supervision::{Post, Spec, thread};

/// Bring the checkpoint to the end of this delta.
pub struct WriteCheckpoint(pub Delta);

/// The writer of checkpoints as a child. It starts after the journal, which folds the checkpoint when it opens, and
/// under a strategy that takes it down with the journal: the file is open once at a time.
pub fn checkpoint(address: &Post<WriteCheckpoint>, journal: &Journal, directory: &Path) -> Spec {
    let directory = directory.to_owned();
    let journal = journal.clone();
    // One waits while one is written; more would only be older.
    thread("checkpoint", address, 1, move |context, mailbox| {
        let mut checkpoint = Checkpoint::open(&directory)?;
        context.child().ready();
        while let Ok(WriteCheckpoint(delta)) = mailbox.recv() {
            if context.is_killed() {
                break;
            }
            match checkpoint.write(&delta) {
                // After a gap a delta before this one was lost: say where we are, and the next one begins there.
                Ok(())
                | Err(CheckpointError {
                    fault: CheckpointFault::Gap { .. },
                    ..
                }) => {}
                Err(error) => return Err(error.into()),
            }
            // A journal that is busy hears of the next one.
            drop(journal.cast(JournalMessage::Checkpointed(checkpoint.sequence())));
        }
        Ok(())
    })
}
