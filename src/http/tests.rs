//! Connections over an in-memory pipe, on paused time: what goes in, what comes out, how it ends.

use std::future::{Future, pending};
use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::oneshot;

use super::{
    Answer, AsyncService, ConnectionEnd, ContentType, EndCause, Head, Limits, Methods, Request,
    Route, Service, serve_async_connection, serve_connection,
};
use crate::clock::{Clock, ManualClock};
use crate::units::UnixMillis;

const ROUTES: &[Route] = &[
    Route::new("/bid", Methods::Post),
    Route::new("/report", Methods::Get),
];

const LIMITS: Limits = Limits {
    body_bytes: 100_000,
    head_timeout: Duration::from_secs(5),
    body_timeout: Duration::from_secs(5),
    idle_timeout: Duration::from_mins(1),
    max_age: Duration::from_mins(10),
    drain_timeout: Duration::from_secs(2),
};

/// Answers with the length of what it was given, or with a long report.
struct Echo;

impl Service for Echo {
    fn routes(&self) -> &'static [Route] {
        ROUTES
    }

    fn admit(&mut self, head: &Head<'_>) -> Result<(), Answer> {
        match head.headers.find("x-late") {
            Some(_) => Err(Answer::no_content()),
            None => Ok(()),
        }
    }

    fn answer(&mut self, request: Request<'_>) -> Answer {
        match request.head.route {
            0 if request.body.is_empty() => Answer::no_content(),
            0 => Answer::json(format!("{}/{}", request.body.len(), request.wire_bytes)),
            _ => Answer::new(StatusCode::OK, ContentType::TEXT, "line\n".repeat(1_000)).packed(),
        }
    }
}

/// A service that answers when it is told to.
struct Patient(Option<oneshot::Receiver<&'static str>>);

impl AsyncService for Patient {
    fn routes(&self) -> &'static [Route] {
        ROUTES
    }

    async fn answer(&mut self, _: Request<'_>) -> Answer {
        let word = self.0.take().expect("asked once").await.unwrap();
        Answer::json(word)
    }
}

struct Peer {
    stream: DuplexStream,
    twin: ManualClock,
    unread: Vec<u8>,
}

#[derive(Debug)]
struct Reply {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Peer {
    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    async fn post(&mut self, headers: &str, body: impl AsRef<[u8]>) -> Reply {
        let body = body.as_ref();
        let length = body.len();
        let head =
            format!("POST /bid HTTP/1.1\r\nHost: b\r\n{headers}Content-Length: {length}\r\n\r\n");
        self.send([head.as_bytes(), body].concat()).await;
        self.reply().await
    }

    async fn reply(&mut self) -> Reply {
        let end = loop {
            if let Some(at) = self.unread.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            assert_ne!(self.more().await, 0, "closed inside a head");
        };
        let head = String::from_utf8(self.unread.drain(..end).collect()).unwrap();
        let lower = head.to_lowercase();
        let length = lower.split_once("content-length: ").map_or(0, |(_, rest)| {
            rest.split("\r\n").next().unwrap().parse().unwrap()
        });
        while self.unread.len() < length {
            assert_ne!(self.more().await, 0, "closed inside a body");
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let body = self.unread.drain(..length).collect();
        Reply {
            status,
            head: lower,
            body,
        }
    }

    async fn more(&mut self) -> usize {
        self.stream.read_buf(&mut self.unread).await.unwrap()
    }

    async fn assert_closed(&mut self) {
        assert_eq!(
            self.more().await,
            0,
            "{:?}",
            String::from_utf8_lossy(&self.unread)
        );
    }

    /// Moves both clocks; the connection's timer rings when everybody waits.
    fn pass(&self, span: Duration) {
        self.twin.advance(span);
    }
}

impl Reply {
    fn closes(&self) -> bool {
        self.head.contains("connection: close")
    }
}

fn pair() -> (DuplexStream, Peer, Clock) {
    let (near, far) = duplex(64 * 1024);
    let (clock, twin) = Clock::manual(UnixMillis::new(0));
    let peer = Peer {
        stream: far,
        twin,
        unread: Vec::new(),
    };
    (near, peer, clock)
}

/// Runs a connection beside its peer until both are done.
async fn with_peer<Fut: Future<Output = ()>>(
    closing: impl Future<Output = ()> + Send,
    play: impl FnOnce(Peer) -> Fut,
) -> ConnectionEnd {
    let (near, peer, clock) = pair();
    let (end, ()) = tokio::join!(
        serve_connection(near, LIMITS, Echo, closing, clock),
        play(peer)
    );
    end
}

fn packed(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_kept_and_pipelined_requests_are_answered_in_order() {
    let end = with_peer(pending(), |mut peer| async move {
        let first = peer.post("", "abc").await;
        assert_eq!((first.status, first.body.as_slice()), (200, &b"3/3"[..]));
        assert!(first.head.contains("\r\ndate: ") && !first.closes());
        assert!(first.head.contains("content-type: application/json\r\n"));
        let one = |body: &str| {
            format!(
                "POST /bid HTTP/1.1\r\nHost: b\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        peer.send(format!("{}{}{}", one("a"), one(""), one("abcd")))
            .await;
        assert_eq!(peer.reply().await.body, b"1/1");
        let none = peer.reply().await;
        assert_eq!((none.status, none.body.len()), (204, 0));
        assert_eq!(peer.reply().await.body, b"4/4");
    })
    .await;
    assert_eq!((end.cause, end.answered), (EndCause::Peer, 4));
}

#[tokio::test(start_paused = true)]
async fn paths_and_methods_are_refused_without_losing_the_connection() {
    let end = with_peer(pending(), |mut peer| async move {
        peer.send("POST /other HTTP/1.1\r\nHost: b\r\nContent-Length: 3\r\n\r\nabc")
            .await;
        assert_eq!(peer.reply().await.status, 404);
        peer.send("GET /bid HTTP/1.1\r\nHost: b\r\n\r\n").await;
        let refused = peer.reply().await;
        assert_eq!(refused.status, 405);
        assert!(refused.head.contains("allow: post\r\n"));
        let late = peer.post("X-Late: 1\r\n", vec![b'x'; 90_000]).await;
        assert!(late.status == 204 && !late.closes());
        assert_eq!(peer.post("", "abc").await.status, 200);
    })
    .await;
    assert_eq!((end.cause, end.answered), (EndCause::Peer, 4));
}

#[tokio::test(start_paused = true)]
async fn gzip_is_unpacked_within_the_limit() {
    let end = with_peer(pending(), |mut peer| async move {
        let gzip = "Content-Encoding: gzip\r\n";
        let body = packed(&vec![b' '; 50_000]);
        let reply = peer.post(gzip, &body).await;
        assert_eq!(reply.body, format!("50000/{}", body.len()).into_bytes());
        assert_eq!(
            peer.post(gzip, packed(&vec![b' '; 8 << 20])).await.status,
            413
        );
        assert_eq!(peer.post(gzip, &body[..body.len() - 3]).await.status, 400);
        assert_eq!(peer.post(gzip, "{}").await.status, 400);
        let unknown = peer.post("Content-Encoding: br\r\n", "{}").await;
        assert_eq!(unknown.status, 415);
        assert!(unknown.head.contains("accept-encoding: gzip\r\n"));
        assert_eq!(peer.post("", "{}").await.status, 200);
    })
    .await;
    assert_eq!((end.cause, end.answered), (EndCause::Peer, 6));
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_packed_for_those_who_take_it() {
    with_peer(pending(), |mut peer| async move {
        peer.send("GET /report HTTP/1.1\r\nHost: b\r\nAccept-Encoding: gzip\r\n\r\n")
            .await;
        let reply = peer.reply().await;
        assert!(reply.head.contains("content-encoding: gzip\r\n"));
        let mut report = Vec::new();
        super::gunzip(&reply.body, &mut report, 10_000).unwrap();
        assert_eq!(report, "line\n".repeat(1_000).into_bytes());
        peer.send("GET /report HTTP/1.1\r\nHost: b\r\n\r\n").await;
        let plain = peer.reply().await;
        assert!(!plain.head.contains("content-encoding") && plain.body.len() == 5_000);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_body_over_the_limit_is_413_and_the_answer_arrives_though_the_peer_still_sends() {
    let end = with_peer(pending(), |mut peer| async move {
        peer.send("POST /bid HTTP/1.1\r\nHost: b\r\nContent-Length: 3000000\r\n\r\n")
            .await;
        // Thirty times the pipe: it only goes through because the other end still swallows.
        peer.send(vec![b'x'; 3_000_000]).await;
        let refused = peer.reply().await;
        assert!(refused.status == 413 && refused.closes());
        peer.assert_closed().await;
    })
    .await;
    assert_eq!(end.cause, EndCause::Refused);
}

#[tokio::test(start_paused = true)]
async fn chunked_bodies_are_collected_up_to_the_limit() {
    let end = with_peer(pending(), |mut peer| async move {
        let head = "POST /bid HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n";
        peer.send(format!("{head}3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"))
            .await;
        assert_eq!(peer.reply().await.body, b"7/7");
        let chunk = format!("8000\r\n{}\r\n", "x".repeat(0x8000));
        peer.send(format!("{head}{}0\r\n\r\n", chunk.repeat(4)))
            .await;
        let refused = peer.reply().await;
        assert!(refused.status == 413 && refused.closes());
        peer.assert_closed().await;
    })
    .await;
    assert_eq!(end.cause, EndCause::Refused);
}

#[tokio::test(start_paused = true)]
async fn a_length_beside_chunks_is_400_and_closes_in_either_order() {
    let both = [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
    ];
    for headers in both {
        let end = with_peer(pending(), |mut peer| async move {
            assert_eq!(peer.post("", "abc").await.status, 200);
            peer.send(format!(
                "POST /bid HTTP/1.1\r\nHost: b\r\n{headers}\r\n3\r\nabc\r\n0\r\n\r\nPOST /bid"
            ))
            .await;
            let refused = peer.reply().await;
            assert!(refused.status == 400 && refused.closes());
            peer.assert_closed().await;
        })
        .await;
        assert_eq!((end.cause, end.answered), (EndCause::Refused, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_too_large_is_431_and_a_malformed_one_400() {
    let long = format!("POST /bid HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(17_000));
    let many = format!("POST /bid HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(101));
    let cases = [(long, 431), (many, 431), ("BID ME\r\n\r\n".to_owned(), 400)];
    for (head, status) in cases {
        let end = with_peer(pending(), |mut peer| async move {
            peer.send(head).await;
            assert_eq!(peer.reply().await.status, status);
            peer.assert_closed().await;
        })
        .await;
        assert_eq!(end.cause, EndCause::Refused, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_head_is_cut_and_a_slow_body_is_408() {
    let end = with_peer(pending(), |mut peer| async move {
        assert_eq!(peer.post("", "abc").await.status, 200);
        for byte in "POST /b".bytes() {
            peer.send([byte]).await;
            tokio::task::yield_now().await;
            peer.pass(Duration::from_secs(1));
        }
        peer.assert_closed().await;
    })
    .await;
    assert_eq!((end.cause, end.answered), (EndCause::HeadTimeout, 1));

    let end = with_peer(pending(), |mut peer| async move {
        peer.send("POST /bid HTTP/1.1\r\nHost: b\r\nContent-Length: 9\r\n\r\nabc")
            .await;
        let refused = peer.reply().await;
        assert!(refused.status == 408 && refused.closes());
        peer.assert_closed().await;
    })
    .await;
    assert_eq!(end.cause, EndCause::BodyTimeout);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_outlives_the_head_timeout_and_ends_at_its_own() {
    let end = with_peer(pending(), |mut peer| async move {
        peer.pass(Duration::from_secs(59));
        tokio::time::sleep(Duration::from_secs(20)).await;
        assert_eq!(peer.post("", "abc").await.status, 200);
        peer.pass(Duration::from_secs(61));
        peer.assert_closed().await;
    })
    .await;
    assert_eq!((end.cause, end.answered), (EndCause::Idle, 1));
}

#[tokio::test(start_paused = true)]
async fn an_old_connection_closes_with_its_next_answer() {
    let end = with_peer(pending(), |mut peer| async move {
        for _ in 0..11 {
            assert!(!peer.post("", "abc").await.closes());
            peer.pass(Duration::from_secs(55));
            tokio::time::sleep(Duration::from_secs(6)).await;
        }
        assert!(peer.post("", "abc").await.closes());
        peer.assert_closed().await;
    })
    .await;
    assert_eq!((end.cause, end.answered), (EndCause::Aged, 12));
}

#[tokio::test(start_paused = true)]
async fn closing_ends_an_idle_connection_at_once_but_answers_what_has_begun() {
    let (close, closed) = oneshot::channel::<()>();
    let end = with_peer(async { drop(closed.await) }, |mut peer| async move {
        assert_eq!(peer.post("", "abc").await.status, 200);
        close.send(()).unwrap();
        peer.assert_closed().await;
    })
    .await;
    assert_eq!((end.cause, end.answered), (EndCause::Closing, 1));

    for cut in [3, 50] {
        let (close, closed) = oneshot::channel::<()>();
        let end = with_peer(async { drop(closed.await) }, |mut peer| async move {
            let whole = "POST /bid HTTP/1.1\r\nHost: b\r\nContent-Length: 3\r\n\r\nabc";
            peer.send(&whole[..cut]).await;
            tokio::task::yield_now().await;
            close.send(()).unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
            peer.send(&whole[cut..]).await;
            let last = peer.reply().await;
            assert!(last.status == 200 && last.closes());
            peer.assert_closed().await;
        })
        .await;
        assert_eq!((end.cause, end.answered), (EndCause::Closing, 1), "{cut}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_has_to_go_is_not_waited_for_without_end() {
    let end = with_peer(std::future::ready(()), |mut peer| async move {
        peer.send("POST /bid HTT").await;
        tokio::time::sleep(Duration::from_secs(100)).await;
    })
    .await;
    assert_eq!((end.cause, end.answered), (EndCause::Closing, 0));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_waits_is_waited_for_even_while_closing() {
    let (near, mut peer, clock) = pair();
    let (speak, word) = oneshot::channel();
    let (close, closed) = oneshot::channel::<()>();
    let service = Patient(Some(word));
    let closing = async { drop(closed.await) };
    let play = async move {
        peer.send("POST /bid HTTP/1.1\r\nHost: b\r\nContent-Length: 0\r\n\r\n")
            .await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        close.send(()).unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        speak.send("durable").unwrap();
        let reply = peer.reply().await;
        assert!(reply.body == b"durable" && reply.closes());
    };
    let (end, ()) = tokio::join!(
        serve_async_connection(near, LIMITS, service, closing, clock),
        play
    );
    assert_eq!((end.cause, end.answered), (EndCause::Closing, 1));
}

#[tokio::test]
async fn it_works_over_a_socket() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let near = async {
        let (stream, _) = listener.accept().await.unwrap();
        serve_connection(stream, LIMITS, Echo, pending(), Clock::system()).await
    };
    let far = async {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request =
            "POST /bid HTTP/1.1\r\nHost: b\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.unwrap();
        assert!(reply.starts_with("HTTP/1.1 200 OK\r\n") && reply.ends_with("3/3"));
    };
    let (end, ()) = tokio::join!(near, far);
    assert_eq!((end.cause, end.answered), (EndCause::Peer, 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_bytes_make_a_connection_panic_or_hang(
        noise in prop::collection::vec(any::<u8>(), 0..600),
        cut in 0_usize..120,
    ) {
        let plausible = b"POST /bid HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n5\r\nabcde\r\n0\r\n\r\n";
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let end = runtime.block_on(with_peer(pending(), |mut peer| async move {
            peer.send(&plausible[..cut.min(plausible.len())]).await;
            peer.send(&noise).await;
            peer.stream.shutdown().await.unwrap();
            let mut replies = Vec::new();
            drop(peer.stream.read_to_end(&mut replies).await);
            let replies = Bytes::from(replies);
            assert!(replies.is_empty() || replies.starts_with(b"HTTP/1."));
        }));
        prop_assert!(end.answered <= 2);
    }
}
