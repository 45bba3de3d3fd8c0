//! Lanes against servers that stall, close, keep silent and talk nonsense.

use hyper::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::fake::{Act, Fake};
use crate::tasks;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

fn limits(connections: usize, depth: usize, give_up_ms: u64) -> Limits {
    Limits {
        connections,
        depth,
        give_up: Duration::from_millis(give_up_ms),
    }
}

fn shell() -> Shell {
    let body = br#"{"id":"r1","imp":[{"id":"1","banner":{"w":300,"h":250}}]}"#;
    Shell {
        body: Bytes::from_static(body),
        coding: Coding::Plain,
        version: "2.6",
    }
}

type Endings = Rc<RefCell<Vec<(usize, Ended<()>)>>>;

struct Note(Endings);

impl Errand for Note {
    type Item = usize;
    type Kept = ();

    fn ended(&self, job: Job<usize>, how: Ended<&()>) {
        let how = match how {
            Ended::Answered(status, ()) => Ended::Answered(status, ()),
            Ended::Failed(kind, what) => Ended::Failed(kind, what),
        };
        self.0.borrow_mut().push((job.item, how));
    }
}

/// A lane to `target` and the ends of its requests, in the order they came.
fn lane(target: &Target, limits: Limits) -> (Rc<Lane<Note>>, Endings) {
    let endings = Endings::default();
    let lane = Lane::start(target.clone(), limits, Note(Rc::clone(&endings)));
    (lane, endings)
}

fn offer(lane: &Rc<Lane<Note>>, target: &Target, tag: usize) {
    lane.offer(Job {
        at: clock::now(),
        request: shell().bytes(target),
        item: tag,
    });
}

async fn idle(lane: &Rc<Lane<Note>>) {
    while lane.unfinished() > 0 {
        clock::sleep(DRAIN_STEP).await;
    }
}

/// Serves each connection with `serve`, which gets its number.
async fn server<F: Future<Output = ()> + 'static>(
    serve: impl Fn(usize, TcpStream) -> F + 'static,
) -> Target {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tasks::start(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            tasks::start(serve(number, stream));
        }
    });
    Target::parse(&format!("http://{address}/bid")).unwrap()
}

/// Reads one request.
async fn one(stream: &mut TcpStream) {
    let target = Target::parse(&format!("http://{}/bid", stream.local_addr().unwrap())).unwrap();
    let mut bytes = vec![0; shell().bytes(&target).len()];
    stream.read_exact(&mut bytes).await.unwrap();
}

#[test]
fn a_stall_of_a_second_is_waited_through_by_every_request_that_was_due_meanwhile() {
    tasks::run(async {
        let stall = |number, _: &serde_json::Value| {
            (number == 50).then_some(Act::Stall(Duration::from_secs(1)))
        };
        let fake = Fake::start(stall, |_, _| StatusCode::OK).await;
        let target = Target::parse(&fake.url("/bid")).unwrap();
        let range = Range::new(&target, limits(512, 1, 5_000), &[shell()]);
        let volley = range.volley(200, Duration::from_secs(2)).await.unwrap();
        assert_eq!(
            (volley.bids, volley.failures, volley.started),
            (400, 0, 400)
        );
        // 200 of 400 were due in this second, and waited half of it on average.
        assert!(volley.latencies.quantile_ms(0.52) < 400.0);
        assert!(volley.latencies.quantile_ms(0.76) >= 450.0);
        assert!(volley.latencies.quantile_ms(0.95) >= 850.0);
        assert!(volley.latencies.max_ms() >= 990.0);
    })
    .unwrap();
}

#[test]
fn waiting_for_a_connection_is_waiting() {
    tasks::run(async {
        let stall = |number, _: &serde_json::Value| {
            (number == 10).then_some(Act::Stall(Duration::from_millis(400)))
        };
        let fake = Fake::start(stall, |_, _| StatusCode::OK).await;
        let target = Target::parse(&fake.url("/bid")).unwrap();
        let range = Range::new(&target, limits(1, 1, 5_000), &[shell()]);
        let volley = range.volley(200, Duration::from_secs(1)).await.unwrap();
        assert_eq!(volley.bids, 200);
        assert!(volley.latencies.quantile_ms(0.85) >= 190.0);
    })
    .unwrap();
}

#[test]
fn pipelined_requests_are_answered_in_order_however_replies_are_cut() {
    tasks::run(async {
        let target = server(|_, mut stream| async move {
            loop {
                for _ in 0..4 {
                    one(&mut stream).await;
                }
                for piece in OK.repeat(4).chunks(7) {
                    stream.write_all(piece).await.unwrap();
                    tokio::task::yield_now().await;
                }
            }
        })
        .await;
        let (lane, endings) = lane(&target, limits(1, 4, 5_000));
        (0..12).for_each(|tag| offer(&lane, &target, tag));
        idle(&lane).await;
        let expected: Vec<_> = (0..12).map(|tag| (tag, Ended::Answered(200, ()))).collect();
        assert_eq!(*endings.borrow(), expected);
    })
    .unwrap();
}

#[test]
fn a_kept_connection_that_closed_is_replaced_without_a_fault() {
    tasks::run(async {
        // Each connection answers one request and closes.
        let target = server(|_, mut stream| async move {
            one(&mut stream).await;
            stream.write_all(OK).await.unwrap();
        })
        .await;
        let (lane, endings) = lane(&target, limits(1, 1, 5_000));
        for tag in 0..4 {
            offer(&lane, &target, tag);
            idle(&lane).await;
            clock::sleep(DRAIN_STEP).await;
        }
        let all: Vec<_> = endings
            .borrow()
            .iter()
            .map(|(_, how)| how.clone())
            .collect();
        assert_eq!(all, vec![Ended::Answered(200, ()); 4]);
    })
    .unwrap();
}

#[test]
fn a_request_that_was_written_and_not_answered_is_a_failure_and_is_not_sent_again() {
    tasks::run(async {
        let target = server(|_, mut stream| async move { one(&mut stream).await }).await;
        let (lane, endings) = lane(&target, limits(2, 1, 5_000));
        (0..3).for_each(|tag| offer(&lane, &target, tag));
        idle(&lane).await;
        let all = endings.borrow();
        assert_eq!(all.len(), 3);
        let is_broken = |how: &Ended<()>| matches!(how, Ended::Failed("broken", _));
        assert!(all.iter().all(|(_, how)| is_broken(how)), "{all:?}");
    })
    .unwrap();
}

#[test]
fn nonsense_and_a_reply_cut_short_are_failures() {
    tasks::run(async {
        for bytes in [
            &b"SSH-2.0-nonsense\r\n\r\n"[..],
            &OK[..20],
            b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}",
        ] {
            let target = server(move |_, mut stream| async move {
                one(&mut stream).await;
                stream.write_all(bytes).await.unwrap();
            })
            .await;
            let (lane, endings) = lane(&target, limits(1, 1, 5_000));
            offer(&lane, &target, 0);
            idle(&lane).await;
            let all = endings.borrow();
            assert!(
                matches!(all[..], [(0, Ended::Failed("broken", _))]),
                "{all:?}"
            );
        }
    })
    .unwrap();
}

#[test]
fn who_is_silent_is_given_up_and_so_is_who_waits_behind() {
    tasks::run(async {
        let target = server(|_, mut stream| async move {
            let mut bytes = [0; 1_024];
            while stream.read(&mut bytes).await.unwrap_or(0) > 0 {}
        })
        .await;
        let (lane, endings) = lane(&target, limits(1, 1, 60));
        (0..3).for_each(|tag| offer(&lane, &target, tag));
        idle(&lane).await;
        let all = endings.borrow();
        assert_eq!(all.len(), 3);
        let is_given_up = |how: &Ended<()>| matches!(how, Ended::Failed("gave_up", _));
        assert!(all.iter().all(|(_, how)| is_given_up(how)), "{all:?}");
    })
    .unwrap();
}

#[test]
fn an_address_where_nobody_listens_is_named() {
    tasks::run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let target = Target::parse(&format!("http://{address}/bid")).unwrap();
        let (lane, endings) = lane(&target, limits(1, 1, 5_000));
        (0..2).for_each(|tag| offer(&lane, &target, tag));
        idle(&lane).await;
        let all = endings.borrow();
        assert_eq!(all.len(), 2);
        assert!(
            all.iter()
                .all(|(_, how)| matches!(how, Ended::Failed("connect", _))),
            "{all:?}"
        );
    })
    .unwrap();
}

#[test]
fn a_generator_that_lags_makes_a_volley_invalid() {
    let volley = |lagging| Volley {
        started: 100,
        lagging,
        ..Volley::default()
    };
    assert!(volley(1).is_valid());
    assert!(!volley(2).is_valid());
}
