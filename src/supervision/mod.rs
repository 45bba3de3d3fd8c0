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
//! # The rules, on one page
//!
//! **Starting.** Children start in order, each when the one before it is up. A child that does not start stops those that
//! are up, in reverse, and the supervisor's start fails with a reason that names it; nothing is tried again. A child may
//! have nothing to do ([`Failure::ignore`]): it is kept without a process.
//!
//! **Ending.** A *permanent* child is started again after every end, a *transient* one after an abnormal end (error, panic,
//! killed, stuck, but not normal or shutdown), a *temporary* one never, and its place goes with it. `one_for_one` starts
//! that child alone; `one_for_all` stops all the others in reverse and starts all in order, also those that had ended or
//! were stopped by hand; `rest_for_one` does so with that child and those after it.
//!
//! **Limits.** Each attempt counts once, however many children go with it: the end that leads to the first attempt, and
//! every attempt that fails. At most `intensity` within `period`; one more ends the supervisor: it stops its children in
//! reverse and ends with *shutdown*, which is for its own supervisor the end of a child. Over the root's limit the tree
//! ends, and whoever started it is told.
//!
//! **Stopping.** In reverse, one at a time, a dynamic supervisor's all at once; each is asked and given its time, then
//! killed; what does not end even then is called stuck and left behind.
//!
//! **By hand.** [`Tree::start_child`], [`Tree::terminate_child`], [`Tree::restart_child`], [`Tree::delete_child`],
//! [`Tree::children`], [`Tree::count_children`], by path. None of it counts.
//!
//! **Watching.** [`Tree::snapshot`] shows the tree as it is; [`Tree::observations`] tells of every start, end, restart,
//! escalation, fallback and recovery, in one stream with a limit.
//!
//! # Where this is not OTP
//!
//! | here | in OTP | why |
//! |---|---|---|
//! | a start has a deadline ([`Spec::start_within`]) | a hanging `init` blocks its supervisor | a deaf supervisor cannot stop its children |
//! | a group that is being stopped or started answers snapshots, kills and stops at once; other questions wait for it | it serves nothing while it waits | a stop must win |
//! | a child that is being started by hand keeps no other question waiting | one call after the other | a slow start is one child's matter |
//! | the window is exact to the nanosecond | whole seconds, inclusive | nothing here needs whole seconds |
//! | [`Spec::fallback`] with a [`Probation`] | the application ends | a degraded answer beats none |
//! | a child of a dynamic supervisor may have a limit of its own, and is *set aside* over it | none | one bad child must not end the pool |
//! | [`Spec::back_off`], none by default | none | a dependency that is down is not helped by haste |
//! | a child that does not yield or end is *stuck*: replaced, fenced off, or escalated ([`OnStuck`]) | `kill` always works | a task cannot be killed between awaits, a thread not at all |
//! | a start on the spot that never returns makes its supervisor *deaf*: an event says so | the same, and nothing says so | no thread can be taken from it |
//! | a stage: calls run on the caller's thread, and the innermost stage owns a panic | every process has a mailbox | a bid has microseconds |
//! | an ended transient child of a dynamic supervisor is forgotten | the same in Elixir; OTP's `simple_one_for_one` too | |
//! | restarting or deleting a dynamic supervisor's child says that it is not found | an error of its own | such a child has no place to come back to |
//! | a server's mailbox is bounded; a full one gives the message back | unbounded | every queue has a limit |
//! | [`Pid`]s are handed to a server's own tasks; everybody else has its [`Address`] | pids and registered names | the same |
//!
//! Addresses ([`Address`], [`Stage`], [`Post`], [`Dynamic`]) are made first, outlive every incarnation, and are handed
//! to specs and callers alike. Nothing outside this folder spawns.
//!
//! # A tree
//!
//! ```
//! use std::time::Duration;
//!
//! use bidtree::clock::Clock;
//! use bidtree::supervision::*;
//!
//! struct Counter(u64);
//!
//! enum Message {
//!     Add(u64),
//!     Read(Reply<u64>),
//! }
//!
//! impl Server for Counter {
//!     type Message = Message;
//!
//!     async fn handle(&mut self, message: Message, _: &Context) -> Result<(), Failure> {
//!         match message {
//!             Message::Add(number) => self.0 = self.0.checked_add(number).ok_or(Failure::new("full"))?,
//!             Message::Read(reply) => drop(reply.send(self.0)),
//!         }
//!         Ok(())
//!     }
//! }
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! # runtime.block_on(async {
//! let counter = Address::new();
//! let spec = server("counter", &counter, Plane::Control, 16, |_| async { Ok(Counter(0)) });
//! let plan = Supervisor::new(Strategy::OneForOne, Limit::new(3, Duration::from_secs(5))).child(spec);
//!
//! let tree = Tree::new(Planes::single(tokio::runtime::Handle::current()), Clock::system());
//! tree.start(plan).await?;
//! counter.cast(Message::Add(7)).ok();
//! assert_eq!(counter.call(Message::Read).await, Ok(7));
//! tree.stop().await;
//! # Ok::<(), Exit>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Messages are typed: a wrong one does not compile.
//!
//! ```compile_fail
//! use bidtree::supervision::Address;
//! let counter = Address::<u64>::new();
//! counter.cast("seven").ok();
//! ```

#[cfg(not(panic = "unwind"))]
compile_error!(
    "supervision needs panic = \"unwind\": a panic must be a child's crash, not the process's"
);

mod contain;
mod context;
mod core;
mod exit;
mod limit;
mod mailbox;
mod node;
mod observe;
mod owned;
mod planes;
mod reaper;
mod seat;
mod server;
mod spec;
mod stage;
mod task;
mod thread;
mod timers;
mod tree;
mod watchdog;

pub use contain::install_panic_hook;
pub use context::Context;
pub use exit::{Calls, Exit, PanicReport, Why};
pub use limit::Limit;
pub use observe::{Observation, Observations, What};
pub use planes::{Plane, Planes};
pub use reaper::Reaper;
pub use seat::Failure;
pub use server::{Address, CallFailed, Pid, Reply, SendError, Server, server};
pub use spec::{
    AutoShutdown, BackOff, Kind, OnStuck, Probation, Restart, Shutdown, Spec, Strategy, Supervisor,
};
pub use stage::{CallError, Stage, stage};
pub use task::task;
pub use thread::{Post, ThreadContext, thread};
pub use tree::{AskError, Counts, Dynamic, Place, Tree};
