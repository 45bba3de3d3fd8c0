//! Books against the oracle, right and wrong.

use super::*;
use crate::oracle::Total;

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
    let page = br#"[{"id": "a", "billed_cost_nanos": 11}]"#;
    let sums = fetch::read(page).unwrap();
    let two = oracle(&[("a", "USD", 5, 5), ("a", "EUR", 6, 6)]);
    assert_eq!(findings(&sums, &Books::default(), &two), [Finding::Right]);
    let short = oracle(&[("a", "USD", 5, 5), ("a", "EUR", 7, 7)]);
    assert_eq!(findings(&sums, &Books::default(), &short), [Finding::Under]);
    assert!(fetch::read(b"{}").is_err());
}
