//! The open loop: requests leave when the clock says so, not when answers come.
//!
//! A thread of its own renders the next request, sleeps until its instant and hands it over. If nobody takes them for a
//! while they queue here with their instants, and the wait is part of their latency.

use std::io;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::{clock, tasks};

/// Requests that may wait to be taken: two seconds at a high rate. Beyond, the pacer falls behind and the run shows it.
const QUEUE: usize = 16_384;
const NANOS: u128 = 1_000_000_000;

/// One request and its instant.
#[derive(Debug)]
pub struct Due<T> {
    /// When it has to leave.
    pub at: Instant,
    /// The request.
    pub item: T,
}

/// At what rate, from when, and how many.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The first instant.
    pub start: Instant,
    /// Items per second.
    pub rate: u32,
    /// Items in all.
    pub count: u64,
}

impl Pace {
    /// The instant of item number `index`.
    pub fn instant(&self, index: u64) -> Instant {
        let nanos = u128::from(index) * NANOS / u128::from(self.rate.max(1));
        self.start + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// Starts the pacing thread. `make` gives item number n; nothing ends the run.
///
/// # Errors
/// Where the system gives no thread.
pub fn start<T: Send + 'static>(
    pace: Pace,
    mut make: impl FnMut(u64) -> Option<T> + Send + 'static,
) -> io::Result<mpsc::Receiver<Due<T>>> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    tasks::start_thread("pacer", move || {
        for index in 0..pace.count {
            let Some(item) = make(index) else { return };
            let at = pace.instant(index);
            clock::sleep_thread_until(at);
            if sender.blocking_send(Due { at, item }).is_err() {
                return;
            }
        }
    })?;
    Ok(receiver)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_follow_from_the_rate_alone() {
        let start = clock::now();
        let pace = Pace {
            start,
            rate: 3,
            count: 10,
        };
        assert_eq!(pace.instant(0), start);
        assert_eq!(pace.instant(3), start + Duration::from_secs(1));
        assert_eq!(
            pace.instant(3_000_000_001),
            start + Duration::from_nanos(1_000_000_000_333_333_333)
        );
    }
}
