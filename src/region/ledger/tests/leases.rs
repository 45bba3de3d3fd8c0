//! What a lease is good for, and what becomes of it.

use super::*;
use crate::region::till::UnknownEpoch;

#[test]
fn the_holder_stops_two_seconds_before_the_lease_expires() {
    let mut till = granted(100);
    let last = LedgerTime::from_millis(after(3_598).millis() - 1);
    till.lapse(last);
    assert!(reserve(&till, 1, last).is_ok());
    assert_eq!(
        reserve(&till, 1, after(3_598)).unwrap_err(),
        ReserveError::Expired
    );
    assert_eq!(till.expired(after(3_598)).collect::<Vec<_>>(), [SLOT]);
    assert_eq!(till.wants(1), [SLOT]);
    till.extend(SLOT, Epoch::new(1), after(7_200)).unwrap();
    till.lapse(after(3_598));
    assert!(reserve(&till, 1, after(3_598)).is_ok());
    assert_eq!(
        till.extend(SLOT, Epoch::new(2), after(9_000)),
        Err(UnknownEpoch)
    );
}

#[test]
fn a_sealed_lease_returns_its_free_money_and_drains_beside_the_next_one() {
    let mut till = granted(100);
    let sent = reserve(&till, 30, START).unwrap().sent();
    let unsent = reserve(&till, 20, START).unwrap();
    assert_eq!(
        till.grant(SLOT, grant(2, 7)),
        Err(GrantError::AnotherIsOpen)
    );
    let sealed = till.seal(SLOT).unwrap();
    assert_eq!((sealed.amount, sealed.closed), (Nanos::new(50), None));
    assert_eq!(reserve(&till, 1, START).unwrap_err(), ReserveError::NoLease);
    assert_eq!(till.grant(SLOT, grant(1, 7)), Err(GrantError::StaleEpoch));
    till.grant(SLOT, grant(2, 1_000)).unwrap();

    // What belongs to the old lease stays there, and is returned as it comes free.
    drop(unsent);
    assert_eq!(till.collect()[0].amount, Nanos::new(20));
    assert_eq!(figures(&till), [1_030, 1_000, 30, 0]);
    till.bill(&sent, Nanos::new(25), after(1)).unwrap();
    let last = till.collect();
    assert_eq!(last[0].amount, Nanos::new(5));
    assert_eq!(last[0].closed.unwrap().billed, Nanos::new(25));
    assert_eq!(figures(&till), [1_000, 1_000, 0, 0]);
    assert_eq!(till.committed(SLOT).unwrap().billed, Nanos::new(25));
    assert_eq!(
        till.bill(&sent, Nanos::new(25), after(2)),
        Err(UnknownEpoch)
    );
}

#[test]
fn a_debt_closes_with_its_lease() {
    let mut till = granted(100);
    let late = reserve(&till, 60, START).unwrap().sent();
    till.lapse(after(62));
    let kept = reserve(&till, 90, after(62)).unwrap().sent();
    till.bill(&late, Nanos::new(60), after(63)).unwrap();
    till.seal(SLOT).unwrap();
    till.bill(&kept, Nanos::new(90), after(64)).unwrap();
    let closed = till.collect()[0].closed.unwrap();
    assert_eq!(closed.free, Nanos::new(-50));
    assert_eq!(closed.billed, Nanos::new(150));
}

#[test]
fn a_lease_belongs_to_one_budget_day() {
    let mut till = granted(100);
    let tomorrow = Grant {
        day: BudgetDay::new(20_601),
        ..grant(1, 5)
    };
    assert_eq!(till.grant(SLOT, tomorrow), Err(GrantError::AnotherDay));
    till.carry(SLOT, DAY, Nanos::new(11));
    let promise = reserve(&till, 10, START).unwrap().sent();
    till.seal(SLOT).unwrap();
    let next = Grant {
        epoch: Epoch::new(2),
        ..tomorrow
    };
    till.grant(SLOT, next).unwrap();
    till.bill(&promise, Nanos::new(10), after(1)).unwrap();
    let committed = till.committed(SLOT).unwrap();
    assert_eq!(
        (committed.day, committed.billed),
        (BudgetDay::new(20_601), Nanos::ZERO)
    );
}

#[test]
fn a_slot_is_forgotten_only_when_no_lease_of_it_lives() {
    let mut till = granted(100);
    assert!(!till.forget(SLOT));
    till.seal(SLOT).unwrap();
    assert!(!till.forget(SLOT));
    till.collect();
    assert!(till.forget(SLOT));
    assert_eq!(till.open().count(), 0);
}

#[test]
fn low_water_names_a_slot_once_until_it_is_asked_for() {
    let mut till = till();
    let mut plenty = grant(1, 100);
    plenty.low_water = Nanos::new(50);
    for number in [3, 70, 999] {
        till.grant(CampaignSlot::new(number), plenty).unwrap();
        let ledger = till.ledger();
        for _ in 0..3 {
            let slot = CampaignSlot::new(number);
            let taken = ledger.reserve(slot, Nanos::new(25), START, HOLD);
            taken.unwrap().sent();
        }
    }
    let mut named = till.wants(2);
    assert_eq!(named.len(), 2);
    named.extend(till.wants(2));
    assert_eq!(named, [3, 70, 999].map(CampaignSlot::new));
    assert!(till.wants(2).is_empty());
}

#[test]
fn the_check_sees_money_that_was_made() {
    let till = granted(100);
    assert!(till.check().is_ok());
    let place = till.ledger().place(SLOT).unwrap();
    place.load().as_ref().unwrap().counterfeit(1);
    let imbalance = till.check().unwrap_err();
    assert_eq!(imbalance.balance.in_flight, Nanos::new(-1));
}
