//! Notices: what exchanges and browsers tell us after the auction, and what it does to money.
//!
//! | file | what |
//! |---|---|
//! | `token` | the sealed token in every notice URL |
//! | `settlement` | the state machine per (bid, imp). Pure |
//! | `settlement_server` | settlement at work: durable before it is said |
//! | `visitor` | our cookie, and user sync. Pure |
//! | `notice_listener` | notices and user syncs over HTTP |

pub mod notice_listener;
pub mod settlement;
pub mod settlement_server;
pub mod token;
pub mod visitor;
