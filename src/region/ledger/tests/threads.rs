//! Many threads against the limit of a lease.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "sums of small numbers, to be compared"
)]

use std::sync::atomic::{AtomicBool, AtomicI64};

use super::*;

/// Threads reserve, drop and send, while the server bills, lapses, tops up and seals.
#[test]
fn threads_never_promise_more_than_the_leases_hold() {
    let mut till = granted(50_000);
    let ledger = Arc::clone(till.ledger());
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
                if sent % 2 == 0 && till.bill(&promise, promise.reserved, now).is_ok() {
                    billed += promise.reserved.get();
                }
            }
            till.lapse(now);
            assert!(till.check().unwrap() >= Nanos::ZERO);
            if round % 40 == 39 {
                returned += till.seal(SLOT).unwrap().amount.get();
                till.grant(SLOT, grant(round, 5_000)).unwrap();
                granted_all += 5_000;
            }
            returned += sum(&till.collect());
        }
    });
    returned += till.seal(SLOT).unwrap().amount.get();
    for round in 400..700 {
        till.lapse(after(round * 5));
        returned += sum(&till.collect());
    }
    assert!(sent > 0, "the test must have tested something");
    assert_eq!(till.totals().draining, 0);
    assert_eq!(granted_all, returned + billed);
}

struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn sum(returned: &[crate::region::till::Returned]) -> i64 {
    // A lease that closes with a debt has billed more than it held, for bills that came after their promise lapsed.
    let debt = |closed: Balance| closed.free.get();
    returned
        .iter()
        .map(|one| one.amount.get() + one.closed.map_or(0, debt))
        .sum()
}
