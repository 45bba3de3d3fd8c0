//! The approvals at work: a thread that keeps the book, its file, and the catalogue that is built with it.
//!
//! A thread and not a server, since it writes a file and builds catalogues, and both may take a while. What an operator
//! says is in the file before it is acknowledged; what losses say is written once a second at most, together with the
//! catalogue that follows it.

mod file;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use self::file::{ApprovalsFault, FILE_NAME, read};
use super::approval::Approval;
use super::approval_book::{ApprovalBook, Full, Judgement, Place, TALLIES_MAX};
use super::catalogue_server::Shelf;
use crate::clock::Clock;
use crate::supervision::{Failure, Post, Reaper, Reply, Spec, ThreadContext, thread};
use crate::units::{BidId, ExchangeKey, Monotonic};

/// Losses that may wait. More are not counted: the next ones say the same.
const MAILBOX: usize = 1_024;
/// How often a catalogue is built for approvals, and their file written, at most: a large one takes a second to build.
const PUBLISH_EVERY: Duration = Duration::from_secs(1);
/// Creatives with refusals: those whose refusals are counted, and those whose refusals wait.
const MARKED_MAX: usize = TALLIES_MAX + MAILBOX;

/// What the approvals are told.
pub enum ApprovalMessage {
    /// An operator says what an exchange thinks of a creative; `None` to forget what is known.
    Say(Place, Option<Approval>, Reply<Result<(), SayError>>),
    /// A bid was lost since the exchange disapproves of its creative.
    Refused(Place, BidId),
    /// The exchange sold an impression to the creative, or still looks at it.
    BeginAnew(Place),
    /// What is known?
    List(Reply<Known>),
}

/// Why what an operator said does not count.
#[derive(Debug, thiserror::Error)]
pub enum SayError {
    /// No room.
    #[error(transparent)]
    Full(#[from] Full),
    /// The file.
    #[error(transparent)]
    File(#[from] ApprovalsFault),
}

/// Everything that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Every judgement.
    pub judged: Vec<(Place, Judgement)>,
    /// Creatives with refusals that are still too few, and how many.
    pub refusals: Vec<(Place, usize)>,
}

/// Where the approvals are reached. Made before the tree; cheap to clone.
#[derive(Clone)]
pub struct ApprovalDesk {
    post: Post<ApprovalMessage>,
    /// Creatives with refusals, counted or waiting in the mailbox, so that not every sale is a message.
    marked: Arc<Mutex<HashSet<Place>>>,
    rejected: Arc<[(ExchangeKey, AtomicUsize)]>,
}

/// What the approvals' child is given.
#[derive(Clone)]
pub struct ApprovalParts {
    /// Where it is reached.
    pub desk: ApprovalDesk,
    /// Its file.
    pub file: PathBuf,
    /// Exchanges that run only what they have approved.
    pub approval_first: Arc<[ExchangeKey]>,
    /// Where catalogues go.
    pub shelf: Arc<Shelf>,
    /// Where old catalogues go.
    pub reaper: Reaper,
}

impl ApprovalDesk {
    /// The desk for creatives on these exchanges.
    pub fn new(exchanges: impl IntoIterator<Item = ExchangeKey>) -> Self {
        let counts = exchanges.into_iter().map(|key| (key, AtomicUsize::new(0)));
        Self {
            post: Post::new(),
            marked: Arc::default(),
            rejected: counts.collect(),
        }
    }

    /// A bid was lost since the exchange disapproves of its creative.
    pub fn refused(&self, place: Place, bid: BidId) {
        let mut marked = self.marked();
        // One that finds no room is not counted; the next one will be.
        if (marked.len() < MARKED_MAX || marked.contains(&place))
            && self.post.cast(ApprovalMessage::Refused(place, bid)).is_ok()
        {
            marked.insert(place);
        }
    }

    /// The exchange sold an impression to the creative, or still looks at it.
    pub fn begin_anew(&self, place: Place) {
        let mut marked = self.marked();
        // Every refusal before this is before it in the mailbox, too: the next sale has nothing to say.
        if marked.contains(&place) && self.post.cast(ApprovalMessage::BeginAnew(place)).is_ok() {
            marked.remove(&place);
        }
    }

    fn marked(&self) -> MutexGuard<'_, HashSet<Place>> {
        self.marked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks; for whoever may wait.
    pub const fn post(&self) -> &Post<ApprovalMessage> {
        &self.post
    }

    /// How many creatives an exchange has rejected.
    pub fn rejected(&self, exchange: ExchangeKey) -> usize {
        let found = self.rejected.iter().find(|(key, _)| *key == exchange);
        found.map_or(0, |(_, count)| count.load(Ordering::Relaxed))
    }
}

/// The approvals as a child.
pub fn approvals(parts: &ApprovalParts) -> Spec {
    let parts = parts.clone();
    thread(
        "approvals",
        &parts.desk.post.clone(),
        MAILBOX,
        move |context, mailbox| {
            let clock = context.child().clock().clone();
            Keeper::start(&parts, clock)?.run(&context, &mailbox);
            Ok(())
        },
    )
}

struct Keeper<'p> {
    parts: &'p ApprovalParts,
    clock: Clock,
    book: ApprovalBook,
    written: Written,
    /// Whether the catalogue is behind the book.
    is_unpublished: bool,
    published_at: Monotonic,
}

/// Whether the file is where the book is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    Yes,
    /// Not yet.
    Behind,
    /// It was tried, and the disk said no.
    Failing,
}

impl<'p> Keeper<'p> {
    fn start(parts: &'p ApprovalParts, clock: Clock) -> Result<Self, Failure> {
        let book = read(&parts.file)?;
        let keeper = Self {
            parts,
            published_at: clock.monotonic(),
            clock,
            book,
            written: Written::Yes,
            is_unpublished: true,
        };
        keeper.tell_judged();
        Ok(keeper)
    }

    fn run(mut self, context: &ThreadContext, mailbox: &Receiver<ApprovalMessage>) {
        context.child().ready();
        loop {
            match mailbox.recv_timeout(PUBLISH_EVERY) {
                Ok(message) => self.hear(message),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if context.is_killed() {
                return;
            }
            let since = self.clock.monotonic().since(self.published_at);
            if since >= PUBLISH_EVERY {
                self.publish();
                if let Some(message) = self.unmark(mailbox) {
                    self.hear(message);
                }
            }
        }
        // Told to stop: the last second's losses are kept, and nobody needs another catalogue.
        self.write();
    }

    fn hear(&mut self, message: ApprovalMessage) {
        let now = self.clock.wall();
        match message {
            ApprovalMessage::Say(place, approval, reply) => {
                let before = self.book.clone();
                let said = self.book.say(place, approval, now).map_err(SayError::from);
                let said = said.and_then(|()| Ok(file::write(&self.parts.file, &self.book)?));
                if said.is_err() {
                    self.book = before;
                } else {
                    (self.written, self.is_unpublished) = (Written::Yes, true);
                    self.tell_judged();
                }
                reply.send(said);
            }
            ApprovalMessage::Refused(place, bid) => {
                if self.book.refused(place, bid, now) {
                    tracing::warn!(
                        exchange = place.0.raw(),
                        creative = place.1.raw(),
                        "losses say that an exchange disapproves of a creative; GET /approvals"
                    );
                    self.has_changed();
                }
            }
            ApprovalMessage::BeginAnew(place) => self.book.begin_anew(place),
            ApprovalMessage::List(reply) => {
                let judged = self.book.judgements();
                reply.send(Known {
                    judged: judged.map(|(place, judged)| (place, *judged)).collect(),
                    refusals: self.book.refusals().collect(),
                });
            }
        }
    }

    /// Brings file and catalogue to where the book is.
    fn publish(&mut self) {
        self.published_at = self.clock.monotonic();
        if self.book.expire(self.clock.wall()) {
            self.has_changed();
        }
        self.write();
        if std::mem::take(&mut self.is_unpublished) {
            let parts = self.parts;
            let approvals = self.book.approvals(&parts.approval_first);
            // A new incarnation finds what its predecessor published, unless that failed.
            if parts.shelf.approve(approvals) {
                let times = (self.clock.monotonic(), self.clock.wall());
                parts.shelf.rebuild(times, &parts.reaper);
            }
        }
    }

    fn has_changed(&mut self) {
        self.is_unpublished = true;
        if self.written == Written::Yes {
            self.written = Written::Behind;
        }
        self.tell_judged();
    }

    fn write(&mut self) {
        if self.written == Written::Yes {
            return;
        }
        let written = file::write(&self.parts.file, &self.book);
        // Tried again every second; said once.
        if let (Err(error), Written::Behind) = (&written, self.written) {
            tracing::error!(%error, "what losses say of creatives would not survive a restart");
        }
        self.written = match written {
            Ok(()) => Written::Yes,
            Err(_) => Written::Failing,
        };
    }

    /// Tells those who only look what is judged.
    fn tell_judged(&self) {
        for (exchange, count) in &*self.parts.desk.rejected {
            let of_exchange = |(place, judged): &(Place, &Judgement)| {
                place.0 == *exchange && judged.approval == Approval::Rejected
            };
            let rejected = self.book.judgements().filter(of_exchange).count();
            count.store(rejected, Ordering::Relaxed);
        }
    }

    /// Forgets the marks of creatives without refusals, if none wait. Gives back a message that came first.
    fn unmark(&self, mailbox: &Receiver<ApprovalMessage>) -> Option<ApprovalMessage> {
        // Under its lock no refusal is sent: an empty mailbox means that all of them are counted.
        let mut marked = self.parts.desk.marked();
        let waiting = mailbox.try_recv().ok();
        if waiting.is_none() {
            marked.retain(|place| self.book.counts(*place));
        }
        waiting
    }
}

#[cfg(test)]
mod tests;
