//! What an operator asks of a supervisor: a child's life by its id.
//!
//! OTP answers such questions between restart attempts. Here, too: what would disturb a group that is being stopped or
//! started waits until it runs.

use std::sync::Arc;

use super::super::exit::{Exit, Why};
use super::super::spec::{Spec, Strategy, fits};
use super::children::{Child, Starter, State};
use super::{Answer, Ask, Body, Core, Effect, Phase, ReplyTo, Role, Then};

/// Questions that may wait for a group; whoever asks one more is told that nobody answers.
const ASKED_MAX: usize = 1_024;

impl Core {
    pub(super) fn on_ask(&mut self, ask: Ask, reply: ReplyTo, out: &mut Vec<Effect>) {
        let changes = matches!(
            ask,
            Ask::Start(_) | Ask::Terminate(_) | Ask::Restart(_) | Ask::Delete(_) | Ask::Recover(_)
        );
        if changes {
            match &self.phase {
                Phase::Running => {}
                // Ends a child's restart loop.
                Phase::Starting { .. } if matches!(ask, Ask::Terminate(_)) => {}
                Phase::Stopping {
                    then: Then::End(_), ..
                }
                | Phase::Ended => {
                    return out.push(Effect::Answer(reply, Answer::Stopping));
                }
                Phase::Starting { .. } | Phase::Stopping { .. } => {
                    if self.asked.len() >= ASKED_MAX {
                        return out.push(Effect::Answer(reply, Answer::Stopping));
                    }
                    return self.asked.push_back((ask, reply));
                }
            }
        }
        let answer = match ask {
            Ask::Start(spec) => return self.start_child(spec, reply, out),
            Ask::Terminate(id) => return self.terminate_child(&id, reply, out),
            Ask::Restart(id) => return self.restart_child(&id, reply, out),
            Ask::Delete(id) => self.delete_child(&id, out),
            Ask::Kill(id) => self.kill_child(&id, out),
            Ask::Recover(id) => self.recover(&id, out),
            Ask::Report => Answer::Report(self.report()),
        };
        out.push(Effect::Answer(reply, answer));
    }

    /// The group runs: what was asked meanwhile.
    pub(super) fn answer_asked(&mut self, out: &mut Vec<Effect>) {
        while let Phase::Running = self.phase
            && let Some((ask, reply)) = self.asked.pop_front()
        {
            self.on_ask(ask, reply, out);
        }
    }

    fn start_child(&mut self, spec: Box<Spec>, reply: ReplyTo, out: &mut Vec<Effect>) {
        let strategy = match self.dynamic_max {
            Some(_) => Strategy::OneForOne,
            None => self.strategy,
        };
        if let Err(mistake) = fits(&spec.meta, strategy, self.auto_shutdown) {
            return out.push(Effect::Answer(reply, Answer::Misplaced(mistake)));
        }
        if let Some(index) = self.ids.get(&spec.meta.id).copied() {
            let is_there = self
                .child(index)
                .is_some_and(|child| child.bodies().next().is_some());
            let answer = if is_there {
                Answer::AlreadyStarted
            } else {
                Answer::AlreadyPresent
            };
            return out.push(Effect::Answer(reply, answer));
        }
        if self.dynamic_max.is_some_and(|most| self.ids.len() >= most) {
            return out.push(Effect::Answer(reply, Answer::MaxChildren));
        }
        let mut child = Child::new(Arc::clone(&spec.meta));
        child.starting = Some(Starter::Adding(reply));
        let Some(index) = self.insert(child) else {
            return;
        };
        out.push(Effect::Adopt(index, spec));
        self.begin(index, Role::Main, None, out);
    }

    fn terminate_child(&mut self, id: &str, reply: ReplyTo, out: &mut Vec<Effect>) {
        let Some(index) = self.ids.get(id).copied() else {
            return out.push(Effect::Answer(reply, Answer::NotFound));
        };
        if let Phase::Starting { queue, .. } = &mut self.phase {
            queue.retain(|queued| *queued != index);
        }
        // Its own end, if that waits to be decided, does not bring it back.
        self.deferred.retain(|(ended, ..)| *ended != index);
        let Some(child) = self.child(index) else {
            return;
        };
        if matches!(child.main, State::Retrying(_)) {
            child.main = State::Absent;
        }
        child.set_aside = false;
        if let Some(Starter::Adding(starter) | Starter::Restarting(starter)) = child.starting.take()
        {
            let called_off = Exit::Shutdown(Why::Asked);
            out.push(Effect::Answer(starter, Answer::StartFailed(called_off)));
        }
        let Some(child) = self.child(index) else {
            return;
        };
        if let Some(standby) = &mut child.standby {
            standby.call_off();
        }
        let bodies: Vec<Body> = child.bodies().collect();
        if bodies.is_empty() {
            self.forget_if_it_must(index, out);
            return out.push(Effect::Answer(reply, Answer::Done));
        }
        child.terminating.push(reply);
        for body in bodies {
            let asked_already = self.find(body).is_none_or(|(role, child)| {
                matches!(child.state_mut(role), State::Stopping { .. })
            });
            if !asked_already {
                self.halt(body, Why::Asked, out);
            }
        }
    }

    fn restart_child(&mut self, id: &str, reply: ReplyTo, out: &mut Vec<Effect>) {
        let index = match self.stopped_child(id) {
            Ok(index) => index,
            Err(answer) => return out.push(Effect::Answer(reply, answer)),
        };
        if let Some(child) = self.child(index) {
            child.starting = Some(Starter::Restarting(reply));
            child.set_aside = false;
            self.begin(index, Role::Main, None, out);
        }
    }

    fn delete_child(&mut self, id: &str, out: &mut Vec<Effect>) -> Answer {
        match self.stopped_child(id) {
            Ok(index) => {
                self.remove(index, out);
                Answer::Done
            }
            Err(answer) => answer,
        }
    }

    /// A child whose spec is kept, without a process.
    fn stopped_child(&mut self, id: &str) -> Result<u32, Answer> {
        let index = self
            .ids
            .get(id)
            .copied()
            .filter(|_| self.dynamic_max.is_none());
        let index = index.ok_or(Answer::NotFound)?;
        let child = self.child(index).ok_or(Answer::NotFound)?;
        if matches!(child.main, State::Retrying(_)) {
            return Err(Answer::Restarting);
        }
        if child.bodies().next().is_some() {
            return Err(Answer::Running);
        }
        Ok(index)
    }

    fn kill_child(&mut self, id: &str, out: &mut Vec<Effect>) -> Answer {
        let Some(index) = self.ids.get(id).copied() else {
            return Answer::NotFound;
        };
        let Some(child) = self.child(index) else {
            return Answer::NotFound;
        };
        let Some(body) = child.main.body().or_else(|| {
            child
                .standby
                .as_ref()
                .and_then(|standby| standby.state.body())
        }) else {
            return Answer::NotRunning;
        };
        Self::kill(body, out);
        Answer::Done
    }
}
