//! Sends notices, again where they are not acknowledged, and tells the oracle about bills.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use hyper::header::HOST;

use super::{Fate, Notice, NoticeKind};
use crate::clock::WallClock;
use crate::oracle::Oracle;
use crate::wire::{Answer, Pool, Target};
use crate::{clock, scenario, tasks};

/// A notice without an answer for so long is sent again.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Connections to one notice server.
const CONNECTIONS_MAX: usize = 64;

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
    pools: RefCell<HashMap<String, Rc<Pool>>>,
    tallies: RefCell<BTreeMap<NoticeKind, NoticeTally>>,
    oracle: RefCell<Oracle>,
    wall: WallClock,
    pending: Cell<u64>,
}

impl Desk {
    /// Nothing sent yet.
    pub fn new(settings: scenario::Notices) -> Self {
        Self {
            settings,
            wall: WallClock::read(),
            oracle: RefCell::default(),
            pools: RefCell::default(),
            tallies: RefCell::default(),
            pending: Cell::new(0),
        }
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
    pub fn post(self: &Rc<Self>, notice: Notice) {
        self.count(notice.kind, |tally| tally.planned += 1);
        if notice.fate == Fate::Never {
            self.count(notice.kind, |tally| tally.lost += 1);
            return;
        }
        let Some(target) = Target::parse(&notice.url) else {
            self.fail(&notice, "not an absolute HTTP URL");
            return;
        };
        if target.is_reserved_name() {
            self.count(notice.kind, |tally| tally.skipped += 1);
            return;
        }
        if target.is_https {
            self.count(notice.kind, |tally| tally.plain += 1);
        }
        self.pending.set(self.pending.get() + 1);
        let desk = Rc::clone(self);
        tasks::start(async move {
            desk.deliver(&notice, &target).await;
            desk.pending.set(desk.pending.get().saturating_sub(1));
        });
    }

    async fn deliver(&self, notice: &Notice, target: &Target) {
        clock::sleep(Duration::from_millis(notice.after_ms)).await;
        if notice.kind == NoticeKind::Forged {
            self.deliver_forged(notice, target).await;
            return;
        }
        let retry = Duration::from_millis(self.settings.retry_ms);
        for attempt in 0..=self.settings.retries {
            if attempt > 0 {
                clock::sleep(retry).await;
            }
            match self.attempt(notice, target).await {
                Ok(()) => {
                    self.count(notice.kind, |tally| tally.acknowledged += 1);
                    if notice.fate == Fate::Twice {
                        clock::sleep(retry).await;
                        // A repetition needs no answer; the first one was acknowledged.
                        drop(self.attempt(notice, target).await);
                    }
                    return;
                }
                Err(why) if attempt == self.settings.retries => self.fail(notice, &why),
                Err(_) => {}
            }
        }
    }

    /// Whether it is refused or taken and ignored, the books have to tell.
    async fn deliver_forged(&self, notice: &Notice, target: &Target) {
        let result = self.attempt(notice, target).await;
        self.count(notice.kind, |tally| match result {
            Ok(()) => tally.acknowledged += 1,
            Err(_) => tally.refused += 1,
        });
    }

    async fn attempt(&self, notice: &Notice, target: &Target) -> Result<(), String> {
        let request = Request::get(target.path.as_str())
            .header(HOST, target.authority.as_str())
            .body(Full::new(Bytes::new()))
            .map_err(|error| error.to_string())?;
        let pool = self.pool(&target.authority);
        let handed = |_| {
            self.count(notice.kind, |tally| tally.sent += 1);
            if let Some(bill) = &notice.bill {
                let now_ms = self.wall.now_ms();
                self.oracle.borrow_mut().notice_sent(bill, now_ms);
            }
        };
        let sending = pool.send(request, &handed);
        let Some(result) = clock::before(clock::now() + ANSWER_WITHIN, sending).await else {
            return Err(format!("no answer within {} s", ANSWER_WITHIN.as_secs()));
        };
        let answer = result.map_err(|error| error.to_string())?;
        if !is_acknowledged(notice.kind, &answer) {
            return Err(format!("status {}", answer.status));
        }
        if let Some(bill) = &notice.bill {
            let now_ms = self.wall.now_ms();
            self.oracle.borrow_mut().notice_acknowledged(bill, now_ms);
        }
        Ok(())
    }

    fn pool(&self, authority: &str) -> Rc<Pool> {
        let mut pools = self.pools.borrow_mut();
        let pool = pools
            .entry(authority.to_owned())
            .or_insert_with(|| Rc::new(Pool::new(authority, CONNECTIONS_MAX)));
        Rc::clone(pool)
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

/// A click is answered with the way to the advertiser.
fn is_acknowledged(kind: NoticeKind, answer: &Answer) -> bool {
    answer.status.is_success() || (kind == NoticeKind::Click && answer.status.is_redirection())
}
