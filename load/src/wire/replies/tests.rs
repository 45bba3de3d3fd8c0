//! Replies whole, in pieces, one after the other, and wrong.

use super::*;

const OK: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nContent-Length: 5\r\n\r\nabcde";
const NONE: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";
const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nabcd\r\n1;x=y\r\ne\r\n0\r\nsum: 1\r\n\r\n";

fn reply(status: u16, body_bytes: u64) -> Reply {
    Reply {
        status,
        body_bytes,
        ending: Ending::Kept,
    }
}

/// Reads `bytes` in pieces of this size.
fn read(bytes: &[u8], piece: usize) -> Result<Vec<Reply>, ReplyError> {
    let mut replies = Replies::<()>::default();
    let mut got = Vec::new();
    for piece in bytes.chunks(piece) {
        replies.read(piece, |reply, ()| got.push(reply))?;
    }
    got.extend(replies.end()?);
    Ok(got)
}

#[test]
fn replies_are_found_wherever_the_pieces_are_cut() {
    let all = [OK, NONE, CHUNKED, OK, CHUNKED, NONE].concat();
    let [ok, none] = [reply(200, 5), reply(204, 0)];
    for piece in 1..=all.len() {
        let got = read(&all, piece).unwrap();
        assert_eq!(got, [ok, none, ok, ok, ok, none], "pieces of {piece}");
    }
}

#[test]
fn an_interim_reply_is_passed_over() {
    let all = [b"HTTP/1.1 100 Continue\r\n\r\n", OK].concat();
    assert_eq!(read(&all, 7), Ok(vec![reply(200, 5)]));
}

#[test]
fn a_reply_says_whether_its_connection_stays() {
    let ending = |head: &str| {
        let bytes = format!("{head}content-length: 0\r\n\r\n");
        read(bytes.as_bytes(), 3).map(|got| got[0].ending)
    };
    assert_eq!(ending("HTTP/1.1 200 OK\r\n"), Ok(Ending::Kept));
    assert_eq!(
        ending("HTTP/1.1 200 OK\r\nConnection: close\r\n"),
        Ok(Ending::Closed)
    );
    assert_eq!(ending("HTTP/1.0 200 OK\r\n"), Ok(Ending::Closed));
    assert_eq!(
        ending("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n"),
        Ok(Ending::Kept)
    );
    // Without a length, the body ends with the connection.
    let endless = read(b"HTTP/1.1 200 OK\r\n\r\nabc", 2).unwrap();
    assert_eq!(
        endless,
        [Reply {
            ending: Ending::Closed,
            ..reply(200, 3)
        }]
    );
}

#[test]
fn what_is_too_large_is_refused_before_it_is_kept() {
    let endless = [b"HTTP/1.1 200 OK\r\nx: ".to_vec(), vec![b'a'; 40 << 10]].concat();
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(65));
    let chunk = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n400001\r\n";
    let line = [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;".to_vec(),
        vec![b'a'; 2 << 10],
    ]
    .concat();
    for piece in [1, 1_000, 100_000] {
        assert_eq!(read(&endless, piece), Err(ReplyError::HeadTooLarge));
        assert_eq!(read(many.as_bytes(), piece), Err(ReplyError::HeadTooLarge));
        let long = b"HTTP/1.1 200 OK\r\ncontent-length: 4194305\r\n\r\n";
        assert_eq!(read(long, piece), Err(ReplyError::BodyTooLarge));
        assert_eq!(read(chunk, piece), Err(ReplyError::BodyTooLarge));
        assert_eq!(read(&line, piece), Err(ReplyError::Chunk));
    }
    let endless = [
        b"HTTP/1.1 200 OK\r\n\r\n".to_vec(),
        vec![b'a'; (4 << 20) + 1],
    ]
    .concat();
    assert_eq!(read(&endless, 8 << 10), Err(ReplyError::BodyTooLarge));
}

#[test]
fn what_is_no_reply_is_refused() {
    for (bytes, error) in [
        ("SSH-2.0-x\r\n\r\n", ReplyError::Head),
        ("HTTP/1.1 abc\r\n\r\n", ReplyError::Head),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 5, 5\r\n\r\n",
            ReplyError::Length,
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: +5\r\n\r\n",
            ReplyError::Length,
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
            ReplyError::Length,
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
            ReplyError::Length,
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
            ReplyError::Length,
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
            ReplyError::Chunk,
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nabc\r\n",
            ReplyError::Chunk,
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc",
            ReplyError::CutShort,
        ),
        ("HTTP/1.1 200 OK\r\ncont", ReplyError::CutShort),
    ] {
        for piece in [1, 5, 1_000] {
            assert_eq!(read(bytes.as_bytes(), piece), Err(error), "{bytes:?}");
        }
    }
}

#[test]
fn an_end_between_replies_is_none() {
    assert_eq!(Replies::<()>::default().end(), Ok(None));
}

#[derive(Default)]
struct Bodies(Vec<u8>, usize);

impl Keep for Bodies {
    fn head(&mut self, headers: &[httparse::Header<'_>]) {
        self.1 = headers.len();
    }

    fn body(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

#[test]
fn bodies_are_kept_whole_however_they_come() {
    let endless = b"HTTP/1.1 200 OK\r\n\r\nabcde";
    for (bytes, headers) in [(OK, 2), (CHUNKED, 1), (&endless[..], 0)] {
        for piece in 1..=bytes.len() {
            let mut replies = Replies::<Bodies>::default();
            let mut got = None;
            for piece in bytes.chunks(piece) {
                let tell = |_, bodies: &mut Bodies| got = Some(std::mem::take(bodies));
                replies.read(piece, tell).unwrap();
            }
            let ended = replies.end().unwrap().map(|_| replies.take());
            let Bodies(body, count) = got.or(ended).unwrap();
            assert_eq!(
                (&body[..], count),
                (&b"abcde"[..], headers),
                "pieces of {piece}"
            );
        }
    }
}
