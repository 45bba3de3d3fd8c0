//! The ledger as a file, for `check-books`.

use serde::{Deserialize, Serialize};

use super::charge::Charge;
use crate::decimal::Micros;

/// So many bills and what they cost together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Total {
    /// How many.
    pub count: u64,
    /// Their cost, in nanos of the currency.
    pub cost_nanos: i64,
}

/// What one campaign was billed in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The campaign.
    pub campaign: String,
    /// The currency.
    pub currency: String,
    /// Handed to a socket.
    pub sent: Total,
    /// Answered with a 2xx.
    pub acknowledged: Total,
}

/// What one campaign is charged in its own currency, for all of its bills, whatever currency they are in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChargeAccount {
    /// The campaign.
    pub campaign: String,
    /// For bills handed to a socket.
    pub sent: Charge,
    /// For bills answered with a 2xx.
    pub acknowledged: Charge,
}

/// The ledger as a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OracleFile {
    /// One account per campaign and currency, in order.
    pub accounts: Vec<Account>,
    /// One per campaign whose terms are known, in order.
    #[serde(default)]
    pub charges: Vec<ChargeAccount>,
}

impl Total {
    pub(super) fn add(&mut self, price: Micros) {
        self.count += 1;
        self.cost_nanos = self.cost_nanos.saturating_add(price.get());
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.cost_nanos = self.cost_nanos.saturating_add(other.cost_nanos);
    }
}
