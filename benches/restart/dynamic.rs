//! Many children of one dynamic supervisor: what each costs to start and to hold, and how long all take to stop.

use std::io;

use bidtree::supervision::{Address, Dynamic, Plane, Strategy, Supervisor, Tree};

use crate::children::{Counter, Say, actor};
use crate::clock::Stopwatch;
use crate::memory::resident_bytes;
use crate::rig::{Layout, Rig, tireless, tireless_limit};
use crate::samples::float;

pub(crate) struct Crowd {
    pub(crate) start_ns_each: f64,
    pub(crate) bytes_each: Option<f64>,
    pub(crate) stop_ns_all: f64,
    pub(crate) failed: usize,
}

pub(crate) fn measure(layout: Layout, count: usize) -> io::Result<Crowd> {
    Ok(Rig::new(layout)?.run(|tree| run(tree, count)))
}

async fn run(tree: Tree, count: usize) -> Crowd {
    let counter = Counter::default();
    let pool = Dynamic::new();
    let plan = Supervisor::dynamic(tireless_limit(), count).named_at("pool", &pool);
    if let Err(exit) = tree.start(tireless(Strategy::OneForOne).child(plan)).await {
        eprintln!("the tree did not start: {exit}");
    }
    let mut addresses: Vec<Address<Say>> = Vec::with_capacity(count);
    let mut failed = 0;
    let before = resident_bytes();
    let watch = Stopwatch::start();
    for number in 0..count {
        let (spec, address) = actor(&number.to_string(), Plane::Data(0), &counter);
        addresses.push(address);
        failed += usize::from(pool.start_child(spec).await.is_err());
    }
    let started = watch.elapsed();
    let held = before.zip(resident_bytes());
    let watch = Stopwatch::start();
    tree.stop().await;
    let stopped = watch.elapsed();
    let children = float(count.max(1) as u64);
    Crowd {
        start_ns_each: started.as_secs_f64() * 1e9 / children,
        bytes_each: held.map(|(before, after)| float(after.saturating_sub(before)) / children),
        stop_ns_all: stopped.as_secs_f64() * 1e9,
        failed,
    }
}
