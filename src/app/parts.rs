//! What outlives the tree's children, made before it: sockets, addresses, tables, keys. A crash loses none of it.
//!
//! Each struct here is what one subtree is given; `app.rs` puts them in their places.

mod admin;
mod campaigns;
mod exchanges;
mod notices;
mod regions;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

pub(super) use campaigns::CampaignParts;
pub use exchanges::ExchangeParts;
pub(super) use notices::NoticesParts;
pub use regions::RegionParts;

use super::meters;
use super::secrets::{self, Secrets, SecretsError};
use crate::admin::admin_listener::AdminParts;
use crate::campaign::approval_server::{self, ApprovalDesk, ApprovalsFault};
use crate::campaign::budget::LEASE_TTL;
use crate::campaign::campaign_server::Directory;
use crate::campaign::click_rate_server::{ClickMessage, ClickMeter};
use crate::campaign::{ClickRates, LeftOut, SLOTS_MAX, Shelf, SlotTable};
use crate::chaos::{FailPoint, FailPoints};
use crate::clock::Clock;
use crate::config::{self, Config, Settings};
use crate::exchange::outcome::Outcome;
use crate::exchange::stop_all::StopAll;
use crate::http::{DataThreads, ListenError, ListeningSocket};
use crate::notice::token::Sealer;
use crate::store::checkpoint_server::WriteCheckpoint;
use crate::store::journal_server::Journal;
use crate::supervision::{Planes, Post, Tree};
use crate::telemetry::{AggregatorParts, LogLimits, LogPlace, Meters, RequestCounters, Trace};

/// A data thread sheds what it takes for its laps to come no later than this part of the smallest deadline.
const LATE_PART: u32 = 10;
/// Reloads may bring as many new campaigns as there were while the old ones' slots still rest.
const SLOTS_PER_CAMPAIGN: usize = 2;

/// What the whole tree is given.
pub struct Parts {
    /// The configuration.
    pub settings: Arc<Settings>,
    /// The tree itself, to be looked at and reached into.
    pub tree: Tree,
    /// The clock.
    pub clock: Clock,
    /// The data threads.
    pub threads: DataThreads,
    /// When one of them sheds.
    pub late_max: Duration,
    /// Telemetry.
    pub telemetry: TelemetryParts,
    /// The store.
    pub store: StoreParts,
    /// Campaigns.
    pub campaigns: CampaignParts,
    /// Every region.
    pub regions: Vec<RegionParts>,
    /// Every exchange.
    pub exchanges: Vec<ExchangeParts>,
    /// Notices.
    pub notices: NoticesParts,
    /// Administration.
    pub admin: AdminParts,
    /// Campaigns that are not offered, and why.
    pub left_out: Vec<LeftOut>,
}

/// What telemetry is given.
pub struct TelemetryParts {
    /// What is measured and what happens.
    pub aggregator: AggregatorParts,
    /// Where traces go.
    pub traces: Post<Trace>,
    /// Where events are written.
    pub events_at: LogPlace,
    /// Where traces are written.
    pub traces_at: LogPlace,
}

/// What the store is given.
pub struct StoreParts {
    /// Where movements go.
    pub journal: Journal,
    /// Where checkpoints go.
    pub checkpoints: Post<WriteCheckpoint>,
    /// Where both are kept.
    pub folder: PathBuf,
    /// Where the journal may be made to fail.
    pub fail_point: FailPoint,
}

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum PartsError {
    /// A socket.
    #[error("{0}")]
    Listen(#[from] ListenError),
    /// A key.
    #[error("{0}")]
    Secrets(#[from] SecretsError),
    /// What exchanges think of creatives.
    #[error("{0}")]
    Approvals(#[from] ApprovalsFault),
    /// A list of people that was right a moment ago.
    #[error("{0}")]
    Segments(#[from] config::Faults),
}

/// What subtrees share while they are made.
struct Ground {
    settings: Arc<Settings>,
    clock: Clock,
    tree: Tree,
    threads: DataThreads,
    shelf: Arc<Shelf>,
    approvals: ApprovalDesk,
    journal: Journal,
    directory: Directory,
    holds: Arc<[Duration]>,
    slots_max: usize,
    secrets: Secrets,
    sealer: Arc<Sealer>,
    stop_all: StopAll,
    fail_points: FailPoints,
    clicks: Post<ClickMessage>,
    click_meter: Arc<ClickMeter>,
}

impl Parts {
    /// Makes everything: binds the sockets, opens the secrets, builds the catalogue. Starts nothing.
    ///
    /// `folder` is where the catalogue is read again from; `control` is the runtime of whatever waits.
    ///
    /// # Errors
    /// [`PartsError`], for an operator.
    pub fn new(
        config: Config,
        folder: &Path,
        clock: Clock,
        control: Handle,
    ) -> Result<Self, PartsError> {
        let sockets = sockets(&config.settings)?;
        let (ground, left_out) = Ground::new(config, clock, control)?;
        let campaigns = campaigns::build(&ground, folder);
        let (regions, map) = regions::build(&ground);
        let telemetry = telemetry_parts(&ground, &regions);
        let tap = exchanges::Tap::new(&ground, &telemetry);
        let exchanges =
            exchanges::build(&ground, &campaigns.catalogue, map, (sockets.exchanges, tap));
        let meters = &telemetry.aggregator.meters;
        let notices = notices::build(&ground, &regions, sockets.notices, meters);
        let admin = admin::build(&ground, &exchanges, (sockets.admin, &campaigns, &telemetry));
        let store = StoreParts {
            journal: ground.journal,
            checkpoints: Post::new(),
            folder: ground.settings.server.data_dir.clone(),
            fail_point: ground.fail_points.point("store/journal"),
        };
        Ok(Self {
            late_max: smallest_deadline(&ground.settings) / LATE_PART,
            settings: ground.settings,
            tree: ground.tree,
            clock: ground.clock,
            threads: ground.threads,
            telemetry,
            store,
            campaigns,
            regions,
            exchanges,
            notices,
            admin,
            left_out,
        })
    }
}

impl Ground {
    fn new(
        config: Config,
        clock: Clock,
        control: Handle,
    ) -> Result<(Self, Vec<LeftOut>), PartsError> {
        let Config {
            settings,
            catalogue,
        } = config;
        let secrets = secrets::open(&settings.server.data_dir)?;
        let tree = Tree::new(Planes::new(control, data_threads(&settings)), clock.clone());
        let holds = holds(&settings);
        let slots_max = (settings.campaigns.max_live * SLOTS_PER_CAMPAIGN).min(SLOTS_MAX);
        let slots = SlotTable::with_limit(slots_rest(longest(&holds)), slots_max);
        let (rates, now) = (
            settings.rates.in_usd.clone(),
            (clock.monotonic(), clock.wall()),
        );
        let file = settings.server.data_dir.join(approval_server::FILE_NAME);
        let approvals =
            approval_server::read(&file)?.approvals(&campaigns::approval_first(&settings));
        let segments = config::load_segments(&settings, &secrets.users)?;
        let rates = (rates, ClickRates::believed(settings.click_rates));
        let (shelf, left_out) = Shelf::new((catalogue, segments), slots, rates, approvals, now);
        let (current, former) = &secrets.tokens;
        let ground = Self {
            threads: DataThreads::new(tree.planes()),
            shelf: Arc::new(shelf),
            approvals: ApprovalDesk::new(settings.exchanges.iter().map(|it| it.key)),
            journal: Journal::new(),
            directory: Directory::default(),
            holds,
            slots_max,
            sealer: Arc::new(Sealer::new(current, former)),
            stop_all: StopAll::at(settings.server.data_dir.join("stop-all")),
            fail_points: FailPoints::default(),
            clicks: Post::new(),
            click_meter: Arc::default(),
            settings: Arc::new(settings),
            clock,
            tree,
            secrets,
        };
        Ok((ground, left_out))
    }
}

/// How long a slot rests between two campaigns: until the last lease has ended, and the last promise from it has lapsed,
/// which is up to a 48th of its hold later than its hold.
fn slots_rest(hold_longest: Duration) -> Duration {
    LEASE_TTL + hold_longest + hold_longest / 16 + Duration::from_secs(10)
}

fn longest(holds: &[Duration]) -> Duration {
    holds.iter().copied().max().unwrap_or_default()
}

/// As many as configured, or one for each core.
fn data_threads(settings: &Settings) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    settings
        .server
        .data_threads
        .map_or(cores, std::num::NonZero::get)
}

struct Sockets {
    exchanges: Vec<Arc<ListeningSocket>>,
    notices: Arc<ListeningSocket>,
    admin: Arc<ListeningSocket>,
}

fn sockets(settings: &Settings) -> Result<Sockets, ListenError> {
    let bind = |address| ListeningSocket::bind(address).map(Arc::new);
    Ok(Sockets {
        exchanges: settings
            .exchanges
            .iter()
            .map(|exchange| bind(exchange.listen))
            .collect::<Result<_, _>>()?,
        notices: bind(settings.notices.listen)?,
        admin: bind(settings.admin.listen)?,
    })
}

/// The different holds of the exchanges; an exchange's hold class is its place among them.
fn holds(settings: &Settings) -> Arc<[Duration]> {
    let holds: BTreeSet<Duration> = settings
        .exchanges
        .iter()
        .map(|exchange| exchange.hold)
        .collect();
    holds.into_iter().collect()
}

fn smallest_deadline(settings: &Settings) -> Duration {
    settings
        .exchanges
        .iter()
        .map(|exchange| exchange.default_tmax)
        .min()
        .unwrap_or(Duration::from_millis(100))
}

fn telemetry_parts(ground: &Ground, regions: &[RegionParts]) -> TelemetryParts {
    let settings = &ground.settings;
    let telemetry = &settings.telemetry;
    let names = settings.exchanges.iter().map(|exchange| &*exchange.name);
    let counters = RequestCounters::new(names, Outcome::labels(), ground.threads.count());
    let sources = (&ground.shelf, &ground.click_meter);
    let mut gauges = meters::gauges(&ground.threads, sources, &ground.stop_all, regions);
    let exchanges = settings.exchanges.iter();
    gauges.extend(exchanges.map(|it| meters::rejected(&it.name, it.key, &ground.approvals)));
    let folder = settings.server.data_dir.join("log");
    let limits = LogLimits {
        file_bytes: telemetry.max_file_bytes,
        files: telemetry.max_files,
    };
    let rated = Arc::clone(settings);
    let place = |is_on: bool| LogPlace {
        folder: is_on.then(|| folder.clone()),
        limits,
    };
    TelemetryParts {
        aggregator: AggregatorParts {
            meters: Arc::new(Meters::new(Arc::new(counters), gauges)),
            observations: Arc::clone(ground.tree.observations()),
            event_log: Post::new(),
            days_if_rates_are_old: Arc::new(move |now| rated.rates.days_if_old(now)),
        },
        traces: Post::new(),
        events_at: place(telemetry.event_log),
        traces_at: place(telemetry.trace_one_in > 0),
    }
}
