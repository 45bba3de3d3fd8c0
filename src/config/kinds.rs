//! The kinds of values that are written as text: what each becomes, and what a fault says was expected.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::notation::{
    URL_BYTES_MAX, after_scheme, bytes, decimal, is_id, is_mime, is_secure, is_url, is_url_byte,
    span,
};
use crate::bidding::Seller;
use crate::campaign::{BannerKind, Bundle, Category, Country, DeviceType, Domain, Language, Os};
use crate::units::{Cpm, Currency, Nanos, Rate, SegmentKey};

/// Longest text: a title, a name.
const TEXT_BYTES_MAX: usize = 4_096;
/// Longest name of who is behind an ad: exchanges drop bids that say more.
const SHORT_TEXT_BYTES_MAX: usize = 100;

/// A kind of value that is written as text.
#[derive(Clone, Copy)]
pub(super) struct Kind<T> {
    /// Ends the sentence "expects …".
    pub(super) expects: &'static str,
    pub(super) parse: fn(&str) -> Option<T>,
}

/// A segment as a campaign names it.
pub(super) struct NamedSegment {
    pub(super) key: SegmentKey,
    /// Its name, if it is one of ours.
    pub(super) own: Option<Arc<str>>,
}

pub(super) const TEXT: Kind<Arc<str>> = Kind {
    expects: "a text that is not empty, of at most 4096 bytes and without control characters",
    parse: |text| {
        let fits = !text.trim().is_empty() && text.len() <= TEXT_BYTES_MAX;
        (fits && !text.contains(char::is_control)).then(|| text.into())
    },
};
pub(super) const SHORT_TEXT: Kind<Arc<str>> = Kind {
    expects: "a text of at most 100 bytes",
    parse: |text| (TEXT.parse)(text).filter(|text| text.len() <= SHORT_TEXT_BYTES_MAX),
};
pub(super) const MARKUP: Kind<Arc<str>> = Kind {
    expects: "markup that is not empty",
    parse: |text| (!text.trim().is_empty()).then(|| text.into()),
};
pub(super) const ID: Kind<Arc<str>> = Kind {
    expects: "an id: up to 64 lower-case letters, digits, _ and -, beginning with a letter or a digit",
    parse: |text| is_id(text).then(|| text.into()),
};
pub(super) const FOLDER: Kind<PathBuf> = Kind {
    expects: "a folder",
    parse: |text| (!text.is_empty() && !text.contains('\0')).then(|| text.into()),
};
pub(super) const FILE_NAME: Kind<PathBuf> = Kind {
    expects: "the name of an .html file in the same folder",
    parse: |text| {
        let stem = text.strip_suffix(".html")?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        (!stem.is_empty() && !stem.starts_with('.') && stem.bytes().all(plain)).then(|| text.into())
    },
};
pub(super) const LIST_FILE: Kind<PathBuf> = Kind {
    expects: "the name of a .txt file beside bidtree.toml",
    parse: |text| {
        let stem = text.strip_suffix(".txt")?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        (!stem.is_empty() && stem.bytes().all(plain)).then(|| text.into())
    },
};
pub(super) const SELLER: Kind<Seller> = Kind {
    expects: "a seller's system, like exchange.example, or one seller of it, like exchange.example/1234",
    parse: Seller::parse,
};
pub(super) const ADDRESS: Kind<SocketAddr> = Kind {
    expects: "an IP address and a port, like 127.0.0.1:8101",
    parse: |text| text.parse().ok(),
};
pub(super) const URL: Kind<Arc<str>> = Kind {
    expects: "an absolute http or https URL of at most 2048 characters, without spaces, quotes or control characters",
    parse: |text| is_url(text).then(|| text.into()),
};
pub(super) const SYNC_URL: Kind<Arc<str>> = Kind {
    expects: "an https URL with {user_id} in it once, after the host, like https://exchange.example/match?id={user_id}",
    parse: |text| {
        let host = after_scheme(text)?.split(['/', '?', '#']).next()?;
        let holds = is_url(text)
            && is_secure(text)
            && text.matches("{user_id}").count() == 1
            && !host.contains(['{', '}', '@']);
        holds.then(|| text.into())
    },
};
pub(super) const SPAN: Kind<Duration> = Kind {
    expects: "a length of time: digits and ms, s, m, h or d, like 250ms or 5m",
    parse: span,
};
pub(super) const SIZE: Kind<u64> = Kind {
    expects: "a size: digits and B, KiB, MiB or GiB, like 256KiB",
    parse: bytes,
};
pub(super) const PRICE: Kind<Cpm> = Kind {
    expects: "a CPM in quotes with at most 6 decimals, like \"2.50\"",
    parse: |text| decimal(text, 6).map(Cpm::from_micros),
};
pub(super) const MONEY: Kind<Nanos> = Kind {
    expects: "an amount of money in quotes with at most 9 decimals, like \"50.00\"",
    parse: |text| decimal(text, 9).map(Nanos::new),
};
pub(super) const RATE: Kind<Rate> = Kind {
    expects: "a rate above 0 in quotes with at most 9 decimals, like \"1.08\"",
    parse: |text| decimal(text, 9).and_then(Rate::from_billionths),
};
/// In thousandths.
pub(super) const PERCENT: Kind<u32> = Kind {
    expects: "per cent in quotes with at most 1 decimal, like \"15\" or \"12.5\"",
    parse: |text| u32::try_from(decimal(text, 1)?).ok(),
};
pub(super) const CURRENCY: Kind<Currency> = Kind {
    expects: "a currency of ISO 4217, like USD",
    parse: Currency::parse,
};
pub(super) const COUNTRY: Kind<Country> = Kind {
    expects: "a country of ISO 3166-1, like SG or SGP",
    parse: Country::parse,
};
pub(super) const DEVICE: Kind<DeviceType> = Kind {
    expects: "one of mobile, computer, television, phone, tablet, connected, set_top_box, out_of_home",
    parse: DeviceType::parse,
};
pub(super) const SYSTEM: Kind<Os> = Kind {
    expects: "one of android, ios, tvos, macos, windows, linux, chromeos, fireos, roku, tizen, webos, kaios",
    parse: Os::parse,
};
pub(super) const LANGUAGE: Kind<Language> = Kind {
    expects: "a language of ISO 639, like en; xx where there are no words",
    parse: Language::parse,
};
pub(super) const SITE: Kind<Domain> = Kind {
    expects: DOMAIN.expects,
    // Sites of requests are looked for without it, too.
    parse: |text| {
        let www = |name: &&str| name.eq_ignore_ascii_case("www.");
        let rest = text.get(..4).filter(www).and_then(|_| text.get(4..));
        rest.and_then(Domain::parse).or_else(|| Domain::parse(text))
    },
};
pub(super) const DOMAIN: Kind<Domain> = Kind {
    expects: "a domain without scheme or path, like shop.example",
    parse: Domain::parse,
};
pub(super) const BUNDLE: Kind<Bundle> = Kind {
    expects: "an app as its store knows it, like com.example.app or 1234567890",
    parse: Bundle::parse,
};
pub(super) const APP: Kind<Arc<str>> = Kind {
    expects: BUNDLE.expects,
    parse: |text| Bundle::parse(text).map(|_| text.into()),
};
pub(super) const CATEGORY: Kind<Category> = Kind {
    expects: "a category of IAB Content Taxonomy 1.0, like IAB1 or IAB1-2",
    parse: Category::parse,
};
/// What stands before the name of a segment of ours.
const OWN_SEGMENT: &str = "own:";
pub(super) const SEGMENT: Kind<NamedSegment> = Kind {
    expects: "a provider and its segment, like provider.example/431, or eids/source.example, or own:name for a list of ours",
    parse: |text| {
        if let Some(name) = text.strip_prefix(OWN_SEGMENT)
            && is_id(name)
        {
            return Some(NamedSegment {
                key: SegmentKey::own(name),
                own: Some(name.into()),
            });
        }
        let (provider, segment) = text.split_once('/')?;
        let plain = |part: &str| !part.trim().is_empty() && !part.contains(char::is_control);
        (plain(provider) && plain(segment) && text.len() <= TEXT_BYTES_MAX).then(|| NamedSegment {
            key: SegmentKey::of(text),
            own: None,
        })
    },
};
pub(super) const BANNER_KIND: Kind<BannerKind> = Kind {
    expects: "one of xhtml_text, xhtml_banner, javascript, iframe",
    parse: BannerKind::parse,
};
pub(super) const VIDEO_MIME: Kind<Arc<str>> = Kind {
    expects: "the MIME type of a video in lower case, like video/mp4",
    parse: |text| is_mime(text, &["video/", "application/"]).then(|| text.into()),
};
pub(super) const AUDIO_MIME: Kind<Arc<str>> = Kind {
    expects: "the MIME type of sound in lower case, like audio/mpeg",
    parse: |text| is_mime(text, &["audio/", "application/"]).then(|| text.into()),
};
pub(super) const MARKUP_MIME: Kind<Arc<str>> = Kind {
    expects: "the MIME type of markup, or of the one image in it, in lower case, like text/html",
    parse: |text| is_mime(text, &["text/", "image/", "application/"]).then(|| text.into()),
};
pub(super) const DEEP_LINK: Kind<Arc<str>> = Kind {
    expects: "an address in an app, like example://shoes/7, or a URL",
    parse: |text| {
        let (scheme, rest) = text.split_once("://")?;
        let named = scheme
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
        let fits = text.len() <= URL_BYTES_MAX && named && rest.bytes().all(is_url_byte);
        fits.then(|| text.into())
    },
};
pub(super) const IMAGE_MIME: Kind<Arc<str>> = Kind {
    expects: "the MIME type of an image in lower case, like image/png",
    parse: |text| is_mime(text, &["image/"]).then(|| text.into()),
};
pub(super) const TIME_ZONE: Kind<TimeZone> = Kind {
    expects: "a time zone of the IANA's, like Asia/Singapore or UTC",
    parse: |text| TimeZone::get(text).ok(),
};
pub(super) const DATE: Kind<Date> = Kind {
    expects: "a date, like 2026-01-31",
    parse: |text| text.parse().ok(),
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_markup_file_stays_in_its_folder() {
        assert!((FILE_NAME.parse)("wide.v2.html").is_some());
        for text in [
            "../a.html",
            "/etc/a.html",
            ".html",
            "..html",
            "a.toml",
            "a/b.html",
        ] {
            assert!((FILE_NAME.parse)(text).is_none(), "{text}");
        }
    }
}
