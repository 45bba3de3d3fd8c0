//! Breaks things on purpose, at the instants of the scenario's time line.
//!
//! What the faults' own connections see is counted here, apart from the traffic's figures. Each fault is bounded in count
//! and in time. A fault that could not be injected is a problem of the run: what it should have shown was not shown.

mod barrage;
mod hostile;
mod raw_wire;
mod siege;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use crate::admin::Admin;
use crate::clock::{self, Origin};
use crate::marks::{MarkKind, Marks};
use crate::process::{ServerProcess, Stopped};
use crate::scenario::{Act, Injection};
use crate::tasks;
use crate::timeline::{self, Strike};
use crate::wire::Target;

/// What became of one fault.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Strikes.
    pub strikes: u64,
    /// Strikes that took effect.
    pub effective: u64,
    /// What its connections saw, or its orders were answered.
    pub outcomes: BTreeMap<String, u64>,
    /// Of these, how many a sound server must not show.
    pub wrong: u64,
    /// One of the wrong ones, or why it took no effect.
    pub example: Option<String>,
}

/// Where faults go.
pub struct Tools {
    /// Exchanges: name and address.
    pub exchanges: Vec<(String, Target)>,
    /// The admin server.
    pub admin: Option<Admin>,
    /// The server's process, where it is the run's own.
    pub server: Option<Rc<ServerProcess>>,
    /// What all randomness follows from.
    pub seed: u64,
}

/// Strikes.
pub struct Injector {
    injections: Vec<Injection>,
    tools: Tools,
    marks: Rc<Marks>,
    seen: RefCell<Vec<Seen>>,
    under_way: Cell<u64>,
    is_over: Cell<bool>,
    origin: Origin,
    end: Duration,
}

impl Injector {
    /// For these faults, until `end`.
    pub fn new(
        injections: &[Injection],
        tools: Tools,
        marks: &Rc<Marks>,
        (origin, end): (Origin, Duration),
    ) -> Rc<Self> {
        Rc::new(Self {
            seen: RefCell::new(vec![Seen::default(); injections.len()]),
            injections: injections.to_vec(),
            tools,
            marks: Rc::clone(marks),
            under_way: Cell::new(0),
            is_over: Cell::new(false),
            origin,
            end,
        })
    }

    /// Walks along the time line; each strike is a task of its own.
    pub fn start(injector: &Rc<Self>) {
        let strikes = timeline::strikes(&injector.injections, injector.end);
        let injector = Rc::clone(injector);
        tasks::start(async move {
            timeline::walk(injector.origin, strikes, |strike| {
                Self::strike(&injector, strike);
            })
            .await;
        });
    }

    /// No more strikes; what holds connections lets them go.
    pub fn stop(&self) {
        self.is_over.set(true);
    }

    /// Strikes that go on.
    pub fn under_way(&self) -> u64 {
        self.under_way.get()
    }

    /// What became of each fault, as the scenario orders them.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.borrow().clone()
    }

    fn strike(injector: &Rc<Self>, strike: Strike) {
        let Some(injection) = injector.injections.get(strike.place) else {
            return;
        };
        if injector.is_over.get() {
            return;
        }
        let act = injection.act.clone();
        let at = injector.origin.elapsed();
        injector.marks.add(at, MarkKind::Fault, act.label());
        injector.note(strike.place, |seen| seen.strikes += 1);
        injector.under_way.set(injector.under_way.get() + 1);
        let injector = Rc::clone(injector);
        tasks::start(async move {
            match injector.act(strike, &act).await {
                Ok(()) => injector.note(strike.place, |seen| seen.effective += 1),
                Err(why) => injector.note(strike.place, |seen| {
                    seen.example.get_or_insert(why);
                }),
            }
            let under_way = injector.under_way.get();
            injector.under_way.set(under_way.saturating_sub(1));
        });
    }

    async fn act(self: &Rc<Self>, strike: Strike, act: &Act) -> Result<(), String> {
        match act {
            Act::KillChild(path) => self.order(strike, format!("/tree/{path}/kill")).await,
            Act::Recover(path) => self.order(strike, format!("/tree/{path}/recover")).await,
            Act::FailPoint { name, query } => {
                let path = format!("/fail-points/{name}?{query}");
                self.order(strike, path).await
            }
            Act::Malformed(barrage) => {
                barrage::malformed(self, strike, barrage).await;
                Ok(())
            }
            Act::GzipBombs { barrage, mebibytes } => {
                barrage::bombs(self, strike, barrage, *mebibytes).await
            }
            Act::SlowBodies { siege, byte_every } => {
                let drip = siege::Kind::SlowBody(*byte_every);
                siege::lay(self, strike.place, siege, drip).await;
                Ok(())
            }
            Act::HalfOpen(siege) => {
                siege::lay(self, strike.place, siege, siege::Kind::HalfOpen).await;
                Ok(())
            }
            Act::Idle(siege) => {
                siege::lay(self, strike.place, siege, siege::Kind::Idle).await;
                Ok(())
            }
            Act::KillServer(down) => self.kill_server(strike, *down).await,
            Act::RestartServer(down) => self.restart_server(strike, *down).await,
            Act::PauseServer(time) => self.pause_server(strike, *time).await,
        }
    }

    /// Tells the admin server something.
    async fn order(&self, strike: Strike, path: String) -> Result<(), String> {
        let admin = self.tools.admin.as_ref().ok_or("no `admin` is given")?;
        let answered = admin.post(&path).await;
        let outcome = if answered.is_ok() { "done" } else { "refused" };
        self.outcome(strike.place, outcome);
        match answered {
            Ok(_) => Ok(()),
            Err(why) => Err(format!("POST {path}: {why}")),
        }
    }

    async fn kill_server(&self, strike: Strike, down: Duration) -> Result<(), String> {
        let server = self.server()?;
        server.kill().map_err(|error| error.to_string())?;
        self.outcome(strike.place, "killed");
        self.start_server_again(strike, &server, down).await
    }

    async fn restart_server(&self, strike: Strike, down: Duration) -> Result<(), String> {
        let server = self.server()?;
        let stopped = server.stop().await.map_err(|error| error.to_string())?;
        match stopped {
            Stopped::ByItself => self.outcome(strike.place, "stopped"),
            Stopped::Killed => self.wrong(strike.place, "killed", || {
                "it did not stop within its time after SIGTERM".to_owned()
            }),
        }
        self.start_server_again(strike, &server, down).await
    }

    async fn start_server_again(
        &self,
        strike: Strike,
        server: &ServerProcess,
        down: Duration,
    ) -> Result<(), String> {
        clock::sleep(down).await;
        server.start_again().map_err(|error| error.to_string())?;
        self.outcome(strike.place, "started again");
        let label = "the server's process was started again".to_owned();
        self.marks
            .add(self.origin.elapsed(), MarkKind::Restart, label);
        Ok(())
    }

    async fn pause_server(&self, strike: Strike, time: Duration) -> Result<(), String> {
        let server = self.server()?;
        server.pause().map_err(|error| error.to_string())?;
        clock::sleep(time).await;
        server.resume().map_err(|error| error.to_string())?;
        self.outcome(strike.place, "paused and continued");
        Ok(())
    }

    fn server(&self) -> Result<Rc<ServerProcess>, String> {
        let server = self.tools.server.as_ref().map(Rc::clone);
        server.ok_or_else(|| "the run has no server of its own".to_owned())
    }

    /// The exchanges that are meant, at least one: `None` means all.
    fn targets(&self, exchange: Option<&str>) -> Vec<Target> {
        let exchanges = self.tools.exchanges.iter();
        exchanges
            .filter(|(name, _)| exchange.is_none_or(|wanted| wanted == name))
            .map(|(_, target)| target.clone())
            .collect()
    }

    /// How long something that began now may go on.
    fn time_left(&self) -> Duration {
        if self.is_over.get() {
            return Duration::ZERO;
        }
        self.end.saturating_sub(self.origin.elapsed())
    }

    fn outcome(&self, place: usize, outcome: &str) {
        self.note(place, |seen| {
            *seen.outcomes.entry(outcome.to_owned()).or_default() += 1;
        });
    }

    fn wrong(&self, place: usize, outcome: &str, example: impl FnOnce() -> String) {
        self.note(place, |seen| {
            *seen.outcomes.entry(outcome.to_owned()).or_default() += 1;
            seen.wrong += 1;
            seen.example.get_or_insert_with(example);
        });
    }

    fn note(&self, place: usize, change: impl FnOnce(&mut Seen)) {
        if let Some(seen) = self.seen.borrow_mut().get_mut(place) {
            change(seen);
        }
    }
}

#[cfg(test)]
mod tests;
