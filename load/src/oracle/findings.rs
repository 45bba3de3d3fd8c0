//! Bids and impressions that ought not to be.

use std::fmt::Write;

use serde_json::{Value, json};

/// How often something was found, and the first one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Example {
    /// How often.
    pub count: u64,
    /// The first one.
    pub first: String,
}

/// What the oracle found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Bids for people who had surely seen the campaign as often as they may.
    pub capped_bids: Example,
    /// Impressions above the cap.
    pub capped_impressions: Example,
    /// Bids of campaigns with a cap for people whom nobody can tell from others.
    pub unknown_person: Example,
    /// Bids for which there was surely no budget left.
    pub over_budget: Example,
    /// Bids that the oracle had no room for.
    pub forgotten: u64,
}

impl Example {
    pub(super) fn add(&mut self, what: impl FnOnce() -> String) {
        if self.count == 0 {
            self.first = what();
        }
        self.count += 1;
    }
}

impl Findings {
    /// All that was above a cap.
    pub const fn caps_exceeded(&self) -> u64 {
        self.capped_bids.count + self.capped_impressions.count + self.unknown_person.count
    }

    fn named(&self) -> [(&'static str, &Example); 4] {
        [
            ("capped_bids", &self.capped_bids),
            ("capped_impressions", &self.capped_impressions),
            ("unknown_person", &self.unknown_person),
            ("over_budget", &self.over_budget),
        ]
    }

    /// One line for each that was found.
    pub fn text(&self) -> String {
        let mut lines = String::new();
        for (name, example) in self.named() {
            if example.count > 0 {
                // Writing into a `String` cannot fail.
                writeln!(
                    lines,
                    "oracle     {} x {name}: {}",
                    example.count, example.first
                )
                .ok();
            }
        }
        if self.forgotten > 0 {
            writeln!(
                lines,
                "oracle     {} bids more than it has room for",
                self.forgotten
            )
            .ok();
        }
        lines
    }

    /// For machines.
    pub fn json(&self) -> Value {
        let named = self.named().into_iter();
        let named = named.map(|(name, example)| {
            (
                name.to_owned(),
                json!({"count": example.count, "example": example.first}),
            )
        });
        let mut all: serde_json::Map<String, Value> = named.collect();
        all.insert("forgotten".to_owned(), json!(self.forgotten));
        Value::Object(all)
    }
}
