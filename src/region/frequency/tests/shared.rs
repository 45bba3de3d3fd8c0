//! Facts about an advertiser's cap beside its campaigns' own, and about tables that follow one another.

use super::*;

const SHOES: Viewing = VIEWING;
const HATS: Viewing = Viewing {
    campaign: CampaignKey::of("hats"),
    ..VIEWING
};
/// Another advertiser's campaign, named like the advertiser.
const OTHER: Viewing = Viewing {
    campaign: CampaignKey::of("shoes"),
    advertiser: AdvertiserKey::of("other"),
    ..VIEWING
};

fn caps(own: u32, shared: u32) -> Caps {
    Caps {
        campaign: cap(own).campaign,
        advertiser: cap(shared).campaign,
    }
}

fn bid(table: &Frequency, viewing: Viewing, caps: Caps) -> Result<Pending, CapRefusal> {
    asked(table, viewing, caps, (after(0), after(60)))
}

#[test]
fn what_one_campaign_showed_counts_for_the_others_of_its_advertiser() {
    let table = table();
    bid(&table, SHOES, caps(9, 2)).unwrap().sent();
    bid(&table, HATS, caps(9, 2)).unwrap().sent();
    assert!(table.confirm(HATS, caps(9, 2), after(60), after(1)));
    for viewing in [SHOES, HATS] {
        assert_eq!(
            bid(&table, viewing, caps(9, 2)).unwrap_err(),
            CapRefusal::AdvertiserCapped
        );
    }
    assert!(bid(&table, OTHER, caps(2, 2)).is_ok());
    table.release(SHOES, after(60));
    assert!(bid(&table, HATS, caps(9, 2)).is_ok());
}

#[test]
fn a_bid_that_one_cap_refuses_counts_in_neither_and_one_that_is_dropped_is_undone_in_both() {
    let table = table();
    bid(&table, SHOES, caps(1, 9)).unwrap().sent();
    assert_eq!(
        bid(&table, SHOES, caps(1, 9)).unwrap_err(),
        CapRefusal::Capped
    );
    drop(bid(&table, HATS, caps(1, 2)).unwrap());
    let hats = bid(&table, HATS, caps(1, 2)).unwrap();
    assert_eq!(
        bid(&table, HATS, caps(2, 2)).unwrap_err(),
        CapRefusal::AdvertiserCapped
    );
    drop(hats);
    assert_eq!(table.pairs(), 2, "of the one bid that was sent");
}

#[test]
fn a_pair_that_has_no_room_leaves_no_trace_of_the_other() {
    let table = Frequency::loading(SHARDS);
    table.loaded(None);
    assert_eq!(
        bid(&table, SHOES, caps(1, 1)).unwrap_err(),
        CapRefusal::Unknown,
        "two pairs, and room for one"
    );
    assert_eq!(table.pairs(), 0);
}

#[test]
fn a_new_table_knows_the_bids_of_the_one_before_it_which_takes_no_more() {
    let former = table();
    bid(&former, SHOES, caps(9, 1)).unwrap().sent();
    let next = Frequency::loading(100_000);
    next.inherit(&former);
    next.loaded(None);
    assert_eq!(
        bid(&next, HATS, caps(9, 1)).unwrap_err(),
        CapRefusal::AdvertiserCapped
    );
    assert_eq!(
        bid(&former, HATS, caps(9, 9)).unwrap_err(),
        CapRefusal::Unknown
    );
    // Billed, it is one impression and no pending bid.
    assert!(next.confirm(SHOES, caps(9, 1), after(60), after(1)));
    assert!(asked(&next, HATS, caps(9, 2), (after(2), after(62))).is_ok());
}

#[test]
fn while_bids_of_a_former_process_may_be_billed_nothing_is_known() {
    let former = table();
    former.doubt_until(after(100));
    let next = Frequency::loading(100_000);
    next.inherit(&former);
    next.loaded(None);
    let at = |second| {
        asked(
            &next,
            SHOES,
            caps(1, 1),
            (after(second), after(second + 60)),
        )
    };
    assert_eq!(at(99).unwrap_err(), CapRefusal::Unknown);
    assert!(at(100).is_ok());
}

#[derive(Clone, Debug)]
enum Step {
    Bid(usize, bool),
    Bill(usize),
    Lose(usize),
    Wait(u64),
    Sweep,
    /// The region's children are made anew, and read the history of bills.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..2_usize, prop::bool::weighted(0.8)).prop_map(|(who, sent)| Step::Bid(who, sent)),
        3 => any::<usize>().prop_map(Step::Bill),
        1 => any::<usize>().prop_map(Step::Lose),
        3 => (0..90_000_u64).prop_map(Step::Wait),
        1 => Just(Step::Sweep),
        1 => Just(Step::Restart),
    ]
}

const CAMPAIGNS: [Viewing; 2] = [SHOES, HATS];
const WINDOW_MS: i64 = 300_000;

fn within(impressions: u32) -> Cap {
    Cap {
        impressions,
        window: Duration::from_mins(5),
    }
}

/// Lives through the steps with these caps in the table, beside plain lists of times, and says where a window of any
/// position has more impressions than `own` for a campaign, or than `shared` for both.
fn live(steps: &[Step], caps: Caps, (own, shared): (usize, usize)) -> Result<(), String> {
    let mut table = table();
    let (mut now, mut open, mut shown) = (START, Vec::new(), Vec::<(usize, i64)>::new());
    for step in steps {
        let time = LedgerTime::from_millis(now);
        open.retain(|(_, until)| *until > now);
        match *step {
            Step::Bid(who, sent) => {
                let until = now + 60_000;
                let admitted = asked(
                    &table,
                    CAMPAIGNS[who],
                    caps,
                    (time, LedgerTime::from_millis(until)),
                );
                if let (Ok(pending), true) = (admitted, sent) {
                    pending.sent();
                    open.push((who, until));
                }
            }
            Step::Bill(which) if !open.is_empty() => {
                let (who, until) = open.swap_remove(which % open.len());
                table.confirm(CAMPAIGNS[who], caps, LedgerTime::from_millis(until), time);
                shown.push((who, now));
            }
            Step::Lose(which) if !open.is_empty() => {
                let (who, until) = open.swap_remove(which % open.len());
                table.release(CAMPAIGNS[who], LedgerTime::from_millis(until));
            }
            Step::Wait(millis) => now += i64::try_from(millis).unwrap(),
            Step::Sweep => drop(table.sweep(time, SHARDS)),
            Step::Restart => {
                let next = Frequency::loading(100_000);
                next.inherit(&table);
                for (who, at) in &shown {
                    next.load(CAMPAIGNS[*who], caps, LedgerTime::from_millis(*at));
                }
                next.loaded(None);
                table = next;
            }
            Step::Bill(_) | Step::Lose(_) => {}
        }
        for (_, start) in &shown {
            let seen = |of: Option<usize>| {
                let counts = |(who, at): &&(usize, i64)| {
                    of.is_none_or(|of| of == *who) && (*start..*start + WINDOW_MS).contains(at)
                };
                shown.iter().filter(counts).count()
            };
            if seen(None) > shared || seen(Some(0)).max(seen(Some(1))) > own {
                return Err(format!("too many from {start} on"));
            }
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_window_ever_has_more_than_either_cap_over_restarts_too(
        (own, shared) in (1..4_u32, 1..5_u32),
        steps in proptest::collection::vec(step(), 1..150),
    ) {
        let caps = Caps { campaign: Some(within(own)), advertiser: Some(within(shared)) };
        prop_assert_eq!(live(&steps, caps, (own as usize, shared as usize)), Ok(()));
    }
}

/// The control of the property: a table that does not look at the advertiser's cap is found.
#[test]
fn a_table_without_the_advertisers_cap_would_be_found() {
    let steps: Vec<Step> = (0..2)
        .flat_map(|who| [Step::Bid(who, true), Step::Bill(0)])
        .collect();
    let blind = Caps {
        campaign: Some(within(1)),
        advertiser: None,
    };
    let both = Caps {
        advertiser: Some(within(1)),
        ..blind
    };
    assert_eq!(live(&steps, both, (1, 1)), Ok(()));
    assert!(live(&steps, blind, (1, 1)).is_err());
}
