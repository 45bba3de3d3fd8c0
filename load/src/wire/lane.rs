//! The way to one address for everything that is sent by the clock: requests as bytes, over plain sockets, with no task or
//! timer for each.
//!
//! What a request is for, what is kept of its reply and what becomes of it is the caller's [`Errand`]. A request goes to a
//! connection with room, else over a new one, else it waits here, and waits count as latency. A request that was written and
//! not answered is a failure, and never goes out again; one that is given up closes its connection.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::link::{self, Link};
use super::replies::Keep;
use super::target::Target;
use crate::{clock, tasks};

/// How often requests are looked for that nobody answered: fine beside give-up times of seconds.
const SWEEP: Duration = Duration::from_millis(50);

/// What a lane's requests are for.
pub trait Errand: 'static {
    /// What the caller knows of a request.
    type Item;
    /// What is kept of a reply besides its status.
    type Kept: Keep + Default;

    /// A request is about to be handed to its socket.
    fn leaves(&self, _: &Job<Self::Item>) {}

    /// A request ended; told once of each. What is kept of a reply is the connection's, and used again for the next one.
    fn ended(&self, job: Job<Self::Item>, how: Ended<&Self::Kept>);
}

/// A request and its instant.
#[derive(Clone, Debug)]
pub struct Job<T> {
    /// When it had to leave.
    pub at: Instant,
    /// Head and body.
    pub request: Bytes,
    /// What the caller knows of it.
    pub item: T,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended<K> {
    /// With this status, and this kept of it.
    Answered(u16, K),
    /// Without a reply: a name for counting, and what was seen.
    Failed(&'static str, String),
}

/// What a lane may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections.
    pub connections: usize,
    /// Requests in flight on one connection (pipelining); 1 is what exchanges do.
    pub depth: usize,
    /// After how long, from its instant, a request is not waited for any more.
    pub give_up: Duration,
}

/// Connections to one address.
pub struct Lane<E: Errand> {
    pub(super) target: Target,
    pub(super) limits: Limits,
    pub(super) errand: E,
    state: RefCell<State<E::Item>>,
}

struct State<T> {
    links: Vec<Rc<Link<T>>>,
    /// Those with room for another request; the last one is taken first, so that few stay busy and the others rest.
    roomy: Vec<Rc<Link<T>>>,
    /// Requests without a connection. They are given up after a while, so there are never more than fall due in that time.
    backlog: VecDeque<Job<T>>,
    unfinished: usize,
}

impl<E: Errand> Lane<E> {
    /// Opens no connection yet. Must be called inside `tasks::run`.
    pub fn start(target: Target, limits: Limits, errand: E) -> Rc<Self> {
        let lane = Rc::new(Self {
            target,
            limits,
            errand,
            state: RefCell::new(State {
                links: Vec::new(),
                roomy: Vec::new(),
                backlog: VecDeque::new(),
                unfinished: 0,
            }),
        });
        tasks::start(sweep(Rc::downgrade(&lane)));
        lane
    }

    /// Where its requests go.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Takes a request that is due.
    pub fn offer(self: &Rc<Self>, job: Job<E::Item>) {
        self.state.borrow_mut().unfinished += 1;
        self.place(job);
    }

    /// Requests taken and not ended.
    pub fn unfinished(&self) -> usize {
        self.state.borrow().unfinished
    }

    fn place(self: &Rc<Self>, job: Job<E::Item>) {
        let state = &mut *self.state.borrow_mut();
        if let Some(link) = state.roomy.last() {
            let load = link.give(job);
            if load >= self.limits.depth {
                link.set_roomy(false);
                state.roomy.pop();
            }
        } else if state.links.len() < self.limits.connections.max(1) {
            let link = Rc::new(Link::default());
            if link.give(job) < self.limits.depth {
                link.set_roomy(true);
                state.roomy.push(Rc::clone(&link));
            }
            state.links.push(Rc::clone(&link));
            tasks::start(link::carry(Rc::clone(self), link));
        } else {
            state.backlog.push_back(job);
        }
    }

    /// A request ended.
    pub(super) fn end(&self, job: Job<E::Item>, how: Ended<&E::Kept>) {
        let mut state = self.state.borrow_mut();
        state.unfinished = state.unfinished.saturating_sub(1);
        drop(state);
        self.errand.ended(job, how);
    }

    /// A connection has room again.
    pub(super) fn has_room(&self, link: &Rc<Link<E::Item>>) {
        let state = &mut *self.state.borrow_mut();
        while link.load() < self.limits.depth {
            let Some(job) = state.backlog.pop_front() else {
                if !link.is_roomy() {
                    link.set_roomy(true);
                    state.roomy.push(Rc::clone(link));
                }
                return;
            };
            link.give(job);
        }
    }

    /// A connection is gone; `again` never left on it.
    pub(super) fn closed(self: &Rc<Self>, link: &Rc<Link<E::Item>>, again: Vec<Job<E::Item>>) {
        let mut state = self.state.borrow_mut();
        state.links.retain(|other| !Rc::ptr_eq(other, link));
        state.roomy.retain(|other| !Rc::ptr_eq(other, link));
        drop(state);
        for job in again {
            self.place(job);
        }
        // What waits for a connection may open a new one now.
        let waiting = self.state.borrow_mut().backlog.pop_front();
        if let Some(job) = waiting {
            self.place(job);
        }
    }

    fn give_up(&self, now: Instant) {
        let is_overdue =
            |job: &Job<E::Item>| now.saturating_duration_since(job.at) >= self.limits.give_up;
        let overdue: Vec<Job<E::Item>> = {
            let state = &mut *self.state.borrow_mut();
            for link in &state.links {
                link.give_up_where(is_overdue);
            }
            std::iter::from_fn(|| {
                let is_first = state.backlog.front().is_some_and(is_overdue);
                is_first.then(|| state.backlog.pop_front()).flatten()
            })
            .collect()
        };
        for job in overdue {
            self.end(job, self.gave_up());
        }
    }

    /// How a request ends that is not waited for any more.
    pub(super) fn gave_up<K>(&self) -> Ended<K> {
        let ms = self.limits.give_up.as_millis();
        Ended::Failed("gave_up", format!("no answer within {ms} ms"))
    }
}

async fn sweep<E: Errand>(lane: Weak<Lane<E>>) {
    loop {
        clock::sleep(SWEEP).await;
        let Some(lane) = lane.upgrade() else { return };
        lane.give_up(clock::now());
    }
}
