//! The connections of one exchange to one address: opened on demand up to a limit, kept, one request in flight each.
//!
//! Where none is free, a request waits its turn and the wait is part of its latency. Dropping a request that waits for
//! its answer closes its connection, as an exchange does that gives up.

use std::cell::RefCell;
use std::fmt;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::replies::{Ending, Keep, Replies, Reply, ReplyError};

/// Read at once: a usual answer fits several times over.
const READ_BYTES: usize = 8 << 10;

/// Connections to one address.
pub struct Pool {
    authority: String,
    free: Semaphore,
    idle: RefCell<Vec<Connection>>,
}

/// A connection, and room for what is read from it.
struct Connection {
    stream: TcpStream,
    bytes: Vec<u8>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

/// Why nothing came back.
#[derive(Debug)]
pub enum WireError {
    /// No connection.
    Connect(std::io::Error),
    /// The connection broke or closed.
    Broken(std::io::Error),
    /// What came over it is no answer, or not a whole one.
    Answer(ReplyError),
}

impl WireError {
    /// A name for counting.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Connect(_) => "connect",
            Self::Broken(_) => "broken",
            Self::Answer(_) => "answer",
        }
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(error) => write!(out, "cannot connect: {error}"),
            Self::Broken(error) => write!(out, "connection broke: {error}"),
            Self::Answer(error) => write!(out, "no answer: {error}"),
        }
    }
}

impl Pool {
    /// No connections yet, at most `limit` later.
    pub fn new(authority: &str, limit: usize) -> Self {
        Self {
            authority: authority.to_owned(),
            free: Semaphore::new(limit.min(Semaphore::MAX_PERMITS)),
            idle: RefCell::default(),
        }
    }

    /// Sends a request as soon as a connection is free, and reads the whole answer.
    ///
    /// A kept connection that the server has closed meanwhile is replaced, without counting as a fault.
    ///
    /// # Errors
    /// [`WireError`] where there is no whole answer.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<Answer, WireError> {
        let bytes = bytes(request).await;
        // Never closed, so this only waits.
        let _permit = self.free.acquire().await.ok();
        let mut connection = match self.take_idle() {
            Some(kept) => kept,
            None => self.connect().await?,
        };
        let writing = connection.stream.write_all(&bytes);
        writing.await.map_err(WireError::Broken)?;
        let (ending, answer) = connection.read().await?;
        if ending == Ending::Kept {
            self.idle.borrow_mut().push(connection);
        }
        Ok(answer)
    }

    /// A kept connection on which nothing has happened since.
    fn take_idle(&self) -> Option<Connection> {
        loop {
            let kept = self.idle.borrow_mut().pop()?;
            // An end, an error and an answer to nothing all make it useless.
            let outcome = kept.stream.try_read(&mut [0]);
            if outcome.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock) {
                return Some(kept);
            }
        }
    }

    async fn connect(&self) -> Result<Connection, WireError> {
        let stream = TcpStream::connect(&self.authority)
            .await
            .map_err(WireError::Connect)?;
        stream.set_nodelay(true).map_err(WireError::Connect)?;
        Ok(Connection {
            stream,
            bytes: vec![0; READ_BYTES],
        })
    }
}

/// A request as it goes over the wire.
async fn bytes(request: Request<Full<Bytes>>) -> Vec<u8> {
    let (parts, body) = request.into_parts();
    // It is all there, so this neither waits nor fails.
    let body = body.collect().await.unwrap_or_default().to_bytes();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut bytes = Vec::with_capacity(body.len() + 256);
    for part in [parts.method.as_str(), " ", path, " HTTP/1.1\r\n"] {
        bytes.extend_from_slice(part.as_bytes());
    }
    for (name, value) in &parts.headers {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            bytes.extend_from_slice(part);
        }
    }
    if !body.is_empty() {
        let length = format!("{CONTENT_LENGTH}: {}\r\n", body.len());
        bytes.extend_from_slice(length.as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&body);
    bytes
}

impl Connection {
    /// Reads one answer; tells whether another request may follow.
    async fn read(&mut self) -> Result<(Ending, Answer), WireError> {
        let mut replies = Replies::<Kept>::default();
        let mut whole = None;
        while whole.is_none() {
            let reading = self.stream.read(&mut self.bytes);
            let read = reading.await.map_err(WireError::Broken)?;
            if read == 0 {
                whole = Some((ended(&mut replies)?, replies.take()));
            } else {
                let bytes = self.bytes.get(..read).unwrap_or_default();
                let told = replies.read(bytes, |reply, kept| {
                    whole = Some((reply, std::mem::take(kept)));
                });
                told.map_err(WireError::Answer)?;
            }
        }
        let Some((reply, kept)) = whole else {
            return Err(WireError::Answer(ReplyError::CutShort));
        };
        // Bytes behind it would be taken for the next answer.
        let ending = if replies.is_between() {
            reply.ending
        } else {
            Ending::Closed
        };
        let Kept { headers, body } = kept;
        let status = StatusCode::from_u16(reply.status);
        let answer = Answer {
            status: status.map_err(|_| WireError::Answer(ReplyError::Head))?,
            headers,
            body: body.into(),
        };
        Ok((ending, answer))
    }
}

/// The connection closed: in order only where that ends the body.
fn ended(replies: &mut Replies<Kept>) -> Result<Reply, WireError> {
    let closed = || WireError::Broken(std::io::Error::other("closed before an answer"));
    if replies.is_between() {
        return Err(closed());
    }
    replies.end().map_err(WireError::Answer)?.ok_or_else(closed)
}

/// The parts of an answer.
#[derive(Default)]
struct Kept {
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Keep for Kept {
    fn head(&mut self, headers: &[httparse::Header<'_>]) {
        self.headers.clear();
        for header in headers {
            // httparse takes no other names; a value that is none is as good as absent.
            let name = HeaderName::from_bytes(header.name.as_bytes());
            let value = HeaderValue::from_bytes(header.value);
            if let (Ok(name), Ok(value)) = (name, value) {
                self.headers.append(name, value);
            }
        }
    }

    fn body(&mut self, bytes: &[u8]) {
        self.body.extend_from_slice(bytes);
    }
}
