//! HTTP/1.1 as an exchange speaks it: keep-alive connections, one request in flight on each.

mod pool;
mod target;

pub use pool::{Answer, Handed, Pool, WireError};
pub use target::Target;
