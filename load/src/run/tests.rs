//! Runs against a bidder that is right, wrong, slow, or gone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hyper::StatusCode;
use serde_json::{Value, json};

use super::*;
use crate::check::FaultKind;
use crate::fake::{Act, Fake, right_answer};
use crate::notices::NoticeKind;
use crate::scenario::Start;
use crate::tasks;
use crate::wire::Target;

mod oracle;

const fn accepted(_: u64, _: &str) -> StatusCode {
    StatusCode::NO_CONTENT
}

/// A short run against a bidder at `url`.
fn options(url: &str) -> Options {
    let mut scenario = Scenario::load("steady").unwrap();
    for exchange in &mut scenario.exchanges {
        exchange.target = Target::parse(url).unwrap();
    }
    scenario.admin = None;
    scenario.server.start = Start::Never;
    scenario.rate = 200;
    scenario.seconds = 1;
    scenario.drain = Duration::from_secs(5);
    let notices = &mut scenario.notices;
    notices.win_delay_ms = (0, 5);
    notices.billing_delay_ms = (0, 20);
    notices.late_ms = 50;
    notices.retry_ms = 10;
    notices.duplicate_share = 0.3;
    notices.lost_share = 0.05;
    // Others use this machine too.
    scenario.expectations.p99_ms_max = None;
    scenario.expectations.late_share_max = None;
    scenario.expectations.bills_min = Some(20);
    // Most of these bidders keep no books.
    scenario.expectations.oracle = crate::scenario::OracleExpectations::default();
    scenario.traffic.tmax_ms = (4_000, 5_000);
    Options {
        scenario,
        ready_wait: Duration::ZERO,
        expectations: Enforcement::Enforced,
        progress: Progress::Silent,
        lodging: Lodging::default(),
    }
}

/// What a bidder books that books everything once: nanos of cost.
fn booked(notices: &[String]) -> i64 {
    let mut bills: BTreeMap<&str, &str> = BTreeMap::new();
    for path in notices {
        if let Some(rest) = path.strip_prefix("/bill?t=") {
            let (token, price) = rest.split_once("&p=").unwrap();
            bills.insert(token, price);
        }
    }
    let micros = |price: &&str| price.parse::<crate::decimal::Micros>().unwrap().get();
    bills.values().map(micros).sum()
}

#[test]
fn a_right_bidder_passes_and_its_books_agree_with_the_oracle() {
    tasks::run(async {
        let fake = Fake::start(|_, _| None, accepted).await;
        let finished = run(&options(&fake.url("/bid"))).await.unwrap();
        let report = &finished.report;
        assert!(report.holds(), "{}", report.text());
        let all = report.tally.all();
        assert_eq!((all.requests, all.bids, all.failures), (200, 200, 0));
        let spend = &report.spend["USD"];
        assert!(spend.count > 20, "{spend:?}");
        assert_eq!(spend.cost_nanos, booked(&fake.notices()));
        // Some were repeated, none counted twice.
        let billing = &report.notices[&NoticeKind::Billing];
        assert!(billing.sent > billing.acknowledged, "{billing:?}");
        assert_eq!(billing.acknowledged, spend.count);
        let json = report.json();
        assert_eq!(json["all"]["bids"], 200);
        assert_eq!(json["holds"], true);
        for name in ["adx", "xandr", "openrtb", "sg", "row", "billing", "PASS"] {
            assert!(report.text().contains(name), "{name}");
        }
    })
    .unwrap();
}

#[test]
fn a_stalled_bidder_is_charged_for_every_request_that_was_due_meanwhile() {
    tasks::run(async {
        let stall =
            |number, _: &Value| (number == 50).then_some(Act::Stall(Duration::from_millis(400)));
        let fake = Fake::start(stall, accepted).await;
        let finished = run(&options(&fake.url("/bid"))).await.unwrap();
        let all = finished.report.tally.all();
        // 80 requests were due in these 400 ms, half of them in the first 200 ms. Who waits for answers before sending
        // sees one slow request for each connection.
        assert!(
            all.latencies.quantile_ms(0.85) >= 190.0,
            "{}",
            finished.report.text()
        );
        assert!(all.latencies.max_ms() >= 390.0);
        assert_eq!(all.requests, 200);
    })
    .unwrap();
}

#[test]
fn waiting_for_a_free_connection_counts_as_latency() {
    tasks::run(async {
        let stall =
            |number, _: &Value| (number == 50).then_some(Act::Stall(Duration::from_millis(400)));
        let fake = Fake::start(stall, accepted).await;
        let mut options = options(&fake.url("/bid"));
        options.scenario.connections_max = 1;
        let finished = run(&options).await.unwrap();
        let all = finished.report.tally.all();
        assert!(
            all.latencies.quantile_ms(0.85) >= 190.0,
            "{}",
            finished.report.text()
        );
    })
    .unwrap();
}

#[test]
fn a_wrong_bidder_fails_and_its_faults_are_named() {
    tasks::run(async {
        let wrong = |number: u64, asked: &Value| {
            let mut answer = right_answer(asked, "127.0.0.1:1");
            match number % 4 {
                0 => answer["id"] = json!("other"),
                1 => answer["seatbid"][0]["bid"][0]["price"] = json!(0),
                2 => return Some(Act::Answer(StatusCode::INTERNAL_SERVER_ERROR, json!({}))),
                _ => return Some(Act::Answer(StatusCode::NO_CONTENT, json!({}))),
            }
            Some(Act::Answer(StatusCode::OK, answer))
        };
        let fake = Fake::start(wrong, accepted).await;
        let mut options = options(&fake.url("/bid"));
        options.scenario.notices.retries = 0;
        let finished = run(&options).await.unwrap();
        let report = &finished.report;
        assert!(!report.holds());
        let kinds: BTreeSet<FaultKind> = report.tally.faults.keys().copied().collect();
        let wanted = [FaultKind::ResponseId, FaultKind::Price, FaultKind::Status];
        assert_eq!(kinds, BTreeSet::from(wanted), "{}", report.text());
        let all = report.tally.all();
        assert_eq!((all.faulty, all.no_bids), (150, 50));
        assert!(report.text().contains("FAIL  fault_share_max"));
    })
    .unwrap();
}

#[test]
fn broken_connections_are_counted_and_the_run_goes_on() {
    tasks::run(async {
        let breaks = |number: u64, _: &Value| number.is_multiple_of(10).then_some(Act::Break);
        let fake = Fake::start(breaks, accepted).await;
        let finished = run(&options(&fake.url("/bid"))).await.unwrap();
        let all = finished.report.tally.all();
        assert_eq!((all.requests, all.failures, all.bids), (200, 20, 180));
        assert!(!finished.report.holds());
    })
    .unwrap();
}

#[test]
fn an_unacknowledged_notice_is_sent_again_and_only_an_acknowledged_one_counts() {
    tasks::run(async {
        // Each path is refused once, then taken.
        let seen = std::cell::RefCell::new(BTreeSet::new());
        let refuse_first = move |_, path: &str| {
            if seen.borrow_mut().insert(path.to_owned()) {
                StatusCode::SERVICE_UNAVAILABLE
            } else {
                StatusCode::NO_CONTENT
            }
        };
        let fake = Fake::start(|_, _| None, refuse_first).await;
        let finished = run(&options(&fake.url("/bid"))).await.unwrap();
        let billing = &finished.report.notices[&NoticeKind::Billing];
        assert_eq!(billing.failed, 0, "{billing:?}");
        assert!(billing.sent >= 2 * billing.acknowledged);

        let fake = Fake::start(|_, _| None, |_, _| StatusCode::SERVICE_UNAVAILABLE).await;
        let finished = run(&options(&fake.url("/bid"))).await.unwrap();
        assert!(!finished.report.holds());
        for account in &finished.oracle.accounts {
            assert_eq!(account.acknowledged.count, 0);
            assert!(account.sent.count > 0);
        }
    })
    .unwrap();
}

#[test]
fn a_bidder_that_is_not_there_is_named() {
    tasks::run(async {
        // A port that was free a moment ago.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let error = run(&options(&format!("http://{address}/bid")))
            .await
            .unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains(&address.to_string()) && text.contains("--ready-wait"),
            "{text}"
        );
    })
    .unwrap();
}

#[test]
fn a_run_without_checks_counts_answers_and_reports_nothing_back() {
    tasks::run(async {
        let act = |number: u64, _: &Value| {
            let status = match number % 4 {
                0 => StatusCode::BAD_REQUEST,
                1 => StatusCode::NO_CONTENT,
                _ => return None,
            };
            Some(Act::Answer(status, json!({})))
        };
        let fake = Fake::start(act, accepted).await;
        let mut options = options(&fake.url("/bid"));
        options.scenario.checks = Checks::None;
        let finished = run(&options).await.unwrap();
        let tally = &finished.report.tally;
        let all = tally.all();
        assert_eq!(
            (all.requests, all.bids, all.no_bids, all.faulty),
            (200, 100, 50, 50)
        );
        assert_eq!(tally.faults[&FaultKind::Status].count, 50);
        assert!(tally.exchanges.iter().all(|lane| lane.requests > 0));
        assert!(fake.notices().is_empty());
        assert!(finished.report.text().contains("cost the generator itself"));
    })
    .unwrap();
}

#[test]
fn a_stall_shows_without_checks_too() {
    tasks::run(async {
        let stall =
            |number, _: &Value| (number == 50).then_some(Act::Stall(Duration::from_millis(400)));
        let fake = Fake::start(stall, accepted).await;
        let mut options = options(&fake.url("/bid"));
        options.scenario.checks = Checks::None;
        let finished = run(&options).await.unwrap();
        let all = finished.report.tally.all();
        assert!(all.latencies.quantile_ms(0.85) >= 190.0);
        assert_eq!(all.requests, 200);
    })
    .unwrap();
}

#[test]
fn a_recorded_request_is_answered_and_checked_like_any_other() {
    tasks::run(async {
        // One right answer, then bids below the floor that only the recorded body tells of.
        let low = |number: u64, asked: &Value| {
            let mut answer = right_answer(asked, "127.0.0.1:1");
            answer["seatbid"][0]["bid"][0]["price"] = json!(0.5);
            (number > 1).then_some(Act::Answer(StatusCode::OK, answer))
        };
        let fake = Fake::start(low, accepted).await;
        let mut options = options(&fake.url("/bid"));
        let scenario = &mut options.scenario;
        let folder = crate::process::Folder::temporary().unwrap();
        let file = folder.path().join("recorded.jsonl");
        let line = |at: u64| {
            json!({"at_ms": at, "request": {"id": "same", "device": {"geo": {"country": "THA"}}, "imp": [
                {"id": "7", "bidfloor": 1.25, "banner": {"w": 300, "h": 250}}]}})
        };
        std::fs::write(&file, format!("{}\n{}\n{}\n", line(0), line(5), line(9))).unwrap();
        let recording = crate::replay::Recording::of_lines(&file, crate::replay::Ids::Fresh);
        scenario.traffic.recording = Some(std::sync::Arc::new(recording.unwrap()));
        scenario.arrivals = crate::arrivals::Arrivals::Replayed { speed_percent: 100 };
        scenario.notices.retries = 0;
        let finished = run(&options).await.unwrap();
        let tally = &finished.report.tally;
        assert_eq!((tally.started, tally.all().bids), (3, 3));
        let kinds: Vec<_> = tally.faults.iter().map(|(kind, found)| (*kind, found.count)).collect();
        assert_eq!(kinds, [(FaultKind::BelowFloor, 2)], "{}", finished.report.text());
        assert_eq!(tally.regions[2].requests, 3);
    })
    .unwrap();
}
