//! The only reader of clocks, and the only place that lets a thread sleep.

use std::time::{Duration, Instant};

/// Now, by the monotonic clock.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the clock"
)]
pub fn now() -> Instant {
    Instant::now()
}

/// How long ago `then` was; nothing where it is still to come.
pub fn since(then: Instant) -> Duration {
    now().saturating_duration_since(then)
}

/// Lets this thread sleep until `at`, to some tens of microseconds. An async timer would round up to a millisecond.
#[expect(
    clippy::disallowed_methods,
    reason = "the pacing thread does nothing else than wait for the next instant"
)]
pub fn sleep_thread_until(at: Instant) {
    let rest = at.saturating_duration_since(now());
    if !rest.is_zero() {
        std::thread::sleep(rest);
    }
}

/// Lets this task sleep.
pub async fn sleep(time: Duration) {
    tokio::time::sleep(time).await;
}

/// `future`'s result, or `None` where it takes until `at`.
pub async fn before<F: Future>(at: Instant, future: F) -> Option<F::Output> {
    tokio::time::timeout_at(at.into(), future).await.ok()
}

/// The instant from which a time line counts. It follows the runtime's clock, which a test may pause.
#[derive(Clone, Copy, Debug)]
pub struct Origin(tokio::time::Instant);

impl Origin {
    /// Now.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the clock"
    )]
    pub fn now() -> Self {
        Self(tokio::time::Instant::now())
    }

    /// At an instant of the monotonic clock.
    pub fn at(instant: Instant) -> Self {
        Self(instant.into())
    }

    /// How long ago it was; nothing where it is still to come.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the clock"
    )]
    pub fn elapsed(self) -> Duration {
        tokio::time::Instant::now().saturating_duration_since(self.0)
    }

    /// Lets this task sleep until so long after it.
    pub async fn sleep_until(self, offset: Duration) {
        tokio::time::sleep_until(self.0 + offset).await;
    }
}
