//! Reading JSON as it is sent, not as it is specified: each type says what it makes of every kind of JSON value.
//!
//! A value that does not fit is absent; where absence would be a permission (floors, block lists) it is visibly
//! unreadable instead. Only text that is not JSON is an error. Nothing here knows a field of OpenRTB.

mod amount;
mod code_set;
mod currencies;
mod depth;
mod lists;
mod object;
mod scalar;
mod value;

pub(super) use amount::decimal_millionths;
pub use code_set::CodeSet;
pub use currencies::Currencies;
pub(super) use depth::nests_deeper_than;
pub(super) use lists::{Element, First, bare_type};
pub use lists::{Listed, TextList};
pub(super) use object::{Object, Seed, read, skip};
pub use scalar::{Flag, Given, Text};
pub(super) use scalar::{Millis, joined};
pub(super) use value::{Lenient, read_document};
