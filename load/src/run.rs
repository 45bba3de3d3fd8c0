//! A run: requests leave by the clock, answers are judged, auctions decided, notices sent, everything counted.

mod bare;
mod world;

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::clock;
use crate::cpu::CpuUse;
use crate::oracle::OracleFile;
use crate::pacer::{self, Pace};
use crate::report::Report;
use crate::scenario::{Checks, Scenario};
use crate::tally::share;
use crate::terminal::note;
use crate::traffic::Generator;
use world::World;

/// How often the last answers and notices are looked for.
const DRAIN_STEP: Duration = Duration::from_millis(20);
/// How often a server that is not ready is asked again.
const READY_STEP: Duration = Duration::from_millis(200);
/// From the start of the pacer to the first request.
const LEAD: Duration = Duration::from_millis(20);

/// What to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The scenario, changed as the command line says.
    pub scenario: Scenario,
    /// How long a server may take to become ready.
    pub ready_wait: Duration,
    /// Whether expectations decide how the run ends.
    pub expectations: Enforcement,
    /// Whether a line of progress appears each second.
    pub progress: Progress,
}

/// Whether expectations decide how a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enforcement {
    /// One that does not hold fails the run.
    Enforced,
    /// They are reported only.
    ReportedOnly,
}

/// Whether progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Each second.
    Shown,
    /// Never.
    Silent,
}

/// What a run found.
#[derive(Debug)]
pub struct Finished {
    /// For people and machines.
    pub report: Report,
    /// The oracle's ledger.
    pub oracle: OracleFile,
}

/// A run that could not begin.
#[derive(Debug)]
pub enum RunError {
    /// An exchange that was never ready: where, and what was seen last.
    Unreachable(String, String),
    /// The system gave no thread.
    Thread(std::io::Error),
}

impl std::fmt::Display for RunError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreachable(place, why) => write!(
                out,
                "{place} is not ready: {why}; start the server first, or wait longer with --ready-wait"
            ),
            Self::Thread(error) => write!(out, "no thread for the pacer: {error}"),
        }
    }
}

/// Runs a scenario to its end. Must be called inside `tasks::run`.
///
/// # Errors
/// [`RunError`] where it could not begin. What goes wrong later is part of the report.
pub async fn run(options: &Options) -> Result<Finished, RunError> {
    let scenario = &options.scenario;
    let traffic = scenario.traffic.clone();
    let generator = Generator::new(scenario.seed, traffic, &scenario.exchanges);
    let prepared = (scenario.checks == Checks::None).then(|| bare::prepare(&generator));
    let world = Rc::new(World::new(scenario.clone(), prepared.as_deref()));
    wait_until_ready(&world, options.ready_wait).await?;
    let own = CpuUse::own();
    let start = clock::now() + LEAD;
    let pace = Pace {
        start,
        schedule: scenario.schedule(),
    };
    let make = move |index| match &prepared {
        None => generator.request(index),
        Some(prepared) => bare::again(prepared, index),
    };
    let mut due = pacer::start(pace, make).map_err(RunError::Thread)?;
    let mut progress = tokio::time::interval(Duration::from_secs(1));
    let mut stop = std::pin::pin!(tokio::signal::ctrl_c());
    loop {
        tokio::select! {
            biased;
            next = due.recv() => match next {
                Some(next) => World::send(&world, next),
                None => break,
            },
            _ = progress.tick() => show(&world, start, options.progress),
            _ = &mut stop => {
                note("stopped; waiting for the last answers and notices");
                due.close();
                break;
            }
        }
    }
    let elapsed = clock::since(start);
    drain(&world).await;
    let own_cpu = CpuUse::own().ok().zip(own.ok());
    world.tally.borrow_mut().own_cpu = own_cpu.map(|(after, before)| after.since(&before));
    Ok(Finished {
        report: Report::new(&world.scenario, &world.tally.borrow(), &world.desk, elapsed),
        oracle: world.desk.with_oracle(crate::oracle::Oracle::file),
    })
}

fn show(world: &World, start: Instant, progress: Progress) {
    let mut tally = world.tally.borrow_mut();
    let p99 = tally.last_second.quantile_ms(0.99);
    tally.last_second.clear();
    if progress == Progress::Silent {
        return;
    }
    let all = tally.all();
    note(&format!(
        "{:>4} s  sent {}  bids {} ({:.0} %)  no bids {}  faulty {}  failed {}  waiting {}  notices due {}  p99 {p99:.1} ms",
        clock::since(start).as_secs(),
        tally.started,
        all.bids,
        100.0 * share(all.bids, all.requests),
        all.no_bids,
        all.faulty,
        all.failures,
        world.in_flight(),
        world.desk.pending(),
    ));
}

/// Waits for the last answers, which give up by themselves, then for the last notices.
async fn drain(world: &World) {
    while world.in_flight() > 0 {
        clock::sleep(DRAIN_STEP).await;
    }
    let until = clock::now() + world.scenario.drain;
    while world.desk.pending() > 0 && clock::now() < until {
        clock::sleep(DRAIN_STEP).await;
    }
}

async fn wait_until_ready(world: &World, patience: Duration) -> Result<(), RunError> {
    let until = clock::now() + patience;
    for exchange in &world.scenario.exchanges {
        let ready = exchange.target.with_path("/ready");
        loop {
            let Err(why) = world.is_ready(&ready).await else {
                break;
            };
            if clock::now() >= until {
                let place = format!("http://{}{}", ready.authority, ready.path);
                return Err(RunError::Unreachable(place, why));
            }
            clock::sleep(READY_STEP).await;
        }
    }
    Ok(())
}

/// Writes the oracle's ledger into a folder.
///
/// # Errors
/// Where it cannot be written.
pub fn write_oracle(folder: &Path, oracle: &OracleFile) -> std::io::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join("oracle.json");
    let text = serde_json::to_string_pretty(oracle)?;
    std::fs::write(&path, text)?;
    Ok(path)
}

#[cfg(test)]
mod tests;
