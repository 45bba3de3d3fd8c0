//! Are the bidder's books right? What it booked for each campaign, beside what the oracle saw: from the outside.
//!
//! `acknowledged <= booked <= sent` holds for every campaign and currency whatever crashed in between: an acknowledged
//! bill must be in the books, and nothing may be in them that nobody sent.

mod fetch;
mod reckoning;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::oracle::{Account, ChargeAccount, OracleFile};
use crate::scenario::BooksRule;
pub use fetch::fetch;
pub use reckoning::Reckoning;

/// Stands for the currency where a bidder tells only one sum of all.
const ALL_CURRENCIES: &str = "*";
/// Stands for the currency in rows of what campaigns are charged, each in its own one.
const CHARGE: &str = "charge";

/// What is booked: nanos of cost by campaign and currency.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Books {
    /// By campaign, then by currency.
    pub campaigns: BTreeMap<String, BTreeMap<String, i64>>,
    /// What campaigns are charged, where the bidder tells.
    #[serde(default)]
    pub charges: BTreeMap<String, Charges>,
    /// Impressions by campaign, where the bidder counts them.
    #[serde(default)]
    pub impressions: BTreeMap<String, u64>,
}

/// What a campaign is charged, in nanos of its own currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Charges {
    /// In all.
    pub total_nanos: i64,
    /// On the present day of its time zone.
    pub today_nanos: i64,
}

/// One campaign in one currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The campaign.
    pub campaign: String,
    /// The currency.
    pub currency: String,
    /// Cost of acknowledged bills, in nanos.
    pub acknowledged: i64,
    /// Cost booked, in nanos.
    pub booked: i64,
    /// Cost of sent bills, in nanos.
    pub sent: i64,
    /// How much less than that is as right, in nanos: a conversion may be rounded in more than one way.
    pub slack: i64,
}

/// What a row shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// As it has to be.
    Right,
    /// An acknowledged bill is missing.
    Under,
    /// Something was booked that was never sent.
    Over,
    /// A bill was sent and never acknowledged, so nobody knows whether it must be in the books.
    Unsure,
}

/// Books that cannot be checked.
#[derive(Debug)]
pub enum BooksError {
    /// A file that cannot be read or written.
    Io(PathBuf, std::io::Error),
    /// A file that holds something else.
    Format(PathBuf, serde_json::Error),
    /// The bidder does not tell.
    Fetch(String, String),
}

impl fmt::Display for BooksError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(path, error) => write!(out, "{}: {error}", path.display()),
            Self::Format(path, error) => write!(out, "{}: {error}", path.display()),
            Self::Fetch(place, why) => write!(out, "{place}: {why}"),
        }
    }
}

impl Row {
    /// What it shows.
    pub const fn finding(&self) -> Finding {
        if self.booked < self.acknowledged {
            Finding::Under
        } else if self.booked > self.sent {
            Finding::Over
        } else {
            Finding::Right
        }
    }

    /// What it shows by a rule.
    pub const fn finding_by(&self, rule: BooksRule) -> Finding {
        match rule {
            BooksRule::Bounded => self.finding(),
            BooksRule::Exact if self.booked > self.sent => Finding::Over,
            BooksRule::Exact if self.booked.saturating_add(self.slack) < self.sent => {
                Finding::Under
            }
            BooksRule::Exact if self.acknowledged.saturating_add(self.slack) < self.sent => {
                Finding::Unsure
            }
            BooksRule::Exact => Finding::Right,
        }
    }
}

/// Compares the books, less what was in them `before`, with the oracle's ledger. One row for each campaign and currency
/// that either knows.
pub fn compare(books: &Books, before: &Books, oracle: &OracleFile) -> Vec<Row> {
    let mut keys: BTreeSet<(&str, &str)> = BTreeSet::new();
    for (campaign, costs) in &books.campaigns {
        keys.extend(
            costs
                .keys()
                .map(|currency| (campaign.as_str(), currency.as_str())),
        );
    }
    for account in &oracle.accounts {
        let one_sum = books
            .campaigns
            .get(&account.campaign)
            .is_some_and(|costs| costs.contains_key(ALL_CURRENCIES));
        if !one_sum {
            keys.insert((&account.campaign, &account.currency));
        }
    }
    keys.into_iter()
        .map(|(campaign, currency)| row(books, before, oracle, (campaign, currency)))
        .chain(charges(books, before, oracle))
        .filter(|row| row.booked != 0 || row.sent != 0)
        .collect()
}

/// One row for each campaign whose charge both tell.
fn charges(books: &Books, before: &Books, oracle: &OracleFile) -> Vec<Row> {
    let charged = |books: &Books, campaign: &str| {
        let charges = books.charges.get(campaign)?;
        Some(charges.total_nanos)
    };
    let row = |account: &ChargeAccount| {
        let campaign = &account.campaign;
        let booked = charged(books, campaign)?;
        let earlier = charged(before, campaign).unwrap_or(0);
        Some(Row {
            campaign: campaign.clone(),
            currency: CHARGE.to_owned(),
            acknowledged: account.acknowledged.least_nanos,
            booked: booked.saturating_sub(earlier),
            sent: account.sent.most_nanos,
            slack: account
                .sent
                .most_nanos
                .saturating_sub(account.sent.least_nanos),
        })
    };
    oracle.charges.iter().filter_map(row).collect()
}

fn row(books: &Books, before: &Books, oracle: &OracleFile, key: (&str, &str)) -> Row {
    let (campaign, currency) = key;
    let is_meant = |account: &&Account| {
        account.campaign == campaign && (currency == ALL_CURRENCIES || account.currency == currency)
    };
    let accounts = || oracle.accounts.iter().filter(is_meant);
    Row {
        campaign: campaign.to_owned(),
        currency: currency.to_owned(),
        acknowledged: accounts()
            .map(|account| account.acknowledged.cost_nanos)
            .sum(),
        booked: books.cost(key).saturating_sub(before.cost(key)),
        sent: accounts().map(|account| account.sent.cost_nanos).sum(),
        slack: 0,
    }
}

impl Books {
    fn cost(&self, (campaign, currency): (&str, &str)) -> i64 {
        let costs = self.campaigns.get(campaign);
        costs
            .and_then(|costs| costs.get(currency))
            .copied()
            .unwrap_or(0)
    }

    /// Reads a snapshot.
    ///
    /// # Errors
    /// [`BooksError`] where there is none.
    pub fn read(path: &Path) -> Result<Self, BooksError> {
        read_json(path)
    }

    /// Writes a snapshot.
    ///
    /// # Errors
    /// [`BooksError`] where it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), BooksError> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| BooksError::Format(path.to_owned(), error))?;
        std::fs::write(path, text).map_err(|error| BooksError::Io(path.to_owned(), error))
    }
}

/// Reads an oracle's ledger.
///
/// # Errors
/// [`BooksError`] where there is none.
pub fn read_oracle(path: &Path) -> Result<OracleFile, BooksError> {
    read_json(path)
}

fn read_json<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, BooksError> {
    let text = std::fs::read(path).map_err(|error| BooksError::Io(path.to_owned(), error))?;
    serde_json::from_slice(&text).map_err(|error| BooksError::Format(path.to_owned(), error))
}

/// The table for people: what is wrong first.
pub fn table(rows: &[Row]) -> String {
    text::write(rows, BooksRule::Bounded)
}

/// Whether all rows are right.
pub fn are_right(rows: &[Row]) -> bool {
    rows.iter().all(|row| row.finding() == Finding::Right)
}

#[cfg(test)]
mod tests;
