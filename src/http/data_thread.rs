//! Data threads: where connections live. One OS thread and one current-thread runtime each.
//!
//! A connection stays on the thread it was given. Threads measure how late their loop comes round, so that a request's
//! age can include what it waited in the socket, and so that a thread that cannot keep up sheds before it reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use crate::clock::Clock;
use crate::supervision::{Plane, Planes, Post, Spec, thread};
use crate::units::Monotonic;

/// How often a lap is measured. Short against the deadlines that matter (tens of milliseconds), and one timer; an idle
/// machine wakes for it, which is most of what idling costs.
const LAP_EVERY: Duration = Duration::from_millis(10);

/// How much more of the requests is shed after a lap that came twice as late as it may; after a later one more, up to four
/// times as much. From nothing to everything in two or three laps, since a queue grows by what a lap brings.
const SHED_MORE: f64 = 0.1;
/// How much less is shed after a lap in time: slowly, or everybody would be let in at once and wait for each other again.
const SHED_LESS: f64 = 0.01;

/// No request takes as long. A lap that is later than its requests can have made it is late by what else runs on this
/// machine, and would be as late without them.
const REQUEST_AT_MOST: Duration = Duration::from_millis(1);

/// What is known of all data threads: made before the tree.
#[derive(Clone, Debug)]
pub struct DataThreads(Arc<[Load]>);

/// What is known of one data thread. Written by the thread itself, but for the connections.
#[derive(Debug, Default)]
pub struct Load {
    connections: AtomicUsize,
    late_ns: AtomicU64,
    /// How many of 2³² requests are shed.
    shed_share: AtomicU32,
    /// What is owed of a request that is to be shed, in parts of 2³².
    shed_due: AtomicU32,
    /// Requests since the last lap.
    asked: AtomicU32,
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

    /// What part of the requests the thread sheds, since it cannot keep up: 0 to 1.
    pub fn shed_share(&self) -> f64 {
        f64::from(self.shed_share.load(Ordering::Relaxed)) / f64::from(u32::MAX)
    }

    /// Whether the next request is shed: as many as the share says, evenly among the others. Asked by its own thread.
    pub fn sheds(&self) -> bool {
        let asked = self.asked.load(Ordering::Relaxed);
        self.asked.store(asked.saturating_add(1), Ordering::Relaxed);
        let share = self.shed_share.load(Ordering::Relaxed);
        if share == 0 {
            return false;
        }
        let (due, sheds) = (self.shed_due.load(Ordering::Relaxed)).overflowing_add(share);
        self.shed_due.store(due, Ordering::Relaxed);
        sheds
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

/// A data thread as a child. It sheds as much of its requests as it takes for its laps to come no more than `late_max` late.
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
    let mut valve = Valve::default();
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
        let explained = REQUEST_AT_MOST.saturating_mul(load.asked.swap(0, Ordering::Relaxed));
        let share = valve.turned(late.min(explained), late_max);
        load.shed_share.store(share, Ordering::Relaxed);
    }
}

/// How much is shed, turned a little by each lap so that laps come about as late as they may: the thread then does all it
/// can, and what it lets in does not wait. After PIE (RFC 8033, section 4.2), by laps instead of packets.
#[derive(Debug, Default)]
struct Valve {
    share: f64,
    was_late: bool,
}

impl Valve {
    /// A lap came so late; how many of 2³² requests are shed from now on.
    fn turned(&mut self, late: Duration, late_max: Duration) -> u32 {
        let is_late = late > late_max;
        let over = late.as_secs_f64() / late_max.as_secs_f64().max(f64::MIN_POSITIVE) - 1.0;
        // One late lap is a hiccup, of this machine or of its host.
        if is_late && self.was_late {
            self.share = (self.share + SHED_MORE * over.clamp(0.0, 4.0)).min(1.0);
        } else if !is_late {
            self.share = (self.share - SHED_LESS).max(0.0);
        }
        self.was_late = is_late;
        of_all(self.share)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "from 0 to 1, so it fits"
)]
fn of_all(share: f64) -> u32 {
    (share * f64::from(u32::MAX)) as u32
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
    fn late_laps_open_the_valve_fast_and_others_close_it_slowly() {
        let ms = Duration::from_millis;
        let mut valve = Valve::default();
        let mut turned = |late| f64::from(valve.turned(ms(late), ms(10))) / f64::from(u32::MAX);
        assert!(turned(9) < 0.001);
        assert!(turned(500) < 0.001, "one alone is a hiccup");
        assert!(turned(5) < 0.001 && turned(30) < 0.001);
        assert!((turned(20) - 0.1).abs() < 0.001);
        assert!((turned(200) - 0.5).abs() < 0.001);
        assert!((turned(10) - 0.49).abs() < 0.001);
        for _ in 0..10 {
            turned(500);
        }
        assert!((turned(500) - 1.0).abs() < 0.001);
        for _ in 0..100 {
            turned(0);
        }
        assert!(turned(0) < 0.001);
    }

    /// A thread that answers all that is there, lap by lap, and what it sheds in the end: so many requests come in a second,
    /// and each takes so many µs, or a few where it is shed.
    fn settled(rate: f64, cost_us: f64) -> (f64, Duration) {
        const SHED_US: f64 = 12.0;
        let mut valve = Valve::default();
        let (mut waiting, mut due, mut now, mut longest) = (0.0_f64, 0.01, 0.0, 0.0_f64);
        while now < 6.0 {
            let each = valve.share * SHED_US + (1.0 - valve.share) * cost_us;
            let took = (waiting * each / 1e6).max(1e-4);
            waiting = rate * took;
            now += took;
            if now >= due {
                valve.turned(
                    Duration::from_secs_f64(now - due),
                    Duration::from_millis(10),
                );
                due = now + 0.01;
                if now > 3.0 {
                    longest = longest.max(took);
                }
            }
        }
        (valve.share, Duration::from_secs_f64(longest))
    }

    #[test]
    fn a_thread_with_too_much_to_do_does_what_it_can_and_nobody_waits_long() {
        let (share, wait) = settled(30_000.0, 45.0);
        // 22,222 a second are done where none is shed; with 0.36 shed it is all done in time.
        assert!((0.3..0.5).contains(&share), "{share}");
        assert!(wait < Duration::from_millis(40), "{wait:?}");
        let (share, wait) = settled(60_000.0, 45.0);
        assert!((0.8..1.0).contains(&share), "{share}");
        assert!(wait < Duration::from_millis(40), "{wait:?}");
        let (share, _) = settled(15_000.0, 45.0);
        assert!(share < 0.001, "{share}");
    }

    #[test]
    fn what_is_shed_is_spread_among_what_is_not() {
        let load = Load::default();
        assert!((0..1_000).all(|_| !load.sheds()));
        load.shed_share.store(of_all(0.25), Ordering::Relaxed);
        let shed: Vec<bool> = (0..1_000).map(|_| load.sheds()).collect();
        assert!(
            shed.chunks(8)
                .all(|eight| eight.iter().filter(|is| **is).count() <= 3)
        );
        let count = shed.iter().filter(|is| **is).count();
        assert!((249..=251).contains(&count), "{count}");
        load.shed_share.store(of_all(1.0), Ordering::Relaxed);
        assert!((0..1_000).filter(|_| load.sheds()).count() > 998);
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
        let asked = threads.clone();
        let crowd = task("crowd", Plane::Control, move |context| {
            let asked = asked.clone();
            async move {
                for _ in 0..1_000 {
                    let (clock, asked) = (context.clock().clone(), asked.clone());
                    let connection = poll_fn(move |waker| {
                        asked.load(0).map(Load::sheds);
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
            }
        });
        let limit = Limit::new(1, Duration::from_secs(5));
        let plan = Supervisor::new(Strategy::OneForOne, limit)
            .child(data_thread(0, &threads, Duration::from_millis(10)))
            .child(crowd.shutdown(Shutdown::Brutal));
        control.block_on(async {
            tree.start(plan).await.unwrap();
            let sheds = async {
                while threads.load(0).is_none_or(|load| load.shed_share() < 0.5) {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            let outcome = tokio::time::timeout(Duration::from_secs(20), sheds).await;
            assert!(outcome.is_ok(), "nobody saw that they wait");
            tree.stop().await;
        });
    }
}
