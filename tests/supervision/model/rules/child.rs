//! A child of the model: how it begins, and how it ends when it is told to.

use bidtree::supervision::Restart;

use super::standby::{Role, Trust};
use super::{Due, End, Env, Fate, Mode, Unit};
use crate::model::Wrong;
use crate::model::plan::{KILL_GRACE_MS, Kind, Member, Rate, START_WITHIN_MS, Stop, join};

pub(super) struct Slot {
    pub(super) member: Member,
    pub(super) path: String,
    pub(super) life: Life,
    pub(super) restarts: u64,
    /// The restarts that its own limit counts.
    pub(super) spent: Vec<u64>,
    pub(super) is_set_aside: bool,
    /// What its next restart waits, if its restarts wait.
    pub(super) waits_ms: u64,
    /// When it came up, and how long it had been up when it ended.
    pub(super) up_since_ms: u64,
    pub(super) uptime_ms: u64,
    /// When it is given up as stuck: it was killed, and that does not help.
    pub(super) given_up: Option<Due>,
    /// The last of its ends, and its place among all ends.
    pub(super) last: Option<(u64, End)>,
    pub(super) role: Role,
    pub(super) trust: Trust,
    /// How long it will be stood in for.
    pub(super) delay_ms: u64,
    pub(super) asked: Asked,
    /// The order of starts.
    began: u64,
}

/// What was asked of a child and has not come to its end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Nothing,
    /// If its start fails, it was never there.
    ToBeAdded,
    /// If its start fails, it stays down.
    ToRestart,
    /// It is forgotten when it is down.
    ToBeForgotten,
}

pub(super) enum Life {
    Out,
    /// To be started again, now or then.
    Again(Option<Due>),
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

pub(super) enum Rising {
    WillBeUp,
    WillFail,
    WillIgnore,
    Hangs(Due),
    Inner(Box<Unit>),
}

impl Unit {
    /// The first of the starts that have an outcome has it.
    pub(super) fn resolve(&mut self, env: &mut Env) -> bool {
        let has_outcome = |life: &Life| {
            matches!(
                life,
                Life::Rising(Rising::WillBeUp | Rising::WillFail | Rising::WillIgnore)
            )
        };
        let slots = self.slots.iter().enumerate();
        let first = slots
            .filter_map(|(index, slot)| Some((index, slot.as_ref()?)))
            .filter(|(_, slot)| has_outcome(&slot.life))
            .min_by_key(|(_, slot)| slot.began)
            .map(|(index, _)| index);
        let Some(index) = first else { return false };
        let Some(slot) = &mut self.slots[index] else {
            return false;
        };
        match slot.life {
            Life::Rising(Rising::WillFail) => slot.life = Life::Failed(End::Error),
            Life::Rising(Rising::WillIgnore) if env.is(Wrong::CountsIgnoredStarts) => {
                slot.life = Life::Failed(End::Ignored);
            }
            Life::Rising(Rising::WillIgnore) => self.has_nothing_to_do(index, env),
            _ => {
                env.manner(&slot.path).incarnations += 1;
                slot.life = Life::Up(None);
                slot.up_since_ms = env.clock_ms();
                slot.asked = Asked::Nothing;
            }
        }
        true
    }

    /// A start found that there is nothing to do: that is no failure, and its turn is over.
    fn has_nothing_to_do(&mut self, index: usize, env: &mut Env) {
        let Some(slot) = &mut self.slots[index] else {
            return;
        };
        slot.life = Life::Out;
        slot.ends(End::Ignored, env);
        slot.asked = Asked::Nothing;
        if let Mode::Raising { queue, .. } = &mut self.mode {
            queue.retain(|queued| *queued != index);
        }
        if !env.is(Wrong::KeepsIgnoredTemporaries) {
            self.forget_if_not_kept(index);
        }
    }

    /// A child without a process whose spec is not kept.
    pub(super) fn forget_if_not_kept(&mut self, index: usize) {
        let is_dynamic = self.plan.dynamic.is_some();
        let place = &mut self.slots[index];
        drop(place.take_if(|slot| is_dynamic || slot.member.restart == Restart::Temporary));
    }

    pub(super) fn begin(&mut self, index: usize, env: &mut Env) {
        let Some(slot) = &mut self.slots[index] else {
            return;
        };
        if let Some(group) = &slot.member.group {
            let mut group = group.clone();
            if let (Trust::Probed, Some(fallback)) = (&slot.trust, &slot.member.fallback)
                && !env.is(Wrong::IsAsLenientOnProbation)
            {
                group.limit = Rate {
                    intensity: 1,
                    period_ms: fallback.quiet_ms,
                };
            }
            let inner = Box::new(Unit::new(&group, &slot.path));
            slot.life = Life::Rising(Rising::Inner(inner));
            return;
        }
        env.log.push(format!("+{}", slot.path));
        slot.began = env.next();
        let manner = env.manner(&slot.path);
        slot.life = Life::Rising(if manner.failing > 0 {
            manner.failing -= 1;
            Rising::WillFail
        } else if manner.ignoring > 0 {
            manner.ignoring -= 1;
            Rising::WillIgnore
        } else if manner.hanging > 0 && slot.member.kind != Kind::Stage {
            manner.hanging -= 1;
            Rising::Hangs(env.timer(START_WITHIN_MS))
        } else {
            Rising::WillBeUp
        });
    }

    /// Tells a child to stop, by its own rule.
    pub(super) fn tell(&mut self, index: usize, env: &mut Env) {
        let Some(slot) = &mut self.slots[index] else {
            return;
        };
        if slot.asked != Asked::ToBeForgotten {
            slot.asked = Asked::Nothing;
        }
        slot.life = match std::mem::replace(&mut slot.life, Life::Out) {
            life @ (Life::Out | Life::Again(_) | Life::Failed(_) | Life::Leaving { .. }) => life,
            _ if slot.member.kind == Kind::Stone => {
                let kill = match slot.member.stop {
                    Stop::Within(ms) => Some(env.timer(ms)),
                    Stop::Infinity | Stop::Brutal => None,
                };
                let is_killed = slot.member.stop == Stop::Brutal;
                slot.given_up = is_killed.then(|| env.timer(KILL_GRACE_MS));
                Life::Leaving {
                    gone: None,
                    kill,
                    inner: None,
                }
            }
            _ if slot.member.stop == Stop::Brutal => {
                slot.ends(End::Killed, env);
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
        Life::Up(None)
            if slot.member.kind == Kind::Stage && !env.is(Wrong::TakesStagesForTasks) =>
        {
            slot.ends(End::Asked, env);
            return Life::Out;
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
                    slot.ends(End::Asked, env);
                    return Life::Out;
                }
                (Some(env.timer(cleanup_ms)), None)
            }
        }
    };
    Life::Leaving { gone, kill, inner }
}

impl Slot {
    pub(super) fn new(member: Member, path: &str) -> Self {
        let path = join(path, &member.id);
        let delay_ms = member.fallback.as_ref().map_or(0, |one| one.delay_ms);
        let waits_ms = member.back_off.map_or(0, |(first_ms, _)| first_ms);
        Self {
            member,
            path,
            life: Life::Out,
            restarts: 0,
            spent: Vec::new(),
            is_set_aside: false,
            waits_ms,
            up_since_ms: 0,
            uptime_ms: 0,
            given_up: None,
            last: None,
            role: Role::Real,
            trust: Trust::Full,
            delay_ms,
            asked: Asked::Nothing,
            began: 0,
        }
    }

    pub(super) fn stands_in(&self) -> bool {
        self.role == Role::StandIn
    }

    /// It ended.
    pub(super) fn ends(&mut self, end: End, env: &mut Env) {
        self.last = Some((env.next(), end));
    }

    /// It is killed, and gone at once or given up later.
    pub(super) fn cut_short(&mut self, env: &mut Env) {
        if self.member.kind == Kind::Stone {
            if let Life::Leaving { kill, .. } = &mut self.life {
                *kill = None;
            }
            self.given_up = Some(env.timer(KILL_GRACE_MS));
            return;
        }
        self.ends(End::Killed, env);
        self.life = Life::Out;
    }

    pub(super) fn inner(&self) -> Option<&Unit> {
        match &self.life {
            Life::Rising(Rising::Inner(inner))
            | Life::Up(Some(inner))
            | Life::Leaving {
                inner: Some(inner), ..
            } => Some(inner),
            _ => None,
        }
    }

    pub(super) fn inner_mut(&mut self) -> Option<&mut Unit> {
        match &mut self.life {
            Life::Rising(Rising::Inner(inner))
            | Life::Up(Some(inner))
            | Life::Leaving {
                inner: Some(inner), ..
            } => Some(inner),
            _ => None,
        }
    }

    pub(super) fn timers(&self) -> impl Iterator<Item = Due> {
        let (first, second) = match &self.life {
            Life::Rising(Rising::Hangs(due)) => (Some(*due), None),
            Life::Leaving { gone, kill, .. } => (*gone, *kill),
            Life::Again(due) => (*due, None),
            _ => (None, None),
        };
        let trust = match self.trust {
            Trust::Replaced(due) => due,
            Trust::OnProbation(due) => Some(due),
            Trust::Full | Trust::Probed => None,
        };
        let timers = first.into_iter().chain(second);
        timers.chain(self.given_up).chain(trust)
    }
}
