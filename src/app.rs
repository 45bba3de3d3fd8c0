//! The tree, on one page: every child in start order, its strategy, its limit, what happens over it, and why.
//!
//! Children start in this order, each when the one before it is up, and stop in reverse. Over its limit (configured) a
//! supervisor without a fallback ends, which its own supervisor counts; only the root's ends the process (exit 70).

mod greeting;
mod meters;
mod parts;
pub mod secrets;
mod serve;

pub use parts::{ExchangeParts, Parts, PartsError, RegionParts};
pub use serve::{Ended, serve};

use crate::admin::{admin_listener::admin_listener, explain_page::explainer};
use crate::campaign::{approvals, catalogue, click_rates, roster, stock};
use crate::exchange::connection_pool::{connection_pool, degraded_pool};
use crate::exchange::{bid_engine::bid_engine, serializer::serializer, stop_all::stop_all};
use crate::http::{data_thread, listener};
use crate::notice::notice_listener::{notice_listener, unavailable_listener};
use crate::notice::settlement_server::settlement;
use crate::region::{frequency_server::frequency, ledger_server::ledger, pacer_server::pacer};
use crate::store::{checkpoint_server::checkpoint, journal_server::journal};
use crate::supervision::Strategy::{OneForAll, OneForOne, RestForOne};
use crate::supervision::{Spec, Supervisor, stage};
use crate::telemetry::{event_log, metrics_aggregator, null_sink, trace_exporter};

/// The whole tree.
pub fn tree(parts: &Parts) -> Supervisor {
    Supervisor::new(OneForOne, parts.settings.server.restart_limit)
        .child(telemetry(parts))
        .child(store(parts))
        .child(campaigns(parts))
        .child(learning(parts))
        .child(regions(parts))
        .child(data_threads(parts))
        .child(exchanges(parts))
        .child(notices(parts))
        .child(admin(parts))
        .child(listeners(parts))
}

/// First up, so that it sees everything else start. Its children share nothing: `one_for_one`.
/// Over its limit: the null sink, which keeps the alerts true and lets the rest go. Bidding does not notice.
fn telemetry(parts: &Parts) -> Spec {
    let (settings, tap) = (&parts.settings.telemetry, &parts.telemetry);
    Supervisor::new(OneForOne, settings.restart_limit)
        .child(event_log(&tap.aggregator.event_log, &tap.events_at))
        .child(trace_exporter(&tap.traces, &tap.traces_at))
        .child(metrics_aggregator(&tap.aggregator))
        .named("telemetry")
        .fallback(null_sink(&tap.aggregator), settings.probation)
}

/// The journal's writer is the one owner of the books; the checkpoint's file is open once at a time, so it goes down with
/// the journal: `rest_for_one`. Over the limit: ends, and the root counts. Meanwhile money fails closed.
fn store(parts: &Parts) -> Spec {
    let (store, at, point) = (&parts.store, &parts.store.folder, &parts.store.fail_point);
    Supervisor::new(RestForOne, parts.settings.store.restart_limit)
        .child(journal(&store.journal, &store.checkpoints, (at, point)))
        .child(checkpoint(&store.checkpoints, &store.journal, at))
        .named("store")
}

/// The roster fills pools from the catalogue and closes the leases of campaigns that left; the stock reads for it:
/// `rest_for_one`. The pool sets aside a campaign that keeps crashing. Over the limit: ends, and the root counts.
fn campaigns(parts: &Parts) -> Spec {
    let (settings, parts) = (&parts.settings.campaigns, &parts.campaigns);
    let pool = Supervisor::dynamic(settings.restart_limit, settings.max_live);
    Supervisor::new(RestForOne, settings.restart_limit)
        .child(catalogue(&parts.catalogue, &parts.roster.shelf))
        .child(pool.named_at("pool", &parts.roster.pool))
        .child(stock(&parts.roster.stock))
        .child(roster(&parts.roster))
        .named("campaigns")
}

/// What losses and clicks teach; nobody waits for it: `one_for_one`. Over the limit, as where a file stays damaged: what
/// was learnt last holds, and nothing more is learnt; an alert, and probation.
fn learning(parts: &Parts) -> Spec {
    let (settings, parts) = (&parts.settings.campaigns, &parts.campaigns);
    Supervisor::new(OneForOne, settings.restart_limit)
        .child(approvals(&parts.approvals))
        .child(click_rates(&parts.click_rates))
        .named("learning")
        .fallback(stage("idle", &parts.idle, || Ok(())), settings.probation)
}

/// Regions share nothing: `one_for_one`. This limit counts regions that could not even be closed. Over it: ends.
fn regions(parts: &Parts) -> Spec {
    siblings(parts, "regions", parts.regions.iter().map(region))
}

/// Pacing and caps computed from a ledger that is gone are wrong: `one_for_all`. Over its limit: closed (no bids, the
/// reason is counted), an alert, and probation.
fn region(parts: &RegionParts) -> Spec {
    Supervisor::new(OneForAll, parts.restart_limit)
        .child(ledger(&parts.ledger))
        .child(pacer(&parts.pacer))
        .child(frequency(&parts.frequency))
        .named(&parts.name)
        .fallback(stage("closed", &parts.closed, || Ok(())), parts.probation)
}

/// One runtime each. Up before the exchanges and down after them, since connections end on the thread they live on. A
/// thread that ends takes its connections with it, and no others: `one_for_one`. Over the limit: ends, the root counts.
fn data_threads(parts: &Parts) -> Spec {
    let one = |number| data_thread(number, &parts.threads, parts.late_max);
    siblings(parts, "data_threads", (0..parts.threads.count()).map(one))
}

/// Exchanges share nothing: `one_for_one`. This limit counts those that could not even be degraded. Over it: ends.
fn exchanges(parts: &Parts) -> Spec {
    siblings(parts, "exchanges", parts.exchanges.iter().map(exchange))
}

/// Each needs the ones after it to answer, and they hold nothing of it: `rest_for_one`. An engine's crash keeps the
/// connections. Over its limit (5 in 10 s unless set): degraded (204 to everything), an alert, probation.
fn exchange(parts: &ExchangeParts) -> Spec {
    Supervisor::new(RestForOne, parts.restart_limit)
        .child(connection_pool(&parts.pool))
        .child(bid_engine(&parts.pool.engine, &parts.engine))
        .child(serializer(&parts.pool.serializer, &parts.serializer))
        .named(&parts.pool.name)
        .fallback(degraded_pool(&parts.pool), parts.probation)
}

/// The listener only asks settlement, which remembers nothing that the journal does not: `one_for_one`. Over its limit:
/// 503 to every notice, so that exchanges send them again; an alert, and probation.
fn notices(parts: &Parts) -> Spec {
    let (settings, parts) = (&parts.settings.notices, &parts.notices);
    Supervisor::new(OneForOne, settings.restart_limit)
        .child(settlement(&parts.settlement))
        .child(notice_listener(&parts.listener))
        .named("notices")
        .fallback(unavailable_listener(&parts.listener), settings.probation)
}

/// What explains bids, the pages, what follows the stop-all file: `one_for_one`. Over its limit: ends, and the root counts.
fn admin(parts: &Parts) -> Spec {
    Supervisor::new(OneForOne, parts.settings.admin.restart_limit)
        .child(explainer(&parts.admin.explain))
        .child(admin_listener(&parts.admin))
        .child(stop_all(&parts.admin.stop_all))
        .named("admin")
}

/// Last up, first down: nobody is accepted before everything behind is ready. Sockets are bound before the tree, so one
/// whose listener restarts refuses nobody: `one_for_one`. Over the limit: ends, and the root counts.
fn listeners(parts: &Parts) -> Spec {
    let all = parts.exchanges.iter();
    let all = all.map(|it| listener(&it.pool.name, &it.socket, it.pool.doorstep.hand_on()));
    siblings(parts, "listeners", all)
}

/// Children of one kind that share nothing, under the root's own limit.
fn siblings(parts: &Parts, id: &str, all: impl Iterator<Item = Spec>) -> Spec {
    let above = Supervisor::new(OneForOne, parts.settings.server.restart_limit);
    all.fold(above, Supervisor::child).named(id)
}
