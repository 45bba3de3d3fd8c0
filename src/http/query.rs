//! Parameters of a query string, without allocating for what needs no decoding.

use std::borrow::Cow;

/// The first value of a parameter, percent-decoded; `None` if it is absent or decodes to what is not UTF-8.
pub fn parameter<'q>(query: &'q str, name: &str) -> Option<Cow<'q, str>> {
    let value = pairs(query).find_map(|(key, value)| (key == name).then_some(value))?;
    decode(value)
}

/// Every parameter with its value, percent-decoded; `None` in place of what is not UTF-8 then.
pub fn parameters(query: &str) -> impl Iterator<Item = [Option<Cow<'_, str>>; 2]> {
    pairs(query).map(|(key, value)| [decode(key), decode(value)])
}

fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    let pairs = query.split('&');
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// Decodes `%XX` and `+`. A lone percent sign stands for itself: macros are substituted with no regard for syntax.
fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains(['%', '+']) {
        return Some(Cow::Borrowed(text));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [] => break,
            [b'%', high, low, after @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                out.push(nibble(*high) << 4 | nibble(*low));
                after
            }
            [b'+', after @ ..] => {
                out.push(b' ');
                after
            }
            [byte, after @ ..] => {
                out.push(*byte);
                after
            }
        };
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_and_decoded() {
        assert_eq!(parameter("t=abc&p=1.25", "p").as_deref(), Some("1.25"));
        assert_eq!(parameter("p=%241%2C5+x", "p").as_deref(), Some("$1,5 x"));
        assert_eq!(parameter("p=100%&q", "p").as_deref(), Some("100%"));
        assert_eq!(parameter("p=1&q", "q").as_deref(), Some(""));
        assert_eq!(parameter("p=1", "x"), None);
        assert_eq!(parameter("p=%FF", "p"), None);
    }
}
