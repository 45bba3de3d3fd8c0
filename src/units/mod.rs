//! The quantities and identities everything else is written in: money, ids, time.
//!
//! No I/O, no policy. A value that exists here is valid; what may be missing is an `Option` around it.

mod ids;
mod money;
mod time;
mod user_hash;

pub use ids::{
    AdvertiserKey, BidId, CampaignKey, CampaignSlot, CreativeKey, Epoch, ExchangeKey, RegionKey,
    SegmentKey, UserKey,
};
pub use money::{Cpm, Currency, Nanos, Rate};
pub use time::{BudgetDay, Deadline, LedgerTime, Monotonic, UnixMillis};
pub use user_hash::UserHash;
