//! A scenario as it is printed when kernel and model differ.

use std::fmt;

use bidtree::supervision::{AutoShutdown, OnStuck, Restart};

use super::{Fallback, Group, Kind, Member, Rate, Scenario, Step, Stop};

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            strategy,
            limit,
            dynamic,
            auto_shutdown,
            members,
        } = self;
        write!(f, "{strategy:?} {limit}")?;
        if let Some(most) = dynamic {
            write!(f, " dynamic<={most}")?;
        }
        if *auto_shutdown != AutoShutdown::Never {
            write!(f, " ends with {auto_shutdown:?}")?;
        }
        let members: Vec<_> = members.iter().map(ToString::to_string).collect();
        write!(f, " {{{}}}", members.join(", "))
    }
}

impl fmt::Display for Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            delay_ms,
            delay_max_ms,
            quiet_ms,
            group,
        } = self;
        write!(
            f,
            "for {delay_ms}..{delay_max_ms}ms, quiet {quiet_ms}ms, {group}"
        )
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}ms", self.intensity, self.period_ms)
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)?;
        if self.kind != Kind::Task {
            write!(f, " {:?}", self.kind)?;
        }
        if self.on_stuck != OnStuck::Replace {
            write!(f, " stuck: {:?}", self.on_stuck)?;
        }
        if self.restart != Restart::Permanent {
            write!(f, " {:?}", self.restart)?;
        }
        if self.is_significant {
            f.write_str(" significant")?;
        }
        if let Some(limit) = self.own_limit {
            write!(f, " own {limit}")?;
        }
        if let Some((first, max)) = self.back_off {
            write!(f, " after {first}..{max}ms")?;
        }
        match self.stop {
            Stop::Brutal => f.write_str(" brutal")?,
            Stop::Within(ms) => write!(f, " {ms}ms")?,
            Stop::Infinity => f.write_str(" infinity")?,
        }
        if let Some(group) = &self.group {
            write!(f, " = {group}")?;
        }
        match self.fallback.as_deref() {
            Some(fallback) => write!(f, " or {fallback}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Act(acts) => write!(f, "act {acts:?}"),
            Self::Kill(path) => write!(f, "kill {path}"),
            Self::Fail(path, times) => write!(f, "fail {path} {times}x"),
            Self::Ignore(path, times) => write!(f, "ignore {path} {times}x"),
            Self::Hang(path) => write!(f, "hang {path}"),
            Self::Deaf(path) => write!(f, "deaf {path}"),
            Self::Cleanup(path, ms) => write!(f, "cleanup {path} {ms}ms"),
            Self::Start(path, member) => write!(f, "start {member} at {path}"),
            Self::Terminate(path) => write!(f, "terminate {path}"),
            Self::Restart(path) => write!(f, "restart {path}"),
            Self::Delete(path) => write!(f, "delete {path}"),
            Self::Recover(path) => write!(f, "recover {path}"),
            Self::Ticks(ticks) => write!(f, "pass {ticks} ticks"),
            Self::Stop => f.write_str("stop"),
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {}", self.root)?;
        for step in &self.steps {
            writeln!(f, "  - {step}")?;
        }
        Ok(())
    }
}
