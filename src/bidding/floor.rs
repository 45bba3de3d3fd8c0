//! What a bid must at least be.
//!
//! Floors are said in several places, and the most particular place that speaks counts: the deal, then the format (a price
//! for each second, or for a range of lengths), then the impression. A place that says nothing leaves it to the next. Each
//! place has its own currency: a deal's is US dollars where it says none, whatever the impression's is (OpenRTB 2.6,
//! sections 3.2.4, 3.2.12 and 7.11).

use super::context::Context;
use super::pass::PassReason;
use crate::openrtb::request::{Deal, DurationFloor, Stream};
use crate::openrtb::{Given, Listed};
use crate::units::{Cpm, Currency};

/// What one place says.
pub(super) struct FloorRules<'r> {
    price: Given<Cpm>,
    price_per_second: Given<Cpm>,
    by_length: &'r Listed<DurationFloor>,
    currency: Given<Currency>,
}

impl<'r> FloorRules<'r> {
    /// What a deal says.
    pub(super) fn of_deal(deal: &'r Deal<'_>) -> Self {
        Self {
            price: deal.bidfloor,
            price_per_second: deal.mincpmpersec,
            by_length: &deal.durfloors,
            currency: deal.bidfloorcur,
        }
    }

    /// What the slot of something that plays says, in its impression's currency.
    pub(super) fn of_stream(stream: &'r Stream<'_>, currency: Given<Currency>) -> Self {
        Self {
            price: Given::Absent,
            price_per_second: stream.mincpmpersec,
            by_length: &stream.durfloors,
            currency,
        }
    }

    /// Whether nothing is said here for an ad of any length.
    pub(super) fn are_silent(&self) -> bool {
        self.price.is_absent() && self.price_per_second.is_absent() && self.by_length.is_absent()
    }

    /// What an ad of this length must at least bid, in the currency of our bids; `None` where nothing is said of it.
    ///
    /// # Errors
    /// [`PassReason::UnreadableFloor`], or [`PassReason::Currency`].
    pub(super) fn floor(
        &self,
        seconds: Option<u32>,
        context: &Context<'_>,
    ) -> Result<Option<Cpm>, PassReason> {
        if self.by_length.is_unreadable() {
            return Err(PassReason::UnreadableFloor);
        }
        if let Some(seconds) = seconds {
            let per_second = self.converted(self.price_per_second, context)?;
            let mut highest = match per_second {
                Some(each) => Some(times(each, seconds)?),
                None => None,
            };
            for range in self.by_length.items() {
                let within = range.mindur_s.is_none_or(|least| seconds >= least)
                    && range.maxdur_s.is_none_or(|most| seconds <= most);
                if within {
                    highest = highest.max(self.converted(range.bidfloor, context)?);
                }
            }
            if highest.is_some() {
                return Ok(highest);
            }
        }
        self.converted(self.price, context)
    }

    fn converted(
        &self,
        price: Given<Cpm>,
        context: &Context<'_>,
    ) -> Result<Option<Cpm>, PassReason> {
        match price {
            Given::Absent => Ok(None),
            stated => in_bid_currency(stated, self.currency, context).map(Some),
        }
    }
}

/// A stated floor in the currency of our bids; nothing if there is none, and never below nothing.
///
/// # Errors
/// [`PassReason::UnreadableFloor`], or [`PassReason::Currency`].
pub(super) fn in_bid_currency(
    price: Given<Cpm>,
    currency: Given<Currency>,
    context: &Context<'_>,
) -> Result<Cpm, PassReason> {
    let price = match price {
        Given::Absent => return Ok(Cpm::ZERO),
        Given::Value(price) if price <= Cpm::ZERO => return Ok(Cpm::ZERO),
        Given::Value(price) => price,
        Given::Unreadable => return Err(PassReason::UnreadableFloor),
    };
    let currency = currency
        .or_absent(Currency::USD)
        .ok_or(PassReason::Currency)?;
    context
        .in_bid_currency(price, currency)
        .ok_or(PassReason::Currency)
}

fn times(each: Cpm, seconds: u32) -> Result<Cpm, PassReason> {
    let micros = each.micros().checked_mul(i64::from(seconds));
    micros
        .map(Cpm::from_micros)
        .ok_or(PassReason::UnreadableFloor)
}
