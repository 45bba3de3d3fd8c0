//! The oracle's ledger: what each campaign must have been billed, from the outside.
//!
//! A bill is *sent* when its request is handed to a socket and *acknowledged* when a 2xx came back, each counted once,
//! however often it is repeated. So whatever crashed meanwhile, `acknowledged <= booked <= sent` has to hold.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Deserialize, Serialize};

use crate::decimal::Micros;

/// One impression to be billed.
#[derive(Clone, Debug)]
pub struct Bill {
    /// The bid and the imp: a second bill of both is the same bill.
    pub key: (String, String),
    /// The campaign.
    pub campaign: String,
    /// The currency of the price.
    pub currency: String,
    /// What it costs: a CPM in micros is the cost of one impression in nanos.
    pub price: Micros,
}

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

/// The ledger as a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OracleFile {
    /// One account per campaign and currency, in order.
    pub accounts: Vec<Account>,
}

/// The ledger while a run goes on.
#[derive(Debug, Default)]
pub struct Oracle {
    accounts: BTreeMap<(String, String), (Total, Total)>,
    /// By a fingerprint of 64 bits, so that a run of hours fits into memory. Two of ten million bills share one with a
    /// chance of one in 300,000.
    seen: HashMap<u64, Progress>,
}

#[derive(Debug, PartialEq, Eq)]
enum Progress {
    Sent,
    Acknowledged,
}

impl Total {
    fn add(&mut self, price: Micros) {
        self.count += 1;
        self.cost_nanos = self.cost_nanos.saturating_add(price.get());
    }
}

impl Oracle {
    /// A bill is handed to a socket.
    pub fn sent(&mut self, bill: &Bill) {
        let fresh = !self.seen.contains_key(&fingerprint(bill));
        if fresh {
            self.seen.insert(fingerprint(bill), Progress::Sent);
            self.account(bill).0.add(bill.price);
        }
    }

    /// A bill was answered with a 2xx.
    pub fn acknowledged(&mut self, bill: &Bill) {
        self.sent(bill);
        let before = self.seen.insert(fingerprint(bill), Progress::Acknowledged);
        if before != Some(Progress::Acknowledged) {
            self.account(bill).1.add(bill.price);
        }
    }

    /// What each currency's acknowledged bills cost.
    pub fn spend(&self) -> BTreeMap<&str, Total> {
        let mut spend: BTreeMap<&str, Total> = BTreeMap::new();
        for ((_, currency), (_, acknowledged)) in &self.accounts {
            let sum = spend.entry(currency).or_default();
            sum.count += acknowledged.count;
            sum.cost_nanos = sum.cost_nanos.saturating_add(acknowledged.cost_nanos);
        }
        spend
    }

    /// The ledger as a file.
    pub fn file(&self) -> OracleFile {
        let accounts = self.accounts.iter();
        OracleFile {
            accounts: accounts
                .map(|((campaign, currency), (sent, acknowledged))| Account {
                    campaign: campaign.clone(),
                    currency: currency.clone(),
                    sent: *sent,
                    acknowledged: *acknowledged,
                })
                .collect(),
        }
    }

    fn account(&mut self, bill: &Bill) -> &mut (Total, Total) {
        self.accounts
            .entry((bill.campaign.clone(), bill.currency.clone()))
            .or_default()
    }
}

fn fingerprint(bill: &Bill) -> u64 {
    let mut hasher = DefaultHasher::new();
    bill.key.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bill(bid: &str, campaign: &str, price: &str) -> Bill {
        Bill {
            key: (bid.to_owned(), "1".to_owned()),
            campaign: campaign.to_owned(),
            currency: "USD".to_owned(),
            price: price.parse().unwrap(),
        }
    }

    #[test]
    fn a_bill_counts_once_however_often_it_is_sent_and_acknowledged() {
        let mut oracle = Oracle::default();
        for _ in 0..3 {
            oracle.sent(&bill("a", "c", "2.50"));
            oracle.acknowledged(&bill("a", "c", "2.50"));
        }
        oracle.sent(&bill("b", "c", "1.000001"));
        let file = oracle.file();
        let total = |count, cost_nanos| Total { count, cost_nanos };
        assert_eq!(file.accounts.len(), 1);
        assert_eq!(file.accounts[0].sent, total(2, 3_500_001));
        assert_eq!(file.accounts[0].acknowledged, total(1, 2_500_000));
        assert_eq!(oracle.spend()["USD"], total(1, 2_500_000));
    }

    #[test]
    fn accounts_are_kept_per_campaign_and_currency_and_survive_a_file() {
        let mut oracle = Oracle::default();
        oracle.acknowledged(&bill("a", "c", "1"));
        oracle.acknowledged(&bill("b", "d", "1"));
        let euro = Bill {
            currency: "EUR".to_owned(),
            ..bill("c", "c", "1")
        };
        oracle.acknowledged(&euro);
        let file = oracle.file();
        assert_eq!(file.accounts.len(), 3);
        let text = serde_json::to_string(&file).unwrap();
        assert_eq!(serde_json::from_str::<OracleFile>(&text).unwrap(), file);
    }
}
