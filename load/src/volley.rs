//! Prepared requests sent by the clock over a few connections, and only counted: for measuring, not for judging.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;

use crate::arrivals::Schedule;
use crate::clock;
use crate::cpu::{CpuError, CpuUse};
use crate::pacer::{self, Due, Pace};
use crate::tally::{LAG_MAX, LAG_SHARE_MAX, Latencies, share};
use crate::traffic::{Coding, Planned};
use crate::wire::{Ended, Errand, Job, Lane, Limits, Target};

#[cfg(test)]
mod tests;

/// After this an answer is not waited for any more.
pub const GIVE_UP: Duration = Duration::from_secs(5);
/// From the start of the pacer to the first request.
const LEAD: Duration = Duration::from_millis(5);
const DRAIN_STEP: Duration = Duration::from_millis(2);
/// Requests taken from the pacer at once: what falls due in a millisecond at the highest rate.
const BATCH: usize = 128;

/// A request's body and what its head says of it.
#[derive(Clone, Debug)]
pub struct Shell {
    /// The body.
    pub body: Bytes,
    /// How it travels.
    pub coding: Coding,
    /// What `x-openrtb-version` says.
    pub version: &'static str,
}

impl Shell {
    /// Of a request of the traffic, which gives its body away.
    pub fn take(planned: &mut Planned) -> Self {
        Self {
            body: std::mem::take(&mut planned.body),
            ..Self::of(planned)
        }
    }

    /// Of a request of the traffic.
    pub fn of(planned: &Planned) -> Self {
        Self {
            body: planned.body.clone(),
            coding: planned.coding,
            version: planned.version,
        }
    }

    /// The whole request, head and body.
    pub fn bytes(&self, target: &Target) -> Bytes {
        let coding = match self.coding {
            Coding::Plain => "",
            Coding::Gzip => "content-encoding: gzip\r\n",
        };
        let length = self.body.len().to_string();
        let head = [
            "POST ",
            &target.path,
            " HTTP/1.1\r\nhost: ",
            &target.authority,
            "\r\ncontent-type: application/json; charset=utf-8\r\naccept: application/json\r\nx-openrtb-version: ",
            self.version,
            "\r\n",
            coding,
            "content-length: ",
            &length,
            "\r\n\r\n",
        ];
        let parts = head.map(str::as_bytes).into_iter().chain([&*self.body]);
        let bytes: usize = parts.clone().map(<[u8]>::len).sum();
        let mut request = Vec::with_capacity(bytes);
        parts.for_each(|part| request.extend_from_slice(part));
        request.into()
    }
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
    /// What it cost this program: CPU time of all its threads.
    pub own_cpu: Duration,
    /// Requests taken up.
    pub started: u64,
    /// Of these, taken up more than [`LAG_MAX`] after their instant.
    pub lagging: u64,
}

impl Volley {
    /// Requests answered.
    pub fn answered(&self) -> u64 {
        self.bids + self.no_bids
    }

    /// What one request cost this program, in µs of CPU time.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    pub fn own_cpu_us(&self) -> f64 {
        self.own_cpu.as_secs_f64() * 1e6 / self.started.max(1) as f64
    }

    /// Whether the generator kept its own pace, so that latencies are the server's.
    pub fn is_valid(&self) -> bool {
        share(self.lagging, self.started) <= LAG_SHARE_MAX
    }

    fn ended(&mut self, latency: Duration, how: &Ended<&()>) {
        self.latencies.record(latency);
        match how {
            Ended::Answered(200, ()) => self.bids += 1,
            Ended::Answered(204, ()) => self.no_bids += 1,
            Ended::Answered(..) | Ended::Failed(..) => self.failures += 1,
        }
    }
}

/// Replies are only counted.
struct Count(Rc<RefCell<Volley>>);

impl Errand for Count {
    type Item = ();
    type Kept = ();

    fn ended(&self, job: Job<()>, how: Ended<&()>) {
        self.0.borrow_mut().ended(clock::since(job.at), &how);
    }
}

/// Requests for one address, and what has been counted of them.
pub struct Range {
    lane: Rc<Lane<Count>>,
    requests: Vec<Bytes>,
    volley: Rc<RefCell<Volley>>,
}

impl Range {
    /// Opens no connection yet. Must be called inside `tasks::run`.
    pub fn new(target: &Target, limits: Limits, shells: &[Shell]) -> Self {
        let volley = Rc::new(RefCell::new(Volley::default()));
        let lane = Lane::start(target.clone(), limits, Count(Rc::clone(&volley)));
        Self {
            lane,
            requests: shells.iter().map(|shell| shell.bytes(target)).collect(),
            volley,
        }
    }

    /// Sends all requests round and round, so many per second, for so long, and waits for the last answers.
    ///
    /// # Errors
    /// [`VolleyError`] where it cannot begin.
    pub async fn volley(&self, rate: u32, time: Duration) -> Result<Volley, VolleyError> {
        let own = CpuUse::own().map_err(VolleyError::Cpu)?;
        let start = clock::now() + LEAD;
        let seconds = u32::try_from(time.as_secs().max(1)).unwrap_or(u32::MAX);
        let pace = Pace {
            start,
            schedule: Schedule::constant(rate, seconds),
        };
        let mut due = pacer::start(pace, Some).map_err(VolleyError::Thread)?;
        let mut round = self.requests.iter().cycle();
        let mut batch: Vec<Due<u64>> = Vec::with_capacity(BATCH);
        while due.recv_many(&mut batch, BATCH).await > 0 {
            let now = clock::now();
            for Due { at, .. } in batch.drain(..) {
                self.started(now.saturating_duration_since(at));
                let Some(request) = round.next() else { break };
                self.lane.offer(Job {
                    at,
                    request: request.clone(),
                    item: (),
                });
            }
        }
        while self.lane.unfinished() > 0 {
            clock::sleep(DRAIN_STEP).await;
        }
        let mut volley = self.volley.take();
        volley.elapsed = clock::since(start);
        volley.own_cpu = CpuUse::own().map_err(VolleyError::Cpu)?.since(&own);
        Ok(volley)
    }

    fn started(&self, lag: Duration) {
        let mut volley = self.volley.borrow_mut();
        volley.started += 1;
        volley.lagging += u64::from(lag > LAG_MAX);
    }
}

/// A volley that could not begin.
#[derive(Debug)]
pub enum VolleyError {
    /// The system gave no thread.
    Thread(std::io::Error),
    /// This program's own CPU time cannot be read.
    Cpu(CpuError),
}

impl std::fmt::Display for VolleyError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Thread(error) => write!(out, "no thread for the pacer: {error}"),
            Self::Cpu(error) => write!(out, "{error}"),
        }
    }
}
