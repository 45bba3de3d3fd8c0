//! The report for people.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};

pub(super) mod story;

use super::{Outcome, Report};
use crate::decimal::Micros;
use crate::scenario::Checks;
use crate::tally::{LAG_MAX, Lane, share};

/// Nanos of a currency as units: a thousandth of what micros would be.
pub(super) fn units(nanos: i64) -> String {
    let micros = Micros::new(nanos / 1_000);
    micros.to_string()
}

/// Writing into a `String` cannot fail.
macro_rules! line {
    ($out:expr) => { $out.push('\n') };
    ($out:expr, $($part:tt)*) => {{
        if writeln!($out, $($part)*).is_err() {
            $out.push('\n');
        }
    }};
}

pub(super) fn write(report: &Report) -> String {
    let mut out = String::new();
    let tally = &report.tally;
    line!(
        out,
        "\n{}: {} requests in {:.1} s ({}/s due on average), seed {}",
        report.scenario,
        tally.started,
        report.elapsed.as_secs_f64(),
        report.rate,
        report.seed
    );
    line!(out);
    lanes(&mut out, report);
    regions(&mut out, report);
    line!(
        out,
        "\nauctions   won {}   lost {}{}",
        tally.auctions.won,
        tally.auctions.lost,
        losses(&tally.auctions.losses)
    );
    for (currency, total) in &report.spend {
        line!(
            out,
            "billed     {} impressions acknowledged, {} {currency}",
            total.count,
            units(total.cost_nanos)
        );
    }
    notices(&mut out, report);
    faults(&mut out, report);
    out.push_str(&report.oracle.text());
    out.push_str(&story::write(report));
    verdict(&mut out, report);
    out
}

/// Losses by their code, where there is more than the usual one.
fn losses(losses: &BTreeMap<u32, u64>) -> String {
    let named: Vec<String> = losses
        .iter()
        .map(|(code, count)| format!("{count} with code {code}"))
        .collect();
    if named.is_empty() {
        return String::new();
    }
    format!(" ({})", named.join(", "))
}

fn lanes(out: &mut String, report: &Report) {
    lane_row(out, "exchange", (Lane::COUNTS, Lane::TIMES));
    let all = report.tally.all();
    let named = report.names.0.iter().map(String::as_str);
    let lanes = named.zip(&report.tally.exchanges);
    for (name, lane) in lanes.chain([("all", &all)]) {
        self::lane(out, name, lane);
    }
    let lags = &report.tally.lags;
    line!(
        out,
        "latency counts from the instant a request was due; of it, the generator itself took {:.2} ms (p50), {:.2} ms (p99)",
        lags.quantile_ms(0.5),
        lags.quantile_ms(0.99)
    );
    if let Some(own) = report.tally.own_cpu_us() {
        let with = match report.checks {
            Checks::Full => "checks, auctions and notices included",
            Checks::None => "rendered before and counted only",
        };
        line!(
            out,
            "a request cost the generator itself {own:.1} µs of CPU, {with}"
        );
    }
}

fn lane(out: &mut String, name: &str, lane: &Lane) {
    let counts = lane.counts().map(|count| count.to_string());
    let times = lane.times_ms().map(|ms| format!("{ms:.2}"));
    lane_row(out, name, (counts, times));
}

fn lane_row<T: Display>(out: &mut String, name: &str, (counts, times): ([T; 6], [T; 4])) {
    let [requests, bids, no_bids, faulty, failures, late] = counts;
    let [p50, p90, p99, max] = times;
    line!(
        out,
        "{name:<10} {requests:>9} {bids:>8} {no_bids:>8} {faulty:>7} {failures:>7} {late:>6}   {p50:>8} {p90:>8} {p99:>8} {max:>8}"
    );
}

fn regions(out: &mut String, report: &Report) {
    line!(
        out,
        "\n{:<10} {:>9} {:>8} {:>8}",
        "region",
        "requests",
        "bids",
        "share"
    );
    for (name, region) in report.names.1.iter().zip(&report.tally.regions) {
        line!(
            out,
            "{name:<10} {:>9} {:>8} {:>6.1} %",
            region.requests,
            region.bids,
            100.0 * share(region.bids, region.requests)
        );
    }
}

fn notices(out: &mut String, report: &Report) {
    line!(
        out,
        "\n{:<10} {:>9} {:>8} {:>8} {:>8} {:>12} {:>7}",
        "notice",
        "planned",
        "lost",
        "skipped",
        "sent",
        "acknowledged",
        "failed"
    );
    for (kind, tally) in &report.notices {
        line!(
            out,
            "{:<10} {:>9} {:>8} {:>8} {:>8} {:>12} {:>7}",
            kind.name(),
            tally.planned,
            tally.lost,
            tally.skipped,
            tally.sent,
            tally.acknowledged,
            tally.failed
        );
        if tally.refused > 0 {
            line!(out, "           {} refused, as is right", tally.refused);
        }
        if let Some(example) = &tally.example {
            line!(out, "           e.g. {example}");
        }
    }
    let plain: u64 = report.notices.values().map(|tally| tally.plain).sum();
    if plain > 0 {
        line!(
            out,
            "{plain} notices with https URLs were sent over plain HTTP, as behind a proxy that ends TLS"
        );
    }
    if report.notices_pending > 0 {
        line!(
            out,
            "{} notices were still due at the end",
            report.notices_pending
        );
    }
}

fn faults(out: &mut String, report: &Report) {
    let tally = &report.tally;
    if tally.faults.is_empty() && tally.failures.is_empty() {
        line!(out, "\nno faults in any response, no request without one");
        return;
    }
    line!(out);
    for (kind, counted) in &tally.faults {
        line!(
            out,
            "fault      {} x {}: {}",
            counted.count,
            kind.name(),
            counted.example
        );
    }
    for (kind, counted) in &tally.failures {
        line!(
            out,
            "failure    {} x {kind}: {}",
            counted.count,
            counted.example
        );
    }
}

fn verdict(out: &mut String, report: &Report) {
    let tally = &report.tally;
    line!(out);
    for expectation in &report.expectations {
        let outcome = match expectation.outcome {
            Outcome::Pass => "PASS",
            Outcome::Fail => "FAIL",
        };
        line!(
            out,
            "{outcome}  {:<28} expected {:<8} found {}",
            expectation.name,
            expectation.limit,
            expectation.shown()
        );
    }
    for trouble in &report.story.troubles {
        line!(out, "FAIL  {trouble}");
    }
    if report.is_valid() {
        line!(
            out,
            "valid: {} of {} requests left more than {} ms after they were due",
            tally.lagging,
            tally.started,
            LAG_MAX.as_millis()
        );
    } else {
        line!(
            out,
            "INVALID: {} of {} requests left more than {} ms after they were due; the generator could not keep the \
             rate, so latencies say nothing about the server",
            tally.lagging,
            tally.started,
            LAG_MAX.as_millis()
        );
    }
}
