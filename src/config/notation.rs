//! How ids, addresses, lengths of time, sizes and amounts are written in a file.
//!
//! Money is text and never a float: a float cannot hold 0.1, and nobody should have to know that to write a budget.

use std::time::Duration;

/// Longest name of an exchange, a region, an advertiser, a campaign or a creative.
const ID_BYTES_MAX: usize = 64;
/// Longest URL: what browsers and exchanges are known to pass on.
pub(super) const URL_BYTES_MAX: usize = 2_048;

pub(super) fn is_id(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    text.len() <= ID_BYTES_MAX
        && text.bytes().next().is_some_and(letter)
        && text.bytes().all(|b| letter(b) || matches!(b, b'_' | b'-'))
}

/// The part of a URL after its scheme, if it is `http` or `https`.
pub(super) fn after_scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once("://")?;
    ["http", "https"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known))
        .then_some(rest)
}

pub(super) fn is_url(text: &str) -> bool {
    text.len() <= URL_BYTES_MAX
        && text.bytes().all(is_url_byte)
        && after_scheme(text)
            .is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', '?', '#', ':']))
}

pub(super) const fn is_url_byte(b: u8) -> bool {
    b.is_ascii_graphic() && !matches!(b, b'"' | b'<' | b'>' | b'\\' | b'`')
}

/// Whether a URL is fetched over https.
pub(super) fn is_secure(url: &str) -> bool {
    url.get(..8)
        .is_some_and(|start| start.eq_ignore_ascii_case("https://"))
}

pub(super) fn is_mime(text: &str, families: &[&str]) -> bool {
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

pub(super) fn span(text: &str) -> Option<Duration> {
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

pub(super) fn bytes(text: &str) -> Option<u64> {
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
    fn ids_are_lower_case_words() {
        assert!(is_id("sg") && is_id("2-for-1_b"));
        for text in ["", "-a", "SG", "a.b", "a b", &"x".repeat(65)] {
            assert!(!is_id(text), "{text}");
        }
    }
}
