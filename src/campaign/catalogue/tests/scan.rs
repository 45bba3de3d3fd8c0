//! What the documents of `Targeting` say, one campaign at a time: it knows nothing of the index.

use super::*;
use crate::campaign::{Bundle, Domain};

/// What the documents of `Targeting` say, one campaign at a time.
pub(super) fn scanned(campaigns: &[Campaign], seen: &Seen) -> Vec<Arc<str>> {
    let mut wanted: Vec<&Campaign> = campaigns
        .iter()
        .filter(|campaign| wants(campaign, seen))
        .collect();
    wanted.sort_by_key(|campaign| (std::cmp::Reverse(campaign.price_max()), campaign.key));
    wanted
        .into_iter()
        .map(|campaign| Arc::clone(&campaign.id))
        .collect()
}

pub(super) fn wants(campaign: &Campaign, seen: &Seen) -> bool {
    fn asks<T>(lists: &Lists<T>, is: impl Fn(&T) -> bool) -> bool {
        (lists.include.is_empty() || lists.include.iter().any(&is)) && !lists.exclude.iter().any(is)
    }
    let targeting = &campaign.targeting;
    let reaches = |reach: &Reach<RegionKey>| match reach {
        Reach::All => true,
        Reach::Only(places) => places.contains(&seen.region),
    };
    let buys = match &campaign.exchanges {
        Reach::All => true,
        Reach::Only(places) => places.contains(&seen.exchange),
    };
    let device = |asked: &DeviceType| match (asked, seen.device) {
        (DeviceType::Mobile, Some(DeviceType::Phone | DeviceType::Tablet)) => true,
        (asked, seen) => Some(*asked) == seen,
    };
    let on_site = |asked: &Domain| {
        seen.site.is_some_and(|site| {
            site == asked.as_str() || site.ends_with(&format!(".{}", asked.as_str()))
        })
    };
    let in_app = |asked: &Bundle| seen.app == Some(asked.as_str());
    let about = |asked: &Category| {
        let asked = asked.to_string();
        seen.categories
            .iter()
            .any(|it| it.to_string() == asked || it.to_string().starts_with(&format!("{asked}-")))
    };
    let (sites, apps) = (&targeting.sites, &targeting.apps);
    let inventory = sites.include.is_empty() && apps.include.is_empty()
        || sites.include.iter().any(on_site)
        || apps.include.iter().any(in_app);
    let local = jiff::Timestamp::from_millisecond(seen.at.get())
        .unwrap()
        .to_zoned(campaign.time_zone.clone());
    let day = u8::try_from(local.weekday().to_monday_zero_offset()).unwrap();
    let hour = HourOfWeek::new(day, u8::try_from(local.hour()).unwrap()).unwrap();
    reaches(&campaign.regions)
        && buys
        && asks(&targeting.countries, |asked| Some(*asked) == seen.country)
        && asks(&targeting.devices, device)
        && asks(&targeting.systems, |asked| Some(*asked) == seen.system)
        && asks(&targeting.languages, |asked| Some(*asked) == seen.language)
        && inventory
        && !sites.exclude.iter().any(on_site)
        && !apps.exclude.iter().any(in_app)
        && asks(&targeting.categories, about)
        && targeting.hours.contains(hour)
        && campaign
            .starts_at
            .is_none_or(|start| start.get() <= seen.at.get())
        && campaign.ends_at.is_none_or(|end| seen.at.get() < end.get())
        && has_shape(campaign, &seen.shapes)
        && asks(&targeting.segments, |asked| seen.segments.contains(asked))
        && (seen.more_segments == MoreSegments::None || targeting.segments.exclude.is_empty())
        && match &seen.deals {
            None => campaign.market == Market::Open,
            Some(ids) => campaign
                .deals
                .iter()
                .any(|deal| deal.exchange == seen.exchange && ids.contains(&&*deal.id)),
        }
}

pub(super) fn has_shape(campaign: &Campaign, shapes: &[Shape]) -> bool {
    campaign.creatives.iter().any(|creative| {
        let shape = creative.shape();
        let is_banner = matches!(shape, Shape::Banner(_));
        shapes.contains(&shape) || is_banner && shapes.contains(&Shape::AnyBanner)
    })
}
