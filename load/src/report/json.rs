//! The report for machines.

use serde_json::{Map, Value, json};

mod story;

use super::{Outcome, Report};
use crate::tally::{Counted, Lane};

pub(super) fn write(report: &Report) -> Value {
    let tally = &report.tally;
    let exchanges: Map<String, Value> = report
        .names
        .0
        .iter()
        .zip(&tally.exchanges)
        .map(|(name, lane)| (name.clone(), self::lane(lane)))
        .collect();
    let regions: Map<String, Value> = report
        .names
        .1
        .iter()
        .zip(&tally.regions)
        .map(|(name, region)| {
            let value = json!({"requests": region.requests, "bids": region.bids});
            (name.clone(), value)
        })
        .collect();
    let faults = tally.faults.iter();
    let faults: Map<String, Value> = faults
        .map(|(kind, counted)| (kind.name().to_owned(), self::counted(counted)))
        .collect();
    let failures = tally.failures.iter();
    let failures: Map<String, Value> = failures
        .map(|(kind, counted)| ((*kind).to_owned(), self::counted(counted)))
        .collect();
    json!({
        "scenario": report.scenario,
        "seed": report.seed,
        "rate": report.rate,
        "elapsed_seconds": report.elapsed.as_secs_f64(),
        "valid": report.is_valid(),
        "holds": report.holds(),
        "started": tally.started,
        "lagging": tally.lagging,
        "lag_ms": {"p50": tally.lags.quantile_ms(0.5), "p99": tally.lags.quantile_ms(0.99)},
        "generator_cpu_us_per_request": tally.own_cpu_us(),
        "all": lane(&tally.all()),
        "exchanges": exchanges,
        "regions": regions,
        "auctions": {
            "won": tally.auctions.won,
            "lost": tally.auctions.lost,
            "losses_by_code": tally.auctions.losses,
        },
        "notices": notices(report),
        "notices_pending": report.notices_pending,
        "billed": report.spend,
        "faults": faults,
        "failures": failures,
        "oracle": report.oracle.json(),
        "expectations": expectations(report),
        "about": report.about,
        "capacity": story::capacity(report),
        "injected": story::injected(report),
        "marks": story::marks(report),
        "memory": story::memory(report),
        "restarts": report.story.watch.restarts,
        "troubles": report.story.troubles,
        "server_log": report.story.server_log,
        "seconds": story::seconds(report),
        "spend": story::spend(report),
    })
}

fn lane(lane: &Lane) -> Value {
    let ms = |share| lane.latencies.quantile_ms(share);
    json!({
        "requests": lane.requests,
        "bids": lane.bids,
        "no_bids": lane.no_bids,
        "faulty": lane.faulty,
        "failures": lane.failures,
        "late": lane.late,
        "latency_ms": {
            "p50": ms(0.5),
            "p90": ms(0.9),
            "p99": ms(0.99),
            "p999": ms(0.999),
            "max": lane.latencies.max_ms(),
        },
    })
}

fn counted(counted: &Counted) -> Value {
    json!({"count": counted.count, "example": counted.example})
}

fn notices(report: &Report) -> Map<String, Value> {
    let notices = report.notices.iter();
    notices
        .map(|(kind, tally)| {
            let value = json!({
                "planned": tally.planned,
                "lost": tally.lost,
                "skipped": tally.skipped,
                "sent": tally.sent,
                "acknowledged": tally.acknowledged,
                "failed": tally.failed,
                "refused": tally.refused,
                "https_sent_plain": tally.plain,
                "example": tally.example,
            });
            (kind.name().to_owned(), value)
        })
        .collect()
}

fn expectations(report: &Report) -> Vec<Value> {
    let expectations = report.expectations.iter();
    expectations
        .map(|expectation| {
            json!({
                "name": expectation.name,
                "expected": expectation.limit,
                "found": expectation.found,
                "pass": expectation.outcome == Outcome::Pass,
            })
        })
        .collect()
}
