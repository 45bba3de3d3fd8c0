//! The open loop: requests leave when the clock says so, not when answers come.
//!
//! A thread of its own renders the next request, sleeps until its instant and hands it over. If nobody takes them for a
//! while they queue here with their instants, and the wait is part of their latency.

use std::io;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::arrivals::Schedule;
use crate::{clock, tasks};

/// Requests that may wait to be taken: two seconds at a high rate. Beyond, the pacer falls behind and the run shows it.
const QUEUE: usize = 16_384;
/// The thread sleeps no shorter than this, so what falls due within it leaves together: at rates above some thousands a
/// second, a sleep and a wake-up for each request would cost as much as sending it.
const SLEEP_MIN: Duration = Duration::from_micros(500);

/// One request and its instant.
#[derive(Debug)]
pub struct Due<T> {
    /// When it has to leave.
    pub at: Instant,
    /// The request.
    pub item: T,
}

/// From when, and in what rhythm.
#[derive(Clone, Debug)]
pub struct Pace {
    /// The instant that the schedule counts from.
    pub start: Instant,
    /// When items leave.
    pub schedule: Schedule,
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
        for (index, offset) in (0..).zip(pace.schedule) {
            let Some(item) = make(index) else { return };
            let at = pace.start + offset;
            let now = clock::now();
            if at > now {
                clock::sleep_thread_until(at.max(now + SLEEP_MIN));
            }
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
    fn items_come_in_order_each_with_the_instant_of_its_place() {
        let start = clock::now();
        let pace = Pace {
            start,
            schedule: Schedule::constant(50_000, 1),
        };
        let mut due = super::start(pace, |index| (index < 100).then_some(index)).unwrap();
        let got: Vec<_> = std::iter::from_fn(|| due.blocking_recv()).collect();
        let items: Vec<u64> = got.iter().map(|due| due.item).collect();
        assert_eq!(items, (0..100).collect::<Vec<u64>>());
        let instants = got.iter().map(|due| due.at - start);
        assert!(instants.eq(Schedule::constant(50_000, 1).take(100)));
    }
}
