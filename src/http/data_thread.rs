//! Data threads: where connections live. One OS thread and one current-thread runtime each.
//!
//! A connection stays on the thread it was given. Threads measure how late their loop comes round, so that a request's
//! age can include what it waited in the socket, and so that a thread that cannot keep up sheds before it reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use crate::clock::Clock;
use crate::supervision::{Plane, Planes, Post, Spec, thread};
use crate::units::Monotonic;

/// How often a lap is measured. Short against the deadlines that matter (tens of milliseconds), and one timer; an idle
/// machine wakes for it, which is most of what idling costs.
const LAP_EVERY: Duration = Duration::from_millis(10);

/// Laps that have come late without a break for so long say that work arrives faster than it is done; less, and one alone,
/// is a hiccup. As long as `CoDel`'s interval (RFC 8289, section 4.2): time, not laps, since laps are long just then.
const LATE_FOR: Duration = Duration::from_millis(100);

/// What is known of all data threads: made before the tree.
#[derive(Clone, Debug)]
pub struct DataThreads(Arc<[Load]>);

/// What is known of one data thread. Written by the thread itself, but for the connections.
#[derive(Debug, Default)]
pub struct Load {
    connections: AtomicUsize,
    late_ns: AtomicU64,
    overloaded: AtomicBool,
}

/// A connection's place on a data thread; dropped when the connection ends.
#[derive(Debug)]
pub struct Berth {
    threads: DataThreads,
    number: usize,
}

impl DataThreads {
    /// As many as these planes have places for.
    pub fn new(planes: &Planes) -> Self {
        Self((0..planes.data_count()).map(|_| Load::default()).collect())
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Takes a place on the thread with the fewest connections.
    pub fn berth(&self) -> Berth {
        let fewest = (0..)
            .zip(self.0.iter())
            .min_by_key(|(_, load)| load.connections.load(Ordering::Relaxed));
        let number = fewest.map_or(0, |(number, _)| number);
        if let Some(load) = self.0.get(number) {
            load.connections.fetch_add(1, Ordering::Relaxed);
        }
        Berth {
            threads: self.clone(),
            number,
        }
    }

    /// One thread's load.
    pub fn load(&self, number: usize) -> Option<&Load> {
        self.0.get(number)
    }
}

impl Load {
    /// Open connections.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// How late the thread's loop last came round: what a request may have waited before anybody could see it.
    pub fn late(&self) -> Duration {
        Duration::from_nanos(self.late_ns.load(Ordering::Relaxed))
    }

    /// Whether the thread cannot keep up.
    pub fn is_overloaded(&self) -> bool {
        self.overloaded.load(Ordering::Relaxed)
    }
}

impl Berth {
    /// The data thread's number.
    pub fn number(&self) -> usize {
        self.number
    }

    /// The data thread's load.
    pub fn load(&self) -> Option<&Load> {
        self.threads.load(self.number)
    }
}

impl Drop for Berth {
    fn drop(&mut self) {
        if let Some(load) = self.load() {
            load.connections.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// A data thread as a child. It is overloaded once all laps of 100 ms came more than `late_max` late, two at least, until
/// one does not.
pub fn data_thread(number: usize, threads: &DataThreads, late_max: Duration) -> Spec {
    let threads = threads.clone();
    let id = format!("data_thread_{number}");
    // It takes no messages: what it does arrives as tasks on its runtime.
    thread::<(), _>(&id, &Post::new(), 1, move |context, _mailbox| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let child = context.child();
        child.planes().open_data(number, runtime.handle().clone());
        let _closes = Closes {
            number,
            planes: child.planes().clone(),
        };
        // A task among the connections': what `block_on` runs comes before them, and would never see them wait.
        let (clock, loads) = (child.clock().clone(), threads.clone());
        child.spawn_on(Plane::Data(number), async move {
            if let Some(load) = loads.load(number) {
                measure(&clock, load, late_max).await;
            }
        });
        child.ready();
        runtime.block_on(child.stopped());
        Ok(())
    })
}

/// Closes a data plane when its thread ends, however it does.
struct Closes {
    number: usize,
    planes: Planes,
}

impl Drop for Closes {
    fn drop(&mut self) {
        self.planes.close_data(self.number);
    }
}

async fn measure(clock: &Clock, load: &Load, late_max: Duration) {
    let mut laps = Laps::default();
    loop {
        let due: Monotonic = clock.monotonic().plus(LAP_EVERY);
        tokio::time::sleep(LAP_EVERY).await;
        // Timers of the runtime are a millisecond coarse.
        let now = clock.monotonic();
        let late = now.since(due).saturating_sub(Duration::from_millis(1));
        load.late_ns.store(
            u64::try_from(late.as_nanos()).unwrap_or(u64::MAX),
            Ordering::Relaxed,
        );
        let overloaded = laps.came((due, now), late > late_max);
        load.overloaded.store(overloaded, Ordering::Relaxed);
    }
}

/// Since when laps have come late.
#[derive(Debug, Default)]
struct Laps {
    late_since: Option<Monotonic>,
}

impl Laps {
    /// A lap came, which was due before; whether that makes the thread overloaded.
    fn came(&mut self, (due, now): (Monotonic, Monotonic), is_late: bool) -> bool {
        if !is_late {
            self.late_since = None;
            return false;
        }
        let Some(since) = self.late_since else {
            self.late_since = Some(due);
            return false;
        };
        now.since(since) >= LATE_FOR
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;

    use super::*;
    use crate::supervision::{Limit, Shutdown, Strategy, Supervisor, Tree, task};

    #[test]
    fn a_connection_goes_where_the_fewest_are_and_leaves_when_it_ends() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let threads = DataThreads::new(&Planes::new(runtime.handle().clone(), 2));
        let first = threads.berth();
        let second = threads.berth();
        assert_eq!((first.number(), second.number()), (0, 1));
        drop(first);
        assert_eq!(threads.berth().number(), 0);
    }

    #[test]
    fn laps_that_come_late_for_a_tenth_of_a_second_are_overload_however_many_they_are() {
        let clock = Clock::system();
        let start = clock.monotonic();
        let at = |ms| start.plus(Duration::from_millis(ms));
        let mut laps = Laps::default();
        // Due and come, in ms; late from 20 ms on.
        for (due, now, overloaded) in [
            (10, 15, false),
            (25, 60, false),
            (70, 120, false),
            (130, 135, false),
            (145, 180, false),
            (190, 230, false),
            (240, 270, true),
            (280, 320, true),
            (330, 331, false),
            (341, 460, false),
            (470, 500, true),
            (510, 511, false),
        ] {
            let found = laps.came((at(due), at(now)), now - due > 20);
            assert_eq!(found, overloaded, "due at {due} ms, came at {now} ms");
        }
    }

    #[test]
    fn a_thread_sees_that_its_connections_wait_for_each_other() {
        let control = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let planes = Planes::new(control.handle().clone(), 1);
        let threads = DataThreads::new(&planes);
        let tree = Tree::new(planes, Clock::system());
        // A thousand connections that each work for a twentieth of a millisecond, whenever it is their turn.
        let crowd = task("crowd", Plane::Control, |context| async move {
            for _ in 0..1_000 {
                let clock = context.clock().clone();
                let connection = poll_fn(move |waker| {
                    let until = clock.monotonic().plus(Duration::from_micros(50));
                    while clock.monotonic() < until {
                        std::hint::spin_loop();
                    }
                    waker.waker().wake_by_ref();
                    Poll::<()>::Pending
                });
                assert!(context.spawn_on(Plane::Data(0), connection));
            }
            context.ready();
            context.stopped().await;
            Ok(())
        });
        let limit = Limit::new(1, Duration::from_secs(5));
        let plan = Supervisor::new(Strategy::OneForOne, limit)
            .child(data_thread(0, &threads, Duration::from_millis(10)))
            .child(crowd.shutdown(Shutdown::Brutal));
        control.block_on(async {
            tree.start(plan).await.unwrap();
            let sheds = async {
                while !threads.load(0).is_some_and(Load::is_overloaded) {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            let outcome = tokio::time::timeout(Duration::from_secs(20), sheds).await;
            assert!(outcome.is_ok(), "nobody saw that they wait");
            tree.stop().await;
        });
    }
}
