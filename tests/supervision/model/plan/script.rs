//! The dice: what happens to a tree.

use bidtree::supervision::OnStuck;

use super::random::{CLEANUPS_MS, LONG_STOP, SHORT_STOP, back_off, period_ms, restart};
use super::{Group, Kind, Member, Rate, Step, Stop, join, parent};
use crate::support::Act;

/// Ids of children that are started by request.
const ADDED: [&str; 3] = ["x", "y", "z"];

/// What steps can be aimed at.
#[derive(Default)]
pub(super) struct Places {
    workers: Vec<(String, Stop)>,
    /// Those of them that do what they were told to before they are told to stop.
    tasks: Vec<String>,
    stones: Vec<String>,
    with_fallback: Vec<String>,
    all: Vec<String>,
    killable: Vec<String>,
    pub(super) supervisors: Vec<String>,
    dynamics: Vec<String>,
    /// The supervisor whose children most steps are aimed at: what happens to one while the last thing is still going
    /// on is where the mistakes are.
    pub(super) focus: String,
}

impl Places {
    pub(super) fn collect(&mut self, group: &Group, path: &str) {
        self.supervisors.push(path.to_owned());
        for member in &group.members {
            let path = join(path, &member.id);
            self.all.push(path.clone());
            if member.kind == Kind::Stone || !member.holds_stones() {
                self.killable.push(path.clone());
            }
            if let Some(fallback) = &member.fallback {
                self.with_fallback.push(path.clone());
                let path = format!("{path}~fallback");
                for member in &fallback.group.members {
                    self.workers.push((join(&path, &member.id), member.stop));
                }
            }
            match &member.group {
                None if member.kind == Kind::Stone => self.stones.push(path.clone()),
                Some(inner) => self.collect(inner, &path),
                None => {
                    if member.kind == Kind::Task {
                        self.tasks.push(path.clone());
                    }
                    self.workers.push((path.clone(), member.stop));
                }
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
            self.killable.push(join(path, id));
        }
    }

    /// A child with a limit of its own, and what happens to it and to its supervisor.
    pub(super) fn pool(&self, dice: &mut fastrand::Rng, steps: &mut Vec<Step>) {
        let Some(pool) = dice.choice(&self.dynamics) else {
            return;
        };
        let Step::Start(_, mut member) = Self::start(dice, std::slice::from_ref(pool)) else {
            return;
        };
        let path = join(pool, &member.id);
        member.own_limit = Some(Rate {
            intensity: dice.usize(0..=2),
            period_ms: period_ms(dice),
        });
        member.back_off = (dice.u8(0..3) == 0).then(|| back_off(dice));
        steps.push(Step::Start(pool.clone(), member));
        for _ in 0..dice.usize(2..=6) {
            let path = path.clone();
            steps.push(match dice.u8(0..12) {
                0..4 => Step::Act(vec![(path, act(dice))]),
                4 => Step::Fail(path, dice.u32(1..=2)),
                5 => Step::Kill(path),
                6..9 => Step::Recover(path),
                9 => Step::Ticks(dice.u64(1..=8)),
                10 => Step::Cleanup(join(pool, ADDED[dice.usize(0..3)]), CLEANUPS_MS[1]),
                _ => Step::Terminate(if dice.bool() { path } else { pool.clone() }),
            });
        }
    }

    /// A supervisor over its limit, what stands in for it, and how it comes back or does not.
    pub(super) fn degraded(&self, dice: &mut fastrand::Rng, steps: &mut Vec<Step>) {
        let Some(place) = dice.choice(&self.with_fallback) else {
            return;
        };
        let below = |from: &str| -> Vec<String> {
            let paths = self.workers.iter().map(|(path, _)| path);
            paths
                .filter(|path| path.starts_with(from))
                .cloned()
                .collect()
        };
        let real = below(&format!("{place}/"));
        let stand_in = below(&format!("{place}~fallback/"));
        let (Some(one), Some(other)) = (dice.choice(&real), dice.choice(&stand_in)) else {
            return;
        };
        for _ in 0..2 {
            steps.push(Step::Act(vec![(one.clone(), Act::Panic)]));
        }
        for _ in 0..dice.usize(2..=8) {
            let (one, other, place) = (one.clone(), other.clone(), place.clone());
            steps.push(match dice.u8(0..18) {
                0..4 => Step::Act(vec![(one, Act::Panic)]),
                4 => Step::Fail(one, dice.u32(1..=2)),
                5 => Step::Hang(one),
                6 => Step::Hang(other),
                7..9 => Step::Cleanup(other, CLEANUPS_MS[dice.usize(1..3)]),
                9 | 10 => Step::Act(vec![(other, Act::Panic)]),
                11 | 12 => Step::Recover(place),
                13 => Step::Terminate(place),
                14 => Step::Restart(place),
                15 if self.killable.contains(&place) => Step::Kill(place),
                _ => Step::Ticks(dice.u64(1..=10)),
            });
        }
    }

    /// What cannot be killed, and those beside it.
    pub(super) fn stuck(&self, dice: &mut fastrand::Rng, steps: &mut Vec<Step>) {
        let Some(stone) = dice.choice(&self.stones) else {
            return;
        };
        let siblings: Vec<_> = self
            .workers
            .iter()
            .filter(|(path, _)| parent(path) == parent(stone))
            .collect();
        let patient = |(_, stop): &&&(String, Stop)| *stop == Stop::Infinity;
        if let Some((sibling, _)) = siblings.iter().rev().find(patient)
            && dice.u8(0..2) == 0
        {
            // It is given up while others are being stopped.
            let crash = dice.choice(&siblings).map_or(sibling, |(path, _)| path);
            steps.extend([
                Step::Cleanup(sibling.clone(), CLEANUPS_MS[2]),
                Step::Terminate(stone.clone()),
                Step::Ticks(dice.u64(5..=8)),
                Step::Act(vec![(crash.clone(), Act::Panic)]),
            ]);
        }
        for _ in 0..dice.usize(2..=5) {
            let stone = stone.clone();
            steps.push(match dice.u8(0..10) {
                0..3 => Step::Kill(stone),
                3 => Step::Terminate(stone),
                4 => Step::Restart(stone),
                5 => Step::Recover(stone),
                6 if !parent(&stone).is_empty() => Step::Terminate(parent(&stone).to_owned()),
                7 | 8 => match dice.choice(&siblings) {
                    Some((path, _)) => Step::Act(vec![(path.clone(), act(dice))]),
                    None => Step::Recover(stone),
                },
                _ => Step::Ticks(dice.u64(8..=18)),
            });
        }
    }

    /// A sibling that takes its time, an end that makes its supervisor wait for it, and what happens meanwhile.
    pub(super) fn scene(&self, dice: &mut fastrand::Rng, steps: &mut Vec<Step>) {
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
        steps.push(match dice.u8(0..5) {
            0 | 1 => Step::Hang(slow),
            2 => Step::Fail(slow, dice.u32(1..=2)),
            3 => Step::Ignore(slow, 1),
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
            // One that ends for good, and one that may come back, before either is heard of.
            if dice.u8(0..6) == 0 {
                steps.push(Step::Act(vec![(path, Act::Normal)]));
                steps.push(Step::Act(vec![(one(dice), Act::Panic)]));
                continue;
            }
            // What was asked for before its end is heard of.
            if dice.u8(0..4) == 0 {
                steps.push(Step::Act(vec![(path.clone(), Act::Panic)]));
                steps.push(Step::Terminate(path));
                continue;
            }
            steps.push(match dice.u8(0..8) {
                0..3 => Step::Act(vec![(path, act(dice))]),
                3 => Step::Kill(path),
                4 | 5 => Step::Terminate(path),
                6 => Step::Restart(path),
                _ => Step::Fail(path, 1),
            });
        }
    }

    pub(super) fn step(&self, dice: &mut fastrand::Rng) -> Step {
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
        match dice.u8(0..21) {
            0..8 => Step::Act(vec![(path, act(dice))]),
            8 | 9 if stop != Stop::Brutal && self.tasks.contains(&path) => {
                self.two_deaths(dice, path)
            }
            10 | 11 => Step::Kill(self.aim(dice, &self.killable, |path| path).clone()),
            12 | 13 => Step::Fail(path, dice.u32(1..=3)),
            14 => Step::Hang(path),
            // Nobody would ever end what is waited for without a limit.
            15 if stop != Stop::Infinity => Step::Deaf(path),
            16 | 17 => Step::Cleanup(path, CLEANUPS_MS[dice.usize(0..3)]),
            18 => Step::Ignore(path, dice.u32(1..=2)),
            19 => Step::Stop,
            _ => Step::Ticks(dice.u64(1..=8)),
        }
    }

    /// Two siblings end at once. What two unrelated supervisors do at once has no order; nor has the start of a child
    /// that is killed on the spot. A server is told to stop before it reads what it was told to do, and a stage's end is
    /// dealt with before anybody else has one.
    fn two_deaths(&self, dice: &mut fastrand::Rng, path: String) -> Step {
        let siblings: Vec<_> = self
            .workers
            .iter()
            .filter(|(other, stop)| {
                let is_it = parent(other) == parent(&path) && *other != path;
                is_it && *stop != Stop::Brutal && self.tasks.contains(other)
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
                kind: [Kind::Task, Kind::Server, Kind::Stage][dice.usize(0..3)],
                on_stuck: OnStuck::Replace,
                restart,
                stop,
                // Where it must not be, it is refused.
                is_significant: dice.u8(0..6) == 0,
                own_limit: None,
                fallback: None,
                back_off: None,
                group: None,
            },
        )
    }

    fn request(&self, dice: &mut fastrand::Rng) -> Step {
        if self.all.is_empty() || dice.u8(0..5) == 0 {
            return Self::start(dice, &self.supervisors);
        }
        let path = self.aim(dice, &self.all, |path| path).clone();
        match dice.u8(0..5) {
            0 | 1 => Step::Terminate(path),
            2 => Step::Restart(path),
            3 => Step::Recover(path),
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
