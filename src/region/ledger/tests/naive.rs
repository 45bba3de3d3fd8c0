//! One thread against a model: a list of promises and four sums.

#![expect(
    clippy::arithmetic_side_effects,
    reason = "the naive model is written the plain way, on small numbers"
)]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::region::till::{Billed, Released};

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
    /// Forgotten by the till; kept here so that the next epoch is above it.
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
    fn apply(&mut self, step: &Step, till: &mut Till, now: &mut LedgerTime) {
        match *step {
            Step::Reserve { amount, long } => self.reserve(amount, long, till, *now),
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
                let seen = till.bill(&promise, Nanos::new(charge), *now);
                let lease = self.lease(&promise);
                assert_eq!(seen.is_err(), lease.closed);
                if !lease.closed {
                    lease.billed += charge;
                    assert_eq!(lease.take(&promise), seen == Ok(Billed::InTime));
                }
            }
            Step::Release(which) if !self.standing.is_empty() => {
                let promise = self.standing.swap_remove(which % self.standing.len());
                let seen = till.release(&promise);
                let lease = self.lease(&promise);
                assert_eq!(seen.is_err(), lease.closed);
                if !lease.closed {
                    assert_eq!(lease.take(&promise), seen == Ok(Released::Freed));
                }
            }
            Step::Pass(millis) => {
                *now = now.plus(Duration::from_millis(millis));
                till.lapse(*now);
                for lease in self.leases.values_mut() {
                    lease.promises.retain(|(expiry, _)| *expiry > *now);
                }
            }
            Step::Grant(amount) => self.grant(amount, till),
            Step::Seal => {
                let open = self.open.take();
                let returned = till.seal(SLOT);
                assert_eq!(open, returned.map(|one| one.epoch.get()));
                if let (Some(epoch), Some(returned)) = (open, returned) {
                    let lease = self.leases.get_mut(&epoch).unwrap();
                    assert_eq!(returned.amount.get(), lease.free().max(0));
                    lease.leased -= returned.amount.get();
                }
            }
            Step::Collect => self.collect(till),
            Step::Drop(_) | Step::Send(_) | Step::Bill { .. } | Step::Release(_) => {}
        }
    }

    fn lease(&mut self, promise: &Promise) -> &mut NaiveLease {
        self.leases.get_mut(&promise.epoch.get()).unwrap()
    }

    fn reserve(&mut self, amount: i64, long: bool, till: &Till, now: LedgerTime) {
        let hold = if long { LONG } else { HOLD };
        let seen = till.ledger().reserve(SLOT, Nanos::new(amount), now, hold);
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

    fn grant(&mut self, amount: i64, till: &mut Till) {
        let newest = self.leases.keys().next_back().copied().unwrap_or(0);
        let epoch = self.open.unwrap_or(newest + 1);
        let mut grant = grant(epoch, amount);
        grant.expires_at = START.plus(Duration::from_hours(1_000));
        match till.grant(SLOT, grant) {
            Ok(()) => {
                self.leases.entry(epoch).or_default().leased += amount;
                self.open = Some(epoch);
            }
            Err(refused) => assert_eq!(refused, GrantError::TooManyDraining),
        }
    }

    fn collect(&mut self, till: &mut Till) {
        for returned in till.collect() {
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

    fn agrees(&self, till: &Till) {
        let balance = till.totals().balance;
        assert_eq!(till.check(), Ok(balance.in_flight));
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
        let mut till = till();
        let (mut naive, mut now) = (Naive::default(), START);
        for step in &steps {
            naive.apply(step, &mut till, &mut now);
            naive.agrees(&till);
        }
    }
}
