//! CPU time per bid request: the bidder beside a bare server that answers the same bytes to the same requests, or beside
//! any other server.
//!
//! Rounds are interleaved, other, bidder, other, so that what slows the machine down slows both; the two measurements of the
//! other one show how far apart equal runs are. Requests leave by the clock, so both do the same work in the same time.

mod bare;
mod owner;
mod text;

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request};
use serde_json::{Value, json};

use crate::clock;
use crate::cpu::{CpuError, CpuUse};
use crate::scenario::{Dialect, Exchange, Scenario, ScenarioError};
use crate::traffic::Generator;
use crate::volley::{GIVE_UP, Range, Shell, Volley, VolleyError};
use crate::wire::{Limits, Pool, Target, WireError};
use bare::Bare;
pub use bare::LISTENING;
pub use owner::owner_of;

/// Different requests that are sent round and round.
const SHELLS: u64 = 4_096;
/// Answers among which the one that the bare server repeats is chosen, by its size.
const SAMPLES: usize = 64;
/// How long both are warmed up.
const WARM_UP: Duration = Duration::from_secs(1);
/// How long the bidder is watched while nobody asks it anything.
const IDLE: Duration = Duration::from_secs(2);

/// What to compare.
#[derive(Clone, Debug)]
pub struct Options {
    /// The process of the bidder.
    pub server_pid: u32,
    /// Where it takes bid requests.
    pub target: Target,
    /// How requests are shaped.
    pub dialect: Dialect,
    /// How many rounds.
    pub rounds: u32,
    /// How long each measurement of a round takes.
    pub time: Duration,
    /// Requests per second.
    pub rate: u32,
    /// Connections to either.
    pub connections: usize,
    /// Requests in flight on one connection.
    pub depth: usize,
    /// What all randomness follows from.
    pub seed: u64,
    /// What it is compared with.
    pub against: Against,
}

/// What a bidder is compared with.
#[derive(Clone, Debug)]
pub enum Against {
    /// A bare server that this program's `baseline` command runs, answering one of the bidder's own responses.
    Baseline(PathBuf),
    /// Any server that runs: where, and its process.
    Server(Target, u32),
}

/// One measurement of one server.
#[derive(Clone, Debug)]
pub struct Measured {
    /// What came of the requests.
    pub volley: Volley,
    /// CPU time that the server's process took meanwhile.
    pub cpu: Duration,
}

/// One round.
#[derive(Clone, Debug)]
pub struct Round {
    /// The other server, first time.
    pub other_before: Measured,
    /// The bidder.
    pub bidder: Measured,
    /// The other server, second time.
    pub other_after: Measured,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Every round.
    pub rounds: Vec<Round>,
    /// What the bidder was compared with, for people.
    pub other: String,
    /// The size of the answer that the bare server repeated; none beside another server.
    pub answer_bytes: Option<usize>,
    /// CPU time that the bidder takes per second when nobody asks it anything.
    pub idle_cpu: Duration,
}

/// Why nothing could be compared.
#[derive(Debug)]
pub enum CompareError {
    /// The bundled traffic cannot be read.
    Scenario(ScenarioError),
    /// No answer with content came from the bidder.
    NoBid(String),
    /// The bare server could not be started.
    Bare(std::io::Error),
    /// A process cannot be watched.
    Cpu(CpuError),
    /// Nothing can be sent.
    Volley(VolleyError),
}

impl std::fmt::Display for CompareError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Scenario(error) => write!(out, "{error}"),
            Self::NoBid(why) => write!(out, "the server answered no request with a bid: {why}"),
            Self::Bare(error) => write!(out, "cannot start the baseline: {error}"),
            Self::Cpu(error) => write!(out, "{error}"),
            Self::Volley(error) => write!(out, "{error}"),
        }
    }
}

impl Measured {
    /// CPU time per answered request, in µs.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    pub fn cpu_us(&self) -> f64 {
        let answered = self.volley.answered().max(1);
        self.cpu.as_secs_f64() * 1e6 / answered as f64
    }

    /// Answers per second.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    pub fn per_second(&self) -> f64 {
        self.volley.answered() as f64 / self.volley.elapsed.as_secs_f64().max(1e-9)
    }
}

impl Round {
    /// How often the other server's CPU time the bidder takes.
    pub fn ratio(&self) -> f64 {
        let other = f64::midpoint(self.other_before.cpu_us(), self.other_after.cpu_us());
        self.bidder.cpu_us() / other.max(1e-9)
    }

    /// How far apart two equal measurements are: 1 is not at all.
    pub fn equal_ratio(&self) -> f64 {
        self.other_after.cpu_us() / self.other_before.cpu_us().max(1e-9)
    }
}

impl Comparison {
    /// The median of the rounds' ratios.
    pub fn median_ratio(&self) -> f64 {
        median(self.rounds.iter().map(Round::ratio))
    }

    /// Whether this program kept its own pace in every measurement.
    pub fn is_valid(&self) -> bool {
        self.measured().all(|measured| measured.volley.is_valid())
    }

    /// The median of what a request cost this program, in µs of CPU time.
    pub fn own_cpu_us(&self) -> f64 {
        median(self.measured().map(|measured| measured.volley.own_cpu_us()))
    }

    fn measured(&self) -> impl Iterator<Item = &Measured> {
        let rounds = self.rounds.iter();
        rounds.flat_map(|round| [&round.other_before, &round.bidder, &round.other_after])
    }

    /// For people.
    pub fn text(&self) -> String {
        text::write(self)
    }

    /// For machines.
    pub fn json(&self) -> Value {
        let measured = |measured: &Measured| {
            json!({
                "cpu_us_per_request": measured.cpu_us(),
                "generator_cpu_us_per_request": measured.volley.own_cpu_us(),
                "per_second": measured.per_second(),
                "bids": measured.volley.bids,
                "no_bids": measured.volley.no_bids,
                "failures": measured.volley.failures,
                "p50_ms": measured.volley.latencies.quantile_ms(0.5),
                "p99_ms": measured.volley.latencies.quantile_ms(0.99),
            })
        };
        let rounds: Vec<Value> = self
            .rounds
            .iter()
            .map(|round| {
                json!({
                    "other_before": measured(&round.other_before),
                    "bidder": measured(&round.bidder),
                    "other_after": measured(&round.other_after),
                    "ratio": round.ratio(),
                    "equal_ratio": round.equal_ratio(),
                })
            })
            .collect();
        json!({
            "valid": self.is_valid(),
            "against": self.other,
            "median_ratio": self.median_ratio(),
            "generator_cpu_us_per_request": self.own_cpu_us(),
            "answer_bytes": self.answer_bytes,
            "idle_cpu_ms_per_second": self.idle_cpu.as_secs_f64() * 1e3,
            "rounds": rounds,
        })
    }
}

/// The middle one of them; 0 of none.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = values.get(middle).copied().unwrap_or(0.0);
    if values.len() % 2 == 1 {
        return upper;
    }
    let lower = values.get(middle.wrapping_sub(1)).copied().unwrap_or(upper);
    f64::midpoint(lower, upper)
}

/// Compares. Must be called inside `tasks::run`.
///
/// # Errors
/// [`CompareError`] where nothing can be compared.
pub async fn compare(options: &Options) -> Result<Comparison, CompareError> {
    let shells = shells(options)?;
    let bidder = Side::new(&options.target, options.server_pid, options, &shells);
    CpuUse::of(bidder.pid).map_err(CompareError::Cpu)?;
    let answer = sample_answer(&options.target, &shells).await?;
    // Ended with this function.
    let program;
    let (name, target, pid) = match &options.against {
        Against::Baseline(path) => {
            program = Bare::start(path, &answer).map_err(CompareError::Bare)?;
            ("bare".to_owned(), program.target().clone(), program.pid())
        }
        Against::Server(target, pid) => {
            let name = format!("http://{}{}", target.authority, target.path);
            (name, target.clone(), *pid)
        }
    };
    let other = Side::new(&target, pid, options, &shells);
    for side in [&bidder, &other] {
        side.measure(options.rate, WARM_UP).await?;
    }
    let idle_cpu = idle(&bidder).await?;
    let mut rounds = Vec::new();
    for _ in 0..options.rounds {
        let round = Round {
            other_before: other.measure(options.rate, options.time).await?,
            bidder: bidder.measure(options.rate, options.time).await?,
            other_after: other.measure(options.rate, options.time).await?,
        };
        crate::terminal::note(&text::round(rounds.len() + 1, &round));
        rounds.push(round);
    }
    let is_bare = matches!(options.against, Against::Baseline(_));
    Ok(Comparison {
        rounds,
        other: name,
        answer_bytes: is_bare.then_some(answer.len()),
        idle_cpu,
    })
}

/// A server and how to reach it.
struct Side {
    range: Range,
    pid: u32,
}

impl Side {
    fn new(target: &Target, pid: u32, options: &Options, shells: &[Shell]) -> Self {
        let limits = Limits {
            connections: options.connections,
            depth: options.depth,
            give_up: GIVE_UP,
        };
        Self {
            range: Range::new(target, limits, shells),
            pid,
        }
    }

    async fn measure(&self, rate: u32, time: Duration) -> Result<Measured, CompareError> {
        let before = CpuUse::of(self.pid).map_err(CompareError::Cpu)?;
        let volley = self.range.volley(rate, time).await;
        let volley = volley.map_err(CompareError::Volley)?;
        let after = CpuUse::of(self.pid).map_err(CompareError::Cpu)?;
        Ok(Measured {
            volley,
            cpu: after.since(&before),
        })
    }
}

fn shells(options: &Options) -> Result<Vec<Shell>, CompareError> {
    let scenario = Scenario::load("steady").map_err(CompareError::Scenario)?;
    let exchange = Exchange {
        name: "compared".to_owned(),
        target: options.target.clone(),
        dialect: options.dialect,
        weight: 1.0,
    };
    let generator = Generator::new(options.seed, scenario.traffic, &[exchange]);
    let requests = (0..SHELLS).filter_map(|index| generator.request(index));
    Ok(requests.map(|planned| Shell::of(&planned)).collect())
}

/// An answer of a usual size: the middle one of the first few with content.
async fn sample_answer(target: &Target, shells: &[Shell]) -> Result<Bytes, CompareError> {
    let pool = Pool::new(&target.authority, 1);
    let mut found: Vec<Bytes> = Vec::new();
    let mut last = "no request was sent".to_owned();
    for shell in shells {
        let asking = ask(&pool, target, shell);
        match clock::before(clock::now() + GIVE_UP, asking).await {
            Some(Ok((200, body))) => found.push(body),
            Some(Ok((status, _))) => last = format!("status {status}"),
            Some(Err(error)) => return Err(CompareError::NoBid(error.to_string())),
            None => return Err(CompareError::NoBid("it answers too slowly".to_owned())),
        }
        if found.len() == SAMPLES {
            break;
        }
    }
    found.sort_by_key(Bytes::len);
    let middle = found.len() / 2;
    found
        .into_iter()
        .nth(middle)
        .ok_or(CompareError::NoBid(last))
}

/// The status and the body of one answer.
async fn ask(pool: &Pool, target: &Target, shell: &Shell) -> Result<(u16, Bytes), WireError> {
    let mut request = Request::new(Full::new(shell.body.clone()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = target.path.parse().unwrap_or_default();
    for (name, value) in [
        (HOST, target.authority.as_str()),
        (CONTENT_TYPE, "application/json"),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            request.headers_mut().insert(name, value);
        }
    }
    let answer = pool.send(request).await?;
    Ok((answer.status.as_u16(), answer.body))
}

async fn idle(side: &Side) -> Result<Duration, CompareError> {
    let before = CpuUse::of(side.pid).map_err(CompareError::Cpu)?;
    clock::sleep(IDLE).await;
    let after = CpuUse::of(side.pid).map_err(CompareError::Cpu)?;
    Ok(after.since(&before).div_f64(IDLE.as_secs_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(cpu_us_each: u64) -> Measured {
        let mut volley = Volley {
            bids: 60,
            no_bids: 40,
            elapsed: Duration::from_secs(2),
            ..Volley::default()
        };
        volley.latencies.record(Duration::from_millis(1));
        Measured {
            volley,
            cpu: Duration::from_micros(cpu_us_each * 100),
        }
    }

    #[test]
    fn a_ratio_compares_cpu_time_per_request() {
        let round = Round {
            other_before: measured(10),
            bidder: measured(24),
            other_after: measured(14),
        };
        assert!((round.ratio() - 2.0).abs() < 1e-9);
        assert!((round.equal_ratio() - 1.4).abs() < 1e-9);
        assert!((round.bidder.per_second() - 50.0).abs() < 1e-9);
        let comparison = Comparison {
            rounds: vec![round],
            other: "bare".to_owned(),
            answer_bytes: Some(1_200),
            idle_cpu: Duration::from_millis(3),
        };
        assert!((comparison.median_ratio() - 2.0).abs() < 1e-9);
        let text = comparison.text();
        assert!(text.contains("2.00"), "{text}");
        assert!(comparison.json()["rounds"][0]["ratio"].is_number());
    }

    #[test]
    fn the_median_is_the_middle() {
        assert!((median([3.0, 1.0, 2.0].into_iter()) - 2.0).abs() < 1e-9);
        assert!((median([4.0, 1.0, 2.0, 3.0].into_iter()) - 2.5).abs() < 1e-9);
        assert!(median(std::iter::empty()).abs() < 1e-9);
    }
}
