//! Threads that take no notice of anything, in a world where nothing happens by chance.
//!
//! A thread runs beside the paused runtime, so it does only one thing by itself: it hands over its context and waits for the
//! end of the world. Whoever attends to the stones waits for that before time goes on, and says in its place that it is up.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use bidtree::supervision::{Post, Spec, ThreadContext, Tree, thread};

use super::Script;
use super::puppets::Parts;

/// Incarnations of one stone that were told to stop before anybody looked: as many as restarts fit in no time.
const UNSEEN_MAX: usize = 16;

/// A thread child's incarnations, as they are handed over.
pub(crate) struct Stone {
    path: String,
    post: Post<()>,
    begun: Receiver<(ThreadContext, SyncSender<()>)>,
    /// What holds its threads: they end when this is dropped.
    gates: Vec<SyncSender<()>>,
}

impl Stone {
    pub(crate) fn new(id: &str, path: &str) -> (Self, Spec) {
        let post = Post::new();
        let (begins, begun) = sync_channel(UNSEEN_MAX);
        let spec = thread(id, &post, 1, move |context, _| {
            let (gate, opened) = sync_channel(0);
            // Nobody looks any more, and nobody holds it.
            begins.send((context, gate)).ok();
            opened.recv().ok();
            Ok(())
        });
        let stone = Self {
            path: path.to_owned(),
            post,
            begun,
            gates: Vec::new(),
        };
        (stone, spec)
    }

    /// An incarnation that has begun since the last time. The first message to each finds room, a second one does not.
    fn begun(&mut self) -> Option<ThreadContext> {
        self.post.cast(()).ok()?;
        loop {
            let (context, gate) = self.begun.recv().unwrap();
            self.gates.push(gate);
            // Earlier ones were told to stop before they were seen.
            if !context.child().is_stopping() {
                return Some(context);
            }
        }
    }
}

/// All stones of a world.
pub(crate) struct Stones {
    pub(super) tree: Tree,
    pub(super) script: Script,
    pub(super) parts: Parts,
    pub(super) all: Arc<Mutex<Vec<Stone>>>,
}

impl Stones {
    /// Does this work, and meanwhile has stones come up where the tree begins one. It is woken by what happens in the tree,
    /// and does not let time go on before.
    pub(crate) async fn attend<R>(&self, work: impl Future<Output = R>) -> R {
        let mut work = pin!(work);
        let mut next = Box::pin(self.tree.observations().next());
        poll_fn(|wake| {
            if let Poll::Ready(outcome) = work.as_mut().poll(wake) {
                return Poll::Ready(outcome);
            }
            while self.look() {}
            while next.as_mut().poll(wake).is_ready() {
                next = Box::pin(self.tree.observations().next());
            }
            Poll::Pending
        })
        .await
    }

    fn look(&self) -> bool {
        let found = self
            .all
            .lock()
            .unwrap()
            .iter_mut()
            .find_map(|stone| Some((stone.path.clone(), stone.begun()?)));
        let Some((path, context)) = found else {
            return false;
        };
        self.script.note(format!("+{path}"));
        let mut parts = self.parts.lock().unwrap();
        parts.entry(path).or_default().incarnations += 1;
        drop(parts);
        context.child().ready();
        true
    }
}
