//! The rules of supervision as a small pure model, read off OTP's and not off the kernel.
//!
//! A supervisor here is looked at, not told: a step asks what mode it is in, what its children's lives look like and what
//! is in its mail, and does the first thing there is to do, until there is nothing. Exits wait in the mail while it is
//! busy with a group; stopping a child takes its exit out of the mail.

use std::collections::{BTreeMap, VecDeque};

use bidtree::supervision::{Restart, Strategy};

mod outside;

pub(super) use self::outside::Request;
use super::Wrong;
use super::plan::{Group, Member, START_WITHIN_MS, Stop, TICK_MS, join};

/// Why something ended, as far as it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Normal,
    Asked,
    OverLimit,
    Error,
    Panic,
    Killed,
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
        }
    }
}

/// How a worker behaves.
#[derive(Default)]
pub(super) struct Manner {
    pub(super) failing: u32,
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

struct Slot {
    member: Member,
    path: String,
    life: Life,
    restarts: u64,
    last: Option<End>,
    asked: Asked,
    /// The order of starts.
    began: u64,
}

/// What was asked of a child and has not come to its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Nothing,
    /// If its start fails, it was never there.
    ToBeAdded,
    /// If its start fails, it stays down.
    ToRestart,
    /// It is forgotten when it is down.
    ToBeForgotten,
}

enum Life {
    Out,
    /// To be started again after its start failed.
    Again,
    Failed(End),
    Rising(Rising),
    Up(Option<Box<Unit>>),
    Leaving {
        /// When it will have cleaned up, and what it is then.
        gone: Option<Due>,
        kill: Option<Due>,
        inner: Option<Box<Unit>>,
    },
}

enum Rising {
    WillBeUp,
    WillFail,
    Hangs(Due),
    Inner(Box<Unit>),
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
            .map(|member| Some(Slot::new(member.clone(), path)))
            .collect();
        let queue = (0..slots.len()).collect();
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
            let fate = inner.fate();
            let has_been_up = inner.has_been_up;
            match (std::mem::replace(&mut slot.life, Life::Out), fate) {
                (Life::Rising(Rising::Inner(inner)), _) if has_been_up => {
                    slot.life = Life::Up(Some(inner));
                    // It may have ended again already, which is another matter than its start.
                    if let Mode::Raising { queue, .. } = &mut self.mode {
                        queue.retain(|queued| *queued != index);
                    }
                    return true;
                }
                (Life::Rising(_), Some(fate)) => {
                    slot.life = Life::Failed(fate.end());
                    return true;
                }
                (Life::Up(_), Some(Fate::Down(end))) => {
                    slot.last = Some(end);
                    self.mail.push_back((index, end));
                    return true;
                }
                (Life::Leaving { .. }, Some(fate)) => {
                    slot.last = Some(fate.end());
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

    /// The first of the starts that have an outcome has it.
    fn resolve(&mut self, env: &mut Env) -> bool {
        let slots = self.slots.iter_mut().flatten();
        let first = slots
            .filter(|slot| matches!(slot.life, Life::Rising(Rising::WillBeUp | Rising::WillFail)))
            .min_by_key(|slot| slot.began);
        let Some(slot) = first else { return false };
        if matches!(slot.life, Life::Rising(Rising::WillFail)) {
            slot.life = Life::Failed(End::Error);
        } else {
            env.manner(&slot.path).incarnations += 1;
            slot.life = Life::Up(None);
            slot.asked = Asked::Nothing;
        }
        true
    }

    /// A start that failed is tried again.
    fn again(&mut self, env: &mut Env) -> bool {
        let is_again = |slot: &Option<Slot>| {
            slot.as_ref()
                .is_some_and(|slot| matches!(slot.life, Life::Again))
        };
        let again = self.slots.iter().position(is_again);
        if let (Mode::Calm, Some(index)) = (&self.mode, again) {
            self.begin(index, env);
            return true;
        }
        false
    }

    /// A start that failed is dealt with.
    fn fail(&mut self, env: &mut Env) -> bool {
        let failed = self.slots.iter().enumerate().find_map(|(index, slot)| {
            let slot = slot.as_ref()?;
            match slot.life {
                Life::Failed(end) => Some((index, end, slot.asked)),
                _ => None,
            }
        });
        let Some((index, end, asked)) = failed else {
            return false;
        };
        if let Some(slot) = &mut self.slots[index] {
            slot.life = Life::Out;
            slot.last = Some(end);
            slot.asked = Asked::Nothing;
        }
        match &self.mode {
            _ if asked == Asked::ToBeAdded => self.slots[index] = None,
            _ if asked == Asked::ToRestart => {}
            Mode::Lowering { .. } | Mode::Ended(_) => {}
            Mode::Raising { first: true, .. } => self.end(Fate::NotStarted, env),
            Mode::Raising { queue, .. } if queue.front() == Some(&index) => {
                let whole =
                    self.plan.strategy == Strategy::OneForAll || env.is(Wrong::RetriesTheWholeRest);
                if self.spend(index, env) && whole {
                    self.mode = Mode::Lowering {
                        from: 0,
                        then: Then::Raise,
                    };
                }
            }
            _ if env.is(Wrong::TriesAFailedStartOnce) => {}
            Mode::Raising { .. } | Mode::Calm => {
                if self.spend(index, env)
                    && let Some(slot) = &mut self.slots[index]
                {
                    slot.life = Life::Again;
                }
            }
        }
        true
    }

    /// The next child up, or down.
    fn go_on(&mut self, env: &mut Env) -> bool {
        match &mut self.mode {
            Mode::Ended(_) | Mode::Calm => false,
            Mode::Raising { queue, first } => {
                let holds_up = |slot: &Option<Slot>| {
                    slot.as_ref()
                        .is_some_and(|slot| matches!(slot.life, Life::Leaving { .. }))
                };
                if self
                    .held_up_by
                    .is_some_and(|index| holds_up(&self.slots[index]))
                {
                    return false;
                }
                self.held_up_by = None;
                let Some(&index) = queue.front() else {
                    self.has_been_up |= *first;
                    if *first && !(self.mail.is_empty() && self.requests.is_empty()) {
                        env.known = env.known.max(Known::OrderOfEach);
                    }
                    self.mode = Mode::Calm;
                    return true;
                };
                match self.slots[index].as_ref().map(|slot| &slot.life) {
                    Some(Life::Out) => self.begin(index, env),
                    Some(Life::Up(_)) | None => drop(queue.pop_front()),
                    Some(_) => return false,
                }
                true
            }
            Mode::Lowering { from, then } => {
                let (from, then) = (*from, *then);
                self.lower(from, then, env)
            }
        }
    }

    fn lower(&mut self, from: usize, then: Then, env: &mut Env) -> bool {
        let forward = env.is(Wrong::StopsInStartOrder);
        let live = |(index, slot): (usize, &Option<Slot>)| {
            let slot = slot.as_ref()?;
            let is_live = !matches!(slot.life, Life::Out | Life::Again | Life::Failed(_));
            (index >= from && is_live).then_some(index)
        };
        let mut indices = self.slots.iter().enumerate();
        let next = if forward {
            indices.find_map(live)
        } else {
            indices.rev().find_map(live)
        };
        if let Some(index) = next {
            let is_leaving = matches!(&self.slots[index], Some(slot) if matches!(slot.life, Life::Leaving { .. }));
            if !is_leaving {
                self.tell(index, env);
            }
            return !is_leaving;
        }
        match then {
            Then::End(fate) => self.mode = Mode::Ended(fate),
            Then::Raise => {
                self.mail.retain(|(index, _)| *index < from);
                if env.is(Wrong::LosesExitsBeforeTheGroup) {
                    self.mail.clear();
                }
                for slot in self.slots.iter_mut().skip(from) {
                    drop(slot.take_if(|slot| {
                        slot.member.restart == Restart::Temporary
                            && !env.is(Wrong::RestartsTemporariesInGroups)
                    }));
                }
                let only_crashed = env.is(Wrong::LeavesThoseThatEndedOutOfTheGroup);
                let starts = |slot: &Slot| !only_crashed || slot.last != Some(End::Normal);
                let queue = (from..self.slots.len())
                    .filter(|&index| self.slots[index].as_ref().is_some_and(starts))
                    .collect();
                self.mode = Mode::Raising {
                    queue,
                    first: false,
                };
            }
        }
        true
    }

    /// A child ended by itself.
    fn decide(&mut self, index: usize, end: End, env: &mut Env) {
        let Some(slot) = &self.slots[index] else {
            return;
        };
        if !matches!(slot.life, Life::Out) {
            return;
        }
        let is_normal = match end {
            End::Normal => !env.is(Wrong::RestartsTransientsAfterNormal),
            End::Asked | End::OverLimit => true,
            End::Killed => env.is(Wrong::TakesKilledForNormal),
            End::Error | End::Panic => false,
        };
        let again = match slot.member.restart {
            Restart::Permanent => true,
            Restart::Transient => !is_normal,
            Restart::Temporary => false,
        };
        if !again {
            if self.plan.dynamic.is_some() || slot.member.restart == Restart::Temporary {
                self.slots[index] = None;
            }
            return;
        }
        if !self.spend(index, env) {
            return;
        }
        let from = match self.plan.strategy {
            Strategy::OneForOne => return self.begin(index, env),
            Strategy::OneForAll => 0,
            Strategy::RestForOne => index,
        };
        if env.is(Wrong::CountsEveryChildOfAGroup) {
            let others = self.slots.iter().skip(from).flatten().count() - 1;
            let clock = env.clock_ms();
            self.spent.extend(std::iter::repeat_n(clock, others));
        }
        self.mode = Mode::Lowering {
            from,
            then: Then::Raise,
        };
    }

    /// Counts a restart and says whether the limit holds; over it, everything goes down.
    fn spend(&mut self, index: usize, env: &mut Env) -> bool {
        let clock = env.clock_ms();
        if let Some(slot) = &mut self.slots[index] {
            slot.restarts += 1;
        }
        if !env.is(Wrong::ForgetsNoRestart) {
            let period_ms = self.plan.period_ms;
            self.spent.retain(|at| clock - at < period_ms);
        }
        self.spent.push(clock);
        let allowed = if env.is(Wrong::TripsAtTheLimit) {
            self.plan.intensity.saturating_sub(1)
        } else {
            self.plan.intensity
        };
        if self.spent.len() > allowed {
            self.end(Fate::Down(End::OverLimit), env);
            return false;
        }
        true
    }

    /// Everything goes down, and then this ends.
    fn end(&mut self, fate: Fate, env: &mut Env) {
        if matches!(
            self.mode,
            Mode::Ended(_)
                | Mode::Lowering {
                    then: Then::End(_),
                    ..
                }
        ) {
            return;
        }
        self.mail.clear();
        self.requests.clear();
        for slot in self.slots.iter_mut().flatten() {
            if matches!(slot.life, Life::Again) {
                slot.life = Life::Out;
            }
        }
        self.mode = Mode::Lowering {
            from: 0,
            then: Then::End(fate),
        };
        if self.plan.dynamic.is_some() {
            while self.resolve(env) {}
            for index in 0..self.slots.len() {
                self.tell(index, env);
            }
        }
    }

    fn begin(&mut self, index: usize, env: &mut Env) {
        let Some(slot) = &mut self.slots[index] else {
            return;
        };
        if let Some(group) = &slot.member.group {
            let inner = Box::new(Unit::new(group, &slot.path));
            slot.life = Life::Rising(Rising::Inner(inner));
            return;
        }
        env.log.push(format!("+{}", slot.path));
        slot.began = env.next();
        let manner = env.manner(&slot.path);
        slot.life = Life::Rising(if manner.failing > 0 {
            manner.failing -= 1;
            Rising::WillFail
        } else if manner.hanging > 0 {
            manner.hanging -= 1;
            Rising::Hangs(env.timer(START_WITHIN_MS))
        } else {
            Rising::WillBeUp
        });
    }

    /// Tells a child to stop, by its own rule.
    fn tell(&mut self, index: usize, env: &mut Env) {
        let Some(slot) = &mut self.slots[index] else {
            return;
        };
        if slot.asked != Asked::ToBeForgotten {
            slot.asked = Asked::Nothing;
        }
        slot.life = match std::mem::replace(&mut slot.life, Life::Out) {
            life @ (Life::Out | Life::Again | Life::Failed(_) | Life::Leaving { .. }) => life,
            _ if slot.member.stop == Stop::Brutal => {
                slot.last = Some(End::Killed);
                Life::Out
            }
            life => {
                let kill = match slot.member.stop {
                    Stop::Within(ms) => Some(env.timer(ms)),
                    Stop::Infinity | Stop::Brutal => None,
                };
                leave(slot, life, kill, env)
            }
        };
    }
}

/// What becomes of a child that was told to stop and is waited for.
fn leave(slot: &mut Slot, life: Life, kill: Option<Due>, env: &mut Env) -> Life {
    let (gone, inner) = match life {
        Life::Up(Some(mut inner)) | Life::Rising(Rising::Inner(mut inner)) => {
            inner.end(Fate::Down(End::Asked), env);
            (None, Some(inner))
        }
        // It cannot hear while its start hangs. Without a limit to its stop, there is still the one to its start.
        Life::Rising(Rising::Hangs(due)) => {
            let kill = kill.or(Some(due));
            return Life::Leaving {
                gone: None,
                kill,
                inner: None,
            };
        }
        _ => {
            let manner = env.manner(&slot.path);
            if manner.deaf {
                (None, None)
            } else {
                let cleanup_ms = manner.cleanup_ms;
                env.log.push(format!("-{}", slot.path));
                if cleanup_ms == 0 {
                    slot.last = Some(End::Asked);
                    return Life::Out;
                }
                (Some(env.timer(cleanup_ms)), None)
            }
        }
    };
    Life::Leaving { gone, kill, inner }
}

impl Slot {
    fn new(member: Member, path: &str) -> Self {
        let path = join(path, &member.id);
        Self {
            member,
            path,
            life: Life::Out,
            restarts: 0,
            last: None,
            asked: Asked::Nothing,
            began: 0,
        }
    }

    fn inner(&self) -> Option<&Unit> {
        match &self.life {
            Life::Rising(Rising::Inner(inner))
            | Life::Up(Some(inner))
            | Life::Leaving {
                inner: Some(inner), ..
            } => Some(inner),
            _ => None,
        }
    }

    fn inner_mut(&mut self) -> Option<&mut Unit> {
        match &mut self.life {
            Life::Rising(Rising::Inner(inner))
            | Life::Up(Some(inner))
            | Life::Leaving {
                inner: Some(inner), ..
            } => Some(inner),
            _ => None,
        }
    }

    fn timers(&self) -> impl Iterator<Item = Due> {
        let (first, second) = match &self.life {
            Life::Rising(Rising::Hangs(due)) => (Some(*due), None),
            Life::Leaving { gone, kill, .. } => (*gone, *kill),
            _ => (None, None),
        };
        first.into_iter().chain(second)
    }
}
