//! What happened when: faults, restarts, deaths. The report marks them on its time axes.

use std::cell::RefCell;
use std::time::Duration;

/// Marks that are kept: more cannot be told apart on an axis, nor read in a table.
const MARKS_MAX: usize = 2_000;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// From the first request.
    pub at: Duration,
    /// What kind.
    pub kind: MarkKind,
    /// For people.
    pub label: String,
}

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MarkKind {
    /// The run broke something.
    Fault,
    /// The server restarted one of its children, or the run its process.
    Restart,
    /// Something that nobody asked for.
    Trouble,
}

impl MarkKind {
    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fault => "fault",
            Self::Restart => "restart",
            Self::Trouble => "trouble",
        }
    }
}

/// The marks of a run.
#[derive(Debug, Default)]
pub struct Marks(RefCell<Vec<Mark>>);

impl Marks {
    /// One more; beyond the limit it is not kept.
    pub fn add(&self, at: Duration, kind: MarkKind, label: String) {
        let mut marks = self.0.borrow_mut();
        if marks.len() < MARKS_MAX {
            marks.push(Mark { at, kind, label });
        }
    }

    /// All, in order of time.
    pub fn all(&self) -> Vec<Mark> {
        let mut marks = self.0.borrow().clone();
        marks.sort_by_key(|mark| mark.at);
        marks
    }
}
