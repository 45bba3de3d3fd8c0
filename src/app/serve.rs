//! The life of the process: start the tree, say so, wait for a signal or for the tree's end, stop in order.

use std::io::{self, Write};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Parts, greeting, tree};
use crate::campaign::roster_server::RosterMessage;
use crate::supervision::Exit;

/// Reloading a hundred thousand campaigns starts as many processes.
const RELOAD_WITHIN: Duration = Duration::from_mins(1);
/// What the rest of the tree may take to stop when requests in hand are through: the journal's last group, files.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// How the server ended.
#[derive(Debug)]
pub enum Ended {
    /// It was asked to, and everything is down.
    Asked,
    /// It was asked to, and something did not go down in time.
    Overdue,
    /// The tree did not come up.
    NotStarted(Exit),
    /// The tree went over its root's limit.
    GaveUp(Exit),
}

struct Signals {
    stop: Signal,
    interrupt: Signal,
    reload: Signal,
}

/// Runs the server until it is told to stop (SIGTERM, SIGINT) or its tree gives up. SIGHUP reads the campaigns again.
/// What a newcomer wants to know goes to `out`.
///
/// # Errors
/// Where signals or `out` cannot be used.
pub async fn serve(parts: Parts, out: &mut impl Write) -> io::Result<Ended> {
    let mut signals = Signals {
        stop: signal(SignalKind::terminate())?,
        interrupt: signal(SignalKind::interrupt())?,
        reload: signal(SignalKind::hangup())?,
    };
    let began = parts.clock.monotonic();
    if let Err(exit) = parts.tree.start(tree(&parts)).await {
        return Ok(Ended::NotStarted(exit));
    }
    greeting::write(out, &parts, parts.clock.monotonic().since(began))?;
    loop {
        tokio::select! {
            exit = parts.tree.ended() => return Ok(Ended::GaveUp(exit)),
            _ = signals.stop.recv() => break,
            _ = signals.interrupt.recv() => break,
            _ = signals.reload.recv() => reload(&parts).await,
        }
    }
    writeln!(
        out,
        "stopping: no new connections; requests in hand are answered, the journal is closed"
    )?;
    out.flush()?;
    let within = parts.settings.server.drain + STOP_WITHIN;
    match tokio::time::timeout(within, parts.tree.stop()).await {
        Ok(_) => Ok(Ended::Asked),
        Err(_) => Ok(Ended::Overdue),
    }
}

/// Reads the campaigns again. What is wrong with them is said, and those that run go on.
async fn reload(parts: &Parts) {
    let call = parts.admin.roster.call(RosterMessage::Reload);
    match tokio::time::timeout(RELOAD_WITHIN, call).await {
        Ok(Ok(Err(error))) => tracing::error!("campaigns were not reloaded: {error}"),
        Ok(Ok(Ok(reloaded))) => {
            let (campaigns, left_out) = (reloaded.campaigns, reloaded.left_out.len());
            tracing::info!(campaigns, left_out, "campaigns were reloaded");
        }
        Ok(Err(error)) => tracing::error!(%error, "campaigns were not reloaded"),
        Err(_) => tracing::error!("campaigns were not reloaded: the roster does not answer"),
    }
}
