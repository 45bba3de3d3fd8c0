//! Controls of the oracle: a bidder that keeps its books is right; one wrong in a single thing is caught by its name.

use std::collections::BTreeMap;
use std::fs;

use super::*;
use crate::decimal::Micros;
use crate::process::Folder;
use crate::report::Outcome;
use crate::scenario::{BooksRule, Expectations, OracleExpectations};

type Acting = dyn Fn(u64, &Value) -> Option<Act>;

/// A bidder's configuration for these campaigns.
fn config(campaign: &str) -> Folder {
    let folder = Folder::temporary().unwrap();
    fs::create_dir_all(folder.path().join("campaigns")).unwrap();
    fs::write(folder.path().join("bidtree.toml"), "").unwrap();
    for number in 0..3 {
        let file = format!("campaigns/campaign-{number}.toml");
        fs::write(folder.path().join(file), campaign).unwrap();
    }
    folder
}

/// What is in the books of a bidder that books every `/bill` once: cost and impressions by campaign. Tokens are bids' ids,
/// and only those that are known are booked, unless it takes all.
fn booked(notices: &[String], takes: fn(&str) -> bool) -> BTreeMap<String, (i64, u64)> {
    let mut bills: BTreeMap<&str, &str> = BTreeMap::new();
    for path in notices {
        let bill = path.strip_prefix("/bill?t=");
        if let Some((token, price)) = bill.and_then(|rest| rest.split_once("&p=")) {
            bills.entry(token).or_insert(price);
        }
    }
    let mut books: BTreeMap<String, (i64, u64)> = BTreeMap::new();
    for (token, price) in bills.into_iter().filter(|(token, _)| takes(token)) {
        let row = books
            .entry(format!("campaign-{}", token.len() % 3))
            .or_default();
        row.0 += price.parse::<Micros>().unwrap().get();
        row.1 += 1;
    }
    books
}

fn page(books: &BTreeMap<String, (i64, u64)>) -> String {
    let row = |(id, (cost, impressions)): (&String, &(i64, u64))| json!({"id": id, "cost_nanos": {"USD": cost}, "billed_nanos": cost, "billed_today_nanos": 0, "impressions": impressions});
    json!({"campaigns": books.iter().map(row).collect::<Vec<_>>()}).to_string()
}

/// A run in which the bidder's books are expected to be exact.
fn options_with(fake: &Fake, config: &Folder) -> Options {
    let mut options = options(&fake.url("/bid"));
    let scenario = &mut options.scenario;
    scenario.admin = Target::parse(&fake.url("/"));
    scenario.oracle.config = Some(config.path().to_owned());
    scenario.oracle.settle = Duration::ZERO;
    scenario.auction.win_share = Some(1.0);
    scenario.notices.late_share = 0.0;
    // Only what fails for the reason under test.
    scenario.expectations = Expectations::default();
    scenario.expectations.oracle = OracleExpectations {
        books: Some(BooksRule::Exact),
        caps_exceeded_max: Some(0),
        bids_over_budget_max: Some(0),
        forged_booked_max: Some(0),
        slow_bid_ratio_min: None,
    };
    options
}

fn failed(report: &Report) -> Vec<&str> {
    let expectations = report.expectations.iter();
    let failed = expectations.filter(|expectation| expectation.outcome == Outcome::Fail);
    failed
        .map(|expectation| expectation.name.as_str())
        .collect()
}

const RICH: &str = "budget = { daily = \"1000\" }";

/// Runs against a bidder that answers rightly and whose page is made so.
async fn run_with(
    (config, change): (&Folder, fn(&mut Scenario)),
    page_of: impl Fn(&[String]) -> String + 'static,
) -> Report {
    let fake = Fake::start(|_, _| None, accepted).await;
    fake.keep_books(page_of);
    let mut options = options_with(&fake, config);
    change(&mut options.scenario);
    run(&options).await.unwrap().report
}

const fn all(_: &str) -> bool {
    true
}

#[test]
fn exact_books_hold_and_one_nano_too_much_does_not() {
    tasks::run(async {
        let config = config(RICH);
        let right = |notices: &[String]| page(&booked(notices, all));
        let pipelined: fn(&mut Scenario) = |scenario| {
            // All at once, so that many are written together.
            scenario.notices.win_delay_ms = (100, 100);
            scenario.notices.pipelined = 16;
        };
        let report = run_with((&config, pipelined), right).await;
        assert_eq!(failed(&report), [""; 0], "{}", report.text());
        let report = run_with((&config, |_| {}), right).await;
        assert_eq!(failed(&report), [""; 0], "{}", report.text());
        assert!(report.spend["USD"].count > 20);
        assert!(report.text().contains("to the nano: "), "{}", report.text());
        assert_eq!(report.json()["oracle"]["books"]["wrong"], 0);
        let off_by_one = |notices: &[String]| {
            let mut books = booked(notices, all);
            if let Some(row) = books.values_mut().next() {
                row.0 += 1;
            }
            page(&books)
        };
        let report = run_with((&config, |_| {}), off_by_one).await;
        assert_eq!(failed(&report), ["books_exact"]);
        assert!(report.text().contains("OVER-BOOKED"), "{}", report.text());
    })
    .unwrap();
}

#[test]
fn a_bill_that_was_lost_behind_its_acknowledgement_is_found() {
    tasks::run(async {
        let config = config(RICH);
        let forgetful =
            |notices: &[String]| page(&booked(notices, |token| !token.starts_with('7')));
        let report = run_with(
            (&config, |scenario| {
                scenario.expectations.oracle.books = Some(BooksRule::Bounded);
            }),
            forgetful,
        )
        .await;
        assert_eq!(failed(&report), ["books_bounded"]);
        assert!(report.text().contains("UNDER-BOOKED"), "{}", report.text());
    })
    .unwrap();
}

#[test]
fn a_bidder_that_books_forged_bills_is_caught_and_one_that_refuses_them_is_right() {
    tasks::run(async {
        let forge: fn(&mut Scenario) = |scenario| {
            scenario.notices.forged_share = 0.3;
            scenario.notices.lost_share = 0.0;
            scenario.expectations.oracle.books = Some(BooksRule::Bounded);
        };
        let config = config(RICH);
        let report = run_with((&config, forge), |notices| page(&booked(notices, all))).await;
        assert_eq!(failed(&report), ["books_bounded", "forged_booked_max"]);
        assert!(report.notices[&NoticeKind::Forged].sent > 20);

        // This one knows its tokens: the ids of requests that it saw, and the place of the imp.
        let known = std::rc::Rc::new(std::cell::RefCell::new(BTreeSet::new()));
        let (seen, issued) = (std::rc::Rc::clone(&known), std::rc::Rc::clone(&known));
        let act = move |_, asked: &Value| {
            seen.borrow_mut()
                .insert(asked["id"].as_str().unwrap().to_owned());
            None
        };
        let is_known = move |path: &str| {
            let token = path
                .split("t=")
                .nth(1)
                .unwrap_or_default()
                .split('&')
                .next();
            let request = token.unwrap_or_default().rsplit_once('-');
            request.is_some_and(|(id, _)| issued.borrow().contains(id))
        };
        let check = is_known.clone();
        let notice = move |_, path: &str| {
            if check(path) {
                StatusCode::NO_CONTENT
            } else {
                StatusCode::FORBIDDEN
            }
        };
        let fake = Fake::start(act, notice).await;
        fake.keep_books(move |notices| {
            let known: Vec<String> = notices
                .iter()
                .filter(|path| is_known(path))
                .cloned()
                .collect();
            page(&booked(&known, all))
        });
        let mut options = options_with(&fake, &config);
        forge(&mut options.scenario);
        let report = run(&options).await.unwrap().report;
        assert_eq!(failed(&report), [""; 0], "{}", report.text());
        let forged = &report.notices[&NoticeKind::Forged];
        assert_eq!((forged.sent, forged.failed), (forged.refused, 0));
    })
    .unwrap();
}

#[test]
fn a_bid_over_budget_is_caught() {
    tasks::run(async {
        let books = |notices: &[String]| page(&booked(notices, all));
        // Two dollars a thousand, about 200 bids, and money for fifty.
        let poor = config("budget = { total = \"0.05\" }");
        let slowly: fn(&mut Scenario) = |scenario| {
            scenario.seconds = 3;
            scenario.rate = 100;
        };
        let report = run_with((&poor, slowly), books).await;
        assert_eq!(
            failed(&report),
            ["bids_over_budget_max"],
            "{}",
            report.text()
        );
        assert!(
            report.text().contains("over_budget: campaign-"),
            "{}",
            report.text()
        );
    })
    .unwrap();
}

#[test]
fn an_exceeded_cap_is_caught() {
    tasks::run(async {
        let books = |notices: &[String]| page(&booked(notices, all));
        let cap = "frequency = { impressions = 2, within = \"1h\" }\nbudget = { daily = \"1000\" }";
        let capped = config(cap);
        let few: fn(&mut Scenario) = |scenario| scenario.traffic.users = 5;
        let report = run_with((&capped, few), books).await;
        assert_eq!(failed(&report), ["caps_exceeded_max"], "{}", report.text());
        assert!(report.oracle.findings.capped_impressions.count > 0);
    })
    .unwrap();
}

#[test]
fn a_missing_macro_and_a_price_under_the_floor_are_caught() {
    tasks::run(async {
        let wrong = |number: u64, asked: &Value| {
            let mut answer = right_answer(asked, "127.0.0.1:1");
            let bid = &mut answer["seatbid"][0]["bid"][0];
            if number.is_multiple_of(2) {
                let burl = bid["burl"]
                    .as_str()
                    .unwrap()
                    .replace("${AUCTION_PRICE}", "1");
                bid["burl"] = json!(burl);
            } else {
                bid["price"] = json!(0.01);
            }
            Some(Act::Answer(StatusCode::OK, answer))
        };
        let fake = Fake::start(wrong, accepted).await;
        let mut options = options(&fake.url("/bid"));
        options.scenario.notices.retries = 0;
        let report = run(&options).await.unwrap().report;
        let kinds: BTreeSet<FaultKind> = report.tally.faults.keys().copied().collect();
        let wanted = [FaultKind::MacroPrice, FaultKind::BelowFloor];
        assert_eq!(kinds, BTreeSet::from(wanted), "{}", report.text());
        assert!(failed(&report).contains(&"fault_share_max"));
        // An exchange says why it did not take them.
        assert!(report.tally.auctions.losses[&100] > 20);
    })
    .unwrap();
}

#[test]
fn a_bidder_that_drops_its_slowest_requests_is_caught() {
    // Every fourth request takes long: an honest bidder bids late, the other one gives up in time.
    let slow = Duration::from_millis(400);
    let is_slow = |number: u64| number.is_multiple_of(4);
    let run_slow = |act: Box<Acting>| async {
        let fake = Fake::start(act, accepted).await;
        let mut options = options(&fake.url("/bid"));
        options.scenario.expectations = Expectations::default();
        options.scenario.expectations.p99_ms_max = Some(1_000.0);
        options.scenario.expectations.oracle.slow_bid_ratio_min = Some(0.5);
        run(&options).await.unwrap().report
    };
    tasks::run(async {
        let honest = move |number, _: &Value| is_slow(number).then_some(Act::Delay(slow));
        assert_eq!(failed(&run_slow(Box::new(honest)).await), [""; 0]);
        let sheds = move |number, _: &Value| is_slow(number).then_some(Act::Shed(slow / 2));
        assert_eq!(
            failed(&run_slow(Box::new(sheds)).await),
            ["slow_bid_ratio_min"]
        );
        // Nor is one faster that breaks its connections: who gets no answer has waited until it gives up.
        let breaks = move |number, _: &Value| is_slow(number).then_some(Act::Break);
        assert_eq!(failed(&run_slow(Box::new(breaks)).await), ["p99_ms_max"]);
    })
    .unwrap();
}

#[test]
fn what_an_expectation_needs_is_asked_for_before_the_run() {
    tasks::run(async {
        let fake = Fake::start(|_, _| None, accepted).await;
        let config = config(RICH);
        let mut options = options_with(&fake, &config);
        // A notice is answered 204, and no page.
        let error = run(&options).await.unwrap_err().to_string();
        assert!(
            error.contains("/campaigns") && error.contains("admin"),
            "{error}"
        );
        // Without the key it is the server's, and that is not here.
        options.scenario.oracle.config = None;
        options.scenario.server.config = config.path().join("nowhere");
        let error = run(&options).await.unwrap_err().to_string();
        assert!(
            error.contains("nowhere") && error.contains("--config"),
            "{error}"
        );
    })
    .unwrap();
}
