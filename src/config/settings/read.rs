//! `bidtree.toml` and what is laid over it, from top to bottom.

use std::path::Path;

use super::{Settings, click_rates, exchange, region, relations, segment, server, traffic};
use crate::config::catalogue::{Places, seats_of, segment_names};
use crate::config::faults::Findings;
use crate::config::keys;
use crate::config::overrides::{Override, laid_over};
use crate::config::reader::Reader;
use crate::config::source::{Source, read_table, read_text};
use crate::units::{ExchangeKey, RegionKey};

const FILE: &str = "bidtree.toml";

/// The settings, and what campaigns may refer to; as much of both as could be read.
pub(in crate::config) fn read(
    dir: &Path,
    overrides: &[Override],
    findings: &Findings,
) -> (Option<Settings>, Places) {
    let path = dir.join(FILE);
    let mut source = Source::new(&path, findings);
    source.overrides = overrides;
    let Some(table) = table(&path, &source) else {
        return (None, Places::default());
    };
    let mut top = Reader::new(&source, String::new(), table, &[keys::TOP]);
    let server = server::server(&mut top);
    let (exchanges, exchange_names) = exchange::read(&mut top);
    let (regions, region_names) = region::read(&mut top);
    let notices = server::notices(&mut top);
    let admin = server::admin(&mut top);
    let telemetry = server::telemetry(&mut top);
    let campaigns = server::campaigns(&mut top);
    let store = server::store(&mut top);
    let rates = server::rates(&mut top);
    let traffic = traffic::read(&mut top, dir);
    let segments = segment::read(&mut top, dir);
    let fuses = server::fuses(&mut top);
    let click_rates = click_rates::read(&mut top);

    let mut listeners = vec![("admin.listen", admin.listen)];
    listeners.extend(
        notices
            .as_ref()
            .map(|notices| ("notices.listen", notices.listen)),
    );
    relations::listeners(&top, &exchanges, &listeners);
    relations::holds(&top, &exchanges);
    if let Some(notices) = &notices {
        relations::syncs(&top, &exchanges, notices.secure_url.as_deref());
    }
    relations::places(&top, "exchanges", &exchange_names, ExchangeKey::of);
    relations::places(&top, "regions", &region_names, RegionKey::of);

    let places = Places {
        exchanges: Some(exchange_names),
        seats: seats_of(&exchanges),
        regions: Some(region_names),
        rates: Some(rates.in_usd.clone()),
        max_cpm: Some(fuses.max_cpm),
        segments: Some(segment_names(&segments)),
    };
    let settings = notices.map(|notices| Settings {
        server,
        exchanges,
        regions,
        notices,
        admin,
        telemetry,
        campaigns,
        store,
        rates,
        traffic,
        segments,
        fuses,
        click_rates,
    });
    (settings, places)
}

fn table(path: &Path, source: &Source<'_>) -> Option<toml::Table> {
    // Once for its syntax, whose faults have a line, and once for its layers.
    read_table(path, source)?;
    let text = read_text(path, source)?;
    laid_over(&text, source.overrides, source.findings)
        .map_err(|error| source.fault("", None, format!("cannot be joined: {error}")))
        .ok()
}
