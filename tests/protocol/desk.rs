//! The desk: an inbox, and a machine that is at the desk or in exactly one frame.

use std::collections::VecDeque;

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::sync::{Arc, Mutex, MutexGuard};
use loom::thread;

use crate::{explore, explore_within};

/// `node::Desk` with the lock that `Node` keeps it under.
pub(crate) struct Desk<E, M> {
    room: Mutex<Room<E, M>>,
    put_back: PutBack,
    /// `node::INLINE_EVENTS_MAX`.
    budget: usize,
    /// Frames that hold the machine.
    frames: AtomicUsize,
}

struct Room<E, M> {
    inbox: VecDeque<E>,
    machine: Option<M>,
}

/// When the machine goes back to its desk.
#[derive(Clone, Copy)]
pub(crate) enum PutBack {
    /// In the critical section that found the inbox empty.
    WithTheCheck,
    /// In the next one.
    AfterTheCheck,
}

/// How a frame left the desk.
#[derive(PartialEq, Eq)]
pub(crate) enum Left {
    Done,
    /// Over its budget: the control plane goes on.
    HandOver,
}

impl<E, M> Desk<E, M> {
    pub(crate) fn new(machine: M) -> Self {
        Self::with(machine, PutBack::WithTheCheck, usize::MAX)
    }

    fn with(machine: M, put_back: PutBack, budget: usize) -> Self {
        let room = Room {
            inbox: VecDeque::new(),
            machine: Some(machine),
        };
        Self {
            room: Mutex::new(room),
            put_back,
            budget,
            frames: AtomicUsize::new(0),
        }
    }

    /// `Node::push` and `Node::run` in one critical section.
    pub(crate) fn step(&self, event: E, handle: impl FnMut(&mut M, E)) -> Left {
        let mut room = self.room.lock().unwrap();
        room.inbox.push_back(event);
        self.work(room, handle)
    }

    /// `Node::push`. Says whether the machine is at its desk.
    pub(crate) fn push(&self, event: E) -> bool {
        let mut room = self.room.lock().unwrap();
        room.inbox.push_back(event);
        room.machine.is_some()
    }

    /// `Node::run`.
    pub(crate) fn run(&self, handle: impl FnMut(&mut M, E)) -> Left {
        self.work(self.room.lock().unwrap(), handle)
    }

    fn work<'a>(
        &'a self,
        mut room: MutexGuard<'a, Room<E, M>>,
        mut handle: impl FnMut(&mut M, E),
    ) -> Left {
        let Some(mut machine) = room.machine.take() else {
            return Left::Done;
        };
        let mut handled = 0;
        while let Some(event) = room.inbox.pop_front() {
            if handled >= self.budget {
                room.inbox.push_front(event);
                room.machine = Some(machine);
                return Left::HandOver;
            }
            handled += 1;
            drop(room);
            assert_eq!(self.frames.fetch_add(1, Ordering::AcqRel), 0, "two frames");
            handle(&mut machine, event);
            self.frames.fetch_sub(1, Ordering::AcqRel);
            room = self.room.lock().unwrap();
        }
        if matches!(self.put_back, PutBack::AfterTheCheck) {
            drop(room);
            room = self.room.lock().unwrap();
        }
        room.machine = Some(machine);
        Left::Done
    }

    /// What an agenda of events needs instead: leaves the event with whoever runs the machine, or gives it back.
    pub(crate) fn push_if_out(&self, event: E) -> Option<E> {
        let mut room = self.room.lock().unwrap();
        if room.machine.is_some() {
            return Some(event);
        }
        room.inbox.push_back(event);
        None
    }

    /// The machine, when all threads are done; an event that nobody handled is a mistake.
    pub(crate) fn close(&self) -> M {
        let mut room = self.room.lock().unwrap();
        let (left, machine) = (room.inbox.len(), room.machine.take());
        drop(room);
        assert_eq!(left, 0, "an event was lost");
        machine.unwrap()
    }
}

/// An event: who sent it, and its number among that sender's.
type Sent = (usize, usize);

/// Several threads bring `each` events; returns what the machine saw.
fn senders(count: usize, put_back: PutBack, budget: usize, each: usize) -> Vec<Sent> {
    let desk = Arc::new(Desk::with(Vec::new(), put_back, budget));
    let control = Arc::new(Mutex::new(0_usize));
    let bring = {
        let (desk, control) = (Arc::clone(&desk), Arc::clone(&control));
        move |sender| {
            for number in 0..each {
                if desk.push((sender, number)) && desk.run(Vec::push) == Left::HandOver {
                    *control.lock().unwrap() += 1;
                }
            }
        }
    };
    let others = (1..count).map(|sender| {
        let bring = bring.clone();
        thread::spawn(move || bring(sender))
    });
    let others = others.collect::<Vec<_>>();
    bring(0);
    for other in others {
        other.join().unwrap();
    }
    // The control plane, which runs what it was handed when it comes to it.
    let mut handed_over = *control.lock().unwrap();
    while handed_over > 0 {
        handed_over -= 1;
        if desk.run(Vec::push) == Left::HandOver {
            handed_over += 1;
        }
    }
    desk.close()
}

fn in_order(seen: &[Sent], sender: usize, each: usize) -> bool {
    let numbers = seen
        .iter()
        .filter(|sent| sent.0 == sender)
        .map(|sent| sent.1);
    numbers.eq(0..each)
}

#[test]
fn every_event_is_handled_once_and_in_its_senders_order() {
    explore(|| {
        let seen = senders(2, PutBack::WithTheCheck, usize::MAX, 2);
        assert!(in_order(&seen, 0, 2) && in_order(&seen, 1, 2), "{seen:?}");
    });
}

#[test]
fn three_senders_lose_nothing_either() {
    explore_within(3, || {
        let seen = senders(3, PutBack::WithTheCheck, usize::MAX, 2);
        assert_eq!(seen.len(), 6);
    });
}

#[test]
fn what_is_over_the_inline_budget_is_left_for_the_control_plane() {
    explore(|| {
        let seen = senders(2, PutBack::WithTheCheck, 1, 2);
        assert!(in_order(&seen, 0, 2) && in_order(&seen, 1, 2), "{seen:?}");
    });
}

#[test]
#[should_panic(expected = "an event was lost")]
fn control_a_machine_put_back_after_the_check_loses_a_crash() {
    explore(|| {
        senders(2, PutBack::AfterTheCheck, usize::MAX, 1);
    });
}
