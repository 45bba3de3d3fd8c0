//! Books against the oracle, right and wrong.

use super::*;
use crate::oracle::{Charge, Total};

fn books(rows: &[(&str, &str, i64)]) -> Books {
    let mut books = Books::default();
    for (campaign, currency, cost) in rows {
        let costs = books.campaigns.entry((*campaign).to_owned()).or_default();
        costs.insert((*currency).to_owned(), *cost);
    }
    books
}

fn oracle(rows: &[(&str, &str, i64, i64)]) -> OracleFile {
    let total = |cost_nanos| Total {
        count: 1,
        cost_nanos,
    };
    let accounts = rows
        .iter()
        .map(|(campaign, currency, acknowledged, sent)| Account {
            campaign: (*campaign).to_owned(),
            currency: (*currency).to_owned(),
            sent: total(*sent),
            acknowledged: total(*acknowledged),
        });
    OracleFile {
        accounts: accounts.collect(),
        charges: Vec::new(),
    }
}

fn findings(books: &Books, before: &Books, oracle: &OracleFile) -> Vec<Finding> {
    compare(books, before, oracle)
        .iter()
        .map(Row::finding)
        .collect()
}

#[test]
fn anything_between_acknowledged_and_sent_is_right() {
    let oracle = oracle(&[("a", "USD", 100, 130), ("b", "EUR", 50, 50)]);
    for booked in [100, 115, 130] {
        let books = books(&[("a", "USD", booked), ("b", "EUR", 50), ("idle", "USD", 0)]);
        let rows = compare(&books, &Books::default(), &oracle);
        assert_eq!(rows.len(), 2);
        assert!(are_right(&rows), "{}", table(&rows));
    }
}

#[test]
fn a_missing_bill_and_an_invented_one_are_found() {
    let oracle = oracle(&[("a", "USD", 100, 130)]);
    let nothing = Books::default();
    assert_eq!(
        findings(&books(&[("a", "USD", 99)]), &nothing, &oracle),
        [Finding::Under]
    );
    assert_eq!(
        findings(&books(&[("a", "USD", 131)]), &nothing, &oracle),
        [Finding::Over]
    );
    assert_eq!(findings(&nothing, &nothing, &oracle), [Finding::Under]);
    let other = books(&[("a", "USD", 100), ("b", "USD", 1)]);
    assert_eq!(
        findings(&other, &nothing, &oracle),
        [Finding::Right, Finding::Over]
    );
    let wrong_currency = books(&[("a", "EUR", 100)]);
    assert_eq!(
        findings(&wrong_currency, &nothing, &oracle),
        [Finding::Over, Finding::Under]
    );
    let text = table(&compare(&other, &nothing, &oracle));
    assert!(
        text.contains("OVER-BOOKED") && text.contains("1 over-booked"),
        "{text}"
    );
}

#[test]
fn what_was_booked_before_the_run_does_not_count() {
    let oracle = oracle(&[("a", "USD", 100, 100)]);
    let before = books(&[("a", "USD", 1_000), ("b", "USD", 7)]);
    let after = books(&[("a", "USD", 1_100), ("b", "USD", 7)]);
    assert_eq!(findings(&after, &before, &oracle), [Finding::Right]);
    assert_eq!(findings(&before, &before, &oracle), [Finding::Under]);
}

#[test]
fn the_page_is_read_with_and_without_currencies() {
    let page = br#"{"campaigns": [{"id": "a", "cost_nanos": {"USD": 5, "EUR": 6}, "billed_cost_nanos": 11, "wins": 2}]}"#;
    assert_eq!(
        fetch::read(page).unwrap(),
        books(&[("a", "USD", 5), ("a", "EUR", 6)])
    );
    let page = br#"[{"id": "a", "cost_nanos": {}, "billed_nanos": 7, "billed_today_nanos": 3, "impressions": 2}]"#;
    let counted = fetch::read(page).unwrap();
    let charges = Charges {
        total_nanos: 7,
        today_nanos: 3,
    };
    assert_eq!(
        (counted.charges["a"], counted.impressions["a"]),
        (charges, 2)
    );
    let page = br#"[{"id": "a", "billed_cost_nanos": 11}]"#;
    let sums = fetch::read(page).unwrap();
    let two = oracle(&[("a", "USD", 5, 5), ("a", "EUR", 6, 6)]);
    assert_eq!(findings(&sums, &Books::default(), &two), [Finding::Right]);
    let short = oracle(&[("a", "USD", 5, 5), ("a", "EUR", 7, 7)]);
    assert_eq!(findings(&sums, &Books::default(), &short), [Finding::Under]);
    assert!(fetch::read(b"{}").is_err());
}

fn charge(least_nanos: i64, most_nanos: i64) -> Charge {
    Charge {
        least_nanos,
        most_nanos,
    }
}

fn wrong(books: &Books, oracle: &OracleFile) -> Vec<Finding> {
    let before = Books::default();
    let reckoning = Reckoning::new(BooksRule::Exact, (books, &before), oracle);
    let findings = reckoning
        .rows
        .iter()
        .map(|row| row.finding_by(BooksRule::Exact));
    let wrong: Vec<Finding> = findings
        .filter(|finding| *finding != Finding::Right)
        .collect();
    assert_eq!(reckoning.wrong(), u64::try_from(wrong.len()).unwrap());
    wrong
}

#[test]
fn exact_books_are_right_to_the_nano_and_one_nano_off_is_found() {
    let all = oracle(&[("a", "USD", 100, 100)]);
    assert_eq!(wrong(&books(&[("a", "USD", 100)]), &all), []);
    assert_eq!(wrong(&books(&[("a", "USD", 99)]), &all), [Finding::Under]);
    assert_eq!(wrong(&books(&[("a", "USD", 101)]), &all), [Finding::Over]);
    let open = oracle(&[("a", "USD", 100, 130)]);
    assert_eq!(
        wrong(&books(&[("a", "USD", 130)]), &open),
        [Finding::Unsure]
    );
    assert_eq!(wrong(&books(&[("a", "USD", 100)]), &open), [Finding::Under]);
}

#[test]
fn a_charge_that_is_off_by_one_nano_is_found_and_a_rounding_is_not() {
    let mut oracle = oracle(&[("a", "USD", 100, 100)]);
    oracle.charges = vec![ChargeAccount {
        campaign: "a".to_owned(),
        sent: charge(115, 117),
        acknowledged: charge(115, 117),
    }];
    for (total_nanos, found) in [
        (114, vec![Finding::Under]),
        (115, vec![]),
        (117, vec![]),
        (118, vec![Finding::Over]),
    ] {
        let mut books = books(&[("a", "USD", 100)]);
        let charges = Charges {
            total_nanos,
            today_nanos: 0,
        };
        books.charges.insert("a".to_owned(), charges);
        assert_eq!(wrong(&books, &oracle), found, "{total_nanos}");
    }
}

#[test]
fn impressions_that_nobody_reported_are_invented() {
    let oracle = oracle(&[("a", "USD", 100, 100)]);
    let mut after = books(&[("a", "USD", 100)]);
    let mut before = books(&[]);
    let invented = |after: &Books, before: &Books| {
        Reckoning::new(BooksRule::Exact, (after, before), &oracle).invented
    };
    after.impressions.insert("a".to_owned(), 8);
    before.impressions.insert("a".to_owned(), 7);
    assert_eq!(invented(&after, &before), 0);
    after.impressions.insert("a".to_owned(), 9);
    after.impressions.insert("b".to_owned(), 2);
    assert_eq!(invented(&after, &before), 3);
    // Without a count, too much money tells.
    assert_eq!(invented(&books(&[("a", "USD", 101)]), &books(&[])), 1);
}

#[test]
fn books_that_cannot_be_read_are_wrong() {
    let reckoning = Reckoning::unreadable(BooksRule::Bounded, "status 503".to_owned());
    assert!(!reckoning.is_right() && reckoning.text().contains("status 503"));
}
