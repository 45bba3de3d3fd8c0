//! Of creatives, by their format.

use super::*;

pub(super) const BANNER_ROWS: &[Row] = &[
    (
        "\"banner\"",
        "\"teapot\"",
        "kind = \"teapot\": expects one of banner, video, audio, native",
    ),
    (
        "w = 728",
        "w = 0",
        "w = 0: expects a whole number from 1 to 16384",
    ),
    ("w = 728", "", "w: missing; expects a whole number"),
    (
        "{impression_url}",
        "",
        "html: must contain {impression_url}",
    ),
    ("html", "markup", "markup = "),
    (
        "w = 728",
        "w = 728\nmarkup = \"a.html\"",
        "markup: stands beside html; leave one of them",
    ),
    (
        "w = 728",
        "w = 728\ntype = \"flash\"",
        "type = \"flash\": expects one of xhtml_text",
    ),
    (
        "w = 728",
        "w = 728\nattributes = [0]",
        "attributes = [0]: expects a list of whole numbers from 1 to 63",
    ),
    (
        "https://shoes.example/",
        "shoes.example",
        "click_url = \"shoes.example\": expects an absolute http or https URL",
    ),
];

pub(super) const VIDEO_ROWS: &[Row] = &[
    ("[[media]]", "[media]", "media"),
    (
        "duration_seconds = 15",
        "duration_seconds = 15\nskip_after_seconds = 15",
        "skip_after_seconds: must be below duration_seconds",
    ),
    ("duration_seconds = 15", "", "duration_seconds: missing"),
    (
        "mime = \"video/mp4\"",
        "",
        "media[1].mime: missing; expects the MIME type of a video",
    ),
    (
        "[[media]]",
        "[wrapper]\ntag_url = \"https://a.example\"\n[[media]]",
        "wrapper: stands beside media",
    ),
    (
        "[[media]]",
        "[overlay]\nurl = \"https://a.example\"\n[[media]]",
        "overlay: stands beside media",
    ),
    (
        "[[media]]\nurl",
        "[overlay]\nurl",
        "overlay.mime = \"video/mp4\": expects the MIME type of an image",
    ),
];

pub(super) const AUDIO_ROWS: &[Row] = &[
    (
        "audio/mpeg",
        "video/mp4v",
        "media[1].mime = \"video/mp4v\": expects the MIME type of sound",
    ),
    (
        "bitrate_kbps",
        "w = 1\nbitrate_kbps",
        "media[1].w = 1: unknown key",
    ),
    (
        "duration_seconds",
        "skip_after_seconds = 5\nduration_seconds",
        "skip_after_seconds = 5: unknown key",
    ),
    (
        "\"frame\"",
        "\"html\"",
        "companions[1].kind = \"html\": expects one of image, frame",
    ),
    (
        "kind = \"frame\"",
        "kind = \"frame\"\nmime = \"image/png\"",
        "companions[1].mime: belongs to an image; leave it out of a frame",
    ),
    ("kind = \"frame\"", "", "companions[1].mime: missing"),
    ("vendor =", "# vendor =", "verification.vendor: missing"),
];

pub(super) const NATIVE_ROWS: &[Row] = &[
    (
        "title = \"Shoes\"",
        "title = \"Shoes\"\ndeep_link = \"shoes\"",
        "deep_link = \"shoes\": expects an address in an app",
    ),
    (
        "[[images]]",
        "[video]\nduration_seconds = 15\n[[images]]",
        "video.media: missing; expects at least one file",
    ),
    ("title = \"Shoes\"", "", "title: missing; expects a text"),
    (
        "\"sponsored\"",
        "\"slogan\"",
        "texts[1].kind = \"slogan\": expects one of sponsored, description",
    ),
    (
        "\"icon\"",
        "0",
        "images[1].kind = 0: expects one of icon, main, or a number above 0",
    ),
    ("w = 80", "", "images[1].w: missing"),
];
