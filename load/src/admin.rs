//! A bidder's admin server: what is asked of it, and told to it.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::HOST;
use hyper::{Method, Request};

use crate::clock;
use crate::wire::{Answer, Pool, Target};

/// A server that is busy may be late, and a run must not wait for it.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);
/// What is polled, and a fault beside it.
const CONNECTIONS: usize = 4;

/// An admin server.
pub struct Admin {
    target: Target,
    pool: Pool,
}

impl Admin {
    /// At this address.
    pub fn new(target: &Target) -> Self {
        Self {
            target: target.clone(),
            pool: Pool::new(&target.authority, CONNECTIONS),
        }
    }

    /// GETs a page.
    ///
    /// # Errors
    /// What was seen instead of a 2xx.
    pub async fn get(&self, path: &str) -> Result<Bytes, String> {
        self.ask(Method::GET, path).await
    }

    /// POSTs an order without a body.
    ///
    /// # Errors
    /// What was seen instead of a 2xx.
    pub async fn post(&self, path: &str) -> Result<Bytes, String> {
        self.ask(Method::POST, path).await
    }

    async fn ask(&self, method: Method, path: &str) -> Result<Bytes, String> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.target.authority.as_str())
            .body(Full::new(Bytes::new()))
            .map_err(|error| error.to_string())?;
        let sending = self.pool.send(request);
        let answer = clock::before(clock::now() + ANSWER_WITHIN, sending)
            .await
            .ok_or_else(|| format!("no answer within {} s", ANSWER_WITHIN.as_secs()))?
            .map_err(|error| error.to_string())?;
        if answer.status.is_success() {
            Ok(answer.body)
        } else {
            Err(refusal(&answer))
        }
    }
}

/// The status and the beginning of what it says.
fn refusal(answer: &Answer) -> String {
    let said: String = String::from_utf8_lossy(&answer.body)
        .trim()
        .chars()
        .take(160)
        .collect();
    format!("status {}: {said}", answer.status.as_u16())
}
