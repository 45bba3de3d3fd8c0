//! Starting in order, stopping in reverse: whole groups, one after the other, never blocking.

use std::collections::VecDeque;

use super::super::exit::{Exit, Why};
use super::super::spec::{Restart, Strategy};
use super::children::State;
use super::{Body, Core, Effect, End, Event, Phase, Role, Then};

impl Core {
    /// Starts the next child of the group, if none is being waited for.
    pub(super) fn advance_start(&mut self, out: &mut Vec<Effect>) {
        let Phase::Starting {
            queue,
            current,
            initial,
        } = &mut self.phase
        else {
            return;
        };
        if current.is_some() {
            return;
        }
        if let Some(index) = queue.pop_front() {
            *current = Some(index);
            return self.begin(index, Role::Main, None, out);
        }
        let first = *initial;
        self.phase = Phase::Running;
        if first {
            out.push(Effect::TellUp);
        }
        self.decide_deferred(out);
        self.answer_asked(out);
    }

    /// A child of the group that is starting came up.
    pub(super) fn started(&mut self, index: u32, out: &mut Vec<Effect>) {
        if let Phase::Starting { current, .. } = &mut self.phase
            && *current == Some(index)
        {
            *current = None;
            self.advance_start(out);
        }
    }

    /// A group restart failed at this child. It counts, and the group is tried again: from the child under
    /// `rest_for_one`, whole under `one_for_all`.
    pub(super) fn group_start_failed(&mut self, index: u32, out: &mut Vec<Effect>) {
        if !self.may_restart(index, out) {
            return;
        }
        if self.strategy == Strategy::OneForAll {
            return self.stop_group(0, out);
        }
        if let Phase::Starting { queue, current, .. } = &mut self.phase {
            queue.push_front(index);
            *current = None;
            // By way of the inbox, so that a stop or a question gets in between.
            out.push(Effect::Post(Event::Resume));
        }
    }

    /// Takes down everything from `first` on, in reverse, and starts it again.
    pub(super) fn stop_group(&mut self, first: u32, out: &mut Vec<Effect>) {
        // What had ended within the group goes with it: the stop takes the place of that exit.
        self.deferred.retain(|(index, ..)| *index < first);
        let queue = self.live_from(first);
        self.phase = Phase::Stopping {
            queue,
            current: None,
            then: Then::StartFrom(first),
        };
        self.advance_stop(out);
    }

    /// Takes everything down and ends. What is being stopped already stays being stopped.
    pub(super) fn terminate(&mut self, end: End, out: &mut Vec<Effect>) {
        let waited_for = match &self.phase {
            Phase::Stopping {
                then: Then::End(_), ..
            }
            | Phase::Ended => return,
            Phase::Stopping { current, .. } => *current,
            Phase::Running | Phase::Starting { .. } => None,
        };
        self.call_off_retries();
        let queue = self.live_from(0);
        self.phase = Phase::Stopping {
            queue,
            current: waited_for,
            then: Then::End(end),
        };
        if self.dynamic_max.is_some() {
            self.halt_all_at_once(out);
        }
        self.advance_stop(out);
    }

    /// Ends without asking anyone.
    pub(super) fn kill_all(&mut self, out: &mut Vec<Effect>) {
        if matches!(self.phase, Phase::Ended) {
            return;
        }
        self.call_off_retries();
        let bodies = self.live_from(0);
        for &body in &bodies {
            if let Some((role, child)) = self.find(body) {
                let state = child.state_mut(role);
                *state = state.stopping();
            }
            Self::kill(body, out);
        }
        self.phase = Phase::Stopping {
            queue: bodies,
            current: None,
            then: Then::End(End::Down(Exit::Killed)),
        };
        self.advance_stop(out);
    }

    /// Goes on with what is being stopped: the next child in reverse order, or what comes after the last.
    pub(super) fn advance_stop(&mut self, out: &mut Vec<Effect>) {
        loop {
            let Phase::Stopping { queue, current, .. } = &mut self.phase else {
                return;
            };
            if let Some(body) = *current {
                if self.find(body).is_some() {
                    return;
                }
                if let Phase::Stopping { current, .. } = &mut self.phase {
                    *current = None;
                }
                continue;
            }
            let Some(body) = queue.pop() else {
                return self.all_stopped(out);
            };
            *current = Some(body);
            let asked_already = match self.find(body) {
                Some((role, child)) => matches!(child.state_mut(role), State::Stopping { .. }),
                None => true,
            };
            if !asked_already {
                self.halt(body, Why::Asked, out);
            }
        }
    }

    fn all_stopped(&mut self, out: &mut Vec<Effect>) {
        match std::mem::replace(&mut self.phase, Phase::Ended) {
            Phase::Stopping {
                then: Then::StartFrom(first),
                ..
            } => {
                let group: Vec<u32> = self.indices().filter(|&index| index >= first).collect();
                for &index in &group {
                    if self
                        .child(index)
                        .is_some_and(|child| child.meta.restart == Restart::Temporary)
                    {
                        self.remove(index, out);
                    }
                }
                // Also those that had ended normally or were stopped by hand; not what is fenced off.
                let starts = |index: &u32| self.child(*index).is_some_and(|child| !child.set_aside);
                let queue: VecDeque<u32> = group.into_iter().filter(starts).collect();
                self.phase = Phase::Starting {
                    queue,
                    current: None,
                    initial: false,
                };
                self.advance_start(out);
            }
            Phase::Stopping {
                then: Then::End(End::Down(exit)),
                ..
            } => out.push(Effect::TellDown(exit)),
            Phase::Stopping {
                then: Then::End(End::StartFailed(exit)),
                ..
            } => out.push(Effect::TellStartFailed(exit)),
            Phase::Running | Phase::Starting { .. } | Phase::Ended => {}
        }
    }

    fn decide_deferred(&mut self, out: &mut Vec<Effect>) {
        while let Phase::Running = self.phase
            && let Some((index, exit, uptime)) = self.deferred.pop_front()
        {
            self.decide(index, &exit, uptime, out);
        }
    }

    fn halt_all_at_once(&mut self, out: &mut Vec<Effect>) {
        for body in self.live_from(0) {
            let up = self.find(body).is_some_and(|(role, child)| {
                !matches!(child.state_mut(role), State::Stopping { .. })
            });
            if up {
                self.halt(body, Why::Asked, out);
            }
        }
    }

    fn call_off_retries(&mut self) {
        self.deferred.clear();
        // Whoever asked sees that nobody answers.
        self.asked.clear();
        for child in self.children.iter_mut().flatten() {
            if matches!(child.main, State::Retrying(_)) {
                child.main = State::Absent;
            }
        }
    }

    /// The live incarnations of the children from `first` on, in start order.
    fn live_from(&self, first: u32) -> Vec<Body> {
        (0..)
            .zip(&self.children)
            .filter(|(index, _)| *index >= first)
            .filter_map(|(_, child)| child.as_ref())
            .flat_map(super::children::Child::bodies)
            .collect()
    }
}
