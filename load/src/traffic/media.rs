//! Placements: what an imp offers, as JSON for the body and as values for checking the answer.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::shape::{Shape, fields};
use super::terms::{Limits, Market};
use crate::decimal::Micros;
use crate::rng::Rng;
use crate::scenario::Dialect;

/// What one imp offers.
#[derive(Clone, Debug)]
pub struct AskedImp {
    /// Its id.
    pub id: String,
    /// The lowest price, if there is one.
    pub floor: Option<Micros>,
    /// The currency of that price.
    pub floor_currency: String,
    /// Whether everything has to load over HTTPS.
    pub is_secure: bool,
    /// What may be shown: one of these.
    pub slots: Vec<Slot>,
    /// Who may buy it.
    pub market: Market,
    /// What its markup may not be.
    pub limits: Vec<Limits>,
}

/// One kind of placement.
#[derive(Clone, Debug)]
pub enum Slot {
    /// A banner of one of these widths and heights.
    Banner(Vec<(u32, u32)>),
    /// A video.
    Video {
        /// MIME types that it may have.
        mimes: Vec<Cow<'static, str>>,
        /// The shortest and the longest, in seconds.
        seconds: (u32, u32),
        /// The only lengths it may have, in seconds; empty: any between the shortest and the longest.
        durations: Vec<u32>,
        /// Protocols that the player knows (`OpenRTB`'s numbers).
        protocols: Vec<u32>,
    },
    /// A sound.
    Audio {
        /// MIME types that it may have.
        mimes: Vec<Cow<'static, str>>,
        /// The shortest and the longest, in seconds.
        seconds: (u32, u32),
        /// The only lengths it may have, in seconds; empty: any between the shortest and the longest.
        durations: Vec<u32>,
        /// Protocols that the player knows (`OpenRTB`'s numbers).
        protocols: Vec<u32>,
    },
    /// A native ad made of these.
    Native(Vec<Asset>),
}

/// One asset that a native placement asks for.
#[derive(Clone, Debug)]
pub struct Asset {
    /// Its id.
    pub id: u32,
    /// Whether the ad is nothing without it.
    pub is_required: bool,
    /// What it is.
    pub kind: AssetKind,
}

/// What an asset is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssetKind {
    /// The title, of at most so many characters.
    Title(u32),
    /// An image of this type and at least this width and height.
    Image(u32, u32, u32),
    /// A text of this type, of at most so many characters.
    Text(u32, u32),
}

/// Sizes of banners on phones, and on anything larger.
const PHONE_SIZES: &[(u32, u32)] = &[(300, 250), (320, 50), (320, 100), (320, 480)];
const DESK_SIZES: &[(u32, u32)] = &[(300, 250), (728, 90), (160, 600), (970, 250), (300, 600)];

/// What a banner placement offers.
pub(super) fn banner(rng: &mut Rng, shape: &Shape, is_phone: bool) -> (Slot, Value) {
    let sizes = if is_phone { PHONE_SIZES } else { DESK_SIZES };
    let first = rng.pick(sizes).copied().unwrap_or((300, 250));
    let mut offered = vec![first];
    if rng.chance(0.4) {
        let second = rng.pick(sizes).copied().unwrap_or(first);
        if second != first {
            offered.push(second);
        }
    }
    let formats: Vec<Value> = offered
        .iter()
        .map(|(w, h)| json!({"w": w, "h": h}))
        .collect();
    let mut banner = json!({
        "pos": rng.below(4),
        "battr": [1, 3, 8, 9],
        "api": [3, 5, 6, 7],
        "topframe": shape.flag(rng.chance(0.5)),
        "mimes": ["text/html", "image/jpeg", "image/png"],
    });
    let fields = fields(&mut banner);
    fields.insert("w".to_owned(), json!(first.0));
    fields.insert("h".to_owned(), json!(first.1));
    // Some old requests have the one size only.
    if !shape.is_old || offered.len() > 1 {
        fields.insert("format".to_owned(), Value::Array(formats));
    }
    (Slot::Banner(offered), banner)
}

/// What a video placement offers.
pub(super) fn video(rng: &mut Rng, shape: &Shape) -> (Slot, Value) {
    let longest = if rng.chance(0.6) { 30 } else { 60 };
    let mimes = if rng.chance(0.7) {
        vec![Cow::Borrowed("video/mp4"), Cow::Borrowed("video/webm")]
    } else {
        vec![Cow::Borrowed("video/mp4")]
    };
    let protocols = if rng.chance(0.5) {
        vec![2, 3, 5, 6, 7, 8]
    } else {
        vec![2, 3, 5, 6]
    };
    let mut video = json!({
        "mimes": mimes,
        "minduration": 5,
        "maxduration": longest,
        "protocols": protocols,
        "w": 640,
        "h": 360,
        "linearity": 1,
        "startdelay": 0,
        "skip": shape.flag(true),
        "skipafter": 5,
        "playbackmethod": [1, 2],
        "minbitrate": 100,
        "maxbitrate": 4000,
        "delivery": [2],
        "api": [7],
        "boxingallowed": shape.flag(true),
    });
    let place = if shape.is_old { "placement" } else { "plcmt" };
    let root = fields(&mut video);
    root.insert(place.to_owned(), json!(1));
    if shape.dialect == Dialect::Xandr {
        // Their word for what is around the video: 1 is before the content.
        root.insert("ext".to_owned(), json!({"appnexus": {"context": 1}}));
    }
    let slot = Slot::Video {
        mimes,
        seconds: (5, longest),
        durations: Vec::new(),
        protocols,
    };
    (slot, video)
}

/// What a native placement offers.
pub(super) fn native(rng: &mut Rng) -> (Slot, Value) {
    let asset = |id, is_required, kind| Asset {
        id,
        is_required,
        kind,
    };
    let mut assets = vec![
        asset(1, true, AssetKind::Title(90)),
        asset(2, true, AssetKind::Image(3, 600, 314)),
        asset(4, true, AssetKind::Text(1, 60)),
    ];
    if rng.chance(0.6) {
        assets.push(asset(3, false, AssetKind::Image(1, 50, 50)));
    }
    if rng.chance(0.6) {
        assets.push(asset(5, false, AssetKind::Text(2, 140)));
    }
    if rng.chance(0.4) {
        assets.push(asset(6, false, AssetKind::Text(12, 20)));
    }
    let offered: Vec<Value> = assets.iter().map(Asset::offered).collect();
    let asked = json!({
        "ver": "1.2",
        "context": 1,
        "contextsubtype": 11,
        "plcmttype": 1,
        "plcmtcnt": 1,
        "assets": offered,
        "eventtrackers": [{"event": 1, "methods": [1, 2]}],
        "privacy": 1,
    });
    let native = json!({"request": asked.to_string(), "ver": "1.2", "api": [3, 5]});
    (Slot::Native(assets), native)
}

impl Asset {
    fn offered(&self) -> Value {
        let required = u32::from(self.is_required);
        match self.kind {
            AssetKind::Title(len) => {
                json!({"id": self.id, "required": required, "title": {"len": len}})
            }
            AssetKind::Image(kind, wmin, hmin) => json!({
                "id": self.id,
                "required": required,
                "img": {"type": kind, "wmin": wmin, "hmin": hmin, "mimes": ["image/jpeg", "image/png"]},
            }),
            AssetKind::Text(kind, len) => json!({
                "id": self.id,
                "required": required,
                "data": {"type": kind, "len": len},
            }),
        }
    }
}
