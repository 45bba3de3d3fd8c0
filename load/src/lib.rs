//! A simulated ad exchange that judges a bidder over HTTP.
//!
//! It shares no code with the server and speaks only HTTP to it, so that both cannot be wrong in the same way. Requests
//! leave by the clock (open loop): a server that stalls is charged for every request that was due meanwhile.
//!
//! `scenario` says what a run does; `traffic` makes its requests, `pacer` times them, `wire` carries them, `check` judges
//! the answers, `auction` decides them, `notices` reports back, `oracle` knows what must have been billed, and `report`
//! sums up. `process` starts, kills and stops a server of the run's own, `timeline` and `faults` break things on purpose,
//! `watch` looks at what the server says of itself. Everything of a run lives on one thread; only the pacer has its own.

pub mod admin;
pub mod arrivals;
pub mod auction;
pub mod baseline;
pub mod books;
pub mod catalogue;
pub mod check;
pub mod clock;
pub mod compare;
pub mod cpu;
pub mod decimal;
#[cfg(test)]
mod fake;
pub mod faults;
pub mod marks;
pub mod notices;
pub mod oracle;
pub mod pacer;
pub mod process;
pub mod replay;
pub mod report;
pub mod rng;
pub mod run;
pub mod scenario;
pub mod tally;
pub mod tasks;
pub mod terminal;
pub mod timeline;
pub mod traffic;
pub mod volley;
pub mod watch;
pub mod wire;
