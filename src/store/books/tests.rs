use super::*;
use crate::store::fixture::{TODAY, at, bill, billed, granted, impression, lease, returned, win};
use crate::store::movement::{Bill, Win};
use crate::units::{BudgetDay, Nanos};

impl Books {
    /// Books of these accounts of advertisers alone.
    pub(in crate::store) fn sharing(shared: SharedAccounts) -> Self {
        Self {
            shared,
            ..Self::default()
        }
    }
}

fn fold(movements: &[Movement]) -> Books {
    let mut books = Books::default();
    for (movement, sequence) in movements.iter().zip(1..) {
        books.apply(sequence, movement).unwrap();
    }
    books
}

#[track_caller]
fn refuses(books: &mut Books, movement: Movement, why: FoldError) {
    let before = books.clone();
    let next = books.sequence() + 1;
    assert_eq!(books.apply(next, &movement), Err(why));
    assert_eq!(*books, before, "a refused movement changes nothing");
}

fn today(books: &Books) -> &Day {
    books
        .account(lease(1).campaign)
        .unwrap()
        .day(TODAY)
        .unwrap()
}

#[test]
fn only_the_next_movement_is_accepted() {
    let mut books = fold(&[granted(1, 10)]);
    for found in [0, 1, 3] {
        let refused = books.apply(found, &granted(1, 10));
        assert_eq!(
            refused,
            Err(FoldError::OutOfSequence { expected: 2, found })
        );
    }
    assert_eq!(books.apply(2, &granted(1, 10)), Ok(()));
}

#[test]
fn a_closed_lease_gives_back_exactly_what_was_not_billed() {
    let mut books = fold(&[granted(1, 100), granted(1, 50), billed(1, 1, 30, 0)]);
    assert_eq!(books.lease(lease(1)).unwrap().rest(), Nanos::new(120));
    refuses(&mut books, returned(1, 119), FoldError::WrongRest);
    refuses(&mut books, returned(1, 121), FoldError::WrongRest);
    books.apply(4, &returned(1, 120)).unwrap();
    assert_eq!(today(&books).committed(), Nanos::new(30));
    assert_eq!(today(&books).billed(), Nanos::new(30));
    assert_eq!(books.lease(lease(1)), None);
    refuses(&mut books, returned(1, 0), FoldError::NoLease);
}

#[test]
fn an_epoch_that_was_closed_never_comes_back() {
    let mut books = fold(&[granted(3, 100), returned(3, 100)]);
    refuses(&mut books, granted(3, 1), FoldError::StaleEpoch);
    refuses(&mut books, granted(2, 1), FoldError::StaleEpoch);
    books.apply(3, &granted(4, 1)).unwrap();
}

#[test]
fn a_late_bill_is_a_debt_of_its_day() {
    let mut books = fold(&[granted(1, 100), returned(1, 100)]);
    refuses(&mut books, billed(1, 1, 30, 0), FoldError::WrongRest);
    books.apply(3, &billed(1, 1, 30, 30)).unwrap();
    assert_eq!(today(&books).late(), Nanos::new(30));
    assert_eq!(today(&books).committed(), Nanos::new(30));
}

#[test]
fn what_a_lease_cannot_carry_is_a_debt_and_the_lease_never_goes_below_zero() {
    let books = fold(&[
        granted(1, 100),
        billed(1, 1, 70, 0),
        billed(2, 1, 70, 40),
        returned(1, 0),
    ]);
    assert_eq!(today(&books).billed(), Nanos::new(140));
    assert_eq!(today(&books).late(), Nanos::new(40));
    assert_eq!(today(&books).returned(), Nanos::ZERO);
}

#[test]
fn an_impression_is_won_once_and_billed_once_in_any_order() {
    let mut books = fold(&[granted(1, 100), billed(1, 1, 10, 0)]);
    assert_eq!(books.settled(impression(1)), Some(Settled::Billed));
    refuses(&mut books, billed(1, 1, 10, 0), FoldError::Twice);
    books.apply(3, &Movement::Won(win(1))).unwrap();
    assert_eq!(books.settled(impression(1)), Some(Settled::WonAndBilled));
    refuses(&mut books, Movement::Won(win(1)), FoldError::Twice);
}

#[test]
fn amounts_that_cannot_be_are_refused() {
    let mut books = fold(&[granted(1, i64::MAX)]);
    refuses(&mut books, granted(1, 0), FoldError::BadAmount);
    refuses(&mut books, granted(1, -1), FoldError::BadAmount);
    refuses(&mut books, granted(2, 1), FoldError::Overflow);
    refuses(&mut books, billed(1, 1, -1, 0), FoldError::BadAmount);
    refuses(&mut Books::default(), granted(1, 0), FoldError::BadAmount);
}

#[test]
fn a_lease_carries_only_bills_of_its_own_day() {
    let mut books = fold(&[granted(1, 100)]);
    let yesterday = BudgetDay::new(TODAY.get() - 1);
    let of_yesterday = Bill {
        day: yesterday,
        ..bill(1, 1, 30)
    };
    let debt = Nanos::new(30);
    books
        .apply(
            2,
            &Movement::Billed {
                bill: of_yesterday,
                debt,
            },
        )
        .unwrap();
    let account = books.account(lease(1).campaign).unwrap();
    assert_eq!(account.day(yesterday).unwrap().late(), debt);
    assert_eq!(today(&books).open(), Nanos::new(100));
}

#[test]
fn a_forgotten_day_can_be_told_from_one_on_which_nothing_happened() {
    let mut books = Books::default();
    for (number, sequence) in (0..).zip(1..=DAYS_KEPT as u64 + 2) {
        let movement = Movement::Granted {
            lease: lease(sequence),
            day: BudgetDay::new(number),
            amount: Nanos::new(1),
            at: at(0),
            share: None,
        };
        books.apply(sequence, &movement).unwrap();
    }
    // All leases are open, so nothing may be forgotten yet.
    assert_eq!(
        books.account(lease(1).campaign).unwrap().days().count(),
        DAYS_KEPT + 2
    );
    let close = Movement::Returned {
        lease: lease(1),
        day: BudgetDay::new(0),
        amount: Nanos::new(1),
        at: at(0),
    };
    books.apply(books.sequence() + 1, &close).unwrap();
    let account = books.account(lease(1).campaign).unwrap();
    assert!(account.has_forgotten(BudgetDay::new(0)));
    assert!(!account.has_forgotten(BudgetDay::new(1)));
    assert_eq!(
        account.committed(),
        Nanos::new(i64::try_from(DAYS_KEPT).unwrap() + 1)
    );
}

fn win_of_minute(number: u64, minute: i64) -> Movement {
    Movement::Won(Win {
        bid_at: at(minute * 60_000),
        at: at(minute * 60_000),
        ..win(number)
    })
}

#[test]
fn what_was_forgotten_cannot_be_settled_again() {
    let mut books = Books::with_limits(Limits {
        settled: 2,
        exposures: 2,
    });
    for (number, minute) in [(1, 0), (2, 1), (3, 2)] {
        books.apply(number, &win_of_minute(number, minute)).unwrap();
    }
    assert_eq!(books.settled(impression(1)), None);
    assert!(books.is_forgotten(at(0)) && !books.is_forgotten(at(60_000)));
    refuses(&mut books, win_of_minute(1, 0), FoldError::Forgotten);
    refuses(&mut books, win_of_minute(9, 0), FoldError::Forgotten);
    refuses(&mut books, win_of_minute(2, 1), FoldError::Twice);
    let since: Vec<_> = books.settled_table().since(at(120_000)).collect();
    assert_eq!(since, [(impression(3), Settled::Won)]);
}

#[test]
fn a_clock_that_was_a_year_ahead_does_not_make_later_bids_look_old() {
    let year = 365 * 24 * 60;
    let mut books = fold(&[win_of_minute(1, 0), win_of_minute(2, year)]);
    assert!(
        books.is_forgotten(at(0)),
        "the leap forgets what was before it"
    );
    for (sequence, minute) in [(3, 10), (4, 11)] {
        books
            .apply(sequence, &win_of_minute(sequence, minute))
            .unwrap();
    }
    refuses(&mut books, win_of_minute(3, 10), FoldError::Twice);
}

#[test]
fn exposures_keep_their_positions_and_say_from_when_they_are_whole() {
    let mut books = Books::with_limits(Limits {
        settled: 100,
        exposures: 3,
    });
    books.apply(1, &granted(1, 100)).unwrap();
    for number in 2..=6 {
        let bill = Bill {
            at: at(i64::try_from(number).unwrap()),
            ..bill(number, 1, 1)
        };
        let debt = Nanos::ZERO;
        books
            .apply(number, &Movement::Billed { bill, debt })
            .unwrap();
    }
    let exposures = books.exposures();
    assert_eq!(
        (exposures.first(), exposures.end(), exposures.len()),
        (2, 5, 3)
    );
    assert_eq!(exposures.complete_since(), Some(at(3)));
    let page: Vec<_> = exposures
        .from(3)
        .take(1)
        .map(|(at, seen)| (at, seen.at))
        .collect();
    assert_eq!(page, [(3, at(5))]);
    assert_eq!(exposures.from(0).count(), 3);
    assert_eq!(exposures.from(5).count(), 0);
    assert_eq!(exposures.from(u64::MAX).count(), 0);
}

#[test]
fn a_region_finds_its_own_open_leases() {
    let mut of_thailand = lease(2);
    of_thailand.region = RegionKey::of("th");
    let books = fold(&[
        granted(1, 10),
        Movement::Granted {
            lease: of_thailand,
            day: TODAY,
            amount: Nanos::new(20),
            at: at(0),
            share: None,
        },
    ]);
    let open: Vec<_> = books
        .leases_of(RegionKey::of("th"))
        .map(|(key, _)| key)
        .collect();
    assert_eq!(open, [of_thailand]);
    assert_eq!(books.leases_of(RegionKey::of("id")).count(), 0);
}

#[test]
fn an_account_row_is_read_as_it_was_written() {
    let books = fold(&[
        granted(1, 100),
        billed(1, 1, 30, 0),
        granted(2, 5),
        returned(1, 70),
        billed(2, 1, 7, 7),
    ]);
    let account = books.account(lease(1).campaign).unwrap();
    let mut row = Vec::new();
    account.encode(&mut row).unwrap();
    assert_eq!(Account::decode(&row).as_ref(), Ok(account));
}

/// The control of the invariants: books that do not balance are seen.
#[test]
fn an_account_row_that_does_not_balance_is_malformed() {
    let books = fold(&[granted(1, 100), billed(1, 1, 30, 0)]);
    let mut row = Vec::new();
    let account = books.account(lease(1).campaign).unwrap();
    account.encode(&mut row).unwrap();
    // The lifetime balance lies behind the epoch: granted, returned, late, billed, open, eight bytes each.
    for field in 1..=5 {
        let mut wrong = row.clone();
        wrong[field * 8] ^= 1;
        assert!(Account::decode(&wrong).is_err(), "field {field}");
    }
}
