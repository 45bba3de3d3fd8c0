//! A notice URL as somebody makes it up who has seen others: all of it is right but the token.

use crate::rng::Rng;

/// A run of letters and digits of this length is a token, not a word.
const TOKEN_MIN: usize = 16;

/// The URL with one character of its longest token replaced by another; `None` where it has none to alter.
pub(super) fn forged(url: &str, rng: &mut Rng) -> Option<String> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let (_, path) = url.split_once("://")?.1.split_once('/')?;
    let start = url.len() - path.len();
    let mut longest = (0, 0);
    let mut from = start;
    for (place, byte) in url
        .bytes()
        .enumerate()
        .skip(start)
        .chain([(url.len(), b'/')])
    {
        if is_token(byte) {
            continue;
        }
        if place - from > longest.1 - longest.0 {
            longest = (from, place);
        }
        from = place + 1;
    }
    let length = longest.1 - longest.0;
    if length < TOKEN_MIN {
        return None;
    }
    // Not the last characters: some of their bits may be padding, which says nothing.
    let span = u64::try_from(length / 2).ok()?;
    let place = longest.0 + length / 4 + usize::try_from(rng.below(span)).ok()?;
    let mut bytes = url.as_bytes().to_vec();
    let byte = bytes.get_mut(place)?;
    *byte = match *byte {
        b'a' => b'b',
        b'0' => b'1',
        digit if digit.is_ascii_digit() => b'0',
        _ => b'a',
    };
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Purpose;

    #[test]
    fn one_character_of_the_token_is_another_one() {
        let url = "http://h:1/bill/v1?t=AQxd93kdK20dk3kd93kdk2_kd-AA&p=1.51";
        for index in 0..200 {
            let mut rng = Rng::of(1, Purpose::Auction, index);
            let forged = forged(url, &mut rng).unwrap();
            let pairs = url.bytes().zip(forged.bytes()).enumerate();
            let differ: Vec<usize> = pairs
                .filter(|(_, (a, b))| a != b)
                .map(|(at, _)| at)
                .collect();
            assert!(
                matches!(differ[..], [at] if (21..45).contains(&at)),
                "{forged}"
            );
        }
    }

    #[test]
    fn a_url_without_a_token_is_not_forged() {
        let mut rng = Rng::new(1);
        for url in [
            "http://a-long-name-of-a-host.example/bill?t=short",
            "http://h",
            "h",
        ] {
            assert_eq!(forged(url, &mut rng), None, "{url}");
        }
    }
}
