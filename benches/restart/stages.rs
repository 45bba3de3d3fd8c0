//! Restarting stages: from the call that panics to the next call that is answered, all on the caller's thread.

use std::hint::black_box;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use bidtree::supervision::{Failure, Stage, Strategy, Supervisor, Tree};

use crate::children::{Counter, crash, numbered};
use crate::clock::Stopwatch;
use crate::quiet;
use crate::rig::{Layout, Rig, grouped, tireless};
use crate::samples::{Figures, Samples, float};
use crate::servers::Pace;

/// Calls timed together, since one is shorter than a look at the clock.
const BATCH: u32 = 1_000;
/// Longer than anything here takes.
const STUCK_AFTER: Duration = Duration::from_secs(10);

/// Who stands where. The first is crashed; all answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One stage under `one_for_one`.
    One,
    /// Two under `rest_for_one`: the engine and the serializer.
    Two,
    /// Three under a supervisor with limit 0 under another.
    Escalation,
}

/// What a panic costs without any supervision: caught on the spot, its place kept by a hook as the kernel's does.
fn bare() -> Duration {
    let watch = Stopwatch::start();
    let outcome = quiet::hook(|| catch_unwind(AssertUnwindSafe(|| crash(&black_box(0)))));
    black_box(&outcome);
    watch.elapsed()
}

/// How the first stage goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// A call panics.
    Panic,
    /// A caller finds it broken.
    Error,
}

/// A bare panic and a stage's crash by turns, so that both meet the machine in the same mood.
pub(crate) fn measure(
    layout: Layout,
    (shape, end): (Shape, End),
    pace: Pace,
) -> io::Result<(Figures, Figures)> {
    Ok(Rig::new(layout)?.run(|tree| run(tree, (shape, end), pace)))
}

async fn run(tree: Tree, (shape, end): (Shape, End), pace: Pace) -> (Figures, Figures) {
    let counter = Counter::default();
    let (root, stages) = plan(shape, &counter);
    if let Err(exit) = tree.start(root).await {
        eprintln!("the tree did not start: {exit}");
    }
    let (mut bares, mut samples) = (Samples::default(), Samples::default());
    for round in 0..pace.warm_up + pace.count {
        pause(pace).await;
        let bare = bare();
        pause(pace).await;
        let took = crash_and_answers(&stages, end, &counter);
        if round >= pace.warm_up {
            bares.push(bare);
            samples.push(took);
        }
    }
    tree.stop().await;
    (bares.figures(), samples.figures())
}

fn plan(shape: Shape, counter: &Counter) -> (Supervisor, Vec<Stage<u64>>) {
    let ids: &[&str] = match shape {
        Shape::One => &["a"],
        Shape::Two => &["a", "b"],
        Shape::Escalation => &["a", "b", "c"],
    };
    let (specs, stages): (Vec<_>, Vec<_>) = ids.iter().map(|id| numbered(id, counter)).unzip();
    let strategy = match shape {
        Shape::One => Some(Strategy::OneForOne),
        Shape::Two => Some(Strategy::RestForOne),
        Shape::Escalation => None,
    };
    (grouped(strategy, specs), stages)
}

fn crash_and_answers(stages: &[Stage<u64>], end: End, counter: &Counter) -> Duration {
    let before = counter.last();
    let watch = Stopwatch::start();
    if let Some(victim) = stages.first() {
        match end {
            End::Panic => drop(black_box(victim.call(crash))),
            End::Error => drop(black_box(victim.fail(Failure::new("told to")))),
        }
    }
    for stage in stages {
        while stage
            .call(|&number| number)
            .map_or(true, |number| number <= before)
        {
            std::hint::spin_loop();
        }
    }
    watch.elapsed()
}

/// Whether the watchdog looks at a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watched {
    No,
    Yes,
}

/// A call that does nothing, in nanoseconds a call; each sample is the mean of a batch.
pub(crate) fn call(watched: Watched, batches: usize) -> io::Result<Figures> {
    Ok(Rig::new(Layout::Apart)?.run(|tree| async move {
        let (spec, stage) = numbered("a", &Counter::default());
        let spec = match watched {
            Watched::No => spec,
            Watched::Yes => spec.stuck_after(STUCK_AFTER),
        };
        let root = tireless(Strategy::OneForOne).child(spec);
        if let Err(exit) = tree.start(root).await {
            eprintln!("the tree did not start: {exit}");
        }
        let mut totals = Samples::default();
        for _ in 0..batches {
            let watch = Stopwatch::start();
            for _ in 0..BATCH {
                black_box(&stage.call(|&number| black_box(number)));
            }
            totals.push(watch.elapsed());
        }
        tree.stop().await;
        let batch = float(u64::from(BATCH));
        let whole = totals.figures();
        Figures {
            p50: whole.p50 / batch,
            p99: whole.p99 / batch,
            mean: whole.mean / batch,
            count: whole.count,
        }
    }))
}

async fn pause(pace: Pace) {
    if let Some(pause) = pace.pause {
        tokio::time::sleep(pause).await;
    }
}
