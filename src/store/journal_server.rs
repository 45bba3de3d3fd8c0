//! The thread that runs the writer: one owner of the journal, many who ask.
//!
//! Commands that wait together are decided together and made durable by one sync: while the disk works, the next group
//! gathers. An answer never precedes durability. If the disk fails, the thread crashes, nobody of that group is answered,
//! and its successor folds what is really there.
//!
//! A follower gets every bill of its region from the moment it read the books, without a gap: its reading and its place
//! in the feed are one message. A follower that does not keep up is cut off and finds its feed closed.

use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use tokio::sync::mpsc;

use super::books::Books;
use super::checkpoint_server::WriteCheckpoint;
use super::movement::Bill;
use super::writer::{BATCH_MAX, Command, Outcome, WriteError, Writer};
use crate::chaos::FailPoint;
use crate::supervision::{
    CallFailed, Context, Failure, Pid, Plane, Post, Reply, SendError, Spec, ThreadContext, thread,
};
use crate::units::{LedgerTime, Nanos, RegionKey};

/// What may wait for the disk. At a few thousand notices a second this is over a second of them; who finds it full is
/// refused, and exchanges send their notices again.
pub const MAILBOX: usize = 8_192;

/// Bills that a follower may be behind. Two seconds of them: one that is further behind is better rebuilt.
pub const FEED: usize = 8_192;

/// How long a new follower waits for the journal; it looks at books in memory, behind one group's write at most.
pub const FOLLOW_WITHIN: Duration = Duration::from_secs(5);

/// How often somebody who cannot begin without the books asks for them.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// How long the thread waits for a message before it looks whether it should go.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What the bid had promised, as its token tells: what a follower needs beside the bill, and the journal does not keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promised {
    /// How much was reserved, in the campaign's currency.
    pub reserved: Nanos,
    /// Which of the region's holds it was reserved at.
    pub hold: u8,
    /// When the reservation lapses.
    pub expires_at: LedgerTime,
}

/// What a follower gets: a bill that is durable, and the promise it settles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Booked {
    /// The bill.
    pub bill: Bill,
    /// The promise.
    pub promised: Promised,
}

/// What the journal is asked.
pub enum JournalMessage {
    /// Decide a command; answered when it is durable.
    Decide(Command, Reply<Outcome>),
    /// Book a bill; answered when it is durable, and then passed on to those who follow its region.
    Bill(Booked, Reply<Outcome>),
    /// Look at the books, all of which is durable then.
    Read(Box<dyn FnOnce(&Books) + Send>),
    /// Look at the books, and then get every bill of a region.
    Follow {
        /// The region; `None` for all.
        region: Option<RegionKey>,
        /// Where its bills go.
        feed: mpsc::Sender<Booked>,
        /// What looks at the books.
        read: Box<dyn FnOnce(&Books) + Send>,
    },
    /// The checkpoint holds everything up to this sequence number.
    Checkpointed(u64),
}

/// The journal's address.
pub type Journal = Post<JournalMessage>;

/// Why the journal gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// It has as much to do as it may.
    #[error("the journal is busy")]
    Busy,
    /// It is down, or went down meanwhile: what was asked may or may not have happened.
    #[error("the journal is down")]
    Down,
}

/// Decides a command, durably.
///
/// # Errors
/// [`Unanswered`]: ask again, since every command may be repeated.
pub async fn decide(journal: &Journal, command: Command) -> Result<Outcome, Unanswered> {
    journal
        .call(|reply| JournalMessage::Decide(command, reply))
        .await
        .map_err(failed)
}

/// Books a bill, durably, and passes it on to those who follow its region.
///
/// # Errors
/// [`Unanswered`]: ask again, since a bill is booked once.
pub async fn bill(journal: &Journal, booked: Booked) -> Result<Outcome, Unanswered> {
    journal
        .call(|reply| JournalMessage::Bill(booked, reply))
        .await
        .map_err(failed)
}

/// Looks at the durable books.
///
/// # Errors
/// [`Unanswered`].
pub async fn read<R: Send + 'static>(
    journal: &Journal,
    look: impl FnOnce(&Books) -> R + Send + 'static,
) -> Result<R, Unanswered> {
    let (send, receive) = tokio::sync::oneshot::channel();
    let message = JournalMessage::Read(Box::new(move |books| {
        // Whoever asked may have gone.
        drop(send.send(look(books)));
    }));
    journal.cast(message).map_err(|error| refused(&error))?;
    receive.await.map_err(|_| Unanswered::Down)
}

/// Looks at the durable books as soon as there are any: for an `init`, whose own deadline bounds the wait.
pub async fn read_when_up<R: Send + 'static>(
    journal: &Journal,
    look: impl FnOnce(&Books) -> R + Clone + Send + 'static,
) -> R {
    loop {
        if let Ok(seen) = read(journal, look.clone()).await {
            return seen;
        }
        tokio::time::sleep(ASK_AGAIN_AFTER).await;
    }
}

/// Looks at the durable books, and follows the bills of a region (of all, if none is named) from there. Waits for
/// [`FOLLOW_WITHIN`] at most.
///
/// # Errors
/// [`Unanswered`]: try again later. What is spent meanwhile is not known.
pub async fn follow<R: Send + 'static>(
    journal: &Journal,
    region: Option<RegionKey>,
    look: impl FnOnce(&Books) -> R + Send + 'static,
) -> Result<(R, mpsc::Receiver<Booked>), Unanswered> {
    let (feed, bills) = mpsc::channel(FEED);
    let (send, receive) = tokio::sync::oneshot::channel();
    let read = Box::new(move |books: &Books| drop(send.send(look(books))));
    journal
        .cast(JournalMessage::Follow { region, feed, read })
        .map_err(|error| refused(&error))?;
    match tokio::time::timeout(FOLLOW_WITHIN, receive).await {
        Ok(Ok(seen)) => Ok((seen, bills)),
        Ok(Err(_)) => Err(Unanswered::Down),
        Err(_) => Err(Unanswered::Busy),
    }
}

/// Passes bills on to a server as they come, and says so when there will be no more: the journal went down, or this
/// follower fell too far behind. To that incarnation alone: its successor follows by itself, and a bill that reached it
/// twice would be spent twice.
pub fn pass_on<M: Send + 'static>(
    context: &Context,
    mut feed: mpsc::Receiver<Booked>,
    follower: Pid<M>,
    booked: fn(Booked) -> M,
    ended: fn() -> M,
) {
    context.spawn_on(Plane::Control, async move {
        while let Some(bill) = feed.recv().await {
            if follower.send(booked(bill)).await.is_err() {
                return;
            }
        }
        // Nobody to tell means that the follower has gone by itself.
        drop(follower.send(ended()).await);
    });
}

/// The journal as a child: opens `directory`, recovers, and says so in the log.
pub fn journal(
    address: &Journal,
    checkpoints: &Post<WriteCheckpoint>,
    (directory, fail_point): (&Path, &FailPoint),
) -> Spec {
    let (directory, fail_point) = (directory.to_owned(), fail_point.clone());
    let checkpoints = checkpoints.clone();
    thread("journal", address, MAILBOX, move |context, mailbox| {
        let (writer, checkpoint, recovery) = Writer::open(&directory)?;
        tracing::info!(
            directory = %directory.display(),
            movements = recovery.last,
            replayed = recovery.replayed,
            torn_bytes = recovery.torn_bytes,
            checkpoint = %recovery.checkpoint,
            "store opened"
        );
        let checkpoint_at = checkpoint.sequence();
        // The checkpoint's own child opens it again: one handle at a time.
        drop(checkpoint);
        context.child().ready();
        let mut desk = Desk {
            writer,
            waiting: Vec::new(),
            bills: Vec::new(),
            followers: Vec::new(),
            checkpoint_at,
            fail_point: fail_point.clone(),
        };
        desk.run(&context, &mailbox, &checkpoints)
    })
}

fn failed(call: CallFailed) -> Unanswered {
    match call {
        CallFailed::Full => Unanswered::Busy,
        CallFailed::Down | CallFailed::Crashed => Unanswered::Down,
    }
}

fn refused(error: &SendError<JournalMessage>) -> Unanswered {
    match error {
        SendError::Full(_) => Unanswered::Busy,
        SendError::Down(_) => Unanswered::Down,
    }
}

struct Desk {
    writer: Writer,
    /// Who waits for the outcomes that are staged, in order.
    waiting: Vec<Reply<Outcome>>,
    /// The bills among them, by their place in that order.
    bills: Vec<(usize, Booked)>,
    followers: Vec<(Option<RegionKey>, mpsc::Sender<Booked>)>,
    checkpoint_at: u64,
    fail_point: FailPoint,
}

impl Desk {
    fn run(
        &mut self,
        context: &ThreadContext,
        mailbox: &Receiver<JournalMessage>,
        checkpoints: &Post<WriteCheckpoint>,
    ) -> Result<(), Failure> {
        loop {
            let mut next = match mailbox.recv_timeout(LOOK_EVERY) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            };
            if context.is_killed() {
                return Ok(());
            }
            while let Some(message) = next {
                self.take(message)?;
                if self.writer.staged() >= BATCH_MAX {
                    self.commit()?;
                }
                next = mailbox.try_recv().ok();
            }
            self.commit()?;
            self.offer_checkpoint(checkpoints)?;
        }
    }

    fn take(&mut self, message: JournalMessage) -> Result<(), Failure> {
        match message {
            JournalMessage::Decide(command, reply) => {
                self.writer.stage(command)?;
                self.waiting.push(reply);
            }
            JournalMessage::Bill(booked, reply) => {
                self.writer.stage(Command::Bill(booked.bill))?;
                self.bills.push((self.waiting.len(), booked));
                self.waiting.push(reply);
            }
            JournalMessage::Read(read) => {
                self.commit()?;
                read(self.writer.books()?);
            }
            JournalMessage::Follow { region, feed, read } => {
                self.commit()?;
                read(self.writer.books()?);
                self.followers.push((region, feed));
            }
            JournalMessage::Checkpointed(sequence) => {
                self.checkpoint_at = sequence;
                if let Err(error) = self.writer.checkpointed(sequence) {
                    tracing::warn!(%error, "old journal segments stay for now");
                }
            }
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), Failure> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.fail_point.pass()?;
        let outcomes = self.writer.commit()?;
        for (place, booked) in self.bills.drain(..) {
            if matches!(outcomes.get(place), Some(Outcome::Billed { .. })) {
                let region = booked.bill.lease.region;
                let concerns =
                    |follows: Option<RegionKey>| follows.is_none_or(|follows| follows == region);
                // One that is full has fallen behind, one that is closed has gone: either way it is cut off.
                self.followers
                    .retain(|(follows, feed)| !concerns(*follows) || feed.try_send(booked).is_ok());
            }
        }
        for (reply, outcome) in self.waiting.drain(..).zip(outcomes) {
            reply.send(outcome);
        }
        Ok(())
    }

    fn offer_checkpoint(&mut self, checkpoints: &Post<WriteCheckpoint>) -> Result<(), Failure> {
        if !self.writer.checkpoint_due() {
            return Ok(());
        }
        match self.writer.delta(self.checkpoint_at) {
            Ok(delta) => {
                // A checkpoint is never required: one that finds its writer busy is offered again later.
                drop(checkpoints.cast(WriteCheckpoint(delta)));
                Ok(())
            }
            Err(WriteError::TooLarge) => {
                tracing::warn!("an account does not fit a checkpoint row: no checkpoint");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}
