//! Everything that is measured, and the page that scrapers read.
//!
//! Counters live in the recorder of `metrics-exporter-prometheus`, set to absolute values from what data threads count,
//! so that an aggregator that starts again doubles nothing. The duration histogram's text is written here: the recorder
//! would want every sample by itself, on the bid path.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use metrics::{Unit, counter, describe_counter, describe_gauge, gauge, with_local_recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use super::board::{Board, ExchangeMode};
use super::event_log::event;
use super::request_counters::{BOUNDS_US, RequestCounters, Totals};
use crate::supervision::{Exit, Observation, What};
use crate::units::{Monotonic, UnixMillis};

/// A number that is read when it is wanted: name, labels, and what reads it.
pub struct Gauge {
    /// Its name, with the prefix.
    pub name: &'static str,
    /// Its label and value, if it has one.
    pub label: Option<(&'static str, String)>,
    /// What it says, for whoever reads the page.
    pub help: &'static str,
    /// Reads it.
    pub read: Box<dyn Fn() -> f64 + Send + Sync>,
}

/// Everything that is measured. Made before the tree; outlives every child.
pub struct Meters {
    recorder: PrometheusRecorder,
    page: PrometheusHandle,
    requests: Arc<RequestCounters>,
    durations: ArcSwap<Vec<Totals>>,
    gauges: Vec<Gauge>,
    board: Mutex<Board>,
    /// Memory, CPU time, open files and start of this process, under the names that Prometheus' own clients give them.
    process: metrics_process::Collector,
}

impl Meters {
    /// Meters around these counters and gauges.
    pub fn new(requests: Arc<RequestCounters>, gauges: Vec<Gauge>) -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        let page = recorder.handle();
        let board = Mutex::new(Board::new(requests.exchanges()));
        let meters = Self {
            recorder,
            page,
            requests,
            durations: ArcSwap::default(),
            gauges,
            board,
            process: metrics_process::Collector::default(),
        };
        with_local_recorder(&meters.recorder, || {
            describe(&meters.gauges);
            meters.process.describe();
        });
        meters
    }

    /// What data threads count.
    pub fn requests(&self) -> &Arc<RequestCounters> {
        &self.requests
    }

    /// Counts a notice.
    pub fn count_notice(&self, kind: &'static str, outcome: &'static str) {
        with_local_recorder(&self.recorder, || {
            counter!("bidtree_notices_total", "kind" => kind, "outcome" => outcome).increment(1);
        });
    }

    /// Counts a bid that was lost, by the code of the reason: one of the specification's, or what stands for the others.
    pub fn count_loss(&self, code: &str) {
        with_local_recorder(&self.recorder, || {
            counter!("bidtree_losses_total", "code" => code.to_owned()).increment(1);
        });
    }

    /// Counts a bill by why its price was not taken as reported.
    pub fn count_doubt(&self, why: &'static str) {
        with_local_recorder(&self.recorder, || {
            counter!("bidtree_doubtful_prices_total", "why" => why).increment(1);
        });
    }

    /// Takes note of what happened in the tree: restarts, alerts, the exchanges' modes.
    pub fn note(&self, seen: &Observation, now: Monotonic) {
        self.board().note(seen, now);
        let child = family(&seen.path);
        with_local_recorder(&self.recorder, || match &seen.what {
            What::Exited {
                exit, asked: false, ..
            }
            | What::StartFailed(exit) => restart(child, exit),
            What::Degraded
            | What::SetAside
            | What::Fenced
            | What::Deaf
            | What::OverLimit(_)
            | What::Recovered => {
                counter!("bidtree_tree_events_total", "child" => child, "event" => event(&seen.what)).increment(1);
            }
            _ => {}
        });
    }

    /// Takes note of how many days old the rates of exchange are, if that is more than they may be. Says whether that is
    /// news.
    pub fn note_rates(&self, days_if_old: Option<i32>, now: UnixMillis) -> bool {
        self.board().note_rates(days_if_old, now)
    }

    /// Says how many observations were lost because nobody took them in time.
    pub fn lost(&self, observations: u64) {
        with_local_recorder(&self.recorder, || {
            counter!("bidtree_observations_lost_total").increment(observations);
        });
    }

    /// Folds what was counted into what the page shows.
    pub fn fold(&self, now: Monotonic) {
        let names: Vec<String> = self.requests.exchanges().map(str::to_owned).collect();
        let totals: Vec<Totals> = (0..names.len())
            .map(|exchange| self.requests.totals(exchange))
            .collect();
        with_local_recorder(&self.recorder, || {
            for (name, totals) in names.iter().zip(&totals) {
                for ((outcome, reason), count) in
                    self.requests.labels().iter().zip(&totals.outcomes)
                {
                    if *count > 0 {
                        let labels = [
                            ("exchange", name.clone()),
                            ("outcome", (*outcome).into()),
                            ("reason", (*reason).into()),
                        ];
                        counter!("bidtree_requests_total", &labels).absolute(*count);
                    }
                }
            }
            for (name, (mode, degraded)) in names.iter().zip(self.board().exchanges(now)) {
                for each in ExchangeMode::ALL {
                    let is = if each == mode { 1.0 } else { 0.0 };
                    gauge!("bidtree_exchange_mode", "exchange" => name.clone(), "mode" => each.label()).set(is);
                }
                counter!("bidtree_degraded_seconds_total", "exchange" => name.clone())
                    .absolute(degraded.as_secs());
            }
            for each in &self.gauges {
                let value = (each.read)();
                match &each.label {
                    Some((label, of)) => gauge!(each.name, *label => of.clone()).set(value),
                    None => gauge!(each.name).set(value),
                }
            }
            self.process.collect();
        });
        self.durations.store(Arc::new(totals));
    }

    /// The page, in Prometheus' text format: as of the last fold.
    pub fn render(&self) -> String {
        let mut page = self.page.render();
        write_histogram(&mut page, &self.requests, &self.durations.load());
        page
    }

    /// The alerts that stand, as JSON.
    pub fn alerts(&self) -> String {
        format!("{}\n", self.board().as_json())
    }

    fn board(&self) -> std::sync::MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn describe(gauges: &[Gauge]) {
    describe_counter!(
        "bidtree_requests_total",
        "Bid requests by what became of them."
    );
    describe_counter!(
        "bidtree_notices_total",
        "Notices by kind and what became of them."
    );
    describe_counter!(
        "bidtree_losses_total",
        "Bids that exchanges told us were lost, by their loss code."
    );
    describe_counter!(
        "bidtree_doubtful_prices_total",
        "Bills at the price of our bid, since the reported one was missing, unreadable or above it."
    );
    describe_counter!(
        "bidtree_restarts_total",
        "Children that ended unasked or did not start, by reason."
    );
    describe_counter!(
        "bidtree_tree_events_total",
        "Escalations, fallbacks and recoveries in the tree."
    );
    describe_counter!(
        "bidtree_observations_lost_total",
        "Events of the tree that nobody took in time."
    );
    describe_gauge!(
        "bidtree_exchange_mode",
        "1 for the mode an exchange is in, 0 for the others."
    );
    describe_counter!(
        "bidtree_degraded_seconds_total",
        Unit::Seconds,
        "How long an exchange was degraded."
    );
    for gauge in gauges {
        describe_gauge!(gauge.name, gauge.help);
    }
}

fn restart(child: String, exit: &Exit) {
    counter!("bidtree_restarts_total", "child" => child, "reason" => exit.label()).increment(1);
}

/// A path as a label: campaigns come and go by the thousand, and one label stands for all of them.
fn family(path: &str) -> String {
    match path.strip_prefix("campaigns/pool/") {
        Some(_) => "campaigns/pool/*".to_owned(),
        None => path.to_owned(),
    }
}

fn write_histogram(page: &mut String, requests: &RequestCounters, totals: &[Totals]) {
    const NAME: &str = "bidtree_request_duration_seconds";
    page.push_str(
        "# HELP bidtree_request_duration_seconds From a request's arrival to its answer.\n",
    );
    page.push_str("# TYPE bidtree_request_duration_seconds histogram\n");
    for (exchange, totals) in requests.exchanges().zip(totals) {
        let mut count = 0;
        for (place, bucket) in totals.buckets.iter().enumerate() {
            count += bucket;
            let bound = BOUNDS_US
                .get(place)
                .map_or_else(|| "+Inf".to_owned(), |us| seconds(us * 1_000));
            // Writing to a String does not fail.
            writeln!(
                page,
                "{NAME}_bucket{{exchange=\"{exchange}\",le=\"{bound}\"}} {count}"
            )
            .ok();
        }
        let sum = seconds(totals.sum_ns);
        writeln!(page, "{NAME}_sum{{exchange=\"{exchange}\"}} {sum}").ok();
        writeln!(page, "{NAME}_count{{exchange=\"{exchange}\"}} {count}").ok();
    }
    page.push('\n');
}

/// Nanoseconds as a decimal number of seconds, exactly.
fn seconds(ns: u64) -> String {
    let text = format!("{}.{:09}", ns / 1_000_000_000, ns % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn meters() -> Meters {
        let requests = RequestCounters::new(["adx"], vec![("bid", "bid"), ("pass", "capped")], 1);
        let gauge = Gauge {
            name: "bidtree_connections",
            label: Some(("thread", "0".to_owned())),
            help: "Open connections.",
            read: Box::new(|| 3.0),
        };
        Meters::new(Arc::new(requests), vec![gauge])
    }

    #[test]
    fn folding_twice_counts_once() {
        let meters = meters();
        meters.requests().count(0, 0, 0, Duration::from_micros(40));
        meters.requests().count(0, 0, 0, Duration::from_micros(700));
        meters.fold(Monotonic::from_nanos(1));
        meters.fold(Monotonic::from_nanos(2));
        let page = meters.render();
        for line in [
            "bidtree_requests_total{exchange=\"adx\",outcome=\"bid\",reason=\"bid\"} 2",
            "bidtree_exchange_mode{exchange=\"adx\",mode=\"bidding\"} 1",
            "bidtree_connections{thread=\"0\"} 3",
            "bidtree_request_duration_seconds_bucket{exchange=\"adx\",le=\"0.00005\"} 1",
            "bidtree_request_duration_seconds_bucket{exchange=\"adx\",le=\"0.001\"} 2",
            "bidtree_request_duration_seconds_bucket{exchange=\"adx\",le=\"+Inf\"} 2",
            "bidtree_request_duration_seconds_sum{exchange=\"adx\"} 0.00074",
            "bidtree_request_duration_seconds_count{exchange=\"adx\"} 2",
        ] {
            assert!(page.contains(line), "{line} is not in\n{page}");
        }
        assert!(!page.contains("capped"), "what never happened is not shown");
    }

    #[test]
    fn the_page_has_what_every_process_has() {
        let meters = meters();
        meters.fold(Monotonic::from_nanos(1));
        let page = meters.render();
        for name in [
            "process_resident_memory_bytes",
            "process_cpu_seconds_total",
            "process_open_fds",
            "process_start_time_seconds",
        ] {
            let mut lines = page.lines().filter_map(|line| line.split_once(' '));
            let value = lines.find_map(|(found, value)| (found == name).then_some(value));
            assert!(
                value.is_some_and(|value| value.parse::<f64>().is_ok()),
                "{name} in\n{page}"
            );
        }
    }

    #[test]
    fn every_campaign_is_counted_under_one_label() {
        let meters = meters();
        for campaign in ["a", "b"] {
            let what = What::Exited {
                exit: Exit::Killed,
                uptime: Duration::ZERO,
                asked: false,
            };
            let path = Arc::from(format!("campaigns/pool/{campaign}"));
            meters.note(
                &Observation {
                    at: UnixMillis::new(0),
                    path,
                    what,
                },
                Monotonic::from_nanos(0),
            );
        }
        let page = meters.render();
        assert!(
            page.contains("bidtree_restarts_total{child=\"campaigns/pool/*\",reason=\"killed\"} 2"),
            "{page}"
        );
    }
}
