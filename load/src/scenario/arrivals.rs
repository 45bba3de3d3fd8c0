//! `[arrivals]`: when requests leave.

use std::time::Duration;

use serde::Deserialize;

use super::validate::{Faults, RATE_MAX};
use crate::arrivals::{Arrivals, Burst, HOURS, Shape, Spacing};

/// Bursts of one run: a time line that people wrote.
const STEPS_MAX: usize = 1_000;
/// What an hour may weigh: the curve's arithmetic is exact up to this.
const WEIGHT_MAX: u32 = 1_000;
/// How much slower and faster than recorded a recording may be sent.
const SPEEDS: std::ops::RangeInclusive<f64> = 0.01..=1_000.0;

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Raw {
    Constant {
        #[serde(default)]
        spacing: RawSpacing,
    },
    Poisson {},
    Ramp {
        from: u32,
        to: u32,
        #[serde(default)]
        spacing: RawSpacing,
    },
    Diurnal {
        hours: Vec<u32>,
        #[serde(default)]
        spacing: RawSpacing,
    },
    Burst {
        steps: Vec<RawStep>,
        #[serde(default)]
        spacing: RawSpacing,
    },
    Replay {
        #[serde(default = "as_recorded")]
        speed: f64,
    },
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawSpacing {
    #[default]
    Even,
    Random,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStep {
    at_ms: u64,
    for_ms: u64,
    factor: f64,
}

const fn as_recorded() -> f64 {
    1.0
}

impl From<RawSpacing> for Spacing {
    fn from(raw: RawSpacing) -> Self {
        match raw {
            RawSpacing::Even => Self::Even,
            RawSpacing::Random => Self::Random,
        }
    }
}

/// Without a section, at a constant rate.
pub(super) fn arrivals(faults: &mut Faults, raw: Option<Raw>, rate: u32) -> Arrivals {
    let (shape, spacing) = match raw {
        None => (Shape::Constant, Spacing::Even),
        Some(Raw::Constant { spacing }) => (Shape::Constant, spacing.into()),
        Some(Raw::Poisson {}) => (Shape::Constant, Spacing::Random),
        Some(Raw::Ramp { from, to, spacing }) => (ramp(faults, from, to), spacing.into()),
        Some(Raw::Diurnal { hours, spacing }) => (diurnal(faults, &hours, rate), spacing.into()),
        Some(Raw::Burst { steps, spacing }) => (burst(faults, &steps, rate), spacing.into()),
        Some(Raw::Replay { speed }) => return replay(faults, speed),
    };
    Arrivals::Shaped(shape, spacing)
}

fn ramp(faults: &mut Faults, from: u32, to: u32) -> Shape {
    for (key, rate) in [("arrivals.from", from), ("arrivals.to", to)] {
        if rate > RATE_MAX {
            faults.add(key, rate, "requests per second, at most 100000");
        }
    }
    if from.max(to) == 0 {
        faults.add("arrivals.to", 0, "one of from and to is above 0");
    }
    Shape::Ramp { from, to }
}

fn diurnal(faults: &mut Faults, hours: &[u32], rate: u32) -> Shape {
    let key = "arrivals.hours";
    let weights: [u32; HOURS] = hours.try_into().unwrap_or_else(|_| {
        faults.add(key, hours.len(), "24 weights, one for each hour");
        [1; HOURS]
    });
    let top = weights.iter().copied().max().unwrap_or(0);
    let sum: u32 = weights.iter().map(|weight| (*weight).min(WEIGHT_MAX)).sum();
    if top == 0 || top > WEIGHT_MAX {
        faults.add(key, top, "weights from 0 to 1000, at least one above 0");
    } else if u64::from(rate) * 24 * u64::from(top) > u64::from(RATE_MAX) * u64::from(sum) {
        faults.add(key, top, "at this rate its hour needs over 100000/s");
    }
    Shape::Diurnal(weights)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked before"
)]
fn burst(faults: &mut Faults, steps: &[RawStep], rate: u32) -> Shape {
    let key = "arrivals.steps";
    if steps.is_empty() || steps.len() > STEPS_MAX {
        faults.add(key, steps.len(), "from 1 to 1000 steps");
    }
    let mut reached = 0;
    let mut bursts = Vec::new();
    for step in steps {
        if step.at_ms < reached {
            faults.add(key, step.at_ms, "steps come in order and do not overlap");
        }
        reached = step.at_ms.saturating_add(step.for_ms);
        let peak = f64::from(rate) * step.factor;
        if !(0.0..=f64::from(RATE_MAX)).contains(&peak) {
            let advice = "a factor from 0, with which the rate stays at most 100000/s";
            faults.add(key, step.factor, advice);
            continue;
        }
        bursts.push(Burst {
            at: Duration::from_millis(step.at_ms),
            length: Duration::from_millis(step.for_ms),
            factor_thousandths: (step.factor * 1e3).round() as u32,
        });
    }
    Shape::Burst(bursts)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked before"
)]
fn replay(faults: &mut Faults, speed: f64) -> Arrivals {
    if !SPEEDS.contains(&speed) {
        faults.add("arrivals.speed", speed, "from 0.01 to 1000");
    }
    Arrivals::Replayed {
        speed_percent: (speed * 100.0).round() as u32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Arrivals, Vec<String>> {
        let raw: Raw = toml::from_str(text).map_err(|fault| vec![fault.to_string()])?;
        let mut faults = Faults::default();
        let arrivals = arrivals(&mut faults, Some(raw), 1_000);
        if faults.0.is_empty() {
            Ok(arrivals)
        } else {
            Err(faults.0)
        }
    }

    #[test]
    fn every_kind_is_read() {
        let even = |shape| Ok(Arrivals::Shaped(shape, Spacing::Even));
        let random = |shape| Ok(Arrivals::Shaped(shape, Spacing::Random));
        assert_eq!(read("kind = \"constant\""), even(Shape::Constant));
        assert_eq!(read("kind = \"poisson\""), random(Shape::Constant));
        let ramp = Shape::Ramp { from: 0, to: 9 };
        let text = "kind = \"ramp\"\nfrom = 0\nto = 9\nspacing = \"random\"";
        assert_eq!(read(text), random(ramp));
        let hours = format!("kind = \"diurnal\"\nhours = {:?}", [3; HOURS]);
        assert_eq!(read(&hours), even(Shape::Diurnal([3; HOURS])));
        let step = "kind = \"burst\"\nsteps = [{ at_ms = 5000, for_ms = 10000, factor = 2.5 }]";
        let burst = Burst {
            at: Duration::from_secs(5),
            length: Duration::from_secs(10),
            factor_thousandths: 2_500,
        };
        assert_eq!(read(step), even(Shape::Burst(vec![burst])));
        let replay = Arrivals::Replayed { speed_percent: 150 };
        assert_eq!(read("kind = \"replay\"\nspeed = 1.5"), Ok(replay));
        let none = arrivals(&mut Faults::default(), None, 1_000);
        assert_eq!(Ok(none), even(Shape::Constant));
    }

    #[test]
    fn what_cannot_be_sent_is_refused_by_key() {
        for (text, part) in [
            ("kind = \"sometimes\"", "sometimes"),
            ("kind = \"constant\"\nfrom = 3", "from"),
            ("kind = \"ramp\"\nfrom = 0\nto = 0", "arrivals.to"),
            ("kind = \"ramp\"\nfrom = 1\nto = 100001", "arrivals.to"),
            ("kind = \"diurnal\"\nhours = [1, 2]", "24 weights"),
            ("kind = \"burst\"\nsteps = []", "1 to 1000"),
            (
                "kind = \"burst\"\nsteps = [{ at_ms = 0, for_ms = 9, factor = 200.0 }]",
                "factor",
            ),
            (
                "kind = \"burst\"\nsteps = [{ at_ms = 0, for_ms = 9, factor = 1.0 }, { at_ms = 8, for_ms = 1, factor = 1.0 }]",
                "overlap",
            ),
            ("kind = \"replay\"\nspeed = 0.0", "arrivals.speed"),
        ] {
            let faults = read(text).unwrap_err().join(" ");
            assert!(faults.contains(part), "{part} in {faults}");
        }
    }
}
