//! What has to hold within a part of a run, for some exchanges, or on the server's metrics page.

use std::time::Duration;

use serde::Deserialize;

use super::validate::Faults;

/// Phases and metrics that one scenario may name. Each phase keeps histograms of its own for each exchange.
const ROWS_MAX: usize = 64;

/// A part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// From this instant of the run.
    pub from: Duration,
    /// Until this one; to the end without it.
    pub to: Option<Duration>,
}

impl Window {
    /// Whether this instant is within.
    pub fn holds(&self, at: Duration) -> bool {
        at >= self.from && self.to.is_none_or(|to| at < to)
    }
}

/// What has to hold within a window, for requests that were due in it.
#[derive(Clone, Debug)]
pub struct Phase {
    /// What the report calls it.
    pub name: String,
    /// When.
    pub window: Window,
    /// Only these exchanges, by their place in the scenario; all where it is empty.
    pub exchanges: Vec<usize>,
    /// The limits.
    pub limits: Limits,
}

/// Limits for a phase. Shares are of its requests.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// Responses with a fault, at most.
    pub fault_share_max: Option<f64>,
    /// Requests without a response, at most.
    pub transport_failure_share_max: Option<f64>,
    /// Requests without a response, at least: shows that something was broken at all.
    pub transport_failure_share_min: Option<f64>,
    /// Responses after `tmax`, at most.
    pub late_share_max: Option<f64>,
    /// Requests with a bid, at least.
    pub bid_share_min: Option<f64>,
    /// Requests with a bid, at most.
    pub bid_share_max: Option<f64>,
    /// Latency from schedule that 99 % keep, in ms.
    pub p99_ms_max: Option<f64>,
    /// Requests, at least: a phase without any proves nothing.
    pub requests_min: Option<f64>,
}

/// What has to hold on the server's metrics page.
#[derive(Clone, Debug)]
pub struct Metric {
    /// As Prometheus writes it: a name, and labels that a series must have. Series that match are summed.
    pub metric: String,
    /// When; without it, the last value seen counts.
    pub window: Option<Window>,
    /// The highest value seen is at least this.
    pub at_least: Option<f64>,
    /// The highest value seen is at most this.
    pub at_most: Option<f64>,
    /// The highest value seen in the window is at most so far above the first: what grows without a limit.
    pub rises_at_most: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPhase {
    name: String,
    #[serde(default)]
    from_s: f64,
    to_s: Option<f64>,
    #[serde(default)]
    exchanges: Vec<String>,
    fault_share_max: Option<f64>,
    transport_failure_share_max: Option<f64>,
    transport_failure_share_min: Option<f64>,
    late_share_max: Option<f64>,
    bid_share_min: Option<f64>,
    bid_share_max: Option<f64>,
    p99_ms_max: Option<f64>,
    requests_min: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMetric {
    metric: String,
    from_s: Option<f64>,
    to_s: Option<f64>,
    at_least: Option<f64>,
    at_most: Option<f64>,
    rises_at_most: Option<f64>,
}

pub(super) fn phases(faults: &mut Faults, raw: Vec<RawPhase>, exchanges: &[&str]) -> Vec<Phase> {
    if raw.len() > ROWS_MAX {
        faults.add("expectations.phase", raw.len(), "at most 64 phases");
    }
    let raw = raw.into_iter().take(ROWS_MAX);
    raw.map(|raw| phase(faults, raw, exchanges)).collect()
}

fn phase(faults: &mut Faults, raw: RawPhase, exchanges: &[&str]) -> Phase {
    let key = format!("expectations.phase.{}", raw.name);
    let mut places = Vec::new();
    for name in &raw.exchanges {
        match exchanges.iter().position(|known| known == name) {
            Some(place) => places.push(place),
            None => faults.add(
                &format!("{key}.exchanges"),
                name,
                &format!("one of {}", exchanges.join(", ")),
            ),
        }
    }
    let window = window(faults, &key, raw.from_s, raw.to_s);
    let mut share = |name: &str, value| faults.share_option(&format!("{key}.{name}"), value);
    let limits = Limits {
        fault_share_max: share("fault_share_max", raw.fault_share_max),
        transport_failure_share_max: share(
            "transport_failure_share_max",
            raw.transport_failure_share_max,
        ),
        transport_failure_share_min: share(
            "transport_failure_share_min",
            raw.transport_failure_share_min,
        ),
        late_share_max: share("late_share_max", raw.late_share_max),
        bid_share_min: share("bid_share_min", raw.bid_share_min),
        bid_share_max: share("bid_share_max", raw.bid_share_max),
        p99_ms_max: raw.p99_ms_max,
        requests_min: raw.requests_min.map(f64::from),
    };
    Phase {
        name: raw.name,
        window,
        exchanges: places,
        limits,
    }
}

pub(super) fn metrics(faults: &mut Faults, raw: Vec<RawMetric>) -> Vec<Metric> {
    if raw.len() > ROWS_MAX {
        faults.add("expectations.metric", raw.len(), "at most 64 metrics");
    }
    let raw = raw.into_iter().take(ROWS_MAX);
    raw.map(|raw| metric(faults, raw)).collect()
}

fn metric(faults: &mut Faults, raw: RawMetric) -> Metric {
    let key = "expectations.metric";
    if crate::watch::Selector::parse(&raw.metric).is_none() {
        let advice = "like 'bidtree_restarts_total' or 'bidtree_exchange_mode{exchange=\"adx\",mode=\"bidding\"}'";
        faults.add(key, &raw.metric, advice);
    }
    if raw.at_least.is_none() && raw.at_most.is_none() && raw.rises_at_most.is_none() {
        let advice = "say `at_least`, `at_most` or `rises_at_most`";
        faults.add(key, &raw.metric, advice);
    }
    let has_window = raw.from_s.is_some() || raw.to_s.is_some();
    if raw.rises_at_most.is_some() && !has_window {
        faults.add(
            key,
            &raw.metric,
            "say from when with `from_s`: a start is no growth",
        );
    }
    let window = has_window.then(|| window(faults, key, raw.from_s.unwrap_or_default(), raw.to_s));
    Metric {
        metric: raw.metric,
        window,
        at_least: raw.at_least,
        at_most: raw.at_most,
        rises_at_most: raw.rises_at_most,
    }
}

fn window(faults: &mut Faults, key: &str, from_s: f64, to_s: Option<f64>) -> Window {
    let is_time = |seconds: f64| (0.0..=f64::from(super::validate::SECONDS_MAX)).contains(&seconds);
    if !is_time(from_s) || to_s.is_some_and(|to| !is_time(to) || to <= from_s) {
        let shown = format!("from_s {from_s}, to_s {to_s:?}");
        faults.add(key, shown, "seconds of the run; from_s comes before to_s");
        return Window {
            from: Duration::ZERO,
            to: None,
        };
    }
    Window {
        from: Duration::from_secs_f64(from_s),
        to: to_s.map(Duration::from_secs_f64),
    }
}
