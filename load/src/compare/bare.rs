//! The bare server as a process of its own, ended with this one.

use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::wire::Target;

/// What `baseline` says when it listens, before the address.
pub const LISTENING: &str = "listening on ";

/// A running bare server.
pub(super) struct Bare {
    child: Child,
    target: Target,
    answer_file: PathBuf,
}

impl Bare {
    /// Starts one that answers these bytes, on a port that the system chooses.
    pub(super) fn start(program: &Path, answer: &[u8]) -> io::Result<Self> {
        let name = format!("bidtree-load-answer-{}.json", std::process::id());
        let answer_file = std::env::temp_dir().join(name);
        std::fs::write(&answer_file, answer)?;
        let mut child = Command::new(program)
            .args(["baseline", "--listen", "127.0.0.1:0", "--bytes"])
            .arg(&answer_file)
            .stdout(Stdio::piped())
            .spawn()?;
        let found = child.stdout.take().and_then(|out| {
            let mut line = String::new();
            BufReader::new(out).read_line(&mut line).ok()?;
            let address = line.trim().strip_prefix(LISTENING)?;
            Target::parse(&format!("http://{address}/bid"))
        });
        let Some(target) = found else {
            child.kill()?;
            child.wait()?;
            return Err(io::Error::other("it did not say where it listens"));
        };
        Ok(Self {
            child,
            target,
            answer_file,
        })
    }

    pub(super) const fn target(&self) -> &Target {
        &self.target
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // It has nothing to lose; who has already ended needs no killing.
        drop(self.child.kill());
        drop(self.child.wait());
        drop(std::fs::remove_file(&self.answer_file));
    }
}
