//! The kernel from outside: who dies with whom, who comes back, and who is told.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may panic"
)]

mod beyond;
mod conformance;
mod fallback;
mod kinds;
mod model;
mod stages;
mod strategies;
mod support;
