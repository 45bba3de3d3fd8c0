//! Why a run could not begin.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::process::PlanError;

/// A run that could not begin.
#[derive(Debug)]
pub enum RunError {
    /// An exchange that was never ready: where, and what was seen last.
    Unreachable(String, String),
    /// The system gave no thread.
    Thread(io::Error),
    /// A server of the run's own cannot be started.
    Plan(PlanError),
    /// Its program cannot be run.
    Start(PathBuf, io::Error),
    /// No folder for it.
    Folder(io::Error),
    /// It ended before it was ready: how, and what it said last.
    ServerEnded(String),
    /// The bidder's configuration, which an expectation needs, cannot be read.
    Catalogue(String),
    /// The bidder's books, which an expectation needs, cannot be read.
    Books(String),
    /// It was stopped before it began.
    Stopped,
}

impl fmt::Display for RunError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(place, why) => write!(
                out,
                "{place} is not ready: {why}; start the server first, let the run start it (--server PATH), or wait \
                 longer with --ready-wait"
            ),
            Self::Thread(error) => write!(out, "no thread for the pacer: {error}"),
            Self::Plan(error) => write!(out, "{error}"),
            Self::Start(program, error) => write!(out, "{}: {error}", program.display()),
            Self::Folder(error) => write!(out, "no folder for the server: {error}"),
            Self::ServerEnded(words) => write!(out, "{words}"),
            Self::Catalogue(error) => write!(
                out,
                "{error}; caps_exceeded_max and bids_over_budget_max need the bidder's configuration: name its folder \
                 with --config"
            ),
            Self::Books(error) => write!(
                out,
                "the bidder's books: {error}; give its admin server as `admin`, or leave out what is expected of them"
            ),
            Self::Stopped => write!(out, "stopped before the first request"),
        }
    }
}
