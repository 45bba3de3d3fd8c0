//! What `bidtree.toml` says: every setting of the server, valid and complete.

mod click_rates;
mod exchange;
mod read;
mod region;
mod relations;
mod rules;
mod segment;
mod server;
mod traffic;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

pub(super) use read::read;

use crate::bidding::{SupplyPolicy, Traffic};
use crate::campaign::{Country, Priors, Rates};
use crate::supervision::{Limit, Probation};
use crate::units::{Cpm, ExchangeKey, RegionKey, UnixMillis};

/// The most exchanges, and the most regions. Each has children, metrics and tables of its own.
pub const PLACES_MAX: usize = 32;

/// The settings of one server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The process.
    pub server: Server,
    /// The exchanges, by name.
    pub exchanges: Vec<Exchange>,
    /// The regions, by name; exactly one is for the rest.
    pub regions: Vec<Region>,
    /// Where exchanges and players report.
    pub notices: Notices,
    /// The operator's door.
    pub admin: Admin,
    /// What is written down.
    pub telemetry: Telemetry,
    /// The campaigns' processes.
    pub campaigns: Campaigns,
    /// The journal.
    pub store: Store,
    /// What currencies are worth.
    pub rates: StatedRates,
    /// Whose traffic is not wanted.
    pub traffic: Arc<Traffic>,
    /// Our own lists of people.
    pub segments: Vec<SegmentList>,
    /// Ceilings that nothing passes.
    pub fuses: Fuses,
    /// What is believed of how often creatives are clicked.
    pub click_rates: Priors,
}

/// The process as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Threads that answer bid requests; `None`: one for each core.
    pub data_threads: Option<NonZeroUsize>,
    /// Where the journal, the checkpoints and the secrets are, relative to where the server was started.
    pub data_dir: PathBuf,
    /// How long requests in hand may take once the server is asked to stop.
    pub drain: Duration,
    /// Root's limit; over it the process ends.
    pub restart_limit: Limit,
}

/// One exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Its name.
    pub name: Arc<str>,
    /// The key of its name.
    pub key: ExchangeKey,
    /// How it speaks `OpenRTB`.
    pub dialect: Dialect,
    /// Where it sends bid requests.
    pub listen: SocketAddr,
    /// What of its time goes for the way there and back; less than `default_tmax`.
    pub network_margin: Duration,
    /// How long it waits where a request does not say.
    pub default_tmax: Duration,
    /// Our seat there, for advertisers that have none of their own.
    pub seat: Option<Arc<str>>,
    /// Every seat that we have there, `seat` among them.
    pub seats: Vec<Arc<str>>,
    /// How many bids it takes for one impression.
    pub bids_per_imp: NonZeroUsize,
    /// Whether it runs only creatives that it has approved.
    pub review: Review,
    /// Which supply chains it is bought from.
    pub supply: Arc<SupplyPolicy>,
    /// Over it the exchange is degraded: it answers 204.
    pub restart_limit: Limit,
    /// When bidding is tried again after that.
    pub probation: Probation,
    /// Connections; more are closed at once.
    pub max_connections: usize,
    /// After it a connection closes with its next answer, so that load spreads again.
    pub connection_max_age: Duration,
    /// A connection without a request is closed after it.
    pub idle_timeout: Duration,
    /// From a head's first byte to its last.
    pub header_timeout: Duration,
    /// The largest body, packed or unpacked.
    pub max_body_bytes: usize,
    /// Whether answers are packed for who asks.
    pub coding: Coding,
    /// How long a bid's money stays promised without a notice.
    pub hold: Duration,
    /// What makes an impression billable.
    pub billing: Billing,
    /// Whether bids have a win notice URL (`nurl`).
    pub notice_url: bool,
    /// Where it takes our ids of its users.
    pub sync_url: Option<Arc<str>>,
}

/// When an exchange looks at creatives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Review {
    /// It runs only what it has approved (`approval_first`).
    First,
    /// While they run, or never: what nobody has judged is bid.
    Meanwhile,
}

/// How an exchange speaks `OpenRTB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// As the specification says.
    OpenRtb,
    /// As Google's Authorized Buyers do.
    Google,
    /// As Xandr does.
    Xandr,
}

/// How answers are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// Packed with gzip for exchanges that ask for it.
    GzipWhereAsked,
    /// Never packed.
    Plain,
}

/// What makes an impression billable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Billing {
    /// The billing notice, `burl`.
    Burl,
    /// The impression in our markup.
    Impression,
    /// The win notice, `nurl`.
    Win,
}

/// One region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its name.
    pub name: Arc<str>,
    /// The key of its name.
    pub key: RegionKey,
    /// Its countries, each of which is in no other region.
    pub countries: Vec<Country>,
    /// Whether it is for every other country, and for requests that name none.
    pub rest: bool,
    /// Over it the region is closed: nothing is bid there.
    pub restart_limit: Limit,
    /// When it is opened again after that.
    pub probation: Probation,
}

/// Where wins, bills, losses, impressions and clicks are reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notices {
    /// Where the server listens for them.
    pub listen: SocketAddr,
    /// What URLs in bids begin with; no slash at its end.
    pub public_url: Arc<str>,
    /// The same over https, for markup that may load nothing else.
    pub secure_url: Option<Arc<str>>,
    /// Over it notices are answered 503, so that exchanges try again.
    pub restart_limit: Limit,
    /// When they are taken again after that.
    pub probation: Probation,
}

/// The operator's door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admin {
    /// Where the server listens for its operators.
    pub listen: SocketAddr,
    /// Whether an operator may kill any child; only on a loopback address.
    pub chaos: bool,
    /// Over it the subtree ends, and the root counts that.
    pub restart_limit: Limit,
}

/// What is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telemetry {
    /// Whether what happens in the tree is logged.
    pub event_log: bool,
    /// One request in so many is traced; 0: none.
    pub trace_one_in: u32,
    /// A file is full at this size.
    pub max_file_bytes: u64,
    /// Full files that are kept; the oldest goes.
    pub max_files: u32,
    /// Over it nothing is written down, and metrics stay.
    pub restart_limit: Limit,
    /// When writing is tried again after that.
    pub probation: Probation,
}

/// The campaigns' processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Campaigns {
    /// The most that are live at once.
    pub max_live: usize,
    /// Whether caps hold for bids of a former process, too, at the price of waiting until none can be billed.
    pub strict_caps: bool,
    /// The limit of catalogue, pool and roster together; and of what learns from losses and clicks.
    pub restart_limit: Limit,
    /// When what learns is tried again over it.
    pub probation: Probation,
    /// Each campaign's own limit; over it that campaign is set aside.
    pub campaign_restart_limit: Limit,
}

/// The journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    /// The limit of its writer.
    pub restart_limit: Limit,
}

/// What currencies are worth, and since when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatedRates {
    /// The day they are of.
    pub as_of: Option<Date>,
    /// How old they may be before somebody is told.
    pub max_age: Duration,
    /// What one unit of each is worth in US dollars.
    pub in_usd: Rates,
}

impl StatedRates {
    /// How many days old they are at `now`, if that is more than they may be.
    pub fn days_if_old(&self, now: UnixMillis) -> Option<i32> {
        let now = Timestamp::from_millisecond(now.get()).ok()?;
        let today = now.to_zoned(TimeZone::UTC).date();
        let days = self.as_of?.until(today).ok()?.get_days();
        let old = Duration::from_hours(24).saturating_mul(u32::try_from(days).ok()?);
        (old > self.max_age).then_some(days)
    }
}

/// A list of people who are in a segment of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentList {
    /// The segment's name.
    pub name: Arc<str>,
    /// Where the list is.
    pub file: PathBuf,
    /// What it lists.
    pub ids: Ids,
}

/// How a list names people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    /// By their ids, as requests have them.
    Plain,
    /// By their user keys: ids that were hashed already.
    Keys,
}

/// Ceilings that nothing passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fuses {
    /// No bid is above it, in US dollars.
    pub max_cpm: Cpm,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_old_when_they_are_older_than_they_may_be() {
        let rates = StatedRates {
            as_of: "2026-01-05".parse().ok(),
            max_age: Duration::from_hours(30 * 24),
            in_usd: Rates::default(),
        };
        let at = |text: &str| UnixMillis::new(text.parse::<Timestamp>().unwrap().as_millisecond());
        assert_eq!(rates.days_if_old(at("2026-02-04T23:59:59Z")), None);
        assert_eq!(rates.days_if_old(at("2026-02-05T00:00:00Z")), Some(31));
        assert_eq!(rates.days_if_old(at("2025-01-01T00:00:00Z")), None);
        let undated = StatedRates {
            as_of: None,
            ..rates
        };
        assert_eq!(undated.days_if_old(at("2030-01-01T00:00:00Z")), None);
    }
}
