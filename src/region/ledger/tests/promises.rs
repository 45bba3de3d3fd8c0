//! What a bid takes: a promise that is undone, spent, freed or lapsed.

use super::*;
use crate::region::books::{Billed, Released};

#[test]
fn a_bid_needs_a_lease_and_asks_for_one() {
    let mut books = books();
    assert_eq!(
        reserve(&books, 1, START).unwrap_err(),
        ReserveError::NoLease
    );
    assert_eq!(books.wants(10), [SLOT]);
    assert!(books.wants(10).is_empty());
}

#[test]
fn a_slot_outside_the_table_is_refused_everywhere() {
    let mut books = books();
    let outside = CampaignSlot::new(1_000_000);
    let refused = books.ledger().reserve(outside, Nanos::new(1), START, HOLD);
    assert_eq!(refused.unwrap_err(), ReserveError::NoLease);
    assert_eq!(
        books.grant(outside, grant(1, 1)),
        Err(GrantError::NoSuchSlot)
    );
}

#[test]
fn a_reservation_dropped_unsent_is_undone() {
    let books = granted(100);
    let reservation = reserve(&books, 60, START).unwrap();
    assert_eq!(
        reserve(&books, 60, START).unwrap_err(),
        ReserveError::Exhausted
    );
    assert_eq!(books.check(), Ok(Nanos::new(60)));
    drop(reservation);
    assert_eq!(figures(&books), [100, 100, 0, 0]);
}

#[test]
fn a_panic_between_reserve_and_send_undoes_the_reservation() {
    let books = granted(100);
    let crash = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _reservation = reserve(&books, 60, START).unwrap();
        panic!("planted");
    }));
    assert!(crash.is_err());
    assert_eq!(figures(&books), [100, 100, 0, 0]);
}

#[test]
fn a_bill_spends_the_charge_and_frees_the_rest() {
    let mut books = granted(100);
    let promise = reserve(&books, 60, START).unwrap().sent();
    assert_eq!(figures(&books), [100, 40, 60, 0]);
    let billed = books.bill(&promise, Nanos::new(45), after(3));
    assert_eq!(billed, Ok(Billed::InTime));
    assert_eq!(figures(&books), [100, 55, 0, 45]);
    let delay = books.committed(SLOT).unwrap().bill_delay.unwrap();
    assert!(delay < Duration::from_secs(4));
}

#[test]
fn a_loss_frees_the_promise_at_once() {
    let mut books = granted(100);
    let promise = reserve(&books, 60, START).unwrap().sent();
    assert_eq!(books.release(&promise), Ok(Released::Freed));
    assert_eq!(figures(&books), [100, 100, 0, 0]);
}

#[test]
#[should_panic(expected = "left a bucket")]
fn a_promise_released_twice_is_a_crash() {
    let mut books = granted(100);
    let promise = reserve(&books, 60, START).unwrap().sent();
    let _first = books.release(&promise);
    let _second = books.release(&promise);
}

#[test]
fn a_promise_lapses_after_its_hold_and_not_before() {
    let mut books = granted(100);
    let promise = reserve(&books, 60, START).unwrap().sent();
    assert_eq!(books.lapse(after(59)), Nanos::ZERO);
    assert_eq!(books.lapse(after(62)), Nanos::new(60));
    assert_eq!(books.release(&promise), Ok(Released::Lapsed));
    assert_eq!(figures(&books), [100, 100, 0, 0]);
}

#[test]
fn a_bill_after_the_reservation_lapsed_spends_once_and_may_make_a_debt() {
    let mut books = granted(100);
    let late = reserve(&books, 60, START).unwrap().sent();
    books.lapse(after(62));
    let second = reserve(&books, 90, after(62)).unwrap().sent();
    let billed = books.bill(&late, Nanos::new(60), after(63));
    let free = Nanos::new(-50);
    assert_eq!(billed, Ok(Billed::Late { free }));
    assert_eq!(figures(&books), [100, -50, 90, 60]);
    assert_eq!(books.totals().debt, Nanos::new(50));
    assert_eq!(
        reserve(&books, 0, after(63)).unwrap_err(),
        ReserveError::Exhausted
    );
    assert_eq!(books.release(&second), Ok(Released::Freed));
    assert_eq!(figures(&books), [100, 40, 0, 60]);
}

#[test]
fn a_bill_after_a_loss_spends_free_money() {
    let mut books = granted(100);
    let promise = reserve(&books, 60, START).unwrap().sent();
    books.release(&promise).unwrap();
    let free = Nanos::new(40);
    assert_eq!(
        books.bill_released(&promise, Nanos::new(60)),
        Ok(Billed::Late { free })
    );
    assert_eq!(figures(&books), [100, 40, 0, 60]);
}

#[test]
fn a_late_server_stops_bids_until_it_has_lapsed_what_is_due() {
    let mut books = granted(100);
    assert_eq!(
        reserve(&books, 1, after(30)).unwrap_err(),
        ReserveError::WheelBehind
    );
    books.lapse(after(30));
    assert!(reserve(&books, 1, after(30)).is_ok());
    let unknown = HoldClass::new(9);
    let refused = books
        .ledger()
        .reserve(SLOT, Nanos::new(1), after(30), unknown);
    assert_eq!(refused.unwrap_err(), ReserveError::UnknownHold);
}
