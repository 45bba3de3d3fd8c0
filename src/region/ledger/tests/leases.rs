//! What a lease is good for, and what becomes of it.

use super::*;
use crate::region::books::UnknownEpoch;

#[test]
fn the_holder_stops_two_seconds_before_the_lease_expires() {
    let mut books = granted(100);
    let last = LedgerTime::from_millis(after(3_598).millis() - 1);
    books.lapse(last);
    assert!(reserve(&books, 1, last).is_ok());
    assert_eq!(
        reserve(&books, 1, after(3_598)).unwrap_err(),
        ReserveError::Expired
    );
    assert_eq!(books.expired(after(3_598)).collect::<Vec<_>>(), [SLOT]);
    assert_eq!(books.wants(1), [SLOT]);
    books.extend(SLOT, Epoch::new(1), after(7_200)).unwrap();
    books.lapse(after(3_598));
    assert!(reserve(&books, 1, after(3_598)).is_ok());
    assert_eq!(
        books.extend(SLOT, Epoch::new(2), after(9_000)),
        Err(UnknownEpoch)
    );
}

#[test]
fn a_sealed_lease_returns_its_free_money_and_drains_beside_the_next_one() {
    let mut books = granted(100);
    let sent = reserve(&books, 30, START).unwrap().sent();
    let unsent = reserve(&books, 20, START).unwrap();
    assert_eq!(
        books.grant(SLOT, grant(2, 7)),
        Err(GrantError::AnotherIsOpen)
    );
    let sealed = books.seal(SLOT).unwrap();
    assert_eq!((sealed.amount, sealed.closed), (Nanos::new(50), None));
    assert_eq!(
        reserve(&books, 1, START).unwrap_err(),
        ReserveError::NoLease
    );
    assert_eq!(books.grant(SLOT, grant(1, 7)), Err(GrantError::StaleEpoch));
    books.grant(SLOT, grant(2, 1_000)).unwrap();

    // What belongs to the old lease stays there, and is returned as it comes free.
    drop(unsent);
    assert_eq!(books.collect()[0].amount, Nanos::new(20));
    assert_eq!(figures(&books), [1_030, 1_000, 30, 0]);
    books.bill(&sent, Nanos::new(25), after(1)).unwrap();
    let last = books.collect();
    assert_eq!(last[0].amount, Nanos::new(5));
    assert_eq!(last[0].closed.unwrap().billed, Nanos::new(25));
    assert_eq!(figures(&books), [1_000, 1_000, 0, 0]);
    assert_eq!(books.committed(SLOT).unwrap().billed, Nanos::new(25));
    assert_eq!(
        books.bill(&sent, Nanos::new(25), after(2)),
        Err(UnknownEpoch)
    );
}

#[test]
fn a_debt_closes_with_its_lease() {
    let mut books = granted(100);
    let late = reserve(&books, 60, START).unwrap().sent();
    books.lapse(after(62));
    let kept = reserve(&books, 90, after(62)).unwrap().sent();
    books.bill(&late, Nanos::new(60), after(63)).unwrap();
    books.seal(SLOT).unwrap();
    books.bill(&kept, Nanos::new(90), after(64)).unwrap();
    let closed = books.collect()[0].closed.unwrap();
    assert_eq!(closed.free, Nanos::new(-50));
    assert_eq!(closed.billed, Nanos::new(150));
}

#[test]
fn a_lease_belongs_to_one_budget_day() {
    let mut books = granted(100);
    let tomorrow = Grant {
        day: BudgetDay::new(20_601),
        ..grant(1, 5)
    };
    assert_eq!(books.grant(SLOT, tomorrow), Err(GrantError::AnotherDay));
    books.carry(SLOT, DAY, Nanos::new(11));
    let promise = reserve(&books, 10, START).unwrap().sent();
    books.seal(SLOT).unwrap();
    let next = Grant {
        epoch: Epoch::new(2),
        ..tomorrow
    };
    books.grant(SLOT, next).unwrap();
    books.bill(&promise, Nanos::new(10), after(1)).unwrap();
    let committed = books.committed(SLOT).unwrap();
    assert_eq!(
        (committed.day, committed.billed),
        (BudgetDay::new(20_601), Nanos::ZERO)
    );
}

#[test]
fn a_slot_is_forgotten_only_when_no_lease_of_it_lives() {
    let mut books = granted(100);
    assert!(!books.forget(SLOT));
    books.seal(SLOT).unwrap();
    assert!(!books.forget(SLOT));
    books.collect();
    assert!(books.forget(SLOT));
    assert_eq!(books.open().count(), 0);
}

#[test]
fn low_water_names_a_slot_once_until_it_is_asked_for() {
    let mut books = books();
    let mut plenty = grant(1, 100);
    plenty.low_water = Nanos::new(50);
    for number in [3, 70, 999] {
        books.grant(CampaignSlot::new(number), plenty).unwrap();
        let ledger = books.ledger();
        for _ in 0..3 {
            let slot = CampaignSlot::new(number);
            let taken = ledger.reserve(slot, Nanos::new(25), START, HOLD);
            taken.unwrap().sent();
        }
    }
    let mut named = books.wants(2);
    assert_eq!(named.len(), 2);
    named.extend(books.wants(2));
    assert_eq!(named, [3, 70, 999].map(CampaignSlot::new));
    assert!(books.wants(2).is_empty());
}

#[test]
fn the_check_sees_money_that_was_made() {
    let books = granted(100);
    assert!(books.check().is_ok());
    let place = books.ledger().place(SLOT).unwrap();
    place.load().as_ref().unwrap().counterfeit(1);
    let imbalance = books.check().unwrap_err();
    assert_eq!(imbalance.balance.in_flight, Nanos::new(-1));
}
