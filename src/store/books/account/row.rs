//! An account as a row of a checkpoint.
//!
//! A row that is read holds the account's invariants, or is malformed: a damaged checkpoint must not become money.

use std::collections::BTreeMap;

use super::{Account, Balance, Day, Lease};
use crate::store::codec::{Decoder, Encoder, Malformed};
use crate::units::{BudgetDay, Epoch, Nanos, RegionKey};

impl Account {
    pub(in crate::store) fn encode(&self, into: &mut Vec<u8>) -> Result<(), Malformed> {
        let mut out = Encoder::new(into);
        out.u64(self.epoch);
        self.balance.encode(&mut out);
        out.u64(self.wins);
        out.u64(self.impressions);
        out.u8(u8::from(self.forgotten.is_some()));
        out.i32(self.forgotten.map_or(0, BudgetDay::get));
        out.u32(length(self.days.len())?);
        for (number, day) in &self.days {
            out.i32(number.get());
            day.encode(&mut out)?;
        }
        out.u32(length(self.leases.len())?);
        for ((region, epoch), lease) in &self.leases {
            out.u64(region.raw());
            out.u64(epoch.get());
            lease.encode(&mut out);
        }
        Ok(())
    }

    pub(in crate::store) fn decode(row: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Decoder::new(row);
        let mut account = Self {
            epoch: fields.u64()?,
            balance: Balance::decode(&mut fields)?,
            wins: fields.u64()?,
            impressions: fields.u64()?,
            forgotten: match (fields.u8()?, fields.i32()?) {
                (0, _) => None,
                (_, day) => Some(BudgetDay::new(day)),
            },
            days: BTreeMap::new(),
            leases: BTreeMap::new(),
        };
        for _ in 0..fields.u32()? {
            let number = fields.i32().map(BudgetDay::new)?;
            account.days.insert(number, Day::decode(&mut fields)?);
        }
        for _ in 0..fields.u32()? {
            let region = RegionKey::from_raw(fields.u64()?);
            let epoch = Epoch::new(fields.u64()?);
            account
                .leases
                .insert((region, epoch), Lease::decode(&mut fields)?);
        }
        fields.finish()?;
        account.balances_with_its_leases()?;
        Ok(account)
    }

    fn balances_with_its_leases(&self) -> Result<(), Malformed> {
        let mut open = Nanos::ZERO;
        for ((_, epoch), lease) in &self.leases {
            if lease.billed > lease.granted
                || lease.billed < Nanos::ZERO
                || epoch.get() > self.epoch
            {
                return Err(Malformed);
            }
            open = open.checked_add(lease.rest()).ok_or(Malformed)?;
        }
        if open == self.balance.open {
            Ok(())
        } else {
            Err(Malformed)
        }
    }
}

impl Balance {
    pub(in crate::store::books) fn encode(&self, out: &mut Encoder<'_>) {
        for amount in [
            self.granted,
            self.returned,
            self.late,
            self.billed,
            self.open,
        ] {
            out.nanos(amount);
        }
    }

    pub(in crate::store::books) fn decode(fields: &mut Decoder<'_>) -> Result<Self, Malformed> {
        let balance = Self {
            granted: fields.nanos()?,
            returned: fields.nanos()?,
            late: fields.nanos()?,
            billed: fields.nanos()?,
            open: fields.nanos()?,
        };
        if balance.holds() {
            Ok(balance)
        } else {
            Err(Malformed)
        }
    }
}

impl Day {
    fn encode(&self, out: &mut Encoder<'_>) -> Result<(), Malformed> {
        self.balance.encode(out);
        out.u64(self.impressions);
        out.u32(length(self.costs.len())?);
        for (currency, cost) in &self.costs {
            out.currency(*currency);
            out.nanos(*cost);
        }
        Ok(())
    }

    fn decode(fields: &mut Decoder<'_>) -> Result<Self, Malformed> {
        let mut day = Self {
            balance: Balance::decode(fields)?,
            impressions: fields.u64()?,
            costs: BTreeMap::new(),
        };
        for _ in 0..fields.u32()? {
            day.costs.insert(fields.currency()?, fields.nanos()?);
        }
        Ok(day)
    }
}

impl Lease {
    fn encode(&self, out: &mut Encoder<'_>) {
        out.i32(self.day.get());
        out.nanos(self.granted);
        out.nanos(self.billed);
        out.time(self.opened_at);
    }

    fn decode(fields: &mut Decoder<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            day: fields.i32().map(BudgetDay::new)?,
            granted: fields.nanos()?,
            billed: fields.nanos()?,
            opened_at: fields.time()?,
        })
    }
}

pub(in crate::store::books) fn length(of: usize) -> Result<u32, Malformed> {
    u32::try_from(of).map_err(|_| Malformed)
}
