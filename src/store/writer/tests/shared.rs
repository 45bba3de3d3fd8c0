//! Facts about an advertiser's budget, which its campaigns share, and a count of it that knows nothing of the books.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::store::books::SharedAccounts;
use crate::store::movement::{LeaseKey, Share};
use crate::units::AdvertiserKey;

/// Less than both campaigns together may commit on a day, and in all.
const SHARED_DAY_CEILING: i64 = 300;
const SHARED_TOTAL_CEILING: i64 = 600;

pub(super) const SHARED: Ceilings = Ceilings {
    day: Nanos::new(SHARED_DAY_CEILING),
    total: Nanos::new(SHARED_TOTAL_CEILING),
};

pub(super) fn share(day: i32) -> Share {
    Share {
        advertiser: AdvertiserKey::of("acme"),
        day: BudgetDay::new(TODAY.get() + day),
    }
}

fn shared(campaign: &str, want: i64, day: i32) -> Grant {
    Grant {
        campaign: CampaignKey::of(campaign),
        shared: Some((share(day), SHARED)),
        ..wish(want, DAY_CEILING, TOTAL_CEILING)
    }
}

/// What the movements commit of each share, and in all: counted from the movements alone.
#[derive(Default)]
struct Count {
    open: BTreeMap<LeaseKey, Option<Share>>,
    campaigns: BTreeSet<CampaignKey>,
    days: BTreeMap<BudgetDay, i64>,
    total: i64,
    late: i64,
}

impl Count {
    fn take(&mut self, movement: &Movement) {
        match movement {
            Movement::Granted {
                lease,
                amount,
                share,
                ..
            } => {
                self.open.insert(*lease, *share);
                if let Some(share) = share {
                    self.campaigns.insert(lease.campaign);
                    *self.days.entry(share.day).or_default() += amount.get();
                    self.total += amount.get();
                }
            }
            Movement::Returned { lease, amount, .. } => {
                if let Some(share) = self.open.remove(lease).flatten() {
                    *self.days.entry(share.day).or_default() -= amount.get();
                    self.total -= amount.get();
                }
            }
            Movement::Billed { bill, debt } => {
                let counts = match self.open.get(&bill.lease) {
                    Some(share) => share.is_some(),
                    None => self.campaigns.contains(&bill.lease.campaign),
                };
                self.late += if counts { debt.get() } else { 0 };
            }
            Movement::Won(_) => {}
        }
    }
}

/// Whether no prefix of these movements commits more than an advertiser has, and the books of them say the same.
pub(super) fn check(movements: &[Movement], books: &Books) -> Result<(), String> {
    let mut count = Count::default();
    for (place, movement) in movements.iter().enumerate() {
        count.take(movement);
        let over = |amount: i64, ceiling: i64| amount > ceiling;
        if let Some((day, amount)) = count
            .days
            .iter()
            .find(|(_, it)| over(**it, SHARED_DAY_CEILING))
        {
            return Err(format!(
                "{amount} committed on {day:?} after movement {place}"
            ));
        }
        if over(count.total, SHARED_TOTAL_CEILING) {
            return Err(format!("{} committed after movement {place}", count.total));
        }
        if matches!(movement, Movement::Granted { share: Some(_), .. })
            && over(count.total + count.late, SHARED_TOTAL_CEILING)
        {
            return Err(format!("granted beside debts after movement {place}"));
        }
    }
    let account = books.shared(share(0).advertiser);
    let known = account.map_or((0, 0), |it| (it.committed().get(), it.late().get()));
    if known != (count.total + count.late, count.late) {
        return Err(format!("the books say {known:?}"));
    }
    Ok(())
}

#[test]
fn what_one_campaign_commits_is_gone_for_the_others_of_its_advertiser() {
    let scratch = Scratch::new();
    let (mut writer, _checkpoint, _) = open(&scratch);
    let mut grant =
        |campaign, want, day| outcome(&mut writer, Command::Grant(shared(campaign, want, day)));
    assert_eq!(amount(grant("shoes", 200, 0)), Nanos::new(200));
    assert_eq!(
        amount(grant("hats", 200, 0)),
        Nanos::new(100),
        "the day's rest"
    );
    assert_eq!(
        grant("hats", 1, 0),
        Outcome::Refused(Refusal::SharedDayExhausted)
    );
    // Their own days have not ended; the advertiser's has.
    assert_eq!(amount(grant("shoes", 50, 1)), Nanos::new(50));
    assert_eq!(amount(grant("hats", 150, 1)), Nanos::new(150));
}

#[test]
fn the_total_holds_over_days_and_is_given_back_with_what_was_not_spent() {
    let scratch = Scratch::new();
    let (mut writer, _checkpoint, _) = open(&scratch);
    let tomorrow = |campaign, want, day| Grant {
        day: BudgetDay::new(TODAY.get() + day),
        ..shared(campaign, want, day)
    };
    for (campaign, day) in [("shoes", 0), ("hats", 1)] {
        let granted = outcome(&mut writer, Command::Grant(tomorrow(campaign, 250, day)));
        assert_eq!(amount(granted), Nanos::new(250));
    }
    let rest = outcome(&mut writer, Command::Grant(tomorrow("shoes", 250, 2)));
    assert_eq!(amount(rest), Nanos::new(100));
    let refused = outcome(&mut writer, Command::Grant(tomorrow("hats", 1, 2)));
    assert_eq!(refused, Outcome::Refused(Refusal::SharedTotalExhausted));
    outcome(&mut writer, Command::Bill(bill(1, 1, 30)));
    outcome(&mut writer, close(1));
    let again = outcome(&mut writer, Command::Grant(tomorrow("hats", 250, 2)));
    assert_eq!(amount(again), Nanos::new(200), "what the day leaves of 220");
}

#[test]
fn a_late_bill_of_one_campaign_comes_out_of_what_the_others_get() {
    let scratch = Scratch::new();
    let (mut writer, _checkpoint, _) = open(&scratch);
    outcome(&mut writer, Command::Grant(shared("shoes", 200, 0)));
    outcome(&mut writer, close(1));
    outcome(&mut writer, Command::Bill(bill(1, 1, 80)));
    let granted = outcome(&mut writer, Command::Grant(shared("hats", 250, 0)));
    assert_eq!(amount(granted), Nanos::new(220));
    let account = writer.books().unwrap().shared(share(0).advertiser).unwrap();
    assert_eq!(account.late(), Nanos::new(80));
    assert_eq!(account.committed_on(share(0).day), Nanos::new(300));
}

#[test]
fn a_late_bill_counts_on_the_advertisers_day_that_had_begun_when_the_bid_was_made() {
    let scratch = Scratch::new();
    let (mut writer, _checkpoint, _) = open(&scratch);
    for (epoch, day) in [(1, 0), (2, 1)] {
        let grant = Grant {
            at: at(i64::from(day) * 1_000),
            ..shared("shoes", 10, day)
        };
        outcome(&mut writer, Command::Grant(grant));
        outcome(&mut writer, close(epoch));
    }
    for (number, bid_at, charge) in [(1, 999, 1), (2, 1_000, 2), (3, 5_000, 4), (4, -5, 8)] {
        let late = Bill {
            bid_at: at(bid_at),
            ..bill(number, 1, charge)
        };
        outcome(&mut writer, Command::Bill(late));
    }
    let account = writer.books().unwrap().shared(share(0).advertiser).unwrap();
    let spent = |day| account.spent_on(share(day).day);
    assert_eq!((spent(0), spent(1)), (Nanos::new(9), Nanos::new(6)));
}

#[test]
fn a_lease_is_topped_up_on_its_own_share_alone() {
    let scratch = Scratch::new();
    let (mut writer, _checkpoint, _) = open(&scratch);
    outcome(&mut writer, Command::Grant(shared("shoes", 10, 0)));
    let top_up = |grant: Grant| Grant {
        lease: LeaseChoice::TopUp(Epoch::new(1)),
        ..grant
    };
    let unshared = wish(10, DAY_CEILING, TOTAL_CEILING);
    for other in [shared("shoes", 10, 1), unshared] {
        let refused = outcome(&mut writer, Command::Grant(top_up(other)));
        assert_eq!(refused, Outcome::Refused(Refusal::WrongDay));
    }
    let granted = outcome(&mut writer, Command::Grant(top_up(shared("shoes", 10, 0))));
    assert_eq!(amount(granted), Nanos::new(10));
}

#[test]
fn what_is_shared_outlives_the_process_with_its_checkpoint_and_without() {
    let scratch = Scratch::new();
    let (mut writer, mut checkpoint, _) = open(&scratch);
    outcome(&mut writer, Command::Grant(shared("shoes", 200, 0)));
    let delta = writer.delta(checkpoint.sequence()).unwrap();
    checkpoint.write(&delta).unwrap();
    outcome(&mut writer, Command::Grant(shared("hats", 60, 0)));
    let books = writer.books().unwrap().clone();
    drop((writer, checkpoint));
    for _ in 0..2 {
        let (mut writer, mut checkpoint, _) = open(&scratch);
        assert_eq!(*writer.books().unwrap(), books);
        let delta = writer.delta(checkpoint.sequence()).unwrap();
        checkpoint.write(&delta).unwrap();
        assert_eq!(checkpoint.load_with(LIMITS).unwrap(), books);
        drop((writer, checkpoint));
        fs::remove_file(scratch.path().join("checkpoint.redb")).unwrap();
    }
    let (mut writer, _checkpoint, _) = open(&scratch);
    let rest = outcome(&mut writer, Command::Grant(shared("hats", 100, 0)));
    assert_eq!(amount(rest), Nanos::new(40));
}

#[test]
fn neither_advertisers_nor_the_campaigns_they_remember_grow_without_end() {
    let decided = |advertisers: usize, sharers: usize, (advertiser, campaign)| {
        let filled = SharedAccounts::filled(advertisers as u64, sharers as u64);
        let books = Books::sharing(filled);
        let share = Share {
            advertiser,
            ..share(0)
        };
        let grant = Grant {
            campaign,
            shared: Some((share, SHARED)),
            ..wish(10, DAY_CEILING, TOTAL_CEILING)
        };
        match decide::decide(&books, Command::Grant(grant)).1 {
            Outcome::Granted { .. } => None,
            Outcome::Refused(refusal) => Some(refusal),
            other => panic!("{other:?}"),
        }
    };
    let known = (AdvertiserKey::from_raw(0), CampaignKey::from_raw(0));
    let new_campaign = (known.0, CampaignKey::of("shoes"));
    let new_advertiser = (AdvertiserKey::of("acme"), known.1);
    let full = (ADVERTISERS_MAX, SHARERS_MAX);
    assert_eq!(decided(full.0, full.1, known), None);
    assert_eq!(
        decided(full.0, full.1 - 1, new_advertiser),
        Some(Refusal::TooManyAdvertisers)
    );
    assert_eq!(decided(full.0 - 1, full.1 - 1, new_advertiser), None);
    for new in [new_campaign, new_advertiser] {
        let refused = decided(full.0 - 1, full.1, new);
        assert_eq!(refused, Some(Refusal::TooManySharers));
    }
    assert_eq!(decided(full.0, full.1 - 1, new_campaign), None);
}

/// The control of the property: a writer that leaves the advertiser's budget out is found.
#[test]
fn a_writer_that_did_not_look_at_the_shared_budget_would_be_found() {
    let commit = |looks: bool| {
        let scratch = Scratch::new();
        let (mut writer, _checkpoint, _) = open(&scratch);
        let endless = Nanos::new(i64::MAX);
        let ceilings = Ceilings {
            day: endless,
            total: endless,
        };
        for campaign in ["shoes", "hats"] {
            let grant = shared(campaign, 200, 0);
            let blind = Grant {
                shared: Some((share(0), ceilings)),
                ..grant
            };
            writer
                .stage(Command::Grant(if looks { grant } else { blind }))
                .unwrap();
        }
        let movements = writer.batch.clone();
        writer.commit().unwrap();
        check(&movements, writer.books().unwrap())
    };
    assert_eq!(commit(true), Ok(()));
    assert!(commit(false).unwrap_err().contains("400 committed on"));
}
