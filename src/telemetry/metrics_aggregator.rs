//! The metrics aggregator: takes what happens in the tree, and folds what data threads count, once a second.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::meters::Meters;
use crate::supervision::{
    Context, Failure, Observation, Observations, Plane, Post, Spec, What, task,
};
use crate::units::UnixMillis;

/// Scrapers come every few seconds; a page that is a second old serves them.
const FOLD_EVERY: Duration = Duration::from_secs(1);

/// Lines about the tree in the operator's log between two folds: a crash storm says no more in a thousand lines than in
/// fifty. All of it is counted, and in the event log.
const LINES_MAX: u32 = 50;

/// What the aggregator and its stand-in are given.
#[derive(Clone)]
pub struct AggregatorParts {
    /// What is measured.
    pub meters: Arc<Meters>,
    /// What happens in the tree.
    pub observations: Arc<Observations>,
    /// Where it is written down.
    pub event_log: Post<Observation>,
    /// How many days old the rates of exchange are at a time, if that is more than they may be.
    pub days_if_rates_are_old: DaysIfOld,
}

/// How many days old something is at a time, if that is more than it may be.
pub type DaysIfOld = Arc<dyn Fn(UnixMillis) -> Option<i32> + Send + Sync>;

/// The aggregator as a child.
pub fn metrics_aggregator(parts: &AggregatorParts) -> Spec {
    aggregate("metrics_aggregator", parts, true)
}

/// What stands in for telemetry that went over its limit: it keeps the alerts true and lets everything else go.
pub fn null_sink(parts: &AggregatorParts) -> Spec {
    aggregate("null_sink", parts, false)
}

fn aggregate(id: &str, parts: &AggregatorParts, folds: bool) -> Spec {
    let parts = parts.clone();
    task(id, Plane::Control, move |context| {
        let parts = parts.clone();
        async move { run(&parts, folds, &context).await }
    })
}

async fn run(parts: &AggregatorParts, folds: bool, context: &Context) -> Result<(), Failure> {
    let mut ticks = interval(FOLD_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    context.ready();
    let mut lines: u32 = 0;
    loop {
        let (batch, lost) = tokio::select! {
            biased;
            _ = context.stopped() => return Ok(()),
            _ = ticks.tick() => {
                look_at_rates(parts, context.clock().wall());
                if folds {
                    parts.meters.fold(context.clock().monotonic());
                }
                let untold = lines.saturating_sub(LINES_MAX);
                if untold > 0 {
                    tracing::warn!(events = untold, "more happened in the tree; it is counted, and in the event log");
                }
                lines = 0;
                continue;
            }
            seen = parts.observations.next() => seen,
        };
        if lost > 0 {
            parts.meters.lost(lost);
        }
        for seen in batch {
            parts.meters.note(&seen, context.clock().monotonic());
            if folds {
                lines = lines.saturating_add(u32::from(is_told(&seen.what)));
                if lines <= LINES_MAX {
                    tell(&seen);
                }
                // A log that is full or down loses the line, never the tree's time.
                drop(parts.event_log.cast(seen));
            }
        }
    }
}

/// Rates age while the server runs, and nothing happens in the tree by that.
fn look_at_rates(parts: &AggregatorParts, now: UnixMillis) {
    let days = (parts.days_if_rates_are_old)(now);
    if parts.meters.note_rates(days, now) {
        tracing::warn!(days, "the rates of exchange are older than rates.max_age");
    }
}

/// Whether the operator's log has a line about it, unless it is asked for everything.
fn is_told(what: &What) -> bool {
    !matches!(
        what,
        What::Started { .. }
            | What::Restarting
            | What::Probing
            | What::Ignored
            | What::Exited { asked: true, .. }
    )
}

/// The operator's log: what went wrong, and what came back.
fn tell(seen: &Observation) {
    let path = &*seen.path;
    match &seen.what {
        What::Exited { asked: false, .. } | What::StartFailed(_) => {
            tracing::warn!(path, "{}", seen.what);
        }
        What::Degraded | What::SetAside | What::Fenced | What::Deaf | What::OverLimit(_) => {
            tracing::error!(path, "{}", seen.what);
        }
        What::OnProbation | What::Recovered | What::HearsAgain => {
            tracing::info!(path, "{}", seen.what);
        }
        _ => tracing::debug!(path, "{}", seen.what),
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Handle;

    use super::*;
    use crate::clock::Clock;
    use crate::supervision::{Exit, Limit, Planes, Strategy, Supervisor, Tree};
    use crate::telemetry::RequestCounters;

    #[test]
    fn the_operators_log_tells_of_ends_that_nobody_asked_for_and_not_of_every_start() {
        let ended = |asked| What::Exited {
            exit: Exit::Killed,
            uptime: Duration::ZERO,
            asked,
        };
        assert!(is_told(&ended(false)) && is_told(&What::Degraded));
        assert!(!is_told(&ended(true)) && !is_told(&What::Restarting));
    }

    #[tokio::test(start_paused = true)]
    async fn rates_that_grow_old_while_the_server_runs_are_an_alert_until_the_clock_says_otherwise()
    {
        let noon = UnixMillis::new(1_763_672_400_000);
        for stand_in in [false, true] {
            let (clock, hands) = Clock::manual(noon);
            let tree = Tree::new(Planes::single(Handle::current()), clock);
            let old_from = noon.get() + 86_400_000;
            let requests = RequestCounters::new(["adx"], Vec::new(), 1);
            let parts = AggregatorParts {
                meters: Arc::new(Meters::new(Arc::new(requests), Vec::new())),
                observations: Arc::clone(tree.observations()),
                event_log: Post::new(),
                days_if_rates_are_old: Arc::new(move |now| (now.get() >= old_from).then_some(31)),
            };
            let child = if stand_in {
                null_sink(&parts)
            } else {
                metrics_aggregator(&parts)
            };
            let limit = Limit::new(0, Duration::from_secs(1));
            let root = Supervisor::new(Strategy::OneForOne, limit).child(child);
            tree.start(root).await.unwrap();
            let alerts = async || {
                tokio::time::sleep(2 * FOLD_EVERY).await;
                parts.meters.alerts()
            };
            assert_eq!(alerts().await, "[]\n", "a day before");
            hands.advance(Duration::from_hours(24));
            let alert = alerts().await;
            assert!(alert.contains("\"alert\":\"old_rates\""), "{alert}");
            assert!(alert.contains("31 days old"), "{alert}");
            let since = format!("\"since_ms\":{old_from}");
            assert!(alert.contains(&since), "{alert}");
            hands.advance(Duration::from_hours(1));
            assert!(alerts().await.contains(&since), "it began when it began");
            hands.jump_wall(noon);
            assert_eq!(alerts().await, "[]\n", "the wall clock was wrong");
            tree.stop().await;
        }
    }
}
