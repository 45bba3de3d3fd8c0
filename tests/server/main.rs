//! The whole server, in this process: its real tree, real sockets on free ports, a data folder of its own.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod advertisers;
mod approvals;
mod auctions;
mod bid_path;
mod explain;
mod faults;
mod golden;
mod killed;
mod money;
mod privacy;
mod readers;
mod rehearsals;
#[path = "../../src/scratch.rs"]
mod scratch;
mod support;
