//! Random trees and random scripts: what the kernel and the model are both put through.

use std::fmt;

use bidtree::supervision::{Restart, Strategy};

use crate::support::Act;

/// Steps happen at whole ticks. Every other time is a whole number of ticks less a little, so that what a timer sets off
/// happens between steps, and a timer set by it a little earlier still; and less by something of its own, since what
/// two timers do at the same time has no order.
pub(super) const TICK_MS: u64 = 100;
/// How long a start may take.
pub(super) const START_WITHIN_MS: u64 = 3 * TICK_MS - 8;
const CLEANUPS_MS: [u64; 3] = [TICK_MS - 1, 3 * TICK_MS - 2, 7 * TICK_MS - 3];
/// Ids of children that are started by request.
const ADDED: [&str; 3] = ["x", "y", "z"];
const SHORT_STOP: Stop = Stop::Within(2 * TICK_MS - 5);
const LONG_STOP: Stop = Stop::Within(5 * TICK_MS - 7);

const TURNS_MAX: usize = 8;
const DEPTH_MAX: u32 = 3;
const WORKERS_MAX: usize = 9;

/// A supervisor.
#[derive(Clone)]
pub(super) struct Group {
    pub(super) strategy: Strategy,
    pub(super) intensity: usize,
    pub(super) period_ms: u64,
    /// The most children, if they come and go.
    pub(super) dynamic: Option<usize>,
    pub(super) members: Vec<Member>,
}

/// A child.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) id: String,
    pub(super) restart: Restart,
    pub(super) stop: Stop,
    /// Nothing for a worker.
    pub(super) group: Option<Group>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    Brutal,
    Within(u64),
    Infinity,
}

/// Something that happens to the tree.
#[derive(Clone)]
pub(super) enum Step {
    /// These workers end by themselves, at once.
    Act(Vec<(String, Act)>),
    Kill(String),
    /// The next starts of this worker fail.
    Fail(String, u32),
    /// Its next start hangs.
    Hang(String),
    Deaf(String),
    Cleanup(String, u64),
    /// A supervisor is asked to start one more child.
    Start(String, Member),
    Terminate(String),
    Restart(String),
    Delete(String),
    Ticks(u64),
    Stop,
}

/// A tree and what happens to it.
#[derive(Clone)]
pub(super) struct Scenario {
    pub(super) root: Group,
    pub(super) steps: Vec<Step>,
}

impl Scenario {
    /// The scenario of this seed, always the same.
    pub(super) fn of(seed: u64) -> Self {
        let mut dice = fastrand::Rng::with_seed(seed);
        let mut workers = 0;
        let root = group(&mut dice, 1, &mut workers);
        let mut places = Places::default();
        places.collect(&root, "");
        places.focus = dice
            .choice(&places.supervisors)
            .cloned()
            .unwrap_or_default();
        let mut steps = Vec::new();
        for _ in 0..dice.usize(1..=TURNS_MAX) {
            if dice.u8(0..3) == 0 {
                places.scene(&mut dice, &mut steps);
            } else {
                steps.push(places.step(&mut dice));
            }
        }
        Self { root, steps }
    }

    /// As short as it can be made by leaving out steps while it still fails.
    pub(super) fn shrunk(mut self, fails: impl Fn(&Self) -> bool) -> Self {
        let mut at = self.steps.len();
        while at > 0 {
            at -= 1;
            let mut shorter = self.clone();
            shorter.steps.remove(at);
            if fails(&shorter) {
                self = shorter;
                at = self.steps.len();
            }
        }
        self
    }
}

fn group(dice: &mut fastrand::Rng, depth: u32, workers: &mut usize) -> Group {
    let strategies = [
        Strategy::OneForOne,
        Strategy::OneForAll,
        Strategy::RestForOne,
    ];
    let dynamic = (depth > 1 && dice.u8(0..6) == 0).then(|| dice.usize(1..=3));
    let mut members = Vec::new();
    if dynamic.is_none() {
        for n in 0..dice.usize(1..=4) {
            if *workers >= WORKERS_MAX {
                break;
            }
            members.push(member(dice, depth, n, workers));
        }
    }
    let strategy = strategies[dice.usize(0..3)];
    Group {
        strategy: dynamic.map_or(strategy, |_| Strategy::OneForOne),
        intensity: dice.usize(0..=4),
        period_ms: TICK_MS * [3, 10, 30][dice.usize(0..3)],
        dynamic,
        members,
    }
}

fn member(dice: &mut fastrand::Rng, depth: u32, n: usize, workers: &mut usize) -> Member {
    let letter = char::from(b"abcd"[n]);
    if depth < DEPTH_MAX && dice.u8(0..3) == 0 {
        let stop = match dice.u8(0..6) {
            0 => Stop::Brutal,
            1 => LONG_STOP,
            _ => Stop::Infinity,
        };
        return Member {
            id: letter.to_uppercase().to_string(),
            restart: restart(dice),
            stop,
            group: Some(group(dice, depth + 1, workers)),
        };
    }
    *workers += 1;
    worker(dice, letter.to_string())
}

fn worker(dice: &mut fastrand::Rng, id: String) -> Member {
    Member {
        id,
        restart: restart(dice),
        stop: match dice.u8(0..6) {
            0 => Stop::Brutal,
            1 => Stop::Infinity,
            2 => LONG_STOP,
            _ => SHORT_STOP,
        },
        group: None,
    }
}

fn restart(dice: &mut fastrand::Rng) -> Restart {
    match dice.u8(0..6) {
        0 => Restart::Temporary,
        1 | 2 => Restart::Transient,
        _ => Restart::Permanent,
    }
}

/// What steps can be aimed at.
#[derive(Default)]
struct Places {
    workers: Vec<(String, Stop)>,
    all: Vec<String>,
    supervisors: Vec<String>,
    dynamics: Vec<String>,
    /// The supervisor whose children most steps are aimed at: what happens to one while the last thing is still going
    /// on is where the mistakes are.
    focus: String,
}

impl Places {
    fn collect(&mut self, group: &Group, path: &str) {
        self.supervisors.push(path.to_owned());
        for member in &group.members {
            let path = join(path, &member.id);
            self.all.push(path.clone());
            match &member.group {
                Some(inner) => self.collect(inner, &path),
                None => self.workers.push((path.clone(), member.stop)),
            }
        }
        if group.dynamic.is_some() {
            self.dynamics.push(path.to_owned());
        }
        for id in ADDED {
            if group.dynamic.is_some() {
                self.workers.push((join(path, id), SHORT_STOP));
            }
            self.all.push(join(path, id));
        }
    }

    /// A sibling that takes its time, an end that makes its supervisor wait for it, and what happens meanwhile.
    fn scene(&self, dice: &mut fastrand::Rng, steps: &mut Vec<Step>) {
        if self.workers.is_empty() {
            return;
        }
        let (slow, _) = self.aim(dice, &self.workers, |(path, _)| path).clone();
        let siblings: Vec<_> = self
            .workers
            .iter()
            .map(|(path, _)| path)
            .filter(|path| parent(path) == parent(&slow))
            .collect();
        let one = |dice: &mut fastrand::Rng| siblings[dice.usize(0..siblings.len())].clone();
        steps.push(match dice.u8(0..4) {
            0 | 1 => Step::Hang(slow),
            2 => Step::Fail(slow, dice.u32(1..=2)),
            _ => Step::Cleanup(slow, CLEANUPS_MS[dice.usize(1..3)]),
        });
        steps.push(Step::Act(vec![(one(dice), Act::Panic)]));
        let mut next = one(dice);
        for _ in 0..dice.usize(1..=3) {
            // Often the same one again.
            if dice.bool() {
                next = one(dice);
            }
            let path = next.clone();
            steps.push(match dice.u8(0..8) {
                0..3 => Step::Act(vec![(path, act(dice))]),
                3 => Step::Kill(path),
                4 | 5 => Step::Terminate(path),
                6 => Step::Restart(path),
                _ => Step::Fail(path, 1),
            });
        }
    }

    fn step(&self, dice: &mut fastrand::Rng) -> Step {
        if !self.dynamics.is_empty() && dice.u8(0..6) == 0 {
            return Self::start(dice, &self.dynamics);
        }
        if dice.u8(0..6) == 0 {
            return self.request(dice);
        }
        if self.workers.is_empty() {
            return Step::Ticks(1);
        }
        let (path, stop) = self.aim(dice, &self.workers, |(path, _)| path).clone();
        match dice.u8(0..20) {
            0..8 => Step::Act(vec![(path, act(dice))]),
            8 | 9 if stop != Stop::Brutal => self.two_deaths(dice, path),
            10 | 11 => Step::Kill(self.aim(dice, &self.all, |path| path).clone()),
            12 | 13 => Step::Fail(path, dice.u32(1..=3)),
            14 => Step::Hang(path),
            // Nobody would ever end what is waited for without a limit.
            15 if stop != Stop::Infinity => Step::Deaf(path),
            16 | 17 => Step::Cleanup(path, CLEANUPS_MS[dice.usize(0..3)]),
            18 => Step::Stop,
            _ => Step::Ticks(dice.u64(1..=8)),
        }
    }

    /// Two siblings end at once. What two unrelated supervisors do at once has no order; nor has the start of a child
    /// that is killed on the spot.
    fn two_deaths(&self, dice: &mut fastrand::Rng, path: String) -> Step {
        let siblings: Vec<_> = self
            .workers
            .iter()
            .filter(|(other, stop)| {
                parent(other) == parent(&path) && *other != path && *stop != Stop::Brutal
            })
            .collect();
        let mut acts = vec![(path, act(dice))];
        if !siblings.is_empty() {
            let (other, _) = siblings[dice.usize(0..siblings.len())];
            // Not a normal end, which is a shutdown for one that has just been told to stop.
            acts.push((other.clone(), [Act::Fail, Act::Panic][dice.usize(0..2)]));
        }
        Step::Act(acts)
    }

    fn aim<'a, T>(
        &self,
        dice: &mut fastrand::Rng,
        targets: &'a [T],
        path: impl Fn(&T) -> &String,
    ) -> &'a T {
        let focus = |target: &&T| parent(path(target)) == self.focus;
        let near: Vec<_> = targets.iter().filter(focus).collect();
        if near.is_empty() || dice.u8(0..4) == 0 {
            return &targets[dice.usize(0..targets.len())];
        }
        near[dice.usize(0..near.len())]
    }

    fn start(dice: &mut fastrand::Rng, supervisors: &[String]) -> Step {
        let path = supervisors[dice.usize(0..supervisors.len())].clone();
        let id = ADDED[dice.usize(0..ADDED.len())].to_owned();
        let stop = [SHORT_STOP, LONG_STOP][dice.usize(0..2)];
        let restart = restart(dice);
        Step::Start(
            path,
            Member {
                id,
                restart,
                stop,
                group: None,
            },
        )
    }

    fn request(&self, dice: &mut fastrand::Rng) -> Step {
        if self.all.is_empty() || dice.u8(0..5) == 0 {
            return Self::start(dice, &self.supervisors);
        }
        let path = self.aim(dice, &self.all, |path| path).clone();
        match dice.u8(0..4) {
            0 | 1 => Step::Terminate(path),
            2 => Step::Restart(path),
            _ => Step::Delete(path),
        }
    }
}

fn act(dice: &mut fastrand::Rng) -> Act {
    match dice.u8(0..4) {
        0 => Act::Normal,
        1 => Act::Fail,
        _ => Act::Panic,
    }
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

pub(super) fn join(path: &str, id: &str) -> String {
    if path.is_empty() {
        id.to_owned()
    } else {
        format!("{path}/{id}")
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            strategy,
            intensity,
            period_ms,
            dynamic,
            members,
        } = self;
        write!(f, "{strategy:?} {intensity}/{period_ms}ms")?;
        if let Some(most) = dynamic {
            write!(f, " dynamic<={most}")?;
        }
        let members: Vec<_> = members.iter().map(ToString::to_string).collect();
        write!(f, " {{{}}}", members.join(", "))
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)?;
        if self.restart != Restart::Permanent {
            write!(f, " {:?}", self.restart)?;
        }
        match self.stop {
            Stop::Brutal => f.write_str(" brutal")?,
            Stop::Within(ms) => write!(f, " {ms}ms")?,
            Stop::Infinity => f.write_str(" infinity")?,
        }
        match &self.group {
            Some(group) => write!(f, " = {group}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Act(acts) => write!(f, "act {acts:?}"),
            Self::Kill(path) => write!(f, "kill {path}"),
            Self::Fail(path, times) => write!(f, "fail {path} {times}x"),
            Self::Hang(path) => write!(f, "hang {path}"),
            Self::Deaf(path) => write!(f, "deaf {path}"),
            Self::Cleanup(path, ms) => write!(f, "cleanup {path} {ms}ms"),
            Self::Start(path, member) => write!(f, "start {member} at {path}"),
            Self::Terminate(path) => write!(f, "terminate {path}"),
            Self::Restart(path) => write!(f, "restart {path}"),
            Self::Delete(path) => write!(f, "delete {path}"),
            Self::Ticks(ticks) => write!(f, "pass {ticks} ticks"),
            Self::Stop => f.write_str("stop"),
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {}", self.root)?;
        for step in &self.steps {
            writeln!(f, "  - {step}")?;
        }
        Ok(())
    }
}
