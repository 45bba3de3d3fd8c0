//! What the oracle found, beside what was expected of it.

use serde_json::{Value, json};

use super::expect::{Bound, Expectation, compare};
use crate::books::Reckoning;
use crate::oracle::Findings;
use crate::scenario::{BooksRule, OracleExpectations};

/// What the oracle found.
#[derive(Clone, Debug, Default)]
pub struct OracleReport {
    /// Bids that ought not to be.
    pub findings: Findings,
    /// The books beside the ledger, where they were asked for.
    pub reckoning: Option<Reckoning>,
    /// The bid share of slow answers, as a part of that of all.
    pub slow_bid_ratio: f64,
    /// Forged notices that were handed to a socket.
    pub forged: u64,
}

impl OracleReport {
    /// Compares.
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts are shown, and far below 2^52"
    )]
    pub(super) fn judge(&self, expected: &OracleExpectations) -> Vec<Expectation> {
        let reckoning = self.reckoning.as_ref();
        let books = match expected.books {
            Some(BooksRule::Exact) => "books_exact",
            _ => "books_bounded",
        };
        let limit = |limit: Option<u64>| limit.map(|limit| limit as f64);
        let rows = [
            (
                books,
                Bound::AtMost,
                expected.books.map(|_| 0.0),
                wrong(reckoning) as f64,
            ),
            (
                "caps_exceeded_max",
                Bound::AtMost,
                limit(expected.caps_exceeded_max),
                self.findings.caps_exceeded() as f64,
            ),
            (
                "bids_over_budget_max",
                Bound::AtMost,
                limit(expected.bids_over_budget_max),
                self.findings.over_budget.count as f64,
            ),
            (
                "forged_booked_max",
                Bound::AtMost,
                limit(expected.forged_booked_max),
                self.forged_booked() as f64,
            ),
            (
                "slow_bid_ratio_min",
                Bound::AtLeast,
                expected.slow_bid_ratio_min,
                self.slow_bid_ratio,
            ),
        ];
        rows.into_iter()
            .filter_map(|(name, bound, limit, found)| Some(compare(name, bound, limit?, found)))
            .collect()
    }

    /// Forged notices that were booked: as many as were booked without a true one. Books that cannot be read say
    /// nothing, so all may be.
    fn forged_booked(&self) -> u64 {
        match &self.reckoning {
            Some(reckoning) if reckoning.unreadable.is_none() => reckoning.invented,
            _ => self.forged,
        }
    }

    pub(super) fn text(&self) -> String {
        let reckoning = self.reckoning.as_ref();
        let books = reckoning.map(Reckoning::text).unwrap_or_default();
        format!("{}{books}", self.findings.text())
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "findings": self.findings.json(),
            "books": self.reckoning.as_ref().map(Reckoning::json),
            "slow_bid_ratio": self.slow_bid_ratio,
            "forged_booked": self.forged_booked(),
        })
    }
}

/// Rows that are wrong; where books were never read, one.
fn wrong(reckoning: Option<&Reckoning>) -> u64 {
    reckoning.map_or(1, Reckoning::wrong)
}
