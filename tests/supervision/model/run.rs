//! One scenario on the real kernel and on the model, compared after every step.

mod build;

use std::time::Duration;

use bidtree::supervision::{AskError, Exit, Place, Tree};

use self::build::spec_of;
use super::Wrong;
use super::plan::{Scenario, Step, TICK_MS};
use super::rules::{Env, Known, Request, Row, Unit};
use crate::support::{World, settle};

/// When the tree's clock goes ahead by a tick: after the step that begins it, and before what chains of timers set off,
/// each a little earlier than a whole tick.
const CLOCK_AT_MS: u64 = TICK_MS / 20;
/// Ticks after the script, in which a stop must have come to its end.
const LAST_TICKS_MAX: u64 = 100;

/// The first difference, or nothing. `wrong` is a fault planted in the model.
pub(super) fn difference(scenario: &Scenario, wrong: Option<Wrong>) -> Option<String> {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(async {
            let mut bench = Bench::new(scenario, wrong);
            let stones = bench.world.stones();
            stones.attend(bench.run(scenario)).await.err()
        })
}

struct Bench {
    world: World,
    model: Unit,
    env: Env,
    /// How long after the last whole tick it is.
    into_tick_ms: u64,
    /// Supervisors whose children stop at once, in no order of their own.
    unordered: Vec<String>,
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

impl Bench {
    fn new(scenario: &Scenario, wrong: Option<Wrong>) -> Self {
        Self {
            world: World::new(),
            model: Unit::new(&scenario.root, ""),
            env: Env::new(wrong),
            into_tick_ms: 0,
            unordered: Vec::new(),
        }
    }

    async fn run(&mut self, scenario: &Scenario) -> Result<(), String> {
        let plan = self.supervisor(&scenario.root, "");
        self.world
            .tree
            .start(plan)
            .await
            .map_err(|exit| exit.to_string())?;
        self.model.settle(&mut self.env);
        self.compare("start").await?;
        for step in &scenario.steps {
            self.step(step)
                .await
                .map_err(|what| format!("at \"{step}\": {what}"))?;
            self.settle().await;
            self.compare(&step.to_string()).await?;
            let ticks = if let Step::Ticks(ticks) = step {
                *ticks
            } else {
                1
            };
            if !self.pass(ticks).await {
                return Ok(());
            }
            self.compare(&format!("the time after {step}")).await?;
        }
        self.step(&Step::Stop).await?;
        self.settle().await;
        for _ in 0..LAST_TICKS_MAX {
            self.compare("the last stop").await?;
            if self.model.fate().is_some() || !self.pass(1).await {
                return Ok(());
            }
        }
        Err("neither has ended".to_owned())
    }

    /// Does the same to both, and compares what they answer.
    async fn step(&mut self, step: &Step) -> Result<(), String> {
        let (seen, expected) = match step {
            Step::Act(_)
            | Step::Fail(..)
            | Step::Ignore(..)
            | Step::Hang(_)
            | Step::Deaf(_)
            | Step::Cleanup(..)
            | Step::Ticks(_)
            | Step::Stop => {
                self.fault(step).await;
                ("", "")
            }
            Step::Kill(path) => {
                let killed = self.world.tree.kill(path).await;
                let seen = if killed.is_ok() {
                    "ok"
                } else {
                    "nothing there"
                };
                let expected = if self.model.kill(path, &mut self.env) {
                    "ok"
                } else {
                    "nothing there"
                };
                (seen, expected)
            }
            Step::Start(..)
            | Step::Terminate(_)
            | Step::Restart(_)
            | Step::Delete(_)
            | Step::Recover(_) => (self.ask(step).await, self.ask_model(step)),
        };
        self.model.settle(&mut self.env);
        // An answer that needs time to pass is not waited for.
        if seen == "pending" {
            self.into_tick_ms += 1;
        }
        let is_either = expected == "either" && matches!(seen, "ok" | "pending" | "start failed");
        if seen == expected || is_either {
            Ok(())
        } else {
            Err(format!("kernel answers {seen}, model {expected}"))
        }
    }

    /// Nothing but what takes no time has happened in either when it returns.
    async fn fault(&mut self, step: &Step) {
        let Self {
            world, model, env, ..
        } = self;
        match step {
            Step::Act(acts) => {
                for (path, act) in acts {
                    world.tell(path, *act);
                    model.act(path, *act, env);
                }
            }
            Step::Fail(path, times) => {
                world.part(path, |part| part.failing = *times);
                env.manner(path).failing = *times;
            }
            Step::Ignore(path, times) => {
                world.part(path, |part| part.ignoring = *times);
                env.manner(path).ignoring = *times;
            }
            Step::Hang(path) => {
                world.part(path, |part| part.hanging = 1);
                env.manner(path).hanging = 1;
            }
            Step::Deaf(path) => {
                world.part(path, |part| part.deaf = true);
                env.manner(path).deaf = true;
            }
            Step::Cleanup(path, cleanup_ms) => {
                world.part(path, |part| part.cleanup = ms(*cleanup_ms));
                env.manner(path).cleanup_ms = *cleanup_ms;
            }
            Step::Stop => {
                model.stop(env);
                // Whether it takes time is seen by comparing.
                tokio::select! {
                    biased;
                    _ = world.tree.stop() => {}
                    () = std::future::ready(()) => {}
                }
            }
            _ => {}
        }
    }

    async fn ask(&self, step: &Step) -> &'static str {
        let World { tree, .. } = &self.world;
        match step {
            Step::Start(path, member) => {
                let spec = spec_of(self.worker(member, path), member);
                within_no_time(tree.start_child(path, spec)).await
            }
            Step::Terminate(path) => within_no_time(tree.terminate_child(path)).await,
            Step::Restart(path) => within_no_time(tree.restart_child(path)).await,
            Step::Delete(path) => within_no_time(tree.delete_child(path)).await,
            Step::Recover(path) => within_no_time(tree.recover(path)).await,
            _ => "",
        }
    }

    fn ask_model(&mut self, step: &Step) -> &'static str {
        let request = match step.clone() {
            Step::Start(path, member) => Request::Start(path, member),
            Step::Terminate(path) => Request::Terminate(path),
            Step::Restart(path) => Request::Restart(path),
            Step::Delete(path) => Request::Delete(path),
            Step::Recover(path) => Request::Recover(path),
            _ => return "",
        };
        self.model.ask(request, &mut self.env)
    }

    /// Time passes for both, up to a whole tick. Says whether the model
    /// knows what happened.
    async fn pass(&mut self, ticks: u64) -> bool {
        for _ in 0..ticks {
            let end_ms = self.env.now_ms + TICK_MS;
            while let Some((at_ms, order)) = self.model.next_timer()
                && at_ms < end_ms
            {
                if self.model.is_tied(at_ms) {
                    return false;
                }
                self.env.now_ms = at_ms;
                self.model.fire((at_ms, order), &mut self.env);
                self.model.settle(&mut self.env);
            }
            self.env.now_ms = end_ms;
            tokio::time::sleep(ms(CLOCK_AT_MS - self.into_tick_ms)).await;
            self.world.advance_clock(ms(TICK_MS));
            tokio::time::sleep(ms(TICK_MS - CLOCK_AT_MS)).await;
            self.into_tick_ms = 0;
        }
        self.env.known != Known::Nothing
    }

    /// Lets happen what takes no time.
    async fn settle(&mut self) {
        settle().await;
        self.into_tick_ms += 1;
    }

    async fn compare(&mut self, after: &str) -> Result<(), String> {
        if self.env.known == Known::Nothing {
            return Ok(());
        }
        let told = self.world.script.take();
        let mut seen: Vec<_> = told.split(' ').filter(|word| !word.is_empty()).collect();
        let log = std::mem::take(&mut self.env.log);
        let mut expected: Vec<_> = log.iter().map(String::as_str).collect();
        self.sort_unordered(&mut seen);
        self.sort_unordered(&mut expected);
        if seen != expected {
            return Err(format!(
                "after {after}: kernel did {seen:?}, model {expected:?}"
            ));
        }
        for (path, manner) in &self.env.manners {
            let lives = self.world.incarnations(path);
            if lives != manner.incarnations {
                let expected = manner.incarnations;
                return Err(format!(
                    "after {after}: {path} came up {lives} times, in the model {expected}"
                ));
            }
        }
        let ended = ended(&self.world.tree).await;
        let expected = self.model.fate().map(|fate| fate.end().label());
        if ended.as_ref().map(Exit::label) != expected {
            return Err(format!(
                "after {after}: kernel ended {ended:?}, model {expected:?}"
            ));
        }
        if ended.is_some() {
            return Ok(());
        }
        self.compare_places(after).await
    }

    async fn compare_places(&self, after: &str) -> Result<(), String> {
        let mut expected = Vec::new();
        self.model.rows(&self.env, &mut expected);
        let mut seen = Vec::new();
        rows(self.world.tree.snapshot().await, &mut seen);
        self.sort_unordered_rows(&mut seen);
        self.sort_unordered_rows(&mut expected);
        for (row, expected) in seen.iter_mut().zip(&expected) {
            if expected.counts.is_none() {
                row.counts = None;
            }
        }
        if seen == expected {
            return Ok(());
        }
        let differs = seen
            .iter()
            .zip(&expected)
            .find(|(seen, expected)| seen != expected);
        Err(format!(
            "after {after}: {} places, in the model {}; kernel and model: {differs:?}",
            seen.len(),
            expected.len()
        ))
    }

    /// Puts the children of dynamic supervisors in an order; all others keep theirs.
    fn sort_unordered_rows(&self, rows: &mut [Row]) {
        fn parent(row: &Row) -> Option<&str> {
            row.path.rsplit_once('/').map(|(parent, _)| parent)
        }
        for siblings in rows.chunk_by_mut(|one, other| parent(one) == parent(other)) {
            let supervisor = siblings.first().and_then(parent);
            if self
                .unordered
                .iter()
                .any(|path| supervisor == Some(path.as_str()))
            {
                siblings.sort_by(|one, other| one.path.cmp(&other.path));
            }
        }
    }

    /// Puts what children of dynamic supervisors did at the end, in an order; where supervisors worked side by side, what
    /// each one's children did together.
    fn sort_unordered(&self, words: &mut [&str]) {
        fn parent(word: &str) -> &str {
            word[1..].rsplit_once('/').map_or("", |(parent, _)| parent)
        }
        if self.env.known == Known::OrderOfEach {
            words.sort_by_key(|word| parent(word).to_owned());
        }
        words.sort_by_key(|word| {
            let is_unordered = self.unordered.iter().any(|path| path == parent(word));
            is_unordered.then(|| (*word).to_owned())
        });
    }
}

fn rows(places: Vec<Place>, flat: &mut Vec<Row>) {
    for place in places {
        flat.push(Row {
            path: place.path,
            state: place.state,
            counts: Some((place.restarts, place.restarts_in_window)),
            last: place.last_exit.as_ref().map(Exit::label),
        });
        rows(place.children, flat);
    }
}

/// What comes of it before time passes.
async fn within_no_time(work: impl Future<Output = Result<(), AskError>>) -> &'static str {
    tokio::select! {
        biased;
        outcome = work => match outcome {
            Ok(()) => "ok",
            Err(AskError::AlreadyPresent(_)) => "already present",
            Err(AskError::AlreadyStarted(_)) => "already started",
            Err(AskError::Running(_)) => "running",
            Err(AskError::Restarting(_)) => "restarting",
            Err(AskError::MaxChildren(_)) => "max children",
            Err(AskError::StartFailed(..)) => "start failed",
            Err(AskError::NotFound(_)) => "not found",
            Err(AskError::NotDegraded(_)) => "not degraded",
            Err(AskError::Misplaced(..)) => "misplaced",
            Err(_) => "silent",
        },
        () = settle() => "pending",
    }
}

async fn ended(tree: &Tree) -> Option<Exit> {
    tokio::select! {
        biased;
        exit = tree.ended() => Some(exit),
        () = std::future::ready(()) => None,
    }
}
