//! Facts about caps: never above, whatever the order of bids, bills, losses and time.

mod shared;

use std::sync::atomic::AtomicU32;

use proptest::prelude::*;

use super::*;

const START: i64 = 1_790_000_000_000;
const HOUR: u64 = 3_600;
const VIEWING: Viewing = Viewing {
    user: UserKey::from_raw(42),
    campaign: CampaignKey::of("shoes"),
    advertiser: AdvertiserKey::of("shoes"),
};

fn after(seconds: u64) -> LedgerTime {
    LedgerTime::from_millis(START).plus(Duration::from_secs(seconds))
}

fn cap(impressions: u32) -> Caps {
    of_campaign(Cap {
        impressions,
        window: Duration::from_secs(HOUR),
    })
}

fn of_campaign(cap: Cap) -> Caps {
    Caps {
        campaign: Some(cap),
        advertiser: None,
    }
}

fn table() -> Frequency {
    let table = Frequency::loading(100_000);
    table.loaded(None);
    table
}

fn admit(table: &Frequency, impressions: u32, second: u64) -> Result<Pending, CapRefusal> {
    let times = (after(second), after(second + 60));
    asked(table, VIEWING, cap(impressions), times)
}

/// What a bid is told, and that whoever only looked was told the same.
fn asked(
    table: &Frequency,
    viewing: Viewing,
    caps: Caps,
    (now, hold_until): (LedgerTime, LedgerTime),
) -> Result<Pending, CapRefusal> {
    let would = table.would_admit(viewing, caps, now);
    let admitted = table.admit(viewing, caps, now, hold_until);
    assert_eq!(
        would,
        admitted.as_ref().map(|_| ()).map_err(|refusal| *refusal)
    );
    admitted
}

#[test]
fn a_user_is_shown_a_campaign_as_often_as_the_cap_says_and_again_when_the_window_has_passed() {
    let table = table();
    for second in [0, 100] {
        admit(&table, 2, second).unwrap().sent();
        assert!(table.confirm(VIEWING, cap(2), after(second + 60), after(second + 5)));
    }
    assert_eq!(admit(&table, 2, 200).unwrap_err(), CapRefusal::Capped);
    // The first was shown at second 5.
    assert_eq!(admit(&table, 2, HOUR + 4).unwrap_err(), CapRefusal::Capped);
    admit(&table, 2, HOUR + 5).unwrap().sent();
    assert_eq!(admit(&table, 2, HOUR + 6).unwrap_err(), CapRefusal::Capped);
}

#[test]
fn a_bid_counts_until_it_is_undone_released_or_its_hold_has_passed() {
    let table = table();
    let unsent = admit(&table, 1, 0).unwrap();
    assert_eq!(admit(&table, 1, 0).unwrap_err(), CapRefusal::Capped);
    drop(unsent);
    assert_eq!(table.pairs(), 0);

    admit(&table, 1, 0).unwrap().sent();
    assert_eq!(admit(&table, 1, 59).unwrap_err(), CapRefusal::Capped);
    table.release(VIEWING, after(60));
    admit(&table, 1, 1).unwrap().sent();
    assert_eq!(admit(&table, 1, 60).unwrap_err(), CapRefusal::Capped);
    assert!(admit(&table, 1, 61).is_ok());
}

#[test]
fn a_bill_whose_hold_has_passed_counts_too() {
    let table = table();
    admit(&table, 1, 0).unwrap().sent();
    assert!(table.confirm(VIEWING, cap(1), after(60), after(500)));
    assert_eq!(admit(&table, 1, 500).unwrap_err(), CapRefusal::Capped);
    assert_eq!(
        admit(&table, 1, HOUR + 499).unwrap_err(),
        CapRefusal::Capped
    );
    assert!(admit(&table, 1, HOUR + 500).is_ok());
}

#[test]
fn a_late_bill_does_not_push_out_a_pending_bid_or_an_impression_that_outlives_it() {
    let table = table();
    assert!(table.load(VIEWING, cap(2), after(0)));
    admit(&table, 2, 10).unwrap().sent();
    assert!(table.confirm(VIEWING, cap(2), after(5), after(20)));
    table.release(VIEWING, after(70));
    assert_eq!(admit(&table, 2, 30).unwrap_err(), CapRefusal::Capped);
    assert!(admit(&table, 2, HOUR + 1).is_ok());
}

#[test]
fn others_are_not_capped_by_it() {
    let table = table();
    admit(&table, 1, 0).unwrap().sent();
    let other_user = Viewing {
        user: UserKey::from_raw(43),
        ..VIEWING
    };
    let other_campaign = Viewing {
        campaign: CampaignKey::of("hats"),
        ..VIEWING
    };
    for viewing in [other_user, other_campaign] {
        let admitted = asked(&table, viewing, cap(1), (after(0), after(60)));
        admitted.unwrap().sent();
    }
    assert_eq!(table.pairs(), 3);
}

#[test]
fn a_cap_of_nothing_allows_nothing_and_a_huge_one_is_held_to_what_is_counted() {
    let table = table();
    assert_eq!(admit(&table, 0, 0).unwrap_err(), CapRefusal::Capped);
    for _ in 0..CAP_MAX {
        admit(&table, 1_000_000, 0).unwrap().sent();
    }
    assert_eq!(admit(&table, 1_000_000, 0).unwrap_err(), CapRefusal::Capped);
    assert!(admit(&table, 1_000_000, 60).is_ok());
}

#[test]
fn a_table_that_is_loading_or_full_does_not_know() {
    let table = Frequency::loading(SHARDS);
    assert!(table.load(VIEWING, cap(1), after(0)));
    assert_eq!(admit(&table, 1, 1).unwrap_err(), CapRefusal::Unknown);
    table.loaded(None);
    assert_eq!(admit(&table, 1, 1).unwrap_err(), CapRefusal::Capped);
    // One pair for each shard: a second campaign for the same user has no room.
    let other = Viewing {
        campaign: CampaignKey::of("hats"),
        ..VIEWING
    };
    let refused = asked(&table, other, cap(1), (after(1), after(61)));
    assert_eq!(refused.unwrap_err(), CapRefusal::Unknown);
    assert!(!table.confirm(other, cap(1), after(61), after(1)));
}

#[test]
fn a_sweep_forgets_only_what_no_window_sees() {
    let table = table();
    assert!(table.load(VIEWING, cap(1), after(0)));
    let kept = table.sweep(after(HOUR - 1), SHARDS);
    assert_eq!((kept.forgotten, kept.kept), (0, 1));
    assert_eq!(table.sweep(after(HOUR), SHARDS).forgotten, 1);
    assert_eq!(table.pairs(), 0);
}

#[test]
fn threads_that_bid_on_one_user_at_once_stay_within_the_cap() {
    let table = table();
    let admitted = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for turn in 0..5_000 {
                    // Not looked at first: what is seen may be gone when it is asked for.
                    let pending = table.admit(VIEWING, cap(7), after(0), after(60));
                    if let (Ok(pending), true) = (pending, turn % 2 == 0) {
                        pending.sent();
                        admitted.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(admitted.load(Ordering::Relaxed), 7);
}

#[test]
fn a_window_that_reaches_beyond_what_is_remembered_is_unknown() {
    let table = Frequency::loading(1_000);
    table.loaded(Some(LedgerTime::from_millis(START - 60_000)));
    let over = |window| {
        let cap = Cap {
            impressions: 1,
            window,
        };
        let (now, until) = (
            LedgerTime::from_millis(START),
            LedgerTime::from_millis(START + 1_000),
        );
        asked(&table, VIEWING, of_campaign(cap), (now, until)).map(drop)
    };
    assert_eq!(over(Duration::from_secs(50)), Ok(()));
    assert_eq!(over(Duration::from_secs(70)), Err(CapRefusal::Unknown));
}

#[derive(Clone, Debug)]
enum Step {
    Bid,
    Bill(usize),
    Lose(usize),
    Drop,
    Wait(u64),
    Sweep,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Bid),
        2 => any::<usize>().prop_map(Step::Bill),
        1 => any::<usize>().prop_map(Step::Lose),
        1 => Just(Step::Drop),
        3 => (0..90_000_u64).prop_map(Step::Wait),
        1 => Just(Step::Sweep),
    ]
}

proptest! {
    /// A plain list of times beside the table. Bills come within the hold, as the learnt hold makes them: then no window
    /// of any position has more impressions than the cap, and nobody is refused whom whole seconds would not refuse.
    #[test]
    fn no_window_ever_has_more_impressions_than_the_cap(
        impressions in 1..6_u32,
        steps in proptest::collection::vec(step(), 1..150),
    ) {
        let table = table();
        let cap = of_campaign(Cap { impressions, window: Duration::from_mins(5) });
        let (mut now, mut open, mut shown) = (START, Vec::new(), Vec::<i64>::new());
        for step in steps {
            let time = LedgerTime::from_millis(now);
            // Those that lapsed just now may still be held back by rounding.
            open.retain(|until| *until + 2_000 > now);
            let mut live: Vec<usize> = (0..open.len()).collect();
            live.retain(|place| open[*place] > now);
            match step {
                Step::Bid | Step::Drop => {
                    let until = now + 60_000;
                    let counting = |slack: i64| {
                        open.iter().filter(|until| **until + slack > now).count()
                            + shown.iter().filter(|at| **at + 300_000 + slack > now).count()
                    };
                    match asked(&table, VIEWING, cap, (time, LedgerTime::from_millis(until))) {
                        Ok(pending) => {
                            prop_assert!(counting(0) < impressions as usize);
                            if matches!(step, Step::Bid) {
                                pending.sent();
                                open.push(until);
                            }
                        }
                        Err(refused) => {
                            prop_assert_eq!(refused, CapRefusal::Capped);
                            prop_assert!(counting(2_000) >= impressions as usize);
                        }
                    }
                }
                Step::Bill(which) if !live.is_empty() => {
                    let until = open.swap_remove(live[which % live.len()]);
                    table.confirm(VIEWING, cap, LedgerTime::from_millis(until), time);
                    shown.push(now);
                }
                Step::Lose(which) if !live.is_empty() => {
                    let until = open.swap_remove(live[which % live.len()]);
                    table.release(VIEWING, LedgerTime::from_millis(until));
                }
                Step::Wait(millis) => now += i64::try_from(millis).unwrap(),
                Step::Sweep => { table.sweep(time, SHARDS); }
                Step::Bill(_) | Step::Lose(_) => {}
            }
            for start in &shown {
                let within = shown.iter().filter(|at| (*start..*start + 300_000).contains(*at));
                prop_assert!(within.count() <= impressions as usize);
            }
        }
    }
}
