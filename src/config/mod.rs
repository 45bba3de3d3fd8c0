//! Configuration: a folder of TOML files becomes values that are valid, or a list of everything that is wrong.
//!
//! `bidtree.toml` says how the server runs; `advertisers/`, `campaigns/` and `creatives/` have one file for each. Every
//! file is read as a plain table and walked by a small reader that writes down each fault and goes on, so that an
//! operator sees all of them at once. Then nothing is started.
//!
//! ```text
//! load ─┬─ overrides    environment variables laid over bidtree.toml
//!       ├─ settings     what bidtree.toml says
//!       ├─ catalogue    what the three folders say
//!       └─ segments     our own lists of people
//!            reader     takes keys out of a table
//!            kinds      what a text may be, by notation: how values are written; keys: every key there is
//!            lines      where a key stands
//! ```
//!
//! Not here: reading the environment (the caller hands it in), what the values do.

mod catalogue;
mod faults;
mod keys;
mod kinds;
mod lines;
mod load;
mod near;
mod notation;
mod overrides;
mod reader;
mod segments;
mod settings;
mod source;

pub use catalogue::{CAMPAIGNS_MAX, MARKUP_BYTES_MAX};
pub use faults::{Fault, Faults};
pub use load::{Config, load, load_catalogue};
pub use segments::load_segments;
pub use settings::{
    Admin, Billing, Campaigns, Coding, Dialect, Exchange, Fuses, Ids, Notices, PLACES_MAX, Region,
    Review, SegmentList, Server, Settings, StatedRates, Store, Telemetry,
};
pub use source::FILE_BYTES_MAX;

#[cfg(test)]
mod tests;
