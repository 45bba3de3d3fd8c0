//! How fast a bid is decided on realistic catalogues: the search for candidates, the decision, and the rebuild.
//!
//! `cargo bench --bench search` writes catalogues of the sizes it needs with the generator of `bidtree-load`, reads them as
//! the server does, and asks them for random impressions. `-- --quick` takes a tenth of the samples.

#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark reads clocks, prints, and may panic"
)]

use std::error::Error;
use std::hint::black_box;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bidtree::bidding::{
    CANDIDATES_MAX, Context, Funds, Offered, Opportunity, PassReason, Place, decide,
};
use bidtree::campaign::{
    Approvals, Campaign, Candidates, Catalogue, Category, CategorySet, ClickRates, Country,
    DeviceType, Language, MoreSegments, Os, Query, Rates, Shape, Size, SlotTable, Terms, Through,
};
use bidtree::config::{self, Settings};
use bidtree::openrtb::decode;
use bidtree::units::{
    CampaignKey, CampaignSlot, ExchangeKey, Monotonic, Nanos, RegionKey, UnixMillis,
};

/// 2026-03-04 03:04:05 UTC, a Wednesday.
const NOW: UnixMillis = UnixMillis::new(1_772_593_445_000);
/// Searches that are timed together, since one is shorter than a look at the clock.
const BATCH: u32 = 100;

type Fallible<T> = Result<T, Box<dyn Error>>;

fn main() -> Fallible<()> {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let batches = if quick { 200 } else { 2_000 };
    println!("| what | campaigns | p50 | p99 | mean | goal |");
    println!("|---|---|---|---|---|---|");
    for (campaigns, one_in_ten, none) in [
        (1_000, None, None),
        (3_000, Some(0.3), None),
        (100_000, Some(1.0), Some(15.0)),
    ] {
        let world = World::load(campaigns)?;
        world.searches(
            batches,
            "until one in ten passes",
            (Some(10), usize::MAX),
            one_in_ten,
        );
        world.searches(
            batches,
            "none passes, as many as a bid looks at",
            (None, CANDIDATES_MAX),
            none,
        );
        world.searches(
            batches,
            "none passes, all of them",
            (None, usize::MAX),
            None,
        );
        world.decisions(batches, (campaigns == 1_000).then_some(1.5));
        if campaigns == 100_000 {
            world.rebuilds();
        }
    }
    Ok(())
}

/// A catalogue as the server has it.
struct World {
    campaigns: Vec<Arc<Campaign>>,
    settings: Settings,
    slots: SlotTable,
    catalogue: Catalogue,
}

impl World {
    fn load(campaigns: u32) -> Fallible<Self> {
        let folder = folder(campaigns)?;
        let limit = (
            "BIDTREE__CAMPAIGNS__MAX_LIVE".to_owned(),
            campaigns.to_string(),
        );
        let config = config::load(&folder, [limit]).map_err(|faults| faults.to_string())?;
        let mut slots = SlotTable::with_limit(Duration::from_mins(1), config.catalogue.len());
        let keys: Vec<CampaignKey> = config
            .catalogue
            .iter()
            .map(|campaign| campaign.key)
            .collect();
        let refused = slots.settle(&keys, Monotonic::default());
        assert!(refused.is_empty(), "every campaign has a slot");
        let rates = &config.settings.rates.in_usd;
        let catalogue = built(&config.catalogue, &slots, rates);
        Ok(Self {
            catalogue,
            campaigns: config.catalogue,
            settings: config.settings,
            slots,
        })
    }

    /// Looks for candidates until one passes, which one in so many does, or none.
    fn searches(
        &self,
        batches: u32,
        what: &str,
        (one_in, most): (Option<u64>, usize),
        goal_us: Option<f64>,
    ) {
        let mut random = fastrand::Rng::with_seed(7);
        let impressions: Vec<Impression> = (0..BATCH)
            .map(|_| Impression::random(&mut random))
            .collect();
        let (mut samples, mut found) = (Vec::new(), 0_u32);
        for _ in 0..batches {
            let start = Instant::now();
            for impression in &impressions {
                let mut candidates = Candidates::default();
                self.catalogue
                    .search_into(&impression.query(), &mut candidates);
                for rank in candidates.by_ref().take(most) {
                    found += 1;
                    if one_in.is_some_and(|one_in| random.u64(..one_in) == 0) {
                        break;
                    }
                    black_box(rank);
                }
            }
            samples.push(start.elapsed());
        }
        let each = found / (batches * BATCH);
        self.row(
            &format!("search, {what} ({each} looked at)"),
            &mut samples,
            goal_us,
        );
    }

    /// Decides a banner of a request that is read already, with money that is always there.
    fn decisions(&self, batches: u32, goal_us: Option<f64>) {
        let body = br#"{"id":"r","tmax":100,"imp":[{"id":"1","bidfloor":0.05,"banner":{"w":300,"h":250}}],
            "site":{"domain":"news.example","cat":["IAB12"]},"device":{"devicetype":2,"os":"Windows","language":"en",
            "ip":"192.0.2.1","geo":{"country":"SGP"}},"user":{"id":"u"}}"#;
        let Ok(request) = decode(body) else {
            return;
        };
        let place = self.place();
        let (mut samples, mut bids) = (Vec::new(), 0);
        for _ in 0..batches {
            let start = Instant::now();
            for _ in 0..BATCH {
                let context = Context::read(black_box(&request), place);
                let Ok(context) = context else { continue };
                let Some(imp) = request.imps.first() else {
                    continue;
                };
                let Ok(mut chance) = Opportunity::read(imp, 0, &context) else {
                    continue;
                };
                let mut choices = Vec::new();
                let chosen = decide(
                    (&context, &mut chance),
                    &self.catalogue,
                    &mut choices,
                    &mut Rich,
                    &|| false,
                );
                bids += u32::from(black_box(chosen).is_ok());
            }
            samples.push(start.elapsed());
        }
        let share = 100 * bids / (batches * BATCH);
        self.row(
            &format!("decision for a banner ({share} % bids)"),
            &mut samples,
            goal_us,
        );
    }

    fn place(&self) -> Place<'_> {
        Place {
            exchange: ExchangeKey::of("openrtb"),
            seat: Some("bidtree"),
            seats: &[],
            supply: None,
            traffic: None,
            bids_per_imp: NonZeroUsize::MIN,
            region: RegionKey::of("sg"),
            user: None,
            own_segments: &[],
            at: NOW,
            rates: &self.settings.rates.in_usd,
            ceiling: None,
            has_secure_notices: true,
        }
    }

    fn rebuilds(&self) {
        let rates = &self.settings.rates.in_usd;
        let mut samples = Vec::new();
        let mut grown = 0;
        for _ in 0..5 {
            let before = resident_bytes();
            let start = Instant::now();
            let built = built(&self.campaigns, &self.slots, rates);
            samples.push(start.elapsed());
            grown = grown.max(resident_bytes().saturating_sub(before));
            drop(built);
        }
        samples.sort_unstable();
        let middle = samples.get(samples.len() / 2).copied().unwrap_or_default();
        println!(
            "| rebuild of the catalogue | {} | {:.0} ms | – | – | ≤ 1,000 ms |",
            self.campaigns.len(),
            middle.as_secs_f64() * 1e3,
        );
        println!(
            "| what a catalogue holds: resident, and its index alone | {} | {} MB, {} MB | – | – | ≤ 100 MB |",
            self.campaigns.len(),
            grown / 1_000_000,
            self.catalogue.index_bytes() / 1_000_000,
        );
    }

    fn row(&self, what: &str, samples: &mut [Duration], goal_us: Option<f64>) {
        samples.sort_unstable();
        let each = |took: Duration| took.as_secs_f64() * 1e6 / f64::from(BATCH);
        let at = |percent: usize| {
            samples
                .get(samples.len() * percent / 100)
                .copied()
                .map_or(0.0, each)
        };
        let count = u32::try_from(samples.len()).unwrap_or(u32::MAX);
        let mean = each(samples.iter().sum::<Duration>()) / f64::from(count.max(1));
        let (p50, p99) = (at(50), at(99));
        let goal = goal_us.map_or("–".to_owned(), |goal| {
            let word = if p50 <= goal { "reached" } else { "MISSED" };
            format!("≤ {goal} µs: {word}")
        });
        println!(
            "| {what} | {} | {p50:.2} µs | {p99:.2} µs | {mean:.2} µs | {goal} |",
            self.catalogue.len()
        );
    }
}

fn built(campaigns: &[Arc<Campaign>], slots: &SlotTable, rates: &Rates) -> Catalogue {
    let (approvals, clicks) = (Approvals::default(), ClickRates::default());
    let terms = Terms {
        rates,
        approvals: &approvals,
        clicks: &clicks,
    };
    Catalogue::build(campaigns, slots, terms, NOW).0
}

/// Has money for everything.
struct Rich;

impl Funds for Rich {
    type Hold = ();

    fn draws(&mut self, _: CampaignSlot, _: Nanos) -> Result<bool, PassReason> {
        Ok(true)
    }

    fn promise(&mut self, _: &Offered) -> Result<(), PassReason> {
        Ok(())
    }
}

/// What a request may say of an impression.
struct Impression {
    region: RegionKey,
    country: Option<Country>,
    device: Option<DeviceType>,
    system: Option<Os>,
    site: String,
    categories: CategorySet,
    shape: Shape,
}

impl Impression {
    fn random(random: &mut fastrand::Rng) -> Self {
        const PLACES: [(&str, &str); 6] = [
            ("sg", "SGP"),
            ("id", "IDN"),
            ("th", "THA"),
            ("row", "USA"),
            ("row", "DEU"),
            ("row", "JPN"),
        ];
        const SIZES: [(u32, u32); 5] = [(300, 250), (320, 50), (728, 90), (300, 600), (970, 250)];
        let (region, country) = PLACES[random.usize(..PLACES.len())];
        let (w, h) = SIZES[random.usize(..SIZES.len())];
        let mut categories = CategorySet::default();
        if let Some(category) = Category::parse(&format!("IAB{}", random.u32(1..24))) {
            categories.insert(category);
        }
        Self {
            region: RegionKey::of(region),
            country: Country::parse(country),
            device: DeviceType::from_code(i64::from(random.u8(1..6))),
            system: Os::parse(["Android", "iOS", "Windows"][random.usize(..3)]),
            site: format!("site{}.example", random.u32(..1_000)),
            categories,
            shape: match random.u8(..10) {
                0 => Shape::Video,
                1 => Shape::Native,
                _ => Shape::Banner(Size { w, h }),
            },
        }
    }

    fn query(&self) -> Query<'_> {
        Query {
            region: self.region,
            exchange: ExchangeKey::of("openrtb"),
            country: self.country,
            device: self.device,
            system: self.system,
            language: Language::parse("en"),
            at: NOW,
            site: Some(&self.site),
            app: None,
            categories: &self.categories,
            segments: &[],
            more_segments: MoreSegments::None,
            own_segments: &[],
            shapes: std::slice::from_ref(&self.shape),
            through: Through::OpenMarket,
        }
    }
}

/// A catalogue of so many campaigns in files, written once.
fn folder(campaigns: u32) -> Fallible<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("catalogue-{campaigns}"));
    if !folder.join("bidtree.toml").exists() {
        println!(
            "<!-- writing {campaigns} campaigns to {} -->",
            folder.display()
        );
        let plan = bidtree_load::catalogue::Plan {
            campaigns,
            seed: 1,
            folder: folder.clone(),
            settings: Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("config/bidtree.toml")),
        };
        bidtree_load::catalogue::write(&plan).map_err(|error| error.to_string())?;
    }
    Ok(folder)
}

/// Resident bytes; nothing where there is no `/proc`.
fn resident_bytes() -> u64 {
    const PAGE_BYTES: u64 = 4_096;
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text
        .split_whitespace()
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or_default() * PAGE_BYTES
}
