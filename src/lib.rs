//! Bidtree: a real-time-bidding ad server whose whole runtime is one supervision tree.

pub mod admin;
pub mod app;
pub mod bidding;
pub mod campaign;
pub mod clock;
pub mod config;
pub mod exchange;
pub mod http;
pub mod notice;
pub mod openrtb;
pub mod region;
pub mod store;
pub mod supervision;
pub mod telemetry;
pub mod units;
