//! Leases that nobody looks after: those of campaigns that the configuration does not name any more, and of those whose
//! process was set aside or could not start.
//!
//! Only a campaign's own process closes its leases. What stays open without one keeps money from those who share the
//! advertiser's budget, who would never get it back. So whoever starts and stops the processes finds such leases in the
//! books, waits until no region can spend from them and no bill of them can come, and closes them. A campaign that comes
//! back meanwhile has its leases again, and however short its process was up, the wait begins anew when it ends: it may have
//! renewed them. One that comes up while they are closed is told by the books when it closes them, too; no region holds
//! them. Pure: the books, the keys that are wanted, and the time are arguments.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use super::budget::LEASE_TTL;
use crate::store::books::Books;
use crate::store::movement::LeaseKey;
use crate::units::{CampaignKey, LedgerTime};

/// How many are watched at once: ten thousand campaigns with leases in six regions leave together; 4 MB. What is beyond is
/// found when these are closed.
pub(super) const ORPHANS_MAX: usize = 65_536;

/// How many are closed in one look. Each is durable before the next is asked for, so this is a second on a slow disk, which
/// a reload may wait.
pub(super) const CLOSES_MAX: usize = 256;

/// The leases of campaigns without a process, each with when it is closed.
#[derive(Debug)]
pub(super) struct Orphans {
    wait: Duration,
    leases: BTreeMap<LeaseKey, LedgerTime>,
    /// The campaigns of the configuration that have no process.
    idle: HashSet<CampaignKey>,
    /// Whether there may be more of them in the books than are known here.
    is_behind: bool,
}

impl Orphans {
    /// None is known yet, and those of former processes are still to be found. `hold_longest` is how long after a bid its
    /// bill may come.
    pub(super) fn new(hold_longest: Duration) -> Self {
        Self {
            // A region may bid from a lease until it ends by itself, and that bid may be billed a hold later.
            wait: LEASE_TTL.saturating_add(hold_longest),
            leases: BTreeMap::new(),
            idle: HashSet::new(),
            is_behind: true,
        }
    }

    /// Says that the process of a campaign that left is stopped: its leases are in the books. What was found before counts
    /// for nothing, since the process could still grant.
    pub(super) fn leave(&mut self, campaign: CampaignKey) {
        self.leases.retain(|lease, _| lease.campaign != campaign);
        self.is_behind = true;
    }

    /// Says which campaigns there are: their leases are theirs if they have a process.
    pub(super) fn keep(&mut self, wanted: &HashSet<CampaignKey>) {
        let idle = &self.idle;
        self.leases
            .retain(|lease, _| !wanted.contains(&lease.campaign) || idle.contains(&lease.campaign));
    }

    /// Says which campaigns of the configuration have no process now, and whose processes came up since this was said last.
    pub(super) fn without_process(
        &mut self,
        idle: HashSet<CampaignKey>,
        arrivals: &HashSet<CampaignKey>,
    ) {
        let before = std::mem::replace(&mut self.idle, idle);
        let idle = &self.idle;
        let rests =
            |campaign: &CampaignKey| before.contains(campaign) && !arrivals.contains(campaign);
        if !idle.iter().all(rests) {
            self.is_behind = true;
        }
        let concerned =
            |campaign: &CampaignKey| before.contains(campaign) || idle.contains(campaign);
        self.leases.retain(|lease, _| {
            let campaign = &lease.campaign;
            !concerned(campaign) || idle.contains(campaign) && rests(campaign)
        });
    }

    /// The campaigns of the configuration that have no process, as was said last.
    pub(super) fn idle(&self) -> &HashSet<CampaignKey> {
        &self.idle
    }

    /// Whether [`found_in`] is to be asked; with as many as may be watched, these come first.
    pub(super) fn is_behind(&self) -> bool {
        self.is_behind && self.leases.len() < ORPHANS_MAX
    }

    /// Takes on what was found in the books by `now`.
    pub(super) fn take(&mut self, found: Vec<LeaseKey>, now: LedgerTime) {
        self.is_behind = found.len() >= ORPHANS_MAX;
        let due = now.plus(self.wait);
        for lease in found {
            if self.leases.len() < ORPHANS_MAX {
                self.leases.entry(lease).or_insert(due);
            }
        }
    }

    /// Those to close by `now`, [`CLOSES_MAX`] at most.
    pub(super) fn due(&self, now: LedgerTime) -> Vec<LeaseKey> {
        let due = self.leases.iter().filter(|(_, due)| **due <= now);
        due.map(|(lease, _)| *lease).take(CLOSES_MAX).collect()
    }

    /// Says that a lease is closed.
    pub(super) fn closed(&mut self, lease: LeaseKey) {
        self.leases.remove(&lease);
    }
}

/// The open leases of campaigns that are not wanted, [`ORPHANS_MAX`] at most.
pub(super) fn found_in(books: &Books, wanted: &HashSet<CampaignKey>) -> Vec<LeaseKey> {
    let left = books.accounts().filter(|(key, _)| !wanted.contains(key));
    let leases = left.flat_map(|(campaign, account)| {
        account.leases().map(move |(region, epoch, _)| LeaseKey {
            campaign,
            region,
            epoch,
        })
    });
    leases.take(ORPHANS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::movement::Movement;
    use crate::units::{BudgetDay, Epoch, Nanos, RegionKey, UnixMillis};

    const HOLD: Duration = Duration::from_mins(5);
    const START: LedgerTime = LedgerTime::from_millis(1_790_000_000_000);

    fn lease(campaign: &str, epoch: u64) -> LeaseKey {
        LeaseKey {
            campaign: CampaignKey::of(campaign),
            region: RegionKey::of("sg"),
            epoch: Epoch::new(epoch),
        }
    }

    fn keys(campaigns: &[&str]) -> HashSet<CampaignKey> {
        campaigns.iter().map(|id| CampaignKey::of(id)).collect()
    }

    fn books(leases: &[LeaseKey]) -> Books {
        let mut books = Books::default();
        for (&lease, sequence) in leases.iter().zip(1..) {
            let granted = Movement::Granted {
                lease,
                day: BudgetDay::new(20_717),
                amount: Nanos::new(10),
                at: UnixMillis::new(0),
                share: None,
            };
            books.apply(sequence, &granted).unwrap();
        }
        books
    }

    #[test]
    fn only_leases_of_campaigns_that_are_not_wanted_are_found() {
        let books = books(&[lease("shoes", 1), lease("hats", 1), lease("shoes", 2)]);
        let found = found_in(&books, &keys(&["hats"]));
        assert_eq!(found, [lease("shoes", 1), lease("shoes", 2)]);
        assert_eq!(found_in(&books, &keys(&["hats", "shoes"])), []);
    }

    #[test]
    fn a_lease_is_due_when_it_has_ended_and_the_longest_hold_has_passed() {
        let mut orphans = Orphans::new(HOLD);
        assert!(orphans.is_behind(), "a former process may have left some");
        orphans.take(vec![lease("shoes", 1)], START);
        assert!(!orphans.is_behind());
        let wait = LEASE_TTL + HOLD;
        let due = START.plus(wait);
        assert_eq!(
            orphans.due(START.plus(wait.saturating_sub(Duration::from_millis(1)))),
            []
        );
        assert_eq!(orphans.due(due), [lease("shoes", 1)]);
        // Found again, it waits no longer than it did.
        orphans.leave(CampaignKey::of("hats"));
        assert!(orphans.is_behind());
        orphans.take(vec![lease("shoes", 1), lease("shoes", 2)], due);
        assert_eq!(orphans.due(due), [lease("shoes", 1)]);
        orphans.closed(lease("shoes", 1));
        assert_eq!(orphans.due(due), []);
        assert_eq!(orphans.due(due.plus(wait)), [lease("shoes", 2)]);
    }

    #[test]
    fn what_was_found_before_its_process_stopped_waits_anew() {
        let mut orphans = Orphans::new(HOLD);
        orphans.take(vec![lease("shoes", 1), lease("hats", 1)], START);
        let stopped = START.plus(Duration::from_secs(3));
        orphans.leave(CampaignKey::of("shoes"));
        orphans.take(vec![lease("shoes", 1), lease("hats", 1)], stopped);
        let wait = LEASE_TTL + HOLD;
        assert_eq!(orphans.due(START.plus(wait)), [lease("hats", 1)]);
        let both = [lease("shoes", 1), lease("hats", 1)];
        let due = orphans.due(stopped.plus(wait));
        assert!(due.len() == 2 && both.iter().all(|one| due.contains(one)));
    }

    #[test]
    fn a_campaign_that_comes_back_has_its_leases_again_and_waits_anew_when_it_leaves_again() {
        let mut orphans = Orphans::new(HOLD);
        orphans.take(vec![lease("shoes", 1), lease("hats", 1)], START);
        let back = START.plus(Duration::from_mins(3));
        orphans.keep(&keys(&["shoes"]));
        orphans.take(vec![lease("shoes", 1), lease("hats", 1)], back);
        let due = START.plus(LEASE_TTL + HOLD);
        assert_eq!(orphans.due(due), [lease("hats", 1)]);
    }

    #[test]
    fn one_without_a_process_waits_from_when_it_last_had_one() {
        let mut orphans = Orphans::new(HOLD);
        let (shoes, none) = (keys(&["shoes"]), HashSet::new());
        let minute = |minutes: u64| START.plus(Duration::from_mins(minutes));
        let found = || vec![lease("shoes", 1), lease("hats", 1)];
        orphans.without_process(shoes.clone(), &shoes);
        orphans.take(found(), minute(0));
        orphans.without_process(shoes.clone(), &none);
        orphans.keep(&shoes);
        assert!(!orphans.is_behind(), "nothing changed");
        assert_eq!(orphans.due(minute(6)).len(), 2);

        // Up for a moment: it may have renewed its lease.
        orphans.without_process(shoes.clone(), &shoes);
        assert!(orphans.is_behind());
        orphans.take(found(), minute(3));
        assert_eq!(orphans.due(minute(6)), [lease("hats", 1)]);
        assert_eq!(orphans.due(minute(9)).len(), 2);

        // Up for good: its lease is its own.
        orphans.without_process(none.clone(), &shoes);
        assert_eq!(orphans.due(minute(9)), [lease("hats", 1)]);
    }

    #[test]
    fn what_is_beyond_the_limits_is_found_and_closed_later() {
        let mut orphans = Orphans::new(HOLD);
        let all: Vec<_> = (0..ORPHANS_MAX as u64)
            .map(|epoch| lease("shoes", epoch))
            .collect();
        orphans.take(all, START);
        assert!(!orphans.is_behind(), "there is no room for more");
        let due = orphans.due(START.plus(LEASE_TTL + HOLD));
        assert_eq!(due.len(), CLOSES_MAX);
        for lease in due {
            orphans.closed(lease);
        }
        assert!(orphans.is_behind(), "the books may hold more");
    }
}
