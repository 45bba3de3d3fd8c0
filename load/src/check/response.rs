//! The response as JSON. A null or a field of the wrong type is refused, as strict exchanges do; unknown fields pass.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Number;

/// A text, left where it is in the answer unless something in it is escaped.
#[derive(Clone)]
pub(super) struct Text<'a>(Cow<'a, str>);

impl fmt::Debug for Text<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, out)
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_str(Borrowing)
    }
}

/// The text itself.
pub(super) fn text<'a>(text: &Text<'a>) -> Cow<'a, str> {
    text.0.clone()
}

/// Reads a [`Text`].
struct Borrowing;

impl<'de> Visitor<'de> for Borrowing {
    type Value = Text<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }
}

/// Absent is fine, null is not.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    source: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(source).map(Some)
}

#[derive(Deserialize)]
pub(super) struct Response<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) id: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) bidid: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) cur: Option<Text<'a>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) nbr: Option<u32>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) seatbid: Option<Vec<Seat<'a>>>,
}

#[derive(Deserialize)]
pub(super) struct Seat<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) seat: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) bid: Vec<Bid<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Bid<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow)]
    pub(super) impid: Text<'a>,
    /// Written as text again and read as a decimal: an f64's shortest text is what was sent, up to 15 digits.
    pub(super) price: Number,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) nurl: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) burl: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) lurl: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) iurl: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) adm: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) adid: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) cid: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) crid: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) dealid: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) adomain: Vec<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) cat: Vec<Text<'a>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) w: Option<u32>,
    #[serde(default, deserialize_with = "present")]
    pub(super) h: Option<u32>,
    #[serde(default, deserialize_with = "present")]
    pub(super) protocol: Option<u32>,
    #[serde(default, deserialize_with = "present")]
    pub(super) mtype: Option<u32>,
    /// The app that is advertised.
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) bundle: Option<Text<'a>>,
    #[serde(default)]
    pub(super) attr: Vec<u64>,
    #[serde(default, deserialize_with = "present")]
    pub(super) dur: Option<u32>,
}
