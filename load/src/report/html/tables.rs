//! The tables of the text report, as HTML.

use super::{escaped, put};
use crate::report::text::story::outcomes;
use crate::report::text::units;
use crate::report::{Outcome, Report};
use crate::tally::{Counted, Lane, share};

/// Rows of tables that could be as long as a run: more is in the JSON.
const ROWS_MAX: usize = 60;
const CAMPAIGNS_MAX: usize = 25;

/// Opens a section with a table. The first `names` columns are text, the others numbers.
fn open(out: &mut String, title: &str, columns: &[&str], names: usize) {
    put!(
        out,
        "<section>\n<h2>{title}</h2>\n<div class=\"scroll\"><table>\n<tr>"
    );
    for (place, column) in columns.iter().enumerate() {
        let class = if place < names { " class=\"name\"" } else { "" };
        put!(out, "<th{class}>{column}</th>");
    }
    out.push_str("</tr>\n");
}

fn close(out: &mut String) {
    out.push_str("</table></div>\n</section>\n");
}

fn row(out: &mut String, names: &[&str], numbers: &[String]) {
    out.push_str("<tr>");
    for name in names {
        put!(out, "<td class=\"name\">{}</td>", escaped(name));
    }
    for number in numbers {
        put!(out, "<td>{}</td>", escaped(number));
    }
    out.push_str("</tr>\n");
}

pub(super) fn expectations(out: &mut String, report: &Report) {
    for trouble in &report.story.troubles {
        put!(out, "<pre class=\"said fail\">{}</pre>\n", escaped(trouble));
    }
    if report.expectations.is_empty() {
        return;
    }
    open(
        out,
        "Expectations",
        &["", "expectation", "limit", "found"],
        2,
    );
    for expectation in &report.expectations {
        let (class, word) = match expectation.outcome {
            Outcome::Pass => ("pass", "PASS"),
            Outcome::Fail => ("fail", "FAIL"),
        };
        put!(
            out,
            "<tr><td class=\"name word {class}\">{word}</td><td class=\"name\">{}</td><td>{}</td><td>{}</td></tr>\n",
            escaped(&expectation.name),
            expectation.limit,
            escaped(expectation.shown())
        );
    }
    close(out);
}

pub(super) fn events(out: &mut String, report: &Report) {
    let marks = &report.story.marks;
    if marks.is_empty() {
        return;
    }
    open(out, "What happened", &["when", "kind", "what"], 3);
    for mark in marks.iter().take(ROWS_MAX) {
        let when = format!("{:.1} s", mark.at.as_secs_f64());
        row(out, &[&when, mark.kind.name(), &mark.label], &[]);
    }
    if marks.len() > ROWS_MAX {
        let more = format!("and {} more", marks.len() - ROWS_MAX);
        row(out, &["", "", &more], &[]);
    }
    close(out);
}

pub(super) fn injected(out: &mut String, report: &Report) {
    if report.injections.is_empty() {
        return;
    }
    let columns = [
        "fault",
        "what its own connections saw",
        "strikes",
        "took effect",
        "wrong",
    ];
    open(out, "Broken on purpose", &columns, 2);
    for (label, seen) in report.injections.iter().zip(&report.story.injected) {
        let mut saw = outcomes(&seen.outcomes);
        if let Some(example) = &seen.example {
            saw = format!("{saw} (e.g. {example})");
        }
        let numbers = [seen.strikes, seen.effective, seen.wrong].map(|count| count.to_string());
        row(out, &[label, &saw], &numbers);
    }
    close(out);
}

pub(super) fn exchanges(out: &mut String, report: &Report) {
    let columns = [&["exchange"], &Lane::COUNTS[..], &Lane::TIMES].concat();
    open(out, "Exchanges", &columns, 1);
    let all = report.tally.all();
    let named = report.names.0.iter().map(String::as_str);
    for (name, lane) in named.zip(&report.tally.exchanges).chain([("all", &all)]) {
        row(out, &[name], &numbers(lane));
    }
    close(out);
}

fn numbers(lane: &Lane) -> Vec<String> {
    let counts = lane.counts().map(|count| count.to_string());
    let times = lane.times_ms().map(|ms| format!("{ms:.2}"));
    counts.into_iter().chain(times).collect()
}

pub(super) fn regions(out: &mut String, report: &Report) {
    open(out, "Regions", &["region", "requests", "bids", "share"], 1);
    for (name, region) in report.names.1.iter().zip(&report.tally.regions) {
        let bids = format!("{:.1} %", 100.0 * share(region.bids, region.requests));
        let counts = [region.requests.to_string(), region.bids.to_string(), bids];
        row(out, &[name], &counts);
    }
    close(out);
}

pub(super) fn notices(out: &mut String, report: &Report) {
    let columns = [
        "notice",
        "planned",
        "lost",
        "skipped",
        "sent",
        "acknowledged",
        "failed",
    ];
    open(out, "Notices and bills", &columns, 1);
    for (kind, tally) in &report.notices {
        let counts = [
            tally.planned,
            tally.lost,
            tally.skipped,
            tally.sent,
            tally.acknowledged,
            tally.failed,
        ];
        row(out, &[kind.name()], &counts.map(|count| count.to_string()));
    }
    out.push_str("</table></div>\n");
    for (currency, total) in &report.spend {
        put!(
            out,
            "<p class=\"note\">{} impressions acknowledged, {} {}</p>\n",
            total.count,
            units(total.cost_nanos),
            escaped(currency)
        );
    }
    out.push_str("</section>\n");
}

pub(super) fn campaigns(out: &mut String, report: &Report) {
    let mut campaigns: Vec<_> = report.story.watch.spend.campaigns.iter().collect();
    if campaigns.is_empty() {
        return;
    }
    // Money of different currencies does not compare; shares of a day's budget do.
    campaigns.sort_by(|(_, a), (_, b)| b.day_share().total_cmp(&a.day_share()));
    let columns = [
        "campaign",
        "billed in the run",
        "daily budget",
        "share of it",
        "",
    ];
    open(out, "Campaigns, as the server booked them", &columns, 1);
    for (name, campaign) in campaigns.iter().take(CAMPAIGNS_MAX) {
        let billed = campaign.last_nanos.saturating_sub(campaign.first_nanos);
        let numbers = [
            units(billed),
            units(campaign.budget_daily_nanos),
            format!("{:.3} %", 100.0 * campaign.day_share()),
            campaign.currency.clone(),
        ];
        row(out, &[name], &numbers);
    }
    close(out);
}

pub(super) fn troubles(out: &mut String, report: &Report) {
    let tally = &report.tally;
    if tally.faults.is_empty() && tally.failures.is_empty() {
        return;
    }
    let columns = ["what", "example", "times"];
    open(
        out,
        "What was wrong with answers, and why there were none",
        &columns,
        2,
    );
    let faults = tally.faults.iter();
    let faults = faults.map(|(kind, counted)| (kind.name(), counted));
    let failures = tally
        .failures
        .iter()
        .map(|(kind, counted)| (*kind, counted));
    let all: Vec<(&str, &Counted)> = faults.chain(failures).collect();
    for (kind, counted) in all {
        row(out, &[kind, &counted.example], &[counted.count.to_string()]);
    }
    close(out);
}
