//! `campaigns/<id>.toml`.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::deals;
use super::folder::{Parts, check_known};
use super::moments::{Edge, MOMENT};
use super::{targeting, valuation};
use crate::campaign::{
    Advertiser, Campaign, CampaignFault, Creative, FrequencyCap, Goal, Pacing, Reach,
};
use crate::config::keys;
use crate::config::kinds::{CURRENCY, ID, MONEY, PERCENT, SPAN, TEXT, TIME_ZONE};
use crate::config::reader::Reader;
use crate::config::source::{Source, read_table};
use crate::units::{CampaignKey, Cpm, Currency, ExchangeKey, Nanos, RegionKey, UnixMillis};

const PACINGS: &[(&str, Pacing)] = &[("even", Pacing::Even), ("asap", Pacing::Asap)];

pub(super) fn read(
    source: &Source<'_>,
    id: &str,
    path: &Path,
    parts: &Parts<'_>,
) -> Option<Campaign> {
    let table = read_table(path, source)?;
    let mut reader = Reader::new(source, String::new(), table, &[keys::CAMPAIGN]);
    // For people only.
    reader.one("name", &TEXT);
    let advertiser = advertiser(&mut reader, parts);
    let creatives = creatives(&mut reader, parts);
    let usual = advertiser.as_ref().map_or(Currency::USD, |it| it.currency);
    let currency = reader.or("currency", &CURRENCY, usual);
    let (goal, max_cpm) = valuation::goal(&mut reader);
    let multipliers = valuation::multipliers(&mut reader, parts);
    check_rate(&reader, currency, parts);
    if let Some(Goal::Cpm(price)) = goal {
        check_fuse(&reader, (price, currency), parts);
    }
    let margin_per_mille = reader.or("margin_percent", &PERCENT, 0);
    let places = parts.places;
    let regions = reach(
        &mut reader,
        "regions",
        places.regions.as_deref(),
        RegionKey::of,
    );
    let exchanges = reach(
        &mut reader,
        "exchanges",
        places.exchanges.as_deref(),
        ExchangeKey::of,
    );
    let (market, deals) = deals::read(&mut reader, currency, parts);
    let budget = budget(&mut reader);
    let time_zone = reader.or("time_zone", &TIME_ZONE, TimeZone::UTC);
    let (starts_at, ends_at) = flight(&mut reader, &time_zone);
    let cap = cap(&mut reader, "frequency");
    let pacing = reader.word("pacing", PACINGS, Pacing::Even);
    let active = reader.flag("active", true);
    let targeting = targeting::read(&mut reader, places);
    let (budget_daily, budget_total) = budget?;
    let campaign = Campaign {
        id: id.into(),
        key: CampaignKey::of(id),
        advertiser: advertiser?,
        currency,
        goal: goal?,
        max_cpm,
        multipliers,
        margin_per_mille,
        regions,
        exchanges,
        market,
        deals,
        targeting,
        cap,
        budget_daily,
        budget_total,
        starts_at,
        ends_at,
        time_zone,
        pacing,
        creatives: creatives?,
        active,
    };
    if !campaign.is_plain() {
        check_price_max(&reader, &campaign, parts);
    }
    for fault in campaign.faults() {
        reader.fault(key_of(&fault), fault.to_string());
    }
    Some(campaign)
}

fn advertiser(reader: &mut Reader<'_>, parts: &Parts<'_>) -> Option<Arc<Advertiser>> {
    let id = reader.must("advertiser", &ID)?;
    match parts.advertisers.find(&id) {
        Ok(found) => found,
        Err(advice) => {
            reader.fault("advertiser", advice);
            None
        }
    }
}

fn creatives(reader: &mut Reader<'_>, parts: &Parts<'_>) -> Option<Vec<Creative>> {
    if !reader.has("creatives") {
        reader.fault("creatives", "missing; expects ids of files in creatives/");
    }
    let mut all = Some(Vec::new());
    let ids = reader.list("creatives", &ID);
    for (place, id) in ids.iter().enumerate() {
        if ids.iter().take(place).any(|other| other == id) {
            reader.fault("creatives", format!("{id} is there twice; leave one"));
        }
        match parts.creatives.find(id) {
            Ok(Some(creative)) => {
                if let Some(all) = &mut all {
                    all.push(creative);
                }
            }
            Ok(None) => all = None,
            Err(advice) => {
                reader.fault("creatives", advice);
                all = None;
            }
        }
    }
    all
}

/// A price that could never be compared is a slip.
fn check_rate(reader: &Reader<'_>, currency: Currency, parts: &Parts<'_>) {
    let Some(rates) = &parts.places.rates else {
        return;
    };
    if rates.in_dollars(currency).is_none() {
        let advice = format!("{currency} has no rate; add it to [rates.in_usd] in bidtree.toml");
        reader.fault("currency", advice);
    }
}

/// A price above the fuse would never be bid.
pub(super) fn check_fuse(
    reader: &Reader<'_>,
    (price, currency): (Cpm, Currency),
    parts: &Parts<'_>,
) {
    if let Some((dollars, most)) = above_fuse((price, currency), parts) {
        let advice = format!(
            "{dollars} USD is above fuses.max_cpm = {most}, so it would never bid; lower it, or raise the fuse"
        );
        reader.fault("cpm", advice);
    }
}

/// Nor one that multipliers may raise above it: where it matters most, nothing would be bid.
fn check_price_max(reader: &Reader<'_>, campaign: &Campaign, parts: &Parts<'_>) {
    let price = (campaign.price_max(), campaign.currency);
    if let Some((dollars, most)) = above_fuse(price, parts) {
        let advice = format!(
            "it may come to bid {dollars} USD, which is above fuses.max_cpm = {most} and would be no bid; set max_cpm to less"
        );
        reader.fault("max_cpm", advice);
    }
}

/// The price in US dollars and the fuse, if it is above it.
fn above_fuse((price, currency): (Cpm, Currency), parts: &Parts<'_>) -> Option<(Cpm, Cpm)> {
    let rate = parts.places.rates.as_ref()?.in_dollars(currency)?;
    let (dollars, most) = (price.convert(rate)?, parts.places.max_cpm?);
    (dollars > most).then_some((dollars, most))
}

fn reach<K>(
    reader: &mut Reader<'_>,
    key: &'static str,
    known: Option<&[String]>,
    key_of: fn(&str) -> K,
) -> Reach<K> {
    if !reader.has(key) {
        return Reach::All;
    }
    let named = reader.list(key, &ID);
    for name in &named {
        check_known(reader, key, name, known);
    }
    Reach::Only(named.iter().map(|name| key_of(name)).collect())
}

/// What a day and what the campaign may charge. Without a daily budget, a day may charge all of it.
fn budget(campaign: &mut Reader<'_>) -> Option<(Nanos, Option<Nanos>)> {
    let mut reader = campaign.section("budget", &[keys::BUDGET]);
    if !reader.has("daily") && !reader.has("total") {
        reader.fault(
            "",
            "missing; expects { daily = \"50.00\" }, or a total, or both",
        );
    }
    let daily = reader.one("daily", &MONEY);
    let total = reader.one("total", &MONEY);
    Some((daily.or(total)?, total))
}

fn flight(campaign: &mut Reader<'_>, zone: &TimeZone) -> (Option<UnixMillis>, Option<UnixMillis>) {
    let mut reader = campaign.section("flight", &[keys::FLIGHT]);
    let mut edge = |key, edge| {
        let moment = reader.one(key, &MOMENT)?;
        let at = moment.at(zone, edge);
        if at.is_none() {
            reader.fault(key, "is beyond the calendar");
        }
        at
    };
    (edge("starts", Edge::Start), edge("ends", Edge::End))
}

/// How often one person may see something.
pub(super) fn cap(reader: &mut Reader<'_>, key: &'static str) -> Option<FrequencyCap> {
    if !reader.has(key) {
        return None;
    }
    let mut reader = reader.section(key, &[keys::FREQUENCY]);
    let impressions = reader.must_whole("impressions", &(1..=1_000_000));
    let window: Option<Duration> = reader.must("within", &SPAN);
    Some(FrequencyCap {
        impressions: impressions?,
        window: window?,
    })
}

/// The key whose value a fault is about.
fn key_of(fault: &CampaignFault) -> &'static str {
    match fault {
        CampaignFault::Price => "cpm",
        CampaignFault::Goal => "goal.cpc",
        CampaignFault::MaxCpm { .. } => "max_cpm",
        CampaignFault::Multipliers | CampaignFault::Multiplier { .. } => "multipliers",
        CampaignFault::Margin => "margin_percent",
        CampaignFault::BudgetDaily => "budget.daily",
        CampaignFault::BudgetTotal => "budget.total",
        CampaignFault::Cap => "frequency",
        CampaignFault::Flight => "flight",
        CampaignFault::Hours => "targeting.hours",
        CampaignFault::Reach { what } => what,
        CampaignFault::Creatives | CampaignFault::Creative { .. } => "creatives",
        CampaignFault::Deals | CampaignFault::Deal { .. } => "deals",
        CampaignFault::SharedCurrency { .. } => "currency",
        CampaignFault::NoDomain { .. } => "advertiser",
    }
}
