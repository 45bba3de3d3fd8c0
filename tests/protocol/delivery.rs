//! Supervisors that tell each other things, on several threads at once: the agenda.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

use loom::sync::Mutex;
use loom::thread;

use crate::desk::Desk;
use crate::explore;

/// How an event comes to a supervisor from a thread that is running another.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Delivery {
    /// Into its inbox at once; the agenda says only who has to be run: `node::deliver`.
    ByInbox,
    /// On the thread's agenda, unless the machine is out.
    ByAgenda,
}

const AS_BUILT: Delivery = Delivery::ByInbox;

/// The parent, or the child supervisor's incarnation with that number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Parent,
    Child(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// To the parent: what becomes of its child.
    Up(usize),
    Down(usize),
    /// To a child: `StartSupervisor::begin`, and what its life is told.
    Start,
    Kill,
    /// To a child: what it supervises crashes, and it is over its limit.
    Crash,
    /// To either.
    Stop,
}

/// As much of `Core` as has a say here.
struct Machine {
    place: Place,
    seen: Vec<Event>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Parent {
        child: Child,
        stopping: bool,
    },
    /// A child before its `Start`; `Core` calls it running, since it has nothing to stop.
    Begun,
    /// A child with something running under it.
    Running,
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Child {
    Starting(usize),
    Up(usize),
    Stopping(usize),
}

impl Machine {
    fn parent(child: Child) -> Self {
        let stopping = false;
        Self {
            place: Place::Parent,
            seen: Vec::new(),
            state: State::Parent { child, stopping },
        }
    }

    fn child(number: usize, state: State) -> Self {
        Self {
            place: Place::Child(number),
            seen: Vec::new(),
            state,
        }
    }

    /// `Core::handle`: what to tell whom, in order.
    fn handle(&mut self, event: Event) -> Vec<(Place, Event)> {
        self.seen.push(event);
        match (self.place, self.state) {
            (Place::Parent, State::Parent { child, stopping }) => {
                self.handle_parent(event, child, stopping)
            }
            (Place::Child(number), _) => self.handle_child(event, number),
            (Place::Parent, _) => Vec::new(),
        }
    }

    fn handle_parent(&mut self, event: Event, child: Child, stopping: bool) -> Vec<(Place, Event)> {
        let (Child::Starting(number) | Child::Up(number) | Child::Stopping(number)) = child;
        let mut told = Vec::new();
        match event {
            Event::Up(up) if child == Child::Starting(up) => {
                let child = Child::Up(up);
                self.state = State::Parent { child, stopping };
            }
            Event::Down(down) if down == number => {
                // `Effect::Release`: dropping the life kills what is left.
                told.push((Place::Child(number), Event::Kill));
                self.state = if stopping {
                    State::Ended
                } else {
                    told.push((Place::Child(number + 1), Event::Start));
                    let child = Child::Starting(number + 1);
                    State::Parent { child, stopping }
                };
            }
            Event::Stop if !stopping => {
                told.push((Place::Child(number), Event::Stop));
                self.state = State::Parent {
                    child: Child::Stopping(number),
                    stopping: true,
                };
            }
            _ => {}
        }
        told
    }

    fn handle_child(&mut self, event: Event, number: usize) -> Vec<(Place, Event)> {
        let parent = |event| vec![(Place::Parent, event)];
        match (event, self.state) {
            // `Core` starts whenever it is told to.
            (Event::Start, _) => {
                self.state = State::Running;
                parent(Event::Up(number))
            }
            (Event::Crash, State::Running)
            | (Event::Stop | Event::Kill, State::Running | State::Begun) => {
                self.state = State::Ended;
                parent(Event::Down(number))
            }
            _ => Vec::new(),
        }
    }
}

type Agenda = VecDeque<(Place, Option<Event>)>;

loom::thread_local! {
    /// `node::AGENDA`.
    static AGENDA: RefCell<Option<Agenda>> = RefCell::new(None);
}

struct World {
    parent: Desk<Event, Machine>,
    children: Vec<Desk<Event, Machine>>,
    delivery: Delivery,
}

impl World {
    fn new(delivery: Delivery, parent: Child, children: &[State]) -> Arc<Self> {
        let children = children.iter().enumerate();
        Arc::new(Self {
            parent: Desk::new(Machine::parent(parent)),
            children: children
                .map(|(number, state)| Desk::new(Machine::child(number, *state)))
                .collect(),
            delivery,
        })
    }

    fn desk(&self, place: Place) -> &Desk<Event, Machine> {
        match place {
            Place::Parent => &self.parent,
            Place::Child(number) => &self.children[number],
        }
    }

    /// `node::deliver`.
    fn deliver(&self, place: Place, event: Event) {
        match self.delivery {
            Delivery::ByInbox => {
                if self.desk(place).push(event) {
                    self.run_in_turn(place, None);
                }
            }
            Delivery::ByAgenda => self.run_in_turn(place, Some(event)),
        }
    }

    /// `node::run_in_turn`; with an event, what it would be if the agenda were one of events.
    fn run_in_turn(&self, place: Place, event: Option<Event>) {
        let mut event = event;
        let waits = AGENDA.with(|agenda| {
            let mut agenda = agenda.borrow_mut();
            let Some(agenda) = agenda.as_mut() else {
                *agenda = Some(VecDeque::new());
                return false;
            };
            match event.take() {
                None => agenda.push_back((place, None)),
                Some(event) => {
                    let left = self.desk(place).push_if_out(event);
                    agenda.extend(left.map(|event| (place, Some(event))));
                }
            }
            true
        });
        if waits {
            return;
        }
        self.work(place, event);
        while let Some((place, event)) =
            AGENDA.with(|agenda| agenda.borrow_mut().as_mut().and_then(VecDeque::pop_front))
        {
            self.work(place, event);
        }
        AGENDA.with(|agenda| *agenda.borrow_mut() = None);
    }

    /// `Node::run`, after a push in the same critical section where the event is not in the inbox already.
    fn work(&self, place: Place, event: Option<Event>) {
        let handle = |machine: &mut Machine, event| {
            // `Node::carry_out`.
            for (place, event) in machine.handle(event) {
                self.deliver(place, event);
            }
        };
        match event {
            Some(event) => self.desk(place).step(event, handle),
            None => self.desk(place).run(handle),
        };
    }
}

/// Two threads bring one event each.
fn meet(world: &Arc<World>, here: (Place, Event), there: (Place, Event)) {
    let other = thread::spawn({
        let world = Arc::clone(world);
        move || world.deliver(there.0, there.1)
    });
    world.deliver(here.0, here.1);
    other.join().unwrap();
}

/// The child goes over its limit on one thread, while on another its parent is told to stop.
fn restart_meets_stop(delivery: Delivery) {
    let children = [State::Running, State::Begun];
    let world = World::new(delivery, Child::Up(0), &children);
    let crash = (Place::Child(0), Event::Crash);
    meet(&world, (Place::Parent, Event::Stop), crash);
    assert_eq!(world.parent.close().state, State::Ended, "left waiting");
    for child in &world.children {
        let state = child.close().state;
        assert_ne!(state, State::Running, "started after its supervisor's end");
    }
}

/// The child comes up on one thread and crashes on another.
fn start_meets_crash(delivery: Delivery) {
    let children = [State::Begun, State::Begun];
    let world = World::new(delivery, Child::Starting(0), &children);
    let start = (Place::Child(0), Event::Start);
    meet(&world, start, (Place::Child(0), Event::Crash));
    let told = world.parent.close().seen;
    let of_it = told
        .iter()
        .filter(|event| matches!(event, Event::Up(0) | Event::Down(0)));
    let down_first = of_it.into_iter().next() == Some(&Event::Down(0));
    assert!(!down_first, "told of its end before its start: {told:?}");
    for child in &world.children {
        child.close();
    }
}

/// One thread goes down the tree while another goes up.
fn down_meets_up(delivery: Delivery) {
    let children = [State::Running, State::Running];
    let world = World::new(delivery, Child::Up(0), &children);
    let crash = (Place::Child(0), Event::Crash);
    meet(&world, (Place::Parent, Event::Stop), crash);
    world.parent.close();
    for child in &world.children {
        child.close();
    }
}

#[test]
fn a_parent_and_a_child_that_tell_each_other_things_never_wait_and_lose_nothing() {
    explore(|| down_meets_up(AS_BUILT));
}

#[test]
fn a_child_that_its_stop_meets_on_another_thread_does_not_start_afterwards() {
    explore(|| restart_meets_stop(AS_BUILT));
}

#[test]
fn a_parent_hears_of_a_childs_start_before_its_end() {
    explore(|| start_meets_crash(AS_BUILT));
}

#[test]
#[should_panic(expected = "started after its supervisor's end")]
fn control_an_agenda_of_events_starts_a_child_after_its_stop() {
    explore(|| restart_meets_stop(Delivery::ByAgenda));
}

#[test]
#[should_panic(expected = "told of its end before its start")]
fn control_an_agenda_of_events_tells_of_an_end_before_the_start() {
    explore(|| start_meets_crash(Delivery::ByAgenda));
}

/// A supervisor as a plain lock around its machine, held while it tells the other.
fn nested(first: &Mutex<u32>, second: &Mutex<u32>) {
    let mut first = first.lock().unwrap();
    *first += 1;
    *second.lock().unwrap() += 1;
}

#[test]
#[should_panic(expected = "deadlock")]
fn control_supervisors_that_hold_their_lock_while_they_tell_wait_for_each_other() {
    explore(|| {
        let both = Arc::new((Mutex::new(0), Mutex::new(0)));
        let up = thread::spawn({
            let both = Arc::clone(&both);
            move || nested(&both.1, &both.0)
        });
        nested(&both.0, &both.1);
        up.join().unwrap();
    });
}
