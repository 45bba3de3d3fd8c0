//! HTTP/1.1 as an exchange speaks it: keep-alive connections, one request in flight on each.
//!
//! `pool` carries requests whose answers are judged; `replies` reads answers, there and where they are only counted.

mod pool;
mod replies;
mod target;

pub use pool::{Answer, Handed, Pool, WireError};
pub use replies::{Ending, Keep, Replies, Reply, ReplyError};
pub use target::Target;
