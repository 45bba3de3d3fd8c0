//! The server under test: found, or started, watched over, and stopped in the end.

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use super::{Options, RunError};
use crate::clock;
use crate::process::{Folder, ServerProcess, default_binary, plan};
use crate::scenario::{Scenario, Start};
use crate::terminal::note;
use crate::wire::Target;

/// How long it may take to see whether anybody listens on this machine.
const LISTENS_WITHIN: Duration = Duration::from_millis(500);

/// A server of the run's own, or none.
pub(super) struct Host {
    server: Option<Rc<ServerProcess>>,
    folder: Option<Folder>,
}

impl Host {
    /// Starts a server where the scenario needs one of its own, or where none listens and a program is found.
    pub(super) async fn arrive(options: &Options) -> Result<Self, RunError> {
        let scenario = &options.scenario;
        let is_wanted = match scenario.server.start {
            Start::Always => true,
            Start::Never => false,
            Start::AsNeeded => can_start(scenario) && !is_listening(scenario).await,
        };
        if !is_wanted {
            return Ok(Self {
                server: None,
                folder: None,
            });
        }
        let lodging = &options.lodging;
        let folder = match &lodging.folder {
            Some(path) => Folder::kept(&path.join("server")),
            None => Folder::temporary(),
        };
        let mut folder = folder.map_err(RunError::Folder)?;
        let plan =
            plan(&scenario.server, folder.path(), lodging.port_shift).map_err(RunError::Plan)?;
        let program = plan.program.clone();
        let server =
            ServerProcess::start(plan).map_err(|error| RunError::Start(program.clone(), error))?;
        let pid = server.pid().unwrap_or_default();
        note(&format!("started {} (process {pid})", program.display()));
        // Until the end is known to be good, it is evidence.
        folder.keep();
        Ok(Self {
            server: Some(Rc::new(server)),
            folder: Some(folder),
        })
    }

    /// The server's process.
    pub(super) fn server(&self) -> Option<Rc<ServerProcess>> {
        self.server.as_ref().map(Rc::clone)
    }

    /// What a server that ended unasked left behind.
    pub(super) fn last_words(&self) -> Option<String> {
        let server = self.server.as_ref()?;
        let status = server.ended()?;
        Some(format!(
            "the server ended by itself: {status}; it said last (all of it is in {}):\n{}",
            server.log().display(),
            server.tail()
        ))
    }

    /// The file with what the server printed.
    pub(super) fn log(&self) -> Option<PathBuf> {
        self.server.as_ref().map(|server| server.log().to_owned())
    }

    /// Stops the server.
    pub(super) async fn leave(&self) {
        if let Some(server) = &self.server {
            // One that is gone already needs no stopping, and its end was reported.
            drop(server.stop().await);
        }
    }

    /// Nothing went wrong: nobody needs to look at what the server left, unless a folder was asked for.
    pub(super) fn forget(&mut self, is_asked_for: bool) {
        if !is_asked_for && let Some(folder) = &mut self.folder {
            folder.discard();
        }
    }
}

fn can_start(scenario: &Scenario) -> bool {
    let server = &scenario.server;
    let binary = server.binary.clone().unwrap_or_else(default_binary);
    let has_program = !server.command.is_empty() || binary.is_file();
    has_program && server.config.join("bidtree.toml").is_file()
}

async fn is_listening(scenario: &Scenario) -> bool {
    for exchange in &scenario.exchanges {
        if connects(&exchange.target).await {
            return true;
        }
    }
    false
}

async fn connects(target: &Target) -> bool {
    let connecting = tokio::net::TcpStream::connect(&target.authority);
    let connected = clock::before(clock::now() + LISTENS_WITHIN, connecting).await;
    matches!(connected, Some(Ok(_)))
}
