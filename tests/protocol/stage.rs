//! A stage's slot: called on any thread, withdrawn by whoever saw it panic, reported once, published again.

use std::sync::Arc;

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;

use crate::desk::Desk;
use crate::slot::{Slot, Withdrawal};
use crate::{explore, explore_within};

/// Calls to an incarnation before this one panic: the bug is in the state that the first ones start with.
const SOUND: u32 = 3;

/// `stage::Incarnation`; its number is its seat's body.
struct Incarnation {
    number: u32,
    reported: AtomicBool,
}

/// `stage::CallError`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum CallError {
    Restarting,
    Crashed,
}

/// One step of the protocol done wrong, or none.
#[derive(Clone, Copy)]
struct Protocol {
    withdrawal: Withdrawal,
    reporting: Reporting,
    start: StartOrder,
}

#[derive(Clone, Copy)]
enum Reporting {
    Swapped,
    LookedAt,
}

#[derive(Clone, Copy)]
enum StartOrder {
    UpThenPublished,
    PublishedThenUp,
}

const AS_BUILT: Protocol = Protocol {
    withdrawal: Withdrawal::Swapped,
    reporting: Reporting::Swapped,
    start: StartOrder::UpThenPublished,
};

#[derive(Clone, Copy)]
enum Event {
    Up(u32),
    Down(u32),
    Stop,
}

/// As much of `Core` as has a say here, for one permanent child.
#[derive(Debug, PartialEq, Eq)]
struct Supervisor {
    child: Child,
    stopping: bool,
    reports: Vec<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Child {
    Starting(u32),
    Up(u32),
    Stopping(u32),
    Gone,
}

struct World {
    slot: Slot<Incarnation>,
    desk: Desk<Event, Supervisor>,
    protocol: Protocol,
}

impl World {
    /// With the first incarnation up.
    fn new(protocol: Protocol) -> Arc<Self> {
        let supervisor = Supervisor {
            child: Child::Up(1),
            stopping: false,
            reports: Vec::new(),
        };
        let world = Self {
            slot: Slot::empty(),
            desk: Desk::new(supervisor),
            protocol,
        };
        world.publish(1);
        Arc::new(world)
    }

    /// `Stage::publish`.
    fn publish(&self, number: u32) {
        let incarnation = Incarnation {
            number,
            reported: AtomicBool::new(false),
        };
        self.slot.store(Some(Arc::new(incarnation)));
    }

    /// `Stage::call`.
    fn call(&self) -> Result<u32, CallError> {
        let incarnation = self.slot.load().ok_or(CallError::Restarting)?;
        if incarnation.number >= SOUND {
            return Ok(incarnation.number);
        }
        self.crashed(&incarnation);
        Err(CallError::Crashed)
    }

    /// `Stage::crashed`.
    fn crashed(&self, incarnation: &Arc<Incarnation>) {
        self.slot.withdraw(incarnation, self.protocol.withdrawal);
        let reported = match self.protocol.reporting {
            Reporting::Swapped => incarnation.reported.swap(true, Ordering::AcqRel),
            Reporting::LookedAt => {
                let before = incarnation.reported.load(Ordering::Acquire);
                incarnation.reported.store(true, Ordering::Release);
                before
            }
        };
        if !reported {
            self.deliver(Event::Down(incarnation.number));
        }
    }

    /// `node::deliver` on a thread that runs no supervisor.
    fn deliver(&self, event: Event) {
        if self.desk.push(event) {
            self.desk
                .run(|supervisor, event| self.handle(supervisor, event));
        }
    }

    /// `Core::handle`, and `Node::carry_out` of what it decides.
    fn handle(&self, supervisor: &mut Supervisor, event: Event) {
        match event {
            Event::Up(number) => {
                if supervisor.child == Child::Starting(number) {
                    supervisor.child = Child::Up(number);
                }
            }
            Event::Down(number) => {
                supervisor.reports.push(number);
                assert_ne!(
                    supervisor.child,
                    Child::Starting(number),
                    "a crash came before the news that it is up"
                );
                if supervisor.child == Child::Stopping(number) {
                    supervisor.child = Child::Gone;
                } else if supervisor.child == Child::Up(number) {
                    supervisor.child = Child::Starting(number + 1);
                    self.begin(number + 1);
                }
            }
            Event::Stop => {
                supervisor.stopping = true;
                if let Child::Starting(number) | Child::Up(number) = supervisor.child {
                    supervisor.child = Child::Stopping(number);
                    self.halt(number);
                }
            }
        }
    }

    /// `StartStage::begin`.
    fn begin(&self, number: u32) {
        match self.protocol.start {
            StartOrder::UpThenPublished => {
                self.tell(Event::Up(number));
                self.publish(number);
            }
            StartOrder::PublishedThenUp => {
                self.publish(number);
                self.tell(Event::Up(number));
            }
        }
    }

    /// `StageLife::halt`; its share of the incarnation is the one in the slot, unless a call has withdrawn that.
    fn halt(&self, number: u32) {
        if let Some(own) = self.slot.load().filter(|own| own.number == number) {
            self.slot.withdraw(&own, self.protocol.withdrawal);
        }
        self.tell(Event::Down(number));
    }

    /// `node::deliver` by the frame that runs this supervisor: its machine is out, so pushing is enough.
    fn tell(&self, event: Event) {
        assert!(!self.desk.push(event), "the machine is out");
    }
}

/// Calls on two threads, `each` a thread, until the last has returned; gives back what the supervisor knows.
fn callers(protocol: Protocol, each: usize) {
    let world = World::new(protocol);
    let calls = move |world: &World| {
        let mut newest = 0;
        for _ in 0..each {
            let before = world
                .slot
                .load()
                .map_or(0, |incarnation| incarnation.number);
            match world.call() {
                Err(CallError::Crashed) => newest = newest.max(before + 1),
                Ok(number) => assert!(number >= newest, "met an incarnation that crashed on it"),
                Err(CallError::Restarting) => {}
            }
        }
    };
    let other = thread::spawn({
        let world = Arc::clone(&world);
        move || calls(&world)
    });
    calls(&world);
    other.join().unwrap();
    let Supervisor { child, reports, .. } = world.desk.close();
    let there = world.slot.load().map(|incarnation| incarnation.number);
    let Child::Up(up) = child else {
        panic!("left {child:?}");
    };
    assert_eq!(there, Some(up), "the slot does not hold what is up");
    let each_once = (1..up).collect::<Vec<_>>();
    assert_eq!(reports, each_once, "an incarnation was not reported once");
}

#[test]
fn a_crashed_incarnation_is_withdrawn_reported_once_and_replaced() {
    explore_within(3, || callers(AS_BUILT, 2));
    explore(|| callers(AS_BUILT, 1));
}

#[test]
#[should_panic(expected = "the slot does not hold what is up")]
fn control_a_late_panic_that_empties_the_slot_blindly_removes_the_successor() {
    let protocol = Protocol {
        withdrawal: Withdrawal::Blind,
        ..AS_BUILT
    };
    explore(move || callers(protocol, 1));
}

#[test]
#[should_panic(expected = "the slot does not hold what is up")]
fn control_comparing_and_emptying_in_two_steps_removes_the_successor() {
    let protocol = Protocol {
        withdrawal: Withdrawal::LookedAt,
        ..AS_BUILT
    };
    explore(move || callers(protocol, 1));
}

#[test]
#[should_panic(expected = "an incarnation was not reported once")]
fn control_two_callers_that_look_before_they_report_both_report() {
    let protocol = Protocol {
        reporting: Reporting::LookedAt,
        ..AS_BUILT
    };
    explore(move || callers(protocol, 1));
}

#[test]
#[should_panic(expected = "a crash came before the news that it is up")]
fn control_a_value_published_before_it_is_said_to_be_up_crashes_too_early() {
    let protocol = Protocol {
        start: StartOrder::PublishedThenUp,
        ..AS_BUILT
    };
    explore(move || callers(protocol, 2));
}

#[test]
fn what_was_told_to_stop_stays_down_whoever_panics_in_it() {
    explore(|| {
        let world = World::new(AS_BUILT);
        let caller = thread::spawn({
            let world = Arc::clone(&world);
            move || world.call()
        });
        world.deliver(Event::Stop);
        let answer = caller.join().unwrap();
        assert!(answer.is_err());
        assert!(world.slot.load().is_none(), "published after its stop");
        let supervisor = world.desk.close();
        assert!(supervisor.stopping);
        assert_eq!(supervisor.child, Child::Gone);
    });
}
