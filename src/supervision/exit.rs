//! Why a child ended.

use std::fmt;
use std::sync::Arc;

/// Why a child ended. Cheap to clone: it travels in events, snapshots and up the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It had nothing left to do.
    Normal,
    /// It was asked to stop, or it is a supervisor that gave up.
    Shutdown(Why),
    /// It returned an error: broken infrastructure, found and named.
    Error(Arc<str>),
    /// It panicked: a bug.
    Panic(Arc<PanicReport>),
    /// It was ended from outside without a chance to clean up.
    Killed,
    /// It did not yield, or did not end when it was told to and could not be made to.
    Stuck,
    /// It said, when it was started, that there is nothing for it to do (OTP's `ignore`).
    Ignored,
}

/// Why a child was shut down. A fallback must tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// By its supervisor or an operator.
    Asked,
    /// A supervisor went over its restart limit.
    OverLimit,
    /// A significant sibling ended, or a start was called off.
    Other,
}

/// What is kept of a panic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanicReport {
    /// The panic's message, at most [`PanicReport::MESSAGE_BYTES_MAX`] long.
    pub message: String,
    /// File, line and column, where the hook of the kernel saw them.
    pub location: Option<String>,
    /// The calls that led there, where `RUST_BACKTRACE` asks for them: of at most ten panics a second, at most
    /// [`PanicReport::BACKTRACE_BYTES_MAX`] long.
    pub backtrace: Option<String>,
}

impl PanicReport {
    /// A message longer than this says no more to a reader; it travels in events and snapshots.
    pub const MESSAGE_BYTES_MAX: usize = 400;
    /// Some fifty frames: enough to see where a panic came from.
    pub const BACKTRACE_BYTES_MAX: usize = 8_192;
}

impl Exit {
    /// An expected failure of infrastructure, by its text.
    pub fn error(reason: impl fmt::Display) -> Self {
        Self::Error(Arc::from(reason.to_string()))
    }

    /// Whether a transient child stays down after it: OTP's normal, shutdown, {shutdown, _}.
    pub const fn is_normal(&self) -> bool {
        matches!(self, Self::Normal | Self::Shutdown(_))
    }

    /// One word for a metric's label.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Shutdown(Why::OverLimit) => "over_limit",
            Self::Shutdown(_) => "shutdown",
            Self::Error(_) => "error",
            Self::Panic(_) => "panic",
            Self::Killed => "killed",
            Self::Stuck => "stuck",
            Self::Ignored => "ignored",
        }
    }
}

impl std::error::Error for Exit {}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Normal => f.write_str("normal"),
            Self::Shutdown(Why::Asked) => f.write_str("shutdown"),
            Self::Shutdown(Why::OverLimit) => f.write_str("shutdown: over its restart limit"),
            Self::Shutdown(Why::Other) => f.write_str("shutdown: called off"),
            Self::Error(reason) => write!(f, "error: {reason}"),
            Self::Panic(report) => match &report.location {
                Some(location) => write!(f, "panic: {} ({location})", report.message),
                None => write!(f, "panic: {}", report.message),
            },
            Self::Killed => f.write_str("killed"),
            Self::Stuck => f.write_str("stuck"),
            Self::Ignored => f.write_str("ignored: nothing to do"),
        }
    }
}
