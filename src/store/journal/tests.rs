use std::fs;

use super::*;
use crate::scratch::Scratch;
use crate::store::fixture::{granted, last_segment, segments};

fn batch(numbers: std::ops::RangeInclusive<i64>) -> Vec<Movement> {
    numbers.map(|number| granted(1, number)).collect()
}

fn read(scratch: &Scratch, from: u64) -> Vec<(u64, Movement)> {
    Reader::open(scratch.path(), from)
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

fn numbered(numbers: std::ops::RangeInclusive<i64>) -> Vec<(u64, Movement)> {
    numbers
        .map(|number| (u64::try_from(number).unwrap(), granted(1, number)))
        .collect()
}

/// A journal of ten batches of three in small segments.
fn thirty(scratch: &Scratch) -> Journal {
    let (mut journal, tail) = Journal::open_with(scratch.path(), 500).unwrap();
    assert_eq!(tail, Tail::default());
    for first in (1..=30).step_by(3) {
        journal.append(&batch(first..=first + 2)).unwrap();
    }
    journal
}

/// What stops whoever reads the whole journal.
fn first_fault(scratch: &Scratch) -> Option<JournalError> {
    Reader::open(scratch.path(), 1)
        .unwrap()
        .find_map(Result::err)
}

#[test]
fn movements_are_read_from_any_number_across_segments() {
    let scratch = Scratch::new();
    let journal = thirty(&scratch);
    assert!(journal.segments() > 2, "{}", journal.segments());
    for from in 1..=31 {
        let expected = numbered(i64::try_from(from).unwrap()..=30);
        assert_eq!(read(&scratch, from), expected);
    }
}

#[test]
fn a_journal_goes_on_where_it_ended() {
    let scratch = Scratch::new();
    drop(thirty(&scratch));
    let (mut journal, tail) = Journal::open_with(scratch.path(), 500).unwrap();
    assert_eq!((tail.last, tail.torn_bytes), (30, 0));
    journal.append(&batch(31..=31)).unwrap();
    assert_eq!(read(&scratch, 1), numbered(1..=31));
}

#[test]
fn a_batch_torn_at_any_byte_leaves_a_prefix_of_it() {
    let scratch = Scratch::new();
    let (mut journal, _) = Journal::open(scratch.path()).unwrap();
    journal.append(&batch(1..=2)).unwrap();
    let path = last_segment(scratch.path());
    let durable = fs::read(&path).unwrap().len();
    journal.append(&batch(3..=5)).unwrap();
    drop(journal);
    let whole = fs::read(&path).unwrap();
    let record = (whole.len() - durable) / 3;
    for end in durable..=whole.len() {
        fs::write(&path, &whole[..end]).unwrap();
        let kept = 2 + (end - durable) / record;
        for torn in [(end - durable) % record, 0] {
            let (journal, tail) = Journal::open(scratch.path()).unwrap();
            let expected = (kept as u64, torn as u64);
            assert_eq!((tail.last, tail.torn_bytes), expected, "cut at {end}");
            assert_eq!(journal.last(), kept as u64);
        }
        assert_eq!(
            read(&scratch, 1),
            numbered(1..=i64::try_from(kept).unwrap())
        );
    }
}

#[test]
fn a_changed_byte_before_the_last_batch_is_reported_with_file_and_offset() {
    let scratch = Scratch::new();
    let (mut journal, _) = Journal::open(scratch.path()).unwrap();
    let path = last_segment(scratch.path());
    journal.append(&batch(1..=3)).unwrap();
    let durable = fs::read(&path).unwrap().len();
    journal.append(&batch(4..=4)).unwrap();
    drop(journal);
    let whole = fs::read(&path).unwrap();
    let header = usize::try_from(SegmentHeader::BYTES).unwrap();
    let record = (durable - header) / 3;
    for changed in 0..durable {
        let mut bytes = whole.clone();
        bytes[changed] ^= 0x10;
        fs::write(&path, &bytes).unwrap();
        let expected = match changed.checked_sub(header) {
            None => 0,
            Some(inside) => header + inside / record * record,
        };
        match Journal::open(scratch.path()) {
            Err(JournalError::Corrupt {
                path: at, offset, ..
            }) => {
                assert_eq!(
                    (at, offset),
                    (path.clone(), expected as u64),
                    "byte {changed}"
                );
            }
            other => panic!("byte {changed}: {other:?}"),
        }
        assert_eq!(
            fs::read(&path).unwrap(),
            bytes,
            "a damaged file is left alone"
        );
    }
}

#[test]
fn damage_inside_the_last_batch_is_corruption_unless_a_sector_was_never_written() {
    let scratch = Scratch::new();
    let (mut journal, _) = Journal::open(scratch.path()).unwrap();
    let path = last_segment(scratch.path());
    journal.append(&batch(1..=1)).unwrap();
    journal.append(&batch(2..=40)).unwrap();
    drop(journal);
    let whole = fs::read(&path).unwrap();
    let mut changed = whole.clone();
    changed[1_100] ^= 1;
    fs::write(&path, &changed).unwrap();
    let opened = Journal::open(scratch.path());
    assert!(
        matches!(opened, Err(JournalError::Corrupt { .. })),
        "{opened:?}"
    );
    let mut unwritten = whole.clone();
    unwritten[1_024..1_536].fill(0);
    fs::write(&path, &unwritten).unwrap();
    let (journal, tail) = Journal::open(scratch.path()).unwrap();
    assert!(tail.torn_bytes > 512);
    assert!((1..40).contains(&journal.last()), "{}", journal.last());
}

#[test]
fn an_unwritten_sector_before_a_later_batch_is_corruption() {
    let scratch = Scratch::new();
    let (mut journal, _) = Journal::open(scratch.path()).unwrap();
    let path = last_segment(scratch.path());
    journal.append(&batch(1..=40)).unwrap();
    journal.append(&batch(41..=41)).unwrap();
    drop(journal);
    let mut unwritten = fs::read(&path).unwrap();
    let records = unwritten.len() - 24;
    let last_batch = unwritten.len() - records / 41;
    unwritten[1_024..last_batch].fill(0);
    fs::write(&path, &unwritten).unwrap();
    let opened = Journal::open(scratch.path());
    assert!(
        matches!(opened, Err(JournalError::Corrupt { .. })),
        "{opened:?}"
    );
}

#[test]
fn damage_in_an_older_segment_is_found_when_it_is_read() {
    let scratch = Scratch::new();
    drop(thirty(&scratch));
    let oldest = segments(scratch.path()).remove(0);
    let mut bytes = fs::read(&oldest).unwrap();
    bytes[100] ^= 1;
    fs::write(&oldest, &bytes).unwrap();
    let failed = first_fault(&scratch);
    assert!(
        matches!(&failed, Some(JournalError::Corrupt { path, .. }) if *path == oldest),
        "{failed:?}"
    );
}

#[test]
fn a_segment_cut_short_or_taken_away_is_a_gap() {
    let scratch = Scratch::new();
    drop(thirty(&scratch));
    let second = segments(scratch.path()).remove(1);
    let bytes = fs::read(&second).unwrap();
    fs::write(&second, &bytes[..24]).unwrap();
    let failed = first_fault(&scratch);
    assert!(
        matches!(failed, Some(JournalError::Gap { .. })),
        "{failed:?}"
    );
    fs::remove_file(&second).unwrap();
    let failed = first_fault(&scratch);
    assert!(
        matches!(failed, Some(JournalError::Gap { .. })),
        "{failed:?}"
    );
    fs::remove_file(segments(scratch.path()).remove(0)).unwrap();
    let opened = Reader::open(scratch.path(), 1);
    assert!(matches!(opened, Err(JournalError::Gap { expected: 1, .. })));
}

#[test]
fn a_segment_of_another_version_is_not_touched() {
    let scratch = Scratch::new();
    let header = SegmentHeader {
        version: 99,
        first: 1,
    };
    fs::write(segment_path(scratch.path(), 1), header.encode()).unwrap();
    let error = Journal::open(scratch.path()).unwrap_err();
    assert!(matches!(error, JournalError::Version { version: 99, .. }));
    let said = error.to_string();
    assert!(said.contains("run the version that wrote it"), "{said}");
}

#[test]
fn segments_that_a_checkpoint_covers_are_deleted_and_the_last_one_never() {
    let scratch = Scratch::new();
    let mut journal = thirty(&scratch);
    let second = journal.segments[1];
    assert_eq!(journal.forget_up_to(second - 2).unwrap(), 0);
    assert_eq!(journal.forget_up_to(second - 1).unwrap(), 1);
    assert_eq!(journal.first(), second);
    journal.forget_up_to(u64::MAX).unwrap();
    assert_eq!((journal.segments(), segments(scratch.path()).len()), (1, 1));
    journal.append(&batch(31..=31)).unwrap();
    drop(journal);
    assert_eq!(Journal::open(scratch.path()).unwrap().1.last, 31);
}

#[test]
fn a_failed_append_poisons_the_journal() {
    let scratch = Scratch::new();
    let (mut journal, _) = Journal::open(scratch.path()).unwrap();
    journal.append(&batch(1..=1)).unwrap();
    journal.break_file();
    assert!(matches!(
        journal.append(&batch(2..=2)),
        Err(JournalError::Io { .. })
    ));
    assert!(matches!(
        journal.append(&batch(2..=2)),
        Err(JournalError::Poisoned)
    ));
    assert_eq!(journal.last(), 1);
}

#[test]
fn a_batch_beyond_its_limit_is_not_written() {
    let scratch = Scratch::new();
    let (mut journal, _) = Journal::open(scratch.path()).unwrap();
    let too_many = vec![granted(1, 1); BATCH_RECORDS_MAX + 1];
    assert!(journal.append(&too_many).is_err());
    drop(journal);
    assert_eq!(Journal::open(scratch.path()).unwrap().1, Tail::default());
}

#[test]
fn files_that_were_never_finished_are_cleared_away() {
    let scratch = Scratch::new();
    drop(thirty(&scratch));
    let unfinished = scratch
        .path()
        .join("journal-00000000000000000031.log.unfinished");
    fs::write(&unfinished, b"half").unwrap();
    drop(Journal::open(scratch.path()).unwrap());
    assert!(!unfinished.exists());
}

#[test]
fn a_data_directory_has_one_owner_at_a_time() {
    let scratch = Scratch::new();
    let lock = DirectoryLock::take(scratch.path()).unwrap();
    let second = DirectoryLock::take(scratch.path());
    assert!(
        matches!(second, Err(JournalError::InUse { .. })),
        "{second:?}"
    );
    drop(lock);
    assert!(DirectoryLock::take(scratch.path()).is_ok());
}
