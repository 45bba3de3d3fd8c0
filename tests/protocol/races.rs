//! The kernel itself, in schedules that a test can hold open: what the models are about, and what they leave out.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

use bidtree::clock::Clock;
use bidtree::supervision::{
    Address, Context, Failure, Limit, Plane, Planes, Reply, Server, Spec, Stage, Strategy,
    Supervisor, Tree, install_panic_hook, server, stage, task,
};
use bidtree::units::UnixMillis;
use tokio::runtime::{Builder, Handle, Runtime};

/// Far longer than anything here takes; only a failure waits for it.
const PATIENCE: Duration = Duration::from_secs(5);

fn tree(planes: Planes) -> Tree {
    install_panic_hook();
    Tree::new(planes, Clock::manual(UnixMillis::new(0)).0)
}

fn supervisor(intensity: u32, child: Spec) -> Supervisor {
    let limit = Limit::new(intensity, Duration::from_secs(5));
    Supervisor::new(Strategy::OneForOne, limit).child(child)
}

fn threads(count: usize) -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(count)
        .enable_all()
        .build()
        .unwrap()
}

/// A server that knows which start it came from, and can be told to crash.
struct Counted {
    start: u32,
    /// Disconnected when this is dropped.
    _dropped: SyncSender<()>,
}

#[derive(Debug)]
enum Say {
    Start(Reply<u32>),
    Crash,
}

impl Server for Counted {
    type Message = Say;

    async fn handle(&mut self, message: Say, _context: &Context) -> Result<(), Failure> {
        match message {
            Say::Start(reply) => {
                reply.send(self.start);
                Ok(())
            }
            Say::Crash => Err(Failure::new("told to")),
        }
    }
}

/// Asks until somebody answers.
async fn start_that_answers(address: &Address<Say>) -> Option<u32> {
    let ask = async {
        loop {
            if let Ok(start) = address.call(Say::Start).await {
                return start;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, ask).await.ok()
}

/// A stage whose second start waits between two barriers.
#[derive(Clone)]
struct Door {
    stage: Stage<()>,
    entered: Arc<Barrier>,
    left: Arc<Barrier>,
}

impl Door {
    fn new() -> Self {
        Self {
            stage: Stage::new(),
            entered: Arc::new(Barrier::new(2)),
            left: Arc::new(Barrier::new(2)),
        }
    }

    fn spec(&self, id: &str) -> Spec {
        let (door, starts) = (self.clone(), AtomicU32::new(0));
        stage(id, &self.stage, move || {
            if starts.fetch_add(1, Ordering::Relaxed) == 1 {
                door.entered.wait();
                door.left.wait();
            }
            Ok(())
        })
    }
}

fn crash(stage: &Stage<()>) {
    assert!(stage.call(|()| panic!("told to")).is_err());
}

#[test]
fn a_supervisor_told_to_stop_before_it_has_started_leaves_nothing_running() {
    let runtime = threads(2);
    let tree = tree(Planes::single(runtime.handle().clone()));
    let (slow, early, late) = (Door::new(), Door::new(), Stage::new());
    let plan = supervisor(5, slow.spec("slow"))
        .child(supervisor(0, early.spec("stage")).named("early"))
        .child(supervisor(0, stage("stage", &late, || Ok(()))).named("late"));
    runtime.block_on(tree.start(plan)).unwrap();
    std::thread::scope(|scope| {
        // This thread runs the root from here on.
        scope.spawn(|| crash(&slow.stage));
        slow.entered.wait();
        // Two supervisors give up meanwhile. It starts both again, one after the other.
        crash(&early.stage);
        crash(&late);
        slow.left.wait();
        early.entered.wait();
        runtime.block_on(async {
            tokio::join!(tree.stop(), async { early.left.wait() });
        });
    });
    assert!(!late.is_up(), "a child of a supervisor that has ended");
}

/// Starts a server whose second start waits in its init for a word, and its third does not.
fn slow_second_start(address: &Address<Say>) -> (Spec, SyncSender<()>, Receiver<()>) {
    let (go_on, wait) = sync_channel(1);
    let (second, dropped) = sync_channel(1);
    let wait = Arc::new(Mutex::new(wait));
    let second = Mutex::new(Some(second));
    let starts = AtomicU32::new(0);
    let spec = server("a", address, Plane::Control, 4, move |_| {
        let start = starts.fetch_add(1, Ordering::Relaxed) + 1;
        let is_second = start == 2;
        let told = if is_second {
            second.lock().unwrap().take()
        } else {
            None
        };
        let told = told.unwrap_or_else(|| sync_channel(1).0);
        let wait = Arc::clone(&wait);
        async move {
            if is_second {
                wait.lock().unwrap().recv()?;
            }
            Ok(Counted {
                start,
                _dropped: told,
            })
        }
    });
    (spec, go_on, dropped)
}

#[test]
fn a_server_given_up_during_its_init_does_not_take_its_successors_address() {
    let runtime = threads(3);
    let tree = tree(Planes::single(runtime.handle().clone()));
    let address = Address::new();
    let (spec, go_on, dropped) = slow_second_start(&address);
    let plan = supervisor(5, spec.start_within(Duration::from_millis(20)));
    runtime.block_on(async {
        tree.start(plan).await.unwrap();
        address.cast(Say::Crash).unwrap();
        let third = async { while start_that_answers(&address).await != Some(3) {} };
        tokio::time::timeout(PATIENCE, third).await.unwrap();
    });
    go_on.send(()).unwrap();
    let ended = dropped.recv_timeout(PATIENCE);
    assert_eq!(ended, Err(RecvTimeoutError::Disconnected));
    let answer = runtime.block_on(address.call(Say::Start));
    assert_eq!(answer, Ok(3), "the third start is up and cannot be reached");
}

#[tokio::test(start_paused = true)]
async fn a_factory_that_panics_before_its_first_await_is_a_start_that_failed() {
    let tree = tree(Planes::single(Handle::current()));
    let address = Address::new();
    let starts = AtomicU32::new(0);
    let spec = server("a", &address, Plane::Control, 4, move |_| {
        let start = starts.fetch_add(1, Ordering::Relaxed) + 1;
        assert_ne!(start, 2, "told to");
        async move {
            Ok(Counted {
                start,
                _dropped: sync_channel(1).0,
            })
        }
    });
    tree.start(supervisor(5, spec)).await.unwrap();
    address.cast(Say::Crash).unwrap();
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(address.call(Say::Start).await, Ok(3));
}

/// Counts when it is dropped.
struct Grave(Arc<AtomicU32>);

impl Drop for Grave {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_crashed_incarnation_is_freed_as_soon_as_nobody_is_in_it() {
    let tree = tree(Planes::single(Handle::current()));
    let (address, freed) = (Stage::new(), Arc::new(AtomicU32::new(0)));
    let graves = Arc::clone(&freed);
    let spec = stage("a", &address, move || Ok(Grave(Arc::clone(&graves))));
    tree.start(supervisor(5, spec)).await.unwrap();
    assert!(address.call(|_| panic!("told to")).is_err());
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(freed.load(Ordering::Relaxed), 1);
}

#[test]
fn a_task_for_a_data_plane_that_has_just_gone_is_dropped_and_nobody_waits() {
    let (runtime, gone) = (threads(2), Builder::new_current_thread().build().unwrap());
    let planes = Planes::new(runtime.handle().clone(), 1);
    planes.open_data(0, gone.handle().clone());
    drop(gone);
    let (spawned, seen) = sync_channel(1);
    let spec = task("a", Plane::Control, move |context| {
        let spawned = spawned.clone();
        async move {
            context.ready();
            context.spawn_on(Plane::Data(0), async {});
            spawned.send(())?;
            context.stopped().await;
            Ok(())
        }
    });
    let tree = tree(planes);
    runtime.block_on(tree.start(supervisor(5, spec))).unwrap();
    let outcome = seen.recv_timeout(PATIENCE);
    runtime.shutdown_background();
    assert!(outcome.is_ok(), "waits for itself in spawn_on");
}
