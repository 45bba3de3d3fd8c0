//! Faults, restarts and capacity, for people.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::marks::MarkKind;
use crate::report::Report;

/// Marks that are listed; the plots have all of them.
const MARKS_SHOWN: usize = 12;

pub(super) fn write(report: &Report) -> String {
    let mut out = String::new();
    // Writing into a `String` cannot fail.
    injected(&mut out, report).unwrap_or_default();
    restarts(&mut out, report).unwrap_or_default();
    capacity(&mut out, report).unwrap_or_default();
    out
}

fn injected(out: &mut String, report: &Report) -> std::fmt::Result {
    if !report.injections.is_empty() {
        writeln!(
            out,
            "\nbroken on purpose; what its own connections saw is in no figure above"
        )?;
    }
    for (label, seen) in report.injections.iter().zip(&report.story.injected) {
        writeln!(
            out,
            "injected   {} of {} x {label}",
            seen.effective, seen.strikes
        )?;
        if !seen.outcomes.is_empty() {
            let outcomes = outcomes(&seen.outcomes);
            writeln!(out, "           saw {outcomes}; {} of it wrong", seen.wrong)?;
        }
        if let Some(example) = &seen.example {
            writeln!(out, "           e.g. {example}")?;
        }
    }
    Ok(())
}

/// `204 x 12, 400 x 88`.
pub(in crate::report) fn outcomes(outcomes: &BTreeMap<String, u64>) -> String {
    let parts = outcomes.iter();
    let parts: Vec<String> = parts
        .map(|(outcome, count)| format!("{outcome} x {count}"))
        .collect();
    parts.join(", ")
}

fn restarts(out: &mut String, report: &Report) -> std::fmt::Result {
    let story = &report.story;
    let marks = story.marks.iter();
    let marks: Vec<_> = marks.filter(|mark| mark.kind != MarkKind::Fault).collect();
    if !marks.is_empty() {
        writeln!(out)?;
    }
    for mark in marks.iter().take(MARKS_SHOWN) {
        let seconds = mark.at.as_secs_f64();
        writeln!(
            out,
            "{:<10} at {seconds:.0} s: {}",
            mark.kind.name(),
            mark.label
        )?;
    }
    if marks.len() > MARKS_SHOWN {
        writeln!(out, "           and {} more", marks.len() - MARKS_SHOWN)?;
    }
    if story.watch.failed_looks > 0 {
        let (failed, looks) = (story.watch.failed_looks, story.watch.looks);
        writeln!(
            out,
            "the metrics page was missed {failed} times and read {looks} times"
        )?;
    }
    if let Some(log) = &story.server_log
        && !report.holds()
    {
        writeln!(out, "the server's output is in {}", log.display())?;
    }
    Ok(())
}

fn capacity(out: &mut String, report: &Report) -> std::fmt::Result {
    let Some(capacity) = report.capacity else {
        return Ok(());
    };
    let p99 = capacity.p99_ms;
    match capacity.rate {
        Some((rate, _)) => {
            writeln!(
                out,
                "\ncapacity   {rate} requests/s with 99 % of answers within {p99} ms"
            )
        }
        None => writeln!(
            out,
            "\ncapacity   none: no second had 99 % of answers within {p99} ms"
        ),
    }
}
