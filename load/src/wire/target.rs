//! Where a request goes.

use std::borrow::Cow;

/// An absolute HTTP URL taken apart, in place as far as that goes: a notice is looked at once and sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url<'a> {
    /// Host and port.
    pub authority: Cow<'a, str>,
    /// Path and query.
    pub path: Cow<'a, str>,
    /// Whether the URL said `https`. It is sent over plain HTTP all the same: in production, TLS ends at a proxy in
    /// front of that same address.
    pub is_https: bool,
}

impl<'a> Url<'a> {
    /// Takes a URL apart; `None` where it is not an absolute HTTP URL.
    pub fn parse(url: &'a str) -> Option<Self> {
        let (rest, is_https) = match url.strip_prefix("http://") {
            Some(rest) => (rest, false),
            None => (url.strip_prefix("https://")?, true),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        if authority.is_empty() || url.bytes().any(|b| b <= b' ' || b == 0x7f) {
            return None;
        }
        let has_port = authority
            .rsplit_once(':')
            .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let authority = match (has_port, is_https) {
            (true, _) => Cow::Borrowed(authority),
            (false, true) => Cow::Owned(format!("{authority}:443")),
            (false, false) => Cow::Owned(format!("{authority}:80")),
        };
        let path = if path.starts_with('/') {
            Cow::Borrowed(path)
        } else {
            Cow::Owned(format!("/{path}"))
        };
        Some(Self {
            authority,
            path,
            is_https,
        })
    }

    /// Whether the host is one of the names that lead nowhere (RFC 2606): assets and trackers of sample creatives.
    pub fn is_reserved_name(&self) -> bool {
        let host = self
            .authority
            .rsplit_once(':')
            .map_or(&*self.authority, |(host, _)| host);
        [".example", ".invalid", ".test"]
            .iter()
            .any(|end| host.ends_with(end))
            || ["example.com", "example.net", "example.org"]
                .iter()
                .any(|name| {
                    let before = host.strip_suffix(name);
                    before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
                })
    }
}

/// A URL taken apart, to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Host and port.
    pub authority: String,
    /// Path and query.
    pub path: String,
    /// As of the [`Url`].
    pub is_https: bool,
}

impl Target {
    /// Takes a URL apart; `None` where it is not an absolute HTTP URL.
    pub fn parse(url: &str) -> Option<Self> {
        let Url {
            authority,
            path,
            is_https,
        } = Url::parse(url)?;
        Some(Self {
            authority: authority.into_owned(),
            path: path.into_owned(),
            is_https,
        })
    }

    /// The port.
    pub fn port(&self) -> Option<u16> {
        let (_, port) = self.authority.rsplit_once(':')?;
        port.parse().ok()
    }

    /// The same place, another path.
    #[must_use]
    pub fn with_path(&self, path: &str) -> Self {
        Self {
            path: path.to_owned(),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let target = Target::parse("http://127.0.0.1:8103/bid?x=1").unwrap();
        assert_eq!(target.authority, "127.0.0.1:8103");
        assert_eq!(target.path, "/bid?x=1");
        assert_eq!(target.port(), Some(8103));
        assert!(!target.is_https);
        let target = Target::parse("https://notices.example?t=1#top").unwrap();
        assert_eq!(target.authority, "notices.example:443");
        assert_eq!(target.path, "/?t=1");
        assert!(target.is_https);
    }

    #[test]
    fn names_that_lead_nowhere_are_known() {
        let is_reserved = |url| Url::parse(url).unwrap().is_reserved_name();
        assert!(is_reserved("https://notices.example?t=1"));
        assert!(!is_reserved("http://[::1]:80/"));
    }

    #[test]
    fn what_is_no_absolute_http_url_is_refused() {
        for url in [
            "",
            "/bid",
            "ftp://x/",
            "http://",
            "http:///bid",
            "http://a b/",
            "127.0.0.1:80",
        ] {
            assert_eq!(Target::parse(url), None, "{url}");
        }
    }
}
