//! The TOML of a scenario, as written. Unknown keys are refused; what values mean is `validate`'s.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use toml::Table;

use super::expectation::{RawMetric, RawPhase};
use super::injection::RawInjection;
use super::server::RawServer;

/// From a table to its shape; the message names the key.
pub(super) fn read(table: Table) -> Result<Scenario, String> {
    table
        .try_into()
        .map_err(|fault: toml::de::Error| fault.to_string())
}

use super::auction::RawAuction;
use super::notices::RawNotices;
use super::oracle::{BooksRule, RawOracle};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenario {
    pub(super) description: String,
    #[serde(default)]
    pub(super) about: String,
    pub(super) rate: u32,
    pub(super) seconds: u32,
    pub(super) seed: u64,
    pub(super) connections_max: usize,
    pub(super) give_up_ms: u64,
    pub(super) drain_seconds: u64,
    #[serde(default)]
    pub(super) checks: Checks,
    pub(super) arrivals: Option<super::arrivals::Raw>,
    pub(super) admin: Option<String>,
    #[serde(default)]
    pub(super) server: RawServer,
    #[serde(default)]
    pub(super) faults: Vec<RawInjection>,
    pub(super) capacity_p99_ms: Option<f64>,
    pub(super) exchanges: Vec<Exchange>,
    pub(super) traffic: Traffic,
    pub(super) auction: RawAuction,
    pub(super) notices: RawNotices,
    #[serde(default)]
    pub(super) oracle: RawOracle,
    #[serde(default)]
    pub(super) rates: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) expectations: Expectations,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Checks {
    #[default]
    Full,
    None,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exchange {
    pub(super) name: String,
    pub(super) url: String,
    pub(super) dialect: String,
    pub(super) weight: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Traffic {
    pub(super) users: u64,
    pub(super) floor_min: String,
    pub(super) floor_max: String,
    pub(super) floor_currencies: BTreeMap<String, f64>,
    pub(super) blocked_domains: Vec<String>,
    pub(super) blocked_categories: Vec<String>,
    pub(super) tmax_ms: (u64, u64),
    pub(super) media: Media,
    pub(super) shares: Shares,
    pub(super) regions: Vec<Region>,
    #[serde(default)]
    pub(super) privacy: super::traffic::RawPrivacy,
    #[serde(default)]
    pub(super) deals: super::traffic::RawDeals,
    #[serde(default)]
    pub(super) gzip_share: f64,
    #[serde(default)]
    pub(super) prepared: u64,
    pub(super) folder: Option<PathBuf>,
    pub(super) file: Option<PathBuf>,
    #[serde(default)]
    pub(super) fresh_ids: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Region {
    pub(super) name: String,
    pub(super) weight: f64,
    pub(super) countries: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Media {
    pub(super) banner: f64,
    pub(super) video: f64,
    pub(super) native: f64,
    pub(super) multi_format: f64,
    pub(super) multi_imp: f64,
    #[serde(default)]
    pub(super) audio: f64,
    #[serde(default)]
    pub(super) pod: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shares {
    pub(super) app: f64,
    pub(super) anonymous: f64,
    pub(super) coppa: f64,
    pub(super) limited: f64,
    pub(super) old_shape: f64,
    pub(super) alpha2: f64,
    pub(super) secure: f64,
    pub(super) first_price: f64,
    pub(super) floor: f64,
    pub(super) blocking: f64,
    #[serde(default)]
    pub(super) test: f64,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expectations {
    pub(super) fault_share_max: Option<f64>,
    pub(super) transport_failure_share_max: Option<f64>,
    pub(super) late_share_max: Option<f64>,
    pub(super) bid_share_min: Option<f64>,
    pub(super) region_bid_share_min: Option<f64>,
    pub(super) p99_ms_max: Option<f64>,
    pub(super) notice_failure_share_max: Option<f64>,
    pub(super) bills_min: Option<u64>,
    pub(super) books: Option<BooksRule>,
    pub(super) caps_exceeded_max: Option<u64>,
    pub(super) bids_over_budget_max: Option<u64>,
    pub(super) forged_booked_max: Option<u64>,
    pub(super) slow_bid_ratio_min: Option<f64>,
    pub(super) injected_wrong_max: Option<u64>,
    pub(super) capacity_min: Option<f64>,
    #[serde(default)]
    pub(super) phase: Vec<RawPhase>,
    #[serde(default)]
    pub(super) metric: Vec<RawMetric>,
}
