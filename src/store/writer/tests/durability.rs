//! Nothing is shown or acknowledged before it is durable.

use super::*;

#[test]
fn the_books_are_shown_only_when_all_of_them_is_durable() {
    let scratch = Scratch::new();
    let (mut writer, _checkpoint, _) = open(&scratch);
    writer.stage(Command::Win(win(1))).unwrap();
    assert!(matches!(writer.books(), Err(WriteError::Staged)));
    assert!(matches!(writer.delta(0), Err(WriteError::Staged)));
    writer.commit().unwrap();
    assert!(writer.books().is_ok());
}

#[test]
fn a_full_batch_asks_for_a_commit() {
    let scratch = Scratch::new();
    let (mut writer, _checkpoint, _) = open(&scratch);
    for number in 0..BATCH_MAX as u64 {
        writer.stage(Command::Win(win(number))).unwrap();
    }
    let full = writer.stage(Command::Win(win(9_999)));
    assert!(matches!(full, Err(WriteError::Full)));
    assert_eq!(writer.commit().unwrap().len(), BATCH_MAX);
    assert_eq!(writer.staged(), 0);
}

#[test]
fn a_failed_commit_acknowledges_nothing_and_poisons_the_writer() {
    let scratch = Scratch::new();
    let (mut writer, checkpoint, _) = open(&scratch);
    outcome(&mut writer, Command::Win(win(1)));
    writer.break_journal();
    writer.stage(Command::Win(win(2))).unwrap();
    assert!(matches!(writer.commit(), Err(WriteError::Poisoned(_))));
    assert!(matches!(writer.commit(), Err(WriteError::Poisoned(_))));
    assert!(matches!(
        writer.stage(Command::Win(win(3))),
        Err(WriteError::Poisoned(_))
    ));
    assert!(matches!(writer.books(), Err(WriteError::Poisoned(_))));
    drop((writer, checkpoint));
    let (mut writer, _checkpoint, recovery) = open(&scratch);
    assert_eq!(recovery.last, 1);
    assert_eq!(outcome(&mut writer, Command::Win(win(2))), Outcome::Won);
}
