//! Where accepted sockets wait for the pool that will serve them.
//!
//! It stands outside every incarnation: a pool that crashes leaves what is on its doorstep to its successor, or to the
//! one that answers in degraded mode. So nothing that crashes in an exchange ever refuses a connection.

use std::net::TcpStream;
use std::sync::Arc;

use tokio::sync::{Mutex, MutexGuard, mpsc};

/// Sockets that may wait. A pool takes one in microseconds and restarts in milliseconds, and an exchange keeps hundreds
/// of connections: one that finds this full is closed, and comes again.
const WAITING_MAX: usize = 4_096;

/// A queue of sockets with one taker at a time.
#[derive(Clone)]
pub struct Doorstep {
    sender: mpsc::Sender<TcpStream>,
    receiver: Arc<Mutex<mpsc::Receiver<TcpStream>>>,
}

/// The right to take sockets, until it is dropped.
pub struct Doorkeeper<'a>(MutexGuard<'a, mpsc::Receiver<TcpStream>>);

impl Default for Doorstep {
    fn default() -> Self {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        Self {
            sender,
            receiver: Arc::new(Mutex::new(receiver)),
        }
    }
}

impl Doorstep {
    /// Leaves a socket; where there is no room it is closed.
    pub fn leave(&self, socket: TcpStream) {
        if self.sender.try_send(socket).is_err() {
            tracing::warn!("more than {WAITING_MAX} sockets wait for their pool; one is closed");
        }
    }

    /// What leaves sockets here.
    pub fn hand_on(&self) -> impl Fn(TcpStream) + Clone + Send + Sync + 'static {
        let doorstep = self.clone();
        move |socket| doorstep.leave(socket)
    }

    /// Waits until whoever keeps the door has gone, and keeps it.
    pub async fn keep(&self) -> Doorkeeper<'_> {
        Doorkeeper(self.receiver.lock().await)
    }
}

impl Doorkeeper<'_> {
    /// The next socket. The doorstep's own sender lives as long as it does, so there is always a next one to wait for.
    pub async fn next(&mut self) -> TcpStream {
        match self.0.recv().await {
            Some(socket) => socket,
            None => std::future::pending().await,
        }
    }
}
