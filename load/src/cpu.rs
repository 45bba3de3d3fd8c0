//! CPU time of a process, from `/proc`.
//!
//! `/proc/PID/stat` counts in hundredths of a second, which is coarse for a round of seconds. Where the scheduler tells
//! nanoseconds by thread and no thread came or went meanwhile, those are taken instead.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Linux tells user space in hundredths of a second, whatever its own tick.
const TICK: Duration = Duration::from_millis(10);

/// CPU time that a process has taken so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpuUse {
    /// User and system time, in ticks.
    ticks: u32,
    /// Nanoseconds on a CPU, by thread.
    threads: BTreeMap<u32, u64>,
}

/// A process that cannot be watched.
#[derive(Debug)]
pub struct CpuError {
    pid: u32,
    why: String,
}

impl fmt::Display for CpuError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "cannot read the CPU time of process {}: {}; is it running?",
            self.pid, self.why
        )
    }
}

impl CpuUse {
    /// Reads it.
    ///
    /// # Errors
    /// [`CpuError`] where there is no such process, or no `/proc`.
    pub fn of(pid: u32) -> Result<Self, CpuError> {
        let error = |why: String| CpuError { pid, why };
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))
            .map_err(|found| error(found.to_string()))?;
        let ticks = ticks(&stat).ok_or_else(|| error("unreadable stat".to_owned()))?;
        Ok(Self {
            ticks,
            threads: threads(pid),
        })
    }

    /// Reads this process's own, by the tick: threads that end meanwhile count, too.
    ///
    /// # Errors
    /// [`CpuError`] where there is no `/proc`.
    pub fn own() -> Result<Self, CpuError> {
        let own = Self::of(std::process::id())?;
        Ok(Self {
            threads: BTreeMap::new(),
            ..own
        })
    }

    /// What was taken between an earlier reading and this one.
    pub fn since(&self, before: &Self) -> Duration {
        if !self.threads.is_empty() && self.threads.keys().eq(before.threads.keys()) {
            let sum = |threads: &BTreeMap<u32, u64>| threads.values().sum::<u64>();
            return Duration::from_nanos(sum(&self.threads).saturating_sub(sum(&before.threads)));
        }
        TICK * self.ticks.saturating_sub(before.ticks)
    }
}

/// `utime` and `stime`: the 14th and 15th field. The second may hold anything, so it is counted from its closing bracket.
fn ticks(stat: &str) -> Option<u32> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    user.checked_add(system)
}

fn threads(pid: u32) -> BTreeMap<u32, u64> {
    let Ok(folder) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
        return BTreeMap::new();
    };
    let one = |entry: std::fs::DirEntry| {
        let thread: u32 = entry.file_name().to_str()?.parse().ok()?;
        let text = std::fs::read_to_string(entry.path().join("schedstat")).ok()?;
        Some((thread, text.split_ascii_whitespace().next()?.parse().ok()?))
    };
    folder.flatten().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_found_whatever_the_program_is_called() {
        let stat = "42 (a) b (c) R 1 2 3 4 5 6 7 8 9 10 123 45 0 0 20 0";
        assert_eq!(ticks(stat), Some(168));
        assert_eq!(ticks("42 (x) R 1"), None);
    }

    #[test]
    fn our_own_time_grows_while_we_work_and_a_missing_process_is_named() {
        let pid = std::process::id();
        let before = CpuUse::of(pid).unwrap();
        let mut sum = 0u64;
        for number in 0..3_000_000u64 {
            sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(number));
        }
        let after = CpuUse::of(pid).unwrap();
        assert!(after.ticks >= before.ticks, "{sum}");
        let error = CpuUse::of(u32::MAX).unwrap_err().to_string();
        assert!(error.contains("4294967295"), "{error}");
    }

    #[test]
    fn threads_that_came_or_went_make_it_count_ticks() {
        let reading = |ticks, threads: &[(u32, u64)]| CpuUse {
            ticks,
            threads: threads.iter().copied().collect(),
        };
        let before = reading(10, &[(1, 100), (2, 200)]);
        let same = reading(12, &[(1, 150), (2, 260)]);
        assert_eq!(same.since(&before), Duration::from_nanos(110));
        let fewer = reading(12, &[(1, 150)]);
        assert_eq!(fewer.since(&before), Duration::from_millis(20));
    }
}
