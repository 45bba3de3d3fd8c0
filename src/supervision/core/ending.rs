//! A child goes down: by itself, told to, or stuck; and what follows.

use std::time::Duration;

use super::super::exit::{Exit, Why};
use super::super::spec::{AutoShutdown, OnStuck, Restart, Strategy};
use super::children::{Child, State};
use super::{Answer, Body, Core, Effect, End, Event, KILL_GRACE, Note, Phase, Role, Then};

impl Core {
    pub(super) fn on_down(&mut self, body: Body, exit: Exit, out: &mut Vec<Effect>) {
        let now = self.now;
        let Some((role, child)) = self.find(body) else {
            return;
        };
        let state = child.state_mut(role);
        let (stopping, uptime) = match state {
            State::Starting(_) => return self.on_start_failed(body, exit, out),
            State::Up { since, .. } => (false, now.since(*since)),
            State::Stopping { since, .. } => {
                (true, since.map_or(Duration::ZERO, |since| now.since(since)))
            }
            State::Absent | State::Retrying(_) => (true, Duration::ZERO),
        };
        *state = State::Absent;
        child.last_exit = Some(exit.clone());
        out.push(Effect::Release(body));
        out.push(Effect::Note(
            body.child,
            Note::Exited {
                exit: exit.clone(),
                uptime,
                asked: stopping,
            },
        ));
        if stopping {
            return self.stopped(body, &exit, out);
        }
        match (&self.phase, role) {
            // Not of the group that is going down: its end is an event of its own, decided when the group is up again.
            (
                Phase::Stopping {
                    then: Then::StartFrom(first),
                    ..
                },
                Role::Main,
            ) if body.child < *first => self.deferred.push_back((body.child, exit, uptime)),
            (Phase::Stopping { .. } | Phase::Ended, _) => self.advance_stop(out),
            (Phase::Starting { .. }, Role::Main) => {
                self.deferred.push_back((body.child, exit, uptime));
            }
            (_, Role::Fallback) => self.restart_fallback(body.child, out),
            (Phase::Running, Role::Main) => self.decide(body.child, &exit, uptime, out),
        }
    }

    /// It does not yield: it is left behind, as if it had ended.
    pub(super) fn on_stuck(&mut self, body: Body, out: &mut Vec<Effect>) {
        let Some((role, child)) = self.find(body) else {
            return;
        };
        if matches!(child.state_mut(role), State::Up { .. } | State::Starting(_)) {
            out.push(Effect::Kill(body));
            self.on_down(body, Exit::Stuck, out);
        }
    }

    /// A child that was told to stop is gone, or is left behind.
    pub(super) fn stopped(&mut self, body: Body, exit: &Exit, out: &mut Vec<Effect>) {
        let index = body.child;
        if let Some(child) = self.child(index)
            && child.bodies().next().is_none()
            && !child.terminating.is_empty()
        {
            let asked = std::mem::take(&mut child.terminating);
            out.extend(
                asked
                    .into_iter()
                    .map(|reply| Effect::Answer(reply, Answer::Done)),
            );
            self.forget_if_it_must(index, out);
        }
        self.stand_in_again(index, out);
        // Not of the group: nothing would take its place.
        let restarts = matches!(
            self.phase,
            Phase::Stopping {
                then: Then::StartFrom(first),
                ..
            } if index >= first
        );
        if *exit == Exit::Stuck && restarts {
            self.may_replace(index, out);
        }
        match self.phase {
            Phase::Stopping { .. } => self.advance_stop(out),
            _ => self.started(index, out),
        }
    }

    /// What is done about a child that is stuck, by its own rule. Says whether a new incarnation may take its place.
    pub(super) fn may_replace(&mut self, index: u32, out: &mut Vec<Effect>) -> bool {
        let Some(child) = self.child(index) else {
            return false;
        };
        match child.meta.on_stuck {
            OnStuck::Replace => true,
            OnStuck::Fence => {
                child.set_aside = true;
                out.push(Effect::Note(index, Note::Fenced));
                false
            }
            OnStuck::Escalate => {
                self.terminate(End::Down(Exit::Stuck), out);
                false
            }
        }
    }

    /// A child without a process whose spec is not kept.
    pub(super) fn forget_if_it_must(&mut self, index: u32, out: &mut Vec<Effect>) {
        let dynamic = self.dynamic_max.is_some();
        let forgets = |child: &mut Child| dynamic || child.meta.restart == Restart::Temporary;
        if self.child(index).is_some_and(forgets) {
            self.remove(index, out);
        }
    }

    /// A significant child ended by itself for good.
    pub(super) fn significant_ended(&mut self, out: &mut Vec<Effect>) {
        // One whose end waits to be decided may come back.
        let is_undecided = |index| self.deferred.iter().any(|(ended, ..)| *ended == index);
        let is_live = |(index, child): (u32, &Child)| {
            let comes_back = matches!(child.main, State::Retrying(_)) || is_undecided(index);
            child.meta.is_significant && (comes_back || child.bodies().next().is_some())
        };
        let ends = match self.auto_shutdown {
            AutoShutdown::Never => false,
            AutoShutdown::AnySignificant => true,
            AutoShutdown::AllSignificant => !(0..)
                .zip(&self.children)
                .filter_map(|(index, child)| Some((index, child.as_ref()?)))
                .any(is_live),
        };
        if ends {
            self.terminate(End::Down(Exit::Shutdown(Why::Other)), out);
        }
    }

    /// A child ended by itself: OTP's `do_restart`.
    pub(super) fn decide(
        &mut self,
        index: u32,
        exit: &Exit,
        uptime: Duration,
        out: &mut Vec<Effect>,
    ) {
        let Some(child) = self.child(index) else {
            return;
        };
        if !matches!(child.main, State::Absent) {
            return;
        }
        let again = match child.meta.restart {
            Restart::Permanent => true,
            Restart::Transient => !exit.is_normal(),
            Restart::Temporary => false,
        };
        if self.back_to_fallback(index, out) {
            return;
        }
        let Some(child) = self.child(index) else {
            return;
        };
        if !again {
            let is_significant = child.meta.is_significant;
            self.forget_if_it_must(index, out);
            if is_significant {
                self.significant_ended(out);
            }
            return;
        }
        if *exit == Exit::Stuck && !self.may_replace(index, out) {
            return;
        }
        let Some(child) = self.child(index) else {
            return;
        };
        if child.meta.probation.is_some() && *exit == Exit::Shutdown(Why::OverLimit) {
            return self.degrade(index, out);
        }
        if self.may_restart(index, out) {
            let waits = self
                .child(index)
                .is_some_and(|child| child.meta.back_off.is_some());
            match self.strategy {
                Strategy::OneForOne if waits => self.retry(index, uptime, out),
                Strategy::OneForOne => self.begin(index, Role::Main, None, out),
                Strategy::OneForAll => self.stop_group(0, out),
                Strategy::RestForOne => self.stop_group(index, out),
            }
        }
    }

    /// Counts a restart, for the child's own limit and for ours. Over either, says so and acts on it.
    pub(super) fn may_restart(&mut self, index: u32, out: &mut Vec<Effect>) -> bool {
        let now = self.now;
        let Some(child) = self.child(index) else {
            return false;
        };
        child.restarts += 1;
        if let Some(window) = &mut child.own_window {
            if window.allows_one_more(now) {
                // A child with a limit of its own does not use up its supervisor's.
                out.push(Effect::Note(index, Note::Restarting));
                return true;
            }
            child.set_aside = true;
            out.push(Effect::Note(index, Note::SetAside));
            return false;
        }
        if self.window.allows_one_more(now) {
            out.push(Effect::Note(index, Note::Restarting));
            return true;
        }
        out.push(Effect::Note(
            index,
            Note::OverLimit {
                limit: self.window.limit(),
            },
        ));
        self.terminate(End::Down(Exit::Shutdown(Why::OverLimit)), out);
        false
    }

    pub(super) fn on_stop_deadline(&mut self, body: Body, out: &mut Vec<Effect>) {
        if let Some((role, child)) = self.find(body)
            && matches!(child.state_mut(role), State::Stopping { .. })
        {
            Self::kill(body, out);
        }
    }

    pub(super) fn kill(body: Body, out: &mut Vec<Effect>) {
        out.push(Effect::Kill(body));
        out.push(Effect::After(KILL_GRACE, Event::KillDeadline(body)));
    }
}
