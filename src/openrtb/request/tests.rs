//! Facts about requests as they are sent, one table per leniency.

mod any_bytes;
mod lists;
mod objects;
mod scalars;
mod whole;

use serde_json::{Value, json};

use super::*;
use crate::openrtb::lenient::{Given, TextList};
use crate::units::Cpm;

/// Decodes an imp with these fields and hands it to `check`.
fn with_imp(fields: &Value, check: impl Fn(&Imp<'_>)) {
    let mut imp = json!({"id": "1"});
    for (name, value) in fields.as_object().unwrap() {
        imp[name] = value.clone();
    }
    let body = json!({"id": "r", "imp": [imp]}).to_string();
    check(&decode(body.as_bytes()).unwrap().imps[0]);
}

/// Decodes a request with these fields and hands it to `check`.
fn with_request(fields: &Value, check: impl Fn(&BidRequest<'_>)) {
    let mut request = json!({"id": "r", "imp": [{"id": "1"}]});
    for (name, value) in fields.as_object().unwrap() {
        request[name] = value.clone();
    }
    let body = request.to_string();
    check(&decode(body.as_bytes()).unwrap());
}

fn texts<'a>(list: &'a TextList<'_>) -> Vec<&'a str> {
    list.iter().collect()
}
