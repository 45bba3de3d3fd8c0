//! A movement as bytes of the journal.

use super::{Bill, ImpressionKey, LeaseKey, Movement, Share, Win};
use crate::store::codec::{Decoder, Encoder, Malformed};
use crate::units::{
    AdvertiserKey, BidId, BudgetDay, CampaignKey, Cpm, CreativeKey, Epoch, ExchangeKey, Nanos,
    RegionKey, UnixMillis, UserKey,
};

const GRANTED: u8 = 1;
const RETURNED: u8 = 2;
const WON: u8 = 3;
const BILLED: u8 = 4;
const GRANTED_OF_SHARED: u8 = 5;

impl Movement {
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
    pub(in crate::store) fn encode(self, out: &mut Encoder<'_>) {
        out.u64(self.campaign.raw());
        out.u64(self.region.raw());
        out.u64(self.epoch.get());
    }

    pub(in crate::store) fn decode(fields: &mut Decoder<'_>) -> Result<Self, Malformed> {
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
    use super::super::MOVEMENT_MAX;
    use super::*;
    use crate::units::Currency;

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
