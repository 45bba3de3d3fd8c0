use std::fs;

use proptest::prelude::*;
use redb::ReadableTableMetadata;

use super::*;
use crate::scratch::Scratch;
use crate::store::fixture::{at, bill, granted, returned, win};
use crate::store::movement::{Bill, Movement, Win};
use crate::units::Nanos;

const LIMITS: Limits = Limits {
    settled: 40,
    exposures: 20,
};

/// A bid a minute, so that the oldest are forgotten one by one.
fn history() -> Vec<Movement> {
    let mut movements = vec![granted(1, 10_000)];
    for number in 1..=100 {
        let bid_at = at(i64::try_from(number).unwrap() * 60_000);
        movements.push(Movement::Won(Win {
            bid_at,
            ..win(number)
        }));
        movements.push(Movement::Billed {
            bill: Bill {
                bid_at,
                ..bill(number, 1, 10)
            },
            debt: Nanos::ZERO,
        });
    }
    movements.push(returned(1, 9_000));
    movements.push(granted(2, 50));
    movements
}

fn apply(books: &mut Books, changes: &mut Changes, movements: &[Movement]) {
    for movement in movements {
        books.apply(books.sequence() + 1, movement).unwrap();
        changes.note(movement);
    }
}

#[test]
fn an_empty_checkpoint_holds_empty_books() {
    let scratch = Scratch::new();
    let checkpoint = Checkpoint::open(scratch.path()).unwrap();
    assert_eq!(checkpoint.sequence(), 0);
    assert_eq!(checkpoint.load().unwrap(), Books::default());
}

#[test]
fn deltas_add_up_to_the_books() {
    let scratch = Scratch::new();
    let mut checkpoint = Checkpoint::open(scratch.path()).unwrap();
    let mut books = Books::with_limits(LIMITS);
    let mut changes = Changes::after(&books);
    for part in history().chunks(37) {
        apply(&mut books, &mut changes, part);
        let delta = changes.delta(&books, checkpoint.sequence()).unwrap();
        assert!(!delta.is_whole());
        checkpoint.write(&delta).unwrap();
        changes = Changes::after(&books);
        assert_eq!(checkpoint.load_with(LIMITS).unwrap(), books);
    }
    drop(checkpoint);
    let again = Checkpoint::open(scratch.path()).unwrap();
    assert_eq!(again.sequence(), books.sequence());
    assert_eq!(again.load_with(LIMITS).unwrap(), books);
    let reading = again.database.begin_read().unwrap();
    let rows = reading.open_table(EXPOSURES).unwrap().len().unwrap();
    assert_eq!(rows, 20, "what the books forget is deleted");
}

#[test]
fn a_delta_from_elsewhere_is_refused_and_the_whole_takes_its_place() {
    let scratch = Scratch::new();
    let mut checkpoint = Checkpoint::open(scratch.path()).unwrap();
    let mut books = Books::with_limits(LIMITS);
    let mut changes = Changes::after(&books);
    apply(&mut books, &mut changes, &history()[..50]);
    let lost = changes.delta(&books, 0).unwrap();
    let mut changes = Changes::after(&books);
    apply(&mut books, &mut changes, &history()[50..]);
    let incremental = changes.delta(&books, lost.to()).unwrap();
    let refused = checkpoint.write(&incremental).unwrap_err();
    assert!(
        matches!(refused.fault, CheckpointFault::Gap { at: 0, from: 50 }),
        "{refused:?}"
    );
    let whole = changes.delta(&books, checkpoint.sequence()).unwrap();
    assert!(whole.is_whole());
    checkpoint.write(&whole).unwrap();
    assert_eq!(checkpoint.load_with(LIMITS).unwrap(), books);
    checkpoint.write(&whole).unwrap();
    assert_eq!(checkpoint.load_with(LIMITS).unwrap(), books);
}

#[test]
fn a_checkpoint_that_is_open_elsewhere_is_in_use_and_not_damaged() {
    let scratch = Scratch::new();
    let first = Checkpoint::open(scratch.path()).unwrap();
    let second = Checkpoint::open(scratch.path()).unwrap_err();
    assert!(!second.is_damage(), "{second}");
    assert!(second.to_string().contains(FILE_NAME), "{second}");
    drop(first);
    assert!(Checkpoint::open(scratch.path()).is_ok());
}

#[test]
fn a_file_that_is_no_database_is_damaged_and_can_be_set_aside() {
    let scratch = Scratch::new();
    let path = scratch.path().join(FILE_NAME);
    for content in [b"no database".repeat(1_000), b"short".to_vec()] {
        fs::write(&path, &content).unwrap();
        let opened = Checkpoint::open(scratch.path()).unwrap_err();
        assert!(opened.is_damage(), "{opened:?}");
        let named = format!("{}: ", path.display());
        assert!(opened.to_string().starts_with(&named), "{opened}");
        let again = Checkpoint::begin_again(scratch.path()).unwrap();
        assert_eq!(again.sequence(), 0);
        assert_eq!(
            fs::read(scratch.path().join(DAMAGED_NAME)).unwrap(),
            content
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn changed_bytes_never_become_other_books(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 1..=255_u8), 1..4),
    ) {
        let scratch = Scratch::new();
        let mut books = Books::with_limits(LIMITS);
        let mut noted = Changes::after(&books);
        let mut checkpoint = Checkpoint::open(scratch.path()).unwrap();
        apply(&mut books, &mut noted, &history());
        checkpoint.write(&noted.delta(&books, 0).unwrap()).unwrap();
        drop(checkpoint);
        let path = scratch.path().join(FILE_NAME);
        let mut bytes = fs::read(&path).unwrap();
        // Most of a young file is empty: damage what is not.
        let used: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] != 0).collect();
        for (index, mask) in changes {
            bytes[*index.get(&used)] ^= mask;
        }
        fs::write(&path, &bytes).unwrap();
        let loaded = Checkpoint::open(scratch.path())
            .and_then(|checkpoint| checkpoint.load_with(LIMITS));
        if let Ok(loaded) = loaded {
            let is_older = loaded == Books::with_limits(LIMITS);
            prop_assert!(loaded == books || is_older);
        }
    }
}

#[test]
fn a_summary_from_before_advertisers_had_accounts_is_read_as_having_none() {
    let mut books = Books::with_limits(LIMITS);
    let mut changes = Changes::after(&books);
    apply(&mut books, &mut changes, &history());
    let summary = changes.delta(&books, 0).unwrap().summary;
    let mut row = summary.encode();
    let accounts_end = row.len() - 3 * 8;
    row.drain(accounts_end..accounts_end + 8);
    assert_eq!(
        Summary::decode(&row),
        Err(Malformed),
        "a row of the newest format is longer"
    );
    row[0] = 1;
    assert_eq!(Summary::decode(&row), Ok(summary));
}
