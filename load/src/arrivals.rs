//! When requests leave: curves of the rate over a run, as instants in whole nanoseconds.
//!
//! Request n leaves when the area under the curve reaches n, so instants follow from the curve alone and nothing drifts:
//! neither an earlier instant that was rounded nor an answer that came late moves a later one.

mod curve;
mod schedule;

use std::time::Duration;

pub use curve::Curve;
pub use schedule::Schedule;

/// When requests leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrivals {
    /// As often as this curve says.
    Shaped(Shape, Spacing),
    /// Each recorded request once, at the instant that was recorded with it.
    Replayed {
        /// How many times faster than recorded, in hundredths.
        speed_percent: u32,
    },
}

/// How the rate changes over a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Not at all.
    Constant,
    /// From one rate to another, in requests per second, in a straight line.
    Ramp {
        /// At the start.
        from: u32,
        /// At the end.
        to: u32,
    },
    /// A day within the run: what each hour weighs. The mean is the scenario's rate.
    Diurnal([u32; HOURS]),
    /// The scenario's rate, and for a while a multiple of it.
    Burst(Vec<Burst>),
}

/// Hours of a day.
pub const HOURS: usize = 24;

/// A while in which the rate is a multiple of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Burst {
    /// From the start of the run.
    pub at: Duration,
    /// For how long.
    pub length: Duration,
    /// The multiple, in thousandths.
    pub factor_thousandths: u32,
}

/// How requests lie within the curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spacing {
    /// Each as far from the next as the rate says.
    Even,
    /// Independent of each other, as people are (a Poisson process).
    Random,
}

#[cfg(test)]
mod tests;
