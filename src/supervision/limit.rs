//! How often a supervisor restarts before it gives up.

use std::collections::VecDeque;
use std::time::Duration;

use crate::units::Monotonic;

/// At most `intensity` restarts within `period`; one more ends the supervisor (OTP's intensity and period).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Restarts allowed within the period; 0 means the first crash ends it.
    pub intensity: u32,
    /// The sliding window.
    pub period: Duration,
}

impl Limit {
    /// A limit of `intensity` restarts in `period`.
    pub const fn new(intensity: u32, period: Duration) -> Self {
        Self { intensity, period }
    }
}

/// The restarts of the last period. Exact to the nanosecond, where OTP counts whole seconds.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    limit: Limit,
    at: VecDeque<Monotonic>,
}

impl Window {
    pub(crate) fn new(limit: Limit) -> Self {
        Self {
            limit,
            at: VecDeque::new(),
        }
    }

    /// Counts a restart and says whether the limit holds. Never keeps more than the intensity plus one.
    #[must_use]
    pub(crate) fn allows_one_more(&mut self, now: Monotonic) -> bool {
        self.prune(now);
        self.at.push_back(now);
        let allowed = usize::try_from(self.limit.intensity).unwrap_or(usize::MAX);
        if self.at.len() > allowed {
            self.at.pop_front();
            return false;
        }
        true
    }

    pub(crate) fn count(&self, now: Monotonic) -> u32 {
        let within = self
            .at
            .iter()
            .filter(|&&at| now.since(at) < self.limit.period)
            .count();
        u32::try_from(within).unwrap_or(u32::MAX)
    }

    pub(crate) fn limit(&self) -> Limit {
        self.limit
    }

    fn prune(&mut self, now: Monotonic) {
        while self
            .at
            .front()
            .is_some_and(|&at| now.since(at) >= self.limit.period)
        {
            self.at.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Monotonic {
        Monotonic::from_nanos(ms * 1_000_000)
    }

    #[test]
    fn intensity_is_what_is_allowed_and_one_more_trips() {
        let mut window = Window::new(Limit::new(2, Duration::from_secs(1)));
        assert!(window.allows_one_more(at(0)));
        assert!(window.allows_one_more(at(1)));
        assert!(!window.allows_one_more(at(2)));
    }

    #[test]
    fn a_restart_leaves_the_window_after_exactly_one_period() {
        let mut window = Window::new(Limit::new(1, Duration::from_secs(1)));
        assert!(window.allows_one_more(at(0)));
        assert!(!window.clone().allows_one_more(at(999)));
        assert!(window.allows_one_more(at(1_000)));
    }

    #[test]
    fn zero_means_the_first_crash_ends_it() {
        assert!(!Window::new(Limit::new(0, Duration::from_secs(5))).allows_one_more(at(7)));
    }
}
