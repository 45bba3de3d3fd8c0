//! A server's address: published by each incarnation, taken back by each, whenever its task is gone at last.

use std::sync::Arc;

use loom::sync::Mutex;
use loom::thread;

use crate::explore;
use crate::slot::{Slot, Withdrawal};

/// `server::Mailbox`, with the number of its incarnation.
struct Mailbox(u32);

type Address = Arc<Slot<Mailbox>>;

/// `server::Inbox`; loom's threads end it by name, since a control may panic first.
struct Published {
    address: Address,
    mailbox: Arc<Mailbox>,
    withdrawal: Withdrawal,
}

/// `Address::publish`.
fn publish(address: &Address, incarnation: u32, withdrawal: Withdrawal) -> Published {
    let mailbox = Arc::new(Mailbox(incarnation));
    address.store(Some(Arc::clone(&mailbox)));
    Published {
        address: Arc::clone(address),
        mailbox,
        withdrawal,
    }
}

impl Published {
    /// `Inbox::drop`.
    fn end(self) {
        self.address.withdraw(&self.mailbox, self.withdrawal);
    }
}

/// The first incarnation's task goes late, while the second publishes itself.
fn late_end(withdrawal: Withdrawal) {
    let address = Address::new(Slot::empty());
    let first = publish(&address, 1, withdrawal);
    let late = thread::spawn(move || first.end());
    let second = publish(&address, 2, withdrawal);
    late.join().unwrap();
    let found = address.load().map(|mailbox| mailbox.0);
    assert_eq!(found, Some(2), "the successor's mailbox is gone");
    second.end();
    assert!(address.load().is_none(), "a mailbox without a server");
}

#[test]
fn a_late_end_never_takes_the_successors_mailbox_away() {
    explore(|| late_end(Withdrawal::Swapped));
}

#[test]
#[should_panic(expected = "the successor's mailbox is gone")]
fn control_a_blind_end_takes_the_successors_mailbox_away() {
    explore(|| late_end(Withdrawal::Blind));
}

#[test]
#[should_panic(expected = "the successor's mailbox is gone")]
fn control_looking_and_emptying_in_two_steps_takes_it_away_as_well() {
    explore(|| late_end(Withdrawal::LookedAt));
}

/// What an incarnation that its supervisor has given up may still do.
#[derive(Clone, Copy)]
enum Publication {
    /// Publish itself: nobody asks.
    Unasked,
    /// Nothing: publishing and giving up exclude each other, and publishing looks.
    UnlessReleased,
}

/// `Owned::if_live`.
const AS_BUILT: Publication = Publication::UnlessReleased;

/// One incarnation's `owned::Owned`, shared by its task and the supervisor that releases it.
struct Owned {
    released: Mutex<bool>,
}

/// The start of the first incarnation takes too long and is given up, and the second is begun: `on_start_deadline`,
/// then `Effect::Release`, then `Effect::Begin`. The first is between two awaits, so no abort reaches it yet.
fn late_start(publication: Publication) {
    let address = Address::new(Slot::empty());
    let owned = Arc::new(Owned {
        released: Mutex::new(false),
    });
    let late = thread::spawn({
        let (address, owned) = (Arc::clone(&address), Arc::clone(&owned));
        move || {
            let first = match publication {
                Publication::Unasked => Some(publish(&address, 1, Withdrawal::Swapped)),
                Publication::UnlessReleased => {
                    let released = owned.released.lock().unwrap();
                    (!*released).then(|| publish(&address, 1, Withdrawal::Swapped))
                }
            };
            first.map(Published::end)
        }
    });
    *owned.released.lock().unwrap() = true;
    let second = publish(&address, 2, Withdrawal::Swapped);
    late.join().unwrap();
    let found = address.load().map(|mailbox| mailbox.0);
    assert_eq!(found, Some(2), "a late start took the address");
    second.end();
}

#[test]
fn an_incarnation_that_was_given_up_does_not_publish_itself() {
    explore(|| late_start(AS_BUILT));
}

#[test]
#[should_panic(expected = "a late start took the address")]
fn control_publishing_unasked_takes_the_successors_address() {
    explore(|| late_start(Publication::Unasked));
}
