//! HTTP/1.1 as an exchange speaks it: keep-alive connections, one request in flight on each.
//!
//! `pool` is for answers that are judged, `replies` for those that are only counted.

mod pool;
mod replies;
mod target;

pub use pool::{Answer, Handed, Pool, WireError};
pub use replies::{Ending, Replies, Reply, ReplyError};
pub use target::Target;
