//! Facts about a region's money: one thread against a naive model, many threads against the limit of a lease.

mod leases;
mod naive;
mod promises;
mod threads;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::*;
use crate::region::till::{Grant, GrantError, Till};

const START: LedgerTime = LedgerTime::from_millis(1_790_000_000_000);
const DAY: BudgetDay = BudgetDay::new(20_600);
const SLOT: CampaignSlot = CampaignSlot::new(300);
const HOLD: HoldClass = HoldClass::new(0);
const LONG: HoldClass = HoldClass::new(1);

fn after(seconds: u64) -> LedgerTime {
    START.plus(Duration::from_secs(seconds))
}

fn till() -> Till {
    let holds = [Duration::from_mins(1), Duration::from_mins(10)];
    Till::new(Arc::new(Ledger::new(1_000, &holds, START)))
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

fn granted(amount: i64) -> Till {
    let mut till = till();
    till.grant(SLOT, grant(1, amount)).unwrap();
    till
}

fn reserve(till: &Till, amount: i64, now: LedgerTime) -> Result<Reservation, ReserveError> {
    let would = looked(till, amount, now);
    let reserved = till.ledger().reserve(SLOT, Nanos::new(amount), now, HOLD);
    assert_eq!(would, reserved.as_ref().map(|_| ()).map_err(|error| *error));
    reserved
}

/// What whoever only looks is told, which takes nothing and asks for nothing.
fn looked(till: &Till, amount: i64, now: LedgerTime) -> Result<(), ReserveError> {
    let ledger = till.ledger();
    let wanted = || -> Vec<u64> {
        let words = ledger.wanted().iter();
        words.map(|word| word.load(Ordering::Relaxed)).collect()
    };
    let before = (ledger.balance(SLOT), wanted());
    let would = ledger.would_reserve(SLOT, Nanos::new(amount), now, HOLD);
    assert_eq!((ledger.balance(SLOT), wanted()), before);
    would.map(|_| ())
}

fn figures(till: &Till) -> [i64; 4] {
    let sum = till.totals().balance;
    assert_eq!(till.check(), Ok(sum.in_flight));
    [sum.leased, sum.free, sum.reserved, sum.billed].map(Nanos::get)
}
