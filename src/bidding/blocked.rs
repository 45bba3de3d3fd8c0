//! Domains that a request blocks: each with everything below it.
//!
//! Block lists run to thousands of entries, and most requests ask them of few candidates. So a short list is compared one by
//! one, and a long one is hashed when the first candidate asks: from then on a question costs one search for each label of
//! the advertiser's domain, however long the list.

use std::cell::OnceCell;

use crate::campaign::is_within;
use crate::openrtb::TextList;

/// Up to so many are compared one by one: about what hashing them costs.
const COMPARED_MAX: usize = 16;
const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

/// The domains that a request blocks.
#[derive(Debug)]
pub(super) struct BlockedDomains<'r> {
    listed: &'r TextList<'r>,
    /// Hashes of all, sorted, each with its domain.
    hashed: OnceCell<Vec<(u64, &'r str)>>,
}

impl<'r> BlockedDomains<'r> {
    pub(super) const fn of(listed: &'r TextList<'r>) -> Self {
        Self {
            listed,
            hashed: OnceCell::new(),
        }
    }

    /// Whether this domain, in lower case or not, is blocked.
    pub(super) fn contains(&self, domain: &str) -> bool {
        // By words: one text may hold the whole list.
        if self.listed.words().nth(COMPARED_MAX).is_none() {
            let mut blocked = self.listed.words().map(bare_domain);
            return blocked.any(|blocked| is_within(domain, blocked));
        }
        let hashed = self.hashed.get_or_init(|| self.hash_all());
        let parents = std::iter::successors(Some(domain), |name| {
            name.split_once('.').map(|(_, rest)| rest)
        });
        parents.into_iter().any(|name| holds(hashed, name))
    }

    fn hash_all(&self) -> Vec<(u64, &'r str)> {
        let domains = self.listed.words().map(bare_domain);
        let mut all: Vec<_> = domains
            .filter(|domain| !domain.is_empty())
            .map(|domain| (hash(domain), domain))
            .collect();
        all.sort_unstable_by_key(|(hash, _)| *hash);
        all
    }
}

fn holds(hashed: &[(u64, &str)], name: &str) -> bool {
    let wanted = hash(name);
    let start = hashed.partition_point(|(hash, _)| *hash < wanted);
    let same = hashed.get(start..).unwrap_or_default();
    same.iter()
        .take_while(|(hash, _)| *hash == wanted)
        .any(|(_, domain)| domain.eq_ignore_ascii_case(name))
}

/// The same in any case. Who sends a list that collides slows down its own requests, by what comparing one by one costs.
fn hash(name: &str) -> u64 {
    name.bytes().fold(FNV_OFFSET, |hash, byte| {
        (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(FNV_PRIME)
    })
}

/// A domain without scheme, path, port, `www.`, the asterisk for what is below it, and dots around it, as lists have them
/// in every shape.
pub(super) fn bare_domain(text: &str) -> &str {
    let text = text.trim();
    let text = match text.split_once("//") {
        Some((scheme, rest)) if is_scheme(scheme) => rest,
        _ => text,
    };
    let host = text
        .split(['/', ':', '?'])
        .next()
        .unwrap_or_default()
        .trim_start_matches(['*', '.'])
        .trim_end_matches('.');
    match host.get(..4) {
        Some(www) if www.eq_ignore_ascii_case("www.") => host.get(4..).unwrap_or_default(),
        _ => host,
    }
}

/// Whether this is what stands before `//host`; further behind, two slashes are part of a path.
fn is_scheme(text: &str) -> bool {
    let name = text.strip_suffix(':');
    text.is_empty()
        || name.is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use proptest::prelude::*;

    use super::*;

    fn name() -> impl Strategy<Value = String> {
        "[abAB]{1,2}(\\.[abAB]{1,2}){0,3}"
    }

    proptest! {
        #[test]
        fn a_long_list_blocks_what_each_of_its_domains_does(
            listed in prop::collection::vec(name(), 0..60), asked in prop::collection::vec(name(), 1..8),
        ) {
            let list: TextList<'_> = listed.iter().map(|name| Cow::Borrowed(name.as_str())).collect();
            let blocked = BlockedDomains::of(&list);
            for domain in &asked {
                let naive = listed.iter().map(|name| bare_domain(name)).any(|name| is_within(domain, name));
                prop_assert_eq!(blocked.contains(domain), naive, "{}", domain);
            }
        }
    }

    #[test]
    fn many_domains_in_one_text_are_as_quick_as_in_many() {
        let text: Vec<String> = (0..=COMPARED_MAX)
            .map(|at| format!("a{at}.example"))
            .collect();
        let list: TextList<'_> = std::iter::once(Cow::from(text.join(","))).collect();
        let blocked = BlockedDomains::of(&list);
        assert!(blocked.contains("a16.example") && !blocked.contains("b.example"));
        assert!(blocked.hashed.get().is_some(), "compared one by one");
    }

    #[test]
    fn a_domain_blocks_in_every_shape_that_lists_write_it_in() {
        for written in [
            "brand.example",
            " Brand.Example. ",
            "www.brand.example",
            "*.brand.example",
            ".brand.example",
            "*.www.brand.example",
            "https://www.brand.example:443/shop?a",
            "//brand.example/",
            "brand.example/shop//sale",
            "brand.example?from=https://other.example",
            "brand.example//",
        ] {
            for fill in [0, COMPARED_MAX] {
                let mut list = vec![Cow::Borrowed("other.example"); fill];
                list.push(Cow::Borrowed(written));
                let list: TextList<'_> = list.into_iter().collect();
                let blocked = BlockedDomains::of(&list);
                assert!(blocked.contains("brand.example"), "{written:?}, {fill}");
                assert!(blocked.contains("shop.brand.example"), "{written:?}");
                assert!(!blocked.contains("xbrand.example"), "{written:?}");
            }
        }
        for nothing in ["", "//", ".", "*", "*.", "www.", "https://"] {
            let list: TextList<'_> = std::iter::once(Cow::Borrowed(nothing)).collect();
            assert!(
                !BlockedDomains::of(&list).contains("brand.example"),
                "{nothing:?}"
            );
        }
    }

    #[test]
    fn a_question_to_a_long_list_looks_at_a_handful_of_its_domains() {
        let names: Vec<String> = (0..5_000)
            .map(|number| format!("https://www.brand{number}.example/"))
            .collect();
        let list: TextList<'_> = names
            .iter()
            .map(|name| Cow::Borrowed(name.as_str()))
            .collect();
        let blocked = BlockedDomains::of(&list);
        assert!(blocked.contains("shop.Brand4999.example"));
        assert!(!blocked.contains("brand5000.example"));
        let hashed = blocked.hashed.get().unwrap();
        let different: std::collections::BTreeSet<u64> =
            hashed.iter().map(|(hash, _)| *hash).collect();
        assert_eq!(
            different.len(),
            names.len(),
            "one comparison for each label of the question"
        );
    }
}
