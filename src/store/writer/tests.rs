mod shared;

use std::collections::BTreeMap;
use std::fs;

use proptest::prelude::*;

use super::*;
use crate::scratch::Scratch;
use crate::store::fixture::{TODAY, at, bill, last_segment, lease, segments, win, wish};
use crate::store::movement::{Bill, Win};
use crate::units::{BudgetDay, CampaignKey, Epoch, Nanos, RegionKey};

const LIMITS: Limits = Limits {
    settled: 1_000,
    exposures: 1_000,
};
const SMALL_SEGMENT: u64 = 2_000;

fn open(scratch: &Scratch) -> (Writer, Checkpoint, Recovery) {
    Writer::open_with(scratch.path(), LIMITS, SMALL_SEGMENT).unwrap()
}

fn outcome(writer: &mut Writer, command: Command) -> Outcome {
    writer.stage(command).unwrap();
    let mut outcomes = writer.commit().unwrap();
    assert_eq!(outcomes.len(), 1);
    outcomes.remove(0)
}

fn amount(outcome: Outcome) -> Nanos {
    match outcome {
        Outcome::Granted { amount, .. } => amount,
        other => panic!("{other:?}"),
    }
}

fn close(epoch: u64) -> Command {
    Command::Close(Close {
        lease: lease(epoch),
        at: at(0),
    })
}

#[test]
fn a_grant_is_what_is_wanted_or_what_the_ceilings_leave() {
    let scratch = Scratch::new();
    let (mut writer, _checkpoint, _) = open(&scratch);
    let mut grant = |want, day, total| outcome(&mut writer, Command::Grant(wish(want, day, total)));
    assert_eq!(amount(grant(60, 100, 150)), Nanos::new(60));
    assert_eq!(amount(grant(60, 100, 150)), Nanos::new(40));
    assert_eq!(grant(60, 100, 150), Outcome::Refused(Refusal::DayExhausted));
    assert_eq!(
        grant(60, 200, 100),
        Outcome::Refused(Refusal::TotalExhausted)
    );
    assert_eq!(amount(grant(60, 200, 150)), Nanos::new(50));
    assert_eq!(grant(0, 200, 150), Outcome::Refused(Refusal::BadAmount));
    let tomorrow = Grant {
        day: BudgetDay::new(TODAY.get() + 1),
        ..wish(60, 100, 1_000)
    };
    assert_eq!(
        amount(outcome(&mut writer, Command::Grant(tomorrow))),
        Nanos::new(60)
    );
}

#[test]
fn each_new_lease_has_the_next_epoch_and_a_top_up_needs_its_own_open_one() {
    let scratch = Scratch::new();
    let (mut writer, _checkpoint, _) = open(&scratch);
    for epoch in 1..=2 {
        let expected = Outcome::Granted {
            lease: lease(epoch),
            amount: Nanos::new(10),
        };
        assert_eq!(
            outcome(&mut writer, Command::Grant(wish(10, 100, 100))),
            expected
        );
    }
    let top_up = Grant {
        lease: LeaseChoice::TopUp(Epoch::new(2)),
        ..wish(10, 100, 100)
    };
    assert_eq!(
        amount(outcome(&mut writer, Command::Grant(top_up))),
        Nanos::new(10)
    );
    assert_eq!(
        writer.books().unwrap().lease(lease(2)).unwrap().granted,
        Nanos::new(20)
    );
    let of_another_region = Grant {
        region: RegionKey::of("th"),
        ..top_up
    };
    let refused = outcome(&mut writer, Command::Grant(of_another_region));
    assert_eq!(refused, Outcome::Refused(Refusal::NoLease));
    let of_another_day = Grant {
        day: BudgetDay::new(0),
        ..top_up
    };
    let refused = outcome(&mut writer, Command::Grant(of_another_day));
    assert_eq!(refused, Outcome::Refused(Refusal::WrongDay));
    outcome(&mut writer, close(2));
    let refused = outcome(&mut writer, Command::Grant(top_up));
    assert_eq!(refused, Outcome::Refused(Refusal::NoLease));
}

#[test]
fn closing_gives_back_the_exact_rest_once() {
    let scratch = Scratch::new();
    let (mut writer, _checkpoint, _) = open(&scratch);
    outcome(&mut writer, Command::Grant(wish(100, 100, 100)));
    outcome(&mut writer, Command::Bill(bill(1, 1, 30)));
    let returned = Nanos::new(70);
    assert_eq!(outcome(&mut writer, close(1)), Outcome::Closed { returned });
    assert_eq!(outcome(&mut writer, close(1)), Outcome::AlreadyClosed);
    assert_eq!(outcome(&mut writer, close(9)), Outcome::AlreadyClosed);
    assert_eq!(
        amount(outcome(&mut writer, Command::Grant(wish(100, 100, 100)))),
        returned
    );
}

#[test]
fn a_late_bill_is_booked_once_and_comes_out_of_what_is_granted_next() {
    let scratch = Scratch::new();
    let (mut writer, _checkpoint, _) = open(&scratch);
    outcome(&mut writer, Command::Grant(wish(100, 100, 100)));
    outcome(&mut writer, close(1));
    let debt = Nanos::new(30);
    let late = Command::Bill(bill(1, 1, 30));
    assert_eq!(outcome(&mut writer, late), Outcome::Billed { debt });
    assert_eq!(outcome(&mut writer, late), Outcome::AlreadyBilled);
    let next = outcome(&mut writer, Command::Grant(wish(100, 100, 100)));
    assert_eq!(amount(next), Nanos::new(70));
}

#[test]
fn a_bill_of_a_campaign_nobody_knows_is_booked_as_debt() {
    let scratch = Scratch::new();
    let (mut writer, _checkpoint, _) = open(&scratch);
    let debt = Nanos::new(30);
    let unknown = Command::Bill(bill(1, 7, 30));
    assert_eq!(outcome(&mut writer, unknown), Outcome::Billed { debt });
}

#[test]
fn twice_in_one_batch_is_once() {
    let scratch = Scratch::new();
    let (mut writer, _checkpoint, _) = open(&scratch);
    for command in [Command::Win(win(1)), Command::Bill(bill(1, 1, 30))] {
        writer.stage(command).unwrap();
        writer.stage(command).unwrap();
    }
    let debt = Nanos::new(30);
    let expected = [
        Outcome::Won,
        Outcome::AlreadyWon,
        Outcome::Billed { debt },
        Outcome::AlreadyBilled,
    ];
    assert_eq!(writer.commit().unwrap(), expected);
    assert_eq!(writer.books().unwrap().sequence(), 2);
}

#[test]
fn amounts_that_cannot_be_are_refused_and_nothing_is_booked() {
    let scratch = Scratch::new();
    let (mut writer, _checkpoint, _) = open(&scratch);
    let negative = Command::Bill(bill(1, 1, -30));
    assert_eq!(
        outcome(&mut writer, negative),
        Outcome::Refused(Refusal::BadAmount)
    );
    let huge = |number| Command::Bill(bill(number, 1, i64::MAX));
    assert!(matches!(
        outcome(&mut writer, huge(1)),
        Outcome::Billed { .. }
    ));
    assert_eq!(
        outcome(&mut writer, huge(2)),
        Outcome::Refused(Refusal::Overflow)
    );
    assert_eq!(writer.books().unwrap().sequence(), 1);
}

#[test]
fn a_bid_whose_settlement_may_be_forgotten_is_refused() {
    let scratch = Scratch::new();
    let (mut writer, _checkpoint, _) = open(&scratch);
    assert_eq!(outcome(&mut writer, Command::Win(win(1))), Outcome::Won);
    let next_month = Win {
        bid_at: at(30 * 24 * 3_600_000),
        at: at(30 * 24 * 3_600_000),
        ..win(2)
    };
    assert_eq!(outcome(&mut writer, Command::Win(next_month)), Outcome::Won);
    let too_old = Outcome::Refused(Refusal::TooOld);
    assert_eq!(outcome(&mut writer, Command::Win(win(1))), too_old);
    assert_eq!(outcome(&mut writer, Command::Bill(bill(1, 1, 30))), too_old);
}

#[test]
fn a_region_that_crashes_in_a_loop_gets_no_more_money_to_strand() {
    let scratch = Scratch::new();
    let (mut writer, _checkpoint, _) = open(&scratch);
    let grant = Command::Grant(wish(1, i64::MAX, i64::MAX));
    for _ in 0..OPEN_LEASES_MAX {
        writer.stage(grant).unwrap();
    }
    writer.commit().unwrap();
    assert_eq!(
        outcome(&mut writer, grant),
        Outcome::Refused(Refusal::TooManyLeases)
    );
    outcome(&mut writer, close(1));
    assert_eq!(amount(outcome(&mut writer, grant)), Nanos::new(1));
}

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

/// Low enough that a life of some dozen commands meets them.
const DAY_CEILING: i64 = 250;
const TOTAL_CEILING: i64 = 500;

/// A step of a life: commands, and what happens to the process.
#[derive(Clone, Debug)]
enum Step {
    Stage(Command),
    Commit,
    Checkpoint,
    /// The process dies; this much of what it had staged had reached the disk, in thousandths of its bytes.
    Crash(usize),
}

fn commands() -> impl Strategy<Value = Command> {
    let campaign = prop::sample::select(vec!["shoes", "hats"]).prop_map(CampaignKey::of);
    let region = prop::sample::select(vec!["sg", "th"]).prop_map(RegionKey::of);
    let place = (campaign, region, 0..3_i32, 0..6_u64);
    let settled = (0..40_u64, 0..200_i64);
    let share = prop::option::weighted(0.8, (0..2_i32).prop_map(shared::share));
    (place, settled, (0..10_u32, share)).prop_map(
        |((campaign, region, day, epoch), (number, money), (kind, share))| {
            let mut key = lease(epoch);
            key.campaign = campaign;
            key.region = region;
            let day = BudgetDay::new(TODAY.get() + day);
            let choice = if kind == 0 {
                LeaseChoice::TopUp(key.epoch)
            } else {
                LeaseChoice::New
            };
            match kind {
                0..=2 => Command::Grant(Grant {
                    campaign,
                    region,
                    day,
                    lease: choice,
                    shared: share.map(|share| (share, shared::SHARED)),
                    ..wish(money, DAY_CEILING, TOTAL_CEILING)
                }),
                3 => Command::Close(Close {
                    lease: key,
                    at: at(0),
                }),
                4 | 5 => Command::Win(Win {
                    campaign,
                    region,
                    ..win(number)
                }),
                _ => Command::Bill(Bill {
                    lease: key,
                    day,
                    ..bill(number, epoch, money)
                }),
            }
        },
    )
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => commands().prop_map(Step::Stage),
        3 => Just(Step::Commit),
        1 => Just(Step::Checkpoint),
        1 => (0..=1_000_usize).prop_map(Step::Crash),
    ]
}

/// What was acknowledged, from outcomes alone: nothing of it may be lost, nor anything twice.
#[derive(Default)]
struct Acknowledged {
    billed: BTreeMap<crate::store::movement::ImpressionKey, Nanos>,
}

impl Acknowledged {
    fn take(&mut self, command: &Command, outcome: Outcome) {
        if let (Command::Bill(bill), Outcome::Billed { .. }) = (command, outcome) {
            let before = self.billed.insert(bill.key, bill.charge);
            assert_eq!(before, None, "billed twice: {bill:?}");
        }
    }
}

fn check_money(books: &Books) {
    for (_, account) in books.accounts() {
        let mut committed = Nanos::ZERO;
        for (number, day) in account.days() {
            let promised = day.committed().checked_sub(day.late()).unwrap();
            assert!(promised <= Nanos::new(DAY_CEILING), "minted on {number:?}");
            assert!(day.billed() <= day.committed());
            committed = committed.checked_add(day.committed()).unwrap();
        }
        assert_eq!(committed, account.committed());
        let promised = account.committed().checked_sub(account.late()).unwrap();
        assert!(promised <= Nanos::new(TOTAL_CEILING), "minted");
        let open = account
            .leases()
            .map(|(_, _, lease)| lease.rest().get())
            .sum();
        assert_eq!(
            account.committed().checked_sub(account.spent()),
            Some(Nanos::new(open))
        );
    }
}

/// Writes part of what was staged as a dying process would, and answers how many whole movements that is.
fn die(writer: Writer, scratch: &Scratch, permille: usize) -> Vec<Movement> {
    let batch = writer.batch.clone();
    let Writer { mut journal, .. } = writer;
    let path_before = last_segment(scratch.path());
    let before = fs::metadata(&path_before).unwrap().len();
    journal.append(&batch).unwrap();
    drop(journal);
    let path = last_segment(scratch.path());
    let begun = if path == path_before { before } else { 24 };
    let bytes = fs::read(&path).unwrap();
    let added = bytes.len() - usize::try_from(begun).unwrap();
    let kept = usize::try_from(begun).unwrap() + added * permille / 1_000;
    fs::write(&path, &bytes[..kept]).unwrap();
    batch
}

/// Opens again, and checks that the books are what was durable and a prefix of what was staged.
fn recover(
    scratch: &Scratch,
    durable: &mut Vec<Movement>,
    staged: &[Movement],
) -> (Writer, Checkpoint) {
    let (writer, checkpoint, recovery) = open(scratch);
    let last = usize::try_from(recovery.last).unwrap();
    let whole = [durable.as_slice(), staged].concat();
    assert!((durable.len()..=whole.len()).contains(&last));
    let mut expected = Books::with_limits(LIMITS);
    for (movement, sequence) in whole[..last].iter().zip(1..) {
        expected.apply(sequence, movement).unwrap();
    }
    assert_eq!(*writer.books().unwrap(), expected);
    durable.extend_from_slice(&staged[..last - durable.len()]);
    (writer, checkpoint)
}

/// A whole life, with the writer's own account of it beside the one kept here.
fn live(steps: &[Step]) {
    let scratch = Scratch::new();
    let (mut writer, mut checkpoint, _) = open(&scratch);
    let mut durable: Vec<Movement> = Vec::new();
    let mut staged = Vec::new();
    let mut acknowledged = Acknowledged::default();
    for step in steps {
        match step {
            Step::Stage(command) => {
                writer.stage(*command).unwrap();
                staged.push(*command);
            }
            Step::Commit | Step::Checkpoint => {
                durable.extend_from_slice(&writer.batch);
                for (command, outcome) in staged.drain(..).zip(writer.commit().unwrap()) {
                    acknowledged.take(&command, outcome);
                }
                if matches!(step, Step::Checkpoint) {
                    let delta = writer.delta(checkpoint.sequence()).unwrap();
                    checkpoint.write(&delta).unwrap();
                    writer.checkpointed(delta.to()).unwrap();
                }
            }
            Step::Crash(permille) => {
                staged.clear();
                drop(checkpoint);
                let batch = die(writer, &scratch, *permille);
                let known = durable.len();
                drop(recover(&scratch, &mut durable, &batch));
                // What became durable without being acknowledged is found when its notice comes again.
                for movement in &durable[known..] {
                    if let Movement::Billed { bill, .. } = movement {
                        acknowledged.billed.insert(bill.key, bill.charge);
                    }
                }
                (writer, checkpoint) = recover(&scratch, &mut durable, &[]);
            }
        }
    }
    if writer.staged() == 0 {
        let books = writer.books().unwrap();
        check_money(books);
        assert_eq!(shared::check(&durable, books), Ok(()));
        let spent: i64 = books
            .accounts()
            .map(|(_, account)| account.spent().get())
            .sum();
        let charged: i64 = acknowledged
            .billed
            .values()
            .map(|charge| charge.get())
            .sum();
        assert_eq!(spent, charged);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn money_is_neither_minted_nor_lost_whatever_happens(
        mut steps in proptest::collection::vec(steps(), 1..120),
    ) {
        steps.push(Step::Commit);
        live(&steps);
    }
}
