//! Notices: what exchanges and browsers tell us after the auction, and what it does to money.
//!
//! | file | what |
//! |---|---|
//! | `token` | the sealed token in every notice URL |
//! | `settlement` | the state machine per (bid, imp). Pure |

pub mod settlement;
pub mod settlement_server;
pub mod token;
