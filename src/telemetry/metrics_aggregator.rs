//! The metrics aggregator: takes what happens in the tree, and folds what data threads count, once a second.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::meters::Meters;
use crate::supervision::{
    Context, Failure, Observation, Observations, Plane, Post, Spec, What, task,
};

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
}

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
    use super::*;
    use crate::supervision::Exit;

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
}
