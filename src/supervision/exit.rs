//! Why a child ended.

use std::backtrace::Backtrace;
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
    /// The calls that led there, where `RUST_BACKTRACE` asks for them: of at most ten panics a second.
    pub backtrace: Option<Calls>,
}

/// The calls that led to a panic, as they were found. Their names are looked up by whoever writes them, which takes
/// milliseconds; the thread that panicked has none to spare.
#[derive(Clone, Debug)]
pub struct Calls(Arc<Backtrace>);

impl PanicReport {
    /// A message longer than this says no more to a reader; it travels in events and snapshots.
    pub const MESSAGE_BYTES_MAX: usize = 400;
    /// Some fifty frames: enough to see where a panic came from.
    pub const BACKTRACE_BYTES_MAX: usize = 8_192;
}

impl Calls {
    pub(crate) fn here() -> Self {
        Self(Arc::new(Backtrace::capture()))
    }
}

impl PartialEq for Calls {
    /// The same panic.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Calls {}

impl fmt::Display for Calls {
    /// At most [`PanicReport::BACKTRACE_BYTES_MAX`] long.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.0.to_string();
        shorten(&mut text, PanicReport::BACKTRACE_BYTES_MAX);
        f.write_str(&text)
    }
}

/// Cuts a text so that it is at most so many bytes long.
pub(crate) fn shorten(text: &mut String, most: usize) {
    if text.len() > most {
        let end = (0..=most).rev().find(|&at| text.is_char_boundary(at));
        text.truncate(end.unwrap_or(0));
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let mut text = "ééé".to_owned();
        shorten(&mut text, 3);
        assert_eq!(text, "é");
    }

    #[test]
    fn the_calls_of_two_panics_differ_and_their_text_has_a_limit() {
        let (one, other) = (Calls::here(), Calls::here());
        assert_ne!(one, other);
        assert_eq!(one, one.clone());
        assert!(one.to_string().len() <= PanicReport::BACKTRACE_BYTES_MAX);
    }
}
