//! When the faults of a scenario strike: a list of instants, and a walk along it.

use std::time::Duration;

use crate::clock::Origin;
use crate::scenario::Injection;

/// One strike of one fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Strike {
    /// From the run's first request.
    pub at: Duration,
    /// The fault, by its place in the scenario.
    pub place: usize,
    /// Which of its repetitions, from 0.
    pub repetition: u32,
}

/// Every strike before `end`, in order.
pub fn strikes(injections: &[Injection], end: Duration) -> Vec<Strike> {
    let mut strikes: Vec<Strike> = Vec::new();
    for (place, injection) in injections.iter().enumerate() {
        for repetition in 0..injection.repeat {
            let at = injection.at + injection.every * repetition;
            if at >= end {
                break;
            }
            strikes.push(Strike {
                at,
                place,
                repetition,
            });
        }
    }
    strikes.sort_unstable();
    strikes
}

/// Calls `strike` with each at its instant. A strike that takes long must be a task of its own.
pub async fn walk(origin: Origin, strikes: Vec<Strike>, mut strike: impl FnMut(Strike)) {
    for next in strikes {
        origin.sleep_until(next.at).await;
        strike(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Act;

    fn injection(at_ms: u64, repeat: u32, every_ms: u64) -> Injection {
        Injection {
            at: Duration::from_millis(at_ms),
            repeat,
            every: Duration::from_millis(every_ms),
            act: Act::KillChild("regions/sg".to_owned()),
        }
    }

    fn instants(strikes: &[Strike]) -> Vec<(u64, usize)> {
        let millis = |strike: &Strike| u64::try_from(strike.at.as_millis()).unwrap();
        strikes
            .iter()
            .map(|each| (millis(each), each.place))
            .collect()
    }

    #[test]
    fn strikes_come_in_order_and_none_after_the_end() {
        let injections = [injection(2_000, 5, 1_000), injection(2_500, 1, 0)];
        let strikes = strikes(&injections, Duration::from_millis(4_500));
        assert_eq!(
            instants(&strikes),
            [(2_000, 0), (2_500, 1), (3_000, 0), (4_000, 0)]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn each_strikes_at_its_instant() {
        let origin = Origin::now();
        let strikes = strikes(&[injection(1_500, 3, 700)], Duration::from_mins(1));
        let mut seen = Vec::new();
        walk(origin, strikes.clone(), |strike| {
            seen.push((strike, origin.elapsed()));
        })
        .await;
        assert_eq!(seen.len(), 3);
        for (strike, at) in seen {
            assert!(
                at >= strike.at && at < strike.at + Duration::from_millis(5),
                "{strike:?} at {at:?}"
            );
        }
    }
}
