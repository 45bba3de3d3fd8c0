//! The oracle's own reading of the bidder's campaigns: caps, budgets, margins, days. Written from the description of the
//! configuration, not from the program that reads it.
//!
//! What a run does not check (creatives, targeting) is not looked at, and keys that are not known are passed over.

mod files;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::charge::{Charge, Rates};
use crate::decimal::Micros;

/// How long a bid's money stays promised where the configuration does not say, in ms.
const HOLD_MS: u64 = 300_000;

/// All campaigns.
#[derive(Debug)]
pub struct Catalogue {
    terms: HashMap<String, Rc<Terms>>,
    /// The shortest time that an exchange's bids stay promised without a notice, in ms.
    pub hold_ms: u64,
}

/// What a campaign agreed to.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Its currency.
    pub currency: String,
    /// What is added to the cost, in thousandths.
    pub margin_per_mille: u32,
    /// What a day may be charged, in nanos.
    pub budget_daily: Option<i64>,
    /// What all of it may be charged, in nanos.
    pub budget_total: Option<i64>,
    /// How often one person may see it.
    pub cap: Option<Cap>,
    zone: TimeZone,
    rates: Rc<Rates>,
}

/// How often one person may see a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cap {
    /// So many impressions.
    pub impressions: u32,
    /// In any time of this length, in ms.
    pub within_ms: u64,
}

/// A day of a campaign's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// Its number: days of the calendar are counted from any one.
    pub number: i32,
    /// Its first moment, in ms since 1970.
    pub starts_ms: u64,
    /// The first moment after it.
    pub ends_ms: u64,
}

/// A configuration that cannot be read.
#[derive(Debug)]
pub struct CatalogueError {
    /// The file or folder.
    pub file: PathBuf,
    /// Key, value, and what was expected.
    pub what: String,
}

impl fmt::Display for CatalogueError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.file.display(), self.what)
    }
}

impl Default for Catalogue {
    /// Knows no campaign.
    fn default() -> Self {
        Self {
            terms: HashMap::new(),
            hold_ms: HOLD_MS,
        }
    }
}

impl Catalogue {
    /// Reads `bidtree.toml` and `campaigns/` of a folder.
    ///
    /// # Errors
    /// [`CatalogueError`] with the first thing that cannot be read.
    pub fn read(folder: &Path) -> Result<Self, CatalogueError> {
        files::read(folder)
    }

    /// What a campaign agreed to.
    pub fn terms(&self, campaign: &str) -> Option<&Rc<Terms>> {
        self.terms.get(campaign)
    }

    /// How many campaigns it knows.
    pub fn campaigns(&self) -> usize {
        self.terms.len()
    }
}

impl Terms {
    /// What is charged for an impression at this price in this currency.
    pub fn charge(&self, price: Micros, currency: &str) -> Option<Charge> {
        let currencies = (currency, self.currency.as_str());
        self.rates.charge(price, currencies, self.margin_per_mille)
    }

    /// The day of its time zone at this moment (ms since 1970); all of time where the calendar does not reach.
    pub fn day(&self, at_ms: u64) -> Day {
        self.calendar_day(at_ms).unwrap_or(Day {
            number: 0,
            starts_ms: 0,
            ends_ms: u64::MAX,
        })
    }

    fn calendar_day(&self, at_ms: u64) -> Option<Day> {
        let moment = Timestamp::from_millisecond(i64::try_from(at_ms).ok()?).ok()?;
        let date = moment.to_zoned(self.zone.clone()).date();
        let start = |date: jiff::civil::Date| {
            let start = date.to_zoned(self.zone.clone()).ok()?;
            u64::try_from(start.timestamp().as_millisecond()).ok()
        };
        let (year, month, day) = (date.year(), date.month(), date.day());
        Some(Day {
            number: i32::from(year) * 372 + i32::from(month) * 31 + i32::from(day),
            starts_ms: start(date)?,
            ends_ms: start(date.tomorrow().ok()?)?,
        })
    }
}

#[cfg(test)]
mod tests;
