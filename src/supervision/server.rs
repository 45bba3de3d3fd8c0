//! Servers: a typed mailbox and an async loop.
//!
//! The address is stable over restarts; the mailbox is lost with its incarnation, as in OTP, and callers are told.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;

use super::contain::{contain, contain_async};
use super::exit::{Exit, PanicReport, Why};
use super::limit::Limit;
use super::planes::Plane;
use super::seat::{Context, Failure, Life, Seat, Start};
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
pub struct Pid<M>(mpsc::Sender<M>);

impl<M> Clone for Pid<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M: Send + 'static> Pid<M> {
    /// Sends a message, waiting for room.
    ///
    /// # Errors
    /// Gives the message back where that incarnation has ended, or ends meanwhile.
    pub async fn send(&self, message: M) -> Result<(), SendError<M>> {
        let sent = self.0.send(message).await;
        sent.map_err(|error| SendError::Down(error.0))
    }
}

struct Mailbox<M> {
    sender: mpsc::Sender<M>,
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
        mailbox
            .sender
            .try_send(message)
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(message) => SendError::Full(message),
                mpsc::error::TrySendError::Closed(message) => SendError::Down(message),
            })
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
        let current = self.0.load();
        current.as_ref().map(|mailbox| Pid(mailbox.sender.clone()))
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
        let sender = &current.as_ref()?.sender;
        Some((
            sender.max_capacity() - sender.capacity(),
            sender.max_capacity(),
        ))
    }

    fn publish(&self, sender: mpsc::Sender<M>) -> Published<M> {
        let mailbox = Arc::new(Mailbox { sender });
        self.0.store(Some(Arc::clone(&mailbox)));
        Published {
            address: self.clone(),
            mailbox,
        }
    }
}

/// Takes a mailbox from behind its address when its incarnation ends.
struct Published<M: Send + 'static> {
    address: Address<M>,
    mailbox: Arc<Mailbox<M>>,
}

impl<M: Send + 'static> Drop for Published<M> {
    fn drop(&mut self) {
        let current = self.address.0.load();
        if current
            .as_ref()
            .is_some_and(|current| Arc::ptr_eq(current, &self.mailbox))
        {
            self.address.0.compare_and_swap(&current, None);
        }
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
        let address = self.address.clone();
        let room = self.mailbox.max(1);
        let life = TaskLife::start(seat, self.plane, |context| {
            let init = (self.init)(context.clone());
            async move {
                let mut server = match contain_async(init).await {
                    Ok(Ok(server)) => server,
                    // Before it is up, an end is a failed start.
                    Ok(Err(failure)) => return failure.exit(),
                    Err(report) => return panicked(report),
                };
                let (sender, mailbox) = mpsc::channel(room);
                let Some(published) = context.owned.if_live(|| address.publish(sender)) else {
                    return Exit::Killed;
                };
                context.ready();
                let exit = run(&mut server, mailbox, &context).await;
                drop(published);
                // Its state may panic when it is dropped; that must not unwind through this task.
                match contain(move || drop(server)) {
                    Ok(()) => exit,
                    Err(report) => panicked(report),
                }
            }
        });
        Box::new(ServerLife {
            life,
            address: self.address.clone(),
        })
    }
}

/// What the table of lives needs to know of a server beyond its task: how full its mailbox is.
struct ServerLife<M> {
    life: Box<dyn Life>,
    address: Address<M>,
}

impl<M: Send + 'static> Life for ServerLife<M> {
    fn halt(&mut self, why: Why) {
        self.life.halt(why);
    }

    fn kill(&mut self) {
        self.life.kill();
    }

    fn mailbox(&self) -> Option<(usize, usize)> {
        self.address.depth()
    }
}

async fn run<S: Server>(
    server: &mut S,
    mut mailbox: mpsc::Receiver<S::Message>,
    context: &Context,
) -> Exit {
    if let Err(exit) = settle(contain_async(server.handle_continue(context)).await) {
        return exit;
    }
    let mut ticker = server.tick_every().map(|every| {
        let mut ticker = tokio::time::interval(every);
        ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticker
    });
    loop {
        let outcome = tokio::select! {
            biased;
            why = context.stopped() => {
                return match contain_async(server.terminate(why)).await {
                    Ok(()) => Exit::Shutdown(why),
                    Err(report) => panicked(report),
                };
            }
            () = next_tick(&mut ticker) => contain_async(server.tick(context)).await,
            message = mailbox.recv() => match message {
                Some(message) => contain_async(server.handle(message, context)).await,
                None => return Exit::Normal,
            },
        };
        if let Err(exit) = settle(outcome) {
            return exit;
        }
    }
}

async fn next_tick(ticker: &mut Option<tokio::time::Interval>) {
    match ticker {
        Some(ticker) => {
            ticker.tick().await;
        }
        None => std::future::pending().await,
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
