//! How often a shown creative is clicked: what is expected of one that nobody knows, and what its own events say.
//!
//! A creative's rate is the mean of a Beta distribution: its prior's clicks and impressions, and the ones that were seen.
//! With few impressions the prior decides, with many the creative does, and there is no step between the two:
//!
//! ```text
//! rate = (clicks + prior clicks) / (impressions + prior impressions)
//! ```

#![deny(
    clippy::float_arithmetic,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

use std::fmt;

use super::creative::Format;

/// Clicks for each impression, in billionths; never below one in a million, never above one in two.
///
/// Less than one in a million cannot be told from nothing, and a rate of nothing would never be shown again. More than
/// one in two is nobody's interest: it is a broken page or a fraud, and is not paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClickRate(u32);

/// What was seen of a creative, in thousandths of an event, since old events count less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Impressions that were billed.
    pub impressions: u64,
    /// Clicks on them.
    pub clicks: u64,
}

/// What is believed of a creative before anything is seen, in whole events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prior {
    /// Clicks.
    pub clicks: u32,
    /// Impressions: as many of its own must be seen until they weigh as much as the prior.
    pub impressions: u32,
}

/// The priors of all formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Priors {
    /// Of banners.
    pub banner: Prior,
    /// Of videos.
    pub video: Prior,
    /// Of sound.
    pub audio: Prior,
    /// Of native ads.
    pub native: Prior,
}

impl ClickRate {
    /// What the stored count is divided by.
    pub const SCALE: u32 = 1_000_000_000;
    /// One in a million.
    pub const MIN: Self = Self(1_000);
    /// One in two.
    pub const MAX: Self = Self(500_000_000);

    /// A rate from billionths, held within the limits.
    pub fn from_billionths(billionths: u32) -> Self {
        Self(billionths).clamp(Self::MIN, Self::MAX)
    }

    /// The count of billionths.
    pub const fn billionths(self) -> u32 {
        self.0
    }

    /// `clicks` in `impressions`, rounded down.
    fn of(clicks: u128, impressions: u128) -> Self {
        let billionths = clicks
            .saturating_mul(u128::from(Self::SCALE))
            .checked_div(impressions)
            .unwrap_or(0);
        Self::from_billionths(u32::try_from(billionths).unwrap_or(u32::MAX))
    }
}

impl Prior {
    /// The rate of a creative of which so much was seen.
    pub fn rate(self, seen: Seen) -> ClickRate {
        let whole = |events: u32| u128::from(events).saturating_mul(1_000);
        ClickRate::of(
            whole(self.clicks).saturating_add(seen.clicks.into()),
            whole(self.impressions).saturating_add(seen.impressions.into()),
        )
    }
}

impl Priors {
    /// The prior of a format.
    pub const fn of(&self, format: &Format) -> Prior {
        match format {
            Format::Banner(_) => self.banner,
            Format::Video(_) => self.video,
            Format::Audio(_) => self.audio,
            Format::Native(_) => self.native,
        }
    }
}

impl Default for Priors {
    /// Cautious: about what the trade reports of each format or below it, since a rate that is too low costs a few
    /// impressions and one that is too high costs money. Two thousand impressions weigh as much as the prior: at one
    /// click in a thousand, fewer show two clicks at most, which is luck.
    fn default() -> Self {
        let prior = |clicks| Prior {
            clicks,
            impressions: 2_000,
        };
        Self {
            banner: prior(2),
            video: prior(6),
            audio: prior(1),
            native: prior(4),
        }
    }
}

impl fmt::Display for ClickRate {
    /// As a share with up to nine decimals: `0.001`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:09}", self.0);
        write!(f, "0.{}", digits.trim_end_matches('0'))
    }
}
