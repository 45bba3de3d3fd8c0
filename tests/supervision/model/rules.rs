//! The rules of supervision as a small pure model, read off OTP's and not off the kernel.
//!
//! A supervisor here is looked at, not told: a step asks what mode it is in, what its children's lives look like and what
//! is in its mail, and does the first thing there is to do, until there is nothing. Exits wait in the mail while it is
//! busy with a group; stopping a child takes its exit out of the mail.

mod ask;
mod child;
mod group;
mod outside;
mod restart;
mod standby;

use std::collections::{BTreeMap, VecDeque};

use self::child::{Asked, Life, Rising, Slot};
use self::standby::When;

pub(super) use self::ask::Request;
use super::Wrong;
use super::plan::{Group, TICK_MS};

/// Why something ended, as far as it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    Normal,
    Asked,
    OverLimit,
    Error,
    Panic,
    Killed,
    Ignored,
    Stuck,
}

impl End {
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Asked => "shutdown",
            Self::OverLimit => "over_limit",
            Self::Error => "error",
            Self::Panic => "panic",
            Self::Killed => "killed",
            Self::Ignored => "ignored",
            Self::Stuck => "stuck",
        }
    }
}

/// How a worker behaves.
#[derive(Default)]
pub(super) struct Manner {
    pub(super) failing: u32,
    pub(super) ignoring: u32,
    pub(super) hanging: u32,
    pub(super) deaf: bool,
    pub(super) cleanup_ms: u64,
    pub(super) incarnations: u64,
}

/// What the model knows of the order in which things happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Known {
    Order,
    /// A supervisor came up with something to do at once, and did it while the one above went on: what they did since
    /// has an order only for each by itself.
    OrderOfEach,
    /// A supervisor did several things that had been asked of it. OTP does them one after the other, the kernel side by
    /// side.
    Nothing,
}

/// What all supervisors of a model share.
pub(super) struct Env {
    pub(super) now_ms: u64,
    pub(super) log: Vec<String>,
    pub(super) manners: BTreeMap<String, Manner>,
    pub(super) known: Known,
    wrong: Option<Wrong>,
    next: u64,
}

/// When, and in which order among those at the same time.
type Due = (u64, u64);

impl Env {
    pub(super) fn new(wrong: Option<Wrong>) -> Self {
        Self {
            now_ms: 0,
            log: Vec::new(),
            manners: BTreeMap::new(),
            known: Known::Order,
            wrong,
            next: 0,
        }
    }

    pub(super) fn manner(&mut self, path: &str) -> &mut Manner {
        self.manners.entry(path.to_owned()).or_default()
    }

    fn is(&self, wrong: Wrong) -> bool {
        self.wrong == Some(wrong)
    }

    /// The tree's clock, which moves in whole ticks and is ahead of what happens within one.
    fn clock_ms(&self) -> u64 {
        self.now_ms.div_ceil(TICK_MS) * TICK_MS
    }

    fn timer(&mut self, after_ms: u64) -> Due {
        (self.now_ms + after_ms, self.next())
    }

    fn next(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

/// A supervisor that lives.
pub(super) struct Unit {
    plan: Group,
    path: String,
    slots: Vec<Option<Slot>>,
    spent: Vec<u64>,
    mode: Mode,
    has_been_up: bool,
    mail: VecDeque<(usize, End)>,
    /// What was asked while a group was being started or stopped.
    requests: VecDeque<Request>,
    /// The child that a group's start is held up by, though it will not be started.
    held_up_by: Option<usize>,
}

enum Mode {
    Calm,
    Raising { queue: VecDeque<usize>, first: bool },
    Lowering { from: usize, then: Then },
    Ended(Fate),
}

#[derive(Clone, Copy)]
enum Then {
    Raise,
    End(Fate),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    NotStarted,
    Down(End),
}

impl Fate {
    pub(super) fn end(self) -> End {
        match self {
            Self::NotStarted => End::Error,
            Self::Down(end) => end,
        }
    }
}

/// A child as a snapshot of the tree shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) path: String,
    pub(super) state: &'static str,
    /// Restarts of its own, and in its supervisor's window; not told of a supervisor that is ending.
    pub(super) counts: Option<(u64, u32)>,
    pub(super) last: Option<&'static str>,
}

impl Unit {
    pub(super) fn new(plan: &Group, path: &str) -> Self {
        let slots: Vec<_> = plan
            .members
            .iter()
            .flat_map(|member| standby::with_stand_in(member, path))
            .map(Some)
            .collect();
        let is_real = |slot: &Option<Slot>| slot.as_ref().is_some_and(|slot| !slot.stands_in());
        let queue = (0..slots.len())
            .filter(|&index| is_real(&slots[index]))
            .collect();
        Self {
            plan: plan.clone(),
            path: path.to_owned(),
            slots,
            spent: Vec::new(),
            mode: Mode::Raising { queue, first: true },
            has_been_up: false,
            mail: VecDeque::new(),
            requests: VecDeque::new(),
            held_up_by: None,
        }
    }

    pub(super) fn fate(&self) -> Option<Fate> {
        match self.mode {
            Mode::Ended(fate) => Some(fate),
            _ => None,
        }
    }

    /// Does all that can be done without time passing.
    pub(super) fn settle(&mut self, env: &mut Env) {
        while self.hear_children(env) || self.step(env) {}
    }

    /// Lets supervisors below settle, and notes what became of them.
    fn hear_children(&mut self, env: &mut Env) -> bool {
        for (index, slot) in self.slots.iter_mut().enumerate() {
            let Some(slot) = slot else { continue };
            let (Life::Rising(Rising::Inner(inner))
            | Life::Up(Some(inner))
            | Life::Leaving {
                inner: Some(inner), ..
            }) = &mut slot.life
            else {
                continue;
            };
            inner.settle(env);
            let clock_ms = env.clock_ms();
            let fate = inner.fate();
            let has_been_up = inner.has_been_up;
            match (std::mem::replace(&mut slot.life, Life::Out), fate) {
                (Life::Rising(Rising::Inner(inner)), _) if has_been_up => {
                    slot.life = Life::Up(Some(inner));
                    slot.up_since_ms = clock_ms;
                    slot.asked = Asked::Nothing;
                    // It may have ended again already, which is another matter than its start.
                    if let Mode::Raising { queue, .. } = &mut self.mode {
                        queue.retain(|queued| *queued != index);
                    }
                    self.supervisor_is_up(index, env);
                    return true;
                }
                (Life::Rising(_), Some(fate)) => {
                    slot.life = Life::Failed(fate.end());
                    return true;
                }
                (Life::Up(_), Some(Fate::Down(end))) => {
                    slot.ends(end, env);
                    slot.uptime_ms = clock_ms - slot.up_since_ms;
                    self.mail.push_back((index, end));
                    return true;
                }
                (Life::Leaving { .. }, Some(fate)) => {
                    slot.ends(fate.end(), env);
                    if fate.end() == End::Stuck {
                        self.may_be_replaced(index, env);
                    }
                    return true;
                }
                (life, _) => slot.life = life,
            }
        }
        false
    }

    /// Does the first thing there is to do.
    fn step(&mut self, env: &mut Env) -> bool {
        if matches!(self.mode, Mode::Calm)
            && let Some((index, end)) = self.mail.pop_front()
        {
            self.decide(index, end, env);
            return true;
        }
        if matches!(self.mode, Mode::Calm)
            && let Some(request) = self.requests.pop_front()
        {
            if !self.requests.is_empty() {
                env.known = Known::Nothing;
            }
            self.serve(request, env);
            return true;
        }
        if matches!(self.mode, Mode::Ended(_)) {
            return false;
        }
        self.forget_dropped()
            || self.fail(env)
            || self.again(env)
            || self.stand_in(When::Late, env)
            || self.resolve(env)
            || self.go_on(env)
    }

    fn forget_dropped(&mut self) -> bool {
        let gone = self
            .slots
            .iter_mut()
            .find(|slot| {
                matches!(slot, Some(slot) if slot.asked == Asked::ToBeForgotten && matches!(slot.life, Life::Out))
            });
        gone.map(Option::take).is_some()
    }
}
