//! A connection for one request that may be anything but right: bytes out, a status back.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::clock;
use crate::wire::Target;

/// `HTTP/1.1 204`.
const STATUS_LINE_BYTES: usize = 12;
/// For how long an answer is waited for.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// An answer with this status.
    Status(u16),
    /// The connection ended without one.
    Closed,
    /// Nothing for too long.
    Silence,
    /// There was no connection.
    Refused,
}

impl Reply {
    /// For counting.
    pub(super) fn name(self) -> String {
        match self {
            Self::Status(status) => status.to_string(),
            Self::Closed => "closed".to_owned(),
            Self::Silence => "no answer".to_owned(),
            Self::Refused => "no connection".to_owned(),
        }
    }
}

/// The head of a POST with a body of this many bytes.
pub(super) fn head(target: &Target, length: usize, more: &str) -> String {
    format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nX-Openrtb-Version: 2.6\r\n\
         {more}Content-Length: {length}\r\n\r\n",
        target.path, target.authority
    )
}

pub(super) async fn connect(target: &Target) -> io::Result<TcpStream> {
    let connecting = TcpStream::connect(&target.authority);
    clock::before(clock::now() + ANSWER_WITHIN, connecting)
        .await
        .unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))
}

/// Sends it all, and reads how it is answered. A server may answer before it has read everything.
pub(super) async fn exchange(target: &Target, head: &str, body: &[u8]) -> Reply {
    let Ok(mut stream) = connect(target).await else {
        return Reply::Refused;
    };
    let (mut reader, mut writer) = stream.split();
    let sending = async {
        // Whoever refuses a body stops reading it; the answer counts.
        if writer.write_all(head.as_bytes()).await.is_ok() {
            writer.write_all(body).await.ok();
        }
        std::future::pending::<()>().await;
    };
    let answer = async {
        tokio::select! {
            () = sending => Reply::Closed,
            reply = read_status(&mut reader) => reply,
        }
    };
    clock::before(clock::now() + ANSWER_WITHIN, answer)
        .await
        .unwrap_or(Reply::Silence)
}

/// Reads until there is a status, or an end.
pub(super) async fn read_status(reader: &mut (impl AsyncReadExt + Unpin)) -> Reply {
    let mut line = [0; STATUS_LINE_BYTES];
    match reader.read_exact(&mut line).await {
        Err(_) => Reply::Closed,
        Ok(_) => status(&line).map_or(Reply::Closed, Reply::Status),
    }
}

fn status(line: &[u8]) -> Option<u16> {
    let line = std::str::from_utf8(line).ok()?;
    line.strip_prefix("HTTP/1.")?.get(2..)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_from_the_first_line() {
        assert_eq!(status(b"HTTP/1.1 204"), Some(204));
        assert_eq!(status(b"HTTP/1.0 413"), Some(413));
        assert_eq!(status(b"SSH-2.0-abcd"), None);
    }
}
