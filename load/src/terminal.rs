//! The only place that writes to the terminal: results on standard output, progress and complaints on standard error.

use std::io::{self, Write};

/// Writes a result.
///
/// # Errors
/// Where nobody reads it any more.
pub fn result(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Writes a line of progress or a complaint. A standard error that is gone is no reason to stop a run.
pub fn note(line: &str) {
    drop(writeln!(io::stderr().lock(), "{line}"));
}
