//! A child comes up, or does not.

use std::sync::Arc;
use std::time::Duration;

use super::super::exit::Exit;
use super::children::{Starter, State};
use super::{Answer, Body, Core, Effect, End, Event, Note, Phase, Role};

impl Core {
    pub(super) fn on_up(&mut self, body: Body, out: &mut Vec<Effect>) {
        let now = self.now;
        let Some((role, child)) = self.find(body) else {
            return;
        };
        let state = child.state_mut(role);
        if let State::Stopping { since, .. } = state {
            // It can hear now that it should stop.
            since.get_or_insert(now);
        }
        if !matches!(state, State::Starting(_)) {
            return;
        }
        *state = State::Up { body, since: now };
        out.push(Effect::Disarm(body));
        out.push(Effect::Note(
            body.child,
            Note::Started {
                role,
                incarnation: body.incarnation,
            },
        ));
        if let Some(Starter::Adding(reply) | Starter::Restarting(reply)) = child.starting.take() {
            out.push(Effect::Answer(reply, Answer::Done));
        }
        match role {
            Role::Main => self.main_is_up(body.child, out),
            Role::Fallback => self.fallback_is_up(body.child, out),
        }
        self.started(body.child, out);
    }

    pub(super) fn on_start_failed(&mut self, body: Body, exit: Exit, out: &mut Vec<Effect>) {
        let Some((role, child)) = self.find(body) else {
            return;
        };
        if matches!(child.state_mut(role), State::Stopping { .. }) {
            return self.on_down(body, exit, out);
        }
        *child.state_mut(role) = State::Absent;
        child.last_exit = Some(exit.clone());
        out.push(Effect::Release(body));
        if role == Role::Main && exit == Exit::Ignored {
            return self.ignored(body.child, out);
        }
        out.push(Effect::Note(
            body.child,
            Note::StartFailed { exit: exit.clone() },
        ));
        if role == Role::Fallback {
            return self.restart_fallback(body.child, out);
        }
        if self.probe_failed(body.child, out) {
            return;
        }
        self.main_start_failed(body.child, exit, out);
    }

    /// There was nothing for it to do: it has no process, and everything goes on.
    pub(super) fn ignored(&mut self, index: u32, out: &mut Vec<Effect>) {
        out.push(Effect::Note(index, Note::Ignored));
        if let Some(child) = self.child(index)
            && let Some(Starter::Adding(reply) | Starter::Restarting(reply)) = child.starting.take()
        {
            out.push(Effect::Answer(reply, Answer::Done));
        }
        self.forget_if_it_must(index, out);
        match self.phase {
            Phase::Stopping { .. } => self.advance_stop(out),
            _ => self.started(index, out),
        }
    }

    pub(super) fn main_start_failed(&mut self, index: u32, exit: Exit, out: &mut Vec<Effect>) {
        match &self.phase {
            Phase::Starting { initial: true, .. } => {
                let id = self
                    .child(index)
                    .map_or_else(|| Arc::from("?"), |child| Arc::clone(&child.meta.id));
                let reason = Exit::error(format!("{id} did not start: {exit}"));
                self.terminate(End::StartFailed(reason), out);
            }
            Phase::Starting {
                current: Some(current),
                ..
            } if *current == index => self.group_start_failed(index, out),
            Phase::Stopping { .. } => self.advance_stop(out),
            Phase::Ended => {}
            Phase::Starting { .. } | Phase::Running => self.lone_start_failed(index, exit, out),
        }
    }

    /// A start that was not part of a group: somebody's who is answered, or a restart's, which is tried again and counted.
    pub(super) fn lone_start_failed(&mut self, index: u32, exit: Exit, out: &mut Vec<Effect>) {
        let Some(child) = self.child(index) else {
            return;
        };
        match child.starting.take() {
            Some(Starter::Adding(reply)) => {
                out.push(Effect::Answer(reply, Answer::StartFailed(exit)));
                return self.remove(index, out);
            }
            Some(Starter::Restarting(reply)) => {
                return out.push(Effect::Answer(reply, Answer::StartFailed(exit)));
            }
            None => {}
        }
        if child.meta.probation.is_some() {
            return self.degrade(index, out);
        }
        if self.may_restart(index, out) {
            self.retry(index, Duration::ZERO, out);
        }
    }

    /// Starts a child again by way of the inbox, so that a stop or a question gets in between; after its back-off, if it
    /// has one.
    pub(super) fn retry(&mut self, index: u32, uptime: Duration, out: &mut Vec<Effect>) {
        let number = self.number();
        let Some(child) = self.child(index) else {
            return;
        };
        child.main = State::Retrying(number);
        let (delay, child) = (child.next_delay(uptime), index);
        let retry = Event::Retry { child, number };
        out.push(if delay.is_zero() {
            Effect::Post(retry)
        } else {
            Effect::After(delay, retry)
        });
    }

    pub(super) fn on_retry(&mut self, index: u32, number: u64, out: &mut Vec<Effect>) {
        let waiting = self
            .child(index)
            .is_some_and(|child| matches!(child.main, State::Retrying(n) if n == number));
        if waiting && matches!(self.phase, Phase::Running | Phase::Starting { .. }) {
            self.begin(index, Role::Main, None, out);
        }
    }

    pub(super) fn on_start_deadline(&mut self, body: Body, out: &mut Vec<Effect>) {
        let Some((role, child)) = self.find(body) else {
            return;
        };
        if matches!(child.state_mut(role), State::Starting(_)) {
            let limit = child.rules_of(role).start_within;
            out.push(Effect::Kill(body));
            self.on_start_failed(body, Exit::error(format!("not up within {limit:?}")), out);
        } else if matches!(child.state_mut(role), State::Stopping { since: None, .. }) {
            // It was told to stop and cannot hear it; one that is waited for without a limit would keep us for ever.
            Self::kill(body, out);
        }
    }
}
