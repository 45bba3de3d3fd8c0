//! One connection of a lane: writes what it is given, reads replies, and tells the lane how each request ended.
//!
//! One write and one read for a request where nothing is in the way; the rest of its cost is the kernel's.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::lane::{Ended, Errand, Job, Lane};
use super::replies::{Ending, Replies};
use crate::clock;

/// Read at once: a usual reply fits several times over.
const READ_BYTES: usize = 16 << 10;

/// What a lane and its connection share.
pub(super) struct Link<T> {
    /// Not written yet.
    given: RefCell<VecDeque<Job<T>>>,
    /// Written, or being written, and not answered.
    sent: RefCell<VecDeque<Job<T>>>,
    waker: RefCell<Option<Waker>>,
    standing: Cell<Standing>,
    is_roomy: Cell<bool>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Standing {
    #[default]
    Open,
    /// A request was waited for too long.
    GivenUp,
}

/// Why a connection ends.
enum End {
    /// It could not be opened.
    Connect(io::Error),
    /// It closed, or closes after the last reply, in order.
    Closed,
    /// It broke.
    Broken(String),
    /// A request on it was given up.
    GivenUp,
}

impl<T> Default for Link<T> {
    fn default() -> Self {
        Self {
            given: RefCell::default(),
            sent: RefCell::default(),
            waker: RefCell::default(),
            standing: Cell::default(),
            is_roomy: Cell::default(),
        }
    }
}

impl<T> Link<T> {
    /// Takes a request; tells how many it has now.
    pub(super) fn give(&self, job: Job<T>) -> usize {
        self.given.borrow_mut().push_back(job);
        self.wake();
        self.load()
    }

    /// Requests that it has.
    pub(super) fn load(&self) -> usize {
        self.given.borrow().len() + self.sent.borrow().len()
    }

    /// Whether the lane counts it among those with room.
    pub(super) fn is_roomy(&self) -> bool {
        self.is_roomy.get()
    }

    pub(super) fn set_roomy(&self, is_roomy: bool) {
        self.is_roomy.set(is_roomy);
    }

    /// Ends the connection where its first request has been waited for too long.
    pub(super) fn give_up_where(&self, is_overdue: impl Fn(&Job<T>) -> bool) {
        let (given, sent) = (self.given.borrow(), self.sent.borrow());
        if sent.front().or(given.front()).is_some_and(is_overdue) {
            self.standing.set(Standing::GivenUp);
            self.wake();
        }
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    fn wait(&self, context: &Context<'_>) {
        let mut waker = self.waker.borrow_mut();
        if !waker
            .as_ref()
            .is_some_and(|waker| waker.will_wake(context.waker()))
        {
            *waker = Some(context.waker().clone());
        }
    }
}

/// A connection's own part.
struct Carrier<E: Errand> {
    lane: Rc<Lane<E>>,
    link: Rc<Link<E::Item>>,
    replies: Replies<E::Kept>,
    /// The requests being written.
    out: Vec<u8>,
    /// How much of them is.
    written: usize,
}

/// Opens a connection and carries requests over it until it ends.
pub(super) async fn carry<E: Errand>(lane: Rc<Lane<E>>, link: Rc<Link<E::Item>>) {
    let mut carrier = Carrier {
        lane,
        link,
        replies: Replies::default(),
        out: Vec::new(),
        written: 0,
    };
    let end = carrier.run().await;
    carrier.finish(&end);
}

impl<E: Errand> Carrier<E> {
    async fn run(&mut self) -> End {
        let until = clock::now() + self.lane.limits.give_up;
        let connecting = TcpStream::connect(&self.lane.target.authority);
        let stream = match clock::before(until, connecting).await {
            Some(Ok(stream)) => stream,
            Some(Err(error)) => return End::Connect(error),
            None => return End::GivenUp,
        };
        if let Err(error) = stream.set_nodelay(true) {
            return End::Connect(error);
        }
        let mut stream = stream;
        let mut bytes = vec![0; READ_BYTES];
        loop {
            match poll_fn(|context| self.poll(context, &mut stream, &mut bytes)).await {
                Err(end) => return end,
                Ok(0) => return self.closed(),
                Ok(read) => {
                    let bytes = bytes.get(..read).unwrap_or_default();
                    if let Err(end) = self.read(bytes) {
                        return end;
                    }
                }
            }
        }
    }

    /// Writes what there is to write; ready with the number of bytes read.
    fn poll(
        &mut self,
        context: &mut Context<'_>,
        stream: &mut TcpStream,
        bytes: &mut [u8],
    ) -> Poll<Result<usize, End>> {
        if self.link.standing.get() == Standing::GivenUp {
            return Poll::Ready(Err(End::GivenUp));
        }
        self.link.wait(context);
        let broken = |error: io::Error| End::Broken(error.to_string());
        let mut buffer = ReadBuf::new(bytes);
        if self.link.sent.borrow().is_empty() {
            // Whether it has closed meanwhile: then nothing is lost, and nothing is written to it.
            if let Poll::Ready(outcome) = Pin::new(&mut *stream).poll_read(context, &mut buffer) {
                return Poll::Ready(outcome.map(|()| buffer.filled().len()).map_err(broken));
            }
        }
        while self.has_output() {
            let rest = self.out.get(self.written..).unwrap_or_default();
            match Pin::new(&mut *stream).poll_write(context, rest) {
                Poll::Ready(Ok(written)) => self.written += written,
                // Perhaps it has closed in order; reading tells.
                Poll::Ready(Err(_)) | Poll::Pending => break,
            }
        }
        ready!(Pin::new(stream).poll_read(context, &mut buffer)).map_err(broken)?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    /// Whether something is to be written: the rest of the last, or else what was given since, together.
    fn has_output(&mut self) -> bool {
        if self.written < self.out.len() {
            return true;
        }
        self.out.clear();
        self.written = 0;
        let mut sent = self.link.sent.borrow_mut();
        for job in self.link.given.borrow_mut().drain(..) {
            self.lane.errand.leaves(&job);
            self.out.extend_from_slice(&job.request);
            sent.push_back(job);
        }
        !self.out.is_empty()
    }

    fn read(&mut self, bytes: &[u8]) -> Result<(), End> {
        let (lane, link) = (&self.lane, &self.link);
        let mut end = Ok(());
        let outcome = self.replies.read(bytes, |reply, kept| {
            let job = link.sent.borrow_mut().pop_front();
            match job {
                Some(job) => lane.end(job, Ended::Answered(reply.status, kept)),
                None => end = Err(End::Broken("a reply that nobody asked for".to_owned())),
            }
            if reply.ending == Ending::Closed {
                end = Err(End::Closed);
            }
        });
        if let Err(error) = outcome {
            return Err(End::Broken(error.to_string()));
        }
        end?;
        self.lane.has_room(&self.link);
        Ok(())
    }

    /// The other side has closed.
    fn closed(&mut self) -> End {
        match self.replies.end() {
            Ok(None) => End::Closed,
            Ok(Some(reply)) => {
                let job = self.link.sent.borrow_mut().pop_front();
                if let Some(job) = job {
                    let kept = self.replies.kept();
                    self.lane.end(job, Ended::Answered(reply.status, kept));
                }
                End::Closed
            }
            Err(error) => End::Broken(error.to_string()),
        }
    }

    /// Ends what is in flight; what was not written goes out on another connection.
    fn finish(self, end: &End) {
        let now = clock::now();
        let mut again = Vec::new();
        for job in self.link.sent.take() {
            let waited = now.saturating_duration_since(job.at);
            match end {
                End::GivenUp if waited >= self.lane.limits.give_up => {
                    self.lane.end(job, self.lane.gave_up());
                }
                // It waited behind the one that was given up.
                End::GivenUp => again.push(job),
                End::Connect(_) | End::Closed | End::Broken(_) => {
                    self.lane.end(job, failure(end));
                }
            }
        }
        for job in self.link.given.take() {
            let waited = now.saturating_duration_since(job.at);
            match end {
                End::Connect(_) => self.lane.end(job, failure(end)),
                End::GivenUp if waited >= self.lane.limits.give_up => {
                    self.lane.end(job, self.lane.gave_up());
                }
                _ => again.push(job),
            }
        }
        self.lane.closed(&self.link, again);
    }
}

fn failure<K>(end: &End) -> Ended<K> {
    match end {
        End::Connect(error) => Ended::Failed("connect", format!("cannot connect: {error}")),
        End::Broken(why) => Ended::Failed("broken", format!("connection broke: {why}")),
        End::Closed | End::GivenUp => {
            Ended::Failed("broken", "connection closed before an answer".to_owned())
        }
    }
}
