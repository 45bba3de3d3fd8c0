//! Is an answer right? Everything an exchange would refuse a bid for, by name, with one example kept of each.
//!
//! Written from the text of `OpenRTB` and from what exchanges publish, not from the bidder: what both got wrong in the
//! same way would not show.

mod bid;
mod fault;
mod markup;
mod native;
mod response;
mod restrictions;
mod text;
mod vast;

pub use bid::SoundBid;
pub use fault::{Fault, FaultKind};
pub use markup::Trackers;

use std::borrow::Cow;
use std::collections::HashSet;

use crate::scenario::Scenario;
use crate::traffic::Asked;
use crate::wire::Content;
use response::{Response, text};

/// What became of a request.
#[derive(Debug, Default)]
pub struct Verdict<'a> {
    /// Bids that an auction can take.
    pub bids: Vec<SoundBid<'a>>,
    /// What is wrong.
    pub faults: Vec<Fault>,
}

impl Verdict<'_> {
    fn fault(&mut self, kind: FaultKind, what: impl Into<String>) {
        self.faults.push(Fault::new(kind, what));
    }
}

/// Judges an answer: its status and its content.
pub fn judge<'a>(
    scenario: &Scenario,
    asked: &Asked,
    (status, answer): (u16, &'a Content),
) -> Verdict<'a> {
    let mut verdict = Verdict::default();
    match status {
        200 => content(scenario, asked, answer, &mut verdict),
        204 if answer.body.is_empty() => {}
        204 => verdict.fault(FaultKind::Status, "204 with a body"),
        status => verdict.fault(FaultKind::Status, format!("status {status}")),
    }
    verdict
}

fn content<'a>(scenario: &Scenario, asked: &Asked, answer: &'a Content, verdict: &mut Verdict<'a>) {
    let media_type = &answer.media_type;
    let wanted = "application/json";
    let named = media_type.get(..wanted.len()).unwrap_or_default();
    if !named.eq_ignore_ascii_case(wanted) {
        verdict.fault(FaultKind::ContentType, format!("{media_type:?}"));
    }
    let response: Response<'a> = match serde_json::from_slice(&answer.body) {
        Ok(response) => response,
        Err(error) => {
            let shown: String = String::from_utf8_lossy(&answer.body)
                .chars()
                .take(80)
                .collect();
            return verdict.fault(FaultKind::Json, format!("{error}: {shown}"));
        }
    };
    if response.id.as_deref() != Some(asked.id.as_str()) {
        verdict.fault(
            FaultKind::ResponseId,
            format!("{:?} for request {}", response.id.as_deref(), asked.id),
        );
    }
    let Some(seats) = response.seatbid.as_ref().filter(|seats| !seats.is_empty()) else {
        return;
    };
    if response.nbr.is_some() {
        verdict.fault(FaultKind::ResponseShape, "nbr together with bids");
    }
    let currency = response.cur.as_deref().unwrap_or("USD");
    if !asked.currencies.iter().any(|known| known == currency) {
        verdict.fault(
            FaultKind::Currency,
            format!("{currency}, of {:?}", asked.currencies),
        );
    }
    let mut ids = HashSet::new();
    let scene = bid::Scene {
        scenario,
        asked,
        currency: response.cur.as_ref().map_or(Cow::Borrowed("USD"), text),
        bidid: response.bidid.as_ref().map_or_else(Cow::default, text),
    };
    for seat in seats {
        if seat.bid.is_empty() {
            verdict.fault(FaultKind::ResponseShape, "a seatbid without a bid");
        }
        for bid in &seat.bid {
            if !ids.insert(&*bid.id) {
                verdict.fault(FaultKind::BidId, format!("{:?} twice", bid.id));
            }
            bid::judge(&scene, seat.seat.as_ref(), bid, verdict);
        }
    }
}

#[cfg(test)]
mod tests;
