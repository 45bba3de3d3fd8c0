//! Listening sockets: binding them, and accepting until told to stop.
//!
//! A [`ListeningSocket`] is bound once and outlives whoever accepts from it: a listener that crashes and comes back
//! finds the connections that were waiting.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::pin::pin;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

/// How many connections may wait to be accepted. Exchanges open hundreds at once after a restart; the kernel holds it
/// to `net.core.somaxconn`, usually 4,096.
const BACKLOG: i32 = 4_096;

/// The first pause when the process or the machine has no room for another connection; it doubles.
const PAUSE_MIN: Duration = Duration::from_millis(10);

/// The longest such pause: descriptors come back as connections close, and clients retry within a second or so.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Why an address cannot be listened on. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Somebody listens there.
    #[error(
        "cannot listen on {0}: the address is in use; end the other process (`ss -ltnp` shows it) or change the address"
    )]
    InUse(SocketAddr),
    /// The port needs a privilege.
    #[error(
        "cannot listen on {0}: no permission; take a port from 1024 up, or grant CAP_NET_BIND_SERVICE"
    )]
    NotPermitted(SocketAddr),
    /// The machine has no such address.
    #[error(
        "cannot listen on {0}: this machine has no such address; 0.0.0.0 or [::] means all it has"
    )]
    NoSuchAddress(SocketAddr),
    /// Anything else.
    #[error("cannot listen on {0}: {1}")]
    Other(SocketAddr, io::Error),
}

impl ListenError {
    fn new(address: SocketAddr, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::AddrInUse => Self::InUse(address),
            io::ErrorKind::PermissionDenied => Self::NotPermitted(address),
            io::ErrorKind::AddrNotAvailable => Self::NoSuchAddress(address),
            _ => Self::Other(address, error),
        }
    }
}

/// A socket that listens. The kernel queues connections on it from now until it is dropped.
#[derive(Debug)]
pub struct ListeningSocket {
    socket: TcpListener,
    address: SocketAddr,
}

impl ListeningSocket {
    /// Binds and listens. Port 0 means any free one.
    ///
    /// # Errors
    /// [`ListenError`], which names the address and what to do.
    pub fn bind(address: SocketAddr) -> Result<Self, ListenError> {
        Self::open(address).map_err(|error| ListenError::new(address, error))
    }

    fn open(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::STREAM,
            Some(Protocol::TCP),
        )?;
        // A restart must not wait for the old connections' TIME_WAIT; two listeners still exclude each other.
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let socket = TcpListener::from(socket);
        let address = socket.local_addr()?;
        Ok(Self { socket, address })
    }

    /// Where it listens, with the port that was chosen.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

/// What keeps an accept loop from accepting.
#[derive(Debug)]
pub enum AcceptTrouble {
    /// The peer was gone before it was accepted, or its network was. The next is tried at once.
    LostPeer(io::Error),
    /// No descriptor or memory for another connection. The next is tried after a pause.
    NoRoom(io::Error),
}

/// Accepts connections and hands each to `sink`, until `closing` resolves.
///
/// The sink gets a non-blocking stream that belongs to no runtime yet, with `TCP_NODELAY` set, and must not block.
/// `trouble` is told of what goes wrong meanwhile. Call it inside a runtime with I/O.
///
/// # Errors
/// An error that trying again would not mend, such as a socket that is not one.
pub async fn accept(
    socket: &ListeningSocket,
    mut sink: impl FnMut(TcpStream, SocketAddr),
    mut trouble: impl FnMut(AcceptTrouble),
    closing: impl Future<Output = ()>,
) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(socket.socket.try_clone()?)?;
    let mut closing = pin!(closing);
    let mut pause = PAUSE_MIN;
    loop {
        let accepted = tokio::select! {
            biased;
            () = closing.as_mut() => return Ok(()),
            accepted = listener.accept() => accepted,
        };
        let error = match accepted.and_then(ready_stream) {
            Ok((stream, peer)) => {
                pause = PAUSE_MIN;
                sink(stream, peer);
                continue;
            }
            Err(error) => error,
        };
        match remedy(&error) {
            Remedy::TryNext => trouble(AcceptTrouble::LostPeer(error)),
            Remedy::Pause => {
                trouble(AcceptTrouble::NoRoom(error));
                tokio::select! {
                    biased;
                    () = closing.as_mut() => return Ok(()),
                    () = tokio::time::sleep(pause) => {}
                }
                pause = pause.saturating_mul(2).min(PAUSE_MAX);
            }
            Remedy::GiveUp => return Err(error),
        }
    }
}

fn ready_stream(
    (stream, peer): (tokio::net::TcpStream, SocketAddr),
) -> io::Result<(TcpStream, SocketAddr)> {
    // An answer is one write: nothing is gained by waiting for more.
    stream.set_nodelay(true)?;
    Ok((stream.into_std()?, peer))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Remedy {
    TryNext,
    Pause,
    GiveUp,
}

/// What helps against an error of `accept(2)`. Its manual says to treat pending network errors of the new socket like
/// `EAGAIN`.
fn remedy(error: &io::Error) -> Remedy {
    const ENOMEM: i32 = 12;
    const EINVAL: i32 = 22;
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    const EBADF: i32 = 9;
    const ENOTSOCK: i32 = 88;
    const EOPNOTSUPP: i32 = 95;
    const ENOBUFS: i32 = 105;
    match error.raw_os_error() {
        Some(EMFILE | ENFILE | ENOBUFS | ENOMEM) => Remedy::Pause,
        Some(EBADF | EINVAL | ENOTSOCK | EOPNOTSUPP) => Remedy::GiveUp,
        _ => Remedy::TryNext,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const ANY: &str = "127.0.0.1:0";

    #[test]
    fn an_address_in_use_is_named_with_what_to_do() {
        let first = ListeningSocket::bind(ANY.parse().unwrap()).unwrap();
        let error = ListeningSocket::bind(first.address()).unwrap_err();
        assert!(matches!(error, ListenError::InUse(_)));
        assert!(error.to_string().contains(&first.address().to_string()));
        assert!(error.to_string().contains("ss -ltnp"));
    }

    #[test]
    fn an_address_of_another_machine_is_refused() {
        let error = ListeningSocket::bind("192.0.2.1:0".parse().unwrap()).unwrap_err();
        assert!(matches!(error, ListenError::NoSuchAddress(_)), "{error}");
    }

    #[test]
    fn errors_of_accept_have_their_remedies() {
        let of = |code| remedy(&io::Error::from_raw_os_error(code));
        assert_eq!(of(24), Remedy::Pause);
        assert_eq!(of(103), Remedy::TryNext);
        assert_eq!(of(9), Remedy::GiveUp);
    }

    #[tokio::test]
    async fn connections_are_handed_over_and_wait_for_the_next_acceptor() {
        let socket = ListeningSocket::bind(ANY.parse().unwrap()).unwrap();
        let mut client = tokio::net::TcpStream::connect(socket.address())
            .await
            .unwrap();
        client.write_all(b"x").await.unwrap();
        // The first acceptor ends before it accepts anything; the second finds the connection waiting.
        let closed = std::future::ready(());
        accept(&socket, |_, _| panic!("closed"), drop, closed)
            .await
            .unwrap();
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let mut sender = Some(sender);
        let sink = |stream, peer| {
            assert_eq!(peer, client.local_addr().unwrap());
            sender.take().unwrap().send(stream).unwrap();
        };
        let stream = tokio::select! {
            ended = accept(&socket, sink, drop, std::future::pending()) => panic!("{ended:?}"),
            stream = receiver => stream.unwrap(),
        };
        assert!(stream.nodelay().unwrap());
        let mut stream = tokio::net::TcpStream::from_std(stream).unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), b'x');
    }
}
