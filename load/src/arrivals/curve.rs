//! A rate over time, exactly: the area under it, and the instant at which the area reaches a number.
//!
//! Rates are whole numbers over one common denominator, times are nanoseconds. An area is counted in halves of a
//! nano-request of that denominator, which makes the area under a straight line whole, too. With the limits of a scenario
//! (100,000 requests per second, a day, denominators below 2^15) every product stays below 2^127.

use std::time::Duration;

use super::{Burst, HOURS, Shape};

const NANOS: u128 = 1_000_000_000;
/// What the factor of a burst is counted in.
const THOUSAND: u32 = 1_000;

/// A rate over time.
#[derive(Clone, Debug)]
pub struct Curve {
    /// What rates are divided by.
    denominator: u64,
    pieces: Vec<Piece>,
}

/// A straight part of a curve.
#[derive(Clone, Copy, Debug)]
struct Piece {
    /// In ns from the start of the run.
    start: u64,
    /// In ns.
    length: u64,
    /// The rates at its start and its end, times the denominator.
    rates: (u64, u64),
}

impl Curve {
    /// Always the same rate, in requests per second.
    pub fn constant(rate: u32, seconds: u32) -> Self {
        Self::line((rate, rate), seconds)
    }

    fn line((from, to): (u32, u32), seconds: u32) -> Self {
        Self {
            denominator: 1,
            pieces: vec![Piece {
                start: 0,
                length: nanos_of(seconds),
                rates: (from.into(), to.into()),
            }],
        }
    }

    /// The curve of a run at this rate (requests per second) for so many seconds.
    pub fn new(shape: &Shape, rate: u32, seconds: u32) -> Self {
        match shape {
            Shape::Constant => Self::constant(rate, seconds),
            Shape::Ramp { from, to } => Self::line((*from, *to), seconds),
            Shape::Diurnal(weights) => Self::diurnal(weights, rate.into(), nanos_of(seconds)),
            Shape::Burst(bursts) => Self::bursts(bursts, rate.into(), nanos_of(seconds)),
        }
    }

    fn diurnal(weights: &[u32; HOURS], rate: u64, length: u64) -> Self {
        let hours = weights.len().try_into().unwrap_or(u64::MAX);
        let edge = |hour: u64| {
            let edge = u128::from(length) * u128::from(hour) / u128::from(hours);
            u64::try_from(edge).unwrap_or(u64::MAX)
        };
        let pieces = (0..).zip(weights).map(|(hour, weight)| {
            let rate = rate * hours * u64::from(*weight);
            Piece {
                start: edge(hour),
                length: edge(hour + 1) - edge(hour),
                rates: (rate, rate),
            }
        });
        Self {
            denominator: weights.iter().copied().map(u64::from).sum::<u64>().max(1),
            pieces: pieces.collect(),
        }
    }

    /// `bursts` follow one another without overlapping; what lies beyond the end of the run is left out.
    fn bursts(bursts: &[Burst], rate: u64, length: u64) -> Self {
        let nanos = |time: Duration| {
            let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
            nanos.min(length)
        };
        let mut pieces = Vec::new();
        let mut add = |start, end, thousandths: u32| {
            let rate = rate * u64::from(thousandths);
            pieces.push(Piece {
                start,
                length: end - start,
                rates: (rate, rate),
            });
        };
        let mut reached = 0;
        for burst in bursts {
            let start = nanos(burst.at).max(reached);
            let end = nanos(burst.at.saturating_add(burst.length)).max(start);
            add(reached, start, THOUSAND);
            add(start, end, burst.factor_thousandths);
            reached = end;
        }
        add(reached, length, THOUSAND);
        Self {
            denominator: u64::from(THOUSAND),
            pieces,
        }
    }

    /// What one request is, as an area.
    pub(super) fn request(&self) -> u128 {
        2 * NANOS * u128::from(self.denominator)
    }

    /// The whole area.
    pub(super) fn area(&self) -> u128 {
        self.pieces.iter().map(Piece::area).sum()
    }

    /// How many evenly spaced requests it holds: the first leaves at its start, none at its end.
    pub fn count(&self) -> u64 {
        let count = self.area().div_ceil(self.request());
        u64::try_from(count).unwrap_or(u64::MAX)
    }

    /// The last nanosecond at which the area is at most `reached`, which does not shrink from call to call at a `place`;
    /// `None` beyond the end of the curve.
    pub(super) fn instant(&self, place: &mut Place, reached: u128) -> Option<u64> {
        loop {
            let piece = self.pieces.get(place.piece)?;
            if reached < place.passed + piece.area() {
                return Some(piece.start + piece.instant(reached - place.passed));
            }
            place.passed += piece.area();
            place.piece += 1;
        }
    }
}

/// How far a curve has been read: the pieces left behind, and their area.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    piece: usize,
    passed: u128,
}

fn nanos_of(seconds: u32) -> u64 {
    u64::from(seconds) * 1_000_000_000
}

impl Piece {
    fn area(&self) -> u128 {
        u128::from(self.rates.0 + self.rates.1) * u128::from(self.length)
    }

    /// The last nanosecond of this piece at which the area is at most `area`.
    fn instant(&self, area: u128) -> u64 {
        if self.rates.0 == self.rates.1 {
            let at = area / (2 * u128::from(self.rates.0)).max(1);
            return u64::try_from(at).unwrap_or(self.length).min(self.length);
        }
        // A straight line: its area grows, so the instant is found by halving, 47 times for a day.
        let (mut low, mut high) = (0, self.length);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if self.is_within(middle, area) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        low
    }

    /// Whether the area up to `at` is at most `area`. Both sides are multiplied by the length, so that nothing is rounded.
    fn is_within(&self, at: u64, area: u128) -> bool {
        let (at, length) = (u128::from(at), u128::from(self.length));
        let (from, to) = (u128::from(self.rates.0), u128::from(self.rates.1));
        // 2·from·at + (to − from)·at²/length, written without a difference that could be negative.
        from * at * (2 * length - at) + to * at * at <= area * length
    }
}
