//! What is granted, billed and closed, and what is refused.

use super::*;
use crate::units::RegionKey;

#[test]
fn a_grant_is_what_is_wanted_or_what_the_ceilings_leave() {
    let scratch = Scratch::new();
    let (mut writer, _checkpoint, _) = open(&scratch);
    let mut grant = |want, day, total| outcome(&mut writer, Command::Grant(wish(want, day, total)));
    assert_eq!(amount(grant(60, 100, 150)), Nanos::new(60));
    assert_eq!(amount(grant(60, 100, 150)), Nanos::new(40));
    assert_eq!(grant(60, 100, 150), Outcome::Refused(Refusal::DayExhausted));
    assert_eq!(
        grant(60, 200, 100),
        Outcome::Refused(Refusal::TotalExhausted)
    );
    assert_eq!(amount(grant(60, 200, 150)), Nanos::new(50));
    assert_eq!(grant(0, 200, 150), Outcome::Refused(Refusal::BadAmount));
    let tomorrow = Grant {
        day: BudgetDay::new(TODAY.get() + 1),
        ..wish(60, 100, 1_000)
    };
    assert_eq!(
        amount(outcome(&mut writer, Command::Grant(tomorrow))),
        Nanos::new(60)
    );
}

#[test]
fn each_new_lease_has_the_next_epoch_and_a_top_up_needs_its_own_open_one() {
    let scratch = Scratch::new();
    let (mut writer, _checkpoint, _) = open(&scratch);
    for epoch in 1..=2 {
        let expected = Outcome::Granted {
            lease: lease(epoch),
            amount: Nanos::new(10),
        };
        assert_eq!(
            outcome(&mut writer, Command::Grant(wish(10, 100, 100))),
            expected
        );
    }
    let top_up = Grant {
        lease: LeaseChoice::TopUp(Epoch::new(2)),
        ..wish(10, 100, 100)
    };
    assert_eq!(
        amount(outcome(&mut writer, Command::Grant(top_up))),
        Nanos::new(10)
    );
    assert_eq!(
        writer.books().unwrap().lease(lease(2)).unwrap().granted,
        Nanos::new(20)
    );
    let of_another_region = Grant {
        region: RegionKey::of("th"),
        ..top_up
    };
    let refused = outcome(&mut writer, Command::Grant(of_another_region));
    assert_eq!(refused, Outcome::Refused(Refusal::NoLease));
    let of_another_day = Grant {
        day: BudgetDay::new(0),
        ..top_up
    };
    let refused = outcome(&mut writer, Command::Grant(of_another_day));
    assert_eq!(refused, Outcome::Refused(Refusal::WrongDay));
    outcome(&mut writer, close(2));
    let refused = outcome(&mut writer, Command::Grant(top_up));
    assert_eq!(refused, Outcome::Refused(Refusal::NoLease));
}

#[test]
fn closing_gives_back_the_exact_rest_once() {
    let scratch = Scratch::new();
    let (mut writer, _checkpoint, _) = open(&scratch);
    outcome(&mut writer, Command::Grant(wish(100, 100, 100)));
    outcome(&mut writer, Command::Bill(bill(1, 1, 30)));
    let returned = Nanos::new(70);
    assert_eq!(outcome(&mut writer, close(1)), Outcome::Closed { returned });
    assert_eq!(outcome(&mut writer, close(1)), Outcome::AlreadyClosed);
    assert_eq!(outcome(&mut writer, close(9)), Outcome::AlreadyClosed);
    assert_eq!(
        amount(outcome(&mut writer, Command::Grant(wish(100, 100, 100)))),
        returned
    );
}

#[test]
fn a_late_bill_is_booked_once_and_comes_out_of_what_is_granted_next() {
    let scratch = Scratch::new();
    let (mut writer, _checkpoint, _) = open(&scratch);
    outcome(&mut writer, Command::Grant(wish(100, 100, 100)));
    outcome(&mut writer, close(1));
    let debt = Nanos::new(30);
    let late = Command::Bill(bill(1, 1, 30));
    assert_eq!(outcome(&mut writer, late), Outcome::Billed { debt });
    assert_eq!(outcome(&mut writer, late), Outcome::AlreadyBilled);
    let next = outcome(&mut writer, Command::Grant(wish(100, 100, 100)));
    assert_eq!(amount(next), Nanos::new(70));
}

#[test]
fn a_bill_of_a_campaign_nobody_knows_is_booked_as_debt() {
    let scratch = Scratch::new();
    let (mut writer, _checkpoint, _) = open(&scratch);
    let debt = Nanos::new(30);
    let unknown = Command::Bill(bill(1, 7, 30));
    assert_eq!(outcome(&mut writer, unknown), Outcome::Billed { debt });
}

#[test]
fn twice_in_one_batch_is_once() {
    let scratch = Scratch::new();
    let (mut writer, _checkpoint, _) = open(&scratch);
    for command in [Command::Win(win(1)), Command::Bill(bill(1, 1, 30))] {
        writer.stage(command).unwrap();
        writer.stage(command).unwrap();
    }
    let debt = Nanos::new(30);
    let expected = [
        Outcome::Won,
        Outcome::AlreadyWon,
        Outcome::Billed { debt },
        Outcome::AlreadyBilled,
    ];
    assert_eq!(writer.commit().unwrap(), expected);
    assert_eq!(writer.books().unwrap().sequence(), 2);
}

#[test]
fn amounts_that_cannot_be_are_refused_and_nothing_is_booked() {
    let scratch = Scratch::new();
    let (mut writer, _checkpoint, _) = open(&scratch);
    let negative = Command::Bill(bill(1, 1, -30));
    assert_eq!(
        outcome(&mut writer, negative),
        Outcome::Refused(Refusal::BadAmount)
    );
    let huge = |number| Command::Bill(bill(number, 1, i64::MAX));
    assert!(matches!(
        outcome(&mut writer, huge(1)),
        Outcome::Billed { .. }
    ));
    assert_eq!(
        outcome(&mut writer, huge(2)),
        Outcome::Refused(Refusal::Overflow)
    );
    assert_eq!(writer.books().unwrap().sequence(), 1);
}

#[test]
fn a_bid_whose_settlement_may_be_forgotten_is_refused() {
    let scratch = Scratch::new();
    let (mut writer, _checkpoint, _) = open(&scratch);
    assert_eq!(outcome(&mut writer, Command::Win(win(1))), Outcome::Won);
    let next_month = Win {
        bid_at: at(30 * 24 * 3_600_000),
        at: at(30 * 24 * 3_600_000),
        ..win(2)
    };
    assert_eq!(outcome(&mut writer, Command::Win(next_month)), Outcome::Won);
    let too_old = Outcome::Refused(Refusal::TooOld);
    assert_eq!(outcome(&mut writer, Command::Win(win(1))), too_old);
    assert_eq!(outcome(&mut writer, Command::Bill(bill(1, 1, 30))), too_old);
}

#[test]
fn a_region_that_crashes_in_a_loop_gets_no_more_money_to_strand() {
    let scratch = Scratch::new();
    let (mut writer, _checkpoint, _) = open(&scratch);
    let grant = Command::Grant(wish(1, i64::MAX, i64::MAX));
    for _ in 0..OPEN_LEASES_MAX {
        writer.stage(grant).unwrap();
    }
    writer.commit().unwrap();
    assert_eq!(
        outcome(&mut writer, grant),
        Outcome::Refused(Refusal::TooManyLeases)
    );
    outcome(&mut writer, close(1));
    assert_eq!(amount(outcome(&mut writer, grant)), Nanos::new(1));
}
