//! What a run found: for people as text, for machines as JSON, and whether it is what was expected.

mod expect;
mod html;
mod json;
mod oracle;
mod text;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::books::Reckoning;
use crate::faults;
use crate::marks::Mark;
use crate::notices::{Desk, NoticeKind, NoticeTally};
use crate::oracle::Total;
use crate::scenario::{Checks, Scenario};
use crate::tally::Tally;
use crate::watch;
pub use expect::{Expectation, Outcome};
pub use oracle::OracleReport;

/// What happened beside the traffic.
#[derive(Debug, Default)]
pub struct Story {
    /// How long requests were sent for.
    pub elapsed: Duration,
    /// What happened when.
    pub marks: Vec<Mark>,
    /// What became of each fault, as the scenario orders them.
    pub injected: Vec<faults::Seen>,
    /// What the server said of itself.
    pub watch: watch::Seen,
    /// What nobody asked for, and what fails the run.
    pub troubles: Vec<String>,
    /// What a server of the run's own printed.
    pub server_log: Option<PathBuf>,
}

/// The highest rate that was carried.
#[derive(Clone, Copy, Debug)]
pub struct Capacity {
    /// The latency that 99 % had to keep, in ms.
    pub p99_ms: f64,
    /// Requests per second, and the second that had them; `None` where no second kept it.
    pub rate: Option<(u64, usize)>,
}

/// What a run found.
#[derive(Debug)]
pub struct Report {
    /// The scenario's name.
    pub scenario: String,
    /// What it shows.
    pub about: String,
    /// The name of each fault, as the scenario orders them.
    pub injections: Vec<String>,
    /// What happened beside the traffic.
    pub story: Story,
    /// The capacity found, where the scenario asks for it.
    pub capacity: Option<Capacity>,
    /// What it was run with.
    pub seed: u64,
    /// Requests per second that were due, on average over the whole run.
    pub rate: u64,
    /// Whether answers were judged, or only counted.
    pub checks: Checks,
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
    /// What the oracle found.
    pub oracle: OracleReport,
}

impl Report {
    /// Sums up.
    pub fn new(scenario: &Scenario, tally: &Tally, desk: &Desk, story: Story) -> Self {
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
        let capacity = scenario.capacity_p99_ms.map(|p99_ms| Capacity {
            p99_ms,
            rate: tally.series.capacity(p99_ms),
        });
        let mut expectations = expect::judge(&scenario.expectations, tally, &notices, bills);
        expectations.extend(expect::judge_story(scenario, tally, &story, capacity));
        let injections = scenario.injections.iter();
        let mut story = story;
        story
            .troubles
            .extend(without_effect(scenario, &story.injected));
        Self {
            about: scenario.about.clone(),
            injections: injections.map(|each| each.act.label()).collect(),
            capacity,
            scenario: scenario.name.clone(),
            seed: scenario.seed,
            rate: scenario.requests() / u64::from(scenario.seconds.max(1)),
            checks: scenario.checks,
            elapsed: story.elapsed,
            names: (exchanges.cloned().collect(), regions.cloned().collect()),
            tally: tally.clone(),
            expectations,
            story,
            notices,
            notices_pending: desk.pending(),
            spend,
            oracle: OracleReport::default(),
        }
    }

    /// Adds what the oracle found.
    pub fn reckon(&mut self, reckoning: Option<Reckoning>, scenario: &Scenario, desk: &Desk) {
        let forged = self.notices.get(&NoticeKind::Forged);
        self.oracle = OracleReport {
            findings: desk.with_oracle(|oracle| oracle.findings().clone()),
            reckoning,
            slow_bid_ratio: self.tally.slowness.bid_ratio(),
            forged: forged.map_or(0, |tally| tally.sent),
        };
        let expected = &scenario.expectations.oracle;
        self.expectations.extend(self.oracle.judge(expected));
    }

    /// Whether the generator kept its own pace. A search for the capacity ends in overload on purpose, and says something
    /// if it kept it until the second that the capacity is of.
    pub fn is_valid(&self) -> bool {
        match self.capacity.and_then(|capacity| capacity.rate) {
            Some((_, second)) => self.tally.series.kept_pace_until(second),
            None => self.tally.is_valid(),
        }
    }

    /// Whether all holds that was expected.
    pub fn holds(&self) -> bool {
        let mut expectations = self.expectations.iter();
        let all_hold = expectations.all(|expectation| expectation.outcome == Outcome::Pass);
        all_hold && self.story.troubles.is_empty()
    }

    /// For people, with plots: one HTML file that needs no other.
    pub fn html(&self) -> String {
        html::write(self)
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

/// Faults that struck and never took effect: what they should have shown was not shown.
fn without_effect<'a>(
    scenario: &'a Scenario,
    seen: &'a [faults::Seen],
) -> impl Iterator<Item = String> + use<> {
    let faults = scenario.injections.iter().zip(seen);
    let vain = faults.filter(|(_, seen)| seen.strikes > 0 && seen.effective == 0);
    let told = vain.map(|(injection, seen)| {
        let why = seen.example.as_deref().unwrap_or("it did not end in time");
        format!("the fault {} took no effect: {why}", injection.act.label())
    });
    told.collect::<Vec<_>>().into_iter()
}
