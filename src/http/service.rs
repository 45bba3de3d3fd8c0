//! What a service is asked, and what it may answer.
//!
//! A [`Service`] answers at once, on the thread of its connection. An [`AsyncService`] may wait, for example until
//! what it was told is durable. Both are asked in the same order: `admit` when the head is read, `answer` when the
//! body is. One connection has one service and asks one thing at a time.

use std::future::Future;

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};

use super::route::Route;
use crate::units::Monotonic;

/// A service that answers without waiting.
pub trait Service: Send + 'static {
    /// The paths and methods that exist; [`Head::route`] counts in it.
    fn routes(&self) -> &'static [Route];

    /// Asked before the body is read and unpacked: whether the request is worth it.
    ///
    /// # Errors
    /// What to answer instead. The body is then read and thrown away, so that the connection can go on.
    fn admit(&mut self, head: &Head<'_>) -> Result<(), Answer> {
        let _ = head;
        Ok(())
    }

    /// The answer to a whole request.
    fn answer(&mut self, request: Request<'_>) -> Answer;

    /// Told of a request that was refused with this status before it became one, for whoever counts.
    fn refused(&mut self, status: StatusCode, arrived: Monotonic) {
        let _ = (status, arrived);
    }
}

/// A service that may wait before it answers.
pub trait AsyncService: Send + 'static {
    /// As [`Service::routes`].
    fn routes(&self) -> &'static [Route];

    /// As [`Service::admit`].
    ///
    /// # Errors
    /// What to answer instead.
    fn admit(&mut self, head: &Head<'_>) -> Result<(), Answer> {
        let _ = head;
        Ok(())
    }

    /// The answer to a whole request. Dropped half-way when the peer goes away: what must happen anyhow is another
    /// child's work.
    fn answer(&mut self, request: Request<'_>) -> impl Future<Output = Answer> + Send;

    /// As [`Service::refused`].
    fn refused(&mut self, status: StatusCode, arrived: Monotonic) {
        let _ = (status, arrived);
    }
}

/// A [`Service`] where an [`AsyncService`] is wanted.
pub(super) struct Inline<S>(pub(super) S);

impl<S: Service> AsyncService for Inline<S> {
    fn routes(&self) -> &'static [Route] {
        self.0.routes()
    }

    fn admit(&mut self, head: &Head<'_>) -> Result<(), Answer> {
        self.0.admit(head)
    }

    fn answer(&mut self, request: Request<'_>) -> impl Future<Output = Answer> + Send {
        std::future::ready(self.0.answer(request))
    }

    fn refused(&mut self, status: StatusCode, arrived: Monotonic) {
        self.0.refused(status, arrived);
    }
}

/// A request without its body.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// The number of its route in [`Service::routes`].
    pub route: usize,
    /// What `*` stood for in the route's pattern.
    pub tail: &'a str,
    /// The method.
    pub method: &'a Method,
    /// The path, still percent-encoded, from `/`.
    pub path: &'a str,
    /// What follows `?`, still percent-encoded.
    pub query: Option<&'a str>,
    /// The headers.
    pub headers: Headers<'a>,
    /// When its first bytes left the socket. It may have waited there since the thread last looked.
    pub arrived: Monotonic,
}

/// A whole request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// All but the body.
    pub head: Head<'a>,
    /// The body, unpacked.
    pub body: &'a [u8],
    /// How many bytes the body had on the wire, packed if it was.
    pub wire_bytes: usize,
}

/// A request's headers.
#[derive(Clone, Copy, Debug)]
pub struct Headers<'a>(pub(super) &'a HeaderMap);

impl<'a> Headers<'a> {
    /// The first value of a header, by its lower-case name; `None` if it is absent or not visible ASCII.
    pub fn find(&self, name: &str) -> Option<&'a str> {
        self.0.get(name)?.to_str().ok()
    }
}

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentType(&'static str);

impl ContentType {
    /// JSON, UTF-8 by its definition.
    pub const JSON: Self = Self("application/json");
    /// Bytes, as exchanges label protobuf.
    pub const OCTET_STREAM: Self = Self("application/octet-stream");
    /// Protocol buffers.
    pub const PROTOBUF: Self = Self("application/x-protobuf");
    /// Plain text.
    pub const TEXT: Self = Self("text/plain; charset=utf-8");
    /// A page, or an ad's markup.
    pub const HTML: Self = Self("text/html; charset=utf-8");
    /// VAST.
    pub const XML: Self = Self("application/xml; charset=utf-8");
    /// A tracking pixel.
    pub const GIF: Self = Self("image/gif");
    /// Prometheus' text exposition, version 0.0.4.
    pub const METRICS: Self = Self("text/plain; version=0.0.4; charset=utf-8");
}

/// An answer, before it is framed.
#[expect(
    clippy::struct_excessive_bools,
    reason = "two independent yes-or-no properties of one answer"
)]
#[derive(Clone, Debug)]
pub struct Answer {
    status: StatusCode,
    content_type: Option<ContentType>,
    body: Bytes,
    headers: Vec<(HeaderName, HeaderValue)>,
    packs: bool,
    closes: bool,
}

impl Answer {
    /// A status and nothing more. Allocates nothing.
    pub const fn empty(status: StatusCode) -> Self {
        Self {
            status,
            content_type: None,
            body: Bytes::new(),
            headers: Vec::new(),
            packs: false,
            closes: false,
        }
    }

    /// 204: a no-bid, or a notice taken.
    pub const fn no_content() -> Self {
        Self::empty(StatusCode::NO_CONTENT)
    }

    /// A status with a body.
    pub fn new(status: StatusCode, content_type: ContentType, body: impl Into<Bytes>) -> Self {
        Self {
            content_type: Some(content_type),
            body: body.into(),
            ..Self::empty(status)
        }
    }

    /// 200 with JSON.
    pub fn json(body: impl Into<Bytes>) -> Self {
        Self::new(StatusCode::OK, ContentType::JSON, body)
    }

    /// A status with a line of text for whoever reads it.
    pub fn text(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self::new(status, ContentType::TEXT, body)
    }

    /// With one more header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Packed with gzip, if the client takes that and the body is worth it.
    #[must_use]
    pub const fn packed(mut self) -> Self {
        self.packs = true;
        self
    }

    /// The last answer on its connection.
    #[must_use]
    pub const fn closing(mut self) -> Self {
        self.closes = true;
        self
    }

    /// The status.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The body, not packed.
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// A header that was added.
    pub fn header(&self, name: &HeaderName) -> Option<&HeaderValue> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value)
    }

    pub(super) const fn packs(&self) -> bool {
        self.packs
    }

    pub(super) const fn closes(&self) -> bool {
        self.closes
    }

    /// Replaces the body with a packed one.
    pub(super) fn pack(&mut self, packed: Bytes, coding: (HeaderName, HeaderValue)) {
        self.body = packed;
        self.headers.push(coding);
    }

    /// The parts that go on the wire.
    pub(super) fn into_parts(self) -> (StatusCode, HeaderMap, Bytes) {
        let mut headers = HeaderMap::new();
        if let Some(ContentType(name)) = self.content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(name));
        }
        for (name, value) in self.headers {
            headers.append(name, value);
        }
        (self.status, headers, self.body)
    }
}
