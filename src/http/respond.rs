//! One request, from its head to its answer: route, framing, body, coding, service.
//!
//! Whatever is refused on the way is a status code and nothing else; a refusal closes the connection only where what
//! follows on it cannot be trusted or is not worth reading.

use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};

use super::body::{self, BodyError, Whole};
use super::coding::{self, Coding, GunzipError};
use super::framing;
use super::route;
use super::serve::{EndCause, Limits};
use super::service::{Answer, AsyncService, Head, Headers, Request};
use super::watch::Watch;
use crate::units::Monotonic;

/// Below this an answer fits in one packet whether packed or not.
const PACK_BYTES_MIN: usize = 1_024;

/// A connection's buffers are given back after a request that made them larger than this, so that ten thousand
/// connections hold what they usually need and not what they once needed.
const KEPT_BUFFER_BYTES: usize = 64 * 1024;

/// What one connection answers with.
pub(super) struct Desk<'w, S> {
    limits: Limits,
    watch: &'w Watch,
    /// Taken by the request in hand; hyper has one at a time.
    staff: Mutex<Option<Box<Staff<S>>>>,
}

struct Staff<S> {
    service: S,
    /// Whether the request in hand got as far as the service.
    asked: bool,
    collected: Vec<u8>,
    unpacked: Vec<u8>,
}

impl<'w, S: AsyncService> Desk<'w, S> {
    pub(super) fn new(service: S, limits: Limits, watch: &'w Watch) -> Self {
        let staff = Staff {
            service,
            asked: false,
            collected: Vec::new(),
            unpacked: Vec::new(),
        };
        Self {
            limits,
            watch,
            staff: Mutex::new(Some(Box::new(staff))),
        }
    }

    /// Answers one request.
    pub(super) async fn respond(
        &self,
        request: hyper::Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let arrived = self.watch.request_begins();
        let (parts, incoming) = request.into_parts();
        let staff = self.lock().take();
        let answer = match staff {
            Some(mut staff) => {
                staff.asked = false;
                let answer = self.serve(&mut staff, &parts, incoming, arrived).await;
                if !staff.asked {
                    staff.service.refused(answer.status(), arrived);
                }
                staff.trim();
                *self.lock() = Some(staff);
                answer
            }
            // Only if hyper began a request before the one in hand had ended, which HTTP/1 rules out.
            None => Answer::empty(StatusCode::SERVICE_UNAVAILABLE).closing(),
        };
        let response = self.frame(answer, &parts);
        self.watch.request_ends();
        Ok(response)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Box<Staff<S>>>> {
        self.staff.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn serve(
        &self,
        staff: &mut Staff<S>,
        parts: &Parts,
        mut incoming: Incoming,
        arrived: Monotonic,
    ) -> Answer {
        if parts.headers.contains_key(header::TRANSFER_ENCODING) {
            let framing = self
                .watch
                .with_head_copy(|copy| framing::check_chunked(copy, &parts.method, &parts.headers));
            if let Err(status) = framing {
                return self.refuse_unread(status);
            }
        }
        let coding = Coding::of(&parts.headers);
        let head = match staff.judge(parts, coding, arrived) {
            Ok(head) => head,
            Err(refusal) => return self.discard(&mut incoming, refusal).await,
        };
        let Limits {
            body_bytes,
            body_timeout,
            ..
        } = self.limits;
        let whole = body::read(
            &mut incoming,
            &mut staff.collected,
            body_bytes,
            body_timeout,
        )
        .await;
        let wire: &[u8] = match &whole {
            Ok(Whole::Frame(frame)) => frame,
            Ok(Whole::Collected) => &staff.collected,
            Err(error) => return self.refuse_body(*error),
        };
        let body = if coding == Coding::Gzip {
            staff.unpacked.clear();
            match coding::gunzip(wire, &mut staff.unpacked, body_bytes) {
                Ok(()) => &staff.unpacked,
                Err(GunzipError::Corrupt) => return Answer::empty(StatusCode::BAD_REQUEST),
                Err(GunzipError::TooLarge) => return Answer::empty(StatusCode::PAYLOAD_TOO_LARGE),
            }
        } else {
            wire
        };
        staff.asked = true;
        let request = Request {
            head,
            body,
            wire_bytes: wire.len(),
        };
        staff.service.answer(request).await
    }

    /// Throws the body away and answers; closes where the body is not worth that.
    async fn discard(&self, incoming: &mut Incoming, answer: Answer) -> Answer {
        let limits = &self.limits;
        match body::discard(incoming, limits.body_bytes, limits.body_timeout).await {
            Ok(()) => answer,
            Err(error) => {
                self.note(error);
                answer.closing()
            }
        }
    }

    fn refuse_body(&self, error: BodyError) -> Answer {
        self.note(error);
        Answer::empty(error.status()).closing()
    }

    fn note(&self, error: BodyError) {
        match error {
            BodyError::TooLarge => self.watch.blame(EndCause::Refused),
            BodyError::TimedOut => self.watch.blame(EndCause::BodyTimeout),
            BodyError::Broken => self.watch.blame(EndCause::CutShort),
        }
        self.watch.leave_unread();
    }

    fn refuse_unread(&self, status: StatusCode) -> Answer {
        self.watch.blame(EndCause::Refused);
        self.watch.leave_unread();
        Answer::empty(status).closing()
    }

    /// The answer as hyper sends it, which adds the date and the length.
    fn frame(&self, mut answer: Answer, parts: &Parts) -> Response<Full<Bytes>> {
        if answer.packs()
            && answer.body().len() >= PACK_BYTES_MIN
            && coding::accepts_gzip(&parts.headers)
        {
            let mut packed = Vec::with_capacity(answer.body().len() / 2);
            coding::gzip(answer.body(), &mut packed);
            let named = (header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            answer.pack(packed.into(), named);
        }
        let closes = answer.closes();
        if closes {
            self.watch.blame(EndCause::Asked);
        }
        let (status, mut headers, body) = answer.into_parts();
        if closes || self.watch.is_leaving() {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }
}

impl<S: AsyncService> Staff<S> {
    /// Whether to read on: the route exists, the coding is known, the service admits it.
    fn judge<'p>(
        &mut self,
        parts: &'p Parts,
        coding: Coding,
        arrived: Monotonic,
    ) -> Result<Head<'p>, Answer> {
        let path = parts.uri.path();
        let found = route::find(self.service.routes(), &parts.method, path)?;
        if coding == Coding::Unsupported {
            let refusal = Answer::empty(StatusCode::UNSUPPORTED_MEDIA_TYPE);
            let takes = HeaderValue::from_static("gzip");
            return Err(refusal.with_header(header::ACCEPT_ENCODING, takes));
        }
        let head = Head {
            route: found.route,
            tail: found.tail,
            method: &parts.method,
            path,
            query: parts.uri.query(),
            headers: Headers(&parts.headers),
            arrived,
        };
        self.asked = true;
        self.service.admit(&head)?;
        Ok(head)
    }

    fn trim(&mut self) {
        for buffer in [&mut self.collected, &mut self.unpacked] {
            if buffer.capacity() > KEPT_BUFFER_BYTES {
                *buffer = Vec::new();
            }
        }
    }
}
