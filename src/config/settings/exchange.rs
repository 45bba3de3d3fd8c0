//! The `[exchanges]` of `bidtree.toml`.

use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use super::{Billing, Coding, Dialect, Exchange, Review, rules};
use crate::bidding::{ChainRule, SupplyPolicy};
use crate::config::keys;
use crate::config::kinds::{ADDRESS, ID, SELLER, SIZE, SYNC_URL, TEXT};
use crate::config::reader::Reader;
use crate::units::ExchangeKey;

const DIALECTS: &[(&str, Dialect)] = &[
    ("openrtb", Dialect::OpenRtb),
    ("google", Dialect::Google),
    ("xandr", Dialect::Xandr),
];
const CHAIN_RULES: &[(&str, ChainRule)] = &[
    ("ignored", ChainRule::Ignored),
    ("complete_if_sent", ChainRule::CompleteIfSent),
    ("required", ChainRule::Required),
];
const BILLINGS: &[(&str, Billing)] = &[
    ("burl", Billing::Burl),
    ("impression", Billing::Impression),
    ("win", Billing::Win),
];

/// Over 5 in 10 s the exchange is degraded.
const LIMIT: (u32, u64) = (5, 10);
/// Exchanges wait between 80 ms and a second; one that waits over 10 s is a slip of the pen.
const TMAX: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(10);
const TMAX_DEFAULT: Duration = Duration::from_millis(100);
const MARGIN: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(5);
const MARGIN_DEFAULT: Duration = Duration::from_millis(20);
/// The ledger keeps a promise in a wheel of at most 64 buckets: below 10 s they would be too fine, above a day what a crash
/// strands would be too much.
const HOLD: RangeInclusive<Duration> = Duration::from_secs(10)..=Duration::from_hours(24);
/// Impressions of banners are reported within minutes.
const HOLD_DEFAULT: Duration = Duration::from_mins(5);
/// What exchanges that compare bids of one bidder are known to take.
const BIDS_PER_IMP: RangeInclusive<i64> = 1..=8;
/// Each request that names seats is compared with all of ours.
const SEATS_MAX: usize = 64;
const CONNECTIONS: RangeInclusive<i64> = 1..=65_536;
const CONNECTIONS_DEFAULT: usize = 4_096;
const AGE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(24);
const AGE_DEFAULT: Duration = Duration::from_mins(5);
const IDLE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(1);
const IDLE_DEFAULT: Duration = Duration::from_secs(75);
const HEAD: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_mins(1);
const HEAD_DEFAULT: Duration = Duration::from_secs(5);
/// Real requests end at about 100 KB; every connection may hold one body.
const BODY: RangeInclusive<u64> = 1_024..=256 * 1_024;
const BODY_DEFAULT: u64 = 256 * 1_024;

/// Every exchange that could be read; the names of all that are there.
pub(super) fn read(top: &mut Reader<'_>) -> (Vec<Exchange>, Vec<String>) {
    let all = top.named("exchanges", &ID, &[keys::EXCHANGE]);
    let names = all.iter().map(|(name, _)| name.clone()).collect();
    let exchanges = all
        .into_iter()
        .filter_map(|(name, mut reader)| one(&name, &mut reader))
        .collect();
    (exchanges, names)
}

fn one(name: &str, reader: &mut Reader<'_>) -> Option<Exchange> {
    let coding = if reader.flag("gzip", true) {
        Coding::GzipWhereAsked
    } else {
        Coding::Plain
    };
    let dialect = reader.word("dialect", DIALECTS, Dialect::OpenRtb);
    let listen = reader.must("listen", &ADDRESS);
    let body = reader.within("max_body_bytes", &SIZE, &BODY, |bytes| format!("{bytes}B"));
    let seat = reader.one("seat", &TEXT);
    let exchange = Exchange {
        name: name.into(),
        key: ExchangeKey::of(name),
        dialect,
        network_margin: reader.span("network_margin", MARGIN_DEFAULT, &MARGIN),
        default_tmax: reader.span("default_tmax", TMAX_DEFAULT, &TMAX),
        seats: seats(reader, seat.as_ref()),
        seat,
        supply: Arc::new(supply(reader)),
        bids_per_imp: reader
            .whole::<usize>("bids_per_imp", &BIDS_PER_IMP)
            .and_then(NonZeroUsize::new)
            .unwrap_or(NonZeroUsize::MIN),
        review: if reader.flag("approval_first", false) {
            Review::First
        } else {
            Review::Meanwhile
        },
        restart_limit: rules::restart_limit(reader, LIMIT),
        probation: rules::probation(reader),
        max_connections: reader
            .whole("max_connections", &CONNECTIONS)
            .unwrap_or(CONNECTIONS_DEFAULT),
        connection_max_age: reader.span("connection_max_age", AGE_DEFAULT, &AGE),
        idle_timeout: reader.span("idle_timeout", IDLE_DEFAULT, &IDLE),
        header_timeout: reader.span("header_timeout", HEAD_DEFAULT, &HEAD),
        max_body_bytes: usize::try_from(body.unwrap_or(BODY_DEFAULT)).unwrap_or(usize::MAX),
        coding,
        hold: reader.span("hold", HOLD_DEFAULT, &HOLD),
        billing: reader.word("billing", BILLINGS, Billing::Burl),
        notice_url: reader.flag("notice_url", true),
        sync_url: reader.one("sync_url", &SYNC_URL),
        listen: listen?,
    };
    if exchange.network_margin >= exchange.default_tmax {
        reader.fault(
            "network_margin",
            "must be below default_tmax, or there is no time to decide",
        );
    }
    if exchange.billing == Billing::Win && !exchange.notice_url {
        reader.fault("billing", "is by win notice, so notice_url must be true");
    }
    Some(exchange)
}

/// `{ rule = "required", allowed = [...], blocked = [...] }`
fn supply(exchange: &mut Reader<'_>) -> SupplyPolicy {
    let mut reader = exchange.section("supply_chain", &[keys::SUPPLY_CHAIN]);
    SupplyPolicy {
        rule: reader.word("rule", CHAIN_RULES, ChainRule::Ignored),
        allowed: reader.list("allowed", &SELLER).into_iter().collect(),
        blocked: reader.list("blocked", &SELLER).into_iter().collect(),
    }
}

/// Our seat, and the others.
fn seats(reader: &mut Reader<'_>, seat: Option<&Arc<str>>) -> Vec<Arc<str>> {
    let mut all: Vec<Arc<str>> = seat.cloned().into_iter().collect();
    for other in reader.list("seats", &TEXT) {
        if !all.contains(&other) {
            all.push(other);
        }
    }
    if all.len() > SEATS_MAX {
        let count = all.len();
        reader.fault("seats", format!("{count} of them; at most {SEATS_MAX} fit"));
    }
    all
}
