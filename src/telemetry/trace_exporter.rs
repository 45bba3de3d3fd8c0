//! Traces: every so many requests one is written down, as a line of JSON in `traces.jsonl`.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::log_file::{LogPlace, write_lines};
use crate::supervision::{Post, Spec, thread};
use crate::units::UnixMillis;

/// Traces that may wait for the disk; more are dropped on the data thread that made them.
const WAITING_MAX: usize = 1_024;

/// One request, as it was answered.
#[derive(Clone, Debug)]
pub struct Trace {
    /// When it was answered.
    pub at: UnixMillis,
    /// Its exchange.
    pub exchange: Arc<str>,
    /// The data thread.
    pub thread: usize,
    /// Outcome and reason.
    pub outcome: (&'static str, &'static str),
    /// From its arrival to its answer.
    pub took: Duration,
}

/// Chooses requests to be traced. Cheap to clone.
#[derive(Clone)]
pub struct Tracer {
    post: Post<Trace>,
    one_in: u32,
}

impl Tracer {
    /// One in so many requests, chosen by chance; none if zero.
    pub fn new(post: Post<Trace>, one_in: u32) -> Self {
        Self { post, one_in }
    }

    /// Whether a request that drew this number (any number, evenly spread) is traced.
    pub fn picks(&self, random: u32) -> bool {
        self.one_in > 0 && random.is_multiple_of(self.one_in)
    }

    /// Hands a trace over. Never waits: with nobody there, or too many waiting, it is dropped.
    pub fn trace(&self, trace: Trace) {
        drop(self.post.cast(trace));
    }
}

/// The trace exporter as a child. Without a folder it takes traces and writes none.
pub fn trace_exporter(post: &Post<Trace>, place: &LogPlace) -> Spec {
    let place = place.clone();
    thread(
        "trace_exporter",
        post,
        WAITING_MAX,
        move |context, mailbox| write_lines(&place, "traces", (&context, &mailbox), line),
    )
}

fn line(trace: &Trace) -> String {
    let (outcome, reason) = trace.outcome;
    json!({
        "at_ms": trace.at.get(),
        "exchange": *trace.exchange,
        "thread": trace.thread,
        "outcome": outcome,
        "reason": reason,
        "took_us": u64::try_from(trace.took.as_micros()).unwrap_or(u64::MAX),
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_so_many_is_picked_and_none_if_zero() {
        let picked = |one_in| {
            let tracer = Tracer::new(Post::new(), one_in);
            (0..1_000).filter(|random| tracer.picks(*random)).count()
        };
        assert_eq!((picked(100), picked(1), picked(0)), (10, 1_000, 0));
    }
}
