//! A tree on production's planes: the caller's current-thread runtime, which is data plane 0, and a control plane on
//! threads of its own.

use std::future::Future;
use std::time::Duration;

use bidtree::clock::Clock;
use bidtree::supervision::{Limit, Planes, Spec, Strategy, Supervisor, Tree};
use tokio::runtime::{Builder, Runtime};

/// As in `main.rs`.
const CONTROL_THREADS: usize = 2;

/// Which runtimes a tree gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// The caller's for the data plane, another for control: production's.
    Apart,
    /// The caller's for everything: what a test has.
    One,
}

pub(crate) struct Rig {
    layout: Layout,
    data: Runtime,
    control: Runtime,
}

impl Rig {
    pub(crate) fn new(layout: Layout) -> std::io::Result<Self> {
        Ok(Self {
            layout,
            data: data_runtime()?,
            control: control_runtime()?,
        })
    }

    /// Runs `work` with a tree that is not started yet, on the data plane; every row gets runtimes of its own, so
    /// that timers which one row leaves behind cost the next nothing.
    pub(crate) fn run<Fut: Future>(self, work: impl FnOnce(Tree) -> Fut) -> Fut::Output {
        let planes = match self.layout {
            Layout::Apart => Planes::new(self.control.handle().clone(), 1),
            Layout::One => Planes::new(self.data.handle().clone(), 1),
        };
        planes.open_data(0, self.data.handle().clone());
        let output = self.data.block_on(work(Tree::new(planes, Clock::system())));
        self.control.shutdown_background();
        output
    }
}

pub(crate) fn data_runtime() -> std::io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

pub(crate) fn control_runtime() -> std::io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(CONTROL_THREADS)
        .thread_name("control")
        .enable_all()
        .build()
}

/// A supervisor that never gives up.
pub(crate) fn tireless(strategy: Strategy) -> Supervisor {
    Supervisor::new(strategy, tireless_limit())
}

pub(crate) fn tireless_limit() -> Limit {
    Limit::new(u32::MAX, Duration::from_secs(1))
}

/// Children under a supervisor of this strategy that never gives up; with none, under one that gives up at once, so
/// that the one above it, which never does, starts it anew.
pub(crate) fn grouped(strategy: Option<Strategy>, specs: Vec<Spec>) -> Supervisor {
    let supervisor = strategy.map_or_else(
        || Supervisor::new(Strategy::OneForOne, Limit::new(0, Duration::from_secs(1))),
        tireless,
    );
    let group = specs.into_iter().fold(supervisor, Supervisor::child);
    match strategy {
        Some(_) => group,
        None => tireless(Strategy::OneForOne).child(group.named("inner")),
    }
}
