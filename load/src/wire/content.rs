//! The content of a reply: all that its judgement needs.

use std::borrow::Cow;

use super::replies::Keep;

/// What bidders usually say of their answers.
const JSON: &str = "application/json";

/// Room for a body that is left for the next one: of bidders' answers nearly all are smaller.
const BODY_BYTES_KEPT: usize = 64 << 10;

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
        self.body.clear();
        self.body.shrink_to(BODY_BYTES_KEPT);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Replies;

    #[test]
    fn nothing_of_a_reply_is_left_in_the_next_one() {
        let bytes =
            b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nabcde\
            HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nxy\
            HTTP/1.1 204 No Content\r\n\r\n";
        let mut replies = Replies::<Content>::default();
        let mut got = Vec::new();
        let tell = |_, content: &mut Content| got.push(content.clone());
        replies.read(bytes, tell).unwrap();
        let found = got
            .iter()
            .map(|content| (&*content.media_type, &content.body[..]));
        let expected = [("text/plain", &b"abcde"[..]), ("", b"xy"), ("", b"")];
        assert!(found.eq(expected), "{got:?}");
    }
}
