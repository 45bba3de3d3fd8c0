//! `POST /explain`: a bid request, explained on a thread of its own, so that no data thread and no other page waits for it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::answers::refusal;
use crate::chaos::FailPoint;
use crate::clock::Clock;
use crate::exchange::explain::{Explainer, Explanation, Unexplained, Wanted};
use crate::http::{Answer, ContentType, StatusCode, parameter};
use crate::supervision::{CallFailed, Post, Reply, Spec, thread};
use crate::units::Monotonic;

/// Explained at one time: one, and one that waits. Each may ask every campaign there is, on a core that data threads use.
const MAILBOX: usize = 1;
/// What one explanation may take: a hundred thousand campaigns are asked in 0.3 s for each impression in an unoptimised
/// build, and a request has a handful, at most 64.
const EXPLAIN_WITHIN: Duration = Duration::from_secs(10);
/// How long its answer is waited for: behind another one, and a little.
const ANSWER_WITHIN: Duration = Duration::from_secs(25);
/// Campaigns that are listed of each impression where nothing else is asked.
const LISTED: usize = 50;
/// The most that are listed: some hundred bytes each.
const LISTED_MAX: usize = 1_000;

/// An exchange whose bids can be explained.
pub struct Explained {
    /// Its name.
    pub exchange: Arc<str>,
    /// The largest body that it may send.
    pub body_bytes_max: usize,
    /// What explains.
    pub explainer: Explainer,
}

/// What explanations are given. Cheap to clone.
#[derive(Clone)]
pub struct ExplainParts {
    /// Where requests wait.
    pub post: Post<Inquiry>,
    /// Every exchange.
    pub exchanges: Arc<[Explained]>,
    /// The clock.
    pub clock: Clock,
    /// Where it may be made to fail.
    pub fail_point: FailPoint,
}

/// A request that is to be explained.
pub struct Inquiry {
    /// Its exchange's place among the exchanges.
    place: usize,
    body: Vec<u8>,
    wanted: Wanted,
    is_pretty: bool,
    reply: Reply<Result<String, Unexplained>>,
}

/// The thread that explains, as a child.
pub fn explainer(parts: &ExplainParts) -> Spec {
    let (exchanges, clock) = (Arc::clone(&parts.exchanges), parts.clock.clone());
    let fail_point = parts.fail_point.clone();
    thread(
        "explainer",
        &parts.post,
        MAILBOX,
        move |context, mailbox| {
            context.child().ready();
            while let Ok(inquiry) = mailbox.recv() {
                fail_point.pass()?;
                let Some(asked) = exchanges.get(inquiry.place) else {
                    continue;
                };
                let began = clock.monotonic();
                let is_over =
                    || context.child().is_stopping() || took(&clock, began) > EXPLAIN_WITHIN;
                let explained =
                    asked
                        .explainer
                        .explain(&inquiry.body, &inquiry.wanted, (&clock, &is_over));
                // Whoever asked may have gone.
                let text = explained.map(|explanation| written(&explanation, inquiry.is_pretty));
                inquiry.reply.send(text);
            }
            Ok(())
        },
    )
}

fn took(clock: &Clock, began: Monotonic) -> Duration {
    clock.monotonic().since(began)
}

fn written(explanation: &Explanation, is_pretty: bool) -> String {
    let written = if is_pretty {
        serde_json::to_string_pretty(explanation)
    } else {
        serde_json::to_string(explanation)
    };
    // Its keys are texts and its numbers finite, so that it is always written.
    written.unwrap_or_default() + "\n"
}

impl ExplainParts {
    /// The answer to a request that somebody wants explained.
    pub(super) async fn answer(&self, query: Option<&str>, body: &[u8]) -> Answer {
        let asked = match self.asked(query.unwrap_or_default(), body) {
            Ok(asked) => asked,
            Err((status, why)) => return refusal(status, &why),
        };
        let (place, wanted, is_pretty) = asked;
        let call = self.post.call(|reply| Inquiry {
            place,
            body: body.to_vec(),
            wanted,
            is_pretty,
            reply,
        });
        let unavailable = StatusCode::SERVICE_UNAVAILABLE;
        match tokio::time::timeout(ANSWER_WITHIN, call).await {
            Ok(Ok(Ok(text))) => Answer::new(StatusCode::OK, ContentType::JSON, text).packed(),
            Ok(Ok(Err(error))) => {
                let status = match error {
                    Unexplained::Decode(_) => StatusCode::BAD_REQUEST,
                    Unexplained::NoCampaign(_) => StatusCode::NOT_FOUND,
                    Unexplained::TooLong => unavailable,
                };
                refusal(status, &error.to_string())
            }
            Ok(Err(CallFailed::Full)) => refusal(
                StatusCode::TOO_MANY_REQUESTS,
                "another request is being explained; ask again",
            ),
            Ok(Err(error)) => refusal(unavailable, &error.to_string()),
            Err(_) => refusal(unavailable, "the explanation does not come"),
        }
    }

    fn asked(
        &self,
        query: &str,
        body: &[u8],
    ) -> Result<(usize, Wanted, bool), (StatusCode, String)> {
        let bad = |why: String| (StatusCode::BAD_REQUEST, why);
        let name = parameter(query, "exchange").unwrap_or_default();
        let mut all = self.exchanges.iter();
        let place = all.position(|it| *it.exchange == *name);
        let found = place.and_then(|place| Some((place, self.exchanges.get(place)?)));
        let Some((place, exchange)) = found else {
            let names: Vec<Value> = self
                .exchanges
                .iter()
                .map(|it| json!(*it.exchange))
                .collect();
            let names = Value::from(names);
            return Err(bad(format!("exchange = {name:?}: one of {names}")));
        };
        if body.len() > exchange.body_bytes_max {
            let most = exchange.body_bytes_max;
            let why = format!("the exchange takes bodies of up to {most} bytes");
            return Err((StatusCode::PAYLOAD_TOO_LARGE, why));
        }
        let limit = match parameter(query, "limit") {
            None => LISTED,
            Some(text) => match text.parse() {
                Ok(limit) if limit <= LISTED_MAX => limit,
                _ => return Err(bad(format!("limit = {text:?}: 0 to {LISTED_MAX}"))),
            },
        };
        let wanted = Wanted {
            campaign: parameter(query, "campaign").map(std::borrow::Cow::into_owned),
            limit,
        };
        Ok((place, wanted, parameter(query, "pretty").is_some()))
    }
}
