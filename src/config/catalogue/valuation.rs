//! What a campaign pays for, and its `[[multipliers]]`.

use super::folder::{Parts, check_known};
use super::hours::{HOURS, joined};
use super::targeting::segment_keys;
use crate::campaign::{Conditions, FormatKind, Goal, InventoryList, Multiplier};
use crate::config::keys;
use crate::config::kinds::{
    BUNDLE, CATEGORY, COUNTRY, DEVICE, ID, Kind, LANGUAGE, MONEY, PRICE, SEGMENT, SITE, SYSTEM,
};
use crate::config::notation::decimal;
use crate::config::reader::Reader;
use crate::units::{Cpm, ExchangeKey, Nanos};

/// In thousandths.
const FACTOR: Kind<u32> = Kind {
    expects: "a factor from 0.1 to 10 in quotes with at most 3 decimals, like \"1.25\"",
    parse: |text| u32::try_from(decimal(text, 3)?).ok(),
};
const FORMAT: Kind<FormatKind> = Kind {
    expects: "one of banner, video, audio, native",
    parse: FormatKind::parse,
};

/// What it pays for, and the highest it bids.
pub(super) fn goal(campaign: &mut Reader<'_>) -> (Option<Goal>, Option<Cpm>) {
    let (has_price, has_goal) = (campaign.has("cpm"), campaign.has("goal"));
    let price = campaign.one("cpm", &PRICE).map(Goal::Cpm);
    let click = click(campaign).map(Goal::Cpc);
    match (has_price, has_goal) {
        (true, true) => campaign.fault("goal", "stands beside cpm; leave one of them"),
        (false, false) => {
            let advice = format!(
                "missing; expects {}, or goal = {{ cpc = \"0.40\" }}",
                PRICE.expects
            );
            campaign.fault("cpm", advice);
        }
        _ => {}
    }
    (price.or(click), campaign.one("max_cpm", &PRICE))
}

fn click(campaign: &mut Reader<'_>) -> Option<Nanos> {
    if !campaign.has("goal") {
        return None;
    }
    let mut goal = campaign.section("goal", &[keys::GOAL]);
    goal.must("cpc", &MONEY)
}

/// The multipliers that could be read.
pub(super) fn multipliers(campaign: &mut Reader<'_>, parts: &Parts<'_>) -> Vec<Multiplier> {
    let all = campaign.sections("multipliers", &[keys::MULTIPLIER]);
    let all = all.into_iter().filter_map(|mut reader| {
        Some(Multiplier {
            when: conditions(&mut reader, parts),
            by_per_mille: reader.must("by", &FACTOR)?,
        })
    });
    all.collect()
}

fn conditions(reader: &mut Reader<'_>, parts: &Parts<'_>) -> Conditions {
    let exchanges = reader.list("exchanges", &ID);
    for name in &exchanges {
        check_known(reader, "exchanges", name, parts.places.exchanges.as_deref());
    }
    let named = reader.list("segments", &SEGMENT);
    let mut segments = segment_keys(reader, &named, parts.places);
    segments.sort_unstable();
    let says_hours = reader.has("hours");
    let hours = joined(reader.list("hours", &HOURS));
    let sites = reader.list("sites", &SITE);
    Conditions {
        countries: reader.list("countries", &COUNTRY),
        devices: reader.list("devices", &DEVICE),
        systems: reader.list("os", &SYSTEM),
        languages: reader.list("languages", &LANGUAGE),
        exchanges: exchanges.iter().map(|it| ExchangeKey::of(it)).collect(),
        inventory: InventoryList::new(sites, reader.list("apps", &BUNDLE)),
        categories: reader.list("categories", &CATEGORY),
        segments,
        hours: says_hours.then_some(hours),
        formats: reader.list("formats", &FORMAT),
    }
}
