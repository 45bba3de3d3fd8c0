//! Supervisors that are stood in for: how one over its limit is replaced, tried again and trusted again.
//!
//! What stands in has the place behind the real one's: it is stopped before it, and whatever happens to it is the real
//! one's matter.

use super::child::{Life, Slot};
use super::{Due, Env, Known, Mode, Unit};
use crate::model::Wrong;
use crate::model::plan::Member;

/// Whose place it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Real,
    /// For the one before it.
    StandIn,
}

/// When something stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    AtOnce,
    /// When the last one is gone.
    Late,
}

/// What is thought of a child that may be stood in for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    Full,
    /// It is tried again at that time, which is known when the other one is up.
    Replaced(Option<Due>),
    /// It is being started while the other one still stands in.
    Probed,
    /// Until then.
    OnProbation(Due),
}

impl Trust {
    pub(super) fn is_stood_in_for(self) -> bool {
        matches!(self, Self::Replaced(_) | Self::Probed)
    }
}

/// The places of a child: its own, and that of what may stand in for it.
pub(super) fn with_stand_in(member: &Member, path: &str) -> Vec<Slot> {
    let mut places = vec![Slot::new(member.clone(), path)];
    if let Some(fallback) = &member.fallback {
        let stand_in = Member {
            id: format!("{}~fallback", member.id),
            group: Some(fallback.group.clone()),
            fallback: None,
            ..member.clone()
        };
        let mut place = Slot::new(stand_in, path);
        place.role = Role::StandIn;
        places.push(place);
    }
    places
}

impl Unit {
    pub(super) fn stand_in_of(&self, index: usize) -> Option<&Slot> {
        let next = self.slots.get(index + 1)?.as_ref()?;
        next.stands_in().then_some(next)
    }

    /// Where a child runs: at its own place, or, if it does not, where something stands in for it.
    pub(super) fn running(&self, index: usize) -> usize {
        let runs = |slot: &Slot| !matches!(slot.life, Life::Out | Life::Again(_) | Life::Failed(_));
        let is_out = self.slots[index].as_ref().is_none_or(|slot| !runs(slot));
        if is_out && self.stand_in_of(index).is_some_and(runs) {
            index + 1
        } else {
            index
        }
    }

    pub(super) fn is_stood_in_for(&self, index: usize) -> bool {
        matches!(&self.slots[index], Some(slot) if matches!(slot.trust, Trust::Replaced(_)))
    }

    /// It is over its limit, or did not start: nothing counts, and something stands in for it.
    pub(super) fn degrade(&mut self, index: usize, env: &mut Env) {
        if let Some(slot) = &mut self.slots[index] {
            slot.trust = Trust::Replaced(None);
        }
        self.stand_in(When::AtOnce, env);
    }

    /// What is to stand in and is not there is started.
    pub(super) fn stand_in(&mut self, when: When, env: &mut Env) -> bool {
        if !matches!(self.mode, Mode::Calm) {
            return false;
        }
        let is_missing = |&index: &usize| {
            let is_wanted =
                matches!(&self.slots[index], Some(slot) if slot.trust.is_stood_in_for());
            let is_out = self
                .stand_in_of(index)
                .is_some_and(|slot| matches!(slot.life, Life::Out));
            let is_heard = !self.mail.iter().any(|(of, _)| *of == index + 1);
            is_wanted && is_out && is_heard
        };
        let Some(index) = (0..self.slots.len()).find(is_missing) else {
            return false;
        };
        if when == When::Late && env.is(Wrong::ForgetsAFallbackThatIsStillEnding) {
            return false;
        }
        self.begin(index + 1, env);
        true
    }

    /// A supervisor came up: the time until a try begins with what stands in, and the real one is put on probation.
    pub(super) fn supervisor_is_up(&mut self, index: usize, env: &mut Env) {
        let Some(slot) = &mut self.slots[index] else {
            return;
        };
        if slot.stands_in() {
            let real = index - 1;
            return self.wait_for_a_try(real, env);
        }
        let Some(fallback) = &slot.member.fallback else {
            return;
        };
        if slot.trust == Trust::Probed {
            slot.trust = Trust::OnProbation(env.timer(fallback.quiet_ms));
            self.tell(index + 1, env);
        }
    }

    fn wait_for_a_try(&mut self, index: usize, env: &mut Env) {
        if let Some(slot) = &mut self.slots[index]
            && matches!(slot.trust, Trust::Replaced(_))
        {
            slot.trust = Trust::Replaced(Some(env.timer(slot.delay_ms)));
        }
    }

    /// It is tried, beside what stands in for it.
    pub(super) fn probe(&mut self, index: usize, env: &mut Env) {
        if let Some(slot) = &mut self.slots[index] {
            slot.trust = Trust::Probed;
        }
        self.begin(index, env);
    }

    /// What stands in ended by itself, or did not start: that counts like any child's end.
    pub(super) fn stand_in_ended(&mut self, index: usize, env: &mut Env) {
        let real = index - 1;
        let is_wanted = matches!(&self.slots[real], Some(slot) if slot.trust.is_stood_in_for());
        if is_wanted && (env.is(Wrong::CountsNoFallback) || self.spend(real, env)) {
            self.begin(index, env);
        }
    }

    /// Says whether it was a stand-in's start that failed.
    pub(super) fn stand_in_did_not_start(&mut self, index: usize, env: &mut Env) -> bool {
        let stands_in = self.slots[index].as_ref().is_some_and(Slot::stands_in);
        if stands_in && matches!(self.mode, Mode::Calm) {
            self.stand_in_ended(index, env);
        }
        stands_in
    }

    /// Says whether it was a try that failed: the next one is later.
    pub(super) fn fails_its_probe(&mut self, index: usize, env: &mut Env) -> bool {
        let is_probed = matches!(&self.slots[index], Some(slot) if slot.trust == Trust::Probed);
        if is_probed {
            self.is_to_wait_longer(index, env);
            self.wait_for_a_try(index, env);
        }
        is_probed
    }

    /// Says whether it was on probation when it ended: it is stood in for again, and for longer.
    pub(super) fn fails_its_probation(&mut self, index: usize, env: &mut Env) -> bool {
        let is_on_probation =
            matches!(&self.slots[index], Some(slot) if matches!(slot.trust, Trust::OnProbation(_)));
        if is_on_probation {
            self.is_to_wait_longer(index, env);
            self.degrade(index, env);
        }
        is_on_probation
    }

    fn is_to_wait_longer(&mut self, index: usize, env: &Env) {
        let Some(slot) = &mut self.slots[index] else {
            return;
        };
        slot.trust = Trust::Replaced(None);
        if let Some(fallback) = &slot.member.fallback
            && !env.is(Wrong::TriesAgainAfterTheSameDelay)
        {
            slot.delay_ms = (2 * slot.delay_ms).min(fallback.delay_max_ms);
        }
    }

    /// Says whether this was the time of a try, or of an end of probation.
    pub(super) fn trust_fires(&mut self, index: usize, due: Due, env: &mut Env) -> bool {
        let Some(slot) = &mut self.slots[index] else {
            return false;
        };
        match slot.trust {
            Trust::Replaced(Some(at)) if at == due => {
                slot.trust = Trust::Replaced(None);
                // Nothing is tried any more where all is going down.
                if matches!(self.mode, Mode::Calm) || env.is(Wrong::TriesWhileItEnds) {
                    self.probe(index, env);
                }
                true
            }
            Trust::OnProbation(at) if at == due => {
                slot.trust = Trust::Full;
                if !env.is(Wrong::NeverTrustsAsBefore) {
                    slot.reset_delay();
                }
                true
            }
            _ => false,
        }
    }

    /// An operator took it down: all is forgotten, and what stands in goes with it.
    pub(super) fn call_off(&mut self, index: usize, env: &mut Env) {
        if self.stand_in_of(index).is_none() {
            return;
        }
        if let Some(slot) = &mut self.slots[index] {
            slot.trust = Trust::Full;
            slot.reset_delay();
        }
        self.mail.retain(|(of, _)| *of != index + 1);
        self.tell(index + 1, env);
        let leaves = |index: usize| matches!(self.life(index), Some(Life::Leaving { .. }));
        if leaves(index) && leaves(index + 1) {
            // Both work at it at the same time.
            env.known = env.known.max(Known::OrderOfEach);
        }
    }

    pub(super) fn delete(&mut self, index: usize) {
        if self.stand_in_of(index).is_some() {
            self.slots[index + 1] = None;
        }
        self.slots[index] = None;
    }
}

impl Slot {
    fn reset_delay(&mut self) {
        if let Some(fallback) = &self.member.fallback {
            self.delay_ms = fallback.delay_ms;
        }
    }
}
