//! The sections of `bidtree.toml` that are about the server itself.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use super::{Admin, Campaigns, Fuses, Notices, Server, StatedRates, Store, Telemetry, rules};
use crate::campaign::Rates;
use crate::config::keys;
use crate::config::kinds::{ADDRESS, CURRENCY, DATE, FOLDER, PRICE, RATE, SIZE, URL};
use crate::config::notation::is_secure;
use crate::config::reader::Reader;
use crate::units::Cpm;

/// More data threads than any machine that one process serves well.
const DATA_THREADS: RangeInclusive<i64> = 1..=64;
const DATA_DIR: &str = "data";
const DRAIN: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_mins(5);
const DRAIN_DEFAULT: Duration = Duration::from_secs(10);
const NOTICES_PORT: u16 = 8110;
const ADMIN_PORT: u16 = 8120;
const FILE_BYTES: RangeInclusive<u64> = 64 << 10..=16 << 30;
const FILE_BYTES_DEFAULT: u64 = 64 << 20;
const FILES: RangeInclusive<i64> = 1..=1_000;
const FILES_DEFAULT: u32 = 8;
/// A campaign's process is small, but each has rows in every region's tables.
const LIVE: RangeInclusive<i64> = 1..=100_000;
const LIVE_DEFAULT: usize = 10_000;
/// A year: rates that nobody wants to be reminded of.
const RATES_AGE: RangeInclusive<Duration> =
    Duration::from_hours(24)..=Duration::from_hours(366 * 24);
/// Currencies that ads are sold in move by a few per cent in a month.
const RATES_AGE_DEFAULT: Duration = Duration::from_hours(30 * 24);
/// Above what any exchange has been seen to clear at, below what would empty a budget in an hour.
const MAX_CPM_DEFAULT: Cpm = Cpm::from_micros(100_000_000);

pub(super) fn server(top: &mut Reader<'_>) -> Server {
    let mut reader = top.section("server", &[keys::SERVER]);
    Server {
        data_threads: reader
            .whole::<usize>("data_threads", &DATA_THREADS)
            .and_then(std::num::NonZero::new),
        data_dir: reader.or("data_dir", &FOLDER, DATA_DIR.into()),
        drain: reader.span("drain", DRAIN_DEFAULT, &DRAIN),
        restart_limit: rules::restart_limit(&mut reader, (3, 60)),
    }
}

pub(super) fn notices(top: &mut Reader<'_>) -> Option<Notices> {
    let mut reader = top.section("notices", &[keys::NOTICES]);
    let public_url = reader.must("public_url", &URL);
    let public_url = public_url.map(|url| base(&reader, "public_url", &url));
    let secure_url = reader.one("secure_url", &URL);
    let secure_url = secure_url.map(|url| base(&reader, "secure_url", &url));
    if secure_url.as_deref().is_some_and(|url| !is_secure(url)) {
        reader.fault("secure_url", "must begin with https://");
    }
    let secure_url = secure_url.or_else(|| public_url.clone().filter(|url| is_secure(url)));
    let notices = Notices {
        listen: reader.or("listen", &ADDRESS, loopback(NOTICES_PORT)),
        restart_limit: rules::restart_limit(&mut reader, (5, 10)),
        probation: rules::probation(&mut reader),
        secure_url: secure_url.map(Into::into),
        public_url: public_url?.into(),
    };
    Some(notices)
}

/// A URL that paths are appended to, without the slash at its end.
fn base(reader: &Reader<'_>, key: &str, url: &str) -> String {
    if url.contains(['?', '#']) {
        reader.fault(
            key,
            "is what paths are appended to; leave out what begins with ? or #",
        );
    }
    url.trim_end_matches('/').to_owned()
}

pub(super) fn admin(top: &mut Reader<'_>) -> Admin {
    let mut reader = top.section("admin", &[keys::ADMIN]);
    let admin = Admin {
        listen: reader.or("listen", &ADDRESS, loopback(ADMIN_PORT)),
        chaos: reader.flag("chaos", false),
        restart_limit: rules::restart_limit(&mut reader, (5, 10)),
    };
    if admin.chaos && !admin.listen.ip().is_loopback() {
        reader.fault(
            "chaos",
            "lets whoever reaches admin.listen kill children; listen on a loopback address, or set it to false",
        );
    }
    admin
}

pub(super) fn telemetry(top: &mut Reader<'_>) -> Telemetry {
    let mut reader = top.section("telemetry", &[keys::TELEMETRY]);
    let size = reader.within("max_file_bytes", &SIZE, &FILE_BYTES, |bytes| {
        format!("{bytes}B")
    });
    Telemetry {
        event_log: reader.flag("event_log", true),
        trace_one_in: reader
            .whole("trace_one_in", &(0..=1_000_000_000))
            .unwrap_or(0),
        max_file_bytes: size.unwrap_or(FILE_BYTES_DEFAULT),
        max_files: reader.whole("max_files", &FILES).unwrap_or(FILES_DEFAULT),
        restart_limit: rules::restart_limit(&mut reader, (10, 60)),
        probation: rules::probation(&mut reader),
    }
}

pub(super) fn campaigns(top: &mut Reader<'_>) -> Campaigns {
    let mut reader = top.section("campaigns", &[keys::CAMPAIGNS]);
    Campaigns {
        max_live: reader.whole("max_live", &LIVE).unwrap_or(LIVE_DEFAULT),
        strict_caps: reader.flag("strict_caps", false),
        restart_limit: rules::restart_limit(&mut reader, (5, 10)),
        probation: rules::probation(&mut reader),
        campaign_restart_limit: rules::limit(&mut reader, "campaign_restart_limit", (3, 60)),
    }
}

pub(super) fn store(top: &mut Reader<'_>) -> Store {
    let mut reader = top.section("store", &[keys::STORE]);
    Store {
        restart_limit: rules::restart_limit(&mut reader, (5, 60)),
    }
}

pub(super) fn rates(top: &mut Reader<'_>) -> StatedRates {
    let mut reader = top.section("rates", &[keys::RATES]);
    StatedRates {
        as_of: reader.one("as_of", &DATE),
        max_age: reader.span("max_age", RATES_AGE_DEFAULT, &RATES_AGE),
        in_usd: Rates::new(reader.map("in_usd", &CURRENCY, &RATE)),
    }
}

pub(super) fn fuses(top: &mut Reader<'_>) -> Fuses {
    let mut reader = top.section("fuses", &[keys::FUSES]);
    let range = Cpm::from_micros(1)..=Cpm::MAX;
    Fuses {
        max_cpm: reader
            .within("max_cpm", &PRICE, &range, |cpm| cpm)
            .unwrap_or(MAX_CPM_DEFAULT),
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}
