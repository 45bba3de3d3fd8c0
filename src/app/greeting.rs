//! What the server says when it is up: what listens where, and how to send a first bid request.

use std::io::{self, Write};
use std::time::Duration;

use super::Parts;
use crate::config::Dialect;

/// Writes the greeting.
pub(super) fn write(out: &mut impl Write, parts: &Parts, took: Duration) -> io::Result<()> {
    let settings = &parts.settings;
    writeln!(
        out,
        "Bidtree {} is up after {} ms",
        env!("CARGO_PKG_VERSION"),
        took.as_millis()
    )?;
    writeln!(out)?;
    for exchange in &parts.exchanges {
        let known = settings
            .exchanges
            .iter()
            .find(|known| known.name == exchange.pool.name);
        let dialect = known.map_or("", |known| words(known.dialect));
        let (name, address) = (&exchange.pool.name, exchange.socket.address());
        writeln!(
            out,
            "  exchange {name:<10} http://{address}/bid   {dialect}"
        )?;
    }
    let notices = parts.notices.listener.socket.address();
    let admin = parts.admin.socket.address();
    writeln!(
        out,
        "  notices             http://{notices}/win /bill /loss /imp /click"
    )?;
    writeln!(
        out,
        "  admin               http://{admin}/tree?format=text /campaigns /metrics /readyz /alerts"
    )?;
    let regions: Vec<&str> = parts.regions.iter().map(|region| &*region.name).collect();
    let catalogue = parts.campaigns.roster.shelf.current();
    let data = settings.server.data_dir.display();
    writeln!(
        out,
        "  {} campaigns in {}; {} data threads; data in {data}",
        catalogue.len(),
        regions.join(", "),
        parts.threads.count(),
    )?;
    if let Some(days) = settings.rates.days_if_old(parts.clock.wall()) {
        writeln!(
            out,
            "  the rates of exchange are {days} days old; state new ones in [rates], or raise rates.max_age"
        )?;
    }
    for left in &parts.left_out {
        writeln!(out, "  campaign {} is not offered: {}", left.id, left.why)?;
    }
    if let Some(exchange) = plain(parts) {
        writeln!(out, "\nA first bid request, from another terminal:\n")?;
        writeln!(
            out,
            "  curl -s http://{exchange}/bid -H 'Content-Type: application/json' -d '{FIRST_REQUEST}'"
        )?;
    }
    writeln!(
        out,
        "\nCtrl-C stops in order; SIGHUP reads the campaigns again."
    )?;
    out.flush()
}

const FIRST_REQUEST: &str = r#"{"id": "first", "imp": [{"id": "1", "banner": {"w": 300, "h": 250}}], "site": {"domain": "news.example"}, "device": {"geo": {"country": "SGP"}}}"#;

/// Where the first exchange that speaks plainly listens.
fn plain(parts: &Parts) -> Option<std::net::SocketAddr> {
    let plain = parts
        .settings
        .exchanges
        .iter()
        .position(|exchange| exchange.dialect == Dialect::OpenRtb)?;
    parts
        .exchanges
        .get(plain)
        .map(|exchange| exchange.socket.address())
}

const fn words(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::OpenRtb => "plain OpenRTB",
        Dialect::Google => "Google's dialect",
        Dialect::Xandr => "Xandr's dialect",
    }
}
