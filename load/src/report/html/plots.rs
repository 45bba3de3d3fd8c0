//! The plots: what is drawn, from which figures.

use std::time::Duration;

use super::chart::{Chart, Line, Shape, Width};
use crate::report::Report;
use crate::tally::{Counts, Row};
use crate::watch::SpendSample;

/// Points of a plot: more than a screen tells apart. Longer runs have several seconds in a point.
const POINTS_MAX: usize = 430;
/// Currencies whose spend is plotted: those with the most of it.
const CURRENCIES_MAX: usize = 4;
const LINE_CLASSES: [&str; 6] = ["s1", "s2", "s3", "s4", "s6", "s5"];

/// Seconds taken together.
struct Points<'a> {
    /// Seconds in each.
    size: usize,
    times: Vec<f64>,
    rows: Vec<&'a [Row]>,
}

pub(super) fn write(out: &mut String, report: &Report) {
    let rows = sent(report);
    if rows.is_empty() {
        return;
    }
    let size = rows.len().div_ceil(POINTS_MAX).max(1);
    let rows: Vec<&[Row]> = rows.chunks(size).collect();
    let times = (0..rows.len())
        .map(|place| (number(place) + 0.5) * number(size))
        .collect();
    let points = Points { size, times, rows };
    out.push_str("<section>\n<h2>Over time</h2>\n");
    let rates = [
        points.line("due", "s5", |rows| rate(rows, |row| row.offered)),
        points.line("answered", "s1", |rows| rate(rows, |row| row.answered)),
    ];
    chart(
        report,
        &points,
        "Requests",
        "requests/s",
        (Shape::Lines, rates.into()),
    )
    .write(out);
    let ended = |name: &str, class, count: fn(&Counts) -> u64| {
        points.line(name, class, |rows| rate(rows, |row| count(&row.counts)))
    };
    let outcomes = [
        ended("bid", "a1", |counts| counts.bids),
        ended("no bid", "a2", |counts| counts.no_bids),
        ended("faulty", "a3", |counts| counts.faulty),
        ended("no answer", "a4", |counts| counts.failed),
    ];
    chart(
        report,
        &points,
        "How they ended",
        "requests/s",
        (Shape::Stack, outcomes.into()),
    )
    .write(out);
    let bids = bid_shares(report, &points);
    chart(
        report,
        &points,
        "Requests with a bid",
        "%",
        (Shape::Lines, bids),
    )
    .write(out);
    let latency =
        |name: &str, class, place: usize| points.line(name, class, move |rows| worst(rows, place));
    let latencies = [
        latency("median", "s1", 0),
        latency("90 %", "s3", 1),
        latency("99 %", "s2", 2),
        latency("longest", "s5", 3),
    ];
    chart(
        report,
        &points,
        "Latency from the instant each was due",
        "ms",
        (Shape::LogLines, latencies.into()),
    )
    .write(out);
    memory(out, report);
    spend(out, report);
    out.push_str("</section>\n");
}

/// The server's memory, where it says.
fn memory(out: &mut String, report: &Report) {
    let seen = &report.story.watch.memory;
    if seen.is_empty() {
        return;
    }
    let size = seen.len().div_ceil(POINTS_MAX).max(1);
    let most = |part: &[(Duration, f64)]| {
        let bytes = part.iter().map(|(_, bytes)| *bytes).reduce(f64::max);
        bytes.map(|bytes| bytes / f64::from(1 << 20))
    };
    let firsts = seen.chunks(size).filter_map(<[_]>::first);
    let times: Vec<f64> = firsts.map(|(at, _)| at.as_secs_f64()).collect();
    let figure = Chart {
        title: "Memory of the server",
        unit: "MiB",
        width: Width::Full,
        seconds: report.elapsed.as_secs_f64().max(1.0),
        times: &times,
        lines: vec![Line {
            name: "resident".to_owned(),
            class: "s4",
            values: seen.chunks(size).map(most).collect(),
        }],
        shape: Shape::Lines,
        marks: &report.story.marks,
    };
    figure.write(out);
}

/// The seconds in which requests were due: what is later are only late answers.
fn sent(report: &Report) -> &[Row] {
    let rows = &report.tally.series.rows;
    let end = rows.iter().rposition(|row| row.offered > 0);
    rows.get(..end.map_or(0, |last| last + 1))
        .unwrap_or_default()
}

impl Points<'_> {
    fn line(&self, name: &str, class: &'static str, value: impl Fn(&[Row]) -> Option<f64>) -> Line {
        Line {
            name: name.to_owned(),
            class,
            values: self.rows.iter().map(|rows| value(rows)).collect(),
        }
    }
}

fn chart<'a>(
    report: &'a Report,
    points: &'a Points<'_>,
    title: &'a str,
    unit: &'a str,
    (shape, lines): (Shape, Vec<Line>),
) -> Chart<'a> {
    Chart {
        title,
        unit,
        width: Width::Full,
        seconds: report.elapsed.as_secs_f64().max(1.0),
        times: &points.times,
        lines,
        shape,
        marks: &report.story.marks,
    }
}

fn bid_shares(report: &Report, points: &Points<'_>) -> Vec<Line> {
    let exchanges = report.names.0.iter().zip(&report.tally.series.exchanges);
    let lines = exchanges.zip(LINE_CLASSES.into_iter().cycle());
    lines
        .map(|((name, counts), class)| Line {
            name: name.clone(),
            class,
            values: counts
                .chunks(points.size)
                .take(points.times.len())
                .map(bid_share)
                .collect(),
        })
        .collect()
}

fn bid_share(counts: &[Counts]) -> Option<f64> {
    let mut sum = Counts::default();
    for second in counts {
        sum.merge(*second);
    }
    let all = sum.bids + sum.no_bids + sum.faulty + sum.failed;
    (all > 0).then(|| 100.0 * crate::tally::share(sum.bids, all))
}

fn rate(rows: &[Row], count: impl Fn(&Row) -> u64) -> Option<f64> {
    let seconds = number(rows.len());
    let sum: u64 = rows.iter().map(count).sum();
    let sum = number(usize::try_from(sum).unwrap_or(usize::MAX));
    (seconds > 0.0).then(|| sum / seconds)
}

/// The worst of the seconds in a point: an average of percentiles would be none.
fn worst(rows: &[Row], place: usize) -> Option<f64> {
    let values = rows.iter().filter_map(|row| row.latency_ms.get(place));
    values
        .copied()
        .filter(|value| *value > 0.0)
        .reduce(f64::max)
}

fn spend(out: &mut String, report: &Report) {
    let samples = &report.story.watch.spend.samples;
    let Some(last) = samples.last() else {
        return;
    };
    let mut currencies: Vec<&String> = last.billed_nanos.keys().collect();
    currencies.sort_by_key(|currency| std::cmp::Reverse(last.billed_nanos.get(*currency)));
    let times: Vec<f64> = samples
        .iter()
        .map(|sample| sample.at.as_secs_f64())
        .collect();
    out.push_str("<div class=\"pair\">\n");
    for currency in currencies.into_iter().take(CURRENCIES_MAX) {
        let billed = |sample: &SpendSample| units(sample.billed_nanos.get(currency));
        if billed(last).is_none_or(|billed| billed <= 0.0) {
            continue;
        }
        let line = |name: &str, class, value: &dyn Fn(&SpendSample) -> Option<f64>| Line {
            name: name.to_owned(),
            class,
            values: samples.iter().map(value).collect(),
        };
        let title = format!("Spend in {currency}");
        let figure = Chart {
            title: &title,
            unit: currency,
            width: Width::Half,
            seconds: times
                .last()
                .copied()
                .unwrap_or(1.0)
                .max(report.elapsed.as_secs_f64()),
            times: &times,
            lines: vec![
                line("even pace of daily budgets", "s5", &|sample| {
                    units(sample.even_nanos.get(currency))
                }),
                line("billed", "s3", &billed),
            ],
            shape: Shape::Lines,
            marks: &report.story.marks,
        };
        figure.write(out);
    }
    out.push_str("</div>\n");
}

#[expect(clippy::cast_precision_loss, reason = "a point of a plot")]
fn units(nanos: Option<&i128>) -> Option<f64> {
    nanos.map(|nanos| *nanos as f64 / 1e9)
}

#[expect(clippy::cast_precision_loss, reason = "a point of a plot")]
fn number(count: usize) -> f64 {
    count as f64
}
