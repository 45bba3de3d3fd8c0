//! A crash storm on one data plane, and what children elsewhere feel of it.
//!
//! Three equal runs: the driver sends its messages at the same pace on data plane 0, and on data plane 1 a prober calls
//! two servers every millisecond. In two of the runs the messages do nothing; in the third each one is a crash.

use std::hint::black_box;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bidtree::clock::Clock;
use bidtree::supervision::{
    Address, Observations, Plane, Planes, Spec, Stage, Strategy, Supervisor, Tree, task,
};
use tokio::sync::oneshot;

use crate::children::{Counter, How, Say, actor, crash, numbered};
use crate::clock::Stopwatch;
use crate::memory::resident_bytes;
use crate::quiet;
use crate::rig::{control_runtime, data_runtime, tireless};
use crate::samples::{Figures, Samples, float};

/// How often the prober asks.
const PROBE_EVERY: Duration = Duration::from_millis(1);

/// What storms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Victim {
    Stage,
    Server(How),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    pub(crate) victim: Victim,
    /// Whether messages crash, or do nothing.
    pub(crate) storms: bool,
    pub(crate) per_second: u64,
    pub(crate) length: Duration,
}

pub(crate) struct Report {
    pub(crate) per_second: f64,
    /// A call to a server on data plane 1, from there.
    pub(crate) same_plane: Figures,
    /// A call to a server on the control plane, from data plane 1.
    pub(crate) control: Figures,
    /// Resident bytes, once a second.
    pub(crate) resident: Vec<u64>,
    pub(crate) observed: u64,
    pub(crate) observations_lost: u64,
    pub(crate) printed: u64,
}

/// What the observer of the stream has counted.
#[derive(Clone, Default)]
struct Seen(Arc<[AtomicU64; 2]>);

impl Seen {
    fn add(&self, read: usize, lost: u64) {
        let [all, gone] = &*self.0;
        all.fetch_add(u64::try_from(read).unwrap_or(u64::MAX), Ordering::Relaxed);
        gone.fetch_add(lost, Ordering::Relaxed);
    }

    fn counts(&self) -> (u64, u64) {
        let [all, gone] = &*self.0;
        (all.load(Ordering::Relaxed), gone.load(Ordering::Relaxed))
    }
}

struct Cast {
    counter: Counter,
    server: Address<Say>,
    stage: Stage<u64>,
    near: Address<Say>,
    control: Address<Say>,
    seen: Seen,
}

pub(crate) fn measure(weather: Weather) -> io::Result<Report> {
    let (shared, driver, second) = (control_runtime()?, data_runtime()?, data_runtime()?);
    let planes = Planes::new(shared.handle().clone(), 2);
    planes.open_data(0, driver.handle().clone());
    planes.open_data(1, second.handle().clone());
    let tree = Tree::new(planes, Clock::system());
    let (root, cast) = plan(&tree);
    let (printed, crashes_before) = (quiet::printed(), cast.counter.clone());
    let (begin, go) = oneshot::channel();
    let (near, control_address) = (cast.near.clone(), cast.control.clone());
    let seen = cast.seen.clone();
    let (per_second, probed) = std::thread::scope(|scope| {
        let probing = scope.spawn(|| {
            second.block_on(async {
                black_box(&go.await);
                probe(&near, &control_address, weather.length).await
            })
        });
        let crashes_a_second = driver.block_on(async {
            if let Err(exit) = tree.start(root).await {
                eprintln!("the tree did not start: {exit}");
            }
            let before = crashes_before.last();
            black_box(&begin.send(()));
            let took = drive(&cast, weather).await;
            let crashes = crashes_before.last() - before;
            if weather.storms {
                float(crashes) / took.as_secs_f64()
            } else {
                0.0
            }
        });
        (crashes_a_second, probing.join())
    });
    let probed = probed.map_err(|_| io::Error::other("the prober panicked"))?;
    shared.shutdown_background();
    let (observed, observations_lost) = seen.counts();
    Ok(Report {
        per_second,
        same_plane: probed.near.figures(),
        control: probed.control.figures(),
        resident: probed.resident,
        observed,
        observations_lost,
        printed: quiet::printed() - printed,
    })
}

/// What storms is on data plane 0, who is asked on data plane 1 and on control, and somebody reads the stream as
/// telemetry would.
fn plan(tree: &Tree) -> (Supervisor, Cast) {
    let (counter, others) = (Counter::default(), Counter::default());
    let (server, server_address) = actor("server", Plane::Data(0), &counter);
    let (stage, stage_address) = numbered("stage", &counter);
    let (near, near_address) = actor("near", Plane::Data(1), &others);
    let (control, control_address) = actor("control", Plane::Control, &others);
    let seen = Seen::default();
    let storming = tireless(Strategy::OneForOne).child(server).child(stage);
    let root = tireless(Strategy::OneForOne)
        .child(observer(tree.observations(), &seen))
        .child(near)
        .child(control)
        .child(storming.named("storming"));
    let cast = Cast {
        counter,
        server: server_address,
        stage: stage_address,
        near: near_address,
        control: control_address,
        seen,
    };
    (root, cast)
}

fn observer(observations: &Arc<Observations>, seen: &Seen) -> Spec {
    let (observations, seen) = (Arc::clone(observations), seen.clone());
    task("observer", Plane::Control, move |context| {
        let (observations, seen) = (Arc::clone(&observations), seen.clone());
        async move {
            context.ready();
            loop {
                tokio::select! {
                    _ = context.stopped() => return Ok(()),
                    (batch, lost) = observations.next() => seen.add(batch.len(), lost),
                }
            }
        }
    })
}

/// Sends one message each `1 / per_second`, and lets the plane's children run in between.
async fn drive(cast: &Cast, weather: Weather) -> Duration {
    let watch = Stopwatch::start();
    let messages = weather.per_second * weather.length.as_secs();
    for number in 0..messages {
        let due = Duration::from_nanos(number * 1_000_000_000 / weather.per_second.max(1));
        while watch.elapsed() < due {
            tokio::task::yield_now().await;
        }
        match weather.victim {
            Victim::Stage if weather.storms => {
                black_box(&cast.stage.call(crash));
            }
            Victim::Stage => {
                black_box(&cast.stage.call(|&number| number));
            }
            Victim::Server(how) => drop(cast.server.cast(if weather.storms {
                Say::Crash(how)
            } else {
                Say::Nothing
            })),
        }
    }
    watch.elapsed()
}

struct Probed {
    near: Samples,
    control: Samples,
    resident: Vec<u64>,
}

async fn probe(near: &Address<Say>, control: &Address<Say>, length: Duration) -> Probed {
    let mut probed = Probed {
        near: Samples::default(),
        control: Samples::default(),
        resident: Vec::new(),
    };
    let watch = Stopwatch::start();
    while watch.elapsed() < length {
        tokio::time::sleep(PROBE_EVERY).await;
        let asked = Stopwatch::start();
        black_box(&near.call(Say::Incarnation).await);
        probed.near.push(asked.elapsed());
        let asked = Stopwatch::start();
        black_box(&control.call(Say::Incarnation).await);
        probed.control.push(asked.elapsed());
        if watch.elapsed().as_secs() >= probed.resident.len() as u64 {
            probed.resident.extend(resident_bytes());
        }
    }
    probed.resident.extend(resident_bytes());
    probed
}
