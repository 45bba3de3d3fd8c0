//! Children one after the other: a group of the model is started in order and stopped in reverse.

use bidtree::supervision::Restart;

use super::child::{Life, Slot};
use super::{End, Env, Fate, Known, Mode, Then, Unit};
use crate::model::Wrong;

impl Unit {
    /// The next child up, or down.
    pub(super) fn go_on(&mut self, env: &mut Env) -> bool {
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

    pub(super) fn lower(&mut self, from: usize, then: Then, env: &mut Env) -> bool {
        let forward = env.is(Wrong::StopsInStartOrder);
        let live = |(index, slot): (usize, &Option<Slot>)| {
            let slot = slot.as_ref()?;
            let is_live = !matches!(slot.life, Life::Out | Life::Again(_) | Life::Failed(_));
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
                let starts = |slot: &Slot| {
                    !slot.is_set_aside
                        && (!only_crashed || slot.last.is_none_or(|(_, end)| end != End::Normal))
                };
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

    /// Everything goes down, and then this ends.
    pub(super) fn end(&mut self, fate: Fate, env: &mut Env) {
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
            if matches!(slot.life, Life::Again(_)) {
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
}
