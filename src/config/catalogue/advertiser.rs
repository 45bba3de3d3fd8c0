//! `advertisers/<id>.toml`.

use std::path::Path;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::campaign::cap;
use super::folder::{Places, check_known};
use super::targeting::lists;
use super::taxonomies::classified;
use crate::campaign::budget::SharedBudget;
use crate::campaign::{Advertiser, CampaignFault, FrequencyCap, InventoryList, Transparency};
use crate::config::keys;
use crate::config::kinds::{
    BUNDLE, CATEGORY, CURRENCY, DOMAIN, ID, MONEY, SHORT_TEXT, SITE, TEXT, TIME_ZONE,
};
use crate::config::reader::Reader;
use crate::config::source::{Source, read_table};
use crate::units::{AdvertiserKey, Currency, ExchangeKey, Nanos};

pub(super) fn read(
    source: &Source<'_>,
    id: &str,
    path: &Path,
    places: &Places,
) -> Option<Advertiser> {
    let table = read_table(path, source)?;
    let mut reader = Reader::new(source, String::new(), table, &[keys::ADVERTISER]);
    // For people only.
    reader.one("name", &TEXT);
    if !reader.has("domains") {
        let advice = "missing; expects the domains of its landing pages, the main one first, like [\"shop.example\"]";
        reader.fault("domains", advice);
    }
    let sites = lists(&mut reader, "sites", &SITE);
    let apps = lists(&mut reader, "apps", &BUNDLE);
    Some(Advertiser {
        id: id.into(),
        key: AdvertiserKey::of(id),
        domains: reader.list("domains", &DOMAIN),
        categories: reader.list("categories", &CATEGORY),
        classified: classified(&mut reader),
        currency: reader.or("currency", &CURRENCY, Currency::USD),
        allowed: InventoryList::new(sites.include, apps.include),
        blocked: InventoryList::new(sites.exclude, apps.exclude),
        seats: seats(&mut reader, places),
        budget: budget(&mut reader),
        cap: shared_cap(&mut reader),
        transparency: transparency(&mut reader),
    })
}

/// What its campaigns may charge together.
fn budget(reader: &mut Reader<'_>) -> SharedBudget {
    let mut amount = |key| {
        let amount = reader.one(key, &MONEY);
        if amount.is_some_and(|amount: Nanos| !amount.is_positive()) {
            reader.fault(key, "must be above 0; leave it out for no limit");
        }
        amount
    };
    SharedBudget {
        daily: amount("budget_daily"),
        total: amount("budget_total"),
        zone: reader.or("time_zone", &TIME_ZONE, TimeZone::UTC),
    }
}

/// How often one person may see ads of it.
fn shared_cap(reader: &mut Reader<'_>) -> Option<FrequencyCap> {
    let cap = cap(reader, "cap")?;
    if !cap.holds() {
        reader.fault("cap", CampaignFault::Cap.to_string());
    }
    Some(cap)
}

/// Who is behind its ads.
fn transparency(advertiser: &mut Reader<'_>) -> Option<Transparency> {
    if !advertiser.has("dsa") {
        return None;
    }
    let mut reader = advertiser.section("dsa", &[keys::DSA]);
    let behalf = reader.must("behalf", &SHORT_TEXT);
    let paid = reader.must("paid", &SHORT_TEXT);
    let platforms = reader.sections("transparency", &[keys::DSA_PLATFORM]);
    let parameters = platforms
        .into_iter()
        .filter_map(|mut platform| {
            let parameters = platform.codes("parameters");
            Some((platform.must("domain", &DOMAIN)?, parameters))
        })
        .collect();
    Some(Transparency {
        behalf: behalf?,
        paid: paid?,
        renders: reader.flag("renders", false),
        parameters,
    })
}

/// Its seats by exchange, each of which the exchange must have.
fn seats(reader: &mut Reader<'_>, places: &Places) -> Vec<(ExchangeKey, Arc<str>)> {
    let named = reader.map("seats", &ID, &TEXT);
    for (exchange, seat) in &named {
        check_known(reader, "seats", exchange, places.exchanges.as_deref());
        let of_exchange = places.seats.iter().find(|(name, _)| name == exchange);
        if let Some((_, known)) = of_exchange
            && !known.contains(seat)
        {
            let advice = format!(
                "{seat} is not a seat of {exchange}; add it to exchanges.{exchange}.seats in bidtree.toml"
            );
            reader.fault("seats", advice);
        }
    }
    named
        .into_iter()
        .map(|(exchange, seat)| (ExchangeKey::of(&exchange), seat))
        .collect()
}
