//! A folder of the run's own: the server's configuration, its data and what it printed.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Runs of one process must not share a folder.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A folder that is removed in the end, unless it is kept.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Kept,
    Removed,
}

impl Folder {
    /// A new one where the system keeps temporary files.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn temporary() -> io::Result<Self> {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("bidtree-load-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path)?;
        Ok(Self {
            path: path.canonicalize()?,
            fate: Fate::Removed,
        })
    }

    /// A named one, which stays. What an earlier run left there goes.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn kept(path: &Path) -> io::Result<Self> {
        for leftover in ["data", "config"] {
            let leftover = path.join(leftover);
            if leftover.is_dir() {
                std::fs::remove_dir_all(leftover)?;
            }
        }
        std::fs::create_dir_all(path)?;
        Ok(Self {
            path: path.canonicalize()?,
            fate: Fate::Kept,
        })
    }

    /// Keeps it, so that someone can look into it.
    pub fn keep(&mut self) {
        self.fate = Fate::Kept;
    }

    /// Removes it in the end after all.
    pub fn discard(&mut self) {
        self.fate = Fate::Removed;
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.fate == Fate::Removed {
            // What is left over is where the system keeps temporary files.
            drop(std::fs::remove_dir_all(&self.path));
        }
    }
}
