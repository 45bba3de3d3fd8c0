//! The event log: what happened in the tree, a line of JSON each, in `events.jsonl`.

use serde_json::json;

use super::log_file::{LogPlace, write_lines};
use crate::supervision::{Exit, Observation, Post, Spec, What, thread};

/// Lines that may wait. A disk that stalls for a second in a crash storm loses some, and the loss is counted.
pub(super) const WAITING_MAX: usize = 4_096;

/// The event log as a child. Without a folder it takes lines and writes none.
pub fn event_log(post: &Post<Observation>, place: &LogPlace) -> Spec {
    let place = place.clone();
    thread("event_log", post, WAITING_MAX, move |context, mailbox| {
        write_lines(&place, "events", (&context, &mailbox), line)
    })
}

/// What happened as JSON: `at_ms`, path, event, and for an end its reason, text and how long it had been up.
fn line(seen: &Observation) -> String {
    let mut line =
        json!({ "at_ms": seen.at.get(), "path": *seen.path, "event": event(&seen.what) });
    let more = match &seen.what {
        What::Exited {
            exit,
            uptime,
            asked,
        } => json!({
            "reason": exit.label(),
            "text": exit.to_string(),
            "backtrace": backtrace(exit),
            "uptime_ms": u64::try_from(uptime.as_millis()).unwrap_or(u64::MAX),
            "asked": asked,
        }),
        What::StartFailed(exit) => json!({
            "reason": exit.label(),
            "text": exit.to_string(),
            "backtrace": backtrace(exit),
        }),
        What::Started { incarnation, .. } => json!({ "incarnation": incarnation }),
        _ => json!({}),
    };
    if let (Some(line), Some(more)) = (line.as_object_mut(), more.as_object()) {
        let given = more.iter().filter(|(_, value)| !value.is_null());
        line.extend(given.map(|(key, value)| (key.clone(), value.clone())));
    }
    line.to_string()
}

/// The calls that led to a panic. Their names are looked up here, on a thread where nobody waits for it.
fn backtrace(exit: &Exit) -> Option<String> {
    match exit {
        Exit::Panic(report) => report.backtrace.as_ref().map(ToString::to_string),
        _ => None,
    }
}

/// The event in one word.
pub(super) const fn event(what: &What) -> &'static str {
    match what {
        What::Started {
            fallback: false, ..
        } => "started",
        What::Started { fallback: true, .. } => "fallback_started",
        What::StartFailed(_) => "start_failed",
        What::Exited { .. } => "exited",
        What::Ignored => "ignored",
        What::Fenced => "fenced",
        What::Deaf => "deaf",
        What::HearsAgain => "hears_again",
        What::Restarting => "restarting",
        What::SetAside => "set_aside",
        What::OverLimit(_) => "over_limit",
        What::Degraded => "degraded",
        What::Probing => "probing",
        What::OnProbation => "on_probation",
        What::Recovered => "recovered",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::units::UnixMillis;

    #[test]
    fn an_end_says_why_and_after_how_long() {
        let seen = Observation {
            at: UnixMillis::new(7),
            path: Arc::from("regions/sg/ledger"),
            what: What::Exited {
                exit: Exit::error("no disk"),
                uptime: Duration::from_secs(2),
                asked: false,
            },
        };
        let value: serde_json::Value = serde_json::from_str(&line(&seen)).unwrap();
        assert_eq!(value["event"], "exited");
        assert_eq!(value["reason"], "error");
        assert_eq!(value["uptime_ms"], 2_000);
        assert!(value["text"].as_str().unwrap().contains("no disk"));
    }
}
