//! Why the index does not name a campaign: its targeting once more, one dimension after the other.
//!
//! For explanations only: it looks at one campaign at a time, where the index looks at all of them at once. That both
//! agree is a property that tests check.

use super::query::{MoreSegments, Query, Through};
use super::{Catalogue, Offer};
use crate::campaign::{Category, Creative, DeviceType, Lists, Market, Shape, ancestry};

/// What keeps a campaign from being named for an impression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exclusion {
    /// It does not spend in the region that would pay.
    Region,
    /// It does not buy from the exchange.
    Exchange,
    /// The exchange runs none of its creatives.
    Approval,
    /// Where the device is.
    Country,
    /// What the device is.
    Device,
    /// What it runs.
    System,
    /// The language it is set to.
    Language,
    /// The hour of the week in its time zone.
    Hours,
    /// The site or the app.
    Inventory,
    /// What that is about.
    Category,
    /// The segments that the user is in, or is not known to be in.
    Segment,
    /// The shapes of its creatives.
    Shape,
    /// It does not buy this way: in open auctions, or on these deals.
    Market,
    /// Nothing of its own: the request has more values than the index looks at, and what is not looked at may be what it
    /// asks for or forbids.
    BeyondIndex,
}

impl Exclusion {
    /// A label for operators.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Region => "region",
            Self::Exchange => "exchange",
            Self::Approval => "approval",
            Self::Country => "country",
            Self::Device => "device",
            Self::System => "os",
            Self::Language => "language",
            Self::Hours => "hours",
            Self::Inventory => "site_or_app",
            Self::Category => "category",
            Self::Segment => "segment",
            Self::Shape => "shape",
            Self::Market => "market",
            Self::BeyondIndex => "beyond_index",
        }
    }
}

impl Catalogue {
    /// The first dimension in which a campaign does not want what the query says; `None` if it wants it. The hours are
    /// exact here, and the index may name it up to an hour before and after them.
    pub fn exclusion(&self, offer: &Offer, query: &Query<'_>) -> Option<Exclusion> {
        let campaign = &*offer.campaign;
        let targeting = &campaign.targeting;
        let is_barred = offer
            .barred_on(query.exchange)
            .is_all_of(campaign.creatives.len());
        let country = |asked: &_| query.country == Some(*asked);
        let device = |asked: &DeviceType| query.device.is_some_and(|seen| asked.covers(seen));
        let system = |asked: &_| query.system == Some(*asked);
        let language = |asked: &_| query.language == Some(*asked);
        let segment =
            |asked: &_| query.segments.contains(asked) || query.own_segments.contains(asked);
        // What was not read may be what it excludes.
        let may_be_all =
            query.more_segments == MoreSegments::None || targeting.segments.exclude.is_empty();
        let about = || query.categories.iter_with_parents();
        let category = |asked: &Category| about().any(|seen| seen == *asked);
        let wants = [
            (campaign.regions.includes(&query.region), Exclusion::Region),
            (
                campaign.exchanges.includes(&query.exchange),
                Exclusion::Exchange,
            ),
            (!is_barred, Exclusion::Approval),
            (asks(&targeting.countries, country), Exclusion::Country),
            (asks(&targeting.devices, device), Exclusion::Device),
            (asks(&targeting.systems, system), Exclusion::System),
            (asks(&targeting.languages, language), Exclusion::Language),
            (self.is_in_hours(offer, query.at), Exclusion::Hours),
            (in_inventory(offer, query), Exclusion::Inventory),
            (asks(&targeting.categories, category), Exclusion::Category),
            (
                may_be_all && asks(&targeting.segments, segment),
                Exclusion::Segment,
            ),
            (has_shape(offer, query), Exclusion::Shape),
            (buys(offer, query), Exclusion::Market),
        ];
        let mut unwanted = wants.into_iter().filter(|(wants, _)| !wants);
        unwanted.next().map(|(_, exclusion)| exclusion)
    }
}

/// Whether lists take what is seen.
fn asks<T>(lists: &Lists<T>, is_seen: impl Fn(&T) -> bool) -> bool {
    let wanted = lists.include.is_empty() || lists.include.iter().any(&is_seen);
    wanted && !lists.exclude.iter().any(is_seen)
}

/// Sites and apps are one list where they are included, and two where they are excluded.
fn in_inventory(offer: &Offer, query: &Query<'_>) -> bool {
    let targeting = &offer.campaign.targeting;
    let (sites, apps) = (&targeting.sites, &targeting.apps);
    let on = |asked: &str| {
        query
            .site
            .is_some_and(|site| ancestry(site).any(|part| part == asked))
    };
    let within = |asked: &str| query.app == Some(asked);
    let is_open = sites.include.is_empty() && apps.include.is_empty();
    let wanted = is_open
        || sites.include.iter().any(|site| on(site.as_str()))
        || apps.include.iter().any(|app| within(app.as_str()));
    wanted
        && !sites.exclude.iter().any(|site| on(site.as_str()))
        && !apps.exclude.iter().any(|app| within(app.as_str()))
}

fn has_shape(offer: &Offer, query: &Query<'_>) -> bool {
    let any_banner = query.shapes.contains(&Shape::AnyBanner);
    let mut shapes = offer.campaign.creatives.iter().map(Creative::shape);
    shapes.any(|shape| {
        query.shapes.contains(&shape) || any_banner && matches!(shape, Shape::Banner(_))
    })
}

fn buys(offer: &Offer, query: &Query<'_>) -> bool {
    match query.through {
        Through::OpenMarket => offer.campaign.market == Market::Open,
        Through::Deals(ids) => {
            let mut own = offer.campaign.deals.iter();
            own.any(|deal| deal.exchange == query.exchange && ids.contains(&&*deal.id))
        }
    }
}
