//! Who pays for campaigns, and what exchanges block them by: domains and categories.

use std::sync::Arc;

use super::category::Category;
use super::inventory::Domain;
use crate::units::{AdvertiserKey, ExchangeKey};

/// An advertiser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advertiser {
    /// Its id in the configuration.
    pub id: Arc<str>,
    /// The key of its id.
    pub key: AdvertiserKey,
    /// Domains of its landing pages, the main one first: `Bid.adomain`, and what `badv` is compared with.
    pub domains: Vec<Domain>,
    /// What it is about: `Bid.cat`, and what `bcat` is compared with, for creatives without categories of their own.
    pub categories: Vec<Category>,
    /// Its seats where it has one of its own: `SeatBid.seat`, and what `wseat` and `bseat` are compared with.
    pub seats: Vec<(ExchangeKey, Arc<str>)>,
}

impl Advertiser {
    /// Its own seat on an exchange.
    pub fn seat_on(&self, exchange: ExchangeKey) -> Option<&str> {
        self.seats
            .iter()
            .find(|(place, _)| *place == exchange)
            .map(|(_, seat)| &**seat)
    }
}
