//! The server as a process of its own that is killed: nothing in it can put anything in order.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::scratch::Scratch;
use crate::support::{Reply, ask, configured};

const PATIENCE: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How often a person comes back: many times as often as it takes to be shown what may be shown.
const VISITS: usize = 40;

/// A server that ends as if the power went.
struct Doomed {
    child: Child,
    exchange: SocketAddr,
    notices: SocketAddr,
    admin: SocketAddr,
    /// Held, so that it can go on writing.
    _out: BufReader<ChildStdout>,
}

impl Doomed {
    /// Serves this configuration, and returns when its regions hold a lease of each of so many campaigns.
    fn start(configuration: &Scratch, data: &Scratch, campaigns: usize) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_bidtree"))
            .arg("--config")
            .arg(configuration.path())
            .env("BIDTREE__SERVER__DATA_DIR", data.path())
            .env("BIDTREE__SERVER__DATA_THREADS", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server's program");
        let mut out = BufReader::new(child.stdout.take().expect("its output"));
        let mut said = String::new();
        while !said.contains("  admin ") {
            let read = out.read_line(&mut said).expect("its greeting");
            assert!(read > 0, "it does not start: {said}");
        }
        let address = |word: &str| {
            let line = said.lines().find(|line| line.trim().starts_with(word));
            let rest = line.expect(word).split_once("http://").expect("a URL").1;
            let end = rest.find('/').expect("a path");
            rest[..end].parse().expect("an address")
        };
        let doomed = Self {
            exchange: address("exchange"),
            notices: address("notices"),
            admin: address("admin"),
            _out: out,
            child,
        };
        let leases = format!("bidtree_leases_open{{region=\"row\"}} {campaigns}\n");
        let page = || ask(doomed.admin, "GET", "/metrics", b"").body;
        wait_until("it has leases", || {
            String::from_utf8_lossy(&page()).contains(&leases)
        });
        doomed
    }

    /// Kills it, by its id.
    fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it is gone");
    }

    /// What a person would be shown.
    fn bid(&self, person: &str) -> Value {
        let request = json!({
            "id": "r", "tmax": 1000, "imp": [{ "id": "1", "banner": { "w": 300, "h": 250 } }],
            "site": { "domain": "news.example" }, "device": { "ifa": person },
        });
        let body = request.to_string();
        ask(self.exchange, "POST", "/bid", body.as_bytes()).only_bid()
    }

    fn bill(&self, bid: &Value) -> Reply {
        let url = bid["burl"].as_str().expect("a URL");
        let rest = url.split_once("://").expect("a URL").1;
        let path = &rest[rest.find('/').expect("a path")..];
        let path = path.replace("${AUCTION_PRICE}", "1.00");
        ask(self.notices, "GET", &path, b"")
    }

    fn impressions(&self, campaign: &str) -> u64 {
        let page = ask(self.admin, "GET", "/campaigns", b"").json();
        let mut rows = page["campaigns"].as_array().expect("campaigns").iter();
        let row = rows.find(|row| row["id"] == campaign);
        row.expect("the campaign")["impressions"]
            .as_u64()
            .expect("a count")
    }
}

impl Drop for Doomed {
    fn drop(&mut self) {
        // It may be gone already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    // Nobody sends anything: what is waited for is in another process.
    let (_silent, nothing) = mpsc::sync_channel::<()>(1);
    let mut looks = PATIENCE.as_millis() / LOOK_EVERY.as_millis();
    while !is_so() {
        looks -= 1;
        assert!(looks > 0, "waited in vain until {what}");
        nothing.recv_timeout(LOOK_EVERY).ok();
    }
}

/// A person may see it twice: one impression is billed, and one more bid is out when the server is killed. Answers how
/// many impressions are billed in the end.
fn seen_over_a_kill(strict: bool) -> u64 {
    let capped = "cpm = \"3.00\"\nbudget = { daily = \"100.00\" }\nfrequency = { impressions = 2, within = \"24h\" }";
    let plain = "cpm = \"2.00\"\nbudget = { daily = \"100.00\" }";
    let configuration = configured(&[("capped", capped), ("plain", plain)]);
    let settings = std::fs::read_to_string(configuration.path().join("bidtree.toml"));
    let settings = settings.expect("the settings");
    let strict = format!("{settings}[campaigns]\nstrict_caps = {strict}\n");
    configuration.write("bidtree.toml", &strict);
    let data = Scratch::new();
    let (anna, berta) = ("0f2d4c6e-8a1b-4c3d", "1f2d4c6e-8a1b-4c3d");

    // The dearer one is capped; the other is for whoever may not see it.
    let is_capped = |bid: &Value| bid["cid"] == "capped";
    let server = Doomed::start(&configuration, &data, 2);
    wait_until("the caps are loaded", || is_capped(&server.bid(berta)));
    let (first, second) = (server.bid(anna), server.bid(anna));
    assert!(is_capped(&first) && is_capped(&second));
    assert!(!is_capped(&server.bid(anna)), "twice is enough");
    assert_eq!(server.bill(&first).status, 204);
    server.kill();

    let server = Doomed::start(&configuration, &data, 2);
    let visits = (0..VISITS).map(|_| server.bid(anna));
    let more: Vec<Value> = visits.filter(is_capped).collect();
    for bid in [&second].into_iter().chain(&more) {
        assert_eq!(server.bill(bid).status, 204);
    }
    assert!(!is_capped(&server.bid(anna)));
    let seen = server.impressions("capped");
    server.kill();
    seen
}

#[test]
fn nobody_sees_more_than_the_cap_over_a_kill_with_strict_caps() {
    assert_eq!(seen_over_a_kill(true), 2);
}

#[test]
fn without_strict_caps_a_bid_that_was_out_is_not_counted() {
    assert_eq!(seen_over_a_kill(false), 3);
}
