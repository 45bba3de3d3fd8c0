//! A server's mailbox: many senders, one reader, a limit.
//!
//! It belongs to one incarnation and costs nothing until the first message. The reader also wants to hear that it should
//! stop, and waits for both in one place: see [`Mailbox::poll_take`].

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use tokio::sync::Notify;
use tokio::task::coop;

use super::server::SendError;

pub(crate) struct Mailbox<M> {
    letters: Mutex<Letters<M>>,
    room: usize,
    /// Told once for each letter taken while somebody waits for room.
    freed: Notify,
}

struct Letters<M> {
    queue: VecDeque<M>,
    reader: Option<Waker>,
    is_closed: bool,
    /// Senders that wait for room.
    waiting: usize,
}

impl<M> Mailbox<M> {
    /// A mailbox with room for so many messages, at least one.
    pub(crate) fn new(room: usize) -> Self {
        Self {
            letters: Mutex::new(Letters {
                queue: VecDeque::new(),
                reader: None,
                is_closed: false,
                waiting: 0,
            }),
            room: room.max(1),
            freed: Notify::new(),
        }
    }

    /// Sends, waiting for room. Dropped while it waits, it has sent nothing.
    pub(crate) async fn send(&self, message: M) -> Result<(), SendError<M>> {
        let mut message = match self.push(message) {
            Err(SendError::Full(message)) => message,
            sent => return sent,
        };
        // Counted before room is looked for again, so that whoever takes a letter after that look tells us.
        let _waiting = Waiting::new(self);
        loop {
            let freed = self.freed.notified();
            message = match self.push(message) {
                Err(SendError::Full(message)) => message,
                sent => return sent,
            };
            freed.await;
        }
    }

    pub(crate) fn push(&self, message: M) -> Result<(), SendError<M>> {
        let mut letters = self.lock();
        if letters.is_closed {
            return Err(SendError::Down(message));
        }
        if letters.queue.len() >= self.room {
            return Err(SendError::Full(message));
        }
        letters.queue.push_back(message);
        let reader = letters.reader.take();
        drop(letters);
        if let Some(reader) = reader {
            reader.wake();
        }
        Ok(())
    }

    /// Takes the next message, or leaves the reader's waker.
    ///
    /// Whoever wants the reader to look at something else sets that first and calls [`Mailbox::wake`] then; the reader looks
    /// at it after this was pending. Both go through the lock: either the waker is there to be found, or what was set is.
    pub(crate) fn poll_take(&self, context: &mut Context<'_>) -> Poll<M> {
        // A full mailbox must not keep the other tasks of its thread waiting.
        let progress = ready!(coop::poll_proceed(context));
        let mut letters = self.lock();
        let Some(message) = letters.queue.pop_front() else {
            letters.reader = Some(context.waker().clone());
            return Poll::Pending;
        };
        let is_awaited = letters.waiting > 0;
        drop(letters);
        progress.made_progress();
        if is_awaited {
            self.freed.notify_one();
        }
        Poll::Ready(message)
    }

    /// Lets the reader look again.
    pub(crate) fn wake(&self) {
        let reader = self.lock().reader.take();
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// Takes no more messages, and gives back those that nobody will read.
    pub(crate) fn close(&self) -> VecDeque<M> {
        let mut letters = self.lock();
        letters.is_closed = true;
        letters.reader = None;
        let unread = std::mem::take(&mut letters.queue);
        drop(letters);
        self.freed.notify_waiters();
        unread
    }

    /// Messages waiting and the most there may be.
    pub(crate) fn depth(&self) -> (usize, usize) {
        (self.lock().queue.len(), self.room)
    }

    fn lock(&self) -> MutexGuard<'_, Letters<M>> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A sender that waits for room, also counted out when it is dropped.
struct Waiting<'a, M>(&'a Mailbox<M>);

impl<'a, M> Waiting<'a, M> {
    fn new(mailbox: &'a Mailbox<M>) -> Self {
        mailbox.lock().waiting += 1;
        Self(mailbox)
    }
}

impl<M> Drop for Waiting<'_, M> {
    fn drop(&mut self) {
        self.0.lock().waiting -= 1;
    }
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "the kernel is the one that spawns"
)]
mod tests {
    use std::future::poll_fn;
    use std::sync::Arc;

    use super::*;

    async fn take(mailbox: &Mailbox<u32>) -> u32 {
        poll_fn(|context| mailbox.poll_take(context)).await
    }

    #[tokio::test]
    async fn messages_are_read_in_order_and_a_full_mailbox_gives_them_back() {
        let mailbox = Mailbox::new(2);
        assert_eq!(mailbox.push(1), Ok(()));
        assert_eq!(mailbox.push(2), Ok(()));
        assert_eq!(mailbox.push(3), Err(SendError::Full(3)));
        assert_eq!(mailbox.depth(), (2, 2));
        assert_eq!((take(&mailbox).await, take(&mailbox).await), (1, 2));
    }

    #[tokio::test]
    async fn senders_that_wait_for_room_all_get_it() {
        let mailbox = Arc::new(Mailbox::new(1));
        let senders: Vec<_> = (0..20)
            .map(|number| {
                let mailbox = Arc::clone(&mailbox);
                tokio::spawn(async move { mailbox.send(number).await })
            })
            .collect();
        // One that gives up must take nobody's turn.
        let gives_up = tokio::spawn({
            let mailbox = Arc::clone(&mailbox);
            async move { mailbox.send(99).await }
        });
        tokio::task::yield_now().await;
        gives_up.abort();
        let mut read = Vec::new();
        for _ in 0..20 {
            read.push(take(&mailbox).await);
        }
        read.sort_unstable();
        assert_eq!(read, (0..20).collect::<Vec<_>>());
        for sender in senders {
            assert_eq!(sender.await.unwrap(), Ok(()));
        }
        assert_eq!(mailbox.lock().waiting, 0);
    }

    #[tokio::test]
    async fn closing_gives_back_what_is_unread_and_refuses_those_who_wait() {
        let mailbox = Arc::new(Mailbox::new(1));
        assert_eq!(mailbox.push(1), Ok(()));
        let waits = tokio::spawn({
            let mailbox = Arc::clone(&mailbox);
            async move { mailbox.send(2).await }
        });
        tokio::task::yield_now().await;
        assert_eq!(mailbox.close(), [1]);
        assert_eq!(waits.await.unwrap(), Err(SendError::Down(2)));
        assert_eq!(mailbox.push(3), Err(SendError::Down(3)));
    }

    #[tokio::test]
    async fn a_reader_that_never_waits_lets_others_run() {
        let mailbox = Arc::new(Mailbox::new(10_000));
        for number in 0..10_000 {
            mailbox.push(number).unwrap();
        }
        let reads = tokio::spawn({
            let mailbox = Arc::clone(&mailbox);
            async move {
                for _ in 0..10_000 {
                    take(&mailbox).await;
                }
            }
        });
        tokio::task::yield_now().await;
        let left = mailbox.depth().0;
        assert!(left > 0, "it read everything in one go");
        reads.await.unwrap();
    }
}
