//! A tree of recording children on one paused runtime.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bidtree::clock::Clock;
use bidtree::supervision::{
    Address, Context, Failure, Limit, Plane, Planes, Reply, Server, Spec, Strategy, Supervisor,
    Tree, Why, server,
};
use bidtree::units::UnixMillis;

/// What happened, in order: `+a` its init ran, `-a` it was told to stop.
#[derive(Clone, Default)]
pub(crate) struct Script(Arc<Mutex<Vec<String>>>);

impl Script {
    pub(crate) fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }

    pub(crate) fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap()).join(" ")
    }
}

pub(crate) enum Say {
    Incarnation(Reply<u64>),
    Panic,
    Fail,
}

pub(crate) struct Actor {
    id: &'static str,
    script: Script,
    number: u64,
}

impl Server for Actor {
    type Message = Say;

    async fn handle(&mut self, message: Say, _context: &Context) -> Result<(), Failure> {
        match message {
            Say::Incarnation(reply) => {
                reply.send(self.number);
                Ok(())
            }
            Say::Panic => panic!("{} was told to", self.id),
            Say::Fail => Err(Failure::new("told to")),
        }
    }

    async fn terminate(&mut self, _why: Why) {
        self.script.note(format!("-{}", self.id));
    }
}

pub(crate) struct Stand {
    pub(crate) script: Script,
    counter: Arc<Mutex<u64>>,
    /// Starts that fail from now on.
    pub(crate) failing: Arc<Mutex<u32>>,
}

impl Stand {
    pub(crate) fn new() -> Self {
        bidtree::supervision::install_panic_hook();
        Self {
            script: Script::default(),
            counter: Arc::default(),
            failing: Arc::default(),
        }
    }

    pub(crate) fn actor(&self, id: &'static str) -> (Spec, Address<Say>) {
        let address = Address::new();
        let (script, counter, failing) = (
            self.script.clone(),
            Arc::clone(&self.counter),
            Arc::clone(&self.failing),
        );
        let spec = server(id, &address, Plane::Control, 16, move |_| {
            let (script, counter, failing) =
                (script.clone(), Arc::clone(&counter), Arc::clone(&failing));
            async move {
                script.note(format!("+{id}"));
                let mut left = failing.lock().unwrap();
                if *left > 0 {
                    *left -= 1;
                    return Err(Failure::new("told not to start"));
                }
                let mut number = counter.lock().unwrap();
                *number += 1;
                Ok(Actor {
                    id,
                    script,
                    number: *number,
                })
            }
        });
        (spec, address)
    }
}

pub(crate) fn tree() -> Tree {
    Tree::new(
        Planes::single(tokio::runtime::Handle::current()),
        Clock::manual(UnixMillis::new(0)).0,
    )
}

pub(crate) fn supervisor(strategy: Strategy, intensity: u32) -> Supervisor {
    Supervisor::new(strategy, Limit::new(intensity, Duration::from_secs(5)))
}

/// Lets everything that can happen happen. Time is paused, so this takes none.
pub(crate) async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

pub(crate) async fn incarnation(address: &Address<Say>) -> Option<u64> {
    address.call(Say::Incarnation).await.ok()
}
