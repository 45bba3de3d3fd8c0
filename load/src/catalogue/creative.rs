//! Creatives: banners of common sizes, videos of common lengths, natives.

use super::advertiser::Advertiser;
use super::toml_text::Toml;
use crate::rng::Rng;

/// One creative of an advertiser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Creative {
    /// Width and height.
    Banner(u32, u32),
    /// Seconds.
    Video(u32),
    Native,
}

/// Sizes and how often an advertiser has them.
const SIZES: &[(u32, u32, f64)] = &[
    (300, 250, 0.9),
    (320, 50, 0.7),
    (728, 90, 0.6),
    (160, 600, 0.35),
    (300, 600, 0.35),
    (320, 100, 0.3),
    (320, 480, 0.3),
    (970, 250, 0.25),
    (336, 280, 0.15),
    (468, 60, 0.1),
];

/// What an advertiser has: at least one banner.
pub(super) fn draw(rng: &mut Rng) -> Vec<Creative> {
    let mut drawn: Vec<Creative> = SIZES
        .iter()
        .filter(|(_, _, share)| rng.chance(*share))
        .map(|(w, h, _)| Creative::Banner(*w, *h))
        .collect();
    if drawn.is_empty() {
        drawn.push(Creative::Banner(300, 250));
    }
    for seconds in [6, 15, 30] {
        if rng.chance(0.25) {
            drawn.push(Creative::Video(seconds));
        }
    }
    if rng.chance(0.4) {
        drawn.push(Creative::Native);
    }
    drawn
}

impl Creative {
    /// Its id.
    pub(super) fn id(self, advertiser: &Advertiser) -> String {
        let own = match self {
            Self::Banner(w, h) => format!("{w}x{h}"),
            Self::Video(seconds) => format!("video-{seconds}"),
            Self::Native => "native".to_owned(),
        };
        format!("{}-{own}", advertiser.id)
    }

    /// Its file.
    pub(super) fn file(self, advertiser: &Advertiser) -> String {
        let mut file = Toml::default();
        let kind = match self {
            Self::Banner(..) => "banner",
            Self::Video(_) => "video",
            Self::Native => "native",
        };
        file.text("kind", kind);
        let landing = format!("https://{}/offer", advertiser.domain);
        file.text("click_url", &landing);
        let cdn = format!("https://cdn.{}/{}", advertiser.domain, self.id(advertiser));
        match self {
            Self::Banner(w, h) => banner(&mut file, &cdn, (w, h), &advertiser.brand),
            Self::Video(seconds) => video(&mut file, &cdn, seconds),
            Self::Native => native(&mut file, &cdn, &advertiser.brand),
        }
        file.finish()
    }
}

fn banner(file: &mut Toml, cdn: &str, (w, h): (u32, u32), brand: &str) {
    file.raw("w", &w.to_string());
    file.raw("h", &h.to_string());
    let html = format!(
        "'''\n<a href=\"{{click_url}}\" target=\"_blank\"><img src=\"{cdn}.png\" width=\"{w}\" height=\"{h}\" \
         alt=\"{brand}\" style=\"border:0;display:block\"></a>\n<img src=\"{{impression_url}}\" width=\"1\" height=\"1\" \
         alt=\"\">\n'''"
    );
    file.raw("html", &html);
}

fn video(file: &mut Toml, cdn: &str, seconds: u32) {
    file.raw("duration_seconds", &seconds.to_string());
    for (w, h, bitrate_kbps, mime, end) in [
        (640, 360, 800, "video/mp4", "mp4"),
        (1280, 720, 2_500, "video/mp4", "mp4"),
        (854, 480, 1_200, "video/webm", "webm"),
    ] {
        file.section("[[media]]");
        file.text("url", &format!("{cdn}-{w}.{end}"));
        file.text("mime", mime);
        file.raw("w", &w.to_string());
        file.raw("h", &h.to_string());
        file.raw("bitrate_kbps", &bitrate_kbps.to_string());
    }
}

fn native(file: &mut Toml, cdn: &str, brand: &str) {
    file.text("title", &format!("{brand}: this week only"));
    for (kind, text) in [
        ("sponsored", brand),
        ("description", "Made for people who know what they like."),
        ("cta", "See more"),
    ] {
        file.section("[[texts]]");
        file.text("kind", kind);
        file.text("text", text);
    }
    for (kind, w, h) in [("icon", 80, 80), ("main", 1200, 627)] {
        file.section("[[images]]");
        file.text("kind", kind);
        file.text("url", &format!("{cdn}-{kind}.jpg"));
        file.raw("w", &w.to_string());
        file.raw("h", &h.to_string());
        file.text("mime", "image/jpeg");
    }
}
