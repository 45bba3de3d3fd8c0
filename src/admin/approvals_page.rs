//! What exchanges think of creatives, as an operator sees it and says it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::answers::{line, refusal};
use crate::campaign::approval_book::{Judgement, Place, REFUSALS};
use crate::campaign::approval_server::{ApprovalDesk, ApprovalMessage, Known, SayError};
use crate::campaign::{Approval, Shelf};
use crate::http::{Answer, StatusCode, parameter};
use crate::units::{CreativeKey, ExchangeKey, UnixMillis};

/// How long the approvals may take: they may be building a large catalogue, or wait for the disk.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

const STATES: &str = "state: approved, rejected, or unknown to forget what is known";

/// What the page is given. Cheap to clone.
#[derive(Clone)]
pub struct ApprovalPageParts {
    /// Who knows.
    pub desk: ApprovalDesk,
    /// The creatives' names.
    pub shelf: Arc<Shelf>,
    /// The exchanges, and whether each runs only what it has approved.
    pub exchanges: Arc<[(Arc<str>, ExchangeKey, bool)]>,
}

impl ApprovalPageParts {
    /// Everything that is known.
    pub(super) async fn list(&self) -> Answer {
        let call = self.desk.post().call(ApprovalMessage::List);
        match tokio::time::timeout(ANSWER_WITHIN, call).await {
            Ok(Ok(known)) => Answer::json(line(&self.page(&known))).packed(),
            Ok(Err(error)) => refusal(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
            Err(_) => silent(),
        }
    }

    /// An operator says what an exchange thinks of a creative: `<exchange>/<creative>`.
    pub(super) async fn say(&self, place: &str, query: Option<&str>) -> Answer {
        let (place, approval) = match self.said(place, query.unwrap_or_default()) {
            Ok(said) => said,
            Err((status, why)) => return refusal(status, &why),
        };
        let said = |reply| ApprovalMessage::Say(place, approval, reply);
        let call = self.desk.post().call(said);
        match tokio::time::timeout(ANSWER_WITHIN, call).await {
            Ok(Ok(Ok(()))) => Answer::json(line(&json!({ "ok": true }))),
            Ok(Ok(Err(error))) => {
                let status = match error {
                    SayError::Full(_) => StatusCode::INSUFFICIENT_STORAGE,
                    SayError::File(_) => StatusCode::INTERNAL_SERVER_ERROR,
                };
                refusal(status, &error.to_string())
            }
            Ok(Err(error)) => refusal(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
            Err(_) => silent(),
        }
    }

    fn said(
        &self,
        place: &str,
        query: &str,
    ) -> Result<(Place, Option<Approval>), (StatusCode, String)> {
        let missing = |why: String| (StatusCode::NOT_FOUND, why);
        let approval = match parameter(query, "state").as_deref() {
            Some("approved") => Some(Approval::Approved),
            Some("rejected") => Some(Approval::Rejected),
            Some("unknown") => None,
            _ => return Err((StatusCode::BAD_REQUEST, STATES.to_owned())),
        };
        let (exchange, creative) = place
            .split_once('/')
            .ok_or_else(|| missing("/approvals/<exchange>/<creative>".to_owned()))?;
        let mut exchanges = self.exchanges.iter();
        let (_, exchange_key, _) = exchanges
            .find(|(name, ..)| **name == *exchange)
            .ok_or_else(|| missing(format!("no exchange {exchange:?}")))?;
        let key = CreativeKey::of(creative);
        // What is not configured any more may be forgotten; to judge it would be a slip of the pen.
        if approval.is_some() && !self.has_creative(key) {
            return Err(missing(format!(
                "no campaign shows a creative {creative:?}"
            )));
        }
        Ok(((*exchange_key, key), approval))
    }

    fn has_creative(&self, key: CreativeKey) -> bool {
        let campaigns = self.shelf.campaigns();
        let mut creatives = campaigns.iter().flat_map(|campaign| &campaign.creatives);
        creatives.any(|creative| creative.key == key)
    }

    fn page(&self, known: &Known) -> Value {
        let campaigns = self.shelf.campaigns();
        let creatives = campaigns.iter().flat_map(|campaign| &campaign.creatives);
        let names: HashMap<CreativeKey, &str> = creatives
            .map(|creative| (creative.key, &*creative.id))
            .collect();
        let row = |(exchange, creative): Place| {
            let mut exchanges = self.exchanges.iter();
            let exchange_name = exchanges.find(|(_, key, _)| *key == exchange);
            // One that the configuration has no more is told by its key.
            let creative_name = names.get(&creative).map(|name| (*name).to_owned());
            json!({
                "exchange": exchange_name.map_or_else(|| unnamed(exchange.raw()), |(name, ..)| name.to_string()),
                "creative": creative_name.unwrap_or_else(|| unnamed(creative.raw())),
            })
        };
        let judged = known.judged.iter().map(|(place, judgement)| {
            let mut row = row(*place);
            describe(&mut row, judgement);
            row
        });
        let refusals = known.refusals.iter().map(|(place, bids)| {
            let mut row = row(*place);
            if let Some(row) = row.as_object_mut() {
                row.insert("refused_bids".to_owned(), json!(bids));
                row.insert("rejected_at".to_owned(), json!(REFUSALS));
            }
            row
        });
        let first = self.exchanges.iter().filter(|(.., first)| *first);
        json!({
            "approval_first": first.map(|(name, ..)| &**name).collect::<Vec<&str>>(),
            "approvals": judged.collect::<Vec<Value>>(),
            "refusals": refusals.collect::<Vec<Value>>(),
        })
    }
}

fn describe(row: &mut Value, judgement: &Judgement) {
    let state = match judgement.approval {
        Approval::Approved => "approved",
        Approval::Rejected => "rejected",
    };
    if let Some(row) = row.as_object_mut() {
        row.insert("state".to_owned(), json!(state));
        row.insert("source".to_owned(), json!(judgement.source.name()));
        row.insert("at".to_owned(), json!(written(judgement.at)));
        row.insert("until".to_owned(), json!(judgement.until.map(written)));
    }
}

fn unnamed(key: u64) -> String {
    format!("#{key:016x}")
}

fn written(time: UnixMillis) -> String {
    Timestamp::from_millisecond(time.get())
        .map_or_else(|_| time.get().to_string(), |it| it.to_string())
}

fn silent() -> Answer {
    let why = "the approvals do not answer";
    refusal(StatusCode::SERVICE_UNAVAILABLE, why)
}
