//! Configurations, right and wrong.

use std::fs;

use super::*;
use crate::process::Folder;

/// A folder with these files.
fn with(files: &[(&str, &str)]) -> Folder {
    let folder = Folder::temporary().unwrap();
    fs::create_dir_all(folder.path().join("campaigns")).unwrap();
    for (file, text) in files {
        fs::write(folder.path().join(file), text).unwrap();
    }
    folder
}

const SETTINGS: &str =
    "[exchanges.a]\nhold = \"2m\"\n[exchanges.b]\n[rates.in_usd]\nSGD = \"0.74\"\n";
const CAMPAIGN: &str = r#"
name = "x"
currency = "SGD"
cpm = "4.00"
margin_percent = "12.5"
budget = { daily = "900.00", total = "1000" }
time_zone = "Asia/Singapore"
frequency = { impressions = 5, within = "24h" }
[targeting]
hours = ["mon-fri 08-20"]
"#;

#[test]
fn a_campaigns_terms_are_read() {
    let plain = "budget = { daily = \"1\" }";
    let files = [
        ("bidtree.toml", SETTINGS),
        ("campaigns/a.toml", CAMPAIGN),
        ("campaigns/b.toml", plain),
        ("campaigns/.hidden.toml", "not read"),
    ];
    let folder = with(&files);
    let catalogue = Catalogue::read(folder.path()).unwrap();
    assert_eq!((catalogue.campaigns(), catalogue.hold_ms), (2, 120_000));
    let terms = catalogue.terms("a").unwrap();
    assert_eq!(
        (terms.currency.as_str(), terms.margin_per_mille),
        ("SGD", 125)
    );
    assert_eq!(terms.budget_daily, Some(900_000_000_000));
    assert_eq!(terms.budget_total, Some(1_000_000_000_000));
    let cap = Cap {
        impressions: 5,
        within_ms: 86_400_000,
    };
    assert_eq!(terms.cap, Some(cap));
    let charge = terms.charge(Micros::new(1_000), "SGD").unwrap();
    assert_eq!(charge.least_nanos, 1_125);
    let terms = catalogue.terms("b").unwrap();
    assert_eq!(
        (terms.currency.as_str(), terms.cap, terms.budget_total),
        ("USD", None, None)
    );
}

#[test]
fn a_day_begins_and_ends_in_its_time_zone() {
    let berlin = "budget = { daily = \"1\" }\ntime_zone = \"Europe/Berlin\"";
    let files = [
        ("bidtree.toml", SETTINGS),
        ("campaigns/a.toml", CAMPAIGN),
        ("campaigns/b.toml", berlin),
    ];
    let folder = with(&files);
    let catalogue = Catalogue::read(folder.path()).unwrap();
    let day = |campaign: &str, at: u64| catalogue.terms(campaign).unwrap().day(at);
    // 2026-03-28T16:00:00Z is midnight in Singapore.
    let midnight = 1_774_713_600_000;
    let (before, after) = (day("a", midnight - 1), day("a", midnight));
    assert_eq!(before.number + 1, after.number);
    assert_eq!((before.ends_ms, after.starts_ms), (midnight, midnight));
    assert_eq!(after.ends_ms - after.starts_ms, 24 * 3_600_000);
    // The clocks of Berlin go forward on the 29th of March 2026.
    let berlin = day("b", midnight + 12 * 3_600_000);
    assert_eq!(berlin.ends_ms - berlin.starts_ms, 23 * 3_600_000);
}

#[test]
fn what_cannot_be_read_is_named_with_its_file_and_key() {
    for (text, parts) in [
        ("budget = { daily = \"many\" }", ["budget.daily", "many"]),
        ("margin_percent = \"-5\"", ["margin_percent", "-5"]),
        ("time_zone = \"Mars/Base\"", ["time_zone", "Mars/Base"]),
        (
            "frequency = { impressions = 1, within = \"soon\" }",
            ["frequency.within", "soon"],
        ),
        ("currency = 7", ["currency", "7"]),
    ] {
        let files = [("bidtree.toml", SETTINGS), ("campaigns/a.toml", text)];
        let folder = with(&files);
        let error = Catalogue::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("a.toml"), "{error}");
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    }
    let folder = with(&[]);
    let error = Catalogue::read(folder.path()).unwrap_err().to_string();
    assert!(error.contains("bidtree.toml"), "{error}");
}
