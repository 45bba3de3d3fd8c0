//! Where anything says that the user is not to be known, the answer is that to a request that never named one: the real
//! engine and serializer, asked twice with the same luck at the same time, once with everything personal and once without.
//!
//! Not here: addresses of data centres. Whether a machine asks is asked of everyone, and nothing of it is kept.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bidtree::clock::Clock;
use bidtree::exchange::bid_engine::{BidCall, BidEngine, Decided, Verdict, bid_engine};
use bidtree::exchange::serializer::{BidIds, serializer};
use bidtree::supervision::{Limit, Planes, Spec, Stage, Strategy as Restarting, Supervisor, Tree};
use bidtree::units::Monotonic;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::scratch::Scratch;
use crate::support::{Running, configured};

/// What stands for a person in a request; none of it may be found anywhere else.
const PERSONAL: [&str; 12] = [
    "person-id",
    "person-ours",
    "person-eid",
    "person-old-eid",
    "person-ifa",
    "person-segment",
    "person-old-segment",
    "person-sha1",
    "10.77.66.55",
    "2001:db8:77:66::55",
    "1.352083",
    "103.819836",
];

/// Leases and pacing go on beside a pair of questions, and may come between them: so often a pair is asked again, each of
/// which takes less than a millisecond of the second for which a share holds.
const TRIES: u32 = 100;

/// Campaigns that everything personal decides upon, each of an advertiser of its own, and one that asks nothing.
fn configuration() -> Scratch {
    let folder = configured(&[]);
    let main = std::fs::read_to_string(folder.path().join("bidtree.toml")).expect("a file");
    let main = main.replace("hold = \"10s\"", "hold = \"5m\"\nbids_per_imp = 8");
    folder.write(
        "bidtree.toml",
        &format!("{main}[telemetry]\ntrace_one_in = 1\n"),
    );
    let frequency = "frequency = { impressions = 9, within = \"1h\" }";
    let segments = |list: &str, segment: &str| {
        format!("[targeting]\nsegments = {{ {list} = [\"{segment}\"] }}")
    };
    for (place, (id, keys)) in [
        ("capped", frequency.to_owned()),
        ("known", segments("include", "eids/known.example")),
        ("once-known", segments("include", "eids/old.example")),
        ("in", segments("include", "provider.example/person-segment")),
        (
            "once-in",
            segments("include", "provider.example/person-old-segment"),
        ),
        (
            "out",
            segments("exclude", "provider.example/person-segment"),
        ),
        ("plain", String::new()),
    ]
    .into_iter()
    .enumerate()
    {
        folder.write(
            &format!("advertisers/{id}.toml"),
            &format!("domains = [\"{id}.example\"]"),
        );
        folder.write(
            &format!("campaigns/{id}.toml"),
            &format!("advertiser = \"{id}\"\ncreatives = [\"tile\"]\npacing = \"asap\"\ncpm = \"{place}.50\"\nbudget = {{ daily = \"1000.00\" }}\n{keys}"),
        );
    }
    folder
}

/// A request that says nothing of anybody.
fn nobodys() -> Value {
    json!({
        "id": "r", "tmax": 1000, "site": { "domain": "news.example" },
        "imp": [{ "id": "1", "banner": { "w": 300, "h": 250 } }],
        "device": { "os": "Android", "devicetype": 4, "geo": { "country": "SGP" } },
        "user": { "ext": {} }, "regs": { "ext": {} },
    })
}

/// What names somebody: where it may stand, and what it says.
fn personal() -> Vec<(&'static str, Value)> {
    let eid = |source, id| json!([{ "source": source, "uids": [{ "id": id, "atype": 1 }] }]);
    let segments = |id| json!([{ "id": "provider.example", "segment": [{ "id": id }] }]);
    vec![
        ("/user/id", json!(PERSONAL[0])),
        ("/user/buyeruid", json!(PERSONAL[1])),
        ("/user/eids", eid("known.example", PERSONAL[2])),
        ("/user/ext/eids", eid("old.example", PERSONAL[3])),
        ("/device/ifa", json!(PERSONAL[4])),
        ("/user/data", segments(PERSONAL[5])),
        ("/user/ext/data", segments(PERSONAL[6])),
        ("/device/didsha1", json!(PERSONAL[7])),
        ("/device/ip", json!(PERSONAL[8])),
        ("/device/ipv6", json!(PERSONAL[9])),
        ("/device/geo/lat", json!(1.352_083)),
        ("/device/geo/lon", json!(103.819_836)),
    ]
}

/// One place where a restriction may stand, and what may stand there.
fn restriction() -> impl Strategy<Value = (&'static str, Value)> {
    let yes = [
        json!(1),
        json!(true),
        json!("1"),
        json!("true"),
        json!(2),
        json!("?"),
        json!([1]),
        json!({}),
    ];
    let flags = [
        "/regs/coppa",
        "/regs/ext/coppa",
        "/regs/gdpr",
        "/regs/ext/gdpr",
        "/regs/ext/gpc",
        "/device/lmt",
        "/device/ext/lmt",
        "/device/dnt",
        "/device/ext/dnt",
    ];
    let texts = [
        ("/regs/us_privacy", json!("1YYN")),
        ("/regs/ext/us_privacy", json!("1NY-")),
        ("/regs/us_privacy", json!("?")),
        ("/regs/gpp", json!("DBAA")),
        ("/regs/ext/gpp", json!("DBAA")),
        ("/regs/gpp_sid", json!([7])),
        ("/regs/ext/gpp_sid", json!(["2"])),
        ("/regs/gpp_sid", json!("8")),
    ];
    prop_oneof![
        (
            prop::sample::select(flags.to_vec()),
            prop::sample::select(yes.to_vec())
        ),
        prop::sample::select(texts.to_vec()),
    ]
}

fn set(request: &mut Value, path: &str, value: Value) {
    let steps = path.trim_start_matches('/').split('/');
    *steps.fold(request, |place, step| &mut place[step]) = value;
}

/// What is written to the log on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("a log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The running server's engine, asked by itself.
struct Desk<'s> {
    server: &'s Running,
    tree: Tree,
    engine: Stage<BidEngine>,
    clock: Clock,
}

impl<'s> Desk<'s> {
    fn of(server: &'s Running) -> Self {
        let engine = Stage::new();
        let spec = bid_engine(&engine, &server.exchange_parts("openrtb").engine);
        let tree = started(server, spec);
        // It stands still: all questions come at the same time.
        let (clock, _) = Clock::manual(Clock::system().wall());
        Self {
            server,
            tree,
            engine,
            clock,
        }
    }

    fn stop(self) {
        self.server.handle().block_on(self.tree.stop());
    }

    /// What is written by a serializer that has numbered no bid before.
    fn write(&self, decided: &Decided<'_>) -> String {
        let mut parts = self.server.exchange_parts("openrtb").serializer.clone();
        parts.bid_ids = BidIds::new(7, 1);
        let stage = Stage::new();
        let tree = started(self.server, serializer(&stage, &parts));
        let written = stage.call(|serializer| serializer.write(decided));
        self.server.handle().block_on(tree.stop());
        String::from_utf8(written.expect("the serializer")).expect("text")
    }

    /// Everything that is made of a request: answer, outcome as it is traced, and log.
    fn ask(&self, request: &Value) -> String {
        let body = request.to_string();
        let call = BidCall {
            body: body.as_bytes(),
            arrived: Monotonic::from_nanos(0),
            waited: Duration::ZERO,
            thread: 0,
            clock: &self.clock,
        };
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .without_time()
            .with_writer(move || writer.clone())
            .finish();
        let made = tracing::subscriber::with_default(subscriber, || {
            let mut luck = fastrand::Rng::with_seed(7);
            let verdict = self
                .engine
                .call(|engine| engine.bid(&call, &mut luck))
                .expect("the engine");
            match verdict {
                // Not sent: what was promised is given back.
                Verdict::Bid(decided) => self.write(&decided),
                Verdict::Pass(reason) => format!("{reason:?}"),
                Verdict::Late => "late".to_owned(),
                Verdict::Reject(error) => format!("{error:?}"),
            }
        });
        let log = log.0.lock().expect("a log").clone();
        made + &String::from_utf8(log).expect("text")
    }

    /// What is made of both, where they differ. A difference counts if the one is answered the same before and after the
    /// other: then nothing came between. A pair is asked again only where something did.
    fn differ(&self, one: &Value, other: &Value) -> Option<(String, String)> {
        for _ in 0..TRIES {
            let (first, second) = (self.ask(one), self.ask(other));
            if first == second {
                return None;
            }
            if self.ask(one) == first {
                return Some((first, second));
            }
        }
        panic!("what bids depend on never stood still");
    }
}

/// A tree of one child.
fn started(server: &Running, child: Spec) -> Tree {
    let tree = Tree::new(Planes::single(server.handle()), Clock::system());
    let limit = Limit::new(0, Duration::from_mins(1));
    let root = Supervisor::new(Restarting::OneForOne, limit).child(child);
    let begun = server.handle().block_on(tree.start(root));
    begun.expect("a child that starts");
    tree
}

fn campaigns(made: &str) -> Vec<String> {
    let answer: Value = serde_json::from_str(made).expect("an answer");
    let bids = answer["seatbid"][0]["bid"].as_array().expect("bids");
    bids.iter()
        .map(|bid| bid["cid"].as_str().expect("a campaign").to_owned())
        .collect()
}

#[test]
fn where_the_user_is_not_to_be_known_everything_is_as_if_none_had_been_named() {
    let (configuration, data) = (configuration(), Scratch::new());
    let server = Running::of(&configuration, &data);
    let desk = Desk::of(&server);

    // The control: with permission, each of them is another request.
    let mut all = nobodys();
    for (path, value) in personal() {
        set(&mut all, path, value);
    }
    assert_eq!(campaigns(&desk.ask(&nobodys())), ["plain", "out"]);
    let known = ["plain", "once-in", "in", "once-known", "known", "capped"];
    assert_eq!(campaigns(&desk.ask(&all)), known);
    for (path, value) in personal() {
        let is_used = ![
            "/device/didsha1",
            "/device/ip",
            "/device/ipv6",
            "/device/geo/lat",
            "/device/geo/lon",
        ]
        .contains(&path);
        let mut one = nobodys();
        set(&mut one, path, value);
        assert_eq!(desk.differ(&nobodys(), &one).is_some(), is_used, "{path}");
    }

    let cases = (
        prop::sample::subsequence(personal(), 1..=PERSONAL.len()),
        restriction(),
        prop::collection::vec((restriction(), any::<bool>()), 0..3),
    );
    let mut runner = TestRunner::new(Config {
        failure_persistence: None,
        ..Config::with_cases(256)
    });
    let outcome = runner.run(&cases, |(somebody, (path, value), others)| {
        let mut without = nobodys();
        for ((path, value), denies) in others {
            // A no beside a yes does not undo it.
            let is_flag = !path.contains("us_privacy") && !path.contains("gpp");
            set(
                &mut without,
                path,
                if denies && is_flag { json!(0) } else { value },
            );
        }
        set(&mut without, path, value);
        let mut with = without.clone();
        for (path, value) in somebody {
            set(&mut with, path, value);
        }
        prop_assert_eq!(desk.differ(&with, &without), None, "{}", with);
        let made = desk.ask(&with);
        for secret in PERSONAL {
            prop_assert!(!made.contains(secret), "{} in {}", secret, made);
        }
        Ok(())
    });
    desk.stop();
    server.stop();
    outcome.unwrap_or_else(|fault| panic!("{fault}"));
}

/// Whether any file below a folder holds a text.
fn is_kept(folder: &Path, text: &str) -> bool {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    let mut paths = entries.map(|entry| entry.path());
    paths.any(|path| {
        if path.is_dir() {
            return is_kept(&path, text);
        }
        let bytes = std::fs::read(&path).expect("a file");
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    })
}

#[test]
fn nothing_personal_is_stored_with_or_without_permission() {
    let (configuration, data) = (configuration(), Scratch::new());
    let server = Running::of(&configuration, &data);
    let mut all = nobodys();
    for (path, value) in personal() {
        set(&mut all, path, value);
    }
    let mut restricted = all.clone();
    restricted["device"]["lmt"] = json!(1);
    for request in [&all, &restricted] {
        let bid = server.bid("openrtb", request).only_bid();
        let burl = bid["burl"].as_str().expect("a URL");
        assert_eq!(server.notice(burl, "0.10").status, 204);
    }
    let traces = data.path().join("log/traces.jsonl");
    server.until("the traces are written", || {
        std::fs::read_to_string(&traces).is_ok_and(|text| text.lines().count() >= 2)
    });
    server.stop();
    assert!(
        is_kept(data.path(), "openrtb"),
        "the control is found in the traces"
    );
    for secret in PERSONAL {
        assert!(!is_kept(data.path(), secret), "{secret}");
    }
}
