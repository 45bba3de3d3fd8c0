//! Random trees and random scripts: what the kernel and the model are both put through.

mod random;
mod script;
mod show;

use bidtree::supervision::{AutoShutdown, OnStuck, Restart, Strategy};

use self::random::group;
use self::script::Places;
use crate::support::Act;

/// Steps happen at whole ticks. Every other time is a whole number of ticks less a little, so that what a timer sets off
/// happens between steps, and a timer set by it a little earlier still; and less by something of its own, since what
/// two timers do at the same time has no order.
pub(super) const TICK_MS: u64 = 101;
/// How long the kernel waits for what it has killed, ten ticks less ten milliseconds.
pub(super) const KILL_GRACE_MS: u64 = 1_000;
/// How long a start may take.
pub(super) const START_WITHIN_MS: u64 = 3 * TICK_MS - 8;

const TURNS_MAX: usize = 8;

/// A supervisor.
#[derive(Clone)]
pub(super) struct Group {
    pub(super) strategy: Strategy,
    pub(super) limit: Rate,
    /// The most children, if they come and go.
    pub(super) dynamic: Option<usize>,
    pub(super) auto_shutdown: AutoShutdown,
    pub(super) members: Vec<Member>,
}

/// A child.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) id: String,
    pub(super) kind: Kind,
    pub(super) on_stuck: OnStuck,
    pub(super) restart: Restart,
    pub(super) stop: Stop,
    pub(super) is_significant: bool,
    /// A limit of its own, over which it is set aside.
    pub(super) own_limit: Option<Rate>,
    /// What stands in for it, if it is a supervisor, when it is over its limit.
    pub(super) fallback: Option<Box<Fallback>>,
    /// What its restarts wait, in milliseconds: the first, and the longest.
    pub(super) back_off: Option<(u64, u64)>,
    /// Nothing for a worker.
    pub(super) group: Option<Group>,
}

/// What a worker is, which is only how its incarnations begin and end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Task,
    Server,
    /// It begins and ends at once, on the thread that makes it.
    Stage,
    /// A thread that takes no notice of anything: it cannot be killed, and it never ends.
    Stone,
}

/// What stands in for a supervisor, and how that one comes back.
#[derive(Clone)]
pub(super) struct Fallback {
    pub(super) delay_ms: u64,
    pub(super) delay_max_ms: u64,
    pub(super) quiet_ms: u64,
    pub(super) group: Group,
}

/// So many restarts in so long.
#[derive(Clone, Copy)]
pub(super) struct Rate {
    pub(super) intensity: usize,
    pub(super) period_ms: u64,
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
    /// Its next starts find nothing to do.
    Ignore(String, u32),
    /// Its next start hangs.
    Hang(String),
    Deaf(String),
    Cleanup(String, u64),
    /// A supervisor is asked to start one more child.
    Start(String, Member),
    Terminate(String),
    Restart(String),
    Delete(String),
    Recover(String),
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
            match dice.u8(0..16) {
                0..4 => places.scene(&mut dice, &mut steps),
                4 | 5 => places.pool(&mut dice, &mut steps),
                6..9 => places.stuck(&mut dice, &mut steps),
                9..12 => places.degraded(&mut dice, &mut steps),
                _ => steps.push(places.step(&mut dice)),
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
