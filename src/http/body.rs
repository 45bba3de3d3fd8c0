//! Reading a body within its limits. A body that comes in one frame is not copied.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::body::{Body, Incoming};

/// How much is reserved for a body because its head declares that length: beyond it, memory follows what arrives.
const TRUSTED_LENGTH_MAX: usize = 64 * 1024;

/// Where a body that was read is.
#[derive(Debug)]
pub(super) enum Whole {
    /// In the frame it came in.
    Frame(Bytes),
    /// In the buffer that was lent.
    Collected,
}

/// Why a body was not read. Each closes the connection, since the rest of the body is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyError {
    TooLarge,
    TimedOut,
    Broken,
}

impl BodyError {
    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TimedOut => StatusCode::REQUEST_TIMEOUT,
            Self::Broken => StatusCode::BAD_REQUEST,
        }
    }
}

/// Reads a whole body of at most `limit` bytes, within `time` from now. `buffer` is used, from empty, where the body
/// comes in pieces.
pub(super) async fn read(
    incoming: &mut Incoming,
    buffer: &mut Vec<u8>,
    limit: usize,
    time: Duration,
) -> Result<Whole, BodyError> {
    // The length that the head declares, if it does, is known before anything is read.
    if usize::try_from(incoming.size_hint().lower()).map_or(true, |length| length > limit) {
        return Err(BodyError::TooLarge);
    }
    if incoming.is_end_stream() {
        return Ok(Whole::Frame(Bytes::new()));
    }
    // Usually the body came with the head, and is here whole: no timer, no copy.
    let first = poll_fn(|cx| Poll::Ready(Pin::new(&mut *incoming).poll_frame(cx))).await;
    let first = match first {
        Poll::Ready(None) => return Ok(Whole::Frame(Bytes::new())),
        Poll::Ready(Some(Err(_))) => return Err(BodyError::Broken),
        Poll::Ready(Some(Ok(frame))) => frame.into_data().unwrap_or_default(),
        Poll::Pending => Bytes::new(),
    };
    if incoming.is_end_stream() && first.len() <= limit {
        return Ok(Whole::Frame(first));
    }
    buffer.clear();
    append(buffer, &first, limit)?;
    match tokio::time::timeout(time, collect(incoming, buffer, limit)).await {
        Ok(collected) => collected.map(|()| Whole::Collected),
        Err(_) => Err(BodyError::TimedOut),
    }
}

async fn collect(
    incoming: &mut Incoming,
    buffer: &mut Vec<u8>,
    limit: usize,
) -> Result<(), BodyError> {
    let length = usize::try_from(incoming.size_hint().lower()).unwrap_or(0);
    buffer.reserve(length.min(TRUSTED_LENGTH_MAX));
    while let Some(frame) = incoming.frame().await {
        let frame = frame.map_err(|_| BodyError::Broken)?;
        if let Some(data) = frame.data_ref() {
            append(buffer, data, limit)?;
        }
    }
    Ok(())
}

fn append(buffer: &mut Vec<u8>, data: &[u8], limit: usize) -> Result<(), BodyError> {
    if data.len() > limit.saturating_sub(buffer.len()) {
        return Err(BodyError::TooLarge);
    }
    buffer.extend_from_slice(data);
    Ok(())
}

/// Reads a body and throws it away, so that the connection can go on.
pub(super) async fn discard(
    incoming: &mut Incoming,
    limit: usize,
    time: Duration,
) -> Result<(), BodyError> {
    if usize::try_from(incoming.size_hint().lower()).map_or(true, |length| length > limit) {
        return Err(BodyError::TooLarge);
    }
    if incoming.is_end_stream() {
        return Ok(());
    }
    let drain = async {
        let mut seen: usize = 0;
        while let Some(frame) = incoming.frame().await {
            let frame = frame.map_err(|_| BodyError::Broken)?;
            seen = seen.saturating_add(frame.data_ref().map_or(0, Bytes::len));
            if seen > limit {
                return Err(BodyError::TooLarge);
            }
            if incoming.is_end_stream() {
                break;
            }
        }
        Ok(())
    };
    tokio::time::timeout(time, drain)
        .await
        .unwrap_or(Err(BodyError::TimedOut))
}
