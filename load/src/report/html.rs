//! The report for people, with plots: one HTML file that needs no other, light or dark as its reader prefers, printable.
//!
//! Plots are SVG of our own; there is no script. Whatever comes from a server or a scenario is escaped.

mod chart;
mod plots;
mod scale;
mod tables;

use std::fmt::Display;

use super::Report;

const STYLE: &str = include_str!("html/style.css");

/// Writing into a `String` cannot fail.
macro_rules! put {
    ($out:expr, $($part:tt)*) => {{
        use std::fmt::Write as _;
        write!($out, $($part)*).unwrap_or_default();
    }};
}
use put;

pub(super) fn write(report: &Report) -> String {
    let mut out = String::new();
    let name = escaped(&report.scenario);
    put!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{name}: {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n",
        verdict(report).1
    );
    header(&mut out, report);
    tables::expectations(&mut out, report);
    plots::write(&mut out, report);
    tables::events(&mut out, report);
    tables::injected(&mut out, report);
    tables::exchanges(&mut out, report);
    tables::regions(&mut out, report);
    tables::notices(&mut out, report);
    tables::campaigns(&mut out, report);
    tables::troubles(&mut out, report);
    put!(
        out,
        "<details><summary>The report as text</summary><pre>{}</pre></details>\n</main>\n</body>\n</html>\n",
        escaped(report.text())
    );
    out
}

/// A class and a word.
fn verdict(report: &Report) -> (&'static str, &'static str) {
    match (report.is_valid(), report.holds()) {
        (false, _) => ("fail", "INVALID"),
        (true, true) => ("pass", "PASS"),
        (true, false) => ("fail", "FAIL"),
    }
}

fn header(out: &mut String, report: &Report) {
    let (class, word) = verdict(report);
    put!(
        out,
        "<header><h1>{} <span class=\"verdict {class}\">{word}</span></h1>\n<p class=\"about\">{}</p>\n<dl>\n",
        escaped(&report.scenario),
        escaped(&report.about)
    );
    let all = report.tally.all();
    let ms = |share| format!("{:.2} ms", all.latencies.quantile_ms(share));
    let bids = 100.0 * crate::tally::share(all.bids, all.requests);
    let mut facts = vec![
        ("requests", all.requests.to_string()),
        ("over", format!("{:.1} s", report.elapsed.as_secs_f64())),
        ("with a bid", format!("{bids:.1} %")),
        ("median", ms(0.5)),
        ("99 %", ms(0.99)),
        ("without an answer", all.failures.to_string()),
        ("faulty", all.faulty.to_string()),
        ("seed", report.seed.to_string()),
    ];
    if let Some(capacity) = report.capacity {
        let rate = capacity
            .rate
            .map_or("none".to_owned(), |(rate, _)| format!("{rate}/s"));
        facts.push(("capacity", rate));
    }
    for (name, value) in facts {
        put!(
            out,
            "<div><dt>{name}</dt><dd>{}</dd></div>\n",
            escaped(value)
        );
    }
    out.push_str("</dl>\n");
    if !report.is_valid() {
        out.push_str(
            "<p class=\"warning\">The generator could not keep its own rate: latencies say nothing about the server.</p>\n",
        );
    }
    out.push_str("</header>\n");
}

/// As text inside an element or an attribute in double quotes.
fn escaped(text: impl Display) -> String {
    let text = text.to_string();
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests;
