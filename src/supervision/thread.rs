//! Threads: an OS thread with a mailbox, for work that blocks. It cannot be killed; it is asked, and found stuck if
//! it does not listen.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use arc_swap::ArcSwapOption;
use tokio::sync::oneshot;

use super::contain::contain;
use super::context::{Context, Incarnation};
use super::exit::{Exit, Why};
use super::limit::Limit;
use super::seat::{Ending, Failure, Life, Seat, Start};
use super::server::{CallFailed, Reply, SendError};
use super::spec::{Kind, Spec};

/// The address of a thread's mailbox: made before the tree, the same over every restart.
pub struct Post<M>(Arc<ArcSwapOption<SyncSender<M>>>);

impl<M> Clone for Post<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M> Default for Post<M> {
    fn default() -> Self {
        Self(Arc::new(ArcSwapOption::empty()))
    }
}

impl<M: Send + 'static> Post<M> {
    /// An address with nobody behind it yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends a message made around a [`Reply`], and waits for that reply. The caller puts a limit on the wait.
    ///
    /// # Errors
    /// Where the mailbox is full, nobody is there, or the thread ended before it replied.
    pub async fn call<R: Send + 'static>(
        &self,
        message: impl FnOnce(Reply<R>) -> M,
    ) -> Result<R, CallFailed> {
        let (reply, answer) = oneshot::channel();
        self.cast(message(Reply(reply)))
            .map_err(|error| match error {
                SendError::Full(_) => CallFailed::Full,
                SendError::Down(_) => CallFailed::Down,
            })?;
        answer.await.map_err(|_| CallFailed::Crashed)
    }

    /// Sends a message and does not wait.
    ///
    /// # Errors
    /// Gives the message back where the mailbox is full or nobody is there.
    pub fn cast(&self, message: M) -> Result<(), SendError<M>> {
        let current = self.0.load();
        let Some(sender) = current.as_ref() else {
            return Err(SendError::Down(message));
        };
        sender.try_send(message).map_err(|error| match error {
            TrySendError::Full(message) => SendError::Full(message),
            TrySendError::Disconnected(message) => SendError::Down(message),
        })
    }
}

/// What a thread's code may know: what a child may, and whether it was killed.
#[derive(Clone)]
pub struct ThreadContext {
    context: Context,
    killed: Arc<AtomicBool>,
}

impl ThreadContext {
    /// What any child may know.
    pub fn child(&self) -> &Context {
        &self.context
    }

    /// Whether it should return now, without finishing what is queued.
    pub fn is_killed(&self) -> bool {
        self.killed.load(Ordering::Acquire)
    }
}

/// A thread child with room for `mailbox` messages. It is up when it says [`Context::ready`]. When it is told to
/// stop, its mailbox is disconnected: it finishes what is queued and returns.
///
/// ```
/// # use bidtree::supervision::{Post, thread};
/// let lines = Post::<String>::new();
/// let spec = thread("writer", &lines, 64, |context, mailbox| {
///     context.child().ready();
///     while let Ok(line) = mailbox.recv() {
///         // Blocking is what a thread is for.
///         std::io::Write::write_all(&mut std::io::sink(), line.as_bytes())?;
///     }
///     Ok(())
/// });
/// assert_eq!(spec.id(), "writer");
/// ```
pub fn thread<M, F>(id: &str, post: &Post<M>, mailbox: usize, run: F) -> Spec
where
    M: Send + 'static,
    F: Fn(ThreadContext, Receiver<M>) -> Result<(), Failure> + Send + Sync + 'static,
{
    Spec::new(
        id,
        Kind::Thread,
        Arc::new(StartThread {
            post: post.clone(),
            mailbox,
            run: Arc::new(run),
        }),
    )
}

struct StartThread<M, F> {
    post: Post<M>,
    mailbox: usize,
    run: Arc<F>,
}

impl<M, F> Start for StartThread<M, F>
where
    M: Send + 'static,
    F: Fn(ThreadContext, Receiver<M>) -> Result<(), Failure> + Send + Sync + 'static,
{
    #[expect(
        clippy::disallowed_methods,
        reason = "the kernel is the one that spawns"
    )]
    fn begin(&self, seat: Seat, _limit: Option<Limit>) -> Box<dyn Life> {
        let incarnation = Incarnation::new(seat);
        let killed = Arc::new(AtomicBool::new(false));
        let (sender, receiver) = sync_channel(self.mailbox.max(1));
        let sender = Arc::new(sender);
        self.post.0.store(Some(Arc::clone(&sender)));
        let thread_context = ThreadContext {
            context: Context::new(Arc::clone(&incarnation)),
            killed: Arc::clone(&killed),
        };
        let run = Arc::clone(&self.run);
        let ending = Ending::new(Arc::clone(&incarnation));
        let spawned = std::thread::Builder::new()
            .name(incarnation.seat.path.to_string())
            .spawn(move || {
                let asked = thread_context.clone();
                let exit = match contain(|| run(thread_context, receiver)) {
                    _ if asked.is_killed() => Exit::Killed,
                    Ok(Ok(())) if asked.context.is_stopping() => Exit::Shutdown(Why::Asked),
                    Ok(Ok(())) => Exit::Normal,
                    Ok(Err(failure)) => failure.exit(),
                    Err(report) => Exit::Panic(Arc::new(report)),
                };
                ending.tell(exit);
            });
        if let Err(error) = spawned {
            let seat = &incarnation.seat;
            seat.start_failed(Exit::error(format!("no thread: {error}")));
        }
        Box::new(ThreadLife {
            post: self.post.clone(),
            sender: Some(sender),
            killed,
            incarnation,
        })
    }
}

struct ThreadLife<M> {
    post: Post<M>,
    sender: Option<Arc<SyncSender<M>>>,
    killed: Arc<AtomicBool>,
    incarnation: Arc<Incarnation>,
}

impl<M> ThreadLife<M> {
    fn disconnect(&mut self) {
        let Some(sender) = self.sender.take() else {
            return;
        };
        let current = self.post.0.load();
        if current
            .as_ref()
            .is_some_and(|current| Arc::ptr_eq(current, &sender))
        {
            self.post.0.compare_and_swap(&current, None);
        }
    }

    fn cut_short(&mut self) {
        self.killed.store(true, Ordering::Release);
        self.incarnation.tell(Why::Other);
        self.disconnect();
    }
}

impl<M: Send + 'static> Life for ThreadLife<M> {
    fn halt(&mut self, why: Why) {
        self.incarnation.tell(why);
        self.disconnect();
    }

    fn kill(&mut self) {
        self.cut_short();
    }
}

impl<M> Drop for ThreadLife<M> {
    fn drop(&mut self) {
        self.cut_short();
        self.incarnation.give_up();
    }
}
