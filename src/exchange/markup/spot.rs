//! VAST and DAAST documents, for players and for native assets that are videos.

use super::Links;
use crate::bidding::{companions, plays_file, skip_after};
use crate::campaign::{
    Campaign, Category, Companion, Creative, MediaFile, Spot, SpotSource, StaticImage,
};
use crate::openrtb::native::{ContentTypes, VideoAsset};
use crate::openrtb::request::{Audio, Stream, Video};
use crate::openrtb::vast::{
    self, CompanionAd, CompanionResource, Image, Source, Template, VastAd, VerificationScript,
};
use crate::openrtb::{CodeSet, Flag, Given};

/// What the markup says it was served by.
const AD_SYSTEM: &str = "Bidtree";

/// What a document is written for.
pub(super) enum Medium<'a> {
    Video(&'a Video<'a>),
    Audio(&'a Audio<'a>),
    Asset(&'a VideoAsset),
}

/// Appends the best document that the player takes; its protocol.
pub(super) fn write_spot(
    out: &mut Vec<u8>,
    ((campaign, creative), spot): ((&Campaign, &Creative), &Spot),
    medium: &Medium<'_>,
    links: &Links<'_>,
) -> Option<u32> {
    let files: Vec<vast::MediaFile<'_>> = match &spot.source {
        SpotSource::Inline(files) => files
            .iter()
            .filter(|file| medium.plays(file))
            .map(media_file)
            .collect(),
        SpotSource::Wrapper(_) | SpotSource::Overlay(_) => Vec::new(),
    };
    let source = match &spot.source {
        SpotSource::Inline(_) => Source::InLine {
            duration_s: spot.duration_seconds,
            skip_after_s: medium.skip_after(spot),
            files: &files,
        },
        SpotSource::Overlay(picture) => Source::Overlay {
            duration_s: spot.duration_seconds,
            image: image(picture),
        },
        SpotSource::Wrapper(wrapper) => Source::Wrapper {
            tag_url: &wrapper.tag_url,
        },
    };
    let form = source.form();
    let template = Template::choose(medium.protocols(), form, medium.as_vast())?;
    let companions: Vec<CompanionAd<'_>> = medium
        .stream()
        .into_iter()
        .flat_map(|stream| companions(spot, stream))
        .map(|(companion, place)| CompanionAd {
            resource: resource(companion),
            is_end_card: match place.vcm {
                Flag::Yes => Some(true),
                Flag::No => Some(false),
                Flag::Absent | Flag::Odd => None,
            },
        })
        .collect();
    let category = creative.categories(&campaign.advertiser).first();
    let category = category.map(Category::to_string);
    let ad = VastAd {
        medium: medium.as_vast(),
        id: &creative.id,
        ad_system: AD_SYSTEM,
        title: &campaign.id,
        category: category.as_deref(),
        serving_id: links.serving_id,
        impressions: &[links.impression_url],
        click_through: Some(&creative.click_url),
        click_trackers: &[links.click_url],
        source,
        companions: &companions,
        verification: spot.verification.as_ref().map(|script| VerificationScript {
            vendor: &script.vendor,
            url: &script.script_url,
            parameters: script.parameters.as_deref(),
        }),
    };
    vast::write(out, template, &ad);
    Some(template.protocol(form))
}

impl<'a> Medium<'a> {
    fn stream(&self) -> Option<&'a Stream<'a>> {
        match self {
            Self::Video(video) => Some(&video.stream),
            Self::Audio(audio) => Some(&audio.stream),
            Self::Asset(_) => None,
        }
    }

    fn as_vast(&self) -> vast::Medium {
        match self {
            Self::Video(_) | Self::Asset(_) => vast::Medium::Video,
            Self::Audio(_) => vast::Medium::Audio,
        }
    }

    fn protocols(&self) -> CodeSet {
        match self {
            Self::Video(video) => video.stream.protocols,
            Self::Audio(audio) => audio.stream.protocols,
            Self::Asset(asset) => asset.protocols,
        }
    }

    fn plays(&self, file: &MediaFile) -> bool {
        match (self, self.stream()) {
            (_, Some(stream)) => plays_file(file, stream),
            (Self::Asset(asset), None) => match asset.mimes {
                Given::Value(types) => types.intersects(ContentTypes::of(&file.mime)),
                Given::Absent => true,
                Given::Unreadable => false,
            },
            (Self::Video(_) | Self::Audio(_), None) => false,
        }
    }

    /// Nobody skips sound, and a native ad is skipped by scrolling on.
    fn skip_after(&self, spot: &Spot) -> Option<u32> {
        match self {
            Self::Video(video) => skip_after(spot, video),
            Self::Audio(_) | Self::Asset(_) => None,
        }
    }
}

fn media_file(file: &MediaFile) -> vast::MediaFile<'_> {
    vast::MediaFile {
        url: &file.url,
        mime: &file.mime,
        w: file.size.map_or(0, |size| size.w),
        h: file.size.map_or(0, |size| size.h),
        bitrate_kbps: file.bitrate_kbps,
    }
}

fn image(image: &StaticImage) -> Image<'_> {
    Image {
        url: &image.url,
        mime: &image.mime,
        w: image.size.w,
        h: image.size.h,
    }
}

fn resource(companion: &Companion) -> CompanionResource<'_> {
    match companion {
        Companion::Image(picture) => CompanionResource::Image(image(picture)),
        Companion::Frame { url, size } => CompanionResource::Frame {
            url,
            w: size.w,
            h: size.h,
        },
    }
}
