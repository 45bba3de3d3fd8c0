//! Whether a campaign may be shown here, and with which of its creatives.
//!
//! What each format asks is in a file of its own; what all have in common is here.

mod banner;
mod native;
mod spot;

use super::context::Context;
use super::opportunity::Opportunity;
use super::pass::PassReason;
use crate::campaign::{Advertiser, Barred, Campaign, Creative, Format, Shape};
use crate::openrtb::{CodeSet, Given};
use crate::units::Cpm;

pub use self::banner::{Shown, shown};
pub(super) use self::banner::{has_ranges, has_ratios, names_no_size};
pub use self::native::Parts;
pub use self::spot::{companions, plays_file, skip_after};

/// A creative that fits, and what a bid with it must at least be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fit {
    pub(super) creative: usize,
    pub(super) floor: Cpm,
}

/// Those of the campaign's creatives that may be shown here, in their order, and of the others why not.
///
/// # Errors
/// Why none of them may, whatever they are.
pub(super) fn fits<'f>(
    (campaign, barred): (&'f Campaign, Barred),
    context: &'f Context<'_>,
    chance: &'f Opportunity<'_>,
) -> Result<impl Iterator<Item = Result<Fit, PassReason>> + 'f, PassReason> {
    let advertiser = &*campaign.advertiser;
    let seat = advertiser.seat_or(context.place.exchange, context.place.seat);
    if !context.allows_seat(seat) {
        return Err(PassReason::AdvertiserSeat);
    }
    if !advertiser.runs_in(context.site.as_deref(), context.app.as_deref()) {
        return Err(PassReason::AdvertiserInventory);
    }
    if !context.allows_transparency(advertiser) {
        return Err(PassReason::NoTransparency);
    }
    if !advertiser
        .domains
        .iter()
        .all(|domain| context.allows_domain(domain.as_str()))
    {
        return Err(PassReason::BlockedAdvertiser);
    }
    if chance.has_bid_of(advertiser.key) {
        return Err(PassReason::OncePerPod);
    }
    let creatives = campaign.creatives.iter().enumerate();
    Ok(creatives.map(move |(place, creative)| {
        let floor = creative_fits(creative, advertiser, context, chance)?;
        if barred.contains(place) {
            return Err(PassReason::NotApproved);
        }
        Ok(Fit {
            creative: place,
            floor,
        })
    }))
}

/// What a bid with this creative must at least be.
fn creative_fits(
    creative: &Creative,
    advertiser: &Advertiser,
    context: &Context<'_>,
    chance: &Opportunity<'_>,
) -> Result<Cpm, PassReason> {
    let (shape, shapes) = (creative.shape(), chance.shapes());
    let is_asked = shapes.contains(&shape)
        || matches!(shape, Shape::Banner(_)) && shapes.contains(&Shape::AnyBanner);
    if !is_asked {
        return Err(PassReason::NoMatchingCreative);
    }
    let (floor, battr, api) = slot_fits(creative, context, chance)?;
    if !context.allows_categories(creative, advertiser) {
        return Err(PassReason::BlockedCategory);
    }
    let bundle = creative.bundle.as_deref();
    if bundle.is_some_and(|bundle| !context.allows_app(bundle)) {
        return Err(PassReason::BlockedApp);
    }
    let attributes = CodeSet::from_bits(creative.attributes);
    let interfaces = CodeSet::from_bits(creative.apis);
    if battr.is_unreadable() || battr.intersects(attributes) || !api.contains_all(interfaces) {
        return Err(PassReason::BlockedAttribute);
    }
    if !context.allows_language(creative.language) {
        return Err(PassReason::Language);
    }
    if chance.must_be_secure() && !creative.secure {
        return Err(PassReason::NotSecure);
    }
    Ok(floor)
}

/// The floor, blocked attributes and interfaces of the slot that this creative fits into.
fn slot_fits(
    creative: &Creative,
    context: &Context<'_>,
    chance: &Opportunity<'_>,
) -> Result<(Cpm, CodeSet, CodeSet), PassReason> {
    let imp = chance.imp;
    let nothing = PassReason::NoMatchingCreative;
    match &creative.format {
        Format::Banner(banner) => {
            let slot = imp.banner.as_ref().ok_or(nothing)?;
            banner::fits(banner, creative, slot, chance)?;
            Ok((chance.floor, slot.battr, slot.api))
        }
        Format::Video(video) => {
            let slot = imp.video.as_ref().ok_or(nothing)?;
            spot::video_fits(video, creative, slot, chance)?;
            let floor = chance.stream_floor(&slot.stream, video.duration_seconds, context)?;
            Ok((floor, slot.stream.battr, slot.stream.api))
        }
        Format::Audio(audio) => {
            let slot = imp.audio.as_ref().ok_or(nothing)?;
            spot::audio_fits(audio, &slot.stream, chance)?;
            let floor = chance.stream_floor(&slot.stream, audio.duration_seconds, context)?;
            Ok((floor, slot.stream.battr, slot.stream.api))
        }
        Format::Native(native) => {
            let slot = imp.native.as_ref().ok_or(nothing)?;
            let Given::Value(asked) = &slot.request else {
                return Err(nothing);
            };
            native::fits(native, asked)?;
            Ok((chance.floor, slot.battr, slot.api))
        }
    }
}

#[cfg(test)]
mod tests;
