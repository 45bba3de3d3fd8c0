//! The TOML of a bidder's configuration, as far as the oracle needs it.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::rc::Rc;

use jiff::tz::TimeZone;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Cap, Catalogue, CatalogueError, HOLD_MS, Rates, Terms};
use crate::decimal;

/// As many as a bidder takes in one folder.
const FILES_MAX: usize = 100_000;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Settings {
    exchanges: BTreeMap<String, Exchange>,
    rates: RatesSection,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Exchange {
    hold: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RatesSection {
    in_usd: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Campaign {
    currency: Option<String>,
    margin_percent: Option<String>,
    #[serde(default)]
    budget: Budget,
    time_zone: Option<String>,
    frequency: Option<Frequency>,
}

#[derive(Default, Deserialize)]
struct Budget {
    daily: Option<String>,
    total: Option<String>,
}

#[derive(Deserialize)]
struct Frequency {
    impressions: u32,
    within: String,
}

/// A key whose value cannot be read.
type Fault = String;

pub(super) fn read(folder: &Path) -> Result<Catalogue, CatalogueError> {
    let path = folder.join("bidtree.toml");
    let settings: Settings = toml(&path)?;
    let at = |file: &Path| {
        let file = file.to_owned();
        move |what| CatalogueError { file, what }
    };
    let (rates, hold_ms) = self::settings(settings).map_err(at(&path))?;
    let rates = Rc::new(rates);
    let folder = folder.join("campaigns");
    let mut terms = HashMap::new();
    let unreadable = |error: std::io::Error| error.to_string();
    for file in std::fs::read_dir(&folder)
        .map_err(unreadable)
        .map_err(at(&folder))?
    {
        let path = file.map_err(unreadable).map_err(at(&folder))?.path();
        let is_toml = path
            .extension()
            .is_some_and(|extension| extension == "toml");
        let Some(id) = path.file_stem().and_then(|stem| stem.to_str()) else {
            continue;
        };
        if !is_toml || id.starts_with('.') {
            continue;
        }
        if terms.len() >= FILES_MAX {
            return Err(at(&folder)(format!("more than {FILES_MAX} files")));
        }
        let campaign: Campaign = toml(&path)?;
        let campaign = self::terms(campaign, &rates).map_err(at(&path))?;
        terms.insert(id.to_owned(), Rc::new(campaign));
    }
    Ok(Catalogue { terms, hold_ms })
}

fn toml<T: DeserializeOwned>(path: &Path) -> Result<T, CatalogueError> {
    let error = |what| CatalogueError {
        file: path.to_owned(),
        what,
    };
    let text = std::fs::read_to_string(path).map_err(|found| error(found.to_string()))?;
    toml::from_str(&text).map_err(|found| error(found.to_string()))
}

fn settings(settings: Settings) -> Result<(Rates, u64), Fault> {
    let mut rates = BTreeMap::new();
    for (currency, text) in settings.rates.in_usd {
        let rate = billionths(&format!("rates.in_usd.{currency}"), &text)?;
        rates.insert(currency, rate);
    }
    let mut hold_ms = None;
    for (name, exchange) in settings.exchanges {
        let hold = match exchange.hold {
            Some(text) => span_ms(&format!("exchanges.{name}.hold"), &text)?,
            None => HOLD_MS,
        };
        hold_ms = Some(hold_ms.map_or(hold, |shortest: u64| shortest.min(hold)));
    }
    Ok((Rates(rates), hold_ms.unwrap_or(HOLD_MS)))
}

fn terms(campaign: Campaign, rates: &Rc<Rates>) -> Result<Terms, Fault> {
    let amount =
        |key: &str, text: Option<String>| text.map(|text| billionths(key, &text)).transpose();
    let zone = campaign.time_zone.as_deref().unwrap_or("UTC");
    let cap = campaign.frequency.map(|cap| {
        let within_ms = span_ms("frequency.within", &cap.within)?;
        Ok::<Cap, Fault>(Cap {
            impressions: cap.impressions,
            within_ms,
        })
    });
    let margin = campaign.margin_percent.as_deref().unwrap_or("0");
    Ok(Terms {
        currency: campaign.currency.unwrap_or_else(|| "USD".to_owned()),
        margin_per_mille: per_mille("margin_percent", margin)?,
        budget_daily: amount("budget.daily", campaign.budget.daily)?,
        budget_total: amount("budget.total", campaign.budget.total)?,
        cap: cap.transpose()?,
        zone: TimeZone::get(zone).map_err(|error| format!("time_zone = {zone}: {error}"))?,
        rates: Rc::clone(rates),
    })
}

fn billionths(key: &str, text: &str) -> Result<i64, Fault> {
    decimal::billionths(text).map_err(|error| format!("{key} = {text}: {error}"))
}

/// Percent with one decimal, as thousandths.
fn per_mille(key: &str, text: &str) -> Result<u32, Fault> {
    let billionths = billionths(key, text)?;
    u32::try_from(billionths / 100_000_000)
        .map_err(|_| format!("{key} = {text}: a percentage from 0"))
}

/// Digits and a unit.
fn span_ms(key: &str, text: &str) -> Result<u64, Fault> {
    let units = [
        ("ms", 1),
        ("s", 1_000),
        ("m", 60_000),
        ("h", 3_600_000),
        ("d", 86_400_000),
    ];
    let read = |(unit, ms): &(&str, u64)| {
        let count: u64 = text.strip_suffix(unit)?.parse().ok()?;
        count.checked_mul(*ms)
    };
    units
        .iter()
        .find_map(read)
        .ok_or_else(|| format!("{key} = {text}: a time like \"24h\""))
}
