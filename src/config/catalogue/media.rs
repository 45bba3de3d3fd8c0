//! What plays, of `creatives/<id>.toml`: videos and audio ads.

use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

use super::creative::{all_secure, size};
use crate::campaign::{
    Companion, Format, MediaFile, Size, Spot, SpotSource, StaticImage, Verification, Wrapper,
};
use crate::config::keys;
use crate::config::kinds::{AUDIO_MIME, IMAGE_MIME, Kind, TEXT, URL, VIDEO_MIME};
use crate::config::reader::Reader;

/// An hour is more than any break.
const SECONDS: RangeInclusive<i64> = 1..=3_600;
const KBPS: RangeInclusive<i64> = 1..=1_000_000;
/// There are fewer common sizes, and those that a placement takes are written into every bid on it.
const COMPANIONS_MAX: usize = 16;

/// How a file's size is read; sound has none.
type ReadSize = fn(&mut Reader<'_>) -> Option<Size>;

pub(super) fn video(reader: &mut Reader<'_>, _path: &Path) -> Option<(Format, bool)> {
    let skip = reader.whole("skip_after_seconds", &SECONDS);
    let (spot, secure) = spot(reader, &VIDEO_MIME, Some(size))?;
    if skip.is_some_and(|skip| skip >= spot.duration_seconds) {
        reader.fault(
            "skip_after_seconds",
            "must be below duration_seconds, or be left out",
        );
    }
    let video = Spot {
        skip_after_seconds: skip,
        ..spot
    };
    Some((Format::Video(video), secure))
}

pub(super) fn audio(reader: &mut Reader<'_>, _path: &Path) -> Option<(Format, bool)> {
    let (spot, secure) = spot(reader, &AUDIO_MIME, None)?;
    Some((Format::Audio(spot), secure))
}

/// How long something plays.
pub(super) fn duration(reader: &mut Reader<'_>) -> Option<u32> {
    reader.must_whole("duration_seconds", &SECONDS)
}

/// The files of something that plays.
pub(super) fn media(
    reader: &mut Reader<'_>,
    mime: &Kind<Arc<str>>,
    read_size: Option<ReadSize>,
) -> Vec<MediaFile> {
    let known: &[keys::Keys] = match read_size {
        Some(_) => &[keys::VIDEO_MEDIA],
        None => &[keys::AUDIO_MEDIA],
    };
    let files = reader.sections("media", known);
    files
        .into_iter()
        .filter_map(|file| media_file(file, mime, read_size))
        .collect()
}

/// What videos and audio ads have in common.
fn spot(
    reader: &mut Reader<'_>,
    mime: &Kind<Arc<str>>,
    read_size: Option<ReadSize>,
) -> Option<(Spot, bool)> {
    let duration_seconds = duration(reader);
    let companions = reader.sections("companions", &[keys::COMPANION]);
    if companions.len() > COMPANIONS_MAX {
        reader.fault(
            "companions",
            format!("expects at most {COMPANIONS_MAX}: they are written into every bid"),
        );
    }
    let companions: Vec<_> = companions.into_iter().filter_map(companion).collect();
    let verification = reader.has("verification").then(|| verification(reader));
    let source = source(reader, mime, read_size);
    let secure = match &source {
        Some(SpotSource::Inline(files)) => all_secure(files.iter().map(|file| &file.url)),
        Some(SpotSource::Wrapper(wrapper)) => all_secure([&wrapper.tag_url]),
        Some(SpotSource::Overlay(image)) => all_secure([&image.url]),
        None => false,
    };
    let beside = companions.iter().map(|companion| match companion {
        Companion::Image(image) => &image.url,
        Companion::Frame { url, .. } => url,
    });
    let verification = match verification {
        Some(verification) => Some(verification?),
        None => None,
    };
    let script = verification.as_ref().map(|script| &script.script_url);
    let secure = secure && all_secure(beside) && all_secure(script);
    let spot = Spot {
        source: source?,
        duration_seconds: duration_seconds?,
        skip_after_seconds: None,
        companions,
        verification,
    };
    Some((spot, secure))
}

fn source(
    reader: &mut Reader<'_>,
    mime: &Kind<Arc<str>>,
    read_size: Option<ReadSize>,
) -> Option<SpotSource> {
    let ways = ["media", "wrapper", "overlay"];
    let mut given = ways.into_iter().filter(|way| reader.has(way));
    let first = given.next();
    if let (Some(first), Some(second)) = (first, given.next()) {
        reader.fault(second, format!("stands beside {first}; leave one of them"));
        return None;
    }
    match first {
        Some("media") => Some(SpotSource::Inline(media(reader, mime, read_size))),
        Some("wrapper") => {
            let mut wrapper = reader.section("wrapper", &[keys::WRAPPER]);
            let tag_url = wrapper.must("tag_url", &URL);
            let mimes = wrapper.list("mimes", mime);
            if mimes.is_empty() {
                wrapper.fault(
                    "mimes",
                    "missing; expects what its tag plays, like [\"video/mp4\"]",
                );
            }
            Some(SpotSource::Wrapper(Wrapper {
                tag_url: tag_url?,
                mimes,
            }))
        }
        // Sound cannot lie over anything: the key is unknown there, which is said already.
        Some(_) if read_size.is_some() => {
            let mut overlay = reader.section("overlay", &[keys::OVERLAY]);
            static_image(&mut overlay).map(SpotSource::Overlay)
        }
        _ => {
            reader.fault(
                "media",
                "missing; expects at least one [[media]], or a [wrapper]",
            );
            None
        }
    }
}

fn media_file(
    mut reader: Reader<'_>,
    mime: &Kind<Arc<str>>,
    read_size: Option<ReadSize>,
) -> Option<MediaFile> {
    let url = reader.must("url", &URL);
    let mime = reader.must("mime", mime);
    let bitrate_kbps = reader.whole("bitrate_kbps", &KBPS);
    let size = match read_size {
        Some(read) => Some(read(&mut reader)?),
        None => None,
    };
    Some(MediaFile {
        url: url?,
        mime: mime?,
        size,
        bitrate_kbps,
    })
}

fn companion(mut reader: Reader<'_>) -> Option<Companion> {
    let kinds = [("image", true), ("frame", false)];
    if reader.word("kind", &kinds, true) {
        return static_image(&mut reader).map(Companion::Image);
    }
    if reader.has("mime") {
        reader.fault("mime", "belongs to an image; leave it out of a frame");
    }
    let url = reader.must("url", &URL);
    let size = size(&mut reader);
    Some(Companion::Frame {
        url: url?,
        size: size?,
    })
}

fn static_image(reader: &mut Reader<'_>) -> Option<StaticImage> {
    let url = reader.must("url", &URL);
    let mime = reader.must("mime", &IMAGE_MIME);
    let size = size(reader);
    Some(StaticImage {
        url: url?,
        mime: mime?,
        size: size?,
    })
}

fn verification(reader: &mut Reader<'_>) -> Option<Verification> {
    let mut section = reader.section("verification", &[keys::VERIFICATION]);
    let vendor = section.must("vendor", &TEXT);
    let script_url = section.must("script_url", &URL);
    let parameters = section.one("parameters", &TEXT);
    Some(Verification {
        vendor: vendor?,
        script_url: script_url?,
        parameters,
    })
}
