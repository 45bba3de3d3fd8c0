//! Bidtree: a real-time-bidding ad server whose whole runtime is one supervision tree.

pub mod clock;
pub mod supervision;
pub mod units;
