//! Expectations on parts of a run, on faults, on the metrics page and on capacity.

use super::{Bound, Expectation, compare};
use crate::report::{Capacity, Story};
use crate::scenario::{Metric, Scenario};
use crate::tally::{PhaseTally, Tally, share};

pub(in crate::report) fn judge_story(
    scenario: &Scenario,
    tally: &Tally,
    story: &Story,
    capacity: Option<Capacity>,
) -> Vec<Expectation> {
    let expected = &scenario.expectations;
    let mut found = Vec::new();
    let wrong = story.injected.iter().map(|seen| seen.wrong).sum();
    if let Some(limit) = expected.injected_wrong_max {
        let (limit, wrong) = (number(limit), number(wrong));
        found.push(compare("injected_wrong_max", Bound::AtMost, limit, wrong));
    }
    if let Some(limit) = expected.capacity_min {
        let rate = capacity.and_then(|capacity| capacity.rate);
        let rate = number(rate.map_or(0, |(rate, _)| rate));
        found.push(compare("capacity_min", Bound::AtLeast, limit, rate));
    }
    found.extend(tally.phases.iter().flat_map(phase));
    for (place, metric) in expected.metrics.iter().enumerate() {
        // What nobody saw holds nothing.
        let value = story.watch.value(place, metric.window);
        let rise = story.watch.rise(place, metric.window);
        let seen = (value.unwrap_or(f64::NAN), rise.unwrap_or(f64::NAN));
        found.extend(self::metric(metric, seen));
    }
    found
}

fn phase(tally: &PhaseTally) -> Vec<Expectation> {
    let (phase, lane) = (tally.phase(), &tally.lane);
    let limits = &phase.limits;
    let of_requests = |count| {
        if lane.requests == 0 {
            // A phase in which nothing was asked shows nothing.
            f64::NAN
        } else {
            share(count, lane.requests)
        }
    };
    let (most, least) = (Bound::AtMost, Bound::AtLeast);
    let (faulty, failed) = (of_requests(lane.faulty), of_requests(lane.failures));
    let (overdue, bids) = (of_requests(lane.late), of_requests(lane.bids));
    let p99 = if lane.requests == 0 {
        f64::NAN
    } else {
        lane.latencies.quantile_ms(0.99)
    };
    let requests = number(lane.requests);
    let failed_max = limits.transport_failure_share_max;
    let failed_min = limits.transport_failure_share_min;
    let rows = [
        ("fault_share_max", most, limits.fault_share_max, faulty),
        ("transport_failure_share_max", most, failed_max, failed),
        ("transport_failure_share_min", least, failed_min, failed),
        ("late_share_max", most, limits.late_share_max, overdue),
        ("bid_share_min", least, limits.bid_share_min, bids),
        ("bid_share_max", most, limits.bid_share_max, bids),
        ("p99_ms_max", most, limits.p99_ms_max, p99),
        ("requests_min", least, limits.requests_min, requests),
    ];
    let stated = rows.into_iter().filter_map(|(name, bound, limit, found)| {
        let name = format!("{}: {name}", phase.name);
        Some(compare(name, bound, limit?, found))
    });
    stated.collect()
}

fn metric(metric: &Metric, (value, rise): (f64, f64)) -> Vec<Expectation> {
    let limits = [
        ("at least", Bound::AtLeast, metric.at_least, value),
        ("at most", Bound::AtMost, metric.at_most, value),
        ("rises at most", Bound::AtMost, metric.rises_at_most, rise),
    ];
    let when = metric.window.map_or("in the end".to_owned(), |window| {
        let from = window.from.as_secs_f64();
        match window.to {
            None => format!("from {from} s"),
            Some(to) => format!("{from} to {} s", to.as_secs_f64()),
        }
    });
    let stated = limits
        .into_iter()
        .filter_map(|(word, bound, limit, found)| {
            let name = format!("{} {when}, {word}", metric.metric);
            Some(compare(name, bound, limit?, found))
        });
    stated.collect()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts are shown, and far below 2^52"
)]
fn number(count: u64) -> f64 {
    count as f64
}
