//! Multipliers: what raises or lowers a campaign's value where something is known of the request.

#![deny(
    clippy::float_arithmetic,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

use std::fmt;

use crate::campaign::InventoryList;
use crate::campaign::catalogue::Query;
use crate::campaign::creative::Format;
use crate::campaign::{Category, Country, DeviceType, Language, Os};
use crate::campaign::{HourOfWeek, HoursOfWeek};
use crate::units::{Cpm, ExchangeKey, SegmentKey};

/// Multipliers of one campaign. All are asked for every candidate, and a hand-made plan has about ten.
pub const MULTIPLIERS_MAX: usize = 16;
/// Values that one multiplier names in one dimension: all countries fit.
pub const VALUES_MAX: usize = 256;
/// The least multiplier: a tenth. What is worth less is not wanted, and belongs into targeting.
pub const MULTIPLIER_PER_MILLE_MIN: u32 = 100;
/// The greatest multiplier: ten times.
pub const MULTIPLIER_PER_MILLE_MAX: u32 = 10_000;

/// A bit for each.
const _: () = assert!(MULTIPLIERS_MAX <= 16);

/// One multiplier: where all that it names is so, the value counts so many thousandths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Multiplier {
    /// Where it applies.
    pub when: Conditions,
    /// How much, in thousandths.
    pub by_per_mille: u32,
}

/// What must be known of a request, in every dimension that names anything: one of the values that are named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// Where the device is.
    pub countries: Vec<Country>,
    /// What it is; `mobile` includes phones and tablets.
    pub devices: Vec<DeviceType>,
    /// What it runs.
    pub systems: Vec<Os>,
    /// The language it is set to.
    pub languages: Vec<Language>,
    /// Who sells.
    pub exchanges: Vec<ExchangeKey>,
    /// Sites with everything below them, and apps: one dimension.
    pub inventory: InventoryList,
    /// What the site or app is about; a parent means its children, too.
    pub categories: Vec<Category>,
    /// Segments that the user is known to be in; sorted.
    pub segments: Vec<SegmentKey>,
    /// Hours of the week in the campaign's time zone.
    pub hours: Option<HoursOfWeek>,
    /// What is shown.
    pub formats: Vec<FormatKind>,
}

/// A format without what it is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FormatKind {
    /// A banner.
    Banner,
    /// A video.
    Video,
    /// Sound.
    Audio,
    /// A native ad.
    Native,
}

/// What multipliers are asked against.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'m> {
    /// The impression.
    pub query: Query<'m>,
    /// The hour in the campaign's time zone, where any multiplier needs it.
    pub hour: Option<HourOfWeek>,
    /// What would be shown.
    pub format: FormatKind,
}

/// Which multipliers of a campaign applied, by their places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied(u16);

/// A product of multipliers, in billionths: from a hundredth to a hundredfold. What is beyond is a plan that went wrong,
/// and counts as the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Factor(u64);

impl Multiplier {
    /// Which of them apply, and their product.
    pub(super) fn all(multipliers: &[Self], moment: &Moment<'_>) -> (Applied, Factor) {
        let mut applied = Applied::NONE;
        for (place, multiplier) in multipliers.iter().enumerate() {
            if multiplier.when.hold(moment) {
                applied.insert(place);
            }
        }
        let factors = applied.of(multipliers).map(|it| it.by_per_mille);
        (applied, Factor::product(factors))
    }

    /// How much, as a factor.
    pub fn factor(&self) -> Factor {
        Factor::product(std::iter::once(self.by_per_mille))
    }

    /// What is wrong with it.
    pub(in crate::campaign) fn fault(&self) -> Option<&'static str> {
        if self.by_per_mille == 0 {
            return Some(
                "by = \"0\" is no multiplier but an exclusion; put the values into exclude under [targeting]",
            );
        }
        if !(MULTIPLIER_PER_MILLE_MIN..=MULTIPLIER_PER_MILLE_MAX).contains(&self.by_per_mille) {
            return Some("by must be from 0.1 to 10");
        }
        if self.when == Conditions::default() {
            return Some("names nothing that it depends on; put it into the price");
        }
        if self.when.hours.is_some_and(|hours| hours.is_empty()) {
            return Some("leaves no hour of the week");
        }
        (self.when.most_values() > VALUES_MAX).then_some("names more than 256 values in one list")
    }
}

impl Conditions {
    /// Whether all of it is known to be so.
    fn hold(&self, moment: &Moment<'_>) -> bool {
        fn named<T: PartialEq>(all: &[T], seen: Option<&T>) -> bool {
            all.is_empty() || seen.is_some_and(|seen| all.contains(seen))
        }
        let query = &moment.query;
        let on_device = |seen| {
            self.devices
                .iter()
                .any(|device: &DeviceType| device.covers(seen))
        };
        let is_about = |seen| self.categories.iter().any(|named| named.covers(seen));
        named(&self.formats, Some(&moment.format))
            && named(&self.exchanges, Some(&query.exchange))
            && named(&self.countries, query.country.as_ref())
            && named(&self.systems, query.system.as_ref())
            && named(&self.languages, query.language.as_ref())
            && (self.devices.is_empty() || query.device.is_some_and(on_device))
            && self
                .hours
                .is_none_or(|hours| moment.hour.is_some_and(|hour| hours.contains(hour)))
            && (self.inventory.is_empty() || self.inventory.contains(query.site, query.app))
            && (self.categories.is_empty() || query.categories.iter().any(is_about))
            && (self.segments.is_empty()
                || share_any(&self.segments, query.segments)
                || share_any(&self.segments, query.own_segments))
    }

    fn most_values(&self) -> usize {
        [
            self.countries.len(),
            self.devices.len(),
            self.systems.len(),
            self.languages.len(),
            self.exchanges.len(),
            self.inventory.len(),
            self.categories.len(),
            self.segments.len(),
            self.formats.len(),
        ]
        .into_iter()
        .max()
        .unwrap_or(0)
    }
}

/// Whether two sorted lists have a segment in common. The shorter is walked and the longer is searched, so that a request
/// with many segments costs each multiplier no more than the few that it names.
fn share_any<T: Ord>(a: &[T], b: &[T]) -> bool {
    let (few, many) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    few.iter().any(|it| many.binary_search(it).is_ok())
}

impl FormatKind {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Banner, Self::Video, Self::Audio, Self::Native];

    /// The kind of a format.
    pub const fn of(format: &Format) -> Self {
        match format {
            Format::Banner(_) => Self::Banner,
            Format::Video(_) => Self::Video,
            Format::Audio(_) => Self::Audio,
            Format::Native(_) => Self::Native,
        }
    }

    /// The kind with this name in a configuration.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The name in a configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Banner => "banner",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Native => "native",
        }
    }
}

impl Applied {
    /// None of them.
    pub const NONE: Self = Self(0);

    fn insert(&mut self, place: usize) {
        let bit = u32::try_from(place)
            .ok()
            .and_then(|place| 1_u16.checked_shl(place));
        self.0 |= bit.unwrap_or(0);
    }

    /// Whether the multiplier at this place applied.
    pub fn contains(self, place: usize) -> bool {
        let bit = u32::try_from(place)
            .ok()
            .and_then(|place| 1_u16.checked_shl(place));
        self.0 & bit.unwrap_or(0) != 0
    }

    /// Those of a campaign's multipliers that applied.
    pub fn of(self, multipliers: &[Multiplier]) -> impl Iterator<Item = &Multiplier> + Clone {
        let all = multipliers.iter().enumerate();
        all.filter(move |(place, _)| self.contains(*place))
            .map(|(_, it)| it)
    }
}

impl Factor {
    /// What the stored count is divided by.
    pub const SCALE: u64 = 1_000_000_000;
    /// Changes nothing.
    pub const ONE: Self = Self(Self::SCALE);
    /// A hundredth.
    pub const MIN: Self = Self(Self::SCALE / 100);
    /// A hundredfold.
    pub const MAX: Self = Self(Self::SCALE * 100);

    /// The product of factors in thousandths, each step rounded down. Those that raise come first, so that nothing that
    /// matters is lost in rounding, and the result does not depend on their order.
    pub(super) fn product(factors: impl Iterator<Item = u32> + Clone) -> Self {
        let raising = factors.clone().filter(|by| *by >= 1_000);
        let lowering = factors.filter(|by| *by < 1_000);
        let product = raising
            .chain(lowering)
            .fold(u128::from(Self::SCALE), |product, by| {
                // At most 16 factors of 10^4 on 10^9: within 128 bits.
                product.saturating_mul(by.into()).div_euclid(1_000)
            });
        Self::clamped(product)
    }

    /// The product of factors of one or more, each step rounded up: never below any [`Factor::product`] of some of them.
    pub(super) fn product_up(factors: impl Iterator<Item = u32>) -> Self {
        let product = factors.fold(u128::from(Self::SCALE), |product, by| {
            product.saturating_mul(by.into()).div_ceil(1_000)
        });
        Self::clamped(product)
    }

    fn clamped(product: u128) -> Self {
        Self(u64::try_from(product).unwrap_or(u64::MAX)).clamp(Self::MIN, Self::MAX)
    }

    /// Both, rounded up.
    pub(super) fn and(self, other: Self) -> Self {
        let product = u128::from(self.0).saturating_mul(other.0.into());
        Self::clamped(product.div_ceil(Self::SCALE.into()))
    }

    /// The count of billionths.
    pub const fn billionths(self) -> u64 {
        self.0
    }

    /// A price so many times, rounded down, and no more than is ever sent.
    pub(super) fn times_down(self, price: Cpm) -> Cpm {
        let product = i128::from(price.micros()).saturating_mul(self.0.into());
        held(product.div_euclid(Self::SCALE.into()))
    }

    /// A price so many times, rounded up, and no more than is ever sent.
    pub(super) fn times_up(self, price: Cpm) -> Cpm {
        let product = i128::from(price.micros()).saturating_mul(self.0.into());
        let scale = i128::from(Self::SCALE);
        let exact = product.rem_euclid(scale) == 0;
        held(product.div_euclid(scale).saturating_add(i128::from(!exact)))
    }
}

/// A count of micros as a price, held at the most that is ever sent.
pub(super) fn held(micros: i128) -> Cpm {
    i64::try_from(micros).map_or(Cpm::MAX, |micros| Cpm::from_micros(micros).min(Cpm::MAX))
}

impl fmt::Display for Factor {
    /// With up to nine decimals, no trailing zeros: `1.32`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (
            self.0.div_euclid(Self::SCALE),
            self.0.rem_euclid(Self::SCALE),
        );
        if rest == 0 {
            return write!(f, "{whole}");
        }
        let digits = format!("{rest:09}");
        write!(f, "{whole}.{}", digits.trim_end_matches('0'))
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers written out")]
mod tests {
    use std::cell::Cell;
    use std::cmp::Ordering;

    use proptest::prelude::*;

    use super::share_any;

    thread_local! {
        static COMPARISONS: Cell<usize> = const { Cell::new(0) };
    }

    /// Counts how often it is compared.
    #[derive(PartialEq, Eq)]
    struct Counted(u32);

    impl Ord for Counted {
        fn cmp(&self, other: &Self) -> Ordering {
            COMPARISONS.set(COMPARISONS.get() + 1);
            self.0.cmp(&other.0)
        }
    }

    impl PartialOrd for Counted {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }

    #[test]
    fn a_user_in_many_segments_costs_no_more_than_those_that_are_named() {
        let named: Vec<_> = (0..8).map(|it| Counted(2 * it + 1)).collect();
        let seen: Vec<_> = (0..1_024).map(|it| Counted(2 * it)).collect();
        for (a, b) in [(&named, &seen), (&seen, &named)] {
            COMPARISONS.set(0);
            assert!(!share_any(a, b));
            assert!(COMPARISONS.get() <= 8 * 11, "{}", COMPARISONS.get());
        }
    }

    proptest! {
        /// Beside a scan of both.
        #[test]
        fn lists_share_what_a_scan_says(
            a in prop::collection::btree_set(0..400_u32, 0..40),
            b in prop::collection::btree_set(0..400_u32, 0..40),
        ) {
            let (a, b): (Vec<_>, Vec<_>) = (a.into_iter().collect(), b.into_iter().collect());
            let scanned = a.iter().any(|it| b.contains(it));
            prop_assert_eq!(share_any(&a, &b), scanned);
        }
    }
}
