//! What stands: which exchanges bid, and what an operator must know. A fold of what happened in the tree.
//!
//! It lives outside the child that feeds it, so that a crash of that child forgets no alert. Pure: time is an argument.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::supervision::{Exit, Observation, What};
use crate::units::{Monotonic, UnixMillis};

/// Alerts that may stand at once; a hundred thousand campaigns set aside say no more than a thousand.
const ALERTS_MAX: usize = 1_024;

/// What alerts call the rates of exchange, which have no place in the tree.
const RATES: &str = "rates";

/// What stands.
#[derive(Debug)]
pub struct Board {
    exchanges: Vec<ExchangeSign>,
    alerts: BTreeMap<Box<str>, Alert>,
    /// Supervisors that serve nobody, beside whatever else is said of them.
    deaf: BTreeMap<Box<str>, Alert>,
}

/// What an operator must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// What happened, in one word.
    pub what: &'static str,
    /// What it means and what to do.
    pub meaning: String,
    /// Since when.
    pub since: UnixMillis,
}

/// How an exchange is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExchangeMode {
    /// It bids.
    Bidding,
    /// It went over its restart limit and answers 204 to everything.
    Degraded,
    /// It bids again, and one more crash degrades it.
    Probation,
}

#[derive(Debug)]
struct ExchangeSign {
    path: Box<str>,
    mode: ExchangeMode,
    degraded_since: Option<Monotonic>,
    degraded_before: Duration,
}

impl ExchangeMode {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Bidding, Self::Degraded, Self::Probation];

    /// The word in metrics.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Bidding => "bidding",
            Self::Degraded => "degraded",
            Self::Probation => "probation",
        }
    }
}

impl Board {
    /// A board on which every exchange bids and nothing is wrong.
    pub fn new<'e>(exchanges: impl IntoIterator<Item = &'e str>) -> Self {
        let sign = |name| ExchangeSign {
            path: format!("exchanges/{name}").into(),
            mode: ExchangeMode::Bidding,
            degraded_since: None,
            degraded_before: Duration::ZERO,
        };
        Self {
            exchanges: exchanges.into_iter().map(sign).collect(),
            alerts: BTreeMap::new(),
            deaf: BTreeMap::new(),
        }
    }

    /// Takes note of what happened.
    pub fn note(&mut self, seen: &Observation, now: Monotonic) {
        let path = &*seen.path;
        // Whatever else is heard of it or from it, it is deaf no more; one that is gone has a successor that hears.
        if matches!(
            seen.what,
            What::HearsAgain | What::Exited { .. } | What::Started { .. }
        ) {
            self.deaf.remove(path);
        }
        let mode = match &seen.what {
            What::Degraded => {
                self.raise(path, "degraded", over_limit(path), seen.at);
                Some(ExchangeMode::Degraded)
            }
            What::OnProbation => {
                let meaning =
                    "runs again; one more crash takes it down, and a quiet period ends this alert";
                self.raise(path, "on_probation", meaning.to_owned(), seen.at);
                Some(ExchangeMode::Probation)
            }
            What::SetAside | What::Fenced => {
                let meaning = "over its own restart limit, or stuck, and stays down; POST /tree/<path>/recover tries it again";
                self.raise(path, "set_aside", meaning.to_owned(), seen.at);
                None
            }
            What::Deaf => {
                let meaning = "the start of one of its children does not return, so it can restart and stop none; restart the process";
                raise(&mut self.deaf, path, Alert::new("deaf", meaning, seen.at));
                None
            }
            What::Recovered => {
                self.alerts.remove(path);
                Some(ExchangeMode::Bidding)
            }
            // Recovering from being set aside is a start like any other.
            What::Started {
                fallback: false, ..
            } if self.is(path, "set_aside") => {
                self.alerts.remove(path);
                None
            }
            What::Exited {
                exit: Exit::Stuck, ..
            } => {
                let meaning = "a child did not end when it was told to; it may hold memory until the process restarts";
                self.raise(path, "stuck", meaning.to_owned(), seen.at);
                None
            }
            _ => None,
        };
        let sign = self.exchanges.iter_mut().find(|sign| &*sign.path == path);
        if let Some((sign, mode)) = sign.zip(mode) {
            sign.turn(mode, now);
        }
    }

    /// Takes note of how many days old the rates of exchange are, if that is more than they may be. Says whether that is
    /// news.
    pub fn note_rates(&mut self, days_if_old: Option<i32>, now: UnixMillis) -> bool {
        let Some(days) = days_if_old else {
            self.alerts.remove(RATES);
            return false;
        };
        let known = self.alerts.get(RATES).map(|alert| alert.since);
        let meaning = format!(
            "the rates of exchange are {days} days old, and prices are converted by them; state new ones in [rates] and restart, or raise rates.max_age"
        );
        self.raise(RATES, "old_rates", meaning, known.unwrap_or(now));
        known.is_none()
    }

    /// How each exchange is served, in order, and for how long it was degraded so far.
    pub fn exchanges(&self, now: Monotonic) -> impl Iterator<Item = (ExchangeMode, Duration)> {
        self.exchanges
            .iter()
            .map(move |sign| (sign.mode, sign.degraded(now)))
    }

    /// What stands, by path.
    pub fn alerts(&self) -> impl Iterator<Item = (&str, &Alert)> {
        let all = self.alerts.iter().chain(&self.deaf);
        all.map(|(path, alert)| (&**path, alert))
    }

    /// The alerts as a list of objects: path, alert, meaning, `since_ms`.
    pub fn as_json(&self) -> Value {
        let alert = |(path, alert): (&str, &Alert)| json!({ "path": path, "alert": alert.what, "meaning": alert.meaning, "since_ms": alert.since.get() });
        self.alerts().map(alert).collect()
    }

    fn is(&self, path: &str, what: &str) -> bool {
        self.alerts
            .get(path)
            .is_some_and(|alert| alert.what == what)
    }

    fn raise(&mut self, path: &str, what: &'static str, meaning: String, since: UnixMillis) {
        raise(
            &mut self.alerts,
            path,
            Alert {
                what,
                meaning,
                since,
            },
        );
    }
}

impl Alert {
    fn new(what: &'static str, meaning: &str, since: UnixMillis) -> Self {
        Self {
            what,
            meaning: meaning.to_owned(),
            since,
        }
    }
}

fn raise(alerts: &mut BTreeMap<Box<str>, Alert>, path: &str, alert: Alert) {
    if alerts.len() < ALERTS_MAX || alerts.contains_key(path) {
        alerts.insert(path.into(), alert);
    }
}

impl ExchangeSign {
    fn turn(&mut self, mode: ExchangeMode, now: Monotonic) {
        self.degraded_before = self.degraded(now);
        self.degraded_since = (mode == ExchangeMode::Degraded).then_some(now);
        self.mode = mode;
    }

    fn degraded(&self, now: Monotonic) -> Duration {
        self.degraded_before
            + self
                .degraded_since
                .map_or(Duration::ZERO, |since| now.since(since))
    }
}

fn over_limit(path: &str) -> String {
    let meaning = match path.split('/').next() {
        Some("exchanges") => {
            "over its restart limit: answers 204 to everything until it passes probation"
        }
        Some("regions") => {
            "over its restart limit: closed, no bids in it until it passes probation"
        }
        Some("notices") => {
            "over its restart limit: answers 503, so that exchanges send their notices again"
        }
        Some("telemetry") => {
            "over its restart limit: nothing is counted, logged or traced; bidding goes on"
        }
        Some("learning") => {
            "over its restart limit: creatives and click rates stay as they were last, losses and clicks are not counted; the log says why, and a damaged approvals.json is restored or moved away"
        }
        _ => "over its restart limit: its stand-in serves",
    };
    meaning.to_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn seen(path: &str, what: What) -> Observation {
        Observation {
            at: UnixMillis::new(1_000),
            path: Arc::from(path),
            what,
        }
    }

    fn at(seconds: u64) -> Monotonic {
        Monotonic::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn an_exchange_is_degraded_until_probation_and_the_seconds_add_up() {
        let mut board = Board::new(["adx", "openrtb"]);
        board.note(&seen("exchanges/adx", What::Degraded), at(10));
        let modes = |board: &Board, now| board.exchanges(at(now)).collect::<Vec<_>>();
        assert_eq!(
            modes(&board, 15)[0],
            (ExchangeMode::Degraded, Duration::from_secs(5))
        );
        assert_eq!(
            modes(&board, 15)[1],
            (ExchangeMode::Bidding, Duration::ZERO)
        );
        board.note(&seen("exchanges/adx", What::OnProbation), at(20));
        assert_eq!(
            modes(&board, 30)[0],
            (ExchangeMode::Probation, Duration::from_secs(10))
        );
        board.note(&seen("exchanges/adx", What::Degraded), at(40));
        board.note(&seen("exchanges/adx", What::OnProbation), at(41));
        board.note(&seen("exchanges/adx", What::Recovered), at(50));
        assert_eq!(
            modes(&board, 99)[0],
            (ExchangeMode::Bidding, Duration::from_secs(11))
        );
    }

    #[test]
    fn an_alert_stands_until_its_subject_recovers() {
        let mut board = Board::new([]);
        board.note(&seen("regions/sg", What::Degraded), at(0));
        board.note(&seen("campaigns/pool/c1", What::SetAside), at(0));
        let raised: Vec<_> = board
            .alerts()
            .map(|(path, alert)| (path.to_owned(), alert.what))
            .collect();
        assert_eq!(
            raised,
            [
                ("campaigns/pool/c1".to_owned(), "set_aside"),
                ("regions/sg".to_owned(), "degraded")
            ]
        );
        let started = What::Started {
            incarnation: 2,
            fallback: false,
        };
        board.note(&seen("campaigns/pool/c1", started.clone()), at(1));
        board.note(&seen("regions/sg", started), at(1));
        assert_eq!(
            board.alerts().count(),
            1,
            "a start is no recovery from being degraded"
        );
        board.note(&seen("regions/sg", What::Recovered), at(2));
        assert_eq!(board.alerts().count(), 0);
    }

    #[test]
    fn a_supervisor_that_is_deaf_keeps_its_other_alert_and_loses_only_this_one() {
        let mut board = Board::new(["adx"]);
        let mut hears = |what| {
            board.note(&seen("exchanges/adx", what), Monotonic::default());
            board
                .alerts()
                .map(|(_, alert)| alert.what)
                .collect::<Vec<_>>()
        };
        assert_eq!(hears(What::Degraded), ["degraded"]);
        assert_eq!(hears(What::Deaf), ["degraded", "deaf"]);
        assert_eq!(hears(What::HearsAgain), ["degraded"]);
    }

    #[test]
    fn there_is_a_most_of_alerts() {
        let mut board = Board::new([]);
        for number in 0..2_000 {
            board.note(
                &seen(&format!("campaigns/pool/{number}"), What::SetAside),
                at(0),
            );
        }
        assert_eq!(board.alerts().count(), ALERTS_MAX);
    }
}
