//! What happened over time, for machines.

use serde_json::{Value, json};

use crate::report::Report;
use crate::tally::Counts;

pub(super) fn capacity(report: &Report) -> Value {
    report.capacity.map_or(
        Value::Null,
        |capacity| json!({"p99_ms": capacity.p99_ms, "requests_per_second": capacity.rate.map(|(rate, _)| rate)}),
    )
}

pub(super) fn injected(report: &Report) -> Vec<Value> {
    let injected = report.injections.iter().zip(&report.story.injected);
    let rows = injected.map(|(label, seen)| {
        json!({
            "fault": label,
            "strikes": seen.strikes,
            "effective": seen.effective,
            "outcomes": seen.outcomes,
            "wrong": seen.wrong,
            "example": seen.example,
        })
    });
    rows.collect()
}

pub(super) fn marks(report: &Report) -> Vec<Value> {
    let marks = report.story.marks.iter();
    let rows = marks.map(|mark| {
        let at = mark.at.as_secs_f64();
        json!({"at_s": at, "kind": mark.kind.name(), "what": mark.label})
    });
    rows.collect()
}

/// The memory that the server held, in bytes.
pub(super) fn memory(report: &Report) -> Vec<Value> {
    let seen = report.story.watch.memory.iter();
    let rows = seen.map(|(at, bytes)| json!({"at_s": at.as_secs_f64(), "bytes": bytes}));
    rows.collect()
}

/// One row a second; a request belongs to the second it was due in, an answer to the one it came in.
pub(super) fn seconds(report: &Report) -> Value {
    let series = &report.tally.series;
    let rows = series.rows.iter();
    let rows: Vec<Value> = rows
        .map(|row| {
            let [p50, p90, p99, max] = row.latency_ms;
            json!({
                "offered": row.offered,
                "answered": row.answered,
                "ended": counts(&row.counts),
                "latency_ms": {"p50": p50, "p90": p90, "p99": p99, "max": max},
            })
        })
        .collect();
    let exchanges = report.names.0.iter().zip(&series.exchanges);
    let exchanges: serde_json::Map<String, Value> = exchanges
        .map(|(name, rows)| (name.clone(), rows.iter().map(counts).collect()))
        .collect();
    json!({"all": rows, "exchanges": exchanges})
}

fn counts(counts: &Counts) -> Value {
    json!({
        "bids": counts.bids,
        "no_bids": counts.no_bids,
        "faulty": counts.faulty,
        "failed": counts.failed,
        "late": counts.late,
    })
}

/// What the server says it charged since the first look, beside an even pace of its daily budgets, in nanos.
pub(super) fn spend(report: &Report) -> Vec<Value> {
    let samples = report.story.watch.spend.samples.iter();
    let rows = samples.map(|sample| {
        json!({
            "at_s": sample.at.as_secs_f64(),
            "billed_nanos": sample.billed_nanos,
            "even_pace_nanos": sample.even_nanos,
        })
    });
    rows.collect()
}
