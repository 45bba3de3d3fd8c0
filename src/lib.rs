#![doc = include_str!("../ARCHITECTURE.md")]

// Layers, lowest first: each may use those before it (`tests/architecture.rs`).

#[cfg(test)]
mod scratch;

pub mod units;

pub mod clock;

pub mod supervision;

pub mod chaos;

pub mod http;
pub mod openrtb;
pub mod store;
pub mod telemetry;

pub mod campaign;

pub mod bidding;

pub mod region;

pub mod notice;

pub mod exchange;

pub mod admin;

pub mod config;

pub mod app;
