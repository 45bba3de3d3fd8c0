use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::scenario::{Barrage, Siege};

/// What a bidder for these tests does with a connection.
#[derive(Clone, Copy)]
enum Manner {
    /// Answers every head with this status, whatever the body, and closes.
    Answers(u16),
    /// Closes at once.
    Closes,
    /// Reads for ever.
    Listens,
}

/// Every first line that it got, and how many connections.
#[derive(Default)]
struct Visits {
    lines: RefCell<Vec<String>>,
    connections: Cell<usize>,
    bytes: Cell<usize>,
}

async fn bidder(manner: Manner) -> (Target, Rc<Visits>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = Target::parse(&format!("http://{}/bid", listener.local_addr().unwrap())).unwrap();
    let visits = Rc::new(Visits::default());
    let seen = Rc::clone(&visits);
    tasks::start(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            seen.connections.set(seen.connections.get() + 1);
            let seen = Rc::clone(&seen);
            tasks::start(async move {
                let mut buffer = vec![0; 65_536];
                let mut is_first = true;
                if matches!(manner, Manner::Closes) {
                    return;
                }
                while let Ok(read) = stream.read(&mut buffer).await
                    && read > 0
                {
                    seen.bytes.set(seen.bytes.get() + read);
                    let text = String::from_utf8_lossy(&buffer[..read]);
                    if std::mem::take(&mut is_first) {
                        let line = text.lines().next().unwrap_or_default();
                        seen.lines.borrow_mut().push(line.to_owned());
                        if let Manner::Answers(status) = manner {
                            let answer =
                                format!("HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\n{{}}");
                            stream.write_all(answer.as_bytes()).await.ok();
                        }
                    }
                }
            });
        }
    });
    (target, visits)
}

/// Strikes once with each of `acts` at a bidder that is also the admin server, and waits until they are over.
async fn strike(target: &Target, acts: &[Act]) -> (Vec<Seen>, Vec<String>) {
    let injections: Vec<Injection> = acts
        .iter()
        .map(|act| Injection {
            at: Duration::ZERO,
            repeat: 1,
            every: Duration::ZERO,
            act: act.clone(),
        })
        .collect();
    let tools = Tools {
        exchanges: vec![("one".to_owned(), target.clone())],
        admin: Some(Admin::new(target)),
        server: None,
        seed: 1,
    };
    let marks = Rc::new(Marks::default());
    let span = (Origin::now(), Duration::from_secs(30));
    let injector = Injector::new(&injections, tools, &marks, span);
    Injector::start(&injector);
    let count = u64::try_from(acts.len()).unwrap();
    let strikes = || injector.seen().iter().map(|seen| seen.strikes).sum::<u64>();
    while strikes() < count || injector.under_way() > 0 {
        clock::sleep(Duration::from_millis(5)).await;
    }
    let marks = marks.all().into_iter().map(|mark| mark.label).collect();
    (injector.seen(), marks)
}

fn barrage(count: u64) -> Barrage {
    Barrage {
        exchange: None,
        count,
        per_second: 10_000,
    }
}

fn siege(ms: u64) -> Siege {
    Siege {
        exchange: Some("one".to_owned()),
        connections: 5,
        time: Duration::from_millis(ms),
    }
}

#[test]
fn orders_reach_the_admin_server_by_path() {
    tasks::run(async {
        let (target, visits) = bidder(Manner::Answers(200)).await;
        let point = Act::FailPoint {
            name: "exchanges/adx/bid_engine".to_owned(),
            query: "do=panic&one_in=3".to_owned(),
        };
        let acts = [
            Act::KillChild("regions/sg/ledger".to_owned()),
            Act::Recover("exchanges/adx".to_owned()),
            point,
        ];
        let (seen, marks) = strike(&target, &acts).await;
        let mut lines = visits.lines.borrow().clone();
        lines.sort();
        assert_eq!(
            lines,
            [
                "POST /fail-points/exchanges/adx/bid_engine?do=panic&one_in=3 HTTP/1.1",
                "POST /tree/exchanges/adx/recover HTTP/1.1",
                "POST /tree/regions/sg/ledger/kill HTTP/1.1",
            ]
        );
        assert!(seen.iter().all(|seen| seen.effective == 1), "{seen:?}");
        assert_eq!(marks.len(), 3);
    })
    .unwrap();
}

#[test]
fn an_order_that_is_refused_took_no_effect() {
    tasks::run(async {
        let (target, _) = bidder(Manner::Answers(403)).await;
        let (seen, _) = strike(&target, &[Act::KillChild("store".to_owned())]).await;
        assert_eq!((seen[0].strikes, seen[0].effective), (1, 0));
        let why = seen[0].example.as_deref().unwrap();
        assert!(
            why.contains("/tree/store/kill") && why.contains("403"),
            "{why}"
        );
    })
    .unwrap();
}

#[test]
fn refusals_of_malformed_bodies_are_right_and_everything_else_is_wrong() {
    tasks::run(async {
        for (manner, wrong, name) in [
            (Manner::Answers(400), 0, "400"),
            (Manner::Answers(204), 0, "204"),
            (Manner::Answers(500), 14, "500"),
            (Manner::Closes, 14, "closed"),
        ] {
            let (target, visits) = bidder(manner).await;
            let (seen, _) = strike(&target, &[Act::Malformed(barrage(14))]).await;
            assert_eq!(seen[0].outcomes, [(name.to_owned(), 14)].into());
            assert_eq!(seen[0].wrong, wrong, "{name}");
            assert_eq!(visits.connections.get(), 14);
        }
    })
    .unwrap();
}

#[test]
fn bombs_arrive_packed() {
    tasks::run(async {
        let (target, visits) = bidder(Manner::Answers(413)).await;
        let bombs = Act::GzipBombs {
            barrage: barrage(3),
            mebibytes: 8,
        };
        let (seen, _) = strike(&target, &[bombs]).await;
        assert_eq!(seen[0].outcomes, [("413".to_owned(), 3)].into());
        assert!(visits.bytes.get() < 3 << 16, "{}", visits.bytes.get());
    })
    .unwrap();
}

#[test]
fn held_connections_last_as_long_as_they_are_told_or_the_server_bears_them() {
    tasks::run(async {
        let slow = || Act::SlowBodies {
            siege: siege(120),
            byte_every: Duration::from_millis(10),
        };
        let acts = [Act::Idle(siege(120)), Act::HalfOpen(siege(120)), slow()];
        let (target, visits) = bidder(Manner::Listens).await;
        let (seen, _) = strike(&target, &acts).await;
        for seen in &seen {
            assert_eq!(seen.outcomes, [("held to the end".to_owned(), 5)].into());
        }
        assert_eq!(visits.connections.get(), 15);
        // Idle connections said nothing.
        assert_eq!(visits.lines.borrow().len(), 10);

        let (target, _) = bidder(Manner::Closes).await;
        let (seen, _) = strike(&target, &acts).await;
        for seen in &seen {
            assert_eq!(seen.outcomes, [("closed".to_owned(), 5)].into());
        }
        let (target, _) = bidder(Manner::Answers(408)).await;
        let (seen, _) = strike(&target, &[slow()]).await;
        assert_eq!(seen[0].outcomes, [("408".to_owned(), 5)].into());
    })
    .unwrap();
}

#[test]
fn without_a_server_of_its_own_nothing_is_killed() {
    tasks::run(async {
        let (target, _) = bidder(Manner::Answers(200)).await;
        let acts = [
            Act::KillServer(Duration::ZERO),
            Act::PauseServer(Duration::ZERO),
        ];
        let (seen, _) = strike(&target, &acts).await;
        assert!(
            seen.iter()
                .all(|seen| seen.effective == 0 && seen.example.is_some())
        );
    })
    .unwrap();
}
