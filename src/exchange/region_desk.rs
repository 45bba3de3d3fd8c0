//! A region as the bid path meets it: draws, caps and promises, each an inline call to the child that owns it.
//!
//! A panic in one of them is that child's crash, and this candidate's pass. A region that is being restarted or is closed
//! answers so at once.

use std::sync::Arc;

use crate::bidding::{Funds, Offered, PassReason};
use crate::region::frequency::{CapRefusal, Caps, Frequency, Pending, Viewing};
use crate::region::frequency_server::counted;
use crate::region::lease::HoldClass;
use crate::region::ledger::{Ledger, Promise, Reservation, ReserveError};
use crate::region::supply::{Shares, Supply};
use crate::supervision::Stage;
use crate::units::{CampaignSlot, LedgerTime, Nanos, RegionKey};

/// Opportunities of a campaign that each data thread takes in each region without a draw, before pacing has seen enough to
/// set a share: a campaign that is new is tried at once, at the cost of some dozens of impressions in all.
const UNPACED_FIRST: u64 = 4;

/// What of a region the bid path needs. Made before the tree; cheap to clone.
#[derive(Clone)]
pub struct RegionDesk {
    /// The region.
    pub key: RegionKey,
    /// Its money.
    pub ledger: Stage<Arc<Ledger>>,
    /// Its pacing.
    pub shares: Stage<Arc<Shares>>,
    /// Its caps.
    pub frequency: Stage<Arc<Frequency>>,
    /// What pacing counts.
    pub supply: Arc<Supply>,
    /// Up while the region is closed.
    pub closed: Stage<()>,
}

/// A region, asked on behalf of one request.
pub struct RegionFunds<'d> {
    /// The region.
    pub desk: &'d RegionDesk,
    /// The data thread.
    pub thread: usize,
    /// Which of the ledger's holds the exchange's bids have.
    pub hold: HoldClass,
    /// The time.
    pub now: LedgerTime,
    /// What draws.
    pub random: &'d mut fastrand::Rng,
}

/// What stands behind a bid. Dropped, it is undone.
pub struct Hold {
    reservation: Reservation,
    pending: Option<Pending>,
    supply: Arc<Supply>,
    thread: usize,
}

impl RegionDesk {
    /// Why nothing can be bid here, where one of its children is not there.
    fn why_not(&self) -> PassReason {
        if self.closed.is_up() {
            PassReason::RegionClosed
        } else {
            PassReason::RegionRestarting
        }
    }
}

impl Funds for RegionFunds<'_> {
    type Hold = Hold;

    fn draws(&mut self, slot: CampaignSlot, charge: Nanos) -> Result<bool, PassReason> {
        let random = self.random.u32(..);
        let drawn = self
            .desk
            .shares
            .call(|shares| shares.draw(slot, random))
            .map_err(|_| self.desk.why_not())?;
        let Some(shard) = self.desk.supply.shard(self.thread) else {
            return Ok(drawn);
        };
        let price = u64::try_from(charge.get()).unwrap_or(0);
        let is_new = shard.offered(slot) < price.saturating_mul(UNPACED_FIRST);
        shard.offer(slot, charge);
        Ok(drawn || is_new)
    }

    fn promise(&mut self, offered: &Offered) -> Result<Hold, PassReason> {
        let (now, hold) = (self.now, self.hold);
        let reserved = self
            .desk
            .ledger
            .call(|ledger| ledger.reserve(offered.slot, offered.charge, now, hold));
        let reservation = match reserved {
            Ok(reserved) => reserved.map_err(why_not_reserved)?,
            Err(_) => return Err(self.desk.why_not()),
        };
        let pending = match viewed(offered)? {
            None => None,
            Some((viewing, caps)) => {
                let until = reservation.promise().expires_at;
                let admit = |table: &Arc<Frequency>| table.admit(viewing, caps, now, until);
                match self.desk.frequency.call(admit) {
                    Ok(admitted) => Some(admitted.map_err(why_not_admitted)?),
                    Err(_) => return Err(self.desk.why_not()),
                }
            }
        };
        Ok(Hold {
            reservation,
            pending,
            supply: Arc::clone(&self.desk.supply),
            thread: self.thread,
        })
    }
}

/// A region, looked at: what it would answer, and nothing is drawn, counted or promised.
pub struct RegionSurvey<'d> {
    /// The region.
    pub desk: &'d RegionDesk,
    /// Which of the ledger's holds the exchange's bids have.
    pub hold: HoldClass,
    /// The time.
    pub now: LedgerTime,
    /// What part of such opportunities pacing takes, as it last said.
    pub share: f64,
}

/// What would stand behind a bid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cover {
    /// What part of such opportunities pacing takes; what is guaranteed is taken always.
    pub share: f64,
    /// What is free of the region's lease, in the campaign's currency.
    pub free: Nanos,
}

impl Funds for RegionSurvey<'_> {
    type Hold = Cover;

    /// Whether a draw could succeed. Some data thread may still take a new campaign's first opportunities without one.
    fn draws(&mut self, slot: CampaignSlot, charge: Nanos) -> Result<bool, PassReason> {
        let share = self.desk.shares.call(|shares| shares.share(slot));
        self.share = share.map_err(|_| self.desk.why_not())?.part();
        let price = u64::try_from(charge.get()).unwrap_or(0);
        let first = price.saturating_mul(UNPACED_FIRST);
        let mut shards = (0..).map_while(|thread| self.desk.supply.shard(thread));
        Ok(self.share > 0.0 || shards.any(|shard| shard.offered(slot) < first))
    }

    fn promise(&mut self, offered: &Offered) -> Result<Cover, PassReason> {
        let (now, hold) = (self.now, self.hold);
        let look =
            |ledger: &Arc<Ledger>| ledger.would_reserve(offered.slot, offered.charge, now, hold);
        let looked = self.desk.ledger.call(look);
        let free = looked
            .map_err(|_| self.desk.why_not())?
            .map_err(why_not_reserved)?;
        if let Some((viewing, caps)) = viewed(offered)? {
            let look = |table: &Arc<Frequency>| table.would_admit(viewing, caps, now);
            let looked = self.desk.frequency.call(look);
            looked
                .map_err(|_| self.desk.why_not())?
                .map_err(why_not_admitted)?;
        }
        let share = self.share;
        Ok(Cover { share, free })
    }
}

/// Who would see what, and under which caps; nothing where there are none.
fn viewed(offered: &Offered) -> Result<Option<(Viewing, Caps)>, PassReason> {
    if offered.cap.is_none() && offered.shared_cap.is_none() {
        return Ok(None);
    }
    let viewing = Viewing {
        user: offered.user.ok_or(PassReason::Unidentified)?,
        campaign: offered.campaign,
        advertiser: offered.advertiser,
    };
    let caps = Caps {
        campaign: offered.cap.map(counted),
        advertiser: offered.shared_cap.map(counted),
    };
    Ok(Some((viewing, caps)))
}

fn why_not_reserved(error: ReserveError) -> PassReason {
    match error {
        ReserveError::NoLease | ReserveError::Expired => PassReason::NoLease,
        ReserveError::Exhausted => PassReason::NoBudget,
        ReserveError::WheelBehind | ReserveError::UnknownHold => PassReason::LedgerBehind,
    }
}

fn why_not_admitted(refusal: CapRefusal) -> PassReason {
    match refusal {
        CapRefusal::Capped => PassReason::Capped,
        CapRefusal::AdvertiserCapped => PassReason::AdvertiserCapped,
        CapRefusal::Unknown => PassReason::CapsUnknown,
    }
}

impl Hold {
    /// What the bid's token carries.
    pub fn promise(&self) -> Promise {
        self.reservation.promise()
    }

    /// The bid leaves: from here it stands until it is billed, released, or lapses.
    pub fn sent(self) {
        let promise = self.reservation.sent();
        if let Some(pending) = self.pending {
            pending.sent();
        }
        if let Some(shard) = self.supply.shard(self.thread) {
            shard.bid(promise.slot, promise.reserved);
        }
    }
}
