//! Answers of every kind, right and wrong. A wrong one differs from a right one in one thing, so that each fault shows
//! that its check can fail.

mod formats;
mod responses;
mod rules;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::fake::right_answer;
use crate::traffic::{Generator, Planned, Slot};

fn content(body: &[u8]) -> Content {
    Content {
        media_type: "application/json".into(),
        body: body.to_vec(),
    }
}

fn scenario() -> Scenario {
    Scenario::load("steady").unwrap()
}

fn requests(scenario: &Scenario) -> impl Iterator<Item = Planned> {
    let generator = Generator::new(1, scenario.traffic.clone(), &scenario.exchanges);
    (0..).map_while(move |index| generator.request(index))
}

/// The first request with one imp of this kind.
fn request(scenario: &Scenario, wanted: impl Fn(&Planned) -> bool) -> (Planned, Value) {
    let planned =
        requests(scenario).find(|planned| planned.asked.imps.len() == 1 && wanted(planned));
    let planned = planned.unwrap();
    let asked: Value = serde_json::from_slice(&planned.body).unwrap();
    let right = right_answer(&asked, "127.0.0.1:8110");
    (planned, right)
}

fn kinds(scenario: &Scenario, asked: &Asked, response: &Value) -> BTreeSet<FaultKind> {
    let content = content(response.to_string().as_bytes());
    let verdict = judge(scenario, asked, (200, &content));
    verdict.faults.iter().map(|fault| fault.kind).collect()
}

type Change = fn(&mut Value);

fn bid(response: &mut Value) -> &mut Value {
    &mut response["seatbid"][0]["bid"][0]
}

fn remove(response: &mut Value, field: &str) {
    bid(response).as_object_mut().unwrap().remove(field);
}

fn replace(response: &mut Value, field: &str, from: &str, to: &str) {
    let text = bid(response)[field].as_str().unwrap();
    assert!(text.contains(from), "{from} in {text}");
    bid(response)[field] = json!(text.replace(from, to));
}

/// Applies each change to a right answer and finds exactly its fault.
fn each_is_found(wanted: impl Fn(&Planned) -> bool, changes: &[(FaultKind, Change)]) {
    let scenario = scenario();
    let (planned, right) = request(&scenario, wanted);
    assert_eq!(kinds(&scenario, &planned.asked, &right), BTreeSet::new());
    for (number, (kind, change)) in changes.iter().enumerate() {
        let mut wrong = right.clone();
        change(&mut wrong);
        let found = kinds(&scenario, &planned.asked, &wrong);
        assert_eq!(found, BTreeSet::from([*kind]), "change {number}");
    }
}

fn has_banner(planned: &Planned) -> bool {
    let imp = &planned.asked.imps[0];
    imp.is_secure && imp.floor.is_some() && matches!(imp.slots[..], [Slot::Banner(_)])
}
