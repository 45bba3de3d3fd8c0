//! Replies as they come out of a socket, in pieces of any size, for those who keep them and for those who only count.
//!
//! `httparse` reads heads. A reply that is larger than a bidder's may be, or that leaves open where it ends, is refused: after
//! it nothing on its connection could be told apart.

use std::fmt;

/// No bidder's head is as large; hyper's limit is of this order, too.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// No bidder's answer is as large.
const BODY_BYTES_MAX: u64 = 4 << 20;
/// Headers of one head.
const HEADERS_MAX: usize = 64;
/// A line with the length of a chunk, extensions and all, or one of a trailer.
const LINE_BYTES_MAX: usize = 1 << 10;

/// One whole reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Bytes of its body.
    pub body_bytes: u64,
    /// Whether another request may follow on its connection.
    pub ending: Ending,
}

/// What a reply does to its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It stays.
    Kept,
    /// It closes.
    Closed,
}

/// Bytes that are no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyError {
    /// Not HTTP/1.
    Head,
    /// More than 16 KiB of head, or 64 headers.
    HeadTooLarge,
    /// A length that is none, or several.
    Length,
    /// A chunk that is none.
    Chunk,
    /// More than 4 MiB of body.
    BodyTooLarge,
    /// The connection ended within a reply.
    CutShort,
}

impl fmt::Display for ReplyError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Head => "the head is not HTTP/1",
            Self::HeadTooLarge => "the head has more than 16 KiB or 64 headers",
            Self::Length => "the length of the body is unclear",
            Self::Chunk => "a chunk without a length, or without its end",
            Self::BodyTooLarge => "the body has more than 4 MiB",
            Self::CutShort => "the connection ended within a reply",
        })
    }
}

/// What becomes of the parts of replies.
pub trait Keep {
    /// A reply begins; after an interim one, the reply itself. What was kept of others before it is over.
    fn head(&mut self, headers: &[httparse::Header<'_>]);
    /// A piece of its body.
    fn body(&mut self, bytes: &[u8]);
}

/// Nothing: replies are only counted.
impl Keep for () {
    fn head(&mut self, _: &[httparse::Header<'_>]) {}
    fn body(&mut self, _: &[u8]) {}
}

/// Reads replies from pieces of any size.
#[derive(Debug)]
pub struct Replies<K = ()> {
    kept: K,
    /// What came and is not read yet: less than a head, or less than a line of chunks.
    pending: Vec<u8>,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Head,
    /// So many bytes of a body are still to come.
    Body(Reply, u64),
    /// The body ends with the connection.
    UntilClosed(Reply),
    ChunkSize(Reply),
    /// So many bytes of a chunk, and the line's end after them.
    Chunk(Reply, u64),
    Trailer(Reply),
}

/// What one step over some bytes comes to.
enum Step {
    /// So many were read, and this is what is expected next.
    Went(usize, State),
    /// So many were read, and with them a reply is whole.
    Whole(usize, Reply),
    /// More bytes are needed.
    Starved,
}

impl<K: Default> Default for Replies<K> {
    fn default() -> Self {
        Self {
            kept: K::default(),
            pending: Vec::new(),
            state: State::Head,
        }
    }
}

impl<K: Keep + Default> Replies<K> {
    /// Reads on and tells every reply that became whole, and what was kept of it, until the next one begins.
    ///
    /// # Errors
    /// [`ReplyError`]: nothing more can be read from this connection.
    pub fn read(
        &mut self,
        bytes: &[u8],
        mut tell: impl FnMut(Reply, &mut K),
    ) -> Result<(), ReplyError> {
        if self.pending.is_empty() {
            let read = self.pass(bytes, &mut tell)?;
            self.pending.extend_from_slice(rest(bytes, read));
            return Ok(());
        }
        let mut pending = std::mem::take(&mut self.pending);
        pending.extend_from_slice(bytes);
        let read = self.pass(&pending, &mut tell)?;
        pending.drain(..read.min(pending.len()));
        self.pending = pending;
        Ok(())
    }

    /// What is kept of the reply that is being read.
    pub fn take(&mut self) -> K {
        std::mem::take(&mut self.kept)
    }

    /// The same, left there for the next one.
    pub fn kept(&self) -> &K {
        &self.kept
    }

    /// Whether nothing of another reply has come.
    pub fn is_between(&self) -> bool {
        self.pending.is_empty() && matches!(self.state, State::Head)
    }

    /// The connection ended: the last reply, where that is how it ends.
    ///
    /// # Errors
    /// [`ReplyError::CutShort`] within a reply.
    pub fn end(&mut self) -> Result<Option<Reply>, ReplyError> {
        match std::mem::replace(&mut self.state, State::Head) {
            State::Head if self.pending.is_empty() => Ok(None),
            State::UntilClosed(reply) => Ok(Some(reply)),
            _ => Err(ReplyError::CutShort),
        }
    }

    /// Reads what can be read; tells how much that was.
    fn pass(
        &mut self,
        bytes: &[u8],
        tell: &mut impl FnMut(Reply, &mut K),
    ) -> Result<usize, ReplyError> {
        let mut at = 0;
        loop {
            let (read, next) = match self.step(rest(bytes, at))? {
                Step::Starved => return Ok(at),
                Step::Went(read, state) => (read, Ok(state)),
                Step::Whole(read, reply) => (read, Err(reply)),
            };
            if matches!(
                self.state,
                State::Body(..) | State::UntilClosed(_) | State::Chunk(_, 1..)
            ) {
                self.kept.body(bytes.get(at..at + read).unwrap_or_default());
            }
            at += read;
            match next {
                Ok(state) => self.state = state,
                Err(reply) => {
                    self.state = State::Head;
                    tell(reply, &mut self.kept);
                }
            }
        }
    }

    fn step(&mut self, bytes: &[u8]) -> Result<Step, ReplyError> {
        if bytes.is_empty() {
            return Ok(Step::Starved);
        }
        match self.state {
            State::Head => head(&mut self.kept, bytes),
            State::Body(reply, left) => Ok(match bytes.len() as u64 {
                have if have < left => Step::Went(bytes.len(), State::Body(reply, left - have)),
                _ => Step::Whole(short(left), reply),
            }),
            State::UntilClosed(mut reply) => {
                grow(&mut reply, bytes.len() as u64)?;
                Ok(Step::Went(bytes.len(), State::UntilClosed(reply)))
            }
            State::ChunkSize(reply) => chunk_size(reply, bytes),
            State::Chunk(reply, left) => chunk(reply, left, bytes),
            State::Trailer(reply) => trailer(reply, bytes),
        }
    }
}

fn rest(bytes: &[u8], from: usize) -> &[u8] {
    bytes.get(from..).unwrap_or_default()
}

/// Below [`BODY_BYTES_MAX`], so it always fits.
fn short(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

fn grow(reply: &mut Reply, by: u64) -> Result<(), ReplyError> {
    reply.body_bytes = reply.body_bytes.saturating_add(by);
    if reply.body_bytes > BODY_BYTES_MAX {
        return Err(ReplyError::BodyTooLarge);
    }
    Ok(())
}

/// What a head says of the body.
#[derive(Default)]
struct Framing {
    length: Option<u64>,
    is_chunked: bool,
}

fn head(kept: &mut impl Keep, bytes: &[u8]) -> Result<Step, ReplyError> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    let read = match response.parse(bytes) {
        Ok(httparse::Status::Complete(read)) if read <= HEAD_BYTES_MAX => read,
        Ok(httparse::Status::Partial) if bytes.len() < HEAD_BYTES_MAX => return Ok(Step::Starved),
        Ok(_) | Err(httparse::Error::TooManyHeaders) => return Err(ReplyError::HeadTooLarge),
        Err(_) => return Err(ReplyError::Head),
    };
    let status = response.code.ok_or(ReplyError::Head)?;
    // Old HTTP closes unless it says otherwise.
    let mut ending = match response.version {
        Some(1) => Ending::Kept,
        _ => Ending::Closed,
    };
    let mut framing = Framing::default();
    for header in response.headers.iter() {
        if header.name.eq_ignore_ascii_case("content-length") {
            let length = length(header.value).ok_or(ReplyError::Length)?;
            if framing
                .length
                .replace(length)
                .is_some_and(|before| before != length)
            {
                return Err(ReplyError::Length);
            }
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            framing.is_chunked = true;
            if !header.value.eq_ignore_ascii_case(b"chunked") {
                return Err(ReplyError::Length);
            }
        } else if header.name.eq_ignore_ascii_case("connection") {
            if header.value.eq_ignore_ascii_case(b"close") {
                ending = Ending::Closed;
            } else if header.value.eq_ignore_ascii_case(b"keep-alive") {
                ending = Ending::Kept;
            }
        }
    }
    kept.head(response.headers);
    let reply = Reply {
        status,
        body_bytes: framing.length.unwrap_or(0),
        ending,
    };
    body(reply, &framing, read)
}

fn body(mut reply: Reply, framing: &Framing, read: usize) -> Result<Step, ReplyError> {
    if (100..200).contains(&reply.status) {
        // An interim one: the reply itself follows.
        return Ok(Step::Went(read, State::Head));
    }
    if matches!(reply.status, 204 | 304) {
        reply.body_bytes = 0;
        return Ok(Step::Whole(read, reply));
    }
    Ok(match framing {
        Framing {
            length: Some(_),
            is_chunked: true,
        } => return Err(ReplyError::Length),
        Framing {
            is_chunked: true, ..
        } => Step::Went(read, State::ChunkSize(reply)),
        Framing {
            length: Some(0), ..
        } => Step::Whole(read, reply),
        Framing {
            length: Some(length),
            ..
        } if *length > BODY_BYTES_MAX => return Err(ReplyError::BodyTooLarge),
        Framing {
            length: Some(length),
            ..
        } => Step::Went(read, State::Body(reply, *length)),
        Framing { length: None, .. } => {
            reply.ending = Ending::Closed;
            Step::Went(read, State::UntilClosed(reply))
        }
    })
}

/// Digits and nothing else: a sign or a blank would be read differently elsewhere.
fn length(value: &[u8]) -> Option<u64> {
    if !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

fn chunk_size(mut reply: Reply, bytes: &[u8]) -> Result<Step, ReplyError> {
    match httparse::parse_chunk_size(bytes) {
        Ok(httparse::Status::Complete((read, 0))) => Ok(Step::Went(read, State::Trailer(reply))),
        Ok(httparse::Status::Complete((read, size))) => {
            grow(&mut reply, size)?;
            Ok(Step::Went(read, State::Chunk(reply, size)))
        }
        Ok(httparse::Status::Partial) if bytes.len() < LINE_BYTES_MAX => Ok(Step::Starved),
        Ok(httparse::Status::Partial) | Err(_) => Err(ReplyError::Chunk),
    }
}

fn chunk(reply: Reply, left: u64, bytes: &[u8]) -> Result<Step, ReplyError> {
    if left > 0 {
        let read = short(left).min(bytes.len());
        return Ok(Step::Went(read, State::Chunk(reply, left - read as u64)));
    }
    match bytes {
        [b'\r', b'\n', ..] => Ok(Step::Went(2, State::ChunkSize(reply))),
        [b'\r'] => Ok(Step::Starved),
        _ => Err(ReplyError::Chunk),
    }
}

/// Lines up to an empty one.
fn trailer(reply: Reply, bytes: &[u8]) -> Result<Step, ReplyError> {
    match bytes.iter().position(|byte| *byte == b'\n') {
        None if bytes.len() >= LINE_BYTES_MAX => Err(ReplyError::Chunk),
        None => Ok(Step::Starved),
        Some(0) => Ok(Step::Whole(1, reply)),
        Some(1) if bytes.starts_with(b"\r") => Ok(Step::Whole(2, reply)),
        Some(end) => Ok(Step::Went(end + 1, State::Trailer(reply))),
    }
}

#[cfg(test)]
mod tests;
