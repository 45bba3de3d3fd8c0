//! Whole lives with crashes: money is neither minted nor lost.

use proptest::prelude::*;

use super::*;
use crate::store::fixture::last_segment;
use crate::units::RegionKey;

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
