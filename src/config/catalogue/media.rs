//! Videos and native ads of `creatives/<id>.toml`.

use std::path::Path;

use super::creative::{all_secure, size};
use crate::campaign::{
    Format, MediaFile, Native, NativeImage, NativeText, Video, VideoSource, Wrapper,
};
use crate::config::keys;
use crate::config::kinds::{IMAGE_MIME, TEXT, URL, VIDEO_MIME};
use crate::config::reader::Reader;

/// An hour is more than any break.
const SECONDS: std::ops::RangeInclusive<i64> = 1..=3_600;
const KBPS: std::ops::RangeInclusive<i64> = 1..=1_000_000;

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

pub(super) fn video(reader: &mut Reader<'_>, _path: &Path) -> Option<(Format, bool)> {
    let duration = reader.must_whole("duration_seconds", &SECONDS);
    let skip = reader.whole("skip_after_seconds", &SECONDS);
    let source = video_source(reader);
    let secure = match &source {
        Some(VideoSource::Inline(files)) => all_secure(files.iter().map(|file| &file.url)),
        Some(VideoSource::Wrapper(wrapper)) => all_secure([&wrapper.tag_url]),
        None => false,
    };
    let video = Video {
        duration_seconds: duration?,
        skip_after_seconds: skip,
        source: source?,
    };
    if skip.is_some_and(|skip| skip >= video.duration_seconds) {
        reader.fault(
            "skip_after_seconds",
            "must be below duration_seconds, or be left out",
        );
    }
    Some((Format::Video(video), secure))
}

fn video_source(reader: &mut Reader<'_>) -> Option<VideoSource> {
    match (reader.has("media"), reader.has("wrapper")) {
        (true, false) => {
            let files = reader.sections("media", &[keys::MEDIA]);
            let files: Vec<_> = files.into_iter().filter_map(media_file).collect();
            Some(VideoSource::Inline(files))
        }
        (false, true) => {
            let mut wrapper = reader.section("wrapper", &[keys::WRAPPER]);
            let tag_url = wrapper.must("tag_url", &URL);
            let mimes = wrapper.list("mimes", &VIDEO_MIME);
            if mimes.is_empty() {
                wrapper.fault(
                    "mimes",
                    "missing; expects what its tag plays, like [\"video/mp4\"]",
                );
            }
            Some(VideoSource::Wrapper(Wrapper {
                tag_url: tag_url?,
                mimes,
            }))
        }
        (true, true) => {
            reader.fault("wrapper", "stands beside media; leave one of them");
            None
        }
        (false, false) => {
            reader.fault(
                "media",
                "missing; expects at least one [[media]], or a [wrapper]",
            );
            None
        }
    }
}

fn media_file(mut reader: Reader<'_>) -> Option<MediaFile> {
    let url = reader.must("url", &URL);
    let mime = reader.must("mime", &VIDEO_MIME);
    let bitrate_kbps = reader.whole("bitrate_kbps", &KBPS);
    let size = size(&mut reader);
    Some(MediaFile {
        url: url?,
        mime: mime?,
        size: size?,
        bitrate_kbps,
    })
}

pub(super) fn native(reader: &mut Reader<'_>, _path: &Path) -> Option<(Format, bool)> {
    let title = reader.must("title", &TEXT);
    let texts = reader.sections("texts", &[keys::NATIVE_TEXT]);
    let texts: Vec<_> = texts.into_iter().filter_map(native_text).collect();
    let images = reader.sections("images", &[keys::NATIVE_IMAGE]);
    let images: Vec<_> = images.into_iter().filter_map(native_image).collect();
    let secure = all_secure(images.iter().map(|image| &image.url));
    let native = Native {
        title: title?,
        texts,
        images,
    };
    Some((Format::Native(native), secure))
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
