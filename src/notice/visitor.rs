//! Who visits us: the id in our cookie, and what a user sync does with it. Pure: randomness is an argument.
//!
//! An exchange that hands the id back (`user.buyeruid`) lets a bid and a click on our own domain be of one user key.

use std::fmt;

use crate::openrtb::escape::write_percent;

/// The cookie's name.
const COOKIE: &str = "bidtree_id";
/// How long a browser keeps the cookie, in seconds: 90 days from when it was set, however often it is seen. Who comes back
/// later is somebody new.
const AGE_SECONDS: u32 = 90 * 24 * 3_600;
/// What stands in an exchange's URL for the id.
pub const USER_ID: &str = "{user_id}";

/// A random id that a browser keeps for us: 128 bits, written as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VisitorId(u128);

/// What a user sync is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Synced {
    /// Somebody known is sent on to this URL.
    Known(String),
    /// Somebody new is given a cookie, and sent on.
    New {
        /// Where to.
        url: String,
        /// The cookie (`Set-Cookie`).
        cookie: String,
    },
    /// There was no random id to give.
    Nobody,
}

impl VisitorId {
    /// An id of random bits.
    pub const fn new(random: u128) -> Self {
        Self(random)
    }

    /// The id in a browser's cookies (`Cookie`), if there is one of ours.
    pub fn in_cookies(cookies: &str) -> Option<Self> {
        let named = |cookie: &str| {
            let (name, value) = cookie.trim().split_once('=')?;
            (name == COOKIE).then(|| value.to_owned())
        };
        let value = cookies.split(';').find_map(named)?;
        let is_ours = value.len() == 32
            && value
                .bytes()
                .all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'));
        let id = is_ours.then(|| u128::from_str_radix(&value, 16).ok())?;
        id.map(Self)
    }

    fn cookie(self) -> String {
        format!("{COOKIE}={self}; Max-Age={AGE_SECONDS}; Path=/; Secure; HttpOnly; SameSite=None")
    }

    fn within(self, url: &str) -> String {
        let mut id = Vec::new();
        write_percent(&mut id, &self.to_string());
        url.replace(USER_ID, &String::from_utf8_lossy(&id))
    }
}

impl fmt::Display for VisitorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Sends a visitor on to an exchange's own URL, with the id that the cookie has; `draw` makes one for who has none.
pub fn sync(url: &str, cookies: Option<&str>, draw: impl FnOnce() -> Option<u128>) -> Synced {
    if let Some(known) = cookies.and_then(VisitorId::in_cookies) {
        return Synced::Known(known.within(url));
    }
    let Some(random) = draw() else {
        return Synced::Nobody;
    };
    let new = VisitorId::new(random);
    Synced::New {
        url: new.within(url),
        cookie: new.cookie(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://cm.exchange.example/match?net=7&uid={user_id}";

    #[test]
    fn somebody_new_gets_a_random_id_and_takes_it_along() {
        let Synced::New { url, cookie } = sync(URL, None, || Some(0xab)) else {
            panic!("known");
        };
        let id = format!("{:0>32}", "ab");
        assert_eq!(
            url,
            format!("https://cm.exchange.example/match?net=7&uid={id}")
        );
        assert_eq!(
            cookie,
            format!("bidtree_id={id}; Max-Age=7776000; Path=/; Secure; HttpOnly; SameSite=None")
        );
        assert_eq!(sync(URL, None, || None), Synced::Nobody);
    }

    #[test]
    fn somebody_known_keeps_the_id_and_the_age_of_the_cookie() {
        let id = "00112233445566778899aabbccddeeff";
        let cookies = format!("other=1; bidtree_id={id}; more=2");
        let known = sync(URL, Some(&cookies), || panic!("drawn"));
        assert_eq!(known, Synced::Known(URL.replace("{user_id}", id)));
    }

    #[test]
    fn what_is_no_id_of_ours_is_no_id() {
        for value in [
            "",
            "00112233445566778899aabbccddeef",
            "00112233445566778899AABBCCDDEEFF",
            "+0112233445566778899aabbccddeeff",
            "00112233445566778899aabbccddeeff0",
        ] {
            let cookies = format!("bidtree_id={value}");
            assert_eq!(VisitorId::in_cookies(&cookies), None, "{value}");
        }
        assert_eq!(
            VisitorId::in_cookies("xbidtree_id=00112233445566778899aabbccddeeff"),
            None
        );
    }
}
