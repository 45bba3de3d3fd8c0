//! The response as JSON. A null or a field of the wrong type is refused, as strict exchanges do; unknown fields pass.

use serde::{Deserialize, Deserializer};
use serde_json::Number;

/// Absent is fine, null is not.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    source: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(source).map(Some)
}

#[derive(Deserialize)]
pub(super) struct Response {
    #[serde(default, deserialize_with = "present")]
    pub(super) id: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(super) bidid: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(super) cur: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(super) nbr: Option<u32>,
    #[serde(default, deserialize_with = "present")]
    pub(super) seatbid: Option<Vec<Seat>>,
}

#[derive(Deserialize)]
pub(super) struct Seat {
    #[serde(default, deserialize_with = "present")]
    pub(super) seat: Option<String>,
    #[serde(default)]
    pub(super) bid: Vec<Bid>,
}

#[derive(Deserialize)]
pub(super) struct Bid {
    pub(super) id: String,
    pub(super) impid: String,
    /// Written as text again and read as a decimal: an f64's shortest text is what was sent, up to 15 digits.
    pub(super) price: Number,
    #[serde(default, deserialize_with = "present")]
    pub(super) nurl: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(super) burl: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(super) lurl: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(super) iurl: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(super) adm: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(super) adid: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(super) cid: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(super) crid: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(super) dealid: Option<String>,
    #[serde(default)]
    pub(super) adomain: Vec<String>,
    #[serde(default)]
    pub(super) cat: Vec<String>,
    #[serde(default, deserialize_with = "present")]
    pub(super) w: Option<u32>,
    #[serde(default, deserialize_with = "present")]
    pub(super) h: Option<u32>,
    #[serde(default, deserialize_with = "present")]
    pub(super) protocol: Option<u32>,
    #[serde(default, deserialize_with = "present")]
    pub(super) mtype: Option<u32>,
    /// The app that is advertised.
    #[serde(default, deserialize_with = "present")]
    pub(super) bundle: Option<String>,
    #[serde(default)]
    pub(super) attr: Vec<u64>,
    #[serde(default, deserialize_with = "present")]
    pub(super) dur: Option<u32>,
}
