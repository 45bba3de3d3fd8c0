//! What the model does about a child that ended by itself or did not start.

use bidtree::supervision::{AutoShutdown, OnStuck, Restart, Strategy};

use super::child::{Asked, Life, Slot};
use super::{End, Env, Fate, Mode, Then, Unit};
use crate::model::Wrong;
use crate::model::plan::Rate;

impl Unit {
    /// A child ended by itself.
    pub(super) fn decide(&mut self, index: usize, end: End, env: &mut Env) {
        let Some(slot) = &self.slots[index] else {
            return;
        };
        if !matches!(slot.life, Life::Out) {
            return;
        }
        if slot.stands_in() {
            return self.stand_in_ended(index, env);
        }
        if self.fails_its_probation(index, env) {
            return;
        }
        let Some(slot) = &self.slots[index] else {
            return;
        };
        let is_normal = match end {
            End::Normal => !env.is(Wrong::RestartsTransientsAfterNormal),
            End::Asked | End::OverLimit => true,
            End::Killed => env.is(Wrong::TakesKilledForNormal),
            End::Error | End::Panic | End::Ignored | End::Stuck => false,
        };
        let again = match slot.member.restart {
            Restart::Permanent => true,
            Restart::Transient => !is_normal,
            Restart::Temporary => false,
        };
        if !again {
            let is_significant = slot.member.is_significant;
            self.forget_if_not_kept(index);
            if is_significant {
                self.significant_ended(env);
            }
            return;
        }
        let falls_back = end == End::OverLimit && slot.member.fallback.is_some();
        let waits = slot.member.back_off.is_some();
        if end == End::Stuck && !self.replaces(index, env) {
            return;
        }
        if falls_back && !env.is(Wrong::NeverFallsBack) {
            return self.degrade(index, env);
        }
        if !self.spend(index, env) {
            return;
        }
        let from = match self.plan.strategy {
            Strategy::OneForOne if waits => return self.start_again(index, env),
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

    /// A start that failed is dealt with.
    pub(super) fn fail(&mut self, env: &mut Env) -> bool {
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
            slot.ends(end, env);
            slot.asked = Asked::Nothing;
        }
        if self.stand_in_did_not_start(index, env) || self.fails_its_probe(index, env) {
            return true;
        }
        let falls_back = self.slots[index]
            .as_ref()
            .is_some_and(|slot| slot.member.fallback.is_some());
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
            _ if falls_back => self.degrade(index, env),
            Mode::Raising { .. } | Mode::Calm => {
                if let Some(slot) = &mut self.slots[index] {
                    slot.uptime_ms = 0;
                }
                if self.spend(index, env) {
                    self.start_again(index, env);
                }
            }
        }
        true
    }

    /// What is to be started again is, when its time has come.
    pub(super) fn again(&mut self, env: &mut Env) -> bool {
        let is_again = |slot: &Option<Slot>| {
            slot.as_ref()
                .is_some_and(|slot| matches!(slot.life, Life::Again(None)))
        };
        let again = self.slots.iter().position(is_again);
        if let (Mode::Calm, Some(index)) = (&self.mode, again) {
            self.begin(index, env);
            return true;
        }
        false
    }

    /// What is done about a child that was found stuck, by its own rule. Says whether another may take its place.
    pub(super) fn replaces(&mut self, index: usize, env: &mut Env) -> bool {
        let Some(slot) = &mut self.slots[index] else {
            return false;
        };
        match slot.member.on_stuck {
            _ if env.is(Wrong::ReplacesAllThatIsStuck) => true,
            OnStuck::Replace => !env.is(Wrong::LeavesWhatIsStuck),
            OnStuck::Escalate if !env.is(Wrong::FencesWhatEscalates) => {
                self.end(Fate::Down(End::Stuck), env);
                false
            }
            OnStuck::Fence | OnStuck::Escalate => {
                slot.is_set_aside = true;
                false
            }
        }
    }

    /// Starts a child again after what its restarts wait: twice as long each time, up to the longest, and as at first when
    /// it had been up for that long.
    fn start_again(&mut self, index: usize, env: &mut Env) {
        let Some(slot) = &mut self.slots[index] else {
            return;
        };
        let Some((first_ms, max_ms)) = slot.member.back_off else {
            slot.life = Life::Again(None);
            return;
        };
        if slot.uptime_ms >= max_ms && !env.is(Wrong::NeverWaitsLessAgain) {
            slot.waits_ms = first_ms;
        }
        slot.life = Life::Again(Some(env.timer(slot.waits_ms)));
        if !env.is(Wrong::WaitsTheSameEachTime) {
            slot.waits_ms = (2 * slot.waits_ms).min(max_ms);
        }
    }

    /// A significant child ended by itself, for good.
    fn significant_ended(&mut self, env: &mut Env) {
        let ends = match self.plan.auto_shutdown {
            _ if env.is(Wrong::OutlivesItsSignificantChildren) => false,
            AutoShutdown::Never => false,
            AutoShutdown::AnySignificant => true,
            AutoShutdown::AllSignificant => {
                env.is(Wrong::EndsWithTheFirstSignificant) || !self.has_a_significant_child(env)
            }
        };
        if ends {
            self.end(Fate::Down(End::Asked), env);
        }
    }

    /// Whether a significant child is there or will be. As long as an end has not been heard, nobody knows what comes of
    /// it.
    fn has_a_significant_child(&self, env: &Env) -> bool {
        self.slots.iter().enumerate().any(|(index, slot)| {
            slot.as_ref().is_some_and(|slot| {
                let is_heard = !self.mail.iter().any(|(of, _)| *of == index)
                    || env.is(Wrong::TakesUnheardEndsForDecided);
                let is_there = !matches!(slot.life, Life::Out) || slot.trust.is_stood_in_for();
                slot.member.is_significant && (is_there || !is_heard)
            })
        })
    }

    /// Counts a restart and says whether the limit holds. Over its own a child is set aside; over its supervisor's,
    /// everything goes down.
    pub(super) fn spend(&mut self, index: usize, env: &mut Env) -> bool {
        if let Some(slot) = &mut self.slots[index] {
            slot.restarts += 1;
            if let Some(limit) = slot.member.own_limit {
                let holds = holds(limit, &mut slot.spent, env);
                slot.is_set_aside = !holds;
                if !(holds && env.is(Wrong::CountsAlsoAboveAnOwnLimit)) {
                    return holds;
                }
            }
        }
        if !holds(self.plan.limit, &mut self.spent, env) {
            self.end(Fate::Down(End::OverLimit), env);
            return false;
        }
        true
    }
}

/// Counts one more, and says whether there are not too many now.
fn holds(limit: Rate, spent: &mut Vec<u64>, env: &Env) -> bool {
    let clock = env.clock_ms();
    if !env.is(Wrong::ForgetsNoRestart) {
        spent.retain(|at| clock - at < limit.period_ms);
    }
    spent.push(clock);
    let allowed = if env.is(Wrong::TripsAtTheLimit) {
        limit.intensity.saturating_sub(1)
    } else {
        limit.intensity
    };
    spent.len() <= allowed
}
