//! What happens to a tree of the model from outside: time, faults, requests, and being looked at.

use super::standby::Trust;
use super::{Asked, Due, End, Env, Fate, Life, Mode, Rising, Row, Slot, Then, Unit};
use crate::model::Wrong;
use crate::model::plan::Kind;
use crate::support::Act;

impl Unit {
    pub(in crate::model) fn next_timer(&self) -> Option<Due> {
        let slots = self.slots.iter().flatten();
        slots
            .flat_map(|slot| {
                let below = slot.inner().and_then(Unit::next_timer);
                slot.timers().chain(below)
            })
            .min()
    }

    /// Whether several timers have this time, so that it is not known which comes first. Those of a dynamic supervisor's
    /// children may: they are all told at once.
    pub(in crate::model) fn is_tied(&self, at_ms: u64) -> bool {
        self.supervisors_due(at_ms) > 1
    }

    fn supervisors_due(&self, at_ms: u64) -> usize {
        let slots = self.slots.iter().flatten();
        let here = slots
            .clone()
            .flat_map(Slot::timers)
            .filter(|due| due.0 == at_ms)
            .count();
        let here = if self.plan.dynamic.is_some() {
            here.min(1)
        } else {
            here
        };
        here + slots
            .filter_map(Slot::inner)
            .map(|inner| inner.supervisors_due(at_ms))
            .sum::<usize>()
    }

    /// A timer's time has come.
    pub(in crate::model) fn fire(&mut self, due: Due, env: &mut Env) {
        for index in 0..self.slots.len() {
            if self.trust_fires(index, due, env) {
                continue;
            }
            let Some(slot) = &mut self.slots[index] else {
                continue;
            };
            if slot.given_up == Some(due) {
                slot.given_up = None;
                self.give_up(index, env);
                continue;
            }
            match &mut slot.life {
                Life::Rising(Rising::Hangs(at)) if *at == due => {
                    slot.life = Life::Failed(End::Error);
                }
                Life::Again(Some(at)) if *at == due => slot.life = Life::Again(None),
                Life::Leaving { gone: Some(at), .. } if *at == due => {
                    slot.ends(End::Asked, env);
                    slot.life = Life::Out;
                }
                Life::Leaving { kill, .. } if *kill == Some(due) => {
                    *kill = None;
                    slot.cut_short(env);
                }
                _ => {
                    if let Some(inner) = slot.inner_mut() {
                        inner.fire(due, env);
                    }
                }
            }
        }
    }

    /// A child that cannot be killed is left behind.
    fn give_up(&mut self, index: usize, env: &mut Env) {
        if matches!(self.life(index), Some(Life::Up(_))) {
            return self.crash(index, End::Stuck, env);
        }
        if let Some(slot) = &mut self.slots[index] {
            slot.ends(End::Stuck, env);
            slot.life = Life::Out;
        }
        self.may_be_replaced(index, env);
    }

    /// A child that was told to stop ended as stuck, or holds something that is: its group would start it again, unless an
    /// operator took it away.
    pub(super) fn may_be_replaced(&mut self, index: usize, env: &mut Env) {
        let Some(slot) = &self.slots[index] else {
            return;
        };
        let would_start = slot.asked != Asked::ToBeForgotten;
        let anywhere = env.is(Wrong::MindsTheStuckOutsideTheGroup);
        let raises = |from| (index >= from || anywhere) && would_start;
        if matches!(self.mode, Mode::Lowering { from, then: Then::Raise } if raises(from)) {
            self.replaces(index, env);
        }
    }

    pub(in crate::model) fn stop(&mut self, env: &mut Env) {
        self.end(Fate::Down(End::Asked), env);
    }

    /// The worker there, if it is up, ends by itself.
    pub(in crate::model) fn act(&mut self, path: &str, act: Act, env: &mut Env) {
        let end = match act {
            Act::Normal => End::Normal,
            Act::Fail => End::Error,
            Act::Panic => End::Panic,
        };
        self.at(path, &mut |unit, index| {
            let is_up = unit
                .life(index)
                .is_some_and(|life| matches!(life, Life::Up(None)));
            if is_up {
                let has_normal_end = unit.slots[index]
                    .as_ref()
                    .is_some_and(|slot| slot.member.kind == Kind::Task);
                let end = match end {
                    End::Normal if !has_normal_end => End::Error,
                    end => end,
                };
                unit.crash(index, end, env);
            }
        });
    }

    /// Says whether there was something to kill.
    pub(in crate::model) fn kill(&mut self, path: &str, env: &mut Env) -> bool {
        let mut killed = false;
        self.at(path, &mut |unit, index| {
            let index = unit.running(index);
            let Some(slot) = &mut unit.slots[index] else {
                return;
            };
            killed = true;
            match slot.life {
                Life::Up(None) if slot.member.kind == Kind::Stone => slot.cut_short(env),
                Life::Up(_) => unit.crash(index, End::Killed, env),
                Life::Rising(_) => slot.life = Life::Failed(End::Killed),
                Life::Leaving { .. } => slot.cut_short(env),
                Life::Out | Life::Again(_) | Life::Failed(_) => killed = false,
            }
        });
        killed
    }

    pub(in crate::model) fn rows(&self, env: &Env, rows: &mut Vec<Row>) {
        let is_ending = matches!(
            self.mode,
            Mode::Lowering {
                then: Then::End(_),
                ..
            }
        );
        let clock = env.clock_ms();
        let within = self
            .spent
            .iter()
            .filter(|&at| clock - at < self.plan.limit.period_ms)
            .count();
        let within = u32::try_from(within).unwrap();
        for index in 0..self.slots.len() {
            let Some(slot) = &self.slots[index] else {
                continue;
            };
            if slot.stands_in() {
                continue;
            }
            let stand_in = self.stand_in_of(index);
            let last = slot.last.max(stand_in.and_then(|slot| slot.last));
            let is_stood_in_for = slot.trust.is_stood_in_for();
            let shown = stand_in.filter(|_| is_stood_in_for).unwrap_or(slot);
            rows.push(Row {
                path: slot.path.clone(),
                state: match shown.life {
                    _ if slot.is_set_aside => "set_aside",
                    Life::Out | Life::Failed(_) => "down",
                    Life::Again(_) => "restarting",
                    Life::Rising(_) => "starting",
                    Life::Up(_) if is_stood_in_for => "degraded",
                    Life::Up(_) if matches!(slot.trust, Trust::OnProbation(_)) => "on_probation",
                    Life::Up(_) => "up",
                    Life::Leaving { .. } => "stopping",
                },
                counts: (!is_ending).then_some((slot.restarts, within)),
                last: last.map(|(_, end)| end.label()),
            });
            if let Some(inner) = shown.inner() {
                inner.rows(env, rows);
            }
        }
    }

    fn crash(&mut self, index: usize, end: End, env: &mut Env) {
        if let Some(slot) = &mut self.slots[index] {
            slot.uptime_ms = env.clock_ms() - slot.up_since_ms;
            slot.life = Life::Out;
            slot.ends(end, env);
        }
        self.mail.push_back((index, end));
    }

    pub(super) fn life(&self, index: usize) -> Option<&Life> {
        Some(&self.slots[index].as_ref()?.life)
    }

    fn at(&mut self, path: &str, change: &mut dyn FnMut(&mut Unit, usize)) {
        let (parent, id) = path.rsplit_once('/').unwrap_or(("", path));
        let Some(unit) = self.unit(parent) else {
            return;
        };
        let found = unit
            .slots
            .iter()
            .position(|slot| slot.as_ref().is_some_and(|slot| slot.member.id == id));
        if let Some(index) = found {
            change(unit, index);
        }
    }

    /// The live supervisor at that path.
    pub(super) fn unit(&mut self, path: &str) -> Option<&mut Unit> {
        if self.path == path {
            return Some(self);
        }
        self.slots
            .iter_mut()
            .flatten()
            .filter_map(Slot::inner_mut)
            .find_map(|inner| inner.unit(path))
    }
}
