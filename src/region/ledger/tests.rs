//! Facts about a region's money: one thread against a naive model, many threads against the limit of a lease.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "the naive model is written the plain way, on small numbers"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use proptest::prelude::*;

use super::super::books::{Billed, Books, Grant, GrantError, Released, UnknownEpoch};
use super::*;

const START: LedgerTime = LedgerTime::from_millis(1_790_000_000_000);
const DAY: BudgetDay = BudgetDay::new(20_600);
const SLOT: CampaignSlot = CampaignSlot::new(300);
const HOLD: HoldClass = HoldClass::new(0);
const LONG: HoldClass = HoldClass::new(1);

fn after(seconds: u64) -> LedgerTime {
    START.plus(Duration::from_secs(seconds))
}

fn books() -> Books {
    let holds = [Duration::from_mins(1), Duration::from_mins(10)];
    Books::new(Arc::new(Ledger::new(1_000, &holds, START)))
}

fn grant(epoch: u64, amount: i64) -> Grant {
    Grant {
        epoch: Epoch::new(epoch),
        day: DAY,
        amount: Nanos::new(amount),
        expires_at: after(3_600),
        low_water: Nanos::ZERO,
    }
}

fn granted(amount: i64) -> Books {
    let mut books = books();
    books.grant(SLOT, grant(1, amount)).unwrap();
    books
}

fn reserve(books: &Books, amount: i64, now: LedgerTime) -> Result<Reservation, ReserveError> {
    let would = looked(books, amount, now);
    let reserved = books.ledger().reserve(SLOT, Nanos::new(amount), now, HOLD);
    assert_eq!(would, reserved.as_ref().map(|_| ()).map_err(|error| *error));
    reserved
}

/// What whoever only looks is told, which takes nothing and asks for nothing.
fn looked(books: &Books, amount: i64, now: LedgerTime) -> Result<(), ReserveError> {
    let ledger = books.ledger();
    let wanted = || -> Vec<u64> {
        let words = ledger.wanted().iter();
        words.map(|word| word.load(Ordering::Relaxed)).collect()
    };
    let before = (ledger.balance(SLOT), wanted());
    let would = ledger.would_reserve(SLOT, Nanos::new(amount), now, HOLD);
    assert_eq!((ledger.balance(SLOT), wanted()), before);
    would.map(|_| ())
}

fn figures(books: &Books) -> [i64; 4] {
    let sum = books.totals().balance;
    assert_eq!(books.check(), Ok(sum.in_flight));
    [sum.leased, sum.free, sum.reserved, sum.billed].map(Nanos::get)
}

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

/// Threads reserve, drop and send, while the server bills, lapses, tops up and seals.
#[test]
fn threads_never_promise_more_than_the_leases_hold() {
    let mut books = granted(50_000);
    let ledger = Arc::clone(books.ledger());
    let (stop, now_ms) = (AtomicBool::new(false), AtomicI64::new(START.millis()));
    let (promises, inbox) = std::sync::mpsc::sync_channel(100_000);
    let mut granted_all = 50_000;
    let mut returned = 0;
    let (mut sent, mut billed) = (0, 0);
    std::thread::scope(|scope| {
        // A failed assertion must end the test, not leave it waiting for its threads.
        let _stop = StopOnDrop(&stop);
        for thread in 0..3_i64 {
            let promises = promises.clone();
            let (ledger, stop, now_ms) = (&ledger, &stop, &now_ms);
            scope.spawn(move || {
                let mut turn = thread;
                while !stop.load(Ordering::Relaxed) {
                    turn += 1;
                    let now = LedgerTime::from_millis(now_ms.load(Ordering::Relaxed));
                    let hold = if turn % 5 == 0 { LONG } else { HOLD };
                    let amount = Nanos::new(turn % 7 + 1);
                    let Ok(reservation) = ledger.reserve(SLOT, amount, now, hold) else {
                        continue;
                    };
                    if turn % 3 != 0 {
                        // A full inbox is an exchange that says nothing: the promise lapses.
                        let _full = promises.try_send(reservation.sent());
                    }
                }
            });
        }
        for round in 0..400_u64 {
            let now = after(round * 5);
            now_ms.store(now.millis(), Ordering::Relaxed);
            for _ in 0..20 {
                let Ok(promise) = inbox.recv_timeout(Duration::from_millis(2)) else {
                    break;
                };
                sent += 1;
                if sent % 2 == 0 && books.bill(&promise, promise.reserved, now).is_ok() {
                    billed += promise.reserved.get();
                }
            }
            books.lapse(now);
            assert!(books.check().unwrap() >= Nanos::ZERO);
            if round % 40 == 39 {
                returned += books.seal(SLOT).unwrap().amount.get();
                books.grant(SLOT, grant(round, 5_000)).unwrap();
                granted_all += 5_000;
            }
            returned += sum(&books.collect());
        }
    });
    returned += books.seal(SLOT).unwrap().amount.get();
    for round in 400..700 {
        books.lapse(after(round * 5));
        returned += sum(&books.collect());
    }
    assert!(sent > 0, "the test must have tested something");
    assert_eq!(books.totals().draining, 0);
    assert_eq!(granted_all, returned + billed);
}

struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn sum(returned: &[super::super::books::Returned]) -> i64 {
    // A lease that closes with a debt has billed more than it held, for bills that came after their promise lapsed.
    let debt = |closed: Balance| closed.free.get();
    returned
        .iter()
        .map(|one| one.amount.get() + one.closed.map_or(0, debt))
        .sum()
}

/// What may happen to a slot.
#[derive(Clone, Debug)]
enum Step {
    Reserve { amount: i64, long: bool },
    Drop(usize),
    Send(usize),
    Bill { which: usize, charge: i64 },
    Release(usize),
    Pass(u64),
    Grant(i64),
    Seal,
    Collect,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..400_i64, any::<bool>()).prop_map(|(amount, long)| Step::Reserve { amount, long }),
        1 => any::<usize>().prop_map(Step::Drop),
        3 => any::<usize>().prop_map(Step::Send),
        2 => (any::<usize>(), 0..500_i64).prop_map(|(which, charge)| Step::Bill { which, charge }),
        1 => any::<usize>().prop_map(Step::Release),
        2 => (1..30_000_u64).prop_map(Step::Pass),
        1 => (1..2_000_i64).prop_map(Step::Grant),
        1 => Just(Step::Seal),
        1 => Just(Step::Collect),
    ]
}

/// One lease, written down the plain way: a list of promises and four sums.
#[derive(Default)]
struct NaiveLease {
    leased: i64,
    billed: i64,
    unsent: i64,
    promises: Vec<(LedgerTime, i64)>,
    /// Forgotten by the books; kept here so that the next epoch is above it.
    closed: bool,
}

impl NaiveLease {
    fn free(&self) -> i64 {
        self.leased - self.billed - self.unsent - self.reserved()
    }

    fn reserved(&self) -> i64 {
        self.promises.iter().map(|(_, amount)| amount).sum()
    }

    fn take(&mut self, promise: &Promise) -> bool {
        let wanted = (promise.expires_at, promise.reserved.get());
        let found = self.promises.iter().position(|one| *one == wanted);
        found
            .map(|index| self.promises.swap_remove(index))
            .is_some()
    }
}

#[derive(Default)]
struct Naive {
    leases: BTreeMap<u64, NaiveLease>,
    open: Option<u64>,
    unsent: Vec<Reservation>,
    standing: Vec<Promise>,
}

impl Naive {
    fn apply(&mut self, step: &Step, books: &mut Books, now: &mut LedgerTime) {
        match *step {
            Step::Reserve { amount, long } => self.reserve(amount, long, books, *now),
            Step::Drop(which) if !self.unsent.is_empty() => {
                let dropped = self.unsent.swap_remove(which % self.unsent.len());
                let promise = dropped.promise();
                self.lease(&promise).unsent -= promise.reserved.get();
            }
            Step::Send(which) if !self.unsent.is_empty() => {
                let sent = self.unsent.swap_remove(which % self.unsent.len());
                let promise = sent.promise();
                let lease = self.lease(&promise);
                lease.unsent -= promise.reserved.get();
                if promise.expires_at <= *now {
                    // No bid takes longer than its hold: the deadline is three orders of magnitude shorter.
                    return;
                }
                sent.sent();
                lease
                    .promises
                    .push((promise.expires_at, promise.reserved.get()));
                self.standing.push(promise);
            }
            Step::Bill { which, charge } if !self.standing.is_empty() => {
                let promise = self.standing.swap_remove(which % self.standing.len());
                let seen = books.bill(&promise, Nanos::new(charge), *now);
                let lease = self.lease(&promise);
                assert_eq!(seen.is_err(), lease.closed);
                if !lease.closed {
                    lease.billed += charge;
                    assert_eq!(lease.take(&promise), seen == Ok(Billed::InTime));
                }
            }
            Step::Release(which) if !self.standing.is_empty() => {
                let promise = self.standing.swap_remove(which % self.standing.len());
                let seen = books.release(&promise);
                let lease = self.lease(&promise);
                assert_eq!(seen.is_err(), lease.closed);
                if !lease.closed {
                    assert_eq!(lease.take(&promise), seen == Ok(Released::Freed));
                }
            }
            Step::Pass(millis) => {
                *now = now.plus(Duration::from_millis(millis));
                books.lapse(*now);
                for lease in self.leases.values_mut() {
                    lease.promises.retain(|(expiry, _)| *expiry > *now);
                }
            }
            Step::Grant(amount) => self.grant(amount, books),
            Step::Seal => {
                let open = self.open.take();
                let returned = books.seal(SLOT);
                assert_eq!(open, returned.map(|one| one.epoch.get()));
                if let (Some(epoch), Some(returned)) = (open, returned) {
                    let lease = self.leases.get_mut(&epoch).unwrap();
                    assert_eq!(returned.amount.get(), lease.free().max(0));
                    lease.leased -= returned.amount.get();
                }
            }
            Step::Collect => self.collect(books),
            Step::Drop(_) | Step::Send(_) | Step::Bill { .. } | Step::Release(_) => {}
        }
    }

    fn lease(&mut self, promise: &Promise) -> &mut NaiveLease {
        self.leases.get_mut(&promise.epoch.get()).unwrap()
    }

    fn reserve(&mut self, amount: i64, long: bool, books: &Books, now: LedgerTime) {
        let hold = if long { LONG } else { HOLD };
        let seen = books.ledger().reserve(SLOT, Nanos::new(amount), now, hold);
        let open = self.open.and_then(|epoch| self.leases.get_mut(&epoch));
        match (open, seen) {
            (Some(lease), Ok(reservation)) => {
                assert!(lease.free() >= amount);
                lease.unsent += amount;
                self.unsent.push(reservation);
            }
            (Some(lease), Err(ReserveError::Exhausted)) => assert!(lease.free() < amount),
            (None, Err(ReserveError::NoLease)) => {}
            (_, seen) => panic!("{seen:?}"),
        }
    }

    fn grant(&mut self, amount: i64, books: &mut Books) {
        let newest = self.leases.keys().next_back().copied().unwrap_or(0);
        let epoch = self.open.unwrap_or(newest + 1);
        let mut grant = grant(epoch, amount);
        grant.expires_at = START.plus(Duration::from_hours(1_000));
        match books.grant(SLOT, grant) {
            Ok(()) => {
                self.leases.entry(epoch).or_default().leased += amount;
                self.open = Some(epoch);
            }
            Err(refused) => assert_eq!(refused, GrantError::TooManyDraining),
        }
    }

    fn collect(&mut self, books: &mut Books) {
        for returned in books.collect() {
            let lease = self.leases.get_mut(&returned.epoch.get()).unwrap();
            assert_eq!(returned.amount.get(), lease.free().max(0));
            lease.leased -= returned.amount.get();
            let idle = lease.reserved() == 0 && lease.unsent == 0;
            if let Some(closed) = returned.closed {
                assert!(idle);
                assert_eq!(closed.billed.get(), lease.billed);
                *lease = NaiveLease {
                    closed: true,
                    ..NaiveLease::default()
                };
            }
        }
    }

    fn agrees(&self, books: &Books) {
        let balance = books.totals().balance;
        assert_eq!(books.check(), Ok(balance.in_flight));
        let sum = |of: fn(&NaiveLease) -> i64| self.leases.values().map(of).sum::<i64>();
        assert_eq!(balance.leased.get(), sum(|lease| lease.leased));
        assert_eq!(balance.free.get(), sum(NaiveLease::free));
        assert_eq!(balance.reserved.get(), sum(NaiveLease::reserved));
        assert_eq!(balance.billed.get(), sum(|lease| lease.billed));
    }
}

proptest! {
    #[test]
    fn money_is_where_a_naive_model_says(steps in proptest::collection::vec(step(), 1..200)) {
        let mut books = books();
        let (mut naive, mut now) = (Naive::default(), START);
        for step in &steps {
            naive.apply(step, &mut books, &mut now);
            naive.agrees(&books);
        }
    }
}
