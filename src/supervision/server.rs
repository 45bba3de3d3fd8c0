//! Servers: a typed mailbox and an async loop.
//!
//! The address is stable over restarts; the mailbox is lost with its incarnation, as in OTP, and callers are told.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::oneshot;
use tokio::time::{Interval, MissedTickBehavior};

use super::contain::{contain, contain_async};
use super::context::Context;
use super::exit::{Exit, PanicReport, Why};
use super::limit::Limit;
use super::mailbox::Mailbox;
use super::planes::Plane;
use super::seat::{Failure, Life, Seat, Start};
use super::spec::{Kind, Spec};
use super::task::TaskLife;

/// The behaviour of a server child.
pub trait Server: Send + 'static {
    /// What it understands.
    type Message: Send + 'static;

    /// Runs once after the start was acknowledged and before any message: the place for slow or fallible I/O. An
    /// error here is a crash, not a failed start.
    fn handle_continue(
        &mut self,
        context: &Context,
    ) -> impl Future<Output = Result<(), Failure>> + Send {
        let _: &Context = context;
        async { Ok(()) }
    }

    /// Handles one message.
    fn handle(
        &mut self,
        message: Self::Message,
        context: &Context,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// How often [`Server::tick`] runs, asked once an incarnation.
    fn tick_every(&self) -> Option<Duration> {
        None
    }

    /// Runs on the server's own clock, between messages.
    fn tick(&mut self, context: &Context) -> impl Future<Output = Result<(), Failure>> + Send {
        let _: &Context = context;
        async { Ok(()) }
    }

    /// Cleans up when it is told to stop, within its shutdown time. Not run after a crash.
    fn terminate(&mut self, why: Why) -> impl Future<Output = ()> + Send {
        let _: Why = why;
        async {}
    }
}

/// The address of a server: made before the tree, the same over every restart.
pub struct Address<M>(Arc<ArcSwapOption<Mailbox<M>>>);

/// One incarnation of a server: what is sent to it never reaches its successor. An [`Address`] is to a pid what a
/// registered name is in OTP.
pub struct Pid<M>(Arc<Mailbox<M>>);

impl<M> Clone for Pid<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M: Send + 'static> Pid<M> {
    /// Sends a message, waiting for room.
    ///
    /// # Errors
    /// Gives the message back where that incarnation has ended, or ends meanwhile.
    pub async fn send(&self, message: M) -> Result<(), SendError<M>> {
        self.0.send(message).await
    }
}

/// Why a message was not taken; it comes back.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError<M> {
    /// The mailbox is full.
    #[error("the mailbox is full")]
    Full(M),
    /// No incarnation is up.
    #[error("the server is down")]
    Down(M),
}

/// Why a call got no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallFailed {
    /// The mailbox is full.
    #[error("the mailbox is full")]
    Full,
    /// No incarnation is up.
    #[error("the server is down")]
    Down,
    /// It ended before it replied.
    #[error("the server ended before it replied")]
    Crashed,
}

/// Where a reply goes. Dropping it tells the caller that none will come.
#[derive(Debug)]
pub struct Reply<R>(pub(super) oneshot::Sender<R>);

impl<R> Reply<R> {
    /// Whether somebody waits for it.
    pub fn is_awaited(&self) -> bool {
        !self.0.is_closed()
    }

    /// Replies; says whether the caller was still waiting.
    pub fn send(self, reply: R) -> bool {
        self.0.send(reply).is_ok()
    }
}

impl<M> Clone for Address<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M> Default for Address<M> {
    fn default() -> Self {
        Self(Arc::new(ArcSwapOption::empty()))
    }
}

impl<M: Send + 'static> Address<M> {
    /// An address with nobody behind it yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends a message and does not wait.
    ///
    /// # Errors
    /// Gives the message back where the mailbox is full or nobody is there.
    pub fn cast(&self, message: M) -> Result<(), SendError<M>> {
        let current = self.0.load();
        let Some(mailbox) = current.as_ref() else {
            return Err(SendError::Down(message));
        };
        mailbox.push(message)
    }

    /// Sends a message, waiting for room.
    ///
    /// # Errors
    /// Gives the message back where nobody is there, or the server ends meanwhile.
    pub async fn send(&self, message: M) -> Result<(), SendError<M>> {
        match self.whereis() {
            Some(pid) => pid.send(message).await,
            None => Err(SendError::Down(message)),
        }
    }

    /// The incarnation that is up. A server that hands this to its own tasks hears nothing of its predecessor's.
    pub fn whereis(&self) -> Option<Pid<M>> {
        self.0.load_full().map(Pid)
    }

    /// Sends a message made around a [`Reply`], and waits for that reply. The caller puts a limit on the wait.
    ///
    /// # Errors
    /// Where the mailbox is full, nobody is there, or the server ended before it replied.
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

    /// Messages waiting and the most there may be; `None` while nobody is there.
    pub fn depth(&self) -> Option<(usize, usize)> {
        let current = self.0.load();
        current.as_ref().map(|mailbox| mailbox.depth())
    }

    fn publish(&self, mailbox: &Arc<Mailbox<M>>) {
        self.0.store(Some(Arc::clone(mailbox)));
    }

    /// Takes a mailbox from behind the address, if it is still that one.
    fn withdraw(&self, mailbox: &Arc<Mailbox<M>>) {
        let current = self.0.load();
        if current
            .as_ref()
            .is_some_and(|current| Arc::ptr_eq(current, mailbox))
        {
            self.0.compare_and_swap(&current, None);
        }
    }
}

/// The reading end of a mailbox behind its address. Dropped, it is withdrawn, and nobody waits for it any more.
struct Inbox<M: Send + 'static> {
    address: Address<M>,
    mailbox: Arc<Mailbox<M>>,
}

impl<M: Send + 'static> Drop for Inbox<M> {
    fn drop(&mut self) {
        self.address.withdraw(&self.mailbox);
        let unread = self.mailbox.close();
        // A message may panic when it is dropped; nobody is left whose crash that would be.
        contain(move || drop(unread)).ok();
    }
}

/// A server child on `plane` with room for `mailbox` messages. It is up when `init` has returned.
pub fn server<S, F, Fut>(
    id: &str,
    address: &Address<S::Message>,
    plane: Plane,
    mailbox: usize,
    init: F,
) -> Spec
where
    S: Server,
    F: Fn(Context) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<S, Failure>> + Send + 'static,
{
    Spec::new(
        id,
        Kind::Server,
        Arc::new(StartServer {
            address: address.clone(),
            plane,
            mailbox,
            init,
        }),
    )
}

struct StartServer<M, F> {
    address: Address<M>,
    plane: Plane,
    mailbox: usize,
    init: F,
}

impl<S, F, Fut> Start for StartServer<S::Message, F>
where
    S: Server,
    F: Fn(Context) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<S, Failure>> + Send + 'static,
{
    fn begin(&self, seat: Seat, _limit: Option<Limit>) -> Box<dyn Life> {
        let mailbox = Arc::new(Mailbox::new(self.mailbox));
        let inbox = Inbox {
            address: self.address.clone(),
            mailbox: Arc::clone(&mailbox),
        };
        let life = TaskLife::start(seat, self.plane, |context| {
            let init = (self.init)(context.clone());
            async move {
                let mut server = match contain_async(init).await {
                    Ok(Ok(server)) => server,
                    // Before it is up, an end is a failed start.
                    Ok(Err(failure)) => return failure.exit(),
                    Err(report) => return panicked(report),
                };
                let owned = &context.incarnation().owned;
                let published = owned.if_live(|| inbox.address.publish(&inbox.mailbox));
                if published.is_none() {
                    return Exit::Killed;
                }
                context.ready();
                let exit = run(&mut server, &inbox.mailbox, &context).await;
                drop(inbox);
                // Its state may panic when it is dropped; that must not unwind through this task.
                match contain(move || drop(server)) {
                    Ok(()) => exit,
                    Err(report) => panicked(report),
                }
            }
        });
        Box::new(ServerLife { life, mailbox })
    }
}

/// A server's task, which waits at its mailbox also for being told to stop.
struct ServerLife<M> {
    life: TaskLife,
    mailbox: Arc<Mailbox<M>>,
}

impl<M: Send + 'static> Life for ServerLife<M> {
    fn halt(&mut self, why: Why) {
        self.life.halt(why);
        self.mailbox.wake();
    }

    fn kill(&mut self) {
        self.life.kill();
    }

    fn mailbox(&self) -> Option<(usize, usize)> {
        Some(self.mailbox.depth())
    }
}

/// What a server does next.
enum Next<M> {
    Stop(Why),
    Tick,
    Handle(M),
}

async fn run<S: Server>(server: &mut S, mailbox: &Mailbox<S::Message>, context: &Context) -> Exit {
    if let Err(exit) = settle(contain_async(server.handle_continue(context)).await) {
        return exit;
    }
    let mut ticker = server.tick_every().map(|every| {
        let mut ticker = tokio::time::interval(every);
        ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticker
    });
    loop {
        let outcome = match poll_fn(|wake| poll_next(mailbox, &mut ticker, context, wake)).await {
            Next::Stop(why) => {
                return match contain_async(server.terminate(why)).await {
                    Ok(()) => Exit::Shutdown(why),
                    Err(report) => panicked(report),
                };
            }
            Next::Tick => contain_async(server.tick(context)).await,
            Next::Handle(message) => contain_async(server.handle(message, context)).await,
        };
        if let Err(exit) = settle(outcome) {
            return exit;
        }
    }
}

/// Being told to stop comes before a tick, and a tick before a message.
fn poll_next<M>(
    mailbox: &Mailbox<M>,
    ticker: &mut Option<Interval>,
    context: &Context,
    wake: &mut task::Context<'_>,
) -> Poll<Next<M>> {
    let told = || context.incarnation().told().map(Next::Stop);
    if let Some(stop) = told() {
        return Poll::Ready(stop);
    }
    if let Some(ticker) = ticker
        && ticker.poll_tick(wake).is_ready()
    {
        return Poll::Ready(Next::Tick);
    }
    match mailbox.poll_take(wake) {
        Poll::Ready(message) => Poll::Ready(Next::Handle(message)),
        // Whoever told it to stop since then found no waker in the mailbox.
        Poll::Pending => told().map_or(Poll::Pending, Poll::Ready),
    }
}

fn settle(outcome: Result<Result<(), Failure>, PanicReport>) -> Result<(), Exit> {
    match outcome {
        Ok(Ok(())) => Ok(()),
        Ok(Err(failure)) => Err(failure.exit()),
        Err(report) => Err(panicked(report)),
    }
}

fn panicked(report: PanicReport) -> Exit {
    Exit::Panic(Arc::new(report))
}
