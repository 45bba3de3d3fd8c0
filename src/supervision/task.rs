//! Tasks: async loops, which may own further tasks on any plane.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;

use tokio::task::AbortHandle;

use super::contain::{contain, contain_async};
use super::context::{Context, Incarnation};
use super::exit::{Exit, Why};
use super::limit::Limit;
use super::planes::Plane;
use super::seat::{Ending, Failure, Life, Seat, Start};
use super::spec::{Kind, Spec};

/// A task child. It is up when it says [`Context::ready`], ends when its future does, and waits for the tasks it
/// owns before it is gone.
///
/// ```
/// # use bidtree::supervision::{Plane, task};
/// let spec = task("ticker", Plane::Control, |context| async move {
///     context.ready();
///     context.stopped().await;
///     Ok(())
/// });
/// assert_eq!(spec.id(), "ticker");
/// ```
pub fn task<F, Fut>(id: &str, plane: Plane, run: F) -> Spec
where
    F: Fn(Context) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Failure>> + Send + 'static,
{
    Spec::new(id, Kind::Task, Arc::new(StartTask { plane, run }))
}

struct StartTask<F> {
    plane: Plane,
    run: F,
}

impl<F, Fut> Start for StartTask<F>
where
    F: Fn(Context) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Failure>> + Send + 'static,
{
    fn begin(&self, seat: Seat, _limit: Option<Limit>) -> Box<dyn Life> {
        Box::new(TaskLife::start(seat, self.plane, |context| {
            let run = (self.run)(context.clone());
            async move {
                let exit = match contain_async(run).await {
                    Ok(Ok(())) if context.is_stopping() => Exit::Shutdown(Why::Asked),
                    Ok(Ok(())) => Exit::Normal,
                    Ok(Err(failure)) => failure.exit(),
                    Err(report) => return Exit::Panic(Arc::new(report)),
                };
                if context.is_stopping() {
                    context.owned_tasks_gone().await;
                }
                exit
            }
        }))
    }
}

/// An incarnation that is a tokio task: of a task child or of a server.
pub(crate) struct TaskLife {
    abort: Option<AbortHandle>,
    incarnation: Arc<Incarnation>,
}

impl TaskLife {
    /// Spawns what `make` returns on `plane`; its output is the exit reason.
    #[expect(
        clippy::disallowed_methods,
        reason = "the kernel is the one that spawns"
    )]
    pub(crate) fn start<Fut>(seat: Seat, plane: Plane, make: impl FnOnce(Context) -> Fut) -> Self
    where
        Fut: Future<Output = Exit> + Send + 'static,
    {
        let watch_key = seat.watch_key;
        let runtime = seat.node.kernel().planes.runtime(plane);
        let incarnation = Incarnation::new(seat);
        let not_started = |exit| {
            incarnation.seat.start_failed(exit);
            Self {
                abort: None,
                incarnation: Arc::clone(&incarnation),
            }
        };
        let Some(runtime) = runtime else {
            return not_started(Exit::error(format!("{plane:?} is not open")));
        };
        // What the child's own code does before its first await is part of its start.
        let life = match contain(|| make(Context::new(Arc::clone(&incarnation)))) {
            Ok(life) => life,
            Err(report) => return not_started(Exit::Panic(Arc::new(report))),
        };
        let ending = Ending::new(Arc::clone(&incarnation));
        let handle = runtime.spawn(async move {
            let mut life = pin!(life);
            // Each poll is a stay; what waits is in none.
            let exit = poll_fn(|context| {
                let _entered = watch_key.enter();
                life.as_mut().poll(context)
            })
            .await;
            ending.tell(exit);
        });
        Self {
            abort: Some(handle.abort_handle()),
            incarnation,
        }
    }
}

impl Life for TaskLife {
    fn halt(&mut self, why: Why) {
        self.incarnation.tell(why);
    }

    fn kill(&mut self) {
        // Not told to stop: it may be the one that runs this, and would clean up before it is cut short. What it owns
        // is told when it is gone.
        if let Some(abort) = &self.abort {
            abort.abort();
        }
    }
}

impl Drop for TaskLife {
    fn drop(&mut self) {
        self.kill();
        self.incarnation.give_up();
    }
}
