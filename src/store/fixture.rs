//! For tests: movements of money, and the files they are written to.

use std::fs;
use std::path::{Path, PathBuf};

use super::movement::{Bill, ImpressionKey, LeaseKey, Movement, Win};
use super::writer::{Ceilings, Grant, LeaseChoice};
use crate::units::{
    AdvertiserKey, BidId, BudgetDay, CampaignKey, Cpm, CreativeKey, Currency, Epoch, ExchangeKey,
    Nanos, RegionKey, UnixMillis, UserKey,
};

/// A moment in 2026; tests count from it.
pub(super) const START: i64 = 1_790_000_000_000;
pub(super) const TODAY: BudgetDay = BudgetDay::new(20_717);

/// The journal's segments in a folder, oldest first.
pub(super) fn segments(folder: &Path) -> Vec<PathBuf> {
    let mut segments: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    segments.sort();
    segments
}

/// The file a crash would have left to write on.
pub(super) fn last_segment(folder: &Path) -> PathBuf {
    segments(folder).pop().unwrap()
}

pub(super) fn at(millis: i64) -> UnixMillis {
    UnixMillis::new(START + millis)
}

pub(super) fn lease(epoch: u64) -> LeaseKey {
    LeaseKey {
        campaign: CampaignKey::of("shoes"),
        region: RegionKey::of("sg"),
        epoch: Epoch::new(epoch),
    }
}

pub(super) fn impression(number: u64) -> ImpressionKey {
    ImpressionKey {
        bid: BidId::new(7, 0, number),
        imp: 0,
    }
}

pub(super) fn granted(epoch: u64, amount: i64) -> Movement {
    Movement::Granted {
        lease: lease(epoch),
        day: TODAY,
        amount: Nanos::new(amount),
        at: at(0),
        share: None,
    }
}

pub(super) fn returned(epoch: u64, amount: i64) -> Movement {
    Movement::Returned {
        lease: lease(epoch),
        day: TODAY,
        amount: Nanos::new(amount),
        at: at(0),
    }
}

pub(super) fn win(number: u64) -> Win {
    Win {
        key: impression(number),
        campaign: lease(1).campaign,
        region: lease(1).region,
        exchange: ExchangeKey::of("adx"),
        price: Cpm::from_micros(5),
        bid_at: at(0),
        at: at(1),
    }
}

pub(super) fn bill(number: u64, epoch: u64, charge: i64) -> Bill {
    Bill {
        key: impression(number),
        lease: lease(epoch),
        day: TODAY,
        advertiser: AdvertiserKey::of("acme"),
        creative: CreativeKey::of("banner"),
        exchange: ExchangeKey::of("adx"),
        cost: Nanos::new(charge / 2),
        currency: Currency::USD,
        charge: Nanos::new(charge),
        user: Some(UserKey::from_raw(number % 5)),
        bid_at: at(0),
        at: at(1),
    }
}

pub(super) fn billed(number: u64, epoch: u64, charge: i64, debt: i64) -> Movement {
    Movement::Billed {
        bill: bill(number, epoch, charge),
        debt: Nanos::new(debt),
    }
}

/// A wish for a new lease of this campaign, with ceilings for its day and its life.
pub(super) fn wish(want: i64, day: i64, total: i64) -> Grant {
    Grant {
        campaign: lease(1).campaign,
        region: lease(1).region,
        day: TODAY,
        lease: LeaseChoice::New,
        want: Nanos::new(want),
        ceilings: Ceilings {
            day: Nanos::new(day),
            total: Nanos::new(total),
        },
        shared: None,
        at: at(0),
    }
}
