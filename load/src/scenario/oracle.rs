//! `[oracle]` and the expectations that it judges: books, caps, budgets, forgeries.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::validate::Faults;

/// Books are asked again for at most so long after a run.
const SETTLE_MS_MAX: u64 = 600_000;

/// What the oracle knows of the bidder.
#[derive(Clone, Debug, Default)]
pub struct OracleSettings {
    /// The folder of the bidder's configuration, for its campaigns' caps and budgets. Without it, where those are
    /// expected, it is the server's.
    pub config: Option<PathBuf>,
    /// How long the books may take after the last notice to become right.
    pub settle: Duration,
}

/// How well the books have to agree with the oracle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BooksRule {
    /// Booked is what was sent and acknowledged, to the nano: nothing crashed and nothing was lost on the way.
    Exact,
    /// Booked lies between what was acknowledged and what was sent, whatever crashed.
    Bounded,
}

/// What the oracle is to find at the end.
#[derive(Clone, Copy, Debug, Default)]
pub struct OracleExpectations {
    /// How well the books agree.
    pub books: Option<BooksRule>,
    /// Bids and impressions above a frequency cap, at most.
    pub caps_exceeded_max: Option<u64>,
    /// Bids for which there was no budget left, at most.
    pub bids_over_budget_max: Option<u64>,
    /// Forged notices that were booked, at most.
    pub forged_booked_max: Option<u64>,
    /// The bid share of slow answers, as a part of the bid share of all, at least: who drops the requests that would
    /// take long looks fast without it.
    pub slow_bid_ratio_min: Option<f64>,
}

impl OracleExpectations {
    /// Whether the bidder's books have to be read.
    pub const fn needs_books(&self) -> bool {
        self.books.is_some() || self.forged_booked_max.is_some()
    }

    /// Whether the bidder's configuration has to be read.
    pub const fn needs_config(&self) -> bool {
        self.caps_exceeded_max.is_some() || self.bids_over_budget_max.is_some()
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOracle {
    config: Option<PathBuf>,
    settle_ms: Option<u64>,
}

pub(super) fn oracle(faults: &mut Faults, raw: RawOracle) -> OracleSettings {
    let settle_ms = raw.settle_ms.unwrap_or(5_000);
    if settle_ms > SETTLE_MS_MAX {
        faults.add("oracle.settle_ms", settle_ms, "at most 600000");
    }
    OracleSettings {
        config: raw.config,
        settle: Duration::from_millis(settle_ms),
    }
}
