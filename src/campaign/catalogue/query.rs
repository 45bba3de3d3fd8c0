//! What one impression is, as the catalogue sees it: one value, or none, for each dimension of targeting.

use crate::campaign::{CategorySet, Country, DeviceType, Language, Os, Shape};
use crate::units::{ExchangeKey, RegionKey, SegmentKey, UnixMillis};

/// A question to the catalogue: who wants this?
///
/// What the request does not say is `None`, and only campaigns that do not ask for it are found.
#[derive(Clone, Copy, Debug)]
pub struct Query<'q> {
    /// The region that would pay.
    pub region: RegionKey,
    /// The exchange that asks.
    pub exchange: ExchangeKey,
    /// Where the device is.
    pub country: Option<Country>,
    /// What the device is.
    pub device: Option<DeviceType>,
    /// What it runs.
    pub system: Option<Os>,
    /// The language it is set to.
    pub language: Option<Language>,
    /// The time of the request.
    pub at: UnixMillis,
    /// The site's domain, lower case.
    pub site: Option<&'q str>,
    /// The app's bundle, lower case.
    pub app: Option<&'q str>,
    /// What the site or app is about.
    pub categories: &'q CategorySet,
    /// The segments that the user is known to be in; sorted.
    pub segments: &'q [SegmentKey],
    /// Whether those are all.
    pub more_segments: MoreSegments,
    /// The segments of our own that the user is in; sorted.
    pub own_segments: &'q [SegmentKey],
    /// The shapes of creative that the impression takes.
    pub shapes: &'q [Shape],
    /// Which way it would be bought.
    pub through: Through<'q>,
}

/// Whether a request puts the user in more segments than are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MoreSegments {
    /// In none.
    #[default]
    None,
    /// In some that were not read: nobody who excludes any segment is found.
    Unread,
}

/// The way an impression is bought.
#[derive(Clone, Copy, Debug)]
pub enum Through<'q> {
    /// In the open auction.
    OpenMarket,
    /// On one of these deals. Of more than [`OFFERED_DEALS_MAX`](crate::campaign::OFFERED_DEALS_MAX) that campaigns know,
    /// the rest is not looked for.
    Deals(&'q [&'q str]),
}
