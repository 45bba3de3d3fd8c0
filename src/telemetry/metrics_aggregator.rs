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
    loop {
        let (batch, lost) = tokio::select! {
            biased;
            _ = context.stopped() => return Ok(()),
            _ = ticks.tick() => {
                if folds {
                    parts.meters.fold(context.clock().monotonic());
                }
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
                tell(&seen);
                // A log that is full or down loses the line, never the tree's time.
                drop(parts.event_log.cast(seen));
            }
        }
    }
}

/// The operator's log: what went wrong, and what came back.
fn tell(seen: &Observation) {
    let path = &*seen.path;
    match &seen.what {
        What::Exited { asked: false, .. } | What::StartFailed(_) => {
            tracing::warn!(path, "{}", seen.what);
        }
        What::Degraded | What::SetAside | What::Fenced | What::OverLimit(_) => {
            tracing::error!(path, "{}", seen.what);
        }
        What::OnProbation | What::Recovered => tracing::info!(path, "{}", seen.what),
        _ => tracing::debug!(path, "{}", seen.what),
    }
}
