//! What simulated exchanges send: people, places, placements, and the requests made of them.
//!
//! Request n of a seed is always the same, whatever came before it. Each comes with `Asked`, what its body offers, so that
//! an answer is checked against that and not against a second reading of the body.

mod asked;
mod coding;
mod consent;
mod country;
mod deals;
mod generator;
mod inventory;
mod media;
mod population;
mod request;
mod shape;
mod stream;
mod terms;

pub use coding::Coding;
pub use country::{Country, country, country_codes};
pub use generator::{Generator, Planned};
pub(crate) use inventory::{some_category, some_domain};
pub use media::{AskedImp, Asset, AssetKind, Slot};
pub use request::{Asked, Pricing};
pub use terms::{AskedDeal, DealPricing, Limits, Market};
