//! Native ads of `creatives/<id>.toml`.

use std::path::Path;

use super::creative::{all_secure, size};
use super::media::{duration, media};
use crate::campaign::{Format, Native, NativeImage, NativeText, Spot, SpotSource};
use crate::config::keys;
use crate::config::kinds::{DEEP_LINK, IMAGE_MIME, TEXT, URL, VIDEO_MIME};
use crate::config::reader::Reader;

/// Words for the numbers of Native 1.2's lists. Numbers may be written, too.
const TEXT_KINDS: &[(&str, u16)] = &[
    ("sponsored", 1),
    ("description", 2),
    ("rating", 3),
    ("likes", 4),
    ("downloads", 5),
    ("price", 6),
    ("sale_price", 7),
    ("phone", 8),
    ("address", 9),
    ("description2", 10),
    ("display_url", 11),
    ("cta", 12),
];
const IMAGE_KINDS: &[(&str, u16)] = &[("icon", 1), ("main", 3)];

pub(super) fn native(reader: &mut Reader<'_>, _path: &Path) -> Option<(Format, bool)> {
    let title = reader.must("title", &TEXT);
    let texts = reader.sections("texts", &[keys::NATIVE_TEXT]);
    let texts: Vec<_> = texts.into_iter().filter_map(native_text).collect();
    let images = reader.sections("images", &[keys::NATIVE_IMAGE]);
    let images: Vec<_> = images.into_iter().filter_map(native_image).collect();
    let video = reader.has("video").then(|| video(reader));
    let deep_link = reader.one("deep_link", &DEEP_LINK);
    let privacy_url = reader.one("privacy_url", &URL);
    let script_url = reader.one("script_url", &URL);
    let (video, video_secure) = match video {
        Some(video) => video.map(|(spot, secure)| (Some(spot), secure))?,
        None => (None, true),
    };
    let images_secure = all_secure(images.iter().map(|image| &image.url));
    let secure = images_secure && video_secure && all_secure(&script_url);
    let native = Native {
        title: title?,
        texts,
        images,
        video,
        deep_link,
        privacy_url,
        script_url,
    };
    Some((Format::Native(native), secure))
}

/// The video of a native ad: files of its own, without anything around them.
fn video(reader: &mut Reader<'_>) -> Option<(Spot, bool)> {
    let mut section = reader.section("video", &[keys::NATIVE_VIDEO]);
    let duration_seconds = duration(&mut section);
    if !section.has("media") {
        section.fault(
            "media",
            "missing; expects at least one file, like [[video.media]]",
        );
    }
    let files = media(&mut section, &VIDEO_MIME, Some(size));
    let secure = all_secure(files.iter().map(|file| &file.url));
    let spot = Spot {
        source: SpotSource::Inline(files),
        duration_seconds: duration_seconds?,
        skip_after_seconds: None,
        companions: Vec::new(),
        verification: None,
    };
    Some((spot, secure))
}

fn native_text(mut reader: Reader<'_>) -> Option<NativeText> {
    let kind = reader.word_or_number("kind", TEXT_KINDS);
    let text = reader.must("text", &TEXT);
    Some(NativeText {
        kind: kind?,
        text: text?,
    })
}

fn native_image(mut reader: Reader<'_>) -> Option<NativeImage> {
    let kind = reader.word_or_number("kind", IMAGE_KINDS);
    let url = reader.must("url", &URL);
    let mime = reader.must("mime", &IMAGE_MIME);
    let size = size(&mut reader);
    Some(NativeImage {
        kind: kind?,
        url: url?,
        size: size?,
        mime: mime?,
    })
}
