//! A scenario: what a run sends, whom it sends it to, how its auctions end and what it expects. A value that exists is
//! valid.
//!
//! `raw` has the shapes of the TOML; here they become values, and every fault of a file is reported at once.

mod arrivals;
mod auction;
mod expectation;
mod extends;
mod injection;
mod notices;
mod oracle;
mod raw;
mod server;
mod traffic;
mod validate;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::arrivals::{Arrivals, Schedule};
use crate::decimal::Micros;
use crate::replay::Recording;
use crate::wire::Target;
pub use auction::Auction;
pub use expectation::{Limits, Metric, Phase, Window};
use extends::Source;
pub(crate) use extends::merge;
pub use injection::{Act, Barrage, Injection, Siege};
pub use notices::Notices;
pub use oracle::{BooksRule, OracleExpectations, OracleSettings};
pub use server::{Server, Start};
pub use validate::{RATE_MAX, SECONDS_MAX};

mod bundled;

pub use bundled::BUNDLED;

/// What a run does.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name, or the path it was read from.
    pub name: String,
    /// One line for people.
    pub description: String,
    /// A paragraph for people: what the scenario shows.
    pub about: String,
    /// Requests per second over all exchanges.
    pub rate: u32,
    /// For how long, in seconds.
    pub seconds: u32,
    /// What all randomness follows from.
    pub seed: u64,
    /// When requests leave.
    pub arrivals: Arrivals,
    /// What becomes of answers.
    pub checks: Checks,
    /// Connections that one exchange opens at most.
    pub connections_max: usize,
    /// After how long an answer is not waited for any more.
    pub give_up: Duration,
    /// For how long the last notices are waited for.
    pub drain: Duration,
    /// Where the bidder's operator looks: metrics, campaigns, the tree.
    pub admin: Option<Target>,
    /// The server under test.
    pub server: Server,
    /// What is broken on purpose.
    pub injections: Vec<Injection>,
    /// The latency that 99 % have to keep, in ms, for a rate to count as carried.
    pub capacity_p99_ms: Option<f64>,
    /// Who sends requests; at least one.
    pub exchanges: Vec<Exchange>,
    /// What is sent.
    pub traffic: Traffic,
    /// How auctions end.
    pub auction: Auction,
    /// What is reported back.
    pub notices: Notices,
    /// What the oracle knows of the bidder.
    pub oracle: OracleSettings,
    /// What one unit of a currency is worth in USD, in micros.
    pub rates: BTreeMap<String, Micros>,
    /// What has to hold.
    pub expectations: Expectations,
}

/// What becomes of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checks {
    /// They are judged, auctioned and reported back.
    Full,
    /// They are counted. Requests are rendered before the run and sent again and again: for rates that judging does not
    /// reach.
    None,
}

/// One simulated exchange.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Its name.
    pub name: String,
    /// Where it sends bid requests.
    pub target: Target,
    /// How it speaks.
    pub dialect: Dialect,
    /// Its share of the traffic, relative to the others.
    pub weight: f64,
}

/// How an exchange shapes `OpenRTB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// As the text of 2.6 says.
    OpenRtb,
    /// Google: flags as booleans, 64-bit numbers as strings, billing ids.
    Google,
    /// Xandr: fields where 2.4 has them, numeric imp ids.
    Xandr,
}

/// What is sent.
#[derive(Clone, Debug)]
pub struct Traffic {
    /// How many people there are.
    pub users: u64,
    /// Where they are; at least one.
    pub regions: Vec<Region>,
    /// How often each kind of placement occurs.
    pub media: MediaWeights,
    /// How often each trait of a request occurs.
    pub shares: Shares,
    /// The lowest and the highest floor.
    pub floors: (Micros, Micros),
    /// Currencies of floors and how often they occur.
    pub floor_currencies: Vec<(String, f64)>,
    /// Domains that requests may block.
    pub blocked_domains: Vec<String>,
    /// Categories that requests may block.
    pub blocked_categories: Vec<String>,
    /// The shortest and the longest time to answer, in ms.
    pub tmax_ms: (u64, u64),
    /// How often requests say something of consent.
    pub privacy: PrivacyShares,
    /// Private deals.
    pub deals: Deals,
    /// The share of bodies that are packed.
    pub gzip_share: f64,
    /// How many requests are rendered before the run and sent round and round, each time with another id; 0 renders each
    /// one. For rates at which rendering counts; people come back as often as these requests do.
    pub prepared: u64,
    /// Requests that are sent instead of generated ones.
    pub recording: Option<Arc<Recording>>,
}

/// The share of requests, 0 to 1 and together at most 1, with each signal of consent.
#[derive(Clone, Debug, Default)]
pub struct PrivacyShares {
    /// Under GDPR, with a TCF string that agrees to everything.
    pub consented: f64,
    /// Under GDPR, with a TCF string that refuses everything.
    pub refused: f64,
    /// Under GDPR, without a TCF string.
    pub unasked: f64,
    /// With a US Privacy string that refuses sale.
    pub us_opt_out: f64,
    /// With a GPP string that refuses sale.
    pub gpp_opt_out: f64,
}

/// Private deals.
#[derive(Clone, Debug)]
pub struct Deals {
    /// The share of imps that offer any.
    pub share: f64,
    /// Of these, the share that only deals may buy.
    pub private_share: f64,
    /// Their ids; at least one.
    pub ids: Vec<String>,
}

/// A region and its countries.
#[derive(Clone, Debug)]
pub struct Region {
    /// Its name in the report.
    pub name: String,
    /// Its share of the traffic.
    pub weight: f64,
    /// Its countries (alpha-3); at least one.
    pub countries: Vec<&'static crate::traffic::Country>,
}

/// How often each kind of placement occurs.
#[derive(Clone, Debug)]
pub struct MediaWeights {
    /// One banner.
    pub banner: f64,
    /// One video.
    pub video: f64,
    /// One native.
    pub native: f64,
    /// A banner or a video in the same imp.
    pub multi_format: f64,
    /// Two or three imps.
    pub multi_imp: f64,
    /// One audio.
    pub audio: f64,
    /// Two or three videos of one pod.
    pub pod: f64,
}

/// The share of requests, 0 to 1, with each trait.
#[derive(Clone, Debug)]
pub struct Shares {
    /// From an app; the others come from sites.
    pub app: f64,
    /// Without anything that says who the user is.
    pub anonymous: f64,
    /// About a child (`regs.coppa`).
    pub coppa: f64,
    /// Where the user limits tracking (`device.lmt`).
    pub limited: f64,
    /// Shaped as in 2.5.
    pub old_shape: f64,
    /// With countries as alpha-2 codes.
    pub alpha2: f64,
    /// That need everything over HTTPS.
    pub secure: f64,
    /// Auctioned at the first price; the others at the second.
    pub first_price: f64,
    /// With a floor.
    pub floor: f64,
    /// That block domains and categories.
    pub blocking: f64,
    /// That are a test, not billable.
    pub test: f64,
}

/// What has to hold at the end. Shares are of requests, or of notices.
#[derive(Clone, Debug, Default)]
pub struct Expectations {
    /// Responses with a fault, at most.
    pub fault_share_max: Option<f64>,
    /// Requests without a response, at most.
    pub transport_failure_share_max: Option<f64>,
    /// Responses after `tmax`, at most.
    pub late_share_max: Option<f64>,
    /// Requests with a bid, at least.
    pub bid_share_min: Option<f64>,
    /// The same within each region.
    pub region_bid_share_min: Option<f64>,
    /// Latency from schedule that 99 % keep, in ms.
    pub p99_ms_max: Option<f64>,
    /// Notices never acknowledged, at most.
    pub notice_failure_share_max: Option<f64>,
    /// Impressions billed, at least.
    pub bills_min: Option<u64>,
    /// What the oracle is to find.
    pub oracle: OracleExpectations,
    /// Wrong answers to what was broken on purpose, at most.
    pub injected_wrong_max: Option<u64>,
    /// The highest rate carried at `capacity_p99_ms`, at least, in requests per second.
    pub capacity_min: Option<f64>,
    /// What has to hold within a part of the run.
    pub phases: Vec<Phase>,
    /// What has to hold on the server's metrics page.
    pub metrics: Vec<Metric>,
}

/// A scenario that cannot be run.
#[derive(Debug)]
pub struct ScenarioError {
    /// The scenario's name or path.
    pub file: String,
    /// Every fault found: key, value, what to do.
    pub faults: Vec<String>,
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.faults {
            writeln!(out, "{}: {fault}", self.file)?;
        }
        write!(out, "{} fault(s) in the scenario", self.faults.len())
    }
}

impl Scenario {
    /// Reads a bundled scenario by its name, or any other by its path.
    ///
    /// # Errors
    /// [`ScenarioError`] with every fault of the file.
    pub fn load(name: &str) -> Result<Self, ScenarioError> {
        let source = Source::find(name, Path::new("")).map_err(|fault| ScenarioError {
            file: name.to_owned(),
            faults: vec![fault],
        })?;
        Self::read(&source)
    }

    /// Reads a scenario's text; what it extends is bundled, or beside where the run is started.
    ///
    /// # Errors
    /// [`ScenarioError`] with every fault of the text.
    pub fn parse(name: &str, text: &str) -> Result<Self, ScenarioError> {
        Self::read(&Source::text(name, text))
    }

    fn read(source: &Source) -> Result<Self, ScenarioError> {
        let error = |faults| ScenarioError {
            file: source.name.clone(),
            faults,
        };
        let table = extends::merged(source).map_err(|fault| error(vec![fault]))?;
        let raw = raw::read(table).map_err(|fault| error(vec![fault]))?;
        validate::scenario(&source.name, raw).map_err(error)
    }

    /// Moves every port of the scenario's URLs; `None` where there is no such port.
    pub fn shift_ports(&mut self, shift: u16) -> Option<()> {
        let exchanges = self.exchanges.iter_mut();
        let targets = exchanges.map(|exchange| &mut exchange.target);
        for target in targets.chain(&mut self.admin) {
            let (host, port) = target.authority.rsplit_once(':')?;
            let port = port.parse::<u16>().ok()?.checked_add(shift)?;
            target.authority = format!("{host}:{port}");
        }
        Some(())
    }

    /// When the run's requests leave.
    pub fn schedule(&self) -> Schedule {
        let recorded = self.recorded_instants();
        let scale = (self.rate, self.seconds);
        Schedule::new(&self.arrivals, scale, self.seed, &recorded)
    }

    /// When recorded requests leave that are replayed: as they were, or at the scenario's rate where nothing was recorded.
    fn recorded_instants(&self) -> Arc<[Duration]> {
        let Some(recording) = &self.traffic.recording else {
            return Arc::from([]);
        };
        recording.instants().unwrap_or_else(|| {
            let evenly = Schedule::constant(self.rate, self.seconds);
            evenly.take(recording.len()).collect()
        })
    }

    /// How many requests the run sends; where instants are drawn, how many on average.
    pub fn requests(&self) -> u64 {
        self.schedule().expected()
    }

    /// An amount of one currency in another, rounded up; `None` where a rate is missing.
    pub fn exchanged(&self, amount: Micros, from: &str, to: &str) -> Option<Micros> {
        let worth = self.worth(amount, from)?;
        let unit = self.worth(Micros::new(1), to)?;
        let (whole, rest) = (worth.checked_div(unit)?, worth.checked_rem(unit)?);
        i64::try_from(whole + i128::from(rest > 0))
            .ok()
            .map(Micros::new)
    }

    /// An amount of one currency in USD-micros-of-micros, for comparing only; `None` where a rate is missing.
    pub fn worth(&self, amount: Micros, currency: &str) -> Option<i128> {
        let rate = match (currency, self.rates.get(currency)) {
            (_, Some(rate)) => rate.get(),
            ("USD", None) => 1_000_000,
            (_, None) => return None,
        };
        Some(i128::from(amount.get()) * i128::from(rate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steady() -> &'static str {
        BUNDLED[0].1
    }

    #[test]
    fn every_bundled_scenario_is_valid() {
        for (name, text) in BUNDLED {
            let scenario = Scenario::parse(name, text).unwrap();
            assert!(!scenario.description.is_empty(), "{name}");
            assert!(scenario.about.len() > 100, "{name}");
        }
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let text = format!("bid_rate = 7\n{}", steady());
        let error = Scenario::parse("x.toml", &text).unwrap_err().to_string();
        assert!(
            error.contains("x.toml") && error.contains("bid_rate"),
            "{error}"
        );
    }

    #[test]
    fn a_scenario_that_extends_another_names_the_table_of_a_wrong_key() {
        let text = "extends = \"steady\"\ndescription = \"x\"\n[traffic]\nusrs = 5";
        let error = Scenario::parse("x.toml", text).unwrap_err().to_string();
        assert!(
            error.contains("usrs") && error.contains("`traffic`"),
            "{error}"
        );
    }

    #[test]
    fn all_faults_come_at_once() {
        let text = steady()
            .replace("rate = 500", "rate = 0")
            .replace("app = 0.4", "app = 1.4")
            .replace("\"SGP\"", "\"XXX\"");
        let error = Scenario::parse("x.toml", &text).unwrap_err();
        let all = error.to_string();
        assert_eq!(error.faults.len(), 3, "{all}");
        for part in ["rate", "traffic.shares.app", "1.4", "XXX"] {
            assert!(all.contains(part), "{part} in {all}");
        }
    }

    #[test]
    fn a_scenario_that_is_neither_bundled_nor_a_file_is_named() {
        let error = Scenario::load("stedy").unwrap_err().to_string();
        assert!(
            error.contains("stedy") && error.contains("steady"),
            "{error}"
        );
    }
}
