//! Advertisers: a brand, its domain, what it is about, and what it shows.

use super::creative::{self, Creative};
use super::toml_text::Toml;
use crate::rng::{Purpose, Rng};

/// Campaigns that an advertiser has on average.
const CAMPAIGNS_EACH: u32 = 40;
/// Keeps the streams of advertisers apart from those of campaigns.
const STREAM: u64 = 1 << 40;

/// One advertiser.
pub(super) struct Advertiser {
    pub(super) id: String,
    pub(super) brand: String,
    pub(super) domain: String,
    pub(super) category: &'static str,
    pub(super) creatives: Vec<Creative>,
}

const FIRST: &[&str] = &[
    "Amber", "Blue", "Cedar", "Coral", "Delta", "Ember", "Fern", "Golden", "Harbor", "Indigo",
    "Juniper", "Kite", "Lotus", "Maple", "Nimbus", "Olive", "Pearl", "Quartz", "River", "Silver",
];
const SECOND: &[&str] = &[
    "Bank", "Books", "Cars", "Clinic", "Coffee", "Courses", "Fashion", "Foods", "Games", "Homes",
    "Jobs", "Mobile", "Pets", "Phones", "Rides", "Shoes", "Sports", "Tours", "Toys", "Yoga",
];
const CATEGORIES: &[&str] = &[
    "IAB13", "IAB1-1", "IAB2-3", "IAB7-45", "IAB8-6", "IAB5-1", "IAB18-3", "IAB8-5", "IAB9-30",
    "IAB10-5", "IAB4-5", "IAB19-6", "IAB16-3", "IAB19", "IAB20-3", "IAB22-1", "IAB17-2",
    "IAB20-18", "IAB6-1", "IAB7-30",
];

/// How many advertisers so many campaigns have.
pub(super) fn count(campaigns: u32) -> u32 {
    campaigns.div_ceil(CAMPAIGNS_EACH)
}

impl Advertiser {
    /// Advertiser number `number`.
    pub(super) fn of(seed: u64, number: u32) -> Self {
        let mut rng = Rng::of(seed, Purpose::Catalogue, STREAM + u64::from(number));
        let first = rng.pick(FIRST).copied().unwrap_or("Plain");
        let trade = rng.below(u64::try_from(SECOND.len()).unwrap_or(1));
        let trade = usize::try_from(trade).unwrap_or(0);
        let second = SECOND.get(trade).copied().unwrap_or("Shop");
        Self {
            id: format!("adv-{number:05}"),
            brand: format!("{first} {second} {number}"),
            domain: format!(
                "{}{}{number}.example",
                first.to_lowercase(),
                second.to_lowercase()
            ),
            category: CATEGORIES.get(trade).copied().unwrap_or("IAB22"),
            creatives: creative::draw(&mut rng),
        }
    }

    /// Its file.
    pub(super) fn file(&self) -> String {
        let mut file = Toml::default();
        file.text("name", &self.brand);
        file.list("domains", &[&self.domain]);
        file.list("categories", &[self.category]);
        file.finish()
    }
}
