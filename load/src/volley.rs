//! Prepared requests sent by the clock over a few connections, and only counted: for measuring, not for judging.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use hyper::{Request, StatusCode};

use crate::pacer::{self, Due, Pace};
use crate::tally::Latencies;
use crate::wire::{Answer, Pool, Target, WireError};
use crate::{clock, tasks};

const OPENRTB_VERSION: HeaderName = HeaderName::from_static("x-openrtb-version");
/// After this an answer is not waited for any more.
const GIVE_UP: Duration = Duration::from_secs(5);
/// From the start of the pacer to the first request.
const LEAD: Duration = Duration::from_millis(5);
const DRAIN_STEP: Duration = Duration::from_millis(2);

/// A request's body and its version header.
#[derive(Clone, Debug)]
pub struct Shell {
    /// The JSON.
    pub body: Bytes,
    /// What `x-openrtb-version` says.
    pub version: &'static str,
}

/// Where to, over what.
pub struct Lane {
    /// Where.
    pub target: Target,
    /// Over what.
    pub pool: Pool,
}

/// What came of a volley.
#[derive(Clone, Debug, Default)]
pub struct Volley {
    /// Answers with content.
    pub bids: u64,
    /// Answers without.
    pub no_bids: u64,
    /// Other answers, or none.
    pub failures: u64,
    /// From the instant each was due.
    pub latencies: Latencies,
    /// From the first instant to the last answer.
    pub elapsed: Duration,
}

impl Volley {
    /// Requests answered.
    pub fn answered(&self) -> u64 {
        self.bids + self.no_bids
    }
}

impl Lane {
    /// For `target`, with at most so many connections.
    pub fn new(target: Target, connections: usize) -> Self {
        let pool = Pool::new(&target.authority, connections);
        Self { target, pool }
    }

    /// Sends one and reads the answer; `None` where it takes too long.
    pub async fn send(&self, at: Instant, shell: &Shell) -> Option<Result<Answer, WireError>> {
        let request = Request::post(self.target.path.as_str())
            .header(HOST, self.target.authority.as_str())
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(OPENRTB_VERSION, HeaderValue::from_static(shell.version))
            .body(Full::new(shell.body.clone()))
            .ok()?;
        clock::before(at + GIVE_UP, self.pool.send(request, &|_| {})).await
    }
}

/// Sends `shells` round and round, so many per second, for so long. Must be called inside `tasks::run`.
///
/// # Errors
/// Where the system gives no thread.
pub async fn volley(
    lane: &Rc<Lane>,
    shells: &[Shell],
    rate: u32,
    time: Duration,
) -> std::io::Result<Volley> {
    let pace = Pace {
        start: clock::now() + LEAD,
        rate,
        count: u64::from(rate) * time.as_secs().max(1),
    };
    let shells = shells.to_vec();
    let mut round = (0..shells.len()).cycle();
    let mut due = pacer::start(pace, move |_| shells.get(round.next()?).cloned())?;
    let shared = Rc::new(RefCell::new((Volley::default(), 0u64)));
    while let Some(Due { at, item: shell }) = due.recv().await {
        shared.borrow_mut().1 += 1;
        let (lane, shared) = (Rc::clone(lane), Rc::clone(&shared));
        tasks::start(async move {
            let result = lane.send(at, &shell).await;
            let (volley, in_flight) = &mut *shared.borrow_mut();
            volley.latencies.record(clock::since(at));
            match result {
                Some(Ok(answer)) if answer.status == StatusCode::OK => volley.bids += 1,
                Some(Ok(answer)) if answer.status == StatusCode::NO_CONTENT => volley.no_bids += 1,
                _ => volley.failures += 1,
            }
            *in_flight -= 1;
        });
    }
    while shared.borrow().1 > 0 {
        clock::sleep(DRAIN_STEP).await;
    }
    let mut volley = shared.borrow().0.clone();
    volley.elapsed = clock::since(pace.start);
    Ok(volley)
}
