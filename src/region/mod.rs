//! A region: the money it may spend, how fast, and on whom.
//!
//! - [`ledger`]: what data threads see of the money: leases, and promises taken from them.
//! - [`books`]: what the ledger's server does with it: grants, bills, releases, lapses, seals.
//! - `lease`, `wheel`, `movement`: one lease's balance, when its promises lapse, and the shapes that go in and out.
//! - [`pacing`]: what share of the opportunities a campaign takes, so that its spend follows its plan.
//! - [`frequency`]: who has seen a campaign, and who may see it again.
//!
//! All of them are pure: time and randomness are arguments. A region's servers carry the messages around them.

pub mod books;
pub mod frequency;
mod lease;
pub mod ledger;
pub mod ledger_server;
mod movement;
pub mod pacing;
mod wheel;
