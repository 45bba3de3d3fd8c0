//! `creatives/<id>.toml`: what the four kinds have in common, and banners.

use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;

use super::taxonomies::classified;
use super::{media, native};
use crate::campaign::{Banner, BannerKind, Creative, Format, Size};
use crate::config::keys;
use crate::config::kinds::{
    APP, BANNER_KIND, CATEGORY, FILE_NAME, LANGUAGE, MARKUP, MARKUP_MIME, URL,
};
use crate::config::notation::is_secure;
use crate::config::reader::Reader;
use crate::config::source::{Source, read_table, read_text};
use crate::units::CreativeKey;

/// The largest markup of a banner, in bytes: it is written into every bid.
pub const MARKUP_BYTES_MAX: usize = 64 << 10;

/// What markup must contain, or its clicks and impressions are never reported.
const PLACEHOLDERS: [&str; 2] = ["{click_url}", "{impression_url}"];

/// Reads a kind's own keys; the format, and whether every asset is fetched over https.
type ReadFormat = fn(&mut Reader<'_>, &Path) -> Option<(Format, bool)>;

const KINDS: [(&str, &[keys::Keys], ReadFormat); 4] = [
    ("banner", &[keys::CREATIVE, keys::BANNER], banner),
    (
        "video",
        &[keys::CREATIVE, keys::SPOT, keys::VIDEO],
        media::video,
    ),
    ("audio", &[keys::CREATIVE, keys::SPOT], media::audio),
    ("native", &[keys::CREATIVE, keys::NATIVE], native::native),
];

pub(super) fn read(source: &Source<'_>, id: &str, path: &Path) -> Option<Creative> {
    let table = read_table(path, source)?;
    let kind = table.get("kind");
    let found = KINDS
        .iter()
        .find(|(name, ..)| kind.and_then(toml::Value::as_str) == Some(*name));
    let Some((_, known, read_format)) = found else {
        source.fault("kind", kind, "expects one of banner, video, audio, native");
        return None;
    };
    let mut reader = Reader::new(source, String::new(), table, known);
    let click_url = reader.must("click_url", &URL);
    let attributes = reader.codes("attributes");
    let apis = reader.codes("apis");
    let categories = reader.list("categories", &CATEGORY);
    let classified = classified(&mut reader);
    let language = reader.one("language", &LANGUAGE);
    let iurl = reader.one("iurl", &URL);
    let bundle = reader.one("bundle", &APP);
    let (format, secure) = read_format(&mut reader, path)?;
    Some(Creative {
        id: id.into(),
        key: CreativeKey::of(id),
        format,
        click_url: click_url?,
        attributes,
        apis,
        categories,
        classified,
        language,
        secure,
        iurl,
        bundle,
    })
}

/// A side of a rectangle, in pixels.
const SIDES: RangeInclusive<i64> = 1..=16_384;

/// Width and height, both at least 1.
pub(super) fn size(reader: &mut Reader<'_>) -> Option<Size> {
    let (w, h) = (
        reader.must_whole("w", &SIDES),
        reader.must_whole("h", &SIDES),
    );
    Some(Size { w: w?, h: h? })
}

fn banner(reader: &mut Reader<'_>, path: &Path) -> Option<(Format, bool)> {
    let size = size(reader);
    let kind = reader.or("type", &BANNER_KIND, BannerKind::JavaScript);
    let mime = reader.or("mime", &MARKUP_MIME, "text/html".into());
    let scales_from_w = reader.whole("scales_from_w", &SIDES);
    let expands = reader.codes("expands");
    let html = html(reader, path)?;
    if html.len() > MARKUP_BYTES_MAX {
        let advice = format!(
            "has {} bytes; at most {MARKUP_BYTES_MAX} are written into a bid",
            html.len()
        );
        reader.fault("html", advice);
    }
    for placeholder in PLACEHOLDERS {
        if !html.contains(placeholder) {
            let advice = format!("must contain {placeholder}, which each bid fills in");
            reader.fault("html", advice);
        }
    }
    let secure = loads_only_https(&html);
    let banner = Banner {
        size: size?,
        scales_from_w,
        expands,
        html,
        kind,
        mime,
    };
    Some((Format::Banner(banner), secure))
}

/// The markup, from the file itself or from one beside it.
fn html(reader: &mut Reader<'_>, path: &Path) -> Option<Arc<str>> {
    match (reader.has("html"), reader.has("markup")) {
        (true, false) => reader.one("html", &MARKUP),
        (false, true) => {
            let beside = path.with_file_name(reader.one("markup", &FILE_NAME)?);
            let source = Source::new(&beside, reader.source.findings);
            let text = read_text(&beside, &source)?;
            let html = (MARKUP.parse)(&text);
            if html.is_none() {
                source.fault("", None, format!("expects {}", MARKUP.expects));
            }
            html
        }
        (true, true) => {
            reader.fault("markup", "stands beside html; leave one of them");
            None
        }
        (false, false) => {
            reader.fault(
                "html",
                "missing; expects markup here, or the name of an .html file in markup",
            );
            None
        }
    }
}

/// Whether markup names nothing over plain HTTP. What it names without a scheme is fetched as the page was.
fn loads_only_https(html: &str) -> bool {
    let http = b"http://";
    !html
        .as_bytes()
        .windows(http.len())
        .any(|window| window.eq_ignore_ascii_case(http))
}

/// Whether all of these are fetched over https.
pub(super) fn all_secure<'u>(urls: impl IntoIterator<Item = &'u Arc<str>>) -> bool {
    urls.into_iter().all(|url| is_secure(url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_plain_asset_makes_markup_insecure() {
        assert!(loads_only_https(
            "<img src=\"https://a.example/\"><img src=\"//a.example\">"
        ));
        assert!(!loads_only_https("<img src=\"HTTP://a.example/\">"));
    }
}
