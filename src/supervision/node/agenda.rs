//! Whose turn it is on a thread: an event is brought to a supervisor here, and run by a loop, not by a recursion.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;

use tokio::runtime::Handle;

use super::{Event, Node};

/// Supervisors that were brought events on a thread while it was running another.
type Agenda = VecDeque<Arc<Node>>;

thread_local! {
    /// `None` while this thread runs no supervisor.
    static AGENDA: RefCell<Option<Agenda>> = const { RefCell::new(None) };
}

/// Brings an event to a supervisor, and runs it on this thread if it may.
///
/// The event is in the inbox when this returns, whoever runs the machine and when: what one machine tells another is
/// handled in the order it was told in, also when the teller runs on another thread the next time. On the agenda a
/// `Start` could be overtaken by another thread's `Stop`.
pub(crate) fn deliver(node: &Arc<Node>, event: Event) {
    if !node.push(event) {
        return;
    }
    // A supervisor may start children here, and a start must not run inside an unwind.
    if std::thread::panicking() {
        return node.run_on_control();
    }
    run_in_turn(node);
}

/// Runs a supervisor, or leaves it to the frame further down this stack that runs the agenda.
pub(super) fn run_in_turn(node: &Arc<Node>) {
    let waits = AGENDA.with_borrow_mut(|agenda| {
        if let Some(agenda) = agenda {
            agenda.push_back(Arc::clone(node));
            return true;
        }
        *agenda = Some(VecDeque::new());
        false
    });
    if waits {
        return;
    }
    node.run();
    while let Some(node) =
        AGENDA.with_borrow_mut(|agenda| agenda.as_mut().and_then(VecDeque::pop_front))
    {
        node.run();
    }
    AGENDA.set(None);
}

/// Runs something small and finite beside the supervisors: a timer, or work handed over by a thread that may not.
#[expect(
    clippy::disallowed_methods,
    reason = "the kernel is the one that spawns"
)]
pub(crate) fn spawn_control(control: &Handle, work: impl Future<Output = ()> + Send + 'static) {
    drop(control.spawn(work));
}
