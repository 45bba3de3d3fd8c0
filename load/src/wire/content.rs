//! The content of a reply: all that its judgement needs.

use std::borrow::Cow;

use super::replies::Keep;

/// What bidders usually say of their answers.
const JSON: &str = "application/json";

/// A reply's content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// What its head says it is; empty where it does not, or not as text.
    pub media_type: Cow<'static, str>,
    /// The body.
    pub body: Vec<u8>,
}

impl Keep for Content {
    fn head(&mut self, headers: &[httparse::Header<'_>]) {
        let is_type =
            |header: &&httparse::Header<'_>| header.name.eq_ignore_ascii_case("content-type");
        let value = headers
            .iter()
            .find(is_type)
            .map_or(&b""[..], |header| header.value);
        self.media_type = match std::str::from_utf8(value) {
            Ok(JSON) => Cow::Borrowed(JSON),
            Ok(other) => Cow::Owned(other.to_owned()),
            Err(_) => Cow::Borrowed(""),
        };
    }

    fn body(&mut self, bytes: &[u8]) {
        self.body.extend_from_slice(bytes);
    }
}
