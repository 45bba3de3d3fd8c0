//! Folders and files of requests, good and bad.

use std::fs;

use super::*;
use crate::process::Folder;

/// A folder of recorded requests.
struct Recorded(Folder);

impl Recorded {
    fn new() -> Self {
        Self(Folder::temporary().unwrap())
    }

    fn with(self, name: &str, text: &str) -> Self {
        fs::write(self.0.path().join(name), text).unwrap();
        self
    }

    fn folder(&self, ids: Ids) -> Result<Recording, String> {
        Recording::of_folder(self.0.path(), ids).map_err(|error| error.to_string())
    }

    fn lines(&self, text: &str) -> Result<Recording, String> {
        let path = self.0.path().join("all.jsonl");
        fs::write(&path, text).unwrap();
        Recording::of_lines(&path, Ids::Recorded).map_err(|error| error.to_string())
    }
}

fn body(recording: &Recording, index: u64) -> String {
    String::from_utf8(recording.body(index, "new").unwrap().to_vec()).unwrap()
}

const A: &str = "{ \"imp\":[ {\"id\":\"i\", \"x\":1.10} ],\n \"id\" : \"a\\\"b\", \"at\":1 }";
const B: &str = r#"{"id":17,"imp":[]}"#;

#[test]
fn a_folder_is_sent_in_the_order_of_its_names_byte_for_byte_round_and_round() {
    let recorded = Recorded::new()
        .with("b.json", B)
        .with("a.json", A)
        .with("c.txt", "no");
    let recording = recorded.folder(Ids::Recorded).unwrap();
    assert_eq!((recording.len(), recording.instants()), (2, None));
    for (index, text) in [(0, A), (1, B), (2, A), (1_001, B)] {
        assert_eq!(body(&recording, index), text);
    }
}

#[test]
fn fresh_ids_change_nothing_but_the_id_of_the_request() {
    let c = r#"{"imp":[{"id":"1"}],"ext":{"id":"x"}}"#;
    let recorded = Recorded::new()
        .with("a.json", A)
        .with("b.json", B)
        .with("c.json", c);
    let recording = recorded.folder(Ids::Fresh).unwrap();
    assert_eq!(body(&recording, 0), A.replace("\"a\\\"b\"", "\"new\""));
    assert_eq!(body(&recording, 1), r#"{"id":"new","imp":[]}"#);
    // Without an id there is none to change.
    assert_eq!(body(&recording, 2), c);
    assert!(recording.is_renamed(0) && !recording.is_renamed(2));
}

#[test]
fn lines_may_say_when_they_left() {
    let recorded = Recorded::new();
    let recording = recorded.lines(&format!("{B}\n\n{B}\n")).unwrap();
    assert_eq!((recording.len(), recording.instants()), (2, None));
    let timed = format!("{{\"at_ms\": 5, \"request\": {B}}}\n{{\"request\":{B},\"at_ms\":90}}");
    let recording = recorded.lines(&timed).unwrap();
    let instants: Arc<[Duration]> = [5, 90].map(Duration::from_millis).into();
    assert_eq!(recording.instants(), Some(instants));
    assert_eq!(body(&recording, 1), B);
}

#[test]
fn what_cannot_be_sent_is_named() {
    let recorded = Recorded::new();
    assert!(
        recorded
            .folder(Ids::Recorded)
            .unwrap_err()
            .contains("no request")
    );
    let recorded = recorded.with("bad.json", "{\"imp\":");
    assert!(
        recorded
            .folder(Ids::Recorded)
            .unwrap_err()
            .contains("bad.json")
    );
    let timed = |at: u32| format!("{{\"at_ms\": {at}, \"request\": {B}}}\n");
    for text in [timed(5) + B, timed(5) + &timed(4)] {
        let error = recorded.lines(&text).unwrap_err();
        assert!(
            error.contains("all.jsonl:2") && error.contains("at_ms"),
            "{error}"
        );
    }
    let error = recorded.lines("{\"id\":\"x\"}").unwrap_err();
    assert!(
        error.contains("all.jsonl:1") && error.contains("imp"),
        "{error}"
    );
    let large = format!("{{\"imp\":[],\"x\":\"{}\"}}", "a".repeat(300 << 10));
    assert!(recorded.lines(&large).unwrap_err().contains("256 KiB"));
    let missing = Recording::of_folder(&recorded.0.path().join("none"), Ids::Recorded);
    assert!(missing.unwrap_err().to_string().contains("none"));
}
