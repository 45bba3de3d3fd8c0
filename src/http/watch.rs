//! What a connection is doing, seen at its socket.
//!
//! [`Watched`] is the socket that hyper reads: it notes when a head begins, keeps a copy of the head's first bytes for
//! `framing`, and lingers at the end where input may be unread, since closing at once would reset the connection and
//! destroy the answer on its way. [`Watch`] is what it shares with the connection's driver and its service; all three
//! run in one task, so nothing here is contended.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::serve::EndCause;
use crate::clock::Clock;
use crate::units::Monotonic;

/// How much of a head is kept for `framing`. Exchanges send heads of 300 to 800 bytes; chunked requests with longer
/// heads than this are refused.
const HEAD_COPY_BYTES: usize = 4_096;

/// How long unread input is swallowed after the last answer. A client that is still sending sees the answer and stops
/// within a round trip or two.
const LINGER_TIME: Duration = Duration::from_secs(1);

/// How much unread input is swallowed before the connection is cut.
const LINGER_BYTES: usize = 4 * 1024 * 1024;

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// No request has begun.
    Waiting,
    /// A head has begun.
    Head,
    /// A request is read, answered, or both.
    Answering,
}

/// What the socket, the driver and the service of one connection know in common.
#[derive(Debug)]
pub(super) struct Watch {
    clock: Clock,
    phase: AtomicU8,
    since: AtomicU64,
    answered: AtomicU64,
    cause: AtomicU8,
    leaving: AtomicBool,
    unread: AtomicBool,
    head: Mutex<Vec<u8>>,
}

impl Watch {
    pub(super) fn new(clock: Clock) -> Self {
        let now = clock.monotonic();
        Self {
            clock,
            phase: AtomicU8::new(WAITING),
            since: AtomicU64::new(now.as_nanos()),
            answered: AtomicU64::new(0),
            cause: AtomicU8::new(0),
            leaving: AtomicBool::new(false),
            unread: AtomicBool::new(false),
            head: Mutex::new(Vec::new()),
        }
    }

    pub(super) fn now(&self) -> Monotonic {
        self.clock.monotonic()
    }

    /// What the connection is doing, and since when.
    pub(super) fn phase(&self) -> (Phase, Monotonic) {
        let phase = match self.phase.load(Ordering::Relaxed) {
            WAITING => Phase::Waiting,
            HEAD => Phase::Head,
            _ => Phase::Answering,
        };
        let since = Monotonic::from_nanos(self.since.load(Ordering::Relaxed));
        (phase, since)
    }

    /// A request's head is whole: when it arrived. A pipelined one arrives when its turn comes.
    pub(super) fn request_begins(&self) -> Monotonic {
        let (phase, since) = self.phase();
        self.phase.store(ANSWERING, Ordering::Relaxed);
        if phase == Phase::Head {
            since
        } else {
            self.now()
        }
    }

    /// Its answer is made.
    pub(super) fn request_ends(&self) {
        let answered = self.answered.load(Ordering::Relaxed).wrapping_add(1);
        self.answered.store(answered, Ordering::Relaxed);
        self.turn(WAITING);
    }

    /// How many requests were answered.
    pub(super) fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// The next answer is the last one. The first cause stays.
    pub(super) fn leave(&self, cause: EndCause) {
        self.leaving.store(true, Ordering::Relaxed);
        self.blame(cause);
    }

    /// Whether the next answer is the last one.
    pub(super) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    /// Notes why the connection ends. The first cause stays.
    pub(super) fn blame(&self, cause: EndCause) {
        if self.cause().is_none() {
            self.cause.store(cause.code(), Ordering::Relaxed);
        }
    }

    /// Why the connection ends, if anybody said.
    pub(super) fn cause(&self) -> Option<EndCause> {
        EndCause::from_code(self.cause.load(Ordering::Relaxed))
    }

    /// The request that is being answered is not read to its end.
    pub(super) fn leave_unread(&self) {
        self.unread.store(true, Ordering::Relaxed);
    }

    /// The first bytes of the head that was read last.
    pub(super) fn with_head_copy<R>(&self, look: impl FnOnce(&[u8]) -> R) -> R {
        look(&self.head.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn turn(&self, phase: u8) {
        self.phase.store(phase, Ordering::Relaxed);
        self.since.store(self.now().as_nanos(), Ordering::Relaxed);
    }

    fn bytes_came(&self, bytes: &[u8]) {
        let phase = self.phase.load(Ordering::Relaxed);
        if phase == ANSWERING {
            return;
        }
        let mut head = self.head.lock().unwrap_or_else(PoisonError::into_inner);
        if phase == WAITING {
            self.turn(HEAD);
            head.clear();
        }
        let room = HEAD_COPY_BYTES.saturating_sub(head.len());
        head.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    /// Whether closing now would throw away input that the peer may still be sending.
    fn input_may_be_unread(&self) -> bool {
        self.unread.load(Ordering::Relaxed) || self.phase().0 == Phase::Head
    }
}

const WAITING: u8 = 0;
const HEAD: u8 = 1;
const ANSWERING: u8 = 2;

/// A socket under watch.
#[derive(Debug)]
pub(super) struct Watched<'w, IO> {
    inner: IO,
    watch: &'w Watch,
    linger: Option<Linger>,
}

#[derive(Debug)]
struct Linger {
    until: Pin<Box<Sleep>>,
    bytes_left: usize,
}

impl<'w, IO> Watched<'w, IO> {
    pub(super) const fn new(inner: IO, watch: &'w Watch) -> Self {
        Self {
            inner,
            watch,
            linger: None,
        }
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Watched<'_, IO> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        match buf.filled().get(before..) {
            Some(bytes) if !bytes.is_empty() => self.watch.bytes_came(bytes),
            _ => {}
        }
        Poll::Ready(Ok(()))
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<'_, IO> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    /// Ends our side; then, where input may be unread, swallows it until the peer ends its side too.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.linger.is_none() {
            ready!(Pin::new(&mut this.inner).poll_shutdown(cx))?;
            if !this.watch.input_may_be_unread() {
                return Poll::Ready(Ok(()));
            }
        }
        let linger = this.linger.get_or_insert_with(|| Linger {
            until: Box::pin(tokio::time::sleep(LINGER_TIME)),
            bytes_left: LINGER_BYTES,
        });
        let mut swallowed = [0; 4_096];
        loop {
            if linger.until.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut buf = ReadBuf::new(&mut swallowed);
            let read = ready!(Pin::new(&mut this.inner).poll_read(cx, &mut buf));
            let length = buf.filled().len();
            if read.is_err() || length == 0 || length > linger.bytes_left {
                return Poll::Ready(Ok(()));
            }
            linger.bytes_left -= length;
        }
    }
}
