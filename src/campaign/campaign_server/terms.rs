//! What a campaign's configuration and its books mean for its leases.

use super::NoLease;
use crate::campaign::budget::{ActiveHours, Budget, BudgetError, Curve, Flight, Terms};
use crate::campaign::{Campaign, HourOfWeek, Pacing};
use crate::store::books::{Account, Books};
use crate::store::movement::{LeaseKey, Share};
use crate::store::writer::{Ceilings, Refusal};
use crate::units::{BudgetDay, CampaignKey, Epoch, RegionKey, UnixMillis};

/// The advertiser's budget today, where the campaign counts in it: one in another currency does not.
pub(super) fn shared(campaign: &Campaign, wall: UnixMillis) -> Option<(Share, Ceilings)> {
    let advertiser = &campaign.advertiser;
    let share = Share {
        advertiser: advertiser.key,
        day: advertiser.budget.day_at(wall),
    };
    (campaign.currency == advertiser.currency).then(|| (share, advertiser.budget.ceilings()))
}

/// What a region is told of a grant that the books refused. What ends by itself, or with a new day, is told from what an
/// operator has to look at.
pub(super) fn why_no_lease(refusal: Refusal) -> NoLease {
    match refusal {
        Refusal::NoLease | Refusal::WrongDay => NoLease::Ended,
        Refusal::DayExhausted
        | Refusal::TotalExhausted
        | Refusal::SharedDayExhausted
        | Refusal::SharedTotalExhausted => NoLease::Exhausted,
        Refusal::DayForgotten
        | Refusal::TooManyLeases
        | Refusal::TooManyAccounts
        | Refusal::TooManyAdvertisers
        | Refusal::TooManySharers
        | Refusal::BadAmount
        | Refusal::TooOld
        | Refusal::Overflow => NoLease::Refused(refusal),
    }
}

/// An open lease, as the books know it.
pub(super) type OpenLease = (RegionKey, Epoch, BudgetDay, Option<Share>);

/// A campaign's open leases.
pub(super) fn open_leases(books: &Books, campaign: CampaignKey) -> Vec<OpenLease> {
    let leases = books
        .account(campaign)
        .into_iter()
        .flat_map(Account::leases);
    leases
        .map(|(region, epoch, lease)| {
            let key = LeaseKey {
                campaign,
                region,
                epoch,
            };
            (region, epoch, lease.day, books.share_of(key))
        })
        .collect()
}

/// The budget that a campaign's configuration makes.
///
/// # Errors
/// Terms that contradict themselves, which the configuration refuses before.
pub fn budget_of(campaign: &Campaign) -> Result<Budget, BudgetError> {
    Budget::new(Terms {
        daily: Some(campaign.budget_daily),
        total: campaign.budget_total,
        flight: Flight {
            start: campaign.starts_at.unwrap_or(UnixMillis::new(i64::MIN)),
            end: campaign.ends_at,
        },
        zone: campaign.time_zone.clone(),
        hours: active_hours(campaign),
        curve: match campaign.pacing {
            Pacing::Even => Curve::Even,
            Pacing::Asap => Curve::Asap,
        },
    })
}

fn active_hours(campaign: &Campaign) -> ActiveHours {
    let mut days = [0; 7];
    for (day, bits) in (0..).zip(&mut days) {
        for hour in 0..24 {
            let wanted = HourOfWeek::new(day, hour)
                .is_some_and(|hour| campaign.targeting.hours.contains(hour));
            *bits |= u32::from(wanted) << hour;
        }
    }
    ActiveHours::from_bits(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_books_are_told_from_a_spent_budget() {
        for spent in [Refusal::DayExhausted, Refusal::SharedTotalExhausted] {
            assert_eq!(why_no_lease(spent), NoLease::Exhausted);
        }
        assert_eq!(why_no_lease(Refusal::WrongDay), NoLease::Ended);
        for full in [Refusal::TooManyAdvertisers, Refusal::TooManySharers] {
            let told = why_no_lease(full);
            assert_eq!(told, NoLease::Refused(full));
            assert!(told.to_string().contains("too many"), "{told}");
        }
    }
}
