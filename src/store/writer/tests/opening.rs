//! What a writer finds in its folder: a journal, a checkpoint, both damaged, another writer.

use super::*;
use crate::store::fixture::{last_segment, segments};

#[test]
fn a_second_writer_is_told_that_the_directory_is_in_use() {
    let scratch = Scratch::new();
    let first = open(&scratch);
    let second = Writer::open(scratch.path()).unwrap_err();
    assert_says(&second, scratch.path(), "end it, or set server.data_dir");
    assert!(matches!(
        second,
        OpenError::Journal(JournalError::InUse { .. })
    ));
    drop(first);
    assert!(Writer::open(scratch.path()).is_ok());
}

/// Commits wins until the journal has several segments, with a checkpoint on the way.
fn long_history(scratch: &Scratch) -> (Books, u64) {
    let (mut writer, mut checkpoint, _) = open(scratch);
    for number in 0..100 {
        outcome(&mut writer, Command::Win(win(number)));
        if number == 59 {
            let delta = writer.delta(checkpoint.sequence()).unwrap();
            checkpoint.write(&delta).unwrap();
        }
    }
    (writer.books().unwrap().clone(), checkpoint.sequence())
}

fn damage_checkpoint(scratch: &Scratch) {
    fs::write(
        scratch.path().join("checkpoint.redb"),
        b"damaged".repeat(1_000),
    )
    .unwrap();
}

#[test]
fn a_restart_replays_only_what_the_checkpoint_lacks() {
    let scratch = Scratch::new();
    let (books, checkpoint) = long_history(&scratch);
    let (mut writer, mut kept, recovery) = open(&scratch);
    assert_eq!(recovery.checkpoint, CheckpointState::Loaded(checkpoint));
    assert_eq!((recovery.last, recovery.replayed), (100, 40));
    assert_eq!(*writer.books().unwrap(), books);
    let delta = writer.delta(kept.sequence()).unwrap();
    assert!(!delta.is_whole(), "the tail is noted while it is replayed");
    kept.write(&delta).unwrap();
    assert_eq!(kept.load_with(LIMITS).unwrap(), books);
}

#[test]
fn a_missing_or_damaged_checkpoint_is_folded_anew_from_the_whole_journal() {
    let scratch = Scratch::new();
    let (books, _) = long_history(&scratch);
    damage_checkpoint(&scratch);
    let (writer, checkpoint, recovery) = open(&scratch);
    assert!(matches!(recovery.checkpoint, CheckpointState::Damaged(_)));
    assert_eq!(*writer.books().unwrap(), books);
    drop((writer, checkpoint));
    fs::remove_file(scratch.path().join("checkpoint.redb")).unwrap();
    let (mut writer, mut checkpoint, recovery) = open(&scratch);
    assert_eq!(recovery.checkpoint, CheckpointState::Missing);
    assert_eq!(*writer.books().unwrap(), books);
    let delta = writer.delta(checkpoint.sequence()).unwrap();
    checkpoint.write(&delta).unwrap();
    assert_eq!(checkpoint.load_with(LIMITS).unwrap(), books);
}

#[test]
fn without_its_checkpoint_a_journal_that_was_cut_is_an_error_and_nothing_is_changed() {
    let scratch = Scratch::new();
    let (_, sequence) = long_history(&scratch);
    let (mut writer, checkpoint, _) = open(&scratch);
    assert!(writer.checkpointed(sequence).unwrap() > 0);
    drop((writer, checkpoint));
    drop(open(&scratch));
    damage_checkpoint(&scratch);
    for _ in 0..2 {
        let opened = Writer::open_with(scratch.path(), LIMITS, SMALL_SEGMENT);
        let Err(error) = opened else {
            panic!("{opened:?}");
        };
        assert_says(&error, scratch.path(), "restore both together");
        let OpenError::NotCovered { first, reason, .. } = error else {
            panic!("{error:?}");
        };
        assert!(first > 1 && matches!(reason, CheckpointState::Damaged(_)));
    }
}

#[test]
fn a_journal_older_than_its_checkpoint_is_an_error() {
    let scratch = Scratch::new();
    let (_, sequence) = long_history(&scratch);
    for segment in segments(scratch.path()) {
        fs::remove_file(segment).unwrap();
    }
    let opened = Writer::open_with(scratch.path(), LIMITS, SMALL_SEGMENT);
    let error = opened.unwrap_err();
    assert_says(&error, scratch.path(), "restore both together");
    assert!(
        matches!(error, OpenError::Behind { journal: 0, checkpoint, .. } if checkpoint == sequence)
    );
}

/// Whether an error names something in this folder, and says what to do.
#[track_caller]
fn assert_says(error: &OpenError, folder: &Path, what_to_do: &str) {
    let said = error.to_string();
    let named = said.starts_with(&folder.display().to_string());
    assert!(named && said.contains(what_to_do), "{said}");
}

#[test]
fn a_journal_that_cannot_be_read_says_what_to_do() {
    let scratch = Scratch::new();
    long_history(&scratch);
    let last = last_segment(scratch.path());
    let whole = fs::read(&last).unwrap();
    let opened = || Writer::open_with(scratch.path(), LIMITS, SMALL_SEGMENT).unwrap_err();
    let mut bytes = whole.clone();
    bytes[0] ^= 0xff;
    fs::write(&last, bytes).unwrap();
    assert_says(&opened(), scratch.path(), "restore the whole data folder");
    fs::write(&last, whole).unwrap();
    let segments = segments(scratch.path());
    fs::remove_file(&segments[segments.len() - 2]).unwrap();
    assert_says(&opened(), scratch.path(), "nothing is skipped");
}
