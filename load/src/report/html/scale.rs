//! From values to places on an axis, and the round numbers that label it.

/// An axis.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scale {
    /// From nothing to this.
    Linear(f64),
    /// From the first to the second, by orders of magnitude.
    Log(f64, f64),
}

/// Labels that fit beside each other.
const TICKS: f64 = 5.0;

impl Scale {
    /// From nothing to a round number that holds `max`.
    pub(super) fn linear(max: f64) -> Self {
        if max <= 0.0 || !max.is_finite() {
            return Self::Linear(1.0);
        }
        let step = step(max / TICKS);
        Self::Linear((max / step).ceil() * step)
    }

    /// Whole orders of magnitude around these.
    pub(super) fn log(min: f64, max: f64) -> Self {
        let low = 10_f64.powf(min.max(1e-3).log10().floor());
        let high = 10_f64.powf(max.max(low * 10.0).log10().ceil());
        Self::Log(low, high)
    }

    /// Where a value is: 0 at the lower end, 1 at the upper one.
    pub(super) fn place(self, value: f64) -> f64 {
        let place = match self {
            Self::Linear(max) => value / max,
            Self::Log(low, high) => (value.max(low) / low).log10() / (high / low).log10(),
        };
        place.clamp(0.0, 1.0)
    }

    /// The values that are labelled.
    pub(super) fn ticks(self) -> Vec<f64> {
        let mut ticks = Vec::new();
        match self {
            Self::Linear(max) => {
                let step = step(max / TICKS);
                let mut count = 0.0;
                while count * step <= max * 1.000_001 {
                    ticks.push(count * step);
                    count += 1.0;
                }
            }
            Self::Log(low, high) => {
                let mut tick = low;
                while tick <= high * 1.000_001 {
                    ticks.push(tick);
                    tick *= 10.0;
                }
            }
        }
        ticks
    }
}

/// The round number (1, 2 or 5 of an order of magnitude) that is at least this.
pub(super) fn step(least: f64) -> f64 {
    let magnitude = 10_f64.powf(least.max(1e-9).log10().floor());
    let factors = [1.0, 2.0, 5.0, 10.0];
    let factor = factors
        .into_iter()
        .find(|factor| factor * magnitude >= least * 0.999_999);
    factor.unwrap_or(10.0) * magnitude
}

/// A number with as many digits as a label needs.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    if size >= 10_000.0 {
        let thousands = format!("{:.1}", value / 1_000.0);
        format!("{}k", thousands.trim_end_matches(".0"))
    } else if size >= 100.0 || value.fract().abs() < 1e-9 {
        format!("{value:.0}")
    } else if size >= 1.0 {
        format!("{value:.1}")
    } else {
        let text = format!("{value:.3}");
        text.trim_end_matches('0').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers_that_hold_everything() {
        for max in [0.3, 1.0, 7.0, 99.0, 1_234.0, 60_001.0] {
            let Scale::Linear(end) = Scale::linear(max) else {
                panic!("linear");
            };
            assert!(end >= max && end <= max * 1.5, "{max}: {end}");
            let ticks = Scale::linear(max).ticks();
            assert!((4..=7).contains(&ticks.len()), "{max}: {ticks:?}");
            assert!((ticks.last().unwrap() - end).abs() < end * 1e-6);
        }
    }

    #[test]
    fn orders_of_magnitude_are_equally_far_apart() {
        let scale = Scale::log(0.4, 900.0);
        assert_eq!(scale.ticks().len(), 5);
        assert!((scale.place(1.0) - 0.25).abs() < 1e-9);
        assert!(scale.place(0.0).abs() < 1e-9);
    }

    #[test]
    fn labels_are_short() {
        let shown: Vec<String> = [0.0, 0.25, 2.5, 20.0, 1_500.0, 12_500.0, 60_000.0]
            .map(number)
            .to_vec();
        assert_eq!(shown, ["0", "0.25", "2.5", "20", "1500", "12.5k", "60k"]);
    }
}
