//! Movements: what the journal is made of, and everything else is a fold of.
//!
//! A movement is a fact that was decided at its place in the sequence, so it is never refused later and never changed.
//! Not here: sequence numbers and checksums (`journal`), what movements add up to (`books`), who decides (`writer`).

use super::codec::{Decoder, Encoder, Malformed};
use crate::units::{
    AdvertiserKey, BidId, BudgetDay, CampaignKey, Cpm, CreativeKey, Currency, Epoch, ExchangeKey,
    Nanos, RegionKey, UnixMillis, UserKey,
};

/// The longest encoded movement, in bytes; a test holds the codec to it.
pub const MOVEMENT_MAX: usize = 160;

/// What settlement is keyed by: one impression of one bid. `imp` is the impression's index in the bid request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImpressionKey {
    /// The bid.
    pub bid: BidId,
    /// The impression's index in its request.
    pub imp: u16,
}

/// One lease: a slice of a campaign's budget that one region may spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseKey {
    /// Whose budget.
    pub campaign: CampaignKey,
    /// Who spends it.
    pub region: RegionKey,
    /// Which lease; epochs rise within a campaign.
    pub epoch: Epoch,
}

/// The part of an advertiser's shared budget that a lease is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Share {
    /// Whose budget.
    pub advertiser: AdvertiserKey,
    /// The day of the advertiser's own time zone.
    pub day: BudgetDay,
}

/// One movement of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Movement {
    /// A region may spend this much more. The first of an epoch opens the lease, later ones top it up.
    Granted {
        /// The lease.
        lease: LeaseKey,
        /// The budget day it belongs to.
        day: BudgetDay,
        /// How much more, above zero.
        amount: Nanos,
        /// When it was decided.
        at: UnixMillis,
        /// What of the advertiser's budget it is; nothing where the campaign does not count there.
        share: Option<Share>,
    },
    /// A lease is closed and its exact rest is the campaign's again.
    Returned {
        /// The lease.
        lease: LeaseKey,
        /// The budget day it belongs to.
        day: BudgetDay,
        /// Granted less billed at this place in the journal.
        amount: Nanos,
        /// When it was decided.
        at: UnixMillis,
    },
    /// An exchange says that a bid of ours won.
    Won(Win),
    /// An impression is paid for.
    Billed {
        /// The bill.
        bill: Bill,
        /// How much of its charge the lease could not carry, because it was closed or used up: all of it for a late
        /// bill, nothing for a usual one.
        debt: Nanos,
    },
}

/// A bid that won its auction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Win {
    /// What was won.
    pub key: ImpressionKey,
    /// For whom.
    pub campaign: CampaignKey,
    /// Which region bid.
    pub region: RegionKey,
    /// Where.
    pub exchange: ExchangeKey,
    /// The clearing price, in the currency of the bid.
    pub price: Cpm,
    /// When the bid was made.
    pub bid_at: UnixMillis,
    /// When the notice was taken.
    pub at: UnixMillis,
}

/// An impression that is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bill {
    /// What is paid for.
    pub key: ImpressionKey,
    /// The lease whose money was promised.
    pub lease: LeaseKey,
    /// The budget day of the bid.
    pub day: BudgetDay,
    /// Whose campaign it is.
    pub advertiser: AdvertiserKey,
    /// What was shown.
    pub creative: CreativeKey,
    /// Where.
    pub exchange: ExchangeKey,
    /// What the exchange is owed, in `currency`.
    pub cost: Nanos,
    /// The currency of `cost`.
    pub currency: Currency,
    /// What the advertiser pays, in the campaign's currency.
    pub charge: Nanos,
    /// Who saw it, where consent allowed us to know.
    pub user: Option<UserKey>,
    /// When the bid was made.
    pub bid_at: UnixMillis,
    /// When the notice was taken.
    pub at: UnixMillis,
}

const GRANTED: u8 = 1;
const RETURNED: u8 = 2;
const WON: u8 = 3;
const BILLED: u8 = 4;
const GRANTED_OF_SHARED: u8 = 5;

impl Movement {
    /// The campaign whose account this movement changes.
    pub fn campaign(&self) -> CampaignKey {
        match self {
            Self::Granted { lease, .. } | Self::Returned { lease, .. } => lease.campaign,
            Self::Won(win) => win.campaign,
            Self::Billed { bill, .. } => bill.lease.campaign,
        }
    }

    /// The lease whose money it moves.
    pub fn lease(&self) -> Option<LeaseKey> {
        match self {
            Self::Granted { lease, .. } | Self::Returned { lease, .. } => Some(*lease),
            Self::Won(_) => None,
            Self::Billed { bill, .. } => Some(bill.lease),
        }
    }

    /// The impression this movement settles, if it settles one.
    pub fn settles(&self) -> Option<ImpressionKey> {
        match self {
            Self::Granted { .. } | Self::Returned { .. } => None,
            Self::Won(win) => Some(win.key),
            Self::Billed { bill, .. } => Some(bill.key),
        }
    }

    /// When this movement was decided.
    pub fn at(&self) -> UnixMillis {
        match self {
            Self::Granted { at, .. } | Self::Returned { at, .. } => *at,
            Self::Won(win) => win.at,
            Self::Billed { bill, .. } => bill.at,
        }
    }

    /// Appends the movement to `into`: one byte of kind, then its fields in the order they are declared.
    pub fn encode(&self, into: &mut Vec<u8>) {
        let mut out = Encoder::new(into);
        match self {
            Self::Granted {
                lease,
                day,
                amount,
                at,
                share: None,
            } => encode_lease_movement(&mut out, GRANTED, *lease, *day, (*amount, *at)),
            Self::Granted {
                lease,
                day,
                amount,
                at,
                share: Some(share),
            } => {
                let kind = GRANTED_OF_SHARED;
                encode_lease_movement(&mut out, kind, *lease, *day, (*amount, *at));
                out.u64(share.advertiser.raw());
                out.i32(share.day.get());
            }
            Self::Returned {
                lease,
                day,
                amount,
                at,
            } => encode_lease_movement(&mut out, RETURNED, *lease, *day, (*amount, *at)),
            Self::Won(win) => win.encode(&mut out),
            Self::Billed { bill, debt } => {
                bill.encode(&mut out);
                out.nanos(*debt);
            }
        }
    }

    /// Reads a movement.
    ///
    /// # Errors
    /// [`Malformed`] for an unknown kind, or a payload that is not exactly its kind's.
    pub fn decode(payload: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Decoder::new(payload);
        let movement = match fields.u8()? {
            kind @ (GRANTED | GRANTED_OF_SHARED) => Self::Granted {
                lease: LeaseKey::decode(&mut fields)?,
                day: fields.i32().map(BudgetDay::new)?,
                amount: fields.nanos()?,
                at: fields.time()?,
                share: match kind {
                    GRANTED => None,
                    _ => Some(Share::decode(&mut fields)?),
                },
            },
            RETURNED => Self::Returned {
                lease: LeaseKey::decode(&mut fields)?,
                day: fields.i32().map(BudgetDay::new)?,
                amount: fields.nanos()?,
                at: fields.time()?,
            },
            WON => Self::Won(Win::decode(&mut fields)?),
            BILLED => Self::Billed {
                bill: Bill::decode(&mut fields)?,
                debt: fields.nanos()?,
            },
            _ => return Err(Malformed),
        };
        fields.finish()?;
        Ok(movement)
    }
}

fn encode_lease_movement(
    out: &mut Encoder<'_>,
    kind: u8,
    lease: LeaseKey,
    day: BudgetDay,
    (amount, at): (Nanos, UnixMillis),
) {
    out.u8(kind);
    lease.encode(out);
    out.i32(day.get());
    out.nanos(amount);
    out.time(at);
}

impl ImpressionKey {
    fn encode(self, out: &mut Encoder<'_>) {
        out.u128(self.bid.raw());
        out.u16(self.imp);
    }

    fn decode(fields: &mut Decoder<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            bid: BidId::from_raw(fields.u128()?),
            imp: fields.u16()?,
        })
    }
}

impl Share {
    fn decode(fields: &mut Decoder<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            advertiser: AdvertiserKey::from_raw(fields.u64()?),
            day: fields.i32().map(BudgetDay::new)?,
        })
    }
}

impl LeaseKey {
    pub(super) fn encode(self, out: &mut Encoder<'_>) {
        out.u64(self.campaign.raw());
        out.u64(self.region.raw());
        out.u64(self.epoch.get());
    }

    pub(super) fn decode(fields: &mut Decoder<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            campaign: CampaignKey::from_raw(fields.u64()?),
            region: RegionKey::from_raw(fields.u64()?),
            epoch: Epoch::new(fields.u64()?),
        })
    }
}

impl Win {
    fn encode(&self, out: &mut Encoder<'_>) {
        out.u8(WON);
        self.key.encode(out);
        out.u64(self.campaign.raw());
        out.u64(self.region.raw());
        out.u64(self.exchange.raw());
        out.i64(self.price.micros());
        out.time(self.bid_at);
        out.time(self.at);
    }

    fn decode(fields: &mut Decoder<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            key: ImpressionKey::decode(fields)?,
            campaign: CampaignKey::from_raw(fields.u64()?),
            region: RegionKey::from_raw(fields.u64()?),
            exchange: ExchangeKey::from_raw(fields.u64()?),
            price: fields.i64().map(Cpm::from_micros)?,
            bid_at: fields.time()?,
            at: fields.time()?,
        })
    }
}

impl Bill {
    fn encode(&self, out: &mut Encoder<'_>) {
        out.u8(BILLED);
        self.key.encode(out);
        self.lease.encode(out);
        out.i32(self.day.get());
        out.u64(self.advertiser.raw());
        out.u64(self.creative.raw());
        out.u64(self.exchange.raw());
        out.nanos(self.cost);
        out.currency(self.currency);
        out.nanos(self.charge);
        out.optional_u64(self.user.map(UserKey::raw));
        out.time(self.bid_at);
        out.time(self.at);
    }

    fn decode(fields: &mut Decoder<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            key: ImpressionKey::decode(fields)?,
            lease: LeaseKey::decode(fields)?,
            day: fields.i32().map(BudgetDay::new)?,
            advertiser: AdvertiserKey::from_raw(fields.u64()?),
            creative: CreativeKey::from_raw(fields.u64()?),
            exchange: ExchangeKey::from_raw(fields.u64()?),
            cost: fields.nanos()?,
            currency: fields.currency()?,
            charge: fields.nanos()?,
            user: fields.optional_u64()?.map(UserKey::from_raw),
            bid_at: fields.time()?,
            at: fields.time()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn movements() -> Vec<Movement> {
        let lease = LeaseKey {
            campaign: CampaignKey::of("shoes"),
            region: RegionKey::of("sg"),
            epoch: Epoch::new(3),
        };
        let key = ImpressionKey {
            bid: BidId::new(1, 2, 3),
            imp: 4,
        };
        let (day, amount, at) = (BudgetDay::new(-5), Nanos::new(7), UnixMillis::new(8));
        vec![
            Movement::Granted {
                lease,
                day,
                amount,
                at,
                share: None,
            },
            Movement::Granted {
                lease,
                day,
                amount,
                at,
                share: Some(Share {
                    advertiser: AdvertiserKey::of("acme"),
                    day: BudgetDay::new(6),
                }),
            },
            Movement::Returned {
                lease,
                day,
                amount,
                at,
            },
            Movement::Won(Win {
                key,
                campaign: lease.campaign,
                region: lease.region,
                exchange: ExchangeKey::of("adx"),
                price: Cpm::from_micros(9),
                bid_at: UnixMillis::new(-1),
                at,
            }),
            Movement::Billed {
                bill: Bill {
                    key,
                    lease,
                    day,
                    advertiser: AdvertiserKey::of("acme"),
                    creative: CreativeKey::of("banner"),
                    exchange: ExchangeKey::of("adx"),
                    cost: Nanos::new(10),
                    currency: Currency::USD,
                    charge: Nanos::new(11),
                    user: Some(UserKey::from_raw(12)),
                    bid_at: UnixMillis::new(13),
                    at,
                },
                debt: Nanos::new(1),
            },
        ]
    }

    #[test]
    fn a_movement_is_read_as_it_was_written_and_fits_its_limit() {
        for movement in movements() {
            let mut payload = Vec::new();
            movement.encode(&mut payload);
            assert_eq!(Movement::decode(&payload), Ok(movement));
            assert!(payload.len() <= MOVEMENT_MAX, "{}", payload.len());
        }
    }

    #[test]
    fn a_payload_of_another_length_or_kind_is_malformed() {
        for movement in movements() {
            let mut payload = Vec::new();
            movement.encode(&mut payload);
            for length in 0..payload.len() {
                assert_eq!(Movement::decode(&payload[..length]), Err(Malformed));
            }
            payload.push(0);
            assert_eq!(Movement::decode(&payload), Err(Malformed));
            payload[0] = 99;
            assert_eq!(Movement::decode(&payload), Err(Malformed));
        }
    }
}
