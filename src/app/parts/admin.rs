//! Administration: what its pages read, and what its levers belong to.

use std::sync::Arc;

use super::{CampaignParts, ExchangeParts, Ground, TelemetryParts};
use crate::admin::admin_listener::AdminParts;
use crate::admin::approvals_page::ApprovalPageParts;
use crate::admin::explain_page::{ExplainParts, Explained};
use crate::config::Review;
use crate::exchange::explain::{Explainer, Names};
use crate::http::ListeningSocket;
use crate::supervision::Post;
use crate::units::SegmentKey;

/// What administration is given.
pub(super) fn build(
    ground: &Ground,
    exchanges: &[ExchangeParts],
    (socket, campaigns, telemetry): (Arc<ListeningSocket>, &CampaignParts, &TelemetryParts),
) -> AdminParts {
    let (page, board) = (
        Arc::clone(&telemetry.aggregator.meters),
        Arc::clone(&telemetry.aggregator.meters),
    );
    let stages: Vec<_> = exchanges
        .iter()
        .map(|exchange| {
            (
                exchange.pool.name.to_string(),
                exchange.pool.engine.clone(),
                exchange.pool.serializer.clone(),
            )
        })
        .collect();
    let readiness = move || {
        let up = stages
            .iter()
            .map(|(name, engine, serializer)| (name.clone(), engine.is_up() && serializer.is_up()));
        up.collect()
    };
    AdminParts {
        socket,
        tree: ground.tree.clone(),
        clock: ground.clock.clone(),
        metrics: Arc::new(move || page.render()),
        alerts: Arc::new(move || board.alerts()),
        journal: ground.journal.clone(),
        shelf: Arc::clone(&ground.shelf),
        roster: campaigns.roster.address.clone(),
        readiness: Arc::new(readiness),
        stop_all: ground.stop_all.clone(),
        chaos: ground.settings.admin.chaos,
        fail_points: ground.fail_points.clone(),
        explain: explain_parts(ground, exchanges),
        approvals: approval_parts(ground),
    }
}

/// Every exchange, to be explained.
fn explain_parts(ground: &Ground, exchanges: &[ExchangeParts]) -> ExplainParts {
    let regions = ground.settings.regions.iter();
    let segments = ground.settings.segments.iter();
    let names = Names {
        regions: regions
            .map(|region| (region.key, Arc::clone(&region.name)))
            .collect(),
        own_segments: segments
            .map(|list| (SegmentKey::own(&list.name), Arc::clone(&list.name)))
            .collect(),
    };
    let all = exchanges.iter().map(|exchange| Explained {
        exchange: Arc::clone(&exchange.pool.name),
        body_bytes_max: exchange.pool.limits.body_bytes,
        explainer: Explainer::new(&exchange.engine, names.clone()),
    });
    ExplainParts {
        post: Post::new(),
        exchanges: all.collect(),
        clock: ground.clock.clone(),
        fail_point: ground.fail_points.point("admin/explainer"),
    }
}

fn approval_parts(ground: &Ground) -> ApprovalPageParts {
    let exchanges = ground.settings.exchanges.iter();
    let exchanges = exchanges.map(|it| (Arc::clone(&it.name), it.key, it.review == Review::First));
    ApprovalPageParts {
        desk: ground.approvals.clone(),
        shelf: Arc::clone(&ground.shelf),
        exchanges: exchanges.collect(),
    }
}
