//! What can be asked of a supervisor of the model.

use bidtree::supervision::{AutoShutdown, Restart};

use super::child::{Asked, Life, Rising, Slot};
use super::{Env, Mode, Then, Unit};
use crate::model::Wrong;
use crate::model::plan::Member;

/// What a supervisor can be asked.
pub(in crate::model) enum Request {
    Start(String, Member),
    Terminate(String),
    Restart(String),
    Delete(String),
    Recover(String),
}

impl Request {
    /// The path of the supervisor that is asked, and the id of the child.
    fn aim(&self) -> (String, String) {
        match self {
            Self::Start(path, member) => (path.clone(), member.id.clone()),
            Self::Terminate(path)
            | Self::Restart(path)
            | Self::Delete(path)
            | Self::Recover(path) => {
                let (parent, id) = path.rsplit_once('/').unwrap_or(("", path));
                (parent.to_owned(), id.to_owned())
            }
        }
    }
}

impl Unit {
    /// What a supervisor answers before time passes.
    pub(in crate::model) fn ask(&mut self, request: Request, env: &mut Env) -> &'static str {
        let (path, _) = request.aim();
        let Some(unit) = self.unit(&path) else {
            return "not found";
        };
        match &unit.mode {
            Mode::Ended(_)
            | Mode::Lowering {
                then: Then::End(_), ..
            } => "silent",
            Mode::Calm => unit.serve(request, env),
            // It ends a restart loop.
            Mode::Raising { .. } if matches!(request, Request::Terminate(_)) => {
                unit.serve(request, env)
            }
            Mode::Raising { .. } | Mode::Lowering { .. } => {
                unit.requests.push_back(request);
                "pending"
            }
        }
    }

    pub(super) fn serve(&mut self, request: Request, env: &mut Env) -> &'static str {
        if let Request::Start(_, member) = &request
            && member.is_significant
            && (member.restart == Restart::Permanent
                || self.plan.auto_shutdown == AutoShutdown::Never)
        {
            return "misplaced";
        }
        let (_, id) = request.aim();
        let found = self
            .slots
            .iter()
            .position(|slot| slot.as_ref().is_some_and(|slot| slot.member.id == id));
        match (request, found) {
            (Request::Start(path, member), None) => self.add(&path, member, env),
            (Request::Start(..), Some(index)) => match self.life(self.running(index)) {
                Some(Life::Out | Life::Again(_) | Life::Failed(_)) => "already present",
                _ => "already started",
            },
            (_, None) => "not found",
            (Request::Terminate(_), Some(index)) => self.terminate(index, env),
            (Request::Recover(_), Some(index)) => self.recover(index, env),
            _ if self.plan.dynamic.is_some() => "not found",
            (_, Some(index)) if self.running(index) != index => "running",
            (request, Some(index)) => match self.life(index) {
                Some(Life::Again(_)) => "restarting",
                Some(Life::Out | Life::Failed(_)) if matches!(request, Request::Delete(_)) => {
                    self.delete(index);
                    "ok"
                }
                Some(Life::Out | Life::Failed(_)) => {
                    if let Some(slot) = &mut self.slots[index] {
                        slot.is_set_aside = false;
                    }
                    self.begin_for(Asked::ToRestart, index, env)
                }
                _ => "running",
            },
        }
    }

    fn add(&mut self, path: &str, member: Member, env: &mut Env) -> &'static str {
        let most = self.plan.dynamic.unwrap_or(usize::MAX);
        if self.slots.iter().flatten().count() >= most {
            return "max children";
        }
        self.slots.push(Some(Slot::new(member, path)));
        self.begin_for(Asked::ToBeAdded, self.slots.len() - 1, env)
    }

    fn begin_for(&mut self, asked: Asked, index: usize, env: &mut Env) -> &'static str {
        if let Some(slot) = &mut self.slots[index] {
            slot.asked = asked;
        }
        self.begin(index, env);
        match self.life(index) {
            Some(Life::Rising(Rising::WillFail)) => "start failed",
            Some(Life::Rising(Rising::Hangs(_))) => "pending",
            // A supervisor's start may take time; whether this one does is seen when it has settled.
            Some(Life::Rising(Rising::Inner(_))) => "either",
            _ => "ok",
        }
    }

    /// Nothing restarts it after this: neither its group nor an end of its own that was not heard yet.
    fn terminate(&mut self, index: usize, env: &mut Env) -> &'static str {
        if !env.is(Wrong::RevivesWhatWasTerminated) {
            self.mail.retain(|(of, _)| *of != index);
        }
        if let Mode::Raising { queue, .. } = &mut self.mode {
            if queue.front() == Some(&index) && self.held_up_by.is_none() {
                self.held_up_by = Some(index);
            }
            queue.retain(|queued| *queued != index);
        }
        if matches!(self.life(index), Some(Life::Again(_))) {
            self.set_life(index, Life::Out);
        }
        self.tell(index, env);
        self.call_off(index, env);
        let stand_in_stops = self.running(index) != index;
        let is_dynamic = self.plan.dynamic.is_some();
        let Some(slot) = &mut self.slots[index] else {
            return "ok";
        };
        slot.is_set_aside = false;
        if is_dynamic || slot.member.restart == Restart::Temporary {
            slot.asked = Asked::ToBeForgotten;
        }
        match &slot.life {
            _ if stand_in_stops => "either",
            Life::Leaving { inner: Some(_), .. } => "either",
            Life::Leaving { .. } => "pending",
            _ => "ok",
        }
    }

    /// A child that was set aside is started again, and nothing that was before counts.
    fn recover(&mut self, index: usize, env: &mut Env) -> &'static str {
        if self.is_stood_in_for(index) {
            self.probe(index, env);
            return "ok";
        }
        match &mut self.slots[index] {
            Some(slot) if slot.is_set_aside => {
                slot.is_set_aside = false;
                if !env.is(Wrong::RemembersWhatWasSetAside) {
                    slot.spent.clear();
                }
            }
            _ => return "not degraded",
        }
        self.begin(index, env);
        "ok"
    }

    fn set_life(&mut self, index: usize, life: Life) {
        if let Some(slot) = &mut self.slots[index] {
            slot.life = life;
        }
    }
}
