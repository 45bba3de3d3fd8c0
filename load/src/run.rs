//! A run: requests leave by the clock, answers are judged, auctions decided, notices sent, everything counted.

mod bare;
mod error;
mod host;
mod reckon;
mod session;
mod stop;
mod world;

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::clock;
use crate::cpu::CpuUse;
use crate::oracle::OracleFile;
use crate::pacer::{self, Due, Pace};
use crate::report::Report;
use crate::scenario::{Checks, Scenario};
use crate::tally::share;
use crate::terminal::note;
use crate::traffic::{Generator, Planned};
pub use error::RunError;
use host::Host;
use session::Session;
use tokio::sync::mpsc::Receiver;
use world::World;

/// Requests taken from the pacer at once: what falls due in some milliseconds at the highest rate.
const BATCH: usize = 128;
/// How often the last answers and notices are looked for.
const DRAIN_STEP: Duration = Duration::from_millis(20);
/// How often a server that is not ready is asked again.
const READY_STEP: Duration = Duration::from_millis(200);
/// From the start of the pacer to the first request.
const LEAD: Duration = Duration::from_millis(20);

/// A search for the capacity ends after more than so many seconds in a row above its latency.
const SECONDS_OVER_MAX: u32 = 4;

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
    /// Where a server of the run's own lives.
    pub lodging: Lodging,
}

/// Where a server of the run's own lives.
#[derive(Clone, Debug, Default)]
pub struct Lodging {
    /// Its configuration, data and output go below this folder and stay; otherwise to a temporary one.
    pub folder: Option<PathBuf>,
    /// Added to all its ports.
    pub port_shift: u16,
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

/// Runs a scenario to its end. Must be called inside `tasks::run`.
///
/// # Errors
/// [`RunError`] where it could not begin. What goes wrong later is part of the report.
pub async fn run(options: &Options) -> Result<Finished, RunError> {
    let mut stop = stop::Asked::listen();
    let mut host = Host::arrive(options).await?;
    let scenario = &options.scenario;
    let traffic = scenario.traffic.clone();
    let generator = Generator::new(scenario.seed, traffic, &scenario.exchanges);
    let prepared = (scenario.checks == Checks::None).then(|| bare::prepare(&generator));
    let world = World::new(scenario.clone(), prepared.as_deref());
    tokio::select! {
        ready = wait_until_ready(&world, &host, options.ready_wait) => ready?,
        () = stop.asked() => return Err(RunError::Stopped),
    }
    let before = reckon::begin(scenario, &world.desk).await?;
    let start = clock::now() + LEAD;
    let pace = Pace {
        start,
        schedule: scenario.schedule(),
    };
    let own = CpuUse::own();
    world.tally.borrow_mut().begins_at(start);
    let session = Session::start(&world, host.server(), start);
    let make = move |index| match &prepared {
        None => generator.request(index),
        Some(prepared) => bare::again(prepared, index),
    };
    let mut due = pacer::start(pace, make).map_err(RunError::Thread)?;
    let sending = Sending {
        world: &world,
        session: &session,
        host: &host,
        start,
        progress: options.progress,
    };
    tokio::select! {
        () = sending.all(&mut due) => {}
        () = stop.asked() => {
            note("stopped; waiting for the last answers and notices (again Ctrl-C: at once)");
            due.close();
        }
    }
    let elapsed = clock::since(start);
    tokio::select! {
        () = finish(&world, &session) => {}
        () = stop.asked() => {}
    }
    let own_cpu = CpuUse::own().ok().zip(own.ok());
    world.tally.borrow_mut().own_cpu = own_cpu.map(|(after, before)| after.since(&before));
    let ledger = world.desk.with_oracle(|oracle| oracle.file());
    let reckoning = reckon::end(scenario, before.as_ref(), &ledger).await;
    let story = session.end(elapsed, host.log()).await;
    host.leave().await;
    world.tally.borrow_mut().series.finish();
    let mut report = Report::new(&world.scenario, &world.tally.borrow(), &world.desk, story);
    report.reckon(reckoning, scenario, &world.desk);
    if report.holds() {
        host.forget(options.lodging.folder.is_some());
    }
    Ok(Finished {
        report,
        oracle: ledger,
    })
}

/// Sending, while time and the server are watched.
struct Sending<'a> {
    world: &'a Rc<World>,
    session: &'a Session,
    host: &'a Host,
    start: Instant,
    progress: Progress,
}

impl Sending<'_> {
    /// Until nothing is due any more, or the server is gone.
    async fn all(&self, due: &mut Receiver<Due<Planned>>) {
        let mut progress = tokio::time::interval(Duration::from_secs(1));
        let mut seconds_over = 0;
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                biased;
                taken = due.recv_many(&mut batch, BATCH) => {
                    if taken == 0 {
                        return;
                    }
                    for next in batch.drain(..) {
                        self.world.send(next);
                    }
                }
                _ = progress.tick() => {
                    let p99_ms = show(self.world, self.start, self.progress);
                    let capacity = self.world.scenario.capacity_p99_ms;
                    let is_over = capacity.is_some_and(|limit| p99_ms > limit);
                    seconds_over = if is_over { seconds_over + 1 } else { 0 };
                    let words = self.host.last_words();
                    if words.is_some() || seconds_over > SECONDS_OVER_MAX {
                        if let Some(words) = words {
                            self.session.trouble(words);
                        }
                        due.close();
                        return;
                    }
                }
            }
        }
    }
}

/// Shows a line; gives the last second's p99 in ms.
fn show(world: &World, start: Instant, progress: Progress) -> f64 {
    let mut tally = world.tally.borrow_mut();
    let p99 = tally.last_second.quantile_ms(0.99);
    tally.last_second.clear();
    if progress == Progress::Silent {
        return p99;
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
    p99
}

/// Waits for the last answers, which give up by themselves, for faults that still go on, then for the last notices.
async fn finish(world: &World, session: &Session) {
    session.finish_faults().await;
    while world.in_flight() > 0 {
        clock::sleep(DRAIN_STEP).await;
    }
    let until = clock::now() + world.scenario.drain;
    while world.desk.pending() > 0 && clock::now() < until {
        clock::sleep(DRAIN_STEP).await;
    }
}

async fn wait_until_ready(world: &World, host: &Host, patience: Duration) -> Result<(), RunError> {
    let until = clock::now() + patience;
    let exchanges = world.scenario.exchanges.iter();
    let mut places: Vec<_> = exchanges
        .map(|exchange| exchange.target.with_path("/ready"))
        .collect();
    let is_own = host.server().is_some() && world.scenario.server.command.is_empty();
    // A server that has just been started bids only once its books are open.
    let admin = world.scenario.admin.iter().filter(|_| is_own);
    places.extend(admin.map(|admin| admin.with_path("/readyz")));
    for ready in places {
        loop {
            if let Some(words) = host.last_words() {
                return Err(RunError::ServerEnded(words));
            }
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
