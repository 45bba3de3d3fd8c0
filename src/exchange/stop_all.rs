//! The big red button: no exchange bids while it is engaged.
//!
//! It is a file in the data directory and a flag in memory: the file survives a restart and can be made by hand; the flag
//! costs the bid path one load. Whoever polls the file makes one follow the other within half a second.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::supervision::{Plane, Spec, task};

/// How often the file is looked for; a stop must work within a second.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Whether anybody may bid. Cheap to clone.
#[derive(Clone, Debug)]
pub struct StopAll(Arc<Button>);

#[derive(Debug)]
struct Button {
    engaged: AtomicBool,
    /// Whether the file was there when it was last looked for.
    was_there: AtomicBool,
    file: PathBuf,
}

impl StopAll {
    /// The button whose file is this one; engaged if it is there.
    pub fn at(file: PathBuf) -> Self {
        // A folder that cannot be looked into may hold the file.
        let is_there = file.try_exists().unwrap_or(true);
        Self(Arc::new(Button {
            engaged: AtomicBool::new(is_there),
            was_there: AtomicBool::new(is_there),
            file,
        }))
    }

    /// Whether bidding is stopped.
    pub fn is_engaged(&self) -> bool {
        self.0.engaged.load(Ordering::Relaxed)
    }

    /// Stops all bidding, at once and over restarts.
    ///
    /// # Errors
    /// The file could not be made: bidding is stopped, but a restart would forget it.
    pub fn engage(&self) -> io::Result<()> {
        self.0.engaged.store(true, Ordering::Relaxed);
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.0.file)?
            .sync_all()
    }

    /// Lets exchanges bid again.
    ///
    /// # Errors
    /// The file could not be removed: bidding stays stopped.
    pub fn release(&self) -> io::Result<()> {
        match fs::remove_file(&self.0.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => {
                self.0.was_there.store(false, Ordering::Release);
                self.0.engaged.store(false, Ordering::Relaxed);
                Ok(())
            }
        }
    }

    /// Engages when the file has come, and lets go when it has gone: a file that could not be made, or cannot be looked
    /// for, resumes nothing.
    fn follow_file(&self) {
        let Ok(is_there) = self.0.file.try_exists() else {
            self.0.engaged.store(true, Ordering::Relaxed);
            return;
        };
        let was_there = self.0.was_there.swap(is_there, Ordering::AcqRel);
        if was_there != is_there && self.0.engaged.swap(is_there, Ordering::Relaxed) != is_there {
            tracing::warn!(file = %self.0.file.display(), stopped = is_there, "stop-all followed its file");
        }
    }
}

/// What makes the flag follow the file, as a child.
pub fn stop_all(button: &StopAll) -> Spec {
    let button = button.clone();
    task("stop_all", Plane::Control, move |context| {
        let button = button.clone();
        async move {
            context.ready();
            loop {
                tokio::select! {
                    biased;
                    _ = context.stopped() => return Ok(()),
                    () = tokio::time::sleep(LOOK_EVERY) => button.follow_file(),
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn a_stop_survives_a_restart_and_can_be_made_by_hand() {
        let scratch = Scratch::new();
        let file = scratch.path().join("stop-all");
        let button = StopAll::at(file.clone());
        assert!(!button.is_engaged());
        button.engage().unwrap();
        assert!(StopAll::at(file.clone()).is_engaged());
        button.release().unwrap();
        assert!(!StopAll::at(file.clone()).is_engaged());
        fs::write(&file, "").unwrap();
        button.follow_file();
        assert!(button.is_engaged());
        fs::remove_file(&file).unwrap();
        button.follow_file();
        assert!(!button.is_engaged());
    }

    #[test]
    fn a_stop_whose_file_cannot_be_made_stands_until_it_is_released() {
        let scratch = Scratch::new();
        let file = scratch.path().join("no-such-folder/stop-all");
        let button = StopAll::at(file);
        assert!(button.engage().is_err());
        button.follow_file();
        assert!(button.is_engaged());
        button.release().unwrap();
        assert!(!button.is_engaged());
    }
}
