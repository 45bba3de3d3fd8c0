//! Telemetry: what the bid path counts, what happens in the tree, and the pages that show both.
//!
//! | file | what |
//! |---|---|
//! | `request_counters` | outcomes and durations, written by data threads without a lock or a shared line. Pure |
//! | `board` | which exchanges bid, which alerts stand: a fold of what happened in the tree. Pure |
//! | `meters` | everything that is measured, and the page that scrapers read |
//! | `log_file` | lines of JSON in files that rotate and never grow past a limit |
//! | `metrics_aggregator`, `event_log`, `trace_exporter` | the children; `null_sink` stands in for all three |
//!
//! Nothing that bids waits for anything here: a telemetry that is slow, full or gone costs numbers, not bids.

mod board;
mod event_log;
mod log_file;
mod meters;
mod metrics_aggregator;
mod request_counters;
mod trace_exporter;

pub use board::{Alert, Board, ExchangeMode};
pub use event_log::event_log;
pub use log_file::{LogLimits, LogPlace};
pub use meters::{Gauge, Meters};
pub use metrics_aggregator::{AggregatorParts, DaysIfOld, metrics_aggregator, null_sink};
pub use request_counters::RequestCounters;
pub use trace_exporter::{Trace, Tracer, trace_exporter};
