//! What the folders `advertisers/`, `campaigns/` and `creatives/` say.

mod advertiser;
mod campaign;
mod creative;
mod deals;
mod folder;
mod hours;
mod media;
mod moments;
mod native;
mod targeting;
mod taxonomies;
mod valuation;

pub use creative::MARKUP_BYTES_MAX;
pub use folder::CAMPAIGNS_MAX;
pub(super) use folder::{Places, read, seats_of, segment_names};
