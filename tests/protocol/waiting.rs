//! Waiting at a mailbox: its reader for a message or for being told to stop, its senders for room.

use std::sync::Arc;

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::sync::{Mutex, Notify};
use loom::thread;

use crate::explore;

/// `mailbox::Letters`; a waker is told apart by being there.
#[derive(Default)]
struct Letters {
    queue: u32,
    reader: bool,
    waiting: u32,
}

/// `mailbox::Mailbox` with room for one message, and `context::Incarnation::told`.
struct Mailbox {
    letters: Mutex<Letters>,
    told: AtomicBool,
    /// The reader's waker.
    awake: Notify,
    /// `mailbox::Mailbox::freed`.
    freed: Notify,
}

impl Mailbox {
    fn new(queue: u32) -> Arc<Self> {
        Arc::new(Self {
            letters: Mutex::new(Letters {
                queue,
                ..Letters::default()
            }),
            told: AtomicBool::new(false),
            awake: Notify::new(),
            freed: Notify::new(),
        })
    }

    /// `Mailbox::poll_take`.
    fn take(&self) -> bool {
        let mut letters = self.letters.lock().unwrap();
        if letters.queue == 0 {
            letters.reader = true;
            return false;
        }
        letters.queue -= 1;
        let is_awaited = letters.waiting > 0;
        drop(letters);
        if is_awaited {
            self.freed.notify();
        }
        true
    }

    /// `Mailbox::push`.
    fn push(&self) -> bool {
        let mut letters = self.letters.lock().unwrap();
        if letters.queue > 0 {
            return false;
        }
        letters.queue += 1;
        let reader = std::mem::take(&mut letters.reader);
        drop(letters);
        if reader {
            self.awake.notify();
        }
        true
    }

    /// `ServerLife::halt`: `Incarnation::tell`, then `Mailbox::wake`.
    fn halt(&self) {
        self.told.store(true, Ordering::Release);
        let reader = std::mem::take(&mut self.letters.lock().unwrap().reader);
        if reader {
            self.awake.notify();
        }
    }
}

/// When the reader looks whether it was told to stop.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Looks {
    BeforeAndAfter,
    BeforeOnly,
}

/// `server::poll_next`, until it is told to stop.
fn read_until_told(mailbox: &Mailbox, looks: Looks) {
    let told = || mailbox.told.load(Ordering::Acquire);
    while !told() {
        if mailbox.take() || (looks == Looks::BeforeAndAfter && told()) {
            continue;
        }
        mailbox.awake.wait();
    }
}

/// A reader at an empty mailbox is told to stop.
fn stop_at_an_empty_mailbox(looks: Looks) {
    let mailbox = Mailbox::new(0);
    let reader = thread::spawn({
        let mailbox = Arc::clone(&mailbox);
        move || read_until_told(&mailbox, looks)
    });
    mailbox.halt();
    reader.join().unwrap();
}

#[test]
fn a_reader_that_waits_hears_that_it_should_stop() {
    explore(|| stop_at_an_empty_mailbox(Looks::BeforeAndAfter));
}

#[test]
#[should_panic(expected = "deadlock")]
fn control_a_reader_that_looks_only_before_it_waits_may_never_hear_it() {
    explore(|| stop_at_an_empty_mailbox(Looks::BeforeOnly));
}

/// When a sender counts itself among those that wait for room.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counts {
    BeforeItLooksAgain,
    AfterIt,
}

/// A sender finds the mailbox full while its reader takes the one message and then waits for the next.
fn send_to_a_full_mailbox(counts: Counts) {
    let mailbox = Mailbox::new(1);
    let reader = thread::spawn({
        let mailbox = Arc::clone(&mailbox);
        move || {
            for _ in 0..2 {
                while !mailbox.take() {
                    mailbox.awake.wait();
                }
            }
        }
    });
    let count = || mailbox.letters.lock().unwrap().waiting += 1;
    // `Mailbox::send`.
    if !mailbox.push() {
        if counts == Counts::BeforeItLooksAgain {
            count();
        }
        while !mailbox.push() {
            if counts == Counts::AfterIt {
                count();
            }
            mailbox.freed.wait();
        }
    }
    reader.join().unwrap();
}

#[test]
fn a_sender_that_waits_for_room_gets_it() {
    explore(|| send_to_a_full_mailbox(Counts::BeforeItLooksAgain));
}

#[test]
#[should_panic(expected = "deadlock")]
fn control_a_sender_that_counts_itself_too_late_waits_for_ever() {
    explore(|| send_to_a_full_mailbox(Counts::AfterIt));
}
