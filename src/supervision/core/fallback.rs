//! Degraded mode: what stands in for a subtree that went over its limit, and how the real one comes back.
//!
//! ```text
//!  Off ──over its limit──▶ Standing ──delay, or an operator──▶ Probing ──up──▶ OnProbation ──quiet──▶ Off
//!                             ▲  ▲      the real one starts       │                │
//!                             │  └── it did not start: delay × 2 ─┘                │
//!                             └──────────────── it ended: delay × 2 ───────────────┘
//! ```
//!
//! Nothing of this counts at the parent, but a stand-in that fails does.

use std::time::Duration;

use super::super::exit::Why;
use super::super::limit::Limit;
use super::super::spec::Probation;
use super::children::State;
use super::{Answer, Core, Effect, Event, Note, Phase, Role};

pub(super) struct Standby {
    pub(super) state: State,
    mode: Mode,
    rules: Probation,
    delay: Duration,
    /// The number of the timer that is waited for.
    timer: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Off,
    Standing,
    Probing,
    OnProbation,
}

impl Standby {
    pub(super) fn new(rules: Probation) -> Self {
        Self {
            state: State::Absent,
            mode: Mode::Off,
            rules,
            delay: rules.delay,
            timer: 0,
        }
    }

    /// Forgets that anything was wrong: an operator took the child down.
    pub(super) fn call_off(&mut self) {
        self.mode = Mode::Off;
        self.delay = self.rules.delay;
        // A try that was waited for is not the next fallback's.
        self.timer = 0;
    }

    pub(super) fn stands_in(&self) -> bool {
        matches!(self.mode, Mode::Standing | Mode::Probing)
    }

    pub(super) fn on_probation(&self) -> bool {
        self.mode == Mode::OnProbation
    }
}

impl Core {
    /// The child went over its limit: its fallback takes over.
    pub(super) fn degrade(&mut self, index: u32, out: &mut Vec<Effect>) {
        let Some(standby) = self.standby(index) else {
            return;
        };
        standby.mode = Mode::Standing;
        out.push(Effect::Note(index, Note::Degraded));
        if self
            .standby(index)
            .is_some_and(|standby| standby.state.body().is_none())
        {
            self.begin(index, Role::Fallback, None, out);
        }
    }

    pub(super) fn fallback_is_up(&mut self, index: u32, out: &mut Vec<Effect>) {
        self.schedule_probe(index, out);
    }

    /// A stand-in failed: a failure like any other child's, counted at this supervisor.
    pub(super) fn restart_fallback(&mut self, index: u32, out: &mut Vec<Effect>) {
        if !matches!(self.phase, Phase::Running) {
            return self.advance_stop(out);
        }
        let wanted = self
            .standby(index)
            .is_some_and(|standby| standby.stands_in());
        if wanted && self.may_restart(index, out) {
            self.begin(index, Role::Fallback, None, out);
        }
    }

    /// A stand-in that was still ending when it was wanted again is gone now.
    pub(super) fn stand_in_again(&mut self, index: u32, out: &mut Vec<Effect>) {
        let is_running = matches!(self.phase, Phase::Running);
        let is_missing = self
            .standby(index)
            .is_some_and(|standby| standby.stands_in() && matches!(standby.state, State::Absent));
        if is_running && is_missing {
            self.begin(index, Role::Fallback, None, out);
        }
    }

    pub(super) fn main_is_up(&mut self, index: u32, out: &mut Vec<Effect>) {
        let number = self.number();
        let Some(standby) = self.standby(index) else {
            return;
        };
        if standby.mode != Mode::Probing {
            return;
        }
        standby.mode = Mode::OnProbation;
        standby.timer = number;
        let quiet = standby.rules.quiet;
        let fallback = standby.state.body();
        out.push(Effect::Note(index, Note::OnProbation));
        out.push(Effect::After(
            quiet,
            Event::Quiet {
                child: index,
                number,
            },
        ));
        if let Some(body) = fallback {
            self.halt(body, Why::Other, out);
        }
    }

    /// The real child was tried beside its fallback and did not start. Says whether that is what happened.
    pub(super) fn probe_failed(&mut self, index: u32, out: &mut Vec<Effect>) -> bool {
        let Some(standby) = self.standby(index) else {
            return false;
        };
        if standby.mode != Mode::Probing {
            return false;
        }
        standby.mode = Mode::Standing;
        standby.delay = (standby.delay * 2).min(standby.rules.delay_max);
        self.schedule_probe(index, out);
        true
    }

    /// The real child ended while on probation: the fallback returns. Says whether that is what happened.
    pub(super) fn back_to_fallback(&mut self, index: u32, out: &mut Vec<Effect>) -> bool {
        let Some(standby) = self.standby(index) else {
            return false;
        };
        if standby.mode != Mode::OnProbation {
            return false;
        }
        standby.delay = (standby.delay * 2).min(standby.rules.delay_max);
        self.degrade(index, out);
        true
    }

    pub(super) fn on_probe(&mut self, index: u32, number: u64, out: &mut Vec<Effect>) {
        // A supervisor that is stopping starts nothing: nobody would end it.
        let is_running = matches!(self.phase, Phase::Running);
        if self
            .standby(index)
            .is_some_and(|standby| standby.timer == number && is_running)
        {
            self.probe(index, out);
        }
    }

    pub(super) fn on_quiet(&mut self, index: u32, number: u64, out: &mut Vec<Effect>) {
        let Some(standby) = self.standby(index) else {
            return;
        };
        if standby.timer == number && standby.mode == Mode::OnProbation {
            standby.mode = Mode::Off;
            standby.delay = standby.rules.delay;
            out.push(Effect::Note(index, Note::Recovered));
        }
    }

    /// An operator does not want to wait for the delay.
    pub(super) fn recover(&mut self, id: &str, out: &mut Vec<Effect>) -> Answer {
        let Some(index) = self.ids.get(id).copied() else {
            return Answer::NotFound;
        };
        if self
            .standby(index)
            .is_some_and(|standby| standby.mode == Mode::Standing)
        {
            self.probe(index, out);
            return Answer::Done;
        }
        let Some(child) = self.child(index) else {
            return Answer::NotFound;
        };
        if !child.set_aside {
            return Answer::NotDegraded;
        }
        child.set_aside = false;
        child.own_window = child.meta.own_limit.map(super::Window::new).map(Box::new);
        self.begin(index, Role::Main, None, out);
        Answer::Done
    }

    fn probe(&mut self, index: u32, out: &mut Vec<Effect>) {
        let Some(standby) = self.standby(index) else {
            return;
        };
        if standby.mode != Mode::Standing {
            return;
        }
        standby.mode = Mode::Probing;
        // On probation one restart is all it has: a subtree that still crashes must not serve for long.
        let strict = Limit::new(1, standby.rules.quiet);
        out.push(Effect::Note(index, Note::Probing));
        self.begin(index, Role::Main, Some(strict), out);
    }

    fn schedule_probe(&mut self, index: u32, out: &mut Vec<Effect>) {
        let number = self.number();
        let Some(standby) = self.standby(index) else {
            return;
        };
        if standby.mode == Mode::Standing {
            standby.timer = number;
            out.push(Effect::After(
                standby.delay,
                Event::Probe {
                    child: index,
                    number,
                },
            ));
        }
    }

    fn standby(&mut self, index: u32) -> Option<&mut Standby> {
        self.child(index)?.standby.as_deref_mut()
    }
}
