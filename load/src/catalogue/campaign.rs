//! Campaigns: most are targeted somehow, many narrowly; prices and budgets are log-normal.

use super::advertiser::{self, Advertiser};
use super::creative::Creative;
use super::toml_text::{Toml, list};
use crate::decimal::Micros;
use crate::rng::{Purpose, Rng};
use crate::traffic;

/// The regions of the sample configuration, each with countries, zone, and how often campaigns run there.
const REGIONS: &[Region] = &[
    Region {
        name: "sg",
        countries: &["SGP"],
        zone: "Asia/Singapore",
        weight: 3.0,
    },
    Region {
        name: "id",
        countries: &["IDN"],
        zone: "Asia/Jakarta",
        weight: 4.0,
    },
    Region {
        name: "th",
        countries: &["THA"],
        zone: "Asia/Bangkok",
        weight: 2.0,
    },
    Region {
        name: "row",
        countries: &["USA", "DEU", "JPN", "GBR", "IND", "AUS"],
        zone: "UTC",
        weight: 2.0,
    },
];
/// Currencies, how many of each a US dollar is, and how often campaigns have them.
const CURRENCIES: &[(&str, i64, f64)] = &[
    ("USD", 1, 80.0),
    ("SGD", 1, 8.0),
    ("EUR", 1, 4.0),
    ("THB", 35, 4.0),
    ("IDR", 16_000, 4.0),
];
/// CPMs in USD: the median, and what no campaign leaves.
const CPM_MEDIAN: i64 = 2_200_000;
const CPM_LEAST: i64 = 200_000;
const CPM_MOST: i64 = 40_000_000;
/// Daily budgets in USD.
const DAILY_MEDIAN: i64 = 150;
const DAILY_LEAST: i64 = 10;
const DAILY_MOST: i64 = 20_000;

struct Region {
    name: &'static str,
    countries: &'static [&'static str],
    zone: &'static str,
    weight: f64,
}

/// Campaign number `number` of so many: its id and its file.
pub(super) fn write(seed: u64, number: u32, campaigns: u32) -> (String, String) {
    let mut rng = Rng::of(seed, Purpose::Catalogue, u64::from(number));
    let advertisers = advertiser::count(campaigns);
    // Half of the campaigns belong to the few large advertisers.
    let owner = if rng.chance(0.5) {
        rng.zipf(u64::from(advertisers))
    } else {
        rng.below(u64::from(advertisers))
    };
    let advertiser = Advertiser::of(seed, u32::try_from(owner).unwrap_or(0));
    let region = rng.weighted(REGIONS.iter().map(|region| region.weight));
    let region = REGIONS.get(region).unwrap_or(&REST);
    let mut file = Toml::default();
    file.text("name", &format!("{} {number}", advertiser.brand));
    file.text("advertiser", &advertiser.id);
    money(&mut rng, &mut file);
    if rng.chance(0.7) {
        file.list("regions", &[region.name]);
    }
    if rng.chance(0.15) {
        let exchange = rng.pick(&["adx", "xandr", "openrtb"]).copied();
        file.list("exchanges", &[exchange.unwrap_or("openrtb")]);
    }
    file.text("time_zone", region.zone);
    if rng.chance(0.15) {
        file.text("pacing", "asap");
    }
    if rng.chance(0.6) {
        let within = rng.pick(&["1h", "24h", "7d"]).copied().unwrap_or("24h");
        let impressions = rng.between(1, 12);
        let cap = format!("{{ impressions = {impressions}, within = \"{within}\" }}");
        file.raw("frequency", &cap);
    }
    let creatives: Vec<String> = creatives(&mut rng, &advertiser)
        .into_iter()
        .map(|creative| creative.id(&advertiser))
        .collect();
    file.list("creatives", &creatives);
    targeting(&mut rng, &mut file, region);
    (format!("cmp-{number:06}"), file.finish())
}

const REST: Region = Region {
    name: "row",
    countries: &["USA"],
    zone: "UTC",
    weight: 0.0,
};

fn money(rng: &mut Rng, file: &mut Toml) {
    let currency = rng.weighted(CURRENCIES.iter().map(|(_, _, weight)| *weight));
    let (currency, per_dollar, _) = CURRENCIES.get(currency).copied().unwrap_or(("USD", 1, 1.0));
    let cpm = rng.log_normal(CPM_MEDIAN, 0.7).clamp(CPM_LEAST, CPM_MOST);
    // Whole cents.
    let cents = cpm / Micros::CENT.get() * per_dollar;
    file.text("currency", currency);
    file.text("cpm", &Micros::new(cents * Micros::CENT.get()).to_string());
    if rng.chance(0.8) {
        file.text("margin_percent", &rng.between(5, 35).to_string());
    }
    let daily = rng.log_normal(DAILY_MEDIAN, 1.0);
    let daily = daily.clamp(DAILY_LEAST, DAILY_MOST) * per_dollar;
    let budget = if rng.chance(0.3) {
        let days = i64::try_from(rng.between(7, 60)).unwrap_or(30);
        format!(
            "{{ daily = \"{daily}.00\", total = \"{}.00\" }}",
            daily * days
        )
    } else {
        format!("{{ daily = \"{daily}.00\" }}")
    };
    file.raw("budget", &budget);
}

/// Mostly one kind; always at least one.
fn creatives(rng: &mut Rng, advertiser: &Advertiser) -> Vec<Creative> {
    let wanted = rng.weighted([65.0, 15.0, 10.0, 10.0].into_iter());
    let fits = |creative: &Creative| match creative {
        Creative::Banner(..) => matches!(wanted, 0 | 3),
        Creative::Video(_) => matches!(wanted, 1 | 3),
        Creative::Native => matches!(wanted, 2 | 3),
    };
    let all = &advertiser.creatives;
    let mut some: Vec<Creative> = all.iter().copied().filter(fits).collect();
    if some.is_empty() {
        some.extend(all.iter().copied().take(4));
    }
    some
}

fn targeting(rng: &mut Rng, file: &mut Toml, region: &Region) {
    let mut rules: Vec<(&str, String)> = Vec::new();
    let include = |items: &[&str]| format!("{{ include = {} }}", list(items));
    if rng.chance(0.25) {
        rules.push(("countries", include(region.countries)));
    }
    if rng.chance(0.35) {
        let choices: [&[&str]; 3] = [&["phone"], &["phone", "tablet"], &["computer"]];
        let devices = rng.pick(&choices).copied().unwrap_or(&["phone"]);
        rules.push(("devices", include(devices)));
    } else if rng.chance(0.2) {
        let os = rng.pick(&["android", "ios"]).copied().unwrap_or("android");
        rules.push(("os", include(&[os])));
    }
    if rng.chance(0.15) {
        let languages = ["en", "id", "th", "de", "ja"];
        let language = rng.pick(&languages).copied().unwrap_or("en");
        rules.push(("languages", include(&[language])));
    }
    if rng.chance(0.05) {
        let count = rng.between(2, 20);
        let sites: Vec<String> = (0..count).map(|_| traffic::some_domain(rng)).collect();
        rules.push(("sites", format!("{{ include = {} }}", list(&sites))));
    }
    if rng.chance(0.3) {
        let category = traffic::some_category(rng);
        let way = if rng.chance(0.7) {
            "include"
        } else {
            "exclude"
        };
        rules.push(("categories", format!("{{ {way} = [\"{category}\"] }}")));
    }
    if rng.chance(0.2) {
        let hours: [&[&str]; 3] = [
            &["mon-fri 08-20"],
            &["mon-fri 07-10,17-23", "sat,sun 09-23"],
            &["06-23"],
        ];
        let hours = rng.pick(&hours).copied().unwrap_or(&["06-23"]);
        rules.push(("hours", list(hours)));
    }
    if rules.is_empty() {
        return;
    }
    file.section("[targeting]");
    for (key, rule) in rules {
        file.raw(key, &rule);
    }
}
