//! From the shapes of the TOML to values: every fault with its key, its value and what to do.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use super::{Act, Injection, expectation, injection, server};
use super::{
    Checks, Dialect, Exchange, Expectations, MediaWeights, OracleExpectations, Region, Scenario,
    Shares, Traffic,
};
use super::{arrivals, auction, notices, oracle, raw, traffic as rare};
use crate::arrivals::Arrivals;
use crate::decimal::Micros;
use crate::traffic;
use crate::wire::Target;

/// Requests per second: more than one thread of this program can send.
pub const RATE_MAX: u32 = 100_000;
/// The longest run: a day.
pub const SECONDS_MAX: u32 = 86_400;
/// Sockets that one exchange may hold.
const CONNECTIONS_MAX: usize = 10_000;

/// Collects faults while values are read.
#[derive(Default)]
pub(super) struct Faults(pub(super) Vec<String>);

impl Faults {
    pub(super) fn add(&mut self, key: &str, value: impl Display, advice: &str) {
        self.0.push(format!("{key} = {value}: {advice}"));
    }

    pub(super) fn share(&mut self, key: &str, value: f64) -> f64 {
        if !(0.0..=1.0).contains(&value) {
            self.add(key, value, "a share lies between 0 and 1");
        }
        value
    }

    pub(super) fn share_option(&mut self, key: &str, value: Option<f64>) -> Option<f64> {
        value.map(|value| self.share(key, value))
    }

    pub(super) fn weight(&mut self, key: &str, value: f64) -> f64 {
        if !value.is_finite() || value < 0.0 {
            self.add(key, value, "a weight is a number from 0");
        }
        value
    }

    pub(super) fn price(&mut self, key: &str, text: &str) -> Micros {
        match text.parse::<Micros>() {
            Ok(price) if price > Micros::ZERO => price,
            Ok(_) => {
                self.add(key, text, "a price is above 0");
                Micros::ZERO
            }
            Err(error) => {
                self.add(key, text, &error.to_string());
                Micros::ZERO
            }
        }
    }

    pub(super) fn between(&mut self, key: &str, pair: (u64, u64)) -> (u64, u64) {
        if pair.0 > pair.1 {
            self.add(
                key,
                format!("[{}, {}]", pair.0, pair.1),
                "the shortest comes first",
            );
        }
        pair
    }
}

pub(super) fn scenario(name: &str, raw: raw::Scenario) -> Result<Scenario, Vec<String>> {
    let mut faults = Faults::default();
    if !(1..=RATE_MAX).contains(&raw.rate) {
        faults.add("rate", raw.rate, "requests per second, from 1 to 100000");
    }
    if !(1..=SECONDS_MAX).contains(&raw.seconds) {
        faults.add("seconds", raw.seconds, "from 1 to 86400");
    }
    if !(1..=CONNECTIONS_MAX).contains(&raw.connections_max) {
        faults.add("connections_max", raw.connections_max, "from 1 to 10000");
    }
    let rates = rates(&mut faults, &raw.rates);
    let arrivals = arrivals::arrivals(&mut faults, raw.arrivals, raw.rate);
    let names: Vec<String> = raw
        .exchanges
        .iter()
        .map(|exchange| exchange.name.clone())
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let admin = admin(&mut faults, raw.admin);
    let injections = injection::injections(&mut faults, raw.faults, &names);
    check_injections(&mut faults, &injections, admin.as_ref());
    let is_touched = injections.iter().any(|each| each.act.touches_server());
    let scenario = Scenario {
        name: name.to_owned(),
        description: raw.description,
        about: raw.about.trim().to_owned(),
        rate: raw.rate,
        seconds: raw.seconds,
        seed: raw.seed,
        arrivals,
        checks: raw.checks.into(),
        connections_max: raw.connections_max,
        give_up: Duration::from_millis(raw.give_up_ms),
        drain: Duration::from_secs(raw.drain_seconds),
        admin,
        server: server::server(&mut faults, raw.server, is_touched),
        injections,
        capacity_p99_ms: raw.capacity_p99_ms,
        exchanges: exchanges(&mut faults, raw.exchanges),
        traffic: traffic(&mut faults, raw.traffic, &rates),
        auction: auction::auction(&mut faults, raw.auction),
        notices: notices::notices(&mut faults, raw.notices),
        oracle: oracle::oracle(&mut faults, raw.oracle),
        rates,
        expectations: expectations(&mut faults, raw.expectations, &names),
    };
    check_oracle(&mut faults, &scenario);
    let is_replayed = matches!(scenario.arrivals, Arrivals::Replayed { .. });
    if is_replayed && scenario.traffic.recording.is_none() {
        faults.add(
            "arrivals.kind",
            "replay",
            "name traffic.folder or traffic.file",
        );
    }
    if faults.0.is_empty() {
        Ok(scenario)
    } else {
        Err(faults.0)
    }
}

/// What an expectation needs has to be given.
fn check_oracle(faults: &mut Faults, scenario: &Scenario) {
    let expected = &scenario.expectations.oracle;
    if expected.needs_books() && scenario.admin.is_none() {
        let advice = "books and forgeries are checked on the admin server: give its URL";
        faults.add("admin", "", advice);
    }
    for name in scenario.notices.price_keys.keys() {
        if !scenario
            .exchanges
            .iter()
            .any(|exchange| exchange.name == *name)
        {
            faults.add("notices.price_keys", name, "the name of an exchange");
        }
    }
}

fn admin(faults: &mut Faults, url: Option<String>) -> Option<Target> {
    let url = url?;
    let target = Target::parse(&url);
    if target.is_none() {
        faults.add("admin", &url, "like http://127.0.0.1:8120");
    }
    target
}

/// More would not be read by anybody, and each keeps connections.
const INJECTIONS_MAX: usize = 256;

fn check_injections(faults: &mut Faults, injections: &[Injection], admin: Option<&Target>) {
    if injections.len() > INJECTIONS_MAX {
        faults.add("faults", injections.len(), "at most 256");
    }
    let needs_admin = |injection: &&Injection| injection.act.needs_admin();
    if let (Some(injection), None) = (injections.iter().find(needs_admin), admin) {
        let kind = Act::kind(&injection.act);
        faults.add(
            "faults.kind",
            kind,
            "give the admin server's URL as `admin`",
        );
    }
}

fn rates(faults: &mut Faults, raw: &BTreeMap<String, String>) -> BTreeMap<String, Micros> {
    raw.iter()
        .map(|(currency, rate)| {
            let key = format!("rates.{currency}");
            (currency.clone(), faults.price(&key, rate))
        })
        .collect()
}

fn exchanges(faults: &mut Faults, raw: Vec<raw::Exchange>) -> Vec<Exchange> {
    if raw.is_empty() {
        faults.add("exchanges", "[]", "name at least one");
    }
    if !raw.is_empty() && raw.iter().all(|exchange| exchange.weight <= 0.0) {
        faults.add("exchanges", "weights", "at least one is above 0");
    }
    raw.into_iter()
        .filter_map(|raw| {
            let key = |field: &str| format!("exchanges.{}.{field}", raw.name);
            let dialect = match raw.dialect.as_str() {
                "openrtb" => Dialect::OpenRtb,
                "google" => Dialect::Google,
                "xandr" => Dialect::Xandr,
                other => {
                    faults.add(&key("dialect"), other, "openrtb, google or xandr");
                    return None;
                }
            };
            let Some(target) = Target::parse(&raw.url) else {
                faults.add(&key("url"), &raw.url, "like http://127.0.0.1:8103/bid");
                return None;
            };
            let weight = faults.weight(&key("weight"), raw.weight);
            Some(Exchange {
                name: raw.name,
                target,
                dialect,
                weight,
            })
        })
        .collect()
}

fn traffic(faults: &mut Faults, raw: raw::Traffic, rates: &BTreeMap<String, Micros>) -> Traffic {
    if raw.users == 0 {
        faults.add("traffic.users", 0, "at least 1");
    }
    let floors = (
        faults.price("traffic.floor_min", &raw.floor_min),
        faults.price("traffic.floor_max", &raw.floor_max),
    );
    if floors.0 > floors.1 {
        faults.add("traffic.floor_min", floors.0, "at most floor_max");
    }
    for currency in raw.floor_currencies.keys() {
        if currency != "USD" && !rates.contains_key(currency) {
            faults.add(
                "traffic.floor_currencies",
                currency,
                "give its value in USD under [rates]",
            );
        }
    }
    if raw.floor_currencies.is_empty() {
        faults.add("traffic.floor_currencies", "{}", "at least { USD = 1 }");
    }
    let recorded = rare::RawRecording {
        folder: raw.folder,
        file: raw.file,
        fresh_ids: raw.fresh_ids,
    };
    let mut regions = Vec::new();
    for region in raw.regions {
        regions.push(self::region(faults, region));
    }
    if regions.is_empty() {
        faults.add("traffic.regions", "[]", "name at least one");
    }
    Traffic {
        users: raw.users,
        regions,
        media: media(faults, &raw.media),
        shares: shares(faults, &raw.shares),
        floors,
        floor_currencies: raw.floor_currencies.into_iter().collect(),
        blocked_domains: raw.blocked_domains,
        blocked_categories: raw.blocked_categories,
        tmax_ms: faults.between("traffic.tmax_ms", raw.tmax_ms),
        privacy: rare::privacy(faults, &raw.privacy),
        deals: rare::deals(faults, raw.deals),
        gzip_share: faults.share("traffic.gzip_share", raw.gzip_share),
        prepared: rare::prepared(faults, raw.prepared),
        recording: rare::recording(faults, recorded).map(Arc::new),
    }
}

fn region(faults: &mut Faults, raw: raw::Region) -> Region {
    let key = format!("traffic.regions.{}", raw.name);
    let weight = faults.weight(&key, raw.weight);
    let mut countries = Vec::new();
    for code in &raw.countries {
        match traffic::country(code) {
            Some(country) => countries.push(country),
            None => faults.add(
                &key,
                code,
                &format!("one of {}", traffic::country_codes().join(", ")),
            ),
        }
    }
    if raw.countries.is_empty() {
        faults.add(&key, "[]", "name at least one country");
    }
    Region {
        name: raw.name,
        weight,
        countries,
    }
}

fn media(faults: &mut Faults, raw: &raw::Media) -> MediaWeights {
    let mut weight = |name: &str, value| faults.weight(&format!("traffic.media.{name}"), value);
    MediaWeights {
        banner: weight("banner", raw.banner),
        video: weight("video", raw.video),
        native: weight("native", raw.native),
        multi_format: weight("multi_format", raw.multi_format),
        multi_imp: weight("multi_imp", raw.multi_imp),
        audio: weight("audio", raw.audio),
        pod: weight("pod", raw.pod),
    }
}

fn shares(faults: &mut Faults, raw: &raw::Shares) -> Shares {
    let mut share = |name: &str, value| faults.share(&format!("traffic.shares.{name}"), value);
    Shares {
        app: share("app", raw.app),
        anonymous: share("anonymous", raw.anonymous),
        coppa: share("coppa", raw.coppa),
        limited: share("limited", raw.limited),
        old_shape: share("old_shape", raw.old_shape),
        alpha2: share("alpha2", raw.alpha2),
        secure: share("secure", raw.secure),
        first_price: share("first_price", raw.first_price),
        floor: share("floor", raw.floor),
        blocking: share("blocking", raw.blocking),
        test: share("test", raw.test),
    }
}

fn expectations(faults: &mut Faults, raw: raw::Expectations, names: &[&str]) -> Expectations {
    let phases = expectation::phases(faults, raw.phase, names);
    let metrics = expectation::metrics(faults, raw.metric);
    let mut share = |name: &str, value| {
        let key = format!("expectations.{name}");
        faults.share_option(&key, value)
    };
    Expectations {
        fault_share_max: share("fault_share_max", raw.fault_share_max),
        transport_failure_share_max: share(
            "transport_failure_share_max",
            raw.transport_failure_share_max,
        ),
        late_share_max: share("late_share_max", raw.late_share_max),
        bid_share_min: share("bid_share_min", raw.bid_share_min),
        region_bid_share_min: share("region_bid_share_min", raw.region_bid_share_min),
        notice_failure_share_max: share("notice_failure_share_max", raw.notice_failure_share_max),
        p99_ms_max: raw.p99_ms_max,
        bills_min: raw.bills_min,
        oracle: OracleExpectations {
            books: raw.books,
            caps_exceeded_max: raw.caps_exceeded_max,
            bids_over_budget_max: raw.bids_over_budget_max,
            forged_booked_max: raw.forged_booked_max,
            slow_bid_ratio_min: raw.slow_bid_ratio_min,
        },
        injected_wrong_max: raw.injected_wrong_max,
        capacity_min: raw.capacity_min,
        phases,
        metrics,
    }
}

impl From<raw::Checks> for Checks {
    fn from(raw: raw::Checks) -> Self {
        match raw {
            raw::Checks::Full => Self::Full,
            raw::Checks::None => Self::None,
        }
    }
}
