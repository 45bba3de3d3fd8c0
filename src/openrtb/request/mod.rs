//! The bid request, borrowed from its body (OpenRTB 2.3 to 2.6).
//!
//! One file per part of the spec's tree: `bid_request` (the top level), `imp`, `media` (banner, video, audio, native),
//! `stream` (what video and audio share), `pmp`, `channel` (site, app, DOOH), `device`, `person` (user and regulations).
//! Each holds its structs and the table of wire names that fills them, old names and places included. What a bidder has no
//! use for is not read.
//!
//! Conventions: an `Option` is `None` for a field that is missing, `null`, empty or of a type that makes no sense;
//! `Given`, and the `is_unreadable` of lists and sets, tell "missing" from "cannot be read" where that is a matter of
//! permission. Where a key comes twice in one object, the last one counts.

mod bid_request;
mod channel;
mod device;
mod imp;
mod media;
mod person;
mod pmp;
mod source;
mod stream;
#[cfg(test)]
mod tests;

pub use bid_request::{BidRequest, DecodeError, MAX_DEPTH, MAX_IMPS, decode};
pub use channel::{Channel, ChannelKind, Content, Publisher};
pub use device::{Browser, Device, Geo, UserAgent};
pub use imp::{Imp, Quantity};
pub use media::{Audio, Banner, Format, Native, Video};
pub(super) use person::opts_out;
pub use person::{Dsa, Eid, Regs, User, UserData, UserSegment};
pub use pmp::{Deal, Pmp};
pub use source::{Source, SupplyChain, SupplyNode};
pub use stream::{DurationFloor, Pod, Stream};
