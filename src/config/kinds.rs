//! How a value is written: what each kind of text looks like, and what it becomes.
//!
//! Money is text and never a float: a float cannot hold 0.1, and nobody should have to know that to write a budget.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::bidding::Seller;
use crate::campaign::{BannerKind, Bundle, Category, Country, DeviceType, Domain, Language, Os};
use crate::units::{Cpm, Currency, Nanos, Rate, SegmentKey};

/// Longest name of an exchange, a region, an advertiser, a campaign or a creative.
const ID_BYTES_MAX: usize = 64;
/// Longest text: a title, a name.
const TEXT_BYTES_MAX: usize = 4_096;
/// Longest name of who is behind an ad: exchanges drop bids that say more.
const SHORT_TEXT_BYTES_MAX: usize = 100;
/// Longest URL: what browsers and exchanges are known to pass on.
const URL_BYTES_MAX: usize = 2_048;

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

pub(super) fn is_id(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    text.len() <= ID_BYTES_MAX
        && text.bytes().next().is_some_and(letter)
        && text.bytes().all(|b| letter(b) || matches!(b, b'_' | b'-'))
}

/// The part of a URL after its scheme, if it is `http` or `https`.
fn after_scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once("://")?;
    ["http", "https"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known))
        .then_some(rest)
}

fn is_url(text: &str) -> bool {
    text.len() <= URL_BYTES_MAX
        && text.bytes().all(is_url_byte)
        && after_scheme(text)
            .is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', '?', '#', ':']))
}

const fn is_url_byte(b: u8) -> bool {
    b.is_ascii_graphic() && !matches!(b, b'"' | b'<' | b'>' | b'\\' | b'`')
}

/// Whether a URL is fetched over https.
pub(super) fn is_secure(url: &str) -> bool {
    url.get(..8)
        .is_some_and(|start| start.eq_ignore_ascii_case("https://"))
}

fn is_mime(text: &str, families: &[&str]) -> bool {
    families
        .iter()
        .filter_map(|family| text.strip_prefix(family))
        .any(|rest| {
            let plain = |b: u8| {
                b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.' | b'+')
            };
            !rest.is_empty() && rest.bytes().all(plain)
        })
}

/// The digits and the unit of a text like `250ms`.
fn measured(text: &str) -> Option<(u64, &str)> {
    let unit = text.find(|c: char| !c.is_ascii_digit())?;
    let (digits, unit) = text.split_at_checked(unit)?;
    Some((digits.parse().ok()?, unit))
}

fn span(text: &str) -> Option<Duration> {
    let (count, unit) = measured(text)?;
    let ms: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    count.checked_mul(ms).map(Duration::from_millis)
}

fn bytes(text: &str) -> Option<u64> {
    let (count, unit) = measured(text)?;
    let scale: u64 = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    count.checked_mul(scale)
}

/// `12.5` with two places is 1,250. No sign, no exponent, no more decimals than there are places.
pub(super) fn decimal(text: &str, places: u32) -> Option<i64> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let spare = places.checked_sub(u32::try_from(rest.trim_end_matches('0').len()).ok()?)?;
    if !digits(whole) || !digits(rest) {
        return None;
    }
    let rest = rest.trim_end_matches('0');
    let part: i64 = if rest.is_empty() {
        0
    } else {
        rest.parse().ok()?
    };
    let whole: i64 = whole.parse().ok()?;
    let scale = 10_i64.checked_pow(places)?;
    whole
        .checked_mul(scale)?
        .checked_add(part.checked_mul(10_i64.checked_pow(spare)?)?)
}

/// A length of time as it is written in a file, in the largest unit that holds it.
pub(super) fn spelled(span: Duration) -> String {
    let ms = span.as_millis();
    let units = [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "m"),
        (1_000, "s"),
    ];
    units
        .into_iter()
        .find(|(scale, _)| ms >= *scale && ms.is_multiple_of(*scale))
        .map_or_else(
            || format!("{ms}ms"),
            |(scale, unit)| format!("{}{unit}", ms / scale),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_have_one_unit() {
        for (text, ms) in [
            ("250ms", 250),
            ("5s", 5_000),
            ("10m", 600_000),
            ("24h", 86_400_000),
            ("30d", 2_592_000_000),
        ] {
            assert_eq!(span(text), Some(Duration::from_millis(ms)), "{text}");
            assert_eq!(
                span(&spelled(Duration::from_millis(ms))),
                Some(Duration::from_millis(ms))
            );
        }
        for text in [
            "",
            "5",
            "s",
            "5 s",
            "-5s",
            "1.5s",
            "5S",
            "1h30m",
            "999999999999999999d",
        ] {
            assert_eq!(span(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_are_binary() {
        assert_eq!(bytes("256KiB"), Some(262_144));
        assert_eq!(bytes("1B"), Some(1));
        for text in ["256", "256KB", "256kib", "1.5MiB", "99999999999GiB"] {
            assert_eq!(bytes(text), None, "{text}");
        }
    }

    #[test]
    fn decimals_are_exact() {
        for (text, places, value) in [
            ("2.50", 6, 2_500_000),
            ("0.0000625", 9, 62_500),
            ("15", 1, 150),
            ("12.5", 1, 125),
            ("1.000000000000", 6, 1_000_000),
            ("0", 6, 0),
        ] {
            assert_eq!(decimal(text, places), Some(value), "{text}");
        }
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1e3",
            "1,5",
            "0.0000001",
            "10000000000000000",
        ] {
            assert_eq!(decimal(text, 6), None, "{text}");
        }
    }

    #[test]
    fn urls_are_absolute_and_one_word() {
        for text in [
            "http://a.example",
            "HTTPS://a.example/b?c=[CACHEBUSTER]&d=%20#e",
        ] {
            assert!(is_url(text), "{text}");
        }
        for text in [
            "",
            "a.example",
            "//a.example",
            "ftp://a.example",
            "https://",
            "https:///a",
            "https://a b",
            "https://a\n",
            "https://ä.example",
            "javascript:alert(1)",
        ] {
            assert!(!is_url(text), "{text}");
        }
        assert!(is_secure("HTTPS://a") && !is_secure("http://a"));
    }

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

    #[test]
    fn ids_are_lower_case_words() {
        assert!(is_id("sg") && is_id("2-for-1_b"));
        for text in ["", "-a", "SG", "a.b", "a b", &"x".repeat(65)] {
            assert!(!is_id(text), "{text}");
        }
    }
}
