//! One row per relation: what is changed in a valid file, and how the fault it makes begins.

mod campaigns;
mod creatives;
mod settings;

use super::{ADVERTISER, AUDIO, BANNER, CAMPAIGN, Folder, NATIVE, SERVER, VIDEO};
use campaigns::{ADVERTISER_ROWS, CAMPAIGN_ROWS};
use creatives::{AUDIO_ROWS, BANNER_ROWS, NATIVE_ROWS, VIDEO_ROWS};
use settings::SERVER_ROWS;

/// A text in the file, what it becomes, what is said about it.
type Row = (&'static str, &'static str, &'static str);

#[test]
fn each_relation_has_its_own_words() {
    for (file, before, rows) in [
        ("bidtree.toml", SERVER, SERVER_ROWS),
        ("campaigns/spring.toml", CAMPAIGN, CAMPAIGN_ROWS),
        ("advertisers/shoes.toml", ADVERTISER, ADVERTISER_ROWS),
        ("creatives/wide.toml", BANNER, BANNER_ROWS),
        ("creatives/wide.toml", VIDEO, VIDEO_ROWS),
        ("creatives/wide.toml", AUDIO, AUDIO_ROWS),
        ("creatives/wide.toml", NATIVE, NATIVE_ROWS),
    ] {
        for (from, to, said) in rows {
            let folder = Folder::new().write(file, before).replace(file, from, to);
            let faults = folder.faults(&[]);
            let expected = format!("{file}: {said}");
            let found = faults.iter().any(|fault| fault.starts_with(&expected));
            assert!(
                found,
                "{from} → {to}\nexpected {expected}\nfound {faults:#?}"
            );
        }
    }
}

#[test]
fn no_more_holds_are_different_than_a_ledger_tells_apart() {
    let others = |longest: usize| {
        let sections = (1..=longest).map(|number| {
            format!(
                "[exchanges.e{number}]\nlisten = \"127.0.0.1:0\"\nhold = \"{}s\"\n",
                10 + number
            )
        });
        sections.collect::<String>() + "[regions.row]"
    };
    // One more stands in the file, with the hold of who names none.
    let of = |longest| Folder::new().replace("bidtree.toml", "[regions.row]", &others(longest));
    assert_eq!(of(15).faults(&[]), Vec::<String>::new());
    let twice = "hold = \"11s\"";
    let shared = of(16).replace("bidtree.toml", "hold = \"26s\"", twice);
    assert_eq!(shared.faults(&[]), Vec::<String>::new());
    let faults = of(16).faults(&[]);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(
        faults[0].contains(".hold: is one more than the 16 different holds that are told apart"),
        "{faults:?}"
    );
}
