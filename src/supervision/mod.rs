//! The supervision kernel: OTP's supervision trees on tokio. It knows nothing of ads.
//!
//! | kind | what it is | crash |
//! |---|---|---|
//! | [`server`] | a typed mailbox and an async loop | an error or a panic in `handle` |
//! | [`stage`] | a value published for inline calls | a panic in a call, owned by the innermost stage |
//! | [`task`] | an async loop, which may own tasks on any plane | its future returns an error or panics |
//! | [`thread`] | an OS thread with a mailbox | it returns an error or panics; it cannot be killed, only found stuck |
//! | [`Supervisor`] | starts, watches, restarts and stops the others | it goes over its restart limit |
//!
//! Rules are OTP's: children start in order, each after the former is up, and stop in reverse; a strategy says which
//! siblings go down with a child; a restart type says after which exits it comes back; a limit says how often, and
//! one more ends the supervisor, which is then a child that ended. What OTP does not have:
//!
//! | here | in OTP | why |
//! |---|---|---|
//! | a start has a deadline | a hanging `init` blocks its supervisor | a deaf supervisor cannot stop its children |
//! | a failed restart of one child is retried beside the others' work | so does OTP, since R16 | |
//! | the window is exact to the nanosecond | whole seconds | nothing else needs whole seconds |
//! | a [`Probation`] gives a subtree a fallback | the application ends | a degraded answer beats none |
//! | a child of a dynamic supervisor may have its own limit, and is set aside over it | none | one bad campaign must not end the pool |
//! | a child that does not end is `Stuck` and abandoned | `kill` always works | a task cannot be killed between awaits, a thread not at all |
//!
//! Addresses ([`Address`], [`Stage`], [`Post`], [`Dynamic`]) are made first, outlive every incarnation, and are handed
//! to specs and callers alike. Nothing outside this folder spawns.

#[cfg(not(panic = "unwind"))]
compile_error!(
    "supervision needs panic = \"unwind\": a panic must be a child's crash, not the process's"
);

mod contain;
mod core;
mod exit;
mod limit;
mod node;
mod observe;
mod planes;
mod reaper;
mod seat;
mod server;
mod spec;
mod stage;
mod task;
mod thread;
mod tree;
mod watchdog;

pub use contain::install_panic_hook;
pub use exit::{Exit, PanicReport, Why};
pub use limit::Limit;
pub use observe::{Observation, Observations, What};
pub use planes::{Plane, Planes};
pub use reaper::Reaper;
pub use seat::{Context, Failure};
pub use server::{Address, CallFailed, Pid, Reply, SendError, Server, server};
pub use spec::{
    AutoShutdown, BackOff, Kind, OnStuck, Probation, Restart, Shutdown, Spec, Strategy, Supervisor,
};
pub use stage::{CallError, Stage, stage};
pub use task::task;
pub use thread::{Post, ThreadContext, thread};
pub use tree::{AskError, Counts, Dynamic, Place, Tree};
