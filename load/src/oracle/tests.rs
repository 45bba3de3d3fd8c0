//! The ledger, the caps and the budgets.

use std::fs;

use super::*;
use crate::process::Folder;

const SECOND: u64 = 1_000;
/// 2026-03-28T12:00:00Z: noon, so that no day ends nearby.
const NOON: u64 = 1_774_699_200_000;

/// An oracle that knows one campaign, `c`, by these lines of its file.
fn oracle(campaign: &str) -> Oracle {
    let temporary = Folder::temporary().unwrap();
    let folder = temporary.path();
    fs::create_dir_all(folder.join("campaigns")).unwrap();
    fs::write(
        folder.join("bidtree.toml"),
        "[rates.in_usd]\nEUR = \"1.08\"\n",
    )
    .unwrap();
    fs::write(folder.join("campaigns/c.toml"), campaign).unwrap();
    let catalogue = Catalogue::read(folder).unwrap();
    Oracle::new(catalogue, NOON)
}

fn offer(at_ms: u64) -> Offer<'static> {
    Offer {
        campaign: "c",
        currency: "USD",
        price: Micros::new(2_000_000),
        person: Some(7),
        left_ms: at_ms,
        answered_ms: at_ms + 5,
    }
}

/// Bids at a moment, and is billed a tenth of a second later.
fn shown(oracle: &mut Oracle, at_ms: u64) -> Bill {
    let entry = oracle.bid(&offer(at_ms)).unwrap();
    let bill = Bill {
        entry,
        price: Micros::new(2_000_000),
    };
    oracle.notice_sent(&bill, at_ms + 90);
    oracle.notice_acknowledged(&bill, at_ms + 100);
    bill
}

fn total(count: u64, cost_nanos: i64) -> Total {
    Total { count, cost_nanos }
}

#[test]
fn a_bill_counts_once_however_often_it_is_sent_and_acknowledged() {
    let mut oracle = Oracle::default();
    let first = shown(&mut oracle, NOON);
    for _ in 0..3 {
        oracle.notice_sent(&first, NOON);
        oracle.notice_acknowledged(&first, NOON);
    }
    let second = Bill {
        entry: oracle.bid(&offer(NOON)).unwrap(),
        price: Micros::new(1_000_001),
    };
    oracle.notice_sent(&second, NOON);
    let file = oracle.file();
    assert_eq!(file.accounts.len(), 1);
    assert_eq!(file.accounts[0].sent, total(2, 3_000_001));
    assert_eq!(file.accounts[0].acknowledged, total(1, 2_000_000));
    assert_eq!(oracle.spend()["USD"], total(1, 2_000_000));
    assert_eq!(oracle.bids(), 2);
    assert!(file.charges.is_empty());
}

#[test]
fn accounts_are_kept_per_campaign_and_currency_and_survive_a_file() {
    let mut oracle = Oracle::default();
    for (campaign, currency) in [("c", "USD"), ("d", "USD"), ("c", "EUR"), ("c", "USD")] {
        let offer = Offer {
            campaign,
            currency,
            ..offer(NOON)
        };
        let entry = oracle.bid(&offer).unwrap();
        let price = offer.price;
        oracle.notice_acknowledged(&Bill { entry, price }, NOON);
    }
    let file = oracle.file();
    let names: Vec<(&str, &str)> = file
        .accounts
        .iter()
        .map(|account| (account.campaign.as_str(), account.currency.as_str()))
        .collect();
    assert_eq!(names, [("c", "EUR"), ("c", "USD"), ("d", "USD")]);
    let text = serde_json::to_string(&file).unwrap();
    assert_eq!(serde_json::from_str::<OracleFile>(&text).unwrap(), file);
}

#[test]
fn a_charge_has_the_margin_and_the_campaigns_currency() {
    let mut plain = oracle("margin_percent = \"12.5\"\nbudget = { daily = \"9\" }");
    shown(&mut plain, NOON);
    let [account] = &plain.file().charges[..] else {
        panic!("one account")
    };
    let charge = Charge {
        least_nanos: 2_250_000,
        most_nanos: 2_250_000,
    };
    assert_eq!((account.sent, account.acknowledged), (charge, charge));
    let mut euro = oracle("currency = \"EUR\"\nbudget = { daily = \"9\" }");
    shown(&mut euro, NOON);
    // Two dollars a thousand are 1.851851… euros.
    assert_eq!(euro.file().charges[0].sent.most_nanos, 1_851_852);
}

const CAPPED: &str = "frequency = { impressions = 2, within = \"1m\" }\nbudget = { daily = \"9\" }";

#[test]
fn a_bid_for_somebody_who_has_seen_enough_is_found_and_one_after_the_window_is_right() {
    let mut oracle = oracle(CAPPED);
    shown(&mut oracle, NOON);
    shown(&mut oracle, NOON + 2 * SECOND);
    assert_eq!(oracle.findings().caps_exceeded(), 0);
    oracle.bid(&offer(NOON + 10 * SECOND));
    assert_eq!(oracle.findings().capped_bids.count, 1);
    assert!(oracle.findings().text().contains("2 times of 2"));
    // Somebody else, and the same one when the first impression is out of the window.
    let other = Offer {
        person: Some(8),
        ..offer(NOON + 10 * SECOND)
    };
    oracle.bid(&other);
    oracle.bid(&offer(NOON + 60 * SECOND + 90));
    assert_eq!(oracle.findings().caps_exceeded(), 1);
}

#[test]
fn what_was_acknowledged_only_now_cannot_be_known_to_a_bid() {
    let mut oracle = oracle(CAPPED);
    shown(&mut oracle, NOON);
    shown(&mut oracle, NOON);
    oracle.bid(&offer(NOON + 900));
    assert_eq!(oracle.findings().capped_bids.count, 0);
    oracle.bid(&offer(NOON + 1_100));
    assert_eq!(oracle.findings().capped_bids.count, 1);
}

#[test]
fn an_impression_above_the_cap_is_found_but_for_one_that_was_billed_too_late() {
    let mut oracle =
        oracle("frequency = { impressions = 1, within = \"1h\" }\nbudget = { daily = \"9\" }");
    let both: Vec<Entry> = (0..2).filter_map(|_| oracle.bid(&offer(NOON))).collect();
    for entry in both {
        let price = Micros::new(1);
        oracle.notice_acknowledged(&Bill { entry, price }, NOON + SECOND);
    }
    assert_eq!(oracle.findings().capped_impressions.count, 1);
    let mut late = self::oracle(
        CAPPED
            .replace("2, within = \"1m\"", "1, within = \"2h\"")
            .as_str(),
    );
    let first = late.bid(&offer(NOON)).unwrap();
    let after_hold = NOON + 301 * SECOND;
    shown(&mut late, after_hold);
    let price = Micros::new(1);
    late.notice_acknowledged(
        &Bill {
            entry: first,
            price,
        },
        after_hold + SECOND,
    );
    assert_eq!(late.findings().caps_exceeded(), 0);
}

#[test]
fn a_capped_campaign_does_not_bid_for_somebody_unknown() {
    let mut oracle = oracle(CAPPED);
    let unknown = Offer {
        person: None,
        ..offer(NOON)
    };
    oracle.bid(&unknown);
    assert_eq!(oracle.findings().unknown_person.count, 1);
}

/// A budget of five impressions at two dollars a thousand.
const POOR: &str = "budget = { daily = \"0.01\" }\ntime_zone = \"Asia/Singapore\"";

#[test]
fn a_bid_after_the_days_budget_is_found_and_one_of_the_next_day_is_right() {
    let mut oracle = oracle(POOR);
    for place in 0..5 {
        shown(&mut oracle, NOON + place * 10);
    }
    // The money is gone to the nano, and that can be known a second later.
    oracle.bid(&offer(NOON + 500));
    assert_eq!(oracle.findings().over_budget.count, 0);
    oracle.bid(&offer(NOON + 3 * SECOND));
    assert_eq!(oracle.findings().over_budget.count, 1);
    // Midnight in Singapore is at 16:00 UTC. Right at it nobody can say which day it is.
    let midnight = NOON + 4 * 3_600 * SECOND;
    oracle.bid(&offer(midnight - SECOND));
    oracle.bid(&offer(midnight + SECOND));
    assert_eq!(oracle.findings().over_budget.count, 1);
    oracle.bid(&offer(midnight - 10 * SECOND));
    assert_eq!(oracle.findings().over_budget.count, 2);
}

#[test]
fn a_total_budget_outlasts_its_days_and_what_was_charged_before_the_run_counts() {
    let mut oracle = oracle("budget = { total = \"0.01\" }");
    oracle.charged_before("c", 0, 9_000_000);
    oracle.bid(&offer(NOON));
    assert_eq!(oracle.findings().over_budget.count, 1);
    let mut daily = self::oracle(POOR);
    daily.charged_before("c", 8_000_000, 900_000_000);
    daily.bid(&offer(NOON));
    assert_eq!(daily.findings().over_budget.count, 0);
    daily.charged_before("c", 1, 1);
    daily.bid(&offer(NOON + 1));
    assert_eq!(daily.findings().over_budget.count, 1);
    assert!(daily.findings().over_budget.first.contains("a day"));
}

/// Fills an oracle as it takes the most room: with bids of a campaign that has a cap, each for somebody else, half of them
/// billed.
fn filled(bids: u64) -> Oracle {
    let mut oracle = oracle(CAPPED);
    for number in 0..bids {
        let at = NOON + number / 20;
        let offer = Offer {
            person: Some(number),
            ..offer(at)
        };
        let entry = oracle.bid(&offer).unwrap();
        if number % 2 == 0 {
            let price = offer.price;
            oracle.notice_acknowledged(&Bill { entry, price }, at + 100);
        }
    }
    oracle
}

#[test]
fn a_hundred_thousand_bids_take_less_than_100_bytes_each() {
    let oracle = filled(100_000);
    let each = oracle.bytes() / oracle.bids();
    assert!((32..100).contains(&each), "{each} bytes a bid");
}

/// Really holds them, and prints what the system says: `cargo test --release -p bidtree-load ten_million -- --ignored
/// --nocapture`.
#[test]
#[ignore = "takes a gigabyte and some seconds"]
fn ten_million_bids_take_less_than_two_gibibytes() {
    let oracle = filled(10_000_000);
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap();
    let kibibytes: u64 = peak.split_whitespace().nth(1).unwrap().parse().unwrap();
    println!(
        "{} bids: {} MiB by the oracle's own count, {} MiB resident at most",
        oracle.bids(),
        oracle.bytes() >> 20,
        kibibytes >> 10
    );
    assert!(kibibytes < 2 << 20);
}
