//! A region: the money it may spend, how fast, and on whom.
//!
//! - [`ledger`]: what data threads see of the money: leases, and promises taken from them.
//! - [`till`]: what the ledger's server does with it: grants, bills, releases, lapses, seals.
//! - `lease`, `wheel`, `movement`: one lease's balance, when its promises lapse, and the shapes that go in and out.
//! - [`pacing`]: what share of the opportunities a campaign takes, so that its spend follows its plan.
//! - [`supply`]: what pacing counts on the bid path, and the shares it publishes there.
//! - [`frequency`], `exposures`: who has seen a campaign, and who may see it again.
//!
//! All of them are pure: time and randomness are arguments. The region's three children carry the messages around them:
//! [`ledger_server`], [`pacer_server`], [`frequency_server`], under `one_for_all`, since pacing and caps that were computed
//! from a ledger that is gone are wrong.

mod exposures;
pub mod frequency;
pub mod frequency_server;
pub mod lease;
pub mod ledger;
pub mod ledger_server;
mod movement;
pub mod pacer_server;
pub mod pacing;
pub mod supply;
pub mod till;
mod wheel;
