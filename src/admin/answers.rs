//! Answers that several pages give.

use serde_json::{Value, json};

use crate::http::{Answer, ContentType, StatusCode};

/// A refusal with its reason, as JSON.
pub(super) fn refusal(status: StatusCode, why: &str) -> Answer {
    Answer::new(status, ContentType::JSON, line(&json!({ "error": why })))
}

/// A value on a line of its own.
pub(super) fn line(value: &Value) -> String {
    format!("{value}\n")
}
