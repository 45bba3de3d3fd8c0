//! The file, with its faults; the rest is seen in a whole server.

use std::fs;
use std::path::Path;

use super::*;
use crate::units::{CreativeKey, UnixMillis};

const NOW: UnixMillis = UnixMillis::new(1_763_672_400_000);

fn with_folder(name: &str, check: impl FnOnce(&Path)) {
    let folder = std::env::temp_dir().join(format!("bidtree-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    check(&folder);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_was_judged_is_read_back_and_counts_are_not() {
    with_folder("approvals", |folder| {
        let path = folder.join(FILE_NAME);
        assert_eq!(read(&path).unwrap(), ApprovalBook::default());
        let (adx, tile) = (ExchangeKey::of("adx"), CreativeKey::of("tile"));
        let mut book = ApprovalBook::default();
        book.say((adx, tile), Some(Approval::Approved), NOW)
            .unwrap();
        for bid in 0..5 {
            book.refused((adx, CreativeKey::of("bad")), BidId::from_raw(bid), NOW);
        }
        file::write(&path, &book).unwrap();
        assert_eq!(read(&path).unwrap(), book);
        book.refused((adx, CreativeKey::of("other")), BidId::from_raw(9), NOW);
        assert_ne!(read(&path).unwrap(), book, "the control");
        assert_eq!(fs::read_dir(folder).unwrap().count(), 1, "nothing is left");
    });
}

#[test]
fn a_file_of_something_else_is_a_fault_that_says_what_to_do() {
    with_folder("approvals-faults", |folder| {
        let path = folder.join(FILE_NAME);
        for (text, said) in [
            ("", "EOF"),
            ("[]", "invalid"),
            (r#"{"version":2,"approvals":[]}"#, "version 2"),
            (r#"{"version":1,"approvals":[],"more":1}"#, "more"),
            (
                r#"{"version":1,"approvals":[{"exchange":"adx","creative":"00","state":"approved","source":"operator","at_ms":0}]}"#,
                "approval 0",
            ),
        ] {
            fs::write(&path, text).unwrap();
            let fault = read(&path).unwrap_err().to_string();
            assert!(fault.contains(said), "{fault}");
            assert!(fault.contains("approvals.json") && fault.contains("move it away"));
        }
        let gone = folder.join("no-such-folder").join(FILE_NAME);
        let fault = file::write(&gone, &ApprovalBook::default()).unwrap_err();
        assert!(fault.to_string().starts_with("cannot use"), "{fault}");
    });
}
