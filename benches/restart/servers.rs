//! Restarting servers: from the cast that crashes one to an answer from every new incarnation that is waited for.

use std::io;
use std::time::Duration;

use bidtree::supervision::{Address, Plane, Strategy, Supervisor, Tree};

use crate::children::{Counter, How, Say, actor};
use crate::clock::Stopwatch;
use crate::rig::{Layout, Rig, grouped};
use crate::samples::{Figures, Samples};

/// Who stands where and who is crashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One child.
    OneForOne,
    /// Three; the first is crashed, all answer.
    RestForOne,
    /// Three; the middle one is crashed, all answer.
    OneForAll,
    /// Three under a supervisor with limit 0 under another: the first is crashed, all answer.
    Escalation,
}

/// How often, and after how much idleness.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) pause: Option<Duration>,
    pub(crate) warm_up: usize,
    pub(crate) count: usize,
}

pub(crate) fn measure(layout: Layout, shape: Shape, how: How, pace: Pace) -> io::Result<Figures> {
    Ok(Rig::new(layout)?.run(|tree| run(tree, shape, how, pace)))
}

async fn run(tree: Tree, shape: Shape, how: How, pace: Pace) -> Figures {
    let counter = Counter::default();
    let (root, addresses) = plan(shape, &counter);
    if let Err(exit) = tree.start(root).await {
        eprintln!("the tree did not start: {exit}");
    }
    let victim = usize::from(shape == Shape::OneForAll);
    let mut samples = Samples::default();
    for round in 0..pace.warm_up + pace.count {
        if let Some(pause) = pace.pause {
            tokio::time::sleep(pause).await;
        }
        let took = crash_and_answers(&addresses, victim, how, &counter).await;
        if round >= pace.warm_up {
            samples.push(took);
        }
    }
    tree.stop().await;
    samples.figures()
}

fn plan(shape: Shape, counter: &Counter) -> (Supervisor, Vec<Address<Say>>) {
    let ids: &[&str] = match shape {
        Shape::OneForOne => &["a"],
        _ => &["a", "b", "c"],
    };
    let (specs, addresses): (Vec<_>, Vec<_>) = ids
        .iter()
        .map(|id| actor(id, Plane::Data(0), counter))
        .unzip();
    let strategy = match shape {
        Shape::OneForOne => Some(Strategy::OneForOne),
        Shape::RestForOne => Some(Strategy::RestForOne),
        Shape::OneForAll => Some(Strategy::OneForAll),
        Shape::Escalation => None,
    };
    (grouped(strategy, specs), addresses)
}

async fn crash_and_answers(
    addresses: &[Address<Say>],
    victim: usize,
    how: How,
    counter: &Counter,
) -> Duration {
    let before = counter.last();
    let watch = Stopwatch::start();
    if let Some(victim) = addresses.get(victim) {
        drop(victim.cast(Say::Crash(how)));
    }
    for address in addresses {
        // As any caller does: an answer from the old incarnation is not one, and a server that is down is asked again.
        while address
            .call(Say::Incarnation)
            .await
            .map_or(true, |number| number <= before)
        {
            tokio::task::yield_now().await;
        }
    }
    watch.elapsed()
}
