//! Bidding: from a request to the bids worth making. Pure, and meant to be read like the product's manual.
//!
//! | file | what |
//! |---|---|
//! | `context` | what is true of the whole request: where, who, when, what is blocked, in which currency |
//! | `blocked` | long lists of blocked domains, asked quickly |
//! | `opportunity` | one impression: which shapes it takes, and its floor |
//! | `floor` | what a bid must at least be, from every place that says so |
//! | `deals` | the deals of an impression that campaigns have, the first to be tried in front |
//! | `eligibility` | whether a campaign may, and with which creative |
//! | `decide` | the first of the best candidates that may, can afford it, and is drawn |
//! | `explain` | why each campaign does or does not: the same questions, asked of all |
//! | `traffic` | bots, and machines in data centres |
//! | `supply` | which supply chains are bought from |
//! | `pass` | every reason not to bid, in the order a candidate meets them |
//!
//! Money is behind a port, [`Funds`]: a region implements it.

mod blocked;
mod categories;
mod context;
mod deals;
mod decide;
mod eligibility;
mod explain;
#[cfg(test)]
mod fixture;
mod floor;
mod opportunity;
mod pass;
mod pods;
mod supply;
mod traffic;

pub use context::{Context, Place};
pub use decide::{CANDIDATES_MAX, Choice, Funds, Offered, Priced, Quote, decide};
pub use eligibility::{Parts, Shown, companions, plays_file, shown, skip_after};
pub use explain::{Inquiry, Told, Tried};
pub use opportunity::Opportunity;
pub use pass::PassReason;
pub use pods::{POD_BIDS_MAX, Pods};
pub use supply::{ChainRule, Seller, Sellers, SupplyPolicy};
pub use traffic::{
    ADDRESSES_MAX, AddressRange, AddressRanges, BOT_BYTES_MAX, BOT_BYTES_MIN, BOTS_MAX, Traffic,
};
