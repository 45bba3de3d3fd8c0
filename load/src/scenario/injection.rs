//! Faults on a time line: what a run breaks on purpose, and when.
//!
//! In the TOML they are `[[faults]]`; here they are injections, since a fault of an answer is something else.

use std::time::Duration;

use serde::Deserialize;

use super::validate::Faults;

/// Connections, bodies or repetitions of one fault: far more than any lesson needs, and few enough for one machine.
const COUNT_MAX: u64 = 10_000;
/// The longest that one fault lasts.
const TIME_MAX_S: f64 = 3_600.0;
/// The largest body that a gzip bomb unpacks to: beyond it, packing takes this program too long.
const BOMB_MIB_MAX: u64 = 1_024;

/// Something that is broken on purpose.
#[derive(Clone, Debug)]
pub struct Injection {
    /// When, from the first request.
    pub at: Duration,
    /// How often in all.
    pub repeat: u32,
    /// From one to the next.
    pub every: Duration,
    /// What.
    pub act: Act,
}

/// What is broken.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// A child is killed by its path in the tree.
    KillChild(String),
    /// A degraded part is asked to come back.
    Recover(String),
    /// A fail point is armed: its name and what the admin server is told.
    FailPoint {
        /// Like `exchanges/xandr/bid_engine`.
        name: String,
        /// The query, `do=panic&one_in=3`.
        query: String,
    },
    /// Bodies that are not a bid request.
    Malformed(Barrage),
    /// Small bodies that unpack to very large ones.
    GzipBombs {
        /// Whom, and how many.
        barrage: Barrage,
        /// What one unpacks to, in MiB.
        mebibytes: u64,
    },
    /// Requests whose body comes byte by byte.
    SlowBodies {
        /// Whom, and for how long.
        siege: Siege,
        /// From one byte to the next.
        byte_every: Duration,
    },
    /// Connections that send half a head, and then nothing.
    HalfOpen(Siege),
    /// Connections that send nothing.
    Idle(Siege),
    /// SIGKILL for the server's process, which is started again after so long.
    KillServer(Duration),
    /// SIGTERM for it, which is started again so long after its end.
    RestartServer(Duration),
    /// SIGSTOP for it, SIGCONT after so long.
    PauseServer(Duration),
}

/// Bodies sent one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Barrage {
    /// To this exchange; to all in turn without it.
    pub exchange: Option<String>,
    /// How many.
    pub count: u64,
    /// How many a second.
    pub per_second: u64,
}

/// Connections held for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Siege {
    /// To this exchange; to all in turn without it.
    pub exchange: Option<String>,
    /// How many.
    pub connections: u64,
    /// For how long.
    pub time: Duration,
}

impl Act {
    /// Its kind, as the TOML says.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::KillChild(_) => "kill_child",
            Self::Recover(_) => "recover",
            Self::FailPoint { .. } => "fail_point",
            Self::Malformed(_) => "malformed",
            Self::GzipBombs { .. } => "gzip_bombs",
            Self::SlowBodies { .. } => "slow_bodies",
            Self::HalfOpen(_) => "half_open",
            Self::Idle(_) => "idle",
            Self::KillServer(_) => "kill_server",
            Self::RestartServer(_) => "restart_server",
            Self::PauseServer(_) => "pause_server",
        }
    }

    /// Whether it needs a server process of the run's own.
    pub const fn touches_server(&self) -> bool {
        matches!(
            self,
            Self::KillServer(_) | Self::RestartServer(_) | Self::PauseServer(_)
        )
    }

    /// Whether it needs the admin server.
    pub const fn needs_admin(&self) -> bool {
        matches!(
            self,
            Self::KillChild(_) | Self::Recover(_) | Self::FailPoint { .. }
        )
    }

    /// One line for people.
    pub fn label(&self) -> String {
        let kind = self.kind();
        let whom = |exchange: &Option<String>| exchange.clone().unwrap_or("all".to_owned());
        match self {
            Self::KillChild(path) | Self::Recover(path) => format!("{kind} {path}"),
            Self::FailPoint { name, query } => format!("{kind} {name} {query}"),
            Self::Malformed(barrage) | Self::GzipBombs { barrage, .. } => {
                format!("{kind} {} x {}", whom(&barrage.exchange), barrage.count)
            }
            Self::SlowBodies { siege, .. } | Self::HalfOpen(siege) | Self::Idle(siege) => {
                let seconds = siege.time.as_secs_f64();
                let whom = whom(&siege.exchange);
                format!("{kind} {whom} x {} for {seconds} s", siege.connections)
            }
            Self::KillServer(time) | Self::RestartServer(time) | Self::PauseServer(time) => {
                format!("{kind} {} ms", time.as_millis())
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawInjection {
    at_s: f64,
    kind: String,
    repeat: Option<u32>,
    every_s: Option<f64>,
    path: Option<String>,
    name: Option<String>,
    r#do: Option<String>,
    one_in: Option<u64>,
    times: Option<u64>,
    ms: Option<u64>,
    id_prefix: Option<String>,
    exchange: Option<String>,
    count: Option<u64>,
    per_s: Option<u64>,
    mib: Option<u64>,
    connections: Option<u64>,
    for_s: Option<f64>,
    byte_every_ms: Option<u64>,
    down_ms: Option<u64>,
}

/// Each kind and the keys that it has besides `at_s`, `repeat` and `every_s`.
const KINDS: [(&str, &[&str]); 11] = [
    ("kill_child", &["path"]),
    ("recover", &["path"]),
    (
        "fail_point",
        &["name", "do", "one_in", "times", "ms", "id_prefix"],
    ),
    ("malformed", &["exchange", "count", "per_s"]),
    ("gzip_bombs", &["exchange", "count", "per_s", "mib"]),
    (
        "slow_bodies",
        &["exchange", "connections", "for_s", "byte_every_ms"],
    ),
    ("half_open", &["exchange", "connections", "for_s"]),
    ("idle", &["exchange", "connections", "for_s"]),
    ("kill_server", &["down_ms"]),
    ("restart_server", &["down_ms"]),
    ("pause_server", &["ms"]),
];

/// Reads one of them; its faults are named by its place.
struct Reader<'a> {
    faults: &'a mut Faults,
    key: String,
    exchanges: &'a [&'a str],
}

/// Reads all of them.
pub(super) fn injections(
    faults: &mut Faults,
    raw: Vec<RawInjection>,
    exchanges: &[&str],
) -> Vec<Injection> {
    let mut all = Vec::new();
    for (place, raw) in raw.into_iter().enumerate() {
        let mut reader = Reader {
            faults,
            key: format!("faults[{place}]"),
            exchanges,
        };
        reader.refuse_foreign_keys(&raw);
        let at = reader.seconds("at_s", raw.at_s, f64::from(super::validate::SECONDS_MAX));
        let every = reader.seconds("every_s", raw.every_s.unwrap_or(1.0), TIME_MAX_S);
        let repeat = reader.count("repeat", raw.repeat.map(u64::from), 1);
        if let Some(act) = reader.act(&raw) {
            all.push(Injection {
                at,
                repeat: u32::try_from(repeat).unwrap_or(1),
                every,
                act,
            });
        }
    }
    all
}

impl Reader<'_> {
    fn fault(&mut self, name: &str, value: impl std::fmt::Display, advice: &str) {
        self.faults
            .add(&format!("{}.{name}", self.key), value, advice);
    }

    fn refuse_foreign_keys(&mut self, raw: &RawInjection) {
        let Some((kind, own)) = KINDS.iter().find(|(kind, _)| *kind == raw.kind) else {
            let kinds: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
            let advice = format!("one of {}", kinds.join(", "));
            return self.fault("kind", &raw.kind, &advice);
        };
        for name in raw.given() {
            if !own.contains(&name) {
                let advice = format!("{kind} has no such key, only {}", own.join(", "));
                self.fault(name, "…", &advice);
            }
        }
    }

    fn act(&mut self, raw: &RawInjection) -> Option<Act> {
        Some(match raw.kind.as_str() {
            "kill_child" => Act::KillChild(self.text("path", raw.path.as_ref())),
            "recover" => Act::Recover(self.text("path", raw.path.as_ref())),
            "fail_point" => self.fail_point(raw),
            "malformed" => Act::Malformed(self.barrage(raw)),
            "gzip_bombs" => Act::GzipBombs {
                barrage: self.barrage(raw),
                mebibytes: self.bomb(raw.mib),
            },
            "slow_bodies" => Act::SlowBodies {
                siege: self.siege(raw),
                byte_every: Duration::from_millis(raw.byte_every_ms.unwrap_or(100).max(1)),
            },
            "half_open" => Act::HalfOpen(self.siege(raw)),
            "idle" => Act::Idle(self.siege(raw)),
            "kill_server" => Act::KillServer(self.ms("down_ms", raw.down_ms, 500)),
            "restart_server" => Act::RestartServer(self.ms("down_ms", raw.down_ms, 0)),
            "pause_server" => Act::PauseServer(self.ms("ms", raw.ms, 1_000)),
            _ => return None,
        })
    }

    fn fail_point(&mut self, raw: &RawInjection) -> Act {
        let name = self.text("name", raw.name.as_ref());
        let what = self.text("do", raw.r#do.as_ref());
        if !["panic", "error", "stall", "off"].contains(&what.as_str()) {
            self.fault("do", &what, "panic, error, stall or off");
        }
        let mut query = vec![format!("do={what}")];
        let numbers = [("one_in", raw.one_in), ("times", raw.times), ("ms", raw.ms)];
        let given = numbers
            .into_iter()
            .filter_map(|(name, number)| Some((name, number?)));
        query.extend(given.map(|(name, number)| format!("{name}={number}")));
        if let Some(prefix) = &raw.id_prefix {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            if !prefix.chars().all(is_plain) {
                self.fault("id_prefix", prefix, "letters, digits, - _ and . only");
            }
            query.push(format!("id_prefix={prefix}"));
        }
        let query = query.join("&");
        Act::FailPoint { name, query }
    }

    fn barrage(&mut self, raw: &RawInjection) -> Barrage {
        Barrage {
            exchange: self.exchange(raw),
            count: self.count("count", raw.count, 100),
            per_second: self.count("per_s", raw.per_s, 50),
        }
    }

    fn siege(&mut self, raw: &RawInjection) -> Siege {
        Siege {
            exchange: self.exchange(raw),
            connections: self.count("connections", raw.connections, 50),
            time: self.seconds("for_s", raw.for_s.unwrap_or(10.0), TIME_MAX_S),
        }
    }

    fn exchange(&mut self, raw: &RawInjection) -> Option<String> {
        let name = raw.exchange.as_deref()?;
        if !self.exchanges.contains(&name) {
            let advice = format!("one of {}", self.exchanges.join(", "));
            self.fault("exchange", name, &advice);
        }
        Some(name.to_owned())
    }

    fn bomb(&mut self, mib: Option<u64>) -> u64 {
        let mib = mib.unwrap_or(64);
        if !(1..=BOMB_MIB_MAX).contains(&mib) {
            self.fault("mib", mib, "from 1 to 1024");
        }
        mib
    }

    fn text(&mut self, name: &str, value: Option<&String>) -> String {
        match value {
            Some(text) if !text.trim_matches('/').is_empty() => text.trim_matches('/').to_owned(),
            _ => {
                self.fault(name, "nothing", "this kind needs it");
                String::new()
            }
        }
    }

    fn count(&mut self, name: &str, value: Option<u64>, usual: u64) -> u64 {
        let value = value.unwrap_or(usual);
        if !(1..=COUNT_MAX).contains(&value) {
            self.fault(name, value, "from 1 to 10000");
        }
        value
    }

    fn seconds(&mut self, name: &str, value: f64, max: f64) -> Duration {
        if (0.0..=max).contains(&value) {
            return Duration::from_secs_f64(value);
        }
        self.fault(name, value, &format!("seconds, from 0 to {max}"));
        Duration::ZERO
    }

    fn ms(&mut self, name: &str, value: Option<u64>, usual: u64) -> Duration {
        let value = value.unwrap_or(usual);
        if value > 600_000 {
            self.fault(name, value, "ms, to 600000");
        }
        Duration::from_millis(value)
    }
}

impl RawInjection {
    /// The keys that only some kinds have, as far as they are given.
    fn given(&self) -> impl Iterator<Item = &'static str> {
        let keys = [
            ("path", self.path.is_some()),
            ("name", self.name.is_some()),
            ("do", self.r#do.is_some()),
            ("one_in", self.one_in.is_some()),
            ("times", self.times.is_some()),
            ("ms", self.ms.is_some()),
            ("id_prefix", self.id_prefix.is_some()),
            ("exchange", self.exchange.is_some()),
            ("count", self.count.is_some()),
            ("per_s", self.per_s.is_some()),
            ("mib", self.mib.is_some()),
            ("connections", self.connections.is_some()),
            ("for_s", self.for_s.is_some()),
            ("byte_every_ms", self.byte_every_ms.is_some()),
            ("down_ms", self.down_ms.is_some()),
        ];
        let given = keys.into_iter().filter(|(_, is_given)| *is_given);
        given.map(|(name, _)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Scenario, ScenarioError};

    fn parse(fault: &str) -> Result<Scenario, ScenarioError> {
        let text = format!("extends = \"steady\"\ndescription = \"x\"\n[[faults]]\n{fault}");
        Scenario::parse("x.toml", &text)
    }

    #[test]
    fn every_kind_is_read_with_its_usual_values() {
        for (kind, keys) in KINDS {
            let more = match kind {
                "kill_child" | "recover" => "path = \"/store/\"",
                "fail_point" => {
                    "name = \"store/journal\"\ndo = \"error\"\none_in = 2\nid_prefix = \"a-1\""
                }
                _ => "",
            };
            let scenario = parse(&format!("at_s = 1.5\nkind = \"{kind}\"\n{more}")).unwrap();
            let injection = &scenario.injections[0];
            assert_eq!(injection.act.kind(), kind, "{keys:?}");
            assert_eq!(injection.at, Duration::from_millis(1_500));
            assert_eq!(injection.repeat, 1);
        }
        let point = parse(
            "at_s = 1\nkind = \"fail_point\"\nname = \"a/b\"\ndo = \"panic\"\nid_prefix = \"x\"\nms = 5",
        );
        let Act::FailPoint { name, query } = &point.unwrap().injections[0].act.clone() else {
            panic!("a fail point");
        };
        assert_eq!(
            (name.as_str(), query.as_str()),
            ("a/b", "do=panic&ms=5&id_prefix=x")
        );
    }

    #[test]
    fn what_a_kind_has_not_is_refused_by_name() {
        for (fault, parts) in [
            (
                "at_s = 1\nkind = \"kill\"",
                ["faults[0].kind", "kill_child"],
            ),
            (
                "at_s = 1\nkind = \"idle\"\npath = \"x\"",
                ["faults[0].path", "connections"],
            ),
            (
                "at_s = 1\nkind = \"kill_child\"",
                ["faults[0].path", "needs it"],
            ),
            (
                "at_s = 1\nkind = \"idle\"\nexchange = \"x\"",
                ["faults[0].exchange", "xandr"],
            ),
            ("at_s = -1\nkind = \"idle\"", ["faults[0].at_s", "seconds"]),
            (
                "at_s = 1\nkind = \"malformed\"\ncount = 1000000",
                ["faults[0].count", "10000"],
            ),
            (
                "at_s = 1\nkind = \"fail_point\"\nname = \"a\"\ndo = \"x\"",
                ["faults[0].do", "stall"],
            ),
            (
                "at_s = 1\nkind = \"idle\"\nfoo = 1",
                ["foo", "unknown field"],
            ),
        ] {
            let error = parse(fault).unwrap_err().to_string();
            for part in parts {
                assert!(error.contains(part), "{part} in {error}");
            }
        }
    }

    #[test]
    fn a_fault_that_touches_the_server_makes_the_run_start_it() {
        let scenario = parse("at_s = 1\nkind = \"kill_server\"").unwrap();
        assert_eq!(scenario.server.start, crate::scenario::Start::Always);
        let refused = parse("at_s = 1\nkind = \"kill_server\"\n[server]\nstart = false");
        assert!(refused.unwrap_err().to_string().contains("server.start"));
    }
}
