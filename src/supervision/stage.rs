//! Stages: values published for inline calls.
//!
//! A caller runs on its own thread, through one atomic load and a contained frame. The innermost stage owns a panic:
//! the caller gets [`CallError::Crashed`], the incarnation is withdrawn, and its supervisor restarts *that* child.
//!
//! Order after a panic: withdraw, then report, then return. Withdrawing compares pointers, so a late panic in an old
//! incarnation never removes its successor; the first report of an incarnation counts, later ones are dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwapOption;

use super::contain::contain;
use super::exit::{Exit, Why};
use super::limit::Limit;
use super::seat::{Failure, Life, Seat, Start};
use super::spec::{Kind, Spec};

/// The address of a stage: made before the tree, the same over every restart.
pub struct Stage<S>(Arc<ArcSwapOption<Incarnation<S>>>);

/// Why an inline call gave nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// No incarnation is up.
    #[error("the stage is restarting")]
    Restarting,
    /// This call panicked; the incarnation is gone.
    #[error("the stage crashed in this call")]
    Crashed,
}

struct Incarnation<S> {
    value: S,
    seat: Seat,
    reported: AtomicBool,
}

impl<S> Clone for Stage<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S> Default for Stage<S> {
    fn default() -> Self {
        Self(Arc::new(ArcSwapOption::empty()))
    }
}

impl<S: Send + Sync + 'static> Stage<S> {
    /// An address with nobody behind it yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls the current incarnation on this thread.
    ///
    /// # Errors
    /// [`CallError::Restarting`] at once while there is none; [`CallError::Crashed`] if this call panicked. What the
    /// closure wrote through its captures before a panic must then be thrown away.
    pub fn call<R>(&self, work: impl FnOnce(&S) -> R) -> Result<R, CallError> {
        let current = self.0.load();
        let Some(incarnation) = current.as_ref() else {
            return Err(CallError::Restarting);
        };
        let entered = incarnation.seat.watch_key.enter();
        let outcome = contain(|| work(&incarnation.value));
        drop(entered);
        outcome.map_err(|report| {
            let incarnation = Arc::clone(incarnation);
            self.ended(&incarnation, Exit::Panic(Arc::new(report)));
            CallError::Crashed
        })
    }

    /// Ends the incarnation that is up, as an error with this text: for a caller that finds it broken. Says whether there
    /// was one that nobody had reported before.
    pub fn fail(&self, failure: Failure) -> bool {
        let current = self.0.load_full();
        current.is_some_and(|incarnation| self.ended(&incarnation, failure.exit()))
    }

    /// Whether an incarnation is up.
    pub fn is_up(&self) -> bool {
        self.0.load().is_some()
    }

    /// Withdraws, then reports. Says whether this was the first report.
    fn ended(&self, incarnation: &Arc<Incarnation<S>>, exit: Exit) -> bool {
        self.withdraw(incarnation);
        let is_first = !incarnation.reported.swap(true, Ordering::AcqRel);
        if is_first {
            incarnation.seat.down(exit);
        }
        is_first
    }

    /// Only the one that is still there is taken out: a successor is never removed by its predecessor's end. Who took
    /// it out, here or in `publish`, gives it to the reaper, which waits for the last share and so must not hold two.
    fn withdraw(&self, incarnation: &Arc<Incarnation<S>>) {
        let current = self.0.load();
        if !is(current.as_ref(), incarnation) {
            return;
        }
        let before = self.0.compare_and_swap(&current, None);
        if is(before.as_ref(), incarnation) {
            retire(Arc::clone(incarnation));
        }
    }

    /// Tells this stage's place from others'.
    pub(crate) fn place(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// Puts a value behind the address, until what this returns is dropped.
    pub(crate) fn publish(&self, value: S, seat: Seat) -> Published<S> {
        let incarnation = Arc::new(Incarnation {
            value,
            seat,
            reported: AtomicBool::new(false),
        });
        if let Some(former) = self.0.swap(Some(Arc::clone(&incarnation))) {
            retire(former);
        }
        Published {
            stage: self.clone(),
            incarnation,
        }
    }
}

/// A value behind its address. Dropped, it is withdrawn.
pub(crate) struct Published<S: Send + Sync + 'static> {
    stage: Stage<S>,
    incarnation: Arc<Incarnation<S>>,
}

impl<S: Send + Sync + 'static> Drop for Published<S> {
    fn drop(&mut self) {
        self.stage.withdraw(&self.incarnation);
    }
}

fn retire<S: Send + Sync + 'static>(incarnation: Arc<Incarnation<S>>) {
    let reaper = incarnation.seat.node.kernel().reaper.clone();
    reaper.retire(incarnation);
}

fn is<T>(found: Option<&Arc<T>>, value: &Arc<T>) -> bool {
    found.is_some_and(|found| Arc::ptr_eq(found, value))
}

/// A stage child whose value is made at once: pure, no I/O, under 100 µs, since the thread that reports a crash may
/// be the one that makes the new value.
///
/// ```
/// # use bidtree::supervision::{Stage, stage};
/// let prices = Stage::<u64>::new();
/// let spec = stage("prices", &prices, || Ok(7));
/// assert_eq!(spec.id(), "prices");
/// ```
pub fn stage<S, F>(id: &str, address: &Stage<S>, make: F) -> Spec
where
    S: Send + Sync + 'static,
    F: Fn() -> Result<S, Failure> + Send + Sync + 'static,
{
    Spec::new(
        id,
        Kind::Stage,
        Arc::new(StartStage {
            address: address.clone(),
            make,
        }),
    )
}

struct StartStage<S, F> {
    address: Stage<S>,
    make: F,
}

impl<S, F> Start for StartStage<S, F>
where
    S: Send + Sync + 'static,
    F: Fn() -> Result<S, Failure> + Send + Sync + 'static,
{
    fn begin(&self, seat: Seat, _limit: Option<Limit>) -> Box<dyn Life> {
        match contain(&self.make) {
            Ok(Ok(value)) => {
                // The supervisor's machine is out while it begins a child, so this waits in its inbox until the value
                // is published; said first, it comes before the report of any call that crashes at once.
                seat.up();
                return Box::new(StageLife(Some(self.address.publish(value, seat))));
            }
            Ok(Err(failure)) => seat.start_failed(failure.exit()),
            Err(report) => seat.start_failed(Exit::Panic(Arc::new(report))),
        }
        Box::new(StageLife::<S>(None))
    }
}

/// A stage that is up, until it is ended. One that did not start has nothing that could end.
struct StageLife<S: Send + Sync + 'static>(Option<Published<S>>);

impl<S: Send + Sync + 'static> StageLife<S> {
    fn end(&mut self, exit: Exit) {
        if let Some(published) = self.0.take() {
            let seat = published.incarnation.seat.clone();
            drop(published);
            seat.down(exit);
        }
    }
}

impl<S: Send + Sync + 'static> Life for StageLife<S> {
    fn halt(&mut self, why: Why) {
        self.end(Exit::Shutdown(why));
    }

    fn kill(&mut self) {
        self.end(Exit::Killed);
    }
}
