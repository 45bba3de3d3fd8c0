//! For tests: where and when a request comes in, with nothing said that a test does not say.

use std::num::NonZeroUsize;

use super::Place;
use crate::campaign::Rates;
use crate::units::{ExchangeKey, RegionKey, UnixMillis};

pub(super) const NOW: UnixMillis = UnixMillis::new(1_790_000_000_000);

pub(super) fn place(rates: &Rates) -> Place<'_> {
    Place {
        exchange: ExchangeKey::of("adx"),
        seat: None,
        seats: &[],
        supply: None,
        traffic: None,
        bids_per_imp: NonZeroUsize::MIN,
        region: RegionKey::of("sg"),
        user: None,
        own_segments: &[],
        at: NOW,
        rates,
        ceiling: None,
        has_secure_notices: true,
    }
}
