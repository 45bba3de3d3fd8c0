//! The children that crash: a server and a stage that know which incarnation they are.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bidtree::supervision::{
    Address, Context, Failure, Plane, Reply, Server, Spec, Stage, server, stage,
};

/// Room in a mailbox; the benchmark never has more than two messages waiting.
const MAILBOX: usize = 16;

/// Numbers all incarnations of a row, so that an answer tells whether it comes from a new one.
#[derive(Clone, Default)]
pub(crate) struct Counter(Arc<AtomicU64>);

impl Counter {
    pub(crate) fn last(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::AcqRel) + 1
    }
}

/// How a child ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Panic,
    Error,
}

pub(crate) enum Say {
    Incarnation(Reply<u64>),
    Crash(How),
    /// A message that does nothing: what a storm's quiet twin sends instead of a crash.
    Nothing,
}

pub(crate) struct Actor(u64);

impl Server for Actor {
    type Message = Say;

    async fn handle(&mut self, message: Say, _context: &Context) -> Result<(), Failure> {
        match message {
            Say::Incarnation(reply) => {
                reply.send(self.0);
                Ok(())
            }
            Say::Nothing => Ok(()),
            Say::Crash(How::Panic) => panic!("told to"),
            Say::Crash(How::Error) => Err(Failure::new("told to")),
        }
    }
}

pub(crate) fn actor(id: &str, plane: Plane, counter: &Counter) -> (Spec, Address<Say>) {
    let address = Address::new();
    let counter = counter.clone();
    let spec = server(id, &address, plane, MAILBOX, move |_| {
        let number = counter.next();
        async move { Ok(Actor(number)) }
    });
    (spec, address)
}

/// A stage whose value is the number of its incarnation.
pub(crate) fn numbered(id: &str, counter: &Counter) -> (Spec, Stage<u64>) {
    let address = Stage::new();
    let counter = counter.clone();
    let spec = stage(id, &address, move || Ok(counter.next()));
    (spec, address)
}

/// Panics, as a call inside a stage would.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "a stage hands out its value by reference"
)]
pub(crate) fn crash(_: &u64) -> u64 {
    panic!("told to")
}
