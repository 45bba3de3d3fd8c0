use proptest::prelude::*;

use super::*;
use crate::store::books::Books;
use crate::store::fixture::{at, bill, lease};
use crate::units::Epoch;

impl SharedAccounts {
    /// Accounts without movements, of this many advertisers, in the first of which so many campaigns count.
    pub(in crate::store) fn filled(advertisers: u64, sharers: u64) -> Self {
        let mut accounts: BTreeMap<_, _> = (0..advertisers)
            .map(|number| (AdvertiserKey::from_raw(number), SharedAccount::default()))
            .collect();
        let first = accounts.values_mut().next().unwrap();
        first.campaigns = (0..sharers).map(CampaignKey::from_raw).collect();
        Self::restored(accounts)
    }
}

fn share(day: i32) -> Share {
    Share {
        advertiser: AdvertiserKey::of("acme"),
        day: BudgetDay::new(day),
    }
}

/// One step of an advertiser's life; amounts are small, so that leases are often used up exactly.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A new lease of this day.
    Grant(i32, i64),
    /// A bill of this much against the lease with this epoch.
    Bill(u64, i64),
    /// The end of that lease.
    Close(u64),
}

fn movement(books: &Books, step: Step, number: u64) -> Option<Movement> {
    let of = |epoch| books.lease(lease(epoch)).copied();
    match step {
        Step::Grant(day, amount) => {
            let highest = books
                .account(lease(1).campaign)
                .map_or(0, |account| account.highest_epoch().get());
            Some(Movement::Granted {
                lease: LeaseKey {
                    epoch: Epoch::new(highest.saturating_add(1)),
                    ..lease(1)
                },
                day: BudgetDay::new(day),
                amount: Nanos::new(amount),
                at: at(i64::from(day)),
                share: Some(share(day)),
            })
        }
        Step::Bill(epoch, charge) => {
            let day = of(epoch)?.day;
            let bill = Bill {
                day,
                ..bill(number, epoch, charge)
            };
            let account = books.account(lease(1).campaign)?;
            let debt = account.debt_of(bill.lease, day, bill.charge);
            Some(Movement::Billed { bill, debt })
        }
        Step::Close(epoch) => of(epoch).map(|open| Movement::Returned {
            lease: lease(epoch),
            day: open.day,
            amount: open.rest(),
            at: at(0),
        }),
    }
}

/// Takes each step that can be taken, and reads the account again as it was written after each.
fn live(steps: &[Step]) -> Books {
    let mut books = Books::default();
    for (step, number) in steps.iter().zip(1..) {
        let Some(movement) = movement(&books, *step, number) else {
            continue;
        };
        books
            .apply(books.sequence().saturating_add(1), &movement)
            .unwrap();
        let Some(account) = books.shared(share(0).advertiser) else {
            continue;
        };
        let mut row = Vec::new();
        account.encode(&mut row).unwrap();
        assert_eq!(books.shared_accounts().sharers(), 1);
        assert_eq!(
            SharedAccount::decode(&row).as_ref(),
            Ok(account),
            "after {movement:?}"
        );
    }
    books
}

fn days(from: i32, to: i32) -> impl Iterator<Item = Step> {
    (from..to).map(|day| Step::Grant(day, 1))
}

#[test]
fn the_day_of_an_open_lease_that_is_used_up_is_kept_until_the_lease_is_closed() {
    // The first lease is of day 0 and used up; each later one is closed, so that its day may be forgotten.
    let closed = (2..=40).map(Step::Close);
    let steps: Vec<_> = [Step::Grant(0, 10), Step::Bill(1, 10)]
        .into_iter()
        .chain(
            days(1, 40)
                .zip(closed)
                .flat_map(|(open, close)| [open, close]),
        )
        .collect();
    let mut books = live(&steps);
    let advertiser = share(0).advertiser;
    let spent = |books: &Books| books.shared(advertiser).unwrap().spent_on(share(0).day);
    assert_eq!(spent(&books), Nanos::new(10));
    assert_eq!(books.share_of(lease(1)), Some(share(0)));
    for step in [Step::Close(1), Step::Grant(40, 1)] {
        let next = movement(&books, step, 0).unwrap();
        books
            .apply(books.sequence().saturating_add(1), &next)
            .unwrap();
    }
    assert_eq!(spent(&books), Nanos::ZERO, "forgotten after its lease");
    let account = books.shared(advertiser).unwrap();
    assert_eq!(account.days.len(), DAYS_KEPT);
}

#[test]
fn a_lease_of_a_day_that_is_neither_kept_nor_forgotten_is_malformed() {
    let books = live(&[Step::Grant(3, 10), Step::Bill(1, 10)]);
    let mut account = books.shared(share(0).advertiser).unwrap().clone();
    account.days.clear();
    let read = |account: &SharedAccount| {
        let mut row = Vec::new();
        account.encode(&mut row).unwrap();
        SharedAccount::decode(&row)
    };
    assert_eq!(read(&account), Err(Malformed));
    account.forgotten = Some(BudgetDay::new(2));
    assert_eq!(read(&account), Err(Malformed));
    account.forgotten = Some(BudgetDay::new(3));
    assert_eq!(read(&account).as_ref(), Ok(&account));
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..50_i32, 1..4_i64).prop_map(|(day, amount)| Step::Grant(day, amount)),
        2 => (1..150_u64, 0..4_i64).prop_map(|(epoch, charge)| Step::Bill(epoch, charge)),
        1 => (1..150_u64).prop_map(Step::Close),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]

    #[test]
    fn whatever_became_of_its_leases_an_account_is_read_as_it_was_written(
        steps in proptest::collection::vec(steps(), 100..300),
    ) {
        live(&steps);
    }
}
