//! The connections of one exchange to one address: opened on demand up to a limit, kept, one request in flight each.
//!
//! Where none is free, a request waits its turn and the wait is part of its latency. Dropping a request that waits for
//! its answer closes its connection, as an exchange does that gives up.

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::time::Instant;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::HeaderMap;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::{clock, tasks};

/// No answer of a bidder is as large.
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// Connections to one address.
pub struct Pool {
    authority: String,
    free: Semaphore,
    idle: RefCell<Vec<SendRequest<Full<Bytes>>>>,
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

/// Called when a request is about to be handed to its socket.
pub type Handed<'a> = &'a dyn Fn(Instant);

/// Why nothing came back.
#[derive(Debug)]
pub enum WireError {
    /// No connection.
    Connect(std::io::Error),
    /// The connection broke, or what came over it is not HTTP.
    Broken(hyper::Error),
    /// The body is larger than any answer may be, or ended too early.
    Body(String),
}

impl WireError {
    /// A name for counting.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Connect(_) => "connect",
            Self::Broken(_) => "broken",
            Self::Body(_) => "body",
        }
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(error) => write!(out, "cannot connect: {error}"),
            Self::Broken(error) => write!(out, "connection broke: {error}"),
            Self::Body(error) => write!(out, "body broke: {error}"),
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
    /// A kept connection that the server closed before it saw the request is replaced once, without counting as a fault.
    ///
    /// # Errors
    /// [`WireError`] where there is no whole answer.
    pub async fn send(
        &self,
        request: Request<Full<Bytes>>,
        handed: Handed<'_>,
    ) -> Result<Answer, WireError> {
        // Never closed, so this only waits.
        let _permit = self.free.acquire().await.ok();
        let mut request = request;
        while let Some(mut kept) = self.take_idle().await {
            handed(clock::now());
            match kept.try_send_request(request).await {
                Ok(response) => return self.finish(kept, response).await,
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(WireError::Broken(error.into_error())),
                },
            }
        }
        let mut fresh = self.connect().await?;
        handed(clock::now());
        let response = fresh
            .send_request(request)
            .await
            .map_err(WireError::Broken)?;
        self.finish(fresh, response).await
    }

    async fn take_idle(&self) -> Option<SendRequest<Full<Bytes>>> {
        loop {
            let mut kept = self.idle.borrow_mut().pop()?;
            if poll_fn(|context| kept.poll_ready(context)).await.is_ok() {
                return Some(kept);
            }
        }
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, WireError> {
        let stream = TcpStream::connect(&self.authority)
            .await
            .map_err(WireError::Connect)?;
        stream.set_nodelay(true).map_err(WireError::Connect)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(WireError::Broken)?;
        tasks::start(async move {
            // Who waits for an answer on it hears of the end; idle, nobody needs to.
            drop(connection.await);
        });
        Ok(sender)
    }

    async fn finish(
        &self,
        connection: SendRequest<Full<Bytes>>,
        response: Response<Incoming>,
    ) -> Result<Answer, WireError> {
        let (head, body) = response.into_parts();
        let collected = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = collected.map_err(|error| {
            let what = if error.is::<LengthLimitError>() {
                format!("more than {ANSWER_BYTES_MAX} bytes")
            } else {
                error.to_string()
            };
            WireError::Body(what)
        })?;
        if !connection.is_closed() {
            self.idle.borrow_mut().push(connection);
        }
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: body.to_bytes(),
        })
    }
}
