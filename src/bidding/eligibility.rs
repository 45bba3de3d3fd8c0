//! Whether a campaign may be shown here, and with which of its creatives.

use super::context::Context;
use super::opportunity::Opportunity;
use super::pass::PassReason;
use crate::campaign::{
    Advertiser, Banner, Barred, Campaign, Creative, Format, MediaFile, Native, Video, VideoSource,
};
use crate::openrtb::codes::VastForm;
use crate::openrtb::native::{ImagePart, NativeParts, TextPart, can_answer};
use crate::openrtb::vast::choose_version;
use crate::openrtb::{CodeSet, Flag, Given, request};
use crate::units::Cpm;

/// The creative attribute "has a skip button" (AdCOM, list Creative Attributes).
const SKIP_BUTTON: u32 = 16;

/// A creative that fits, and what a bid with it must at least be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fit {
    pub(super) creative: usize,
    pub(super) floor: Cpm,
}

/// The campaign's first creative that may be shown here.
///
/// # Errors
/// The reason of the creative that got furthest.
pub(super) fn fit(
    (campaign, barred): (&Campaign, Barred),
    context: &Context<'_>,
    chance: &Opportunity<'_>,
) -> Result<Fit, PassReason> {
    let advertiser = &campaign.advertiser;
    let seat = advertiser
        .seat_on(context.place.exchange)
        .or(context.place.seat);
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
    let mut furthest = PassReason::NoMatchingCreative;
    for (place, creative) in campaign.creatives.iter().enumerate() {
        match creative_fits(creative, advertiser, context, chance) {
            Ok(_) if barred.contains(place) => furthest = furthest.max(PassReason::NotApproved),
            Ok(floor) => {
                return Ok(Fit {
                    creative: place,
                    floor,
                });
            }
            Err(reason) => furthest = furthest.max(reason),
        }
    }
    Err(furthest)
}

/// What a bid with this creative must at least be.
fn creative_fits(
    creative: &Creative,
    advertiser: &Advertiser,
    context: &Context<'_>,
    chance: &Opportunity<'_>,
) -> Result<Cpm, PassReason> {
    if !chance.shapes().contains(&creative.shape()) {
        return Err(PassReason::NoMatchingCreative);
    }
    let (floor, battr, api) = slot_fits(creative, context, chance)?;
    let own = &creative.categories;
    let categories = if own.is_empty() {
        &advertiser.categories
    } else {
        own
    };
    if !context.allows_categories(categories) {
        return Err(PassReason::BlockedCategory);
    }
    let bundle = creative.bundle.as_ref();
    if bundle.is_some_and(|bundle| !context.allows_app(bundle.as_str())) {
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
    match &creative.format {
        Format::Banner(banner) => {
            let slot = imp.banner.as_ref().ok_or(PassReason::NoMatchingCreative)?;
            banner_fits(banner, slot)?;
            Ok((chance.floor, slot.battr, slot.api))
        }
        Format::Video(video) => {
            let slot = imp.video.as_ref().ok_or(PassReason::NoMatchingCreative)?;
            video_fits(video, creative, slot)?;
            let floor = chance.video_floor(slot, video.duration_seconds, context)?;
            Ok((floor, slot.battr, slot.api))
        }
        Format::Native(native) => {
            let slot = imp.native.as_ref().ok_or(PassReason::NoMatchingCreative)?;
            let Given::Value(asked) = &slot.request else {
                return Err(PassReason::NoMatchingCreative);
            };
            can_answer(asked, &Parts(native)).map_err(|_| PassReason::NoMatchingCreative)?;
            Ok((chance.floor, slot.battr, slot.api))
        }
    }
}

fn banner_fits(banner: &Banner, slot: &request::Banner<'_>) -> Result<(), PassReason> {
    let blocked = slot.btype.is_unreadable() || slot.btype.contains(banner.kind as u32);
    if blocked {
        Err(PassReason::BlockedAttribute)
    } else {
        Ok(())
    }
}

fn video_fits(
    video: &Video,
    creative: &Creative,
    slot: &request::Video<'_>,
) -> Result<(), PassReason> {
    let form = match video.source {
        VideoSource::Inline(_) => VastForm::InLine,
        VideoSource::Wrapper(_) => VastForm::Wrapper,
    };
    let own_skip = video.skip_after_seconds.is_some();
    let says_skip = CodeSet::from_bits(creative.attributes).contains(SKIP_BUTTON);
    let fits = duration_fits(video.duration_seconds, slot)
        && plays(video, slot)
        && choose_version(slot.protocols, form).is_some()
        // An own skip button must be declared where the player shows none.
        && (!own_skip || says_skip || slot.skip != Flag::No);
    if fits {
        Ok(())
    } else {
        Err(PassReason::NoMatchingCreative)
    }
}

fn duration_fits(seconds: u32, slot: &request::Video<'_>) -> bool {
    if slot.pod.poddur_s.is_some_and(|pod| seconds > pod) {
        return false;
    }
    match &slot.rqddurs_s {
        Given::Value(exact) => exact.contains(&seconds),
        Given::Unreadable => false,
        Given::Absent => {
            let extended = slot.maxextended_s.unwrap_or(0);
            let most = match (slot.maxduration_s, u32::try_from(extended)) {
                // Below nothing means that it may be extended without limit.
                (_, Err(_)) | (None, _) => u32::MAX,
                (Some(most), Ok(extra)) => most.saturating_add(extra),
            };
            slot.minduration_s.is_none_or(|least| seconds >= least) && seconds <= most
        }
    }
}

/// Whether the player takes one of the files. A player that names no types takes all.
fn plays(video: &Video, slot: &request::Video<'_>) -> bool {
    if slot.mimes.is_unreadable() {
        return false;
    }
    match &video.source {
        VideoSource::Inline(files) => files.iter().any(|file| plays_file(file, slot)),
        VideoSource::Wrapper(wrapper) => wrapper.mimes.iter().any(|mime| takes(mime, slot)),
    }
}

/// Whether the player takes this file: its type, and its bit rate where both are known.
pub fn plays_file(file: &MediaFile, slot: &request::Video<'_>) -> bool {
    let rate_fits = file.bitrate_kbps.is_none_or(|rate| {
        slot.minbitrate_kbps.is_none_or(|least| rate >= least)
            && slot.maxbitrate_kbps.is_none_or(|most| rate <= most)
    });
    rate_fits && takes(&file.mime, slot)
}

fn takes(mime: &str, slot: &request::Video<'_>) -> bool {
    slot.mimes.is_empty() || slot.mimes.contains_ignoring_case(mime)
}

/// A native creative as the wire's writer sees it.
pub struct Parts<'c>(pub &'c Native);

impl NativeParts for Parts<'_> {
    fn title(&self) -> &str {
        &self.0.title
    }

    fn images(&self) -> impl Iterator<Item = ImagePart<'_>> {
        self.0.images.iter().map(|image| ImagePart {
            image_type: u32::from(image.kind),
            url: &image.url,
            w: image.size.w,
            h: image.size.h,
            mime: &image.mime,
        })
    }

    fn texts(&self) -> impl Iterator<Item = TextPart<'_>> {
        self.0.texts.iter().map(|text| TextPart {
            data_type: u32::from(text.kind),
            text: &text.text,
        })
    }
}
