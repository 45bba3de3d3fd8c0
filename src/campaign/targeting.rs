//! What a campaign asks of a request before anything else is looked at: place, device, language, hour, inventory.
//!
//! Every dimension is a pair of lists. An empty include list accepts everything, also what the request does not say;
//! a filled one accepts only what is known to be on it. An exclude list refuses only what is known to be on it, and
//! beats the include list. The folder has the words that both sides say it in. Sizes are not here: creatives have them.

mod audience;
mod category;
mod country;
mod hours;
mod inventory;
mod taxonomy;

pub use audience::{DeviceType, Language, Os};
pub use category::{Category, CategorySet};
pub use country::Country;
pub use hours::{HOURS_OF_WEEK, HourOfWeek, HoursOfWeek};
pub use inventory::{
    BUNDLE_LEN_MAX, Bundle, DOMAIN_LEN_MAX, Domain, InventoryList, ancestry, is_within,
};
pub use taxonomy::{CONTENT_1_0, CategoryPath, Classified};

use crate::units::SegmentKey;

/// What is wanted and what is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lists<T> {
    /// Only these; all if empty.
    pub include: Vec<T>,
    /// None of these.
    pub exclude: Vec<T>,
}

/// The requests a campaign wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Targeting {
    /// Where the device is (`device.geo.country`).
    pub countries: Lists<Country>,
    /// What the device is; `mobile` includes phones and tablets.
    pub devices: Lists<DeviceType>,
    /// What it runs.
    pub systems: Lists<Os>,
    /// The language it is set to.
    pub languages: Lists<Language>,
    /// Sites by domain, with everything below it. With `apps` this is one list of inventory: a campaign that includes
    /// only sites does not run in apps, and one that includes some of each runs in both.
    pub sites: Lists<Domain>,
    /// Apps by bundle.
    pub apps: Lists<Bundle>,
    /// Content categories of the site or app, its section and its page; a parent means its children, too.
    pub categories: Lists<Category>,
    /// Segments of audiences that the request puts the user in, where it may say so.
    pub segments: Lists<SegmentKey>,
    /// Hours of the week in the campaign's time zone.
    pub hours: HoursOfWeek,
}

impl<T> Default for Lists<T> {
    fn default() -> Self {
        Self {
            include: Vec::new(),
            exclude: Vec::new(),
        }
    }
}

impl<T> Lists<T> {
    /// Whether everything is accepted.
    pub fn is_open(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    /// Only these.
    pub fn only(include: impl Into<Vec<T>>) -> Self {
        Self {
            include: include.into(),
            exclude: Vec::new(),
        }
    }

    /// All but these.
    pub fn except(exclude: impl Into<Vec<T>>) -> Self {
        Self {
            include: Vec::new(),
            exclude: exclude.into(),
        }
    }
}
