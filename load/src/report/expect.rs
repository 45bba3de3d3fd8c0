//! What was expected, beside what was found.

mod story;

use std::collections::BTreeMap;

use crate::notices::{NoticeKind, NoticeTally};
use crate::scenario::Expectations;
use crate::tally::{Tally, share};
pub(super) use story::judge_story;

/// One expectation.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// Its key in the scenario.
    pub name: String,
    /// What was expected.
    pub limit: f64,
    /// What was found.
    pub found: f64,
    /// Whether it holds.
    pub outcome: Outcome,
}

impl Expectation {
    /// What was found, for people.
    pub fn shown(&self) -> String {
        if self.found.is_nan() {
            "nothing".to_owned()
        } else {
            format!("{:.4}", self.found)
        }
    }
}

/// Whether an expectation holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It does.
    Pass,
    /// It does not.
    Fail,
}

#[derive(Clone, Copy)]
pub(super) enum Bound {
    AtMost,
    AtLeast,
}

/// Compares.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts are shown, and far below 2^52"
)]
pub(super) fn judge(
    expected: &Expectations,
    tally: &Tally,
    notices: &BTreeMap<NoticeKind, NoticeTally>,
    bills: u64,
) -> Vec<Expectation> {
    let all = tally.all();
    let poorest = tally
        .regions
        .iter()
        .filter(|region| region.requests > 0)
        .map(|region| share(region.bids, region.requests))
        .fold(1.0, f64::min);
    let failed: u64 = notices.values().map(|tally| tally.failed).sum();
    let acknowledged: u64 = notices.values().map(|tally| tally.acknowledged).sum();
    let of_requests = |count| share(count, all.requests);
    let rows = [
        (
            "fault_share_max",
            Bound::AtMost,
            expected.fault_share_max,
            of_requests(all.faulty),
        ),
        (
            "transport_failure_share_max",
            Bound::AtMost,
            expected.transport_failure_share_max,
            of_requests(all.failures),
        ),
        (
            "late_share_max",
            Bound::AtMost,
            expected.late_share_max,
            of_requests(all.late),
        ),
        (
            "bid_share_min",
            Bound::AtLeast,
            expected.bid_share_min,
            of_requests(all.bids),
        ),
        (
            "region_bid_share_min",
            Bound::AtLeast,
            expected.region_bid_share_min,
            poorest,
        ),
        (
            "p99_ms_max",
            Bound::AtMost,
            expected.p99_ms_max,
            all.latencies.quantile_ms(0.99),
        ),
        (
            "notice_failure_share_max",
            Bound::AtMost,
            expected.notice_failure_share_max,
            share(failed, failed + acknowledged),
        ),
        (
            "bills_min",
            Bound::AtLeast,
            expected.bills_min.map(|bills| bills as f64),
            bills as f64,
        ),
    ];
    rows.into_iter()
        .filter_map(|(name, bound, limit, found)| Some(compare(name, bound, limit?, found)))
        .collect()
}

pub(super) fn compare(
    name: impl Into<String>,
    bound: Bound,
    limit: f64,
    found: f64,
) -> Expectation {
    let holds = match bound {
        Bound::AtMost => found <= limit,
        Bound::AtLeast => found >= limit,
    };
    Expectation {
        name: name.into(),
        limit,
        found,
        outcome: if holds { Outcome::Pass } else { Outcome::Fail },
    }
}
