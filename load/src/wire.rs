//! HTTP/1.1 as an exchange speaks it: keep-alive connections, one request in flight on each unless its lane takes more.
//!
//! A `lane` carries what is sent by the clock; a `pool` carries questions whose answer the caller waits for; `replies` reads
//! answers for both.

mod content;
mod lane;
mod link;
mod pool;
mod replies;
mod target;

pub use content::Content;
pub use lane::{Ended, Errand, Job, Lane, Limits};
pub use pool::{Answer, Pool, WireError};
pub use replies::{Ending, Keep, Replies, Reply, ReplyError};
pub use target::{Target, Url};
