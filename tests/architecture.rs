//! The house rules that a compiler does not check: dependencies point one way, and pure files stay pure.

#![expect(clippy::expect_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The layers, lowest first. A folder may use those below it; folders in one row know nothing of each other.
const LAYERS: &[&[&str]] = &[
    &["units"],
    &["clock"],
    &["supervision"],
    &["chaos"],
    &["http", "openrtb", "telemetry", "store"],
    &["campaign"],
    &["bidding"],
    &["region"],
    &["notice"],
    &["exchange"],
    &["admin"],
    &["config"],
    &["app"],
];

/// Folders whose files are pure, unless their names say that they run.
const PURE_FOLDERS: &[&str] = &[
    "units", "openrtb", "campaign", "bidding", "region", "notice",
];

/// Endings of the names of files that run: they have a mailbox, children, or a socket.
const RUNNING: &[&str] = &[
    "_server",
    "_supervisor",
    "_listener",
    "connection_pool",
    "bid_engine",
    "serializer",
];

/// What a pure file never mentions.
const IMPURE: &[&str] = &[
    "tokio::",
    "crate::clock",
    "crate::supervision",
    "crate::chaos",
    "crate::telemetry",
    "metrics::",
    "std::fs",
    "std::net",
];

type Sources = BTreeMap<PathBuf, String>;

fn sources() -> Sources {
    fn collect(folder: &Path, found: &mut Sources) {
        for entry in fs::read_dir(folder).expect("src is readable").flatten() {
            let path = entry.path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                let text = fs::read_to_string(&path).expect("a source file is text");
                found.insert(path, text);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Sources::new();
    collect(&root, &mut found);
    found
        .into_iter()
        .map(|(path, text)| {
            (
                path.strip_prefix(&root).expect("under src").to_path_buf(),
                text,
            )
        })
        .collect()
}

/// The folder (or file) right under `src` that a source belongs to.
fn room(path: &Path) -> String {
    let first = path
        .components()
        .next()
        .map(|part| part.as_os_str().to_string_lossy().into_owned());
    first.unwrap_or_default().trim_end_matches(".rs").to_owned()
}

fn layer(room: &str) -> Option<usize> {
    LAYERS.iter().position(|row| row.contains(&room))
}

/// The rooms that a source's code uses: every `crate::room`, comments left out.
fn used(text: &str) -> Vec<String> {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| {
            rest.chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect()
        })
        .filter(|name: &String| !name.is_empty())
        .collect()
}

fn backward_arrows(sources: &Sources) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in sources {
        let from = room(path);
        let Some(from_layer) = layer(&from) else {
            continue;
        };
        for to in used(text) {
            let allowed = to == from || layer(&to).is_some_and(|to_layer| to_layer < from_layer);
            if layer(&to).is_some() && !allowed {
                found.push(format!("{} uses {to}", path.display()));
            }
        }
    }
    found
}

fn runs(path: &Path) -> bool {
    let text = path.to_string_lossy();
    RUNNING.iter().any(|mark| {
        text.trim_end_matches(".rs")
            .split('/')
            .any(|part| part.ends_with(mark))
    })
}

fn impure(sources: &Sources) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in sources {
        let is_test = path.ends_with("tests.rs") || path.iter().any(|part| part == "tests");
        let pure = PURE_FOLDERS.contains(&room(path).as_str()) && !runs(path) && !is_test;
        if !pure || path.ends_with("mod.rs") {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for line in code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
        {
            if let Some(word) = IMPURE.iter().find(|word| line.contains(**word)) {
                found.push(format!("{} mentions {word}", path.display()));
            }
        }
    }
    found
}

#[test]
fn every_folder_has_its_layer() {
    let strangers: Vec<_> = sources()
        .keys()
        .map(|path| room(path))
        .filter(|room| {
            layer(room).is_none() && !["lib", "main", "scratch"].contains(&room.as_str())
        })
        .collect();
    assert_eq!(
        strangers,
        Vec::<String>::new(),
        "give these a place in LAYERS"
    );
}

#[test]
fn dependencies_point_one_way() {
    assert_eq!(backward_arrows(&sources()), Vec::<String>::new());
}

#[test]
fn pure_files_know_no_task_clock_metric_or_file() {
    assert_eq!(impure(&sources()), Vec::<String>::new());
}

#[test]
fn the_kernel_knows_nothing_of_ads() {
    let words = [
        "bid",
        "campaign",
        "exchange",
        "auction",
        "impression",
        "openrtb",
    ];
    let kernel = sources()
        .into_iter()
        .filter(|(path, _)| room(path) == "supervision");
    for (path, text) in kernel {
        let code = text
            .split("#[cfg(test)]")
            .next()
            .unwrap_or_default()
            .to_lowercase();
        let code: String = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect();
        let said = |word: &str| {
            code.split(|c: char| !c.is_alphanumeric())
                .any(|heard| heard == word)
        };
        let heard: Vec<_> = words.iter().filter(|word| said(word)).collect();
        assert!(heard.is_empty(), "{} speaks of {heard:?}", path.display());
    }
}

#[test]
fn the_tree_fits_two_screens() {
    let found = sources();
    let lines = found
        .get(Path::new("app.rs"))
        .map_or(0, |text| text.lines().count());
    assert!(lines <= 160, "app.rs has {lines} lines");
}

/// The control: each rule finds a house that breaks it.
#[test]
fn a_house_that_breaks_the_rules_is_seen() {
    let fake = |path: &str, text: &str| Sources::from([(PathBuf::from(path), text.to_owned())]);
    assert_eq!(
        backward_arrows(&fake("bidding/decide.rs", "use crate::region::Ledger;")).len(),
        1
    );
    assert_eq!(
        backward_arrows(&fake("store/journal.rs", "use crate::telemetry::Shard;")).len(),
        1
    );
    assert_eq!(
        backward_arrows(&fake("region/ledger.rs", "use crate::units::Nanos;")).len(),
        0
    );
    assert_eq!(
        impure(&fake("region/ledger.rs", "use tokio::sync::Mutex;")).len(),
        1
    );
    assert_eq!(
        impure(&fake("region/ledger_server.rs", "use tokio::sync::Mutex;")).len(),
        0
    );
}
