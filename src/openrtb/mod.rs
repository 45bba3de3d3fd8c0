//! The wire: OpenRTB 2.3 to 2.6, Native 1.0 to 1.2, VAST 2.0 to 4.3. No policy, no I/O, no clock.
//!
//! In: [`decode`] reads a request, leniently and without copying. What it says about privacy is in [`consent`].
//! Out: [`response`] writes bids, [`native`] and [`vast`] the markup in them, [`macros`] what exchanges replace in it.
//! Both: [`codes`] names the numbers, [`escape`] keeps text text.

pub mod codes;
pub mod consent;
pub mod escape;
mod json_writer;
mod lenient;
pub mod macros;
pub mod native;
pub mod request;
pub mod response;
pub mod vast;

pub use lenient::{CodeSet, Currencies, Flag, Given, Listed, Text, TextList};
pub use request::{BidRequest, DecodeError, decode};
