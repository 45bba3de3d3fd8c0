//! Sends notices, again where they are not acknowledged, and tells the oracle about bills.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::later::Later;
use super::{Fate, Notice, NoticeKind};
use crate::clock::{self, WallClock};
use crate::oracle::Oracle;
use crate::wire::{Ended, Errand, Job, Lane, Limits, Target, Url};
use crate::{scenario, tasks};

/// A notice without an answer for so long is sent again.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Connections to one notice server.
const CONNECTIONS_MAX: usize = 64;
/// How often notices are looked for that fall due: what they wait is drawn in ms.
const STEP: Duration = Duration::from_millis(1);

/// What became of the notices of one kind.
#[derive(Clone, Debug, Default)]
pub struct NoticeTally {
    /// Planned.
    pub planned: u64,
    /// Of these, lost on purpose.
    pub lost: u64,
    /// Not sent, since they lead to a name that leads nowhere (`.example`).
    pub skipped: u64,
    /// Handed to a socket, repetitions included.
    pub sent: u64,
    /// Acknowledged, each once.
    pub acknowledged: u64,
    /// Never acknowledged.
    pub failed: u64,
    /// Forged ones that were not acknowledged, as is right.
    pub refused: u64,
    /// Whose URL said `https` and were sent over plain HTTP.
    pub plain: u64,
    /// One that failed, and why.
    pub example: Option<String>,
}

/// Sends notices.
pub struct Desk {
    settings: scenario::Notices,
    me: Weak<Self>,
    lanes: RefCell<Vec<Rc<Lane<Post>>>>,
    /// Their places, by authority.
    places: RefCell<HashMap<String, usize>>,
    /// Those that are not due yet, each with its request.
    later: RefCell<Later<(Letter, Bytes)>>,
    /// Whether a task looks for those that fall due.
    is_looked_for: Cell<bool>,
    tallies: RefCell<BTreeMap<NoticeKind, NoticeTally>>,
    oracle: RefCell<Oracle>,
    wall: WallClock,
    pending: Cell<u64>,
}

/// A notice on its way.
pub(super) struct Letter {
    notice: Notice,
    /// The place of its lane.
    lane: usize,
    sending: Sending,
}

/// Why it is sent.
#[derive(Clone, Copy)]
enum Sending {
    /// For the first time, or again since nobody acknowledged it: after so many failures.
    After(u32),
    /// Once more although it was acknowledged.
    Again,
}

/// The desk is told what becomes of its letters.
struct Post(Weak<Desk>);

impl Errand for Post {
    type Item = Letter;
    type Kept = ();

    fn leaves(&self, job: &Job<Letter>) {
        if let Some(desk) = self.0.upgrade() {
            desk.leaves(&job.item.notice);
        }
    }

    fn ended(&self, job: Job<Letter>, how: Ended<&()>) {
        if let Some(desk) = self.0.upgrade() {
            desk.ended(job.item, job.request, how);
        }
    }
}

impl Desk {
    /// Nothing sent yet.
    pub fn new(settings: scenario::Notices) -> Rc<Self> {
        Rc::new_cyclic(|me| Self {
            settings,
            me: Weak::clone(me),
            wall: WallClock::read(),
            oracle: RefCell::default(),
            lanes: RefCell::default(),
            places: RefCell::default(),
            later: RefCell::new(Later::new(clock::now())),
            is_looked_for: Cell::new(false),
            tallies: RefCell::default(),
            pending: Cell::new(0),
        })
    }

    /// The time of day.
    pub const fn wall(&self) -> WallClock {
        self.wall
    }

    /// How many are still to be sent or acknowledged.
    pub fn pending(&self) -> u64 {
        self.pending.get()
    }

    /// What became of them so far, by kind.
    pub fn tallies(&self) -> BTreeMap<NoticeKind, NoticeTally> {
        self.tallies.borrow().clone()
    }

    /// Reads the oracle's ledger, or writes into it.
    pub fn with_oracle<T>(&self, with: impl FnOnce(&mut Oracle) -> T) -> T {
        with(&mut self.oracle.borrow_mut())
    }

    /// Takes a notice and sends it when it is due.
    pub fn post(&self, notice: Notice) {
        self.count(notice.kind, |tally| tally.planned += 1);
        if notice.fate == Fate::Never {
            self.count(notice.kind, |tally| tally.lost += 1);
            return;
        }
        let Some(url) = Url::parse(&notice.url) else {
            self.fail(&notice, "not an absolute HTTP URL");
            return;
        };
        if url.is_reserved_name() {
            self.count(notice.kind, |tally| tally.skipped += 1);
            return;
        }
        if url.is_https {
            self.count(notice.kind, |tally| tally.plain += 1);
        }
        self.pending.set(self.pending.get() + 1);
        let after = Duration::from_millis(notice.after_ms);
        let lane = self.lane(&url.authority);
        let parts = [
            "GET ",
            &url.path,
            " HTTP/1.1\r\nhost: ",
            &url.authority,
            "\r\n\r\n",
        ];
        let request = Bytes::from(parts.concat());
        let letter = Letter {
            notice,
            lane,
            sending: Sending::After(0),
        };
        self.put(letter, request, after);
    }

    /// Sends a letter after a while. One task looks for those that are due, as long as there are any.
    fn put(&self, letter: Letter, request: Bytes, after: Duration) {
        let at = clock::now() + after;
        self.later.borrow_mut().put(at, (letter, request));
        if !self.is_looked_for.replace(true) {
            tasks::start(send_when_due(Weak::clone(&self.me)));
        }
    }

    fn send(&self, letter: Letter, request: Bytes, at: Instant) {
        if let Some(lane) = self.lanes.borrow().get(letter.lane) {
            lane.offer(Job {
                at,
                request,
                item: letter,
            });
        }
    }

    fn leaves(&self, notice: &Notice) {
        self.count(notice.kind, |tally| tally.sent += 1);
        if let Some(bill) = &notice.bill {
            let now_ms = self.wall.now_ms();
            self.oracle.borrow_mut().notice_sent(bill, now_ms);
        }
    }

    fn ended(&self, letter: Letter, request: Bytes, how: Ended<&()>) {
        let result = match how {
            Ended::Answered(status, ()) if is_acknowledged(letter.notice.kind, status) => Ok(()),
            Ended::Answered(status, ()) => Err(format!("status {status}")),
            Ended::Failed(_, what) => Err(what),
        };
        if let (Ok(()), Some(bill)) = (&result, &letter.notice.bill) {
            let now_ms = self.wall.now_ms();
            self.oracle.borrow_mut().notice_acknowledged(bill, now_ms);
        }
        if !self.goes_on(letter, request, result) {
            self.pending.set(self.pending.get().saturating_sub(1));
        }
    }

    /// What follows; whether the letter is sent once more.
    fn goes_on(&self, letter: Letter, request: Bytes, result: Result<(), String>) -> bool {
        let kind = letter.notice.kind;
        let retry = Duration::from_millis(self.settings.retry_ms);
        match (letter.sending, result) {
            // A repetition needs no answer; the first one was acknowledged.
            (Sending::Again, _) => false,
            // Whether it is refused or taken and ignored, the books have to tell.
            (_, Err(_)) if kind == NoticeKind::Forged => {
                self.count(kind, |tally| tally.refused += 1);
                false
            }
            (_, Ok(())) => {
                self.count(kind, |tally| tally.acknowledged += 1);
                let is_repeated = letter.notice.fate == Fate::Twice;
                if is_repeated {
                    let sending = Sending::Again;
                    self.put(Letter { sending, ..letter }, request, retry);
                }
                is_repeated
            }
            (Sending::After(failures), Err(why)) if failures >= self.settings.retries => {
                self.fail(&letter.notice, &why);
                false
            }
            (Sending::After(failures), Err(_)) => {
                let sending = Sending::After(failures + 1);
                self.put(Letter { sending, ..letter }, request, retry);
                true
            }
        }
    }

    /// The place of an address's lane.
    fn lane(&self, authority: &str) -> usize {
        if let Some(place) = self.places.borrow().get(authority) {
            return *place;
        }
        let target = Target {
            authority: authority.to_owned(),
            path: "/".to_owned(),
            is_https: false,
        };
        let limits = Limits {
            connections: CONNECTIONS_MAX,
            depth: self.settings.pipelined,
            give_up: ANSWER_WITHIN,
        };
        let lane = Lane::start(target, limits, Post(Weak::clone(&self.me)));
        let mut lanes = self.lanes.borrow_mut();
        let place = lanes.len();
        lanes.push(lane);
        self.places.borrow_mut().insert(authority.to_owned(), place);
        place
    }

    fn fail(&self, notice: &Notice, why: &str) {
        self.count(notice.kind, |tally| {
            tally.failed += 1;
            let shown: String = notice.url.chars().take(60).collect();
            tally.example.get_or_insert(format!("{why}: {shown}"));
        });
    }

    fn count(&self, kind: NoticeKind, change: impl FnOnce(&mut NoticeTally)) {
        change(self.tallies.borrow_mut().entry(kind).or_default());
    }
}

/// Sends letters when they are due, until there are none.
async fn send_when_due(desk: Weak<Desk>) {
    loop {
        clock::sleep(STEP).await;
        let Some(desk) = desk.upgrade() else { return };
        let now = clock::now();
        loop {
            let due = desk.later.borrow_mut().take(now);
            let Some(letters) = due else { break };
            for (letter, request) in letters {
                desk.send(letter, request, now);
            }
        }
        if desk.later.borrow().is_empty() {
            desk.is_looked_for.set(false);
            return;
        }
    }
}

/// A click is answered with the way to the advertiser.
fn is_acknowledged(kind: NoticeKind, status: u16) -> bool {
    matches!(status, 200..=299) || (kind == NoticeKind::Click && matches!(status, 300..=399))
}
