//! A deal: what was agreed with a seller, found by its id.
//!
//! Sellers number their deals on their own, so an id means something on one exchange only. What a request says of a deal
//! (its floor, who may use it) counts; what stands here is what the campaign would pay on it.

use std::sync::Arc;

use crate::units::{Cpm, ExchangeKey};

/// The longest id of a deal: it travels in every notice URL of a bid on it.
pub const DEAL_ID_BYTES_MAX: usize = 64;
/// Deals of one campaign: each candidate may look at all of them.
pub const CAMPAIGN_DEALS_MAX: usize = 64;

/// A deal that a campaign may bid on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deal {
    /// The seller's id of it: `Bid.dealid`.
    pub id: Arc<str>,
    /// The exchange that offers it.
    pub exchange: ExchangeKey,
    /// What the campaign pays on it at most, in its currency; its own price where absent.
    pub price: Option<Cpm>,
    /// Whether the impressions are promised: pacing keeps none of its money back, and budgets hold.
    pub guaranteed: bool,
}

/// Where a campaign buys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Market {
    /// In open auctions, and on its deals.
    #[default]
    Open,
    /// On its deals alone.
    DealsOnly,
}
