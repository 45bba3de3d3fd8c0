//! Durations of one row, and what is said of them: every sample is kept and sorted, so percentiles are exact.

use std::time::Duration;

#[derive(Default)]
pub(crate) struct Samples(Vec<u64>);

/// What is said of a row, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) mean: f64,
    pub(crate) count: usize,
}

impl Samples {
    pub(crate) fn push(&mut self, took: Duration) {
        self.0
            .push(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    pub(crate) fn figures(mut self) -> Figures {
        self.0.sort_unstable();
        let count = self.0.len();
        let at = |per_cent: usize| {
            let place = (count * per_cent / 100).min(count.saturating_sub(1));
            self.0.get(place).map_or(0.0, |&nanos| float(nanos))
        };
        let sum: f64 = self.0.iter().map(|&nanos| float(nanos)).sum();
        Figures {
            p50: at(50),
            p99: at(99),
            mean: sum / float(count.max(1) as u64),
            count,
        }
    }
}

impl Figures {
    /// A figure that was measured once, as a whole.
    pub(crate) fn single(value: f64) -> Self {
        Self {
            p50: value,
            p99: value,
            mean: value,
            count: 1,
        }
    }
}

/// The nearest float. What is measured here stays far below 2^52.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
pub(crate) fn float(whole: u64) -> f64 {
    whole as f64
}
