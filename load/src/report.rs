//! What a run found: for people as text, for machines as JSON, and whether it is what was expected.

mod expect;
mod json;
mod text;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::notices::{Desk, NoticeKind, NoticeTally};
use crate::oracle::Total;
use crate::scenario::Scenario;
use crate::tally::Tally;
pub use expect::{Expectation, Outcome};

/// What a run found.
#[derive(Debug)]
pub struct Report {
    /// The scenario's name.
    pub scenario: String,
    /// What it was run with.
    pub seed: u64,
    /// Requests per second that were due.
    pub rate: u32,
    /// How long requests were sent for.
    pub elapsed: Duration,
    /// Names of exchanges and regions, as the tally orders them.
    pub names: (Vec<String>, Vec<String>),
    /// What was counted.
    pub tally: Tally,
    /// What became of notices.
    pub notices: BTreeMap<NoticeKind, NoticeTally>,
    /// Notices still due when the run ended.
    pub notices_pending: u64,
    /// Acknowledged bills by currency.
    pub spend: BTreeMap<String, Total>,
    /// What was expected, and what was found.
    pub expectations: Vec<Expectation>,
}

impl Report {
    /// Sums up.
    pub fn new(scenario: &Scenario, tally: &Tally, desk: &Desk, elapsed: Duration) -> Self {
        let notices = desk.tallies();
        let spend = desk.with_oracle(|oracle| {
            let spend = oracle.spend().into_iter();
            spend
                .map(|(currency, total)| (currency.to_owned(), total))
                .collect::<BTreeMap<String, Total>>()
        });
        let exchanges = scenario.exchanges.iter().map(|exchange| &exchange.name);
        let regions = scenario.traffic.regions.iter().map(|region| &region.name);
        let bills = spend.values().map(|total| total.count).sum();
        Self {
            scenario: scenario.name.clone(),
            seed: scenario.seed,
            rate: scenario.rate,
            elapsed,
            names: (exchanges.cloned().collect(), regions.cloned().collect()),
            tally: tally.clone(),
            expectations: expect::judge(&scenario.expectations, tally, &notices, bills),
            notices,
            notices_pending: desk.pending(),
            spend,
        }
    }

    /// Whether the generator kept its own pace.
    pub fn is_valid(&self) -> bool {
        self.tally.is_valid()
    }

    /// Whether all holds that was expected.
    pub fn holds(&self) -> bool {
        let mut expectations = self.expectations.iter();
        expectations.all(|expectation| expectation.outcome == Outcome::Pass)
    }

    /// For people.
    pub fn text(&self) -> String {
        text::write(self)
    }

    /// For machines.
    pub fn json(&self) -> serde_json::Value {
        json::write(self)
    }
}
