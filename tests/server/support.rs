//! A server to be asked, and what asks it: plain HTTP over a socket, so that nothing of the server tests itself.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bidtree::app::{self, ExchangeParts, Parts};
use bidtree::clock::Clock;
use bidtree::config;
use bidtree::region::ledger_server::{LedgerMessage, LedgerReport};
use bidtree::supervision::Place;
use serde_json::Value;

use crate::scratch::Scratch;

/// How long anything may take before a test gives up on it. Nothing is expected to take a hundredth of it.
const PATIENCE: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A configuration with one exchange, one region, and these campaigns, each with a 300x250 banner unless it says
/// otherwise.
pub(crate) fn configured(campaigns: &[(&str, &str)]) -> Scratch {
    let folder = Scratch::new();
    folder.write(
        "bidtree.toml",
        r#"
[exchanges.openrtb]
listen = "127.0.0.1:0"
hold = "10s"
restart_limit = { restarts = 5, within = "10s" }
probation = { delay = "1m", delay_max = "5m", quiet = "1m" }
[regions.row]
rest = true
[notices]
listen = "127.0.0.1:0"
public_url = "http://notices.example"
secure_url = "https://notices.example"
[admin]
listen = "127.0.0.1:0"
chaos = true
[rates]
as_of = "2026-01-01"
in_usd = { EUR = "1.10" }
"#,
    );
    folder.write(
        "advertisers/acme.toml",
        "name = \"Acme\"\ndomains = [\"acme.example\"]\ncategories = [\"IAB18\"]\n",
    );
    folder.write(
        "creatives/tile.toml",
        r#"
kind = "banner"
w = 300
h = 250
click_url = "https://acme.example/"
html = '<a href="{click_url}">Acme</a><img src="{impression_url}">'
"#,
    );
    fs::create_dir_all(folder.path().join("campaigns")).expect("a folder");
    for (id, keys) in campaigns {
        folder.write(
            &format!("campaigns/{id}.toml"),
            &format!("advertiser = \"acme\"\nname = \"{id}\"\ncreatives = [\"tile\"]\npacing = \"asap\"\n{keys}\n"),
        );
    }
    folder
}

/// The sample configuration, on free ports.
pub(crate) fn sample() -> Vec<(String, String)> {
    [
        ("BIDTREE__EXCHANGES__ADX__LISTEN", "127.0.0.1:0"),
        ("BIDTREE__EXCHANGES__XANDR__LISTEN", "127.0.0.1:0"),
        ("BIDTREE__EXCHANGES__OPENRTB__LISTEN", "127.0.0.1:0"),
        ("BIDTREE__NOTICES__LISTEN", "127.0.0.1:0"),
        ("BIDTREE__ADMIN__LISTEN", "127.0.0.1:0"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
}

/// A running server.
pub(crate) struct Running {
    parts: Parts,
    runtime: tokio::runtime::Runtime,
}

impl Running {
    /// Serves the sample configuration.
    pub(crate) fn sample(data: &Scratch) -> Self {
        Self::start(Path::new("config"), data, sample())
    }

    /// The same, where children may be made to fail.
    pub(crate) fn chaotic(data: &Scratch) -> Self {
        let mut overrides = sample();
        overrides.push(("BIDTREE__ADMIN__CHAOS".to_owned(), "true".to_owned()));
        Self::start(Path::new("config"), data, overrides)
    }

    /// Serves this configuration, with its data in that folder.
    pub(crate) fn of(configuration: &Scratch, data: &Scratch) -> Self {
        Self::start(configuration.path(), data, Vec::new())
    }

    /// Serves the configuration of this folder, which is not a test's own.
    pub(crate) fn at(configuration: &Path, data: &Scratch) -> Self {
        Self::start(configuration, data, Vec::new())
    }

    fn start(configuration: &Path, data: &Scratch, mut overrides: Vec<(String, String)>) -> Self {
        let data = data.path().display().to_string();
        overrides.push(("BIDTREE__SERVER__DATA_DIR".to_owned(), data));
        overrides.push(("BIDTREE__SERVER__DATA_THREADS".to_owned(), "2".to_owned()));
        let config =
            config::load(configuration, overrides).unwrap_or_else(|faults| panic!("{faults}"));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let parts = Parts::new(
            config,
            configuration,
            Clock::system(),
            runtime.handle().clone(),
        )
        .unwrap_or_else(|error| panic!("{error}"));
        runtime
            .block_on(parts.tree.start(app::tree(&parts)))
            .expect("the tree starts");
        let running = Self { parts, runtime };
        running.until("every region holds money", || running.is_funded());
        running
    }

    /// Whether each region holds a lease of every campaign that may bid there now and has money: until then some pass with
    /// `no_lease`.
    fn is_funded(&self) -> bool {
        let catalogue = self.parts.campaigns.roster.shelf.current();
        let now = self.parts.clock.wall();
        let page = self.admin("GET", "/campaigns").json();
        let spent = |rows: &str, budget: &str| -> Vec<Value> {
            let rows = page[rows].as_array().into_iter().flatten();
            rows.filter(|row| row["committed_nanos"] == row[budget])
                .map(|row| row["id"].clone())
                .collect()
        };
        let campaigns = spent("campaigns", "budget_daily_nanos");
        let advertisers = spent("advertisers", "budget_total_nanos");
        self.parts.regions.iter().all(|region| {
            let wanted = catalogue.offers().iter().filter(|offer| {
                let campaign = &offer.campaign;
                campaign.regions.includes(&region.ledger.region)
                    && catalogue.is_on(offer, now)
                    && !campaigns.iter().any(|id| id == &*campaign.id)
                    && !advertisers.iter().any(|id| id == &*campaign.advertiser.id)
            });
            let held = region.ledger.meter.leases_open.load(Ordering::Relaxed);
            held >= u64::try_from(wanted.count()).expect("few campaigns")
        })
    }

    /// Stops in order.
    pub(crate) fn stop(self) {
        self.runtime.block_on(self.parts.tree.stop());
    }

    /// Where an exchange sends its requests.
    pub(crate) fn exchange(&self, name: &str) -> SocketAddr {
        self.exchange_parts(name).socket.address()
    }

    /// What an exchange's children are given.
    pub(crate) fn exchange_parts(&self, name: &str) -> &ExchangeParts {
        let mut exchanges = self.parts.exchanges.iter();
        let found = exchanges.find(|exchange| &*exchange.pool.name == name);
        found.expect("an exchange of that name")
    }

    /// What it is made of.
    pub(crate) fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The runtime it lives on.
    pub(crate) fn handle(&self) -> tokio::runtime::Handle {
        self.runtime.handle().clone()
    }

    /// The names of the exchanges.
    pub(crate) fn exchanges(&self) -> Vec<String> {
        self.parts
            .exchanges
            .iter()
            .map(|exchange| exchange.pool.name.to_string())
            .collect()
    }

    /// What an exchange is answered.
    pub(crate) fn bid(&self, exchange: &str, request: &Value) -> Reply {
        self.bid_bytes(exchange, request.to_string().as_bytes())
    }

    /// What an exchange is answered to anything.
    pub(crate) fn bid_bytes(&self, exchange: &str, body: &[u8]) -> Reply {
        ask(self.exchange(exchange), "POST", "/bid", body)
    }

    /// Reports to a URL of a bid, wherever it says it is, with this price.
    pub(crate) fn notice(&self, url: &str, price: &str) -> Reply {
        let reply = self.try_notice(url, price);
        reply.unwrap_or_else(|error| panic!("{url}: {error}"))
    }

    /// The same, while a listener may be stepping in for another and cut connections.
    pub(crate) fn try_notice(&self, url: &str, price: &str) -> io::Result<Reply> {
        let rest = url.split_once("://").expect("a URL").1;
        let path = &rest[rest.find('/').expect("a path")..];
        let path = path
            .replace("${AUCTION_PRICE}", price)
            .replace("${AUCTION_LOSS}", "102");
        let mut line = Line::to(self.parts.notices.listener.socket.address());
        line.ask("GET", &path, b"")
    }

    /// A browser that asks where notices come, with these headers.
    pub(crate) fn browse(&self, path: &str, headers: &str) -> Reply {
        let mut line = Line::to(self.parts.notices.listener.socket.address());
        line.ask_with(headers, ("GET", path), b"")
            .expect("an answer")
    }

    /// Asks the admin port.
    pub(crate) fn admin(&self, method: &str, path: &str) -> Reply {
        ask(self.parts.admin.socket.address(), method, path, b"")
    }

    /// Has a bid request explained.
    pub(crate) fn explain(&self, query: &str, request: &Value) -> Reply {
        let (path, body) = (format!("/explain?{query}"), request.to_string());
        let address = self.parts.admin.socket.address();
        ask(address, "POST", &path, body.as_bytes())
    }

    /// Everything that a bid changes: money by region, what pacing has counted, whom caps know, the books, the counters.
    pub(crate) fn what_a_bid_changes(&self) -> Vec<String> {
        let catalogue = self.parts.campaigns.roster.shelf.current();
        let mut seen = vec![self.page("/campaigns")];
        for region in &self.parts.regions {
            let (pairs, ledger) = (&region.frequency.frequency, &region.ledger.ledger);
            for offer in catalogue.offers() {
                let mut sights = region.pacer.sights.iter();
                let flow = sights.try_fold(0, |sum, sight| {
                    let flow = sight.supply.flow(offer.slot);
                    Some(sum + flow.offered + flow.bid)
                });
                let share = region.pacer.shares.call(|shares| shares.share(offer.slot));
                let balance = ledger.call(|ledger| ledger.balance(offer.slot));
                seen.push(format!("{flow:?} {share:?} {balance:?}"));
            }
            seen.push(format!("{:?}", pairs.call(|table| table.pairs())));
        }
        let requests = self.parts.telemetry.aggregator.meters.requests();
        for (exchange, _) in requests.exchanges().enumerate() {
            seen.push(format!("{:?}", requests.totals(exchange).outcomes));
        }
        seen
    }

    /// A page of the admin port.
    pub(crate) fn page(&self, path: &str) -> String {
        String::from_utf8(self.admin("GET", path).body).expect("text")
    }

    /// What the books say of each campaign.
    pub(crate) fn campaigns(&self) -> Vec<Value> {
        let page = self.admin("GET", "/campaigns").json();
        page["campaigns"].as_array().cloned().unwrap_or_default()
    }

    /// What the books say of one campaign.
    pub(crate) fn campaign(&self, id: &str) -> Value {
        let campaigns = self.campaigns();
        campaigns
            .into_iter()
            .find(|campaign| campaign["id"] == id)
            .expect("a campaign of that id")
    }

    /// How the money of a region stands.
    pub(crate) fn ledger(&self, region: &str) -> LedgerReport {
        let mut regions = self.parts.regions.iter();
        let found = regions
            .find(|found| &*found.name == region)
            .expect("a region of that name");
        let report = self
            .runtime
            .block_on(found.ledger.address.call(LedgerMessage::Report));
        report.expect("the ledger is up")
    }

    /// Every place of the tree by its path, with its incarnation and its state.
    pub(crate) fn places(&self) -> Vec<(String, Option<u64>, &'static str)> {
        fn collect(places: Vec<Place>, found: &mut Vec<(String, Option<u64>, &'static str)>) {
            for place in places {
                found.push((place.path, place.incarnation, place.state));
                collect(place.children, found);
            }
        }
        let mut found = Vec::new();
        collect(
            self.runtime.block_on(self.parts.tree.snapshot()),
            &mut found,
        );
        found
    }

    /// The state of a place in the tree.
    pub(crate) fn state(&self, path: &str) -> Option<&'static str> {
        let mut places = self.places().into_iter();
        places
            .find(|(found, ..)| found == path)
            .map(|(_, _, state)| state)
    }

    /// Kills a child again and again, until the subtree above it is over its limit and its stand-in serves.
    pub(crate) fn degrade(&self, subtree: &str, child: &str) {
        self.until("the stand-in serves", || {
            if self.state(child) == Some("up") {
                self.kill(child);
            }
            self.state(subtree) == Some("degraded")
        });
    }

    /// Kills a child.
    pub(crate) fn kill(&self, path: &str) {
        self.runtime
            .block_on(self.parts.tree.kill(path))
            .unwrap_or_else(|error| panic!("{error}"));
    }

    /// Kills a child, and waits until its successor is up.
    pub(crate) fn rebuild(&self, path: &str) {
        let incarnation = || {
            let mut places = self.places().into_iter();
            let found = places.find(|(found, _, state)| found == path && *state == "up");
            found.and_then(|(_, incarnation, _)| incarnation)
        };
        let before = incarnation();
        self.kill(path);
        self.until("the successor is up", || {
            incarnation().is_some_and(|now| Some(now) != before)
        });
    }

    /// Waits until something is so.
    pub(crate) fn until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let mut looks = PATIENCE.as_millis() / LOOK_EVERY.as_millis();
        while !is_so() {
            looks -= 1;
            assert!(looks > 0, "waited in vain until {what}");
            self.runtime
                .block_on(async { tokio::time::sleep(LOOK_EVERY).await });
        }
    }
}

/// An answer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A header by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The one bid of a response.
    pub(crate) fn only_bid(&self) -> Value {
        assert_eq!(self.status, 200, "no bid");
        self.json()["seatbid"][0]["bid"][0].clone()
    }
}

/// One request on a connection of its own.
pub(crate) fn ask(address: SocketAddr, method: &str, path: &str, body: &[u8]) -> Reply {
    let mut line = Line::to(address);
    line.ask(method, path, body)
        .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
}

/// A connection that stays.
pub(crate) struct Line(BufReader<TcpStream>);

impl Line {
    pub(crate) fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("somebody listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        Self(BufReader::new(stream))
    }

    pub(crate) fn ask(&mut self, method: &str, path: &str, body: &[u8]) -> std::io::Result<Reply> {
        self.ask_with("", (method, path), body)
    }

    /// The same with more headers, each with its line's end.
    pub(crate) fn ask_with(
        &mut self,
        headers: &str,
        (method, path): (&str, &str),
        body: &[u8],
    ) -> std::io::Result<Reply> {
        let stream = self.0.get_mut();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: test\r\n{headers}content-length: {}\r\n\r\n",
            body.len()
        );
        // In one piece: two would wait for each other's acknowledgement.
        stream.write_all(&[head.as_bytes(), body].concat())?;
        let mut first = String::new();
        if self.0.read_line(&mut first)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let status = first
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .expect("a status line");
        let (mut length, mut headers) = (0, Vec::new());
        loop {
            let mut header = String::new();
            self.0.read_line(&mut header)?;
            let Some((name, value)) = header.split_once(':') else {
                break;
            };
            let (name, value) = (name.to_ascii_lowercase(), value.trim().to_owned());
            if name == "content-length" {
                length = value.parse().expect("a length");
            }
            headers.push((name, value));
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok(Reply {
            status,
            headers,
            body,
        })
    }
}
