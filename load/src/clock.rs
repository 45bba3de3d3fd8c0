//! The only reader of clocks, and the only place that lets a thread sleep.

use std::time::{Duration, Instant, SystemTime};

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

/// The time of day: read once, and from then on counted by the monotonic clock, so that it never jumps.
#[derive(Clone, Copy, Debug)]
pub struct WallClock {
    at: Instant,
    unix_ms: u64,
}

impl WallClock {
    /// Reads the time of day.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the clock"
    )]
    pub fn read() -> Self {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let ms = since_1970.map_or(0, |since| since.as_millis());
        Self {
            at: now(),
            unix_ms: u64::try_from(ms).unwrap_or(0),
        }
    }

    /// An instant, in ms since 1970.
    pub fn unix_ms(&self, instant: Instant) -> u64 {
        let since = instant.saturating_duration_since(self.at).as_millis();
        let before = self.at.saturating_duration_since(instant).as_millis();
        let ms = |ms: u128| u64::try_from(ms).unwrap_or(0);
        (self.unix_ms + ms(since)).saturating_sub(ms(before))
    }

    /// Now, in ms since 1970.
    pub fn now_ms(&self) -> u64 {
        self.unix_ms(now())
    }
}
