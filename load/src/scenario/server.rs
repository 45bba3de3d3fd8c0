//! The server under test: one that runs already, or one that the run starts, changes, kills and stops.

use std::path::PathBuf;

use serde::Deserialize;
use toml::Table;

use super::validate::Faults;

/// The server under test.
#[derive(Clone, Debug)]
pub struct Server {
    /// Whether the run starts it.
    pub start: Start,
    /// The folder with its `bidtree.toml`, from where the run is started.
    pub config: PathBuf,
    /// The program; without it `bidtree` beside this one.
    pub binary: Option<PathBuf>,
    /// What replaces `binary serve --config …`: any other bidder and its arguments.
    pub command: Vec<String>,
    /// Put over its configuration.
    pub overrides: Table,
}

/// Whether a run starts its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Where none listens.
    AsNeeded,
    /// Always; a port that is taken is an error.
    Always,
    /// Never.
    Never,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawServer {
    start: Option<bool>,
    config: Option<PathBuf>,
    binary: Option<PathBuf>,
    #[serde(default)]
    command: Vec<String>,
    #[serde(default)]
    overrides: Table,
}

/// `is_touched`: the time line kills, pauses or restarts the server.
pub(super) fn server(faults: &mut Faults, raw: RawServer, is_touched: bool) -> Server {
    if !raw.command.is_empty() && !raw.overrides.is_empty() {
        let advice =
            "another bidder's configuration is its own; leave out `overrides` or `command`";
        faults.add("server.overrides", &raw.overrides, advice);
    }
    let needs_own = is_touched || !raw.overrides.is_empty();
    let start = match (raw.start, needs_own) {
        (Some(false), true) => {
            let advice = "with overrides, or faults that kill, restart or pause it, the run starts the server itself";
            faults.add("server.start", false, advice);
            Start::Always
        }
        (Some(false), false) => Start::Never,
        (Some(true), _) | (None, true) => Start::Always,
        (None, false) => Start::AsNeeded,
    };
    Server {
        start,
        config: raw.config.unwrap_or_else(|| PathBuf::from("config")),
        binary: raw.binary,
        command: raw.command,
        overrides: raw.overrides,
    }
}
