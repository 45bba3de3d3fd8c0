//! The life of one connection, as a future that its owner runs.
//!
//! hyper reads and writes; around it there is one lazily moved timer for idleness, slow heads and age, and an end that
//! drops nothing in hand: a connection that has to go answers what has begun with `Connection: close` and ends, or
//! ends at once if nothing has begun. A request costs this file two looks at the clock.

use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Sleep;

use super::respond::Desk;
use super::service::{AsyncService, Inline, Service};
use super::watch::{Phase, Watch, Watched};
use crate::clock::Clock;
use crate::units::Monotonic;

/// The largest request head, start line included. Exchanges send well under 1 KiB; 16 KiB is what servers commonly
/// take.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;

/// How far hyper's read buffer may grow, so that the bodies of large requests come in one frame.
const READ_BUFFER_BYTES: usize = 64 * 1024;

/// What a connection may take, in bytes and in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest body, packed and unpacked. Over it: 413.
    pub body_bytes: usize,
    /// From a head's first byte to its last. Over it: closed.
    pub head_timeout: Duration,
    /// From the end of the head to the end of the body. Over it: 408, closed.
    pub body_timeout: Duration,
    /// Without a request. Over it: closed.
    pub idle_timeout: Duration,
    /// A connection older than this closes with its next answer, so that load spreads again. Vary it between
    /// connections, so that they do not all come back at once.
    pub max_age: Duration,
    /// How long a connection that has to go may take to send what it has in hand.
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Real requests end at about 100 KB.
            body_bytes: 512 * 1024,
            // Long after any deadline of an auction, short enough to make slow heads cheap to bear.
            head_timeout: Duration::from_secs(5),
            body_timeout: Duration::from_secs(5),
            // Unity asks for 90 s at least.
            idle_timeout: Duration::from_mins(2),
            max_age: Duration::from_mins(15),
            drain_timeout: Duration::from_secs(2),
        }
    }
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionEnd {
    /// Why.
    pub cause: EndCause,
    /// How many requests it answered, refusals included.
    pub answered: u64,
    /// How long it lived.
    pub age: Duration,
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndCause {
    /// The peer closed it between requests, or asked us to.
    Peer,
    /// The peer closed or lost it inside a request or an answer.
    CutShort,
    /// No request came for the idle time.
    Idle,
    /// A head took too long.
    HeadTimeout,
    /// A body took too long.
    BodyTimeout,
    /// Its age.
    Aged,
    /// Its owner is closing.
    Closing,
    /// The service's answer asked for it.
    Asked,
    /// What came was not HTTP that can be read on after: malformed, ambiguous or too large.
    Refused,
}

impl EndCause {
    const ALL: [Self; 9] = [
        Self::Peer,
        Self::CutShort,
        Self::Idle,
        Self::HeadTimeout,
        Self::BodyTimeout,
        Self::Aged,
        Self::Closing,
        Self::Asked,
        Self::Refused,
    ];

    /// Its name in metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Peer => "peer",
            Self::CutShort => "cut_short",
            Self::Idle => "idle",
            Self::HeadTimeout => "head_timeout",
            Self::BodyTimeout => "body_timeout",
            Self::Aged => "aged",
            Self::Closing => "closing",
            Self::Asked => "asked",
            Self::Refused => "refused",
        }
    }

    /// A number above zero.
    pub(super) fn code(self) -> u8 {
        let place = Self::ALL.iter().position(|cause| *cause == self);
        place
            .and_then(|place| u8::try_from(place + 1).ok())
            .unwrap_or(0)
    }

    pub(super) fn from_code(code: u8) -> Option<Self> {
        let place = usize::from(code).checked_sub(1)?;
        Self::ALL.get(place).copied()
    }
}

/// Serves one connection with a service that answers at once. Resolves when the connection is closed.
///
/// `closing` resolves when the connection has to go; it may be pending for ever. Dropping the future cuts the
/// connection.
pub async fn serve_connection<IO, S>(
    stream: IO,
    limits: Limits,
    service: S,
    closing: impl Future<Output = ()> + Send,
    clock: Clock,
) -> ConnectionEnd
where
    IO: AsyncRead + AsyncWrite + Unpin + Send,
    S: Service,
{
    serve_async_connection(stream, limits, Inline(service), closing, clock).await
}

/// Serves one connection with a service that may wait; else as [`serve_connection`].
pub async fn serve_async_connection<IO, S>(
    stream: IO,
    limits: Limits,
    service: S,
    closing: impl Future<Output = ()> + Send,
    clock: Clock,
) -> ConnectionEnd
where
    IO: AsyncRead + AsyncWrite + Unpin + Send,
    S: AsyncService,
{
    let watch = Watch::new(clock);
    let opened = watch.now();
    let desk = Desk::new(service, limits, &watch);
    let io = TokioIo::new(Watched::new(stream, &watch));
    let connection = http1::Builder::new()
        // Its own time-out counts idle time too and costs a timer per request: the driver has its own.
        .header_read_timeout(None)
        .max_header_size(HEAD_BYTES_MAX)
        .max_buf_size(READ_BUFFER_BYTES)
        .half_close(false)
        .serve_connection(io, service_fn(|request| desk.respond(request)));
    let driver = Driver {
        limits,
        watch: &watch,
        opened,
    };
    let cause = driver.run(connection, closing).await;
    ConnectionEnd {
        cause,
        answered: watch.answered(),
        age: watch.now().since(opened),
    }
}

/// A connection that can be asked to end after the answer in hand.
trait Graceful: Future<Output = hyper::Result<()>> {
    fn end_gracefully(self: Pin<&mut Self>);
}

impl<I, S> Graceful for http1::Connection<I, S>
where
    S: hyper::service::HttpService<hyper::body::Incoming>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    S::ResBody: hyper::body::Body + 'static,
    <S::ResBody as hyper::body::Body>::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
{
    fn end_gracefully(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

struct Driver<'w> {
    limits: Limits,
    watch: &'w Watch,
    opened: Monotonic,
}

/// What the timer's ring means.
enum Ring {
    Again(Duration),
    End(EndCause),
}

impl Driver<'_> {
    async fn run(
        &self,
        connection: impl Graceful + Send,
        closing: impl Future<Output = ()> + Send,
    ) -> EndCause {
        let mut connection = pin!(connection);
        let mut closing = pin!(closing);
        let mut timer: Pin<&mut Sleep> = pin!(tokio::time::sleep(self.tick()));
        loop {
            tokio::select! {
                biased;
                ended = connection.as_mut() => return self.cause_of(ended),
                () = closing.as_mut() => {
                    self.watch.leave(EndCause::Closing);
                    // What the socket holds by now counts as in hand: one lap of the thread's loop brings it in.
                    tokio::select! {
                        biased;
                        ended = connection.as_mut() => return self.cause_of(ended),
                        () = tokio::task::yield_now() => {}
                    }
                    break;
                }
                () = timer.as_mut() => match self.ring() {
                    Ring::Again(after) => timer.set(tokio::time::sleep(after)),
                    Ring::End(cause) => {
                        self.watch.leave(cause);
                        connection.as_mut().end_gracefully();
                        break;
                    }
                },
            }
        }
        // A request that has begun is answered, and its answer closes.
        if self.watch.phase().0 == Phase::Waiting {
            connection.as_mut().end_gracefully();
        }
        match tokio::time::timeout(self.limits.drain_timeout, connection).await {
            Ok(ended) => self.cause_of(ended),
            Err(_) => self.watch.cause().unwrap_or(EndCause::Closing),
        }
    }

    /// The timer rings at least this often: no limit can pass by more than its own length unseen.
    fn tick(&self) -> Duration {
        let Limits {
            head_timeout,
            idle_timeout,
            max_age,
            ..
        } = self.limits;
        head_timeout.min(idle_timeout).min(max_age)
    }

    /// Judges the connection at a ring of the timer.
    fn ring(&self) -> Ring {
        let now = self.watch.now();
        let age_left = self.limits.max_age.saturating_sub(now.since(self.opened));
        if age_left.is_zero() {
            self.watch.leave(EndCause::Aged);
        }
        let (phase, since) = self.watch.phase();
        let (limit, cause) = match phase {
            Phase::Waiting => (self.limits.idle_timeout, EndCause::Idle),
            Phase::Head => (self.limits.head_timeout, EndCause::HeadTimeout),
            // Bodies have a limit of their own, and a service's patience is its own affair.
            Phase::Answering => (Duration::MAX, EndCause::Closing),
        };
        let left = limit.saturating_sub(now.since(since));
        if left.is_zero() {
            return Ring::End(cause);
        }
        let next_age = if age_left.is_zero() {
            Duration::MAX
        } else {
            age_left
        };
        // A timer counts whole milliseconds: never zero, or it would ring without end.
        let after = left.min(next_age).min(self.tick());
        Ring::Again(after.max(Duration::from_millis(1)))
    }

    fn cause_of(&self, ended: hyper::Result<()>) -> EndCause {
        if let Some(cause) = self.watch.cause() {
            return cause;
        }
        match ended {
            Ok(()) => EndCause::Peer,
            Err(error) if error.is_parse() => EndCause::Refused,
            Err(_) => EndCause::CutShort,
        }
    }
}
