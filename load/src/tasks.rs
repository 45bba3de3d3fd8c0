//! The only place that starts tasks and threads.
//!
//! Everything of a run lives on one thread, so that its tallies and its ledger need no lock; only the pacing thread,
//! which must not be late because an answer is being checked, stands beside it.

use std::io;

/// Runs a future on this thread until it is done. It ends with the run.
#[expect(clippy::disallowed_methods, reason = "the one place that starts tasks")]
pub fn start(future: impl Future<Output = ()> + 'static) {
    drop(tokio::task::spawn_local(future));
}

/// Runs `work` on a thread of its own.
///
/// # Errors
/// Where the system gives no thread.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that starts threads"
)]
pub fn start_thread(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map(drop)
}

/// Runs `future` and all that it starts on this thread.
///
/// # Errors
/// Where the system gives no event queue.
pub fn run<T>(future: impl Future<Output = T>) -> io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(tokio::task::LocalSet::new().block_on(&runtime, future))
}
