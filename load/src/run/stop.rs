//! Being asked to stop: Ctrl-C, or SIGTERM from whoever runs this program.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens for both.
pub(super) struct Asked {
    interrupt: Option<Signal>,
    terminate: Option<Signal>,
}

impl Asked {
    /// From now on, neither ends the process at once. Where the system does not let them be heard, they still do.
    pub(super) fn listen() -> Self {
        Self {
            interrupt: signal(SignalKind::interrupt()).ok(),
            terminate: signal(SignalKind::terminate()).ok(),
        }
    }

    /// Until asked; a second call waits to be asked again.
    pub(super) async fn asked(&mut self) {
        tokio::select! {
            () = heard(&mut self.interrupt) => {}
            () = heard(&mut self.terminate) => {}
        }
    }
}

async fn heard(signal: &mut Option<Signal>) {
    if let Some(signal) = signal
        && signal.recv().await.is_some()
    {
        return;
    }
    std::future::pending::<()>().await;
}
