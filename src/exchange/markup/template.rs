//! What is written into an operator's markup: `{click_url}`, `{impression_url}`, `{cachebuster}`, and nothing else.

use crate::openrtb::escape::write_url;

/// The values of a bid's placeholders.
pub(super) struct Filling<'a> {
    pub(super) click_url: &'a str,
    pub(super) impression_url: &'a str,
    pub(super) cachebuster: &'a str,
}

/// Appends `template` with its placeholders filled; braces that belong to no placeholder stay as they are.
///
/// A placeholder may stand in an attribute or in a script, and must mean the same in both.
pub(super) fn fill(out: &mut Vec<u8>, template: &str, filling: &Filling<'_>) {
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out.extend_from_slice(before.as_bytes());
        let found = [
            ("click_url}", filling.click_url),
            ("impression_url}", filling.impression_url),
            ("cachebuster}", filling.cachebuster),
        ]
        .into_iter()
        .find_map(|(name, value)| after.strip_prefix(name).map(|behind| (behind, value)));
        if let Some((behind, value)) = found {
            write_url(out, value);
            rest = behind;
        } else {
            out.push(b'{');
            rest = after;
        }
    }
    out.extend_from_slice(rest.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_and_other_braces_stay() {
        let filling = Filling {
            click_url: "https://x/click?t=1&u=2",
            impression_url: "https://x/imp",
            cachebuster: "7",
        };
        let mut out = Vec::new();
        fill(
            &mut out,
            "<style>a{b:c}</style><a href=\"{click_url}\"><img src=\"{impression_url}&{cachebuster}\">{",
            &filling,
        );
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "<style>a{b:c}</style><a href=\"https://x/click?t=1&u=2\"><img src=\"https://x/imp&7\">{"
        );
    }

    #[test]
    fn a_url_means_the_same_in_an_attribute_and_in_a_script() {
        let filling = Filling {
            click_url: "https://x/'\"><script>`\\",
            impression_url: "https://x/imp?t=1&p=${AUCTION_PRICE}",
            cachebuster: "",
        };
        let mut out = Vec::new();
        fill(&mut out, "{impression_url} {click_url}", &filling);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "https://x/imp?t=1&p=${AUCTION_PRICE} https://x/%27%22%3E%3Cscript%3E%60%5C"
        );
    }
}
