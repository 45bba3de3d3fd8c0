//! What a bid takes: a promise that is undone, spent, freed or lapsed.

use super::*;
use crate::region::till::{Billed, Released};

#[test]
fn a_bid_needs_a_lease_and_asks_for_one() {
    let mut till = till();
    assert_eq!(reserve(&till, 1, START).unwrap_err(), ReserveError::NoLease);
    assert_eq!(till.wants(10), [SLOT]);
    assert!(till.wants(10).is_empty());
}

#[test]
fn a_slot_outside_the_table_is_refused_everywhere() {
    let mut till = till();
    let outside = CampaignSlot::new(1_000_000);
    let refused = till.ledger().reserve(outside, Nanos::new(1), START, HOLD);
    assert_eq!(refused.unwrap_err(), ReserveError::NoLease);
    assert_eq!(
        till.grant(outside, grant(1, 1)),
        Err(GrantError::NoSuchSlot)
    );
}

#[test]
fn a_reservation_dropped_unsent_is_undone() {
    let till = granted(100);
    let reservation = reserve(&till, 60, START).unwrap();
    assert_eq!(
        reserve(&till, 60, START).unwrap_err(),
        ReserveError::Exhausted
    );
    assert_eq!(till.check(), Ok(Nanos::new(60)));
    drop(reservation);
    assert_eq!(figures(&till), [100, 100, 0, 0]);
}

#[test]
fn a_panic_between_reserve_and_send_undoes_the_reservation() {
    let till = granted(100);
    let crash = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _reservation = reserve(&till, 60, START).unwrap();
        panic!("planted");
    }));
    assert!(crash.is_err());
    assert_eq!(figures(&till), [100, 100, 0, 0]);
}

#[test]
fn a_bill_spends_the_charge_and_frees_the_rest() {
    let mut till = granted(100);
    let promise = reserve(&till, 60, START).unwrap().sent();
    assert_eq!(figures(&till), [100, 40, 60, 0]);
    let billed = till.bill(&promise, Nanos::new(45), after(3));
    assert_eq!(billed, Ok(Billed::InTime));
    assert_eq!(figures(&till), [100, 55, 0, 45]);
    let delay = till.committed(SLOT).unwrap().bill_delay.unwrap();
    assert!(delay < Duration::from_secs(4));
}

#[test]
fn a_loss_frees_the_promise_at_once() {
    let mut till = granted(100);
    let promise = reserve(&till, 60, START).unwrap().sent();
    assert_eq!(till.release(&promise), Ok(Released::Freed));
    assert_eq!(figures(&till), [100, 100, 0, 0]);
}

#[test]
#[should_panic(expected = "left a bucket")]
fn a_promise_released_twice_is_a_crash() {
    let mut till = granted(100);
    let promise = reserve(&till, 60, START).unwrap().sent();
    let _first = till.release(&promise);
    let _second = till.release(&promise);
}

#[test]
fn a_promise_lapses_after_its_hold_and_not_before() {
    let mut till = granted(100);
    let promise = reserve(&till, 60, START).unwrap().sent();
    assert_eq!(till.lapse(after(59)), Nanos::ZERO);
    assert_eq!(till.lapse(after(62)), Nanos::new(60));
    assert_eq!(till.release(&promise), Ok(Released::Lapsed));
    assert_eq!(figures(&till), [100, 100, 0, 0]);
}

#[test]
fn a_bill_after_the_reservation_lapsed_spends_once_and_may_make_a_debt() {
    let mut till = granted(100);
    let late = reserve(&till, 60, START).unwrap().sent();
    till.lapse(after(62));
    let second = reserve(&till, 90, after(62)).unwrap().sent();
    let billed = till.bill(&late, Nanos::new(60), after(63));
    let free = Nanos::new(-50);
    assert_eq!(billed, Ok(Billed::Late { free }));
    assert_eq!(figures(&till), [100, -50, 90, 60]);
    assert_eq!(till.totals().debt, Nanos::new(50));
    assert_eq!(
        reserve(&till, 0, after(63)).unwrap_err(),
        ReserveError::Exhausted
    );
    assert_eq!(till.release(&second), Ok(Released::Freed));
    assert_eq!(figures(&till), [100, 40, 0, 60]);
}

#[test]
fn a_bill_after_a_loss_spends_free_money() {
    let mut till = granted(100);
    let promise = reserve(&till, 60, START).unwrap().sent();
    till.release(&promise).unwrap();
    let free = Nanos::new(40);
    assert_eq!(
        till.bill_released(&promise, Nanos::new(60)),
        Ok(Billed::Late { free })
    );
    assert_eq!(figures(&till), [100, 40, 0, 60]);
}

#[test]
fn a_late_server_stops_bids_until_it_has_lapsed_what_is_due() {
    let mut till = granted(100);
    assert_eq!(
        reserve(&till, 1, after(30)).unwrap_err(),
        ReserveError::WheelBehind
    );
    till.lapse(after(30));
    assert!(reserve(&till, 1, after(30)).is_ok());
    let unknown = HoldClass::new(9);
    let refused = till
        .ledger()
        .reserve(SLOT, Nanos::new(1), after(30), unknown);
    assert_eq!(refused.unwrap_err(), ReserveError::UnknownHold);
}
