//! Where an ad may run, by name: domains of sites and bundles of apps.
//!
//! A [`Domain`] stands for itself and everything below it. Names are lower case here, so that a request's name is
//! folded once and then compared as bytes.

use std::fmt;

/// The longest domain that DNS allows.
pub const DOMAIN_LEN_MAX: usize = 253;
/// The longest bundle: store ids and package names stay under 155 characters (Google Play's limit is 150).
pub const BUNDLE_LEN_MAX: usize = 255;

/// A domain without scheme, port or path, lower case, with at least one dot: `example.com`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(Box<str>);

/// An app by its id in a store: a package name, or digits; lower case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bundle(Box<str>);

/// Sites with everything below them, and apps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InventoryList {
    /// Sorted.
    sites: Vec<Domain>,
    /// Sorted.
    apps: Vec<Bundle>,
}

impl InventoryList {
    /// These sites and apps.
    pub fn new(mut sites: Vec<Domain>, mut apps: Vec<Bundle>) -> Self {
        sites.sort_unstable();
        apps.sort_unstable();
        Self { sites, apps }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.sites.is_empty() && self.apps.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.sites.len() + self.apps.len()
    }

    /// Whether this site, in lower case, or this app is known to be among them.
    pub fn contains(&self, site: Option<&str>, app: Option<&str>) -> bool {
        let named = |name: &str| {
            self.sites
                .binary_search_by(|it| it.as_str().cmp(name))
                .is_ok()
        };
        let is_app = |app: &str| {
            self.apps
                .binary_search_by(|it| it.as_str().cmp(app))
                .is_ok()
        };
        site.is_some_and(|site| ancestry(site).any(named)) || app.is_some_and(is_app)
    }
}

impl Domain {
    /// A domain in any case; `None` for a URL, an address, or a name that DNS would refuse.
    /// Names outside ASCII are written in punycode.
    pub fn parse(name: &str) -> Option<Self> {
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        };
        let valid =
            name.len() <= DOMAIN_LEN_MAX && name.contains('.') && name.split('.').all(label);
        let numbers = name.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        (valid && !numbers).then(|| Self(name.to_ascii_lowercase().into()))
    }

    /// The name, lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Bundle {
    /// A bundle in any case; `None` for nothing, too much, or anything with spaces in it.
    pub fn parse(id: &str) -> Option<Self> {
        let valid =
            (1..=BUNDLE_LEN_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic());
        valid.then(|| Self(id.to_ascii_lowercase().into()))
    }

    /// The id, lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether `name` is `parent` or below it, in any case: `shop.example.com` is within `example.com`.
pub fn is_within(name: &str, parent: &str) -> bool {
    let (name, parent) = (name.as_bytes(), parent.as_bytes());
    let Some(start) = name.len().checked_sub(parent.len()) else {
        return false;
    };
    let Some((head, tail)) = name.split_at_checked(start) else {
        return false;
    };
    !parent.is_empty()
        && tail.eq_ignore_ascii_case(parent)
        && matches!(head.last(), None | Some(b'.'))
}

/// `name` and the domains above it, longest first, without the last label: a whole top-level domain is no place.
pub fn ancestry(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| {
        name.split_once('.').map(|(_, rest)| rest)
    })
    .filter(|name| name.contains('.'))
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_stands_for_everything_below_it() {
        assert!(is_within("Shop.Example.com", "example.COM"));
        assert!(is_within("example.com", "example.com"));
        assert!(!is_within("badexample.com", "example.com"));
        assert!(!is_within("example.com", "shop.example.com"));
        assert!(!is_within("example.com", ""));
        assert_eq!(ancestry("a.b.co").collect::<Vec<_>>(), ["a.b.co", "b.co"]);
    }

    #[test]
    fn a_url_or_an_address_is_no_domain() {
        assert_eq!(
            Domain::parse("News.Example.com").unwrap().as_str(),
            "news.example.com"
        );
        for name in [
            "",
            "com",
            "https://a.com",
            "a.com/",
            "a..com",
            ".a.com",
            "a.com.",
            "10.0.0.1",
            "a b.com",
            "ä.de",
        ] {
            assert_eq!(Domain::parse(name), None, "{name}");
        }
    }

    #[test]
    fn a_bundle_is_one_word() {
        assert_eq!(
            Bundle::parse("com.Example.App").unwrap().as_str(),
            "com.example.app"
        );
        assert_eq!(Bundle::parse("a b"), None);
        assert_eq!(Bundle::parse(""), None);
    }
}
