//! What plays, in video and audio placements: types, lengths, versions, skipping, and what stands beside it.

use crate::bidding::opportunity::Opportunity;
use crate::bidding::pass::PassReason;
use crate::campaign::{Companion, Creative, MediaFile, Size, Spot, SpotSource};
use crate::openrtb::codes::VastForm;
use crate::openrtb::request::{Banner, Stream, Video};
use crate::openrtb::vast::{Delivery, Medium, Template};
use crate::openrtb::{CodeSet, Flag, Given};

/// The creative attribute "has a skip button" (AdCOM, list Creative Attributes).
const SKIP_BUTTON: u32 = 16;

pub(super) fn video_fits(
    video: &Spot,
    creative: &Creative,
    slot: &Video<'_>,
    chance: &Opportunity<'_>,
) -> Result<(), PassReason> {
    let own_skip = video.skip_after_seconds.is_some();
    let says_skip = CodeSet::from_bits(creative.attributes).contains(SKIP_BUTTON);
    let fits = linearity_fits(video, slot)
        // An own skip button must be declared where the player shows none.
        && (!own_skip || says_skip || slot.skip != Flag::No);
    if fits {
        spot_fits(video, &slot.stream, Medium::Video, chance)
    } else {
        Err(PassReason::NoMatchingCreative)
    }
}

pub(super) fn audio_fits(
    audio: &Spot,
    stream: &Stream<'_>,
    chance: &Opportunity<'_>,
) -> Result<(), PassReason> {
    spot_fits(audio, stream, Medium::Audio, chance)
}

/// When a video's skip button appears, if it has one and the player does not say otherwise: the player lets skip only long
/// ads, and only after a while.
pub fn skip_after(video: &Spot, slot: &Video<'_>) -> Option<u32> {
    let own = video.skip_after_seconds?;
    if slot.skip != Flag::Yes {
        return Some(own);
    }
    let after = own.max(slot.skipafter_s.unwrap_or(0));
    let is_long_enough = video.duration_seconds > slot.skipmin_s.unwrap_or(0);
    (is_long_enough && after < video.duration_seconds).then_some(after)
}

/// Whether the player takes this file: its type, how it comes, and its bit rate where both are known.
pub fn plays_file(file: &MediaFile, stream: &Stream<'_>) -> bool {
    let rate_fits = file.bitrate_kbps.is_none_or(|rate| {
        stream.minbitrate_kbps.is_none_or(|least| rate >= least)
            && stream.maxbitrate_kbps.is_none_or(|most| rate <= most)
    });
    let ways = match Delivery::of(&file.mime) {
        Delivery::Streaming => CodeSet::of(&[1]),
        // What plays while it loads may as well be loaded first.
        Delivery::Progressive => CodeSet::of(&[2, 3]),
    };
    let comes = stream.delivery.is_empty() || stream.delivery.intersects(ways);
    rate_fits && comes && takes(&file.mime, stream)
}

/// The companions that the placement takes, the best first, each with the place it takes.
pub fn companions<'c, 's>(
    spot: &'c Spot,
    stream: &'s Stream<'s>,
) -> impl Iterator<Item = (&'c Companion, &'s Banner<'s>)> {
    let kinds = stream.companiontype;
    spot.companions
        .iter()
        .filter(move |companion| {
            kinds.is_empty() && !kinds.is_unreadable() || kinds.contains(companion.code())
        })
        .filter_map(|companion| {
            let places = stream.companions.iter();
            let mut taking = places.filter(|place| takes_companion(companion, place));
            taking.next().map(|place| (companion, place))
        })
}

fn spot_fits(
    spot: &Spot,
    stream: &Stream<'_>,
    medium: Medium,
    chance: &Opportunity<'_>,
) -> Result<(), PassReason> {
    let form = match spot.source {
        SpotSource::Inline(_) | SpotSource::Overlay(_) => VastForm::InLine,
        SpotSource::Wrapper(_) => VastForm::Wrapper,
    };
    let fits = chance.room.holds(spot.duration_seconds)
        && duration_fits(spot.duration_seconds, stream)
        && plays(spot, stream)
        && Template::choose(stream.protocols, form, medium).is_some();
    if fits {
        Ok(())
    } else {
        Err(PassReason::NoMatchingCreative)
    }
}

/// A placement that does not say takes both what plays in line and what lies over it.
fn linearity_fits(video: &Spot, slot: &Video<'_>) -> bool {
    let is_overlay = matches!(video.source, SpotSource::Overlay(_));
    match slot.linearity {
        None => true,
        Some(1) => !is_overlay,
        Some(2) => is_overlay,
        Some(_) => false,
    }
}

fn duration_fits(seconds: u32, stream: &Stream<'_>) -> bool {
    match &stream.rqddurs_s {
        Given::Value(exact) => exact.contains(&seconds),
        Given::Unreadable => false,
        Given::Absent => {
            let extended = stream.maxextended_s.unwrap_or(0);
            let most = match (stream.maxduration_s, u32::try_from(extended)) {
                // Below nothing means that it may be extended without limit.
                (_, Err(_)) | (None, _) => u32::MAX,
                (Some(most), Ok(extra)) => most.saturating_add(extra),
            };
            stream.minduration_s.is_none_or(|least| seconds >= least) && seconds <= most
        }
    }
}

/// Whether the player takes one of the files. A player that names no types takes all.
fn plays(spot: &Spot, stream: &Stream<'_>) -> bool {
    if stream.mimes.is_unreadable() {
        return false;
    }
    match &spot.source {
        SpotSource::Inline(files) => files.iter().any(|file| plays_file(file, stream)),
        SpotSource::Wrapper(wrapper) => wrapper.mimes.iter().any(|mime| takes(mime, stream)),
        SpotSource::Overlay(image) => takes(&image.mime, stream),
    }
}

fn takes(mime: &str, stream: &Stream<'_>) -> bool {
    stream.mimes.is_empty() || stream.mimes.contains_type(mime)
}

fn takes_companion(companion: &Companion, place: &Banner<'_>) -> bool {
    let Size { w, h } = companion.size();
    let is = |size: (Option<u32>, Option<u32>)| size == (Some(w), Some(h));
    let size_fits =
        is((place.w, place.h)) || place.formats.iter().any(|format| is((format.w, format.h)));
    let mime_fits = match companion {
        _ if place.mimes.is_unreadable() => false,
        _ if place.mimes.is_empty() => true,
        Companion::Image(image) => place.mimes.contains_type(&image.mime),
        Companion::Frame { .. } => place.mimes.contains_type("text/html"),
    };
    size_fits && mime_fits
}
