//! The instants of a run, one after the other.

use std::sync::Arc;
use std::time::Duration;

use super::curve::{Curve, Place};
use super::{Arrivals, Spacing};
use crate::rng::{Purpose, Rng};

/// Instants, from the start of the run, in order. The same arrivals and seed give the same ones.
#[derive(Clone, Debug)]
pub struct Schedule(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Shaped(Shaped),
    Recorded {
        instants: Arc<[Duration]>,
        next: usize,
        speed_percent: u32,
        end: Duration,
    },
}

#[derive(Clone, Debug)]
struct Shaped {
    curve: Curve,
    place: Place,
    /// The area at which the next request leaves.
    reached: u128,
    /// Where gaps are drawn from; without it all are alike.
    rng: Option<Rng>,
}

impl Schedule {
    /// At one rate, in requests per second.
    pub fn constant(rate: u32, seconds: u32) -> Self {
        Self::even(Curve::constant(rate, seconds))
    }

    fn even(curve: Curve) -> Self {
        Self(Kind::Shaped(Shaped {
            curve,
            place: Place::default(),
            reached: 0,
            rng: None,
        }))
    }

    /// Of a run at this rate (requests per second) for so many seconds. `recorded` are the instants of a recording, for
    /// arrivals that are replayed; they end with the run.
    pub fn new(
        arrivals: &Arrivals,
        (rate, seconds): (u32, u32),
        seed: u64,
        recorded: &Arc<[Duration]>,
    ) -> Self {
        match arrivals {
            Arrivals::Replayed { speed_percent } => Self(Kind::Recorded {
                instants: Arc::clone(recorded),
                next: 0,
                speed_percent: *speed_percent,
                end: Duration::from_secs(seconds.into()),
            }),
            Arrivals::Shaped(shape, Spacing::Even) => Self::even(Curve::new(shape, rate, seconds)),
            Arrivals::Shaped(shape, Spacing::Random) => {
                let mut shaped = Shaped {
                    curve: Curve::new(shape, rate, seconds),
                    place: Place::default(),
                    reached: 0,
                    rng: Some(Rng::of(seed, Purpose::Arrivals, 0)),
                };
                // The first one is as random as the others.
                shaped.advance();
                Self(Kind::Shaped(shaped))
            }
        }
    }

    /// How many instants are still to come; where they are drawn, how many on average.
    pub fn expected(&self) -> u64 {
        match &self.0 {
            Kind::Shaped(shaped) => shaped.curve.count(),
            Kind::Recorded { .. } => self.clone().map(|_| 1).sum(),
        }
    }
}

impl Shaped {
    fn advance(&mut self) {
        let request = self.curve.request();
        self.reached += match &mut self.rng {
            None => request,
            Some(rng) => gap(request, rng),
        };
    }
}

/// The area to the next arrival of a Poisson process: exponentially distributed around that of one request.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "below 2^53, not negative, and a random gap needs no more digits"
)]
fn gap(request: u128, rng: &mut Rng) -> u128 {
    (-(1.0 - rng.unit()).ln() * request as f64) as u128
}

impl Iterator for Schedule {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        match &mut self.0 {
            Kind::Shaped(shaped) => {
                let at = shaped.curve.instant(&mut shaped.place, shaped.reached)?;
                shaped.advance();
                Some(Duration::from_nanos(at))
            }
            Kind::Recorded {
                instants,
                next,
                speed_percent,
                end,
            } => {
                let recorded = instants.get(*next)?;
                *next += 1;
                let nanos = recorded.as_nanos() * 100 / u128::from(*speed_percent).max(1);
                let at = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
                (at < *end).then_some(at)
            }
        }
    }
}
