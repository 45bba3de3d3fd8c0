//! The server under test as a process of the run: started, killed, paused, started again, and stopped in the end.
//!
//! Signals go through rustix: safe calls, no `unsafe` here, and no `/bin/kill`, which a small image may lack. The process
//! has a group of its own, so that Ctrl-C at the terminal reaches the run alone, which then stops it in order. What it
//! prints goes to a file, from which a report quotes the end.

mod folder;
mod plan;

use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::clock;
pub use folder::Folder;
pub use plan::{Plan, PlanError, default_binary, plan};

/// How long a server may take to stop by itself: its own drain has ten seconds by default.
const STOP_WITHIN: Duration = Duration::from_secs(13);
/// How often a stopping server is looked at.
const STOP_STEP: Duration = Duration::from_millis(20);
/// Of its output, so much is quoted.
const TAIL_BYTES: u64 = 8_192;
const TAIL_LINES: usize = 12;

/// A server's process.
#[derive(Debug)]
pub struct ServerProcess {
    plan: Plan,
    state: RefCell<State>,
}

/// ```text
/// Running ── killed or stopped by the run ──▶ Down ── start again ──▶ Running
///    └────── ended by itself ──▶ Ended
/// ```
#[derive(Debug)]
enum State {
    Running(Owned),
    Down,
    Ended(ExitStatus),
}

/// A process that does not outlive its owner, whichever way the owner leaves.
#[derive(Debug)]
struct Owned(Child);

impl Drop for Owned {
    fn drop(&mut self) {
        // One that has ended and was waited for is not touched: its number may be somebody else's by now.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl ServerProcess {
    /// Starts it.
    ///
    /// # Errors
    /// Where the program cannot be started, or its output's file not be written.
    pub fn start(plan: Plan) -> io::Result<Self> {
        // What an earlier run printed says nothing about this one.
        File::create(&plan.log)?;
        let child = spawn(&plan)?;
        Ok(Self {
            plan,
            state: RefCell::new(State::Running(child)),
        })
    }

    /// Its process id while it runs.
    pub fn pid(&self) -> Option<u32> {
        match &*self.state.borrow() {
            State::Running(child) => Some(child.0.id()),
            State::Down | State::Ended(_) => None,
        }
    }

    /// The file with what it printed.
    pub fn log(&self) -> &Path {
        &self.plan.log
    }

    /// How it ended, if it did without being asked to.
    pub fn ended(&self) -> Option<ExitStatus> {
        let mut state = self.state.borrow_mut();
        if let State::Running(child) = &mut *state
            && let Ok(Some(status)) = child.0.try_wait()
        {
            *state = State::Ended(status);
        }
        match *state {
            State::Ended(status) => Some(status),
            State::Running(_) | State::Down => None,
        }
    }

    /// SIGKILL: it has no say.
    ///
    /// # Errors
    /// Where it does not run.
    pub fn kill(&self) -> io::Result<()> {
        let mut child = self.take_running()?;
        child.0.kill()?;
        child.0.wait()?;
        Ok(())
    }

    /// SIGTERM, and SIGKILL where it takes too long. Gives whether it stopped by itself.
    ///
    /// # Errors
    /// Where it does not run.
    pub async fn stop(&self) -> io::Result<Stopped> {
        // Taken at once: whoever looks at it meanwhile must not think that it ended unasked.
        let mut child = self.take_running()?;
        // A paused process could not hear it.
        for signal in [Signal::CONT, Signal::TERM] {
            kill_process(Pid::from_child(&child.0), signal)?;
        }
        let until = clock::now() + STOP_WITHIN;
        while clock::now() < until {
            if child.0.try_wait()?.is_some() {
                return Ok(Stopped::ByItself);
            }
            clock::sleep(STOP_STEP).await;
        }
        child.0.kill()?;
        child.0.wait()?;
        Ok(Stopped::Killed)
    }

    /// Starts it again after it was killed or stopped. Its output goes on in the same file.
    ///
    /// # Errors
    /// Where it runs, ended by itself, or cannot be started.
    pub fn start_again(&self) -> io::Result<()> {
        let mut state = self.state.borrow_mut();
        if !matches!(*state, State::Down) {
            return Err(io::Error::other("the server was not stopped by the run"));
        }
        *state = State::Running(spawn(&self.plan)?);
        Ok(())
    }

    /// SIGSTOP: it stands still, and its sockets stay open.
    ///
    /// # Errors
    /// Where it does not run.
    pub fn pause(&self) -> io::Result<()> {
        self.signal(Signal::STOP)
    }

    /// SIGCONT.
    ///
    /// # Errors
    /// Where it does not run.
    pub fn resume(&self) -> io::Result<()> {
        self.signal(Signal::CONT)
    }

    /// The last lines that it printed.
    pub fn tail(&self) -> String {
        tail(&self.plan.log).unwrap_or_default()
    }

    fn signal(&self, signal: Signal) -> io::Result<()> {
        match &*self.state.borrow() {
            State::Running(child) => Ok(kill_process(Pid::from_child(&child.0), signal)?),
            State::Down | State::Ended(_) => Err(not_running()),
        }
    }

    fn take_running(&self) -> io::Result<Owned> {
        let mut state = self.state.borrow_mut();
        match std::mem::replace(&mut *state, State::Down) {
            State::Running(child) => Ok(child),
            other => {
                *state = other;
                Err(not_running())
            }
        }
    }
}

/// How a server was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It ended after SIGTERM.
    ByItself,
    /// It did not, and was killed.
    Killed,
}

fn not_running() -> io::Error {
    io::Error::other("the server does not run")
}

fn spawn(plan: &Plan) -> io::Result<Owned> {
    let log = OpenOptions::new().append(true).open(&plan.log)?;
    Command::new(&plan.program)
        .args(&plan.arguments)
        .current_dir(&plan.folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0)
        .spawn()
        .map(Owned)
}

fn tail(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(TAIL_LINES);
    Ok(lines.get(from..).unwrap_or_default().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks;

    fn shell(folder: &Folder, script: &str) -> Plan {
        Plan {
            program: "/bin/sh".into(),
            arguments: vec!["-c".to_owned(), script.to_owned()],
            folder: folder.path().to_owned(),
            log: folder.path().join("server.log"),
            listens: Vec::new(),
        }
    }

    async fn wait_for(mut condition: impl FnMut() -> bool) {
        for _ in 0..500 {
            if condition() {
                return;
            }
            clock::sleep(Duration::from_millis(10)).await;
        }
        panic!("it did not happen within five seconds");
    }

    #[test]
    fn a_process_that_ends_by_itself_leaves_its_last_words() {
        tasks::run(async {
            let folder = Folder::temporary().unwrap();
            let plan = shell(&folder, "echo first; echo the disk is full >&2; exit 70");
            let server = ServerProcess::start(plan).unwrap();
            wait_for(|| server.ended().is_some()).await;
            assert_eq!(server.ended().unwrap().code(), Some(70));
            assert_eq!(server.tail(), "first\nthe disk is full");
            assert!(server.kill().is_err() && server.start_again().is_err());
        })
        .unwrap();
    }

    #[test]
    fn a_killed_process_did_not_end_by_itself_and_starts_again() {
        tasks::run(async {
            let folder = Folder::temporary().unwrap();
            let server = ServerProcess::start(shell(&folder, "echo up; exec sleep 60")).unwrap();
            let first = server.pid().unwrap();
            server.kill().unwrap();
            assert_eq!((server.pid(), server.ended()), (None, None));
            server.start_again().unwrap();
            assert_ne!(server.pid().unwrap(), first);
            wait_for(|| server.tail() == "up\nup" || server.tail() == "up").await;
        })
        .unwrap();
    }

    #[test]
    fn a_paused_process_stands_still_and_can_be_stopped_all_the_same() {
        tasks::run(async {
            let folder = Folder::temporary().unwrap();
            let server = ServerProcess::start(shell(&folder, "exec sleep 60")).unwrap();
            let stat = format!("/proc/{}/stat", server.pid().unwrap());
            let is_still = || {
                let stat = std::fs::read_to_string(&stat).unwrap_or_default();
                stat.contains(") T ")
            };
            server.pause().unwrap();
            wait_for(is_still).await;
            server.resume().unwrap();
            wait_for(|| !is_still()).await;
            server.pause().unwrap();
            assert_eq!(server.stop().await.unwrap(), Stopped::ByItself);
            assert!(server.stop().await.is_err());
        })
        .unwrap();
    }

    #[test]
    fn a_process_that_is_being_stopped_does_not_outlive_who_stopped_waiting() {
        tasks::run(async {
            let folder = Folder::temporary().unwrap();
            let script = "trap '' TERM; echo up; while :; do sleep 0.1; done";
            let server = ServerProcess::start(shell(&folder, script)).unwrap();
            wait_for(|| server.tail() == "up").await;
            let process = format!("/proc/{}", server.pid().unwrap());
            let soon = clock::now() + Duration::from_millis(50);
            assert_eq!(clock::before(soon, server.stop()).await.map(drop), None);
            assert!(!Path::new(&process).exists());
        })
        .unwrap();
    }

    #[test]
    fn a_process_does_not_outlive_its_owner() {
        let folder = Folder::temporary().unwrap();
        let server = ServerProcess::start(shell(&folder, "exec sleep 60")).unwrap();
        let process = format!("/proc/{}", server.pid().unwrap());
        assert!(Path::new(&process).exists());
        drop(server);
        assert!(!Path::new(&process).exists());
    }
}
