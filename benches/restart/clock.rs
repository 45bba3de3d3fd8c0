//! The benchmark's stopwatch: the one place here that reads a clock.

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads clocks; the tree under it is given its own"
)]

use std::time::{Duration, Instant};

/// Runs from the moment it is made.
#[derive(Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
