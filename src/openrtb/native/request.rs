//! What a native placement asks for (Native 1.2, section 4).
//!
//! Holds no text: content types are a set, everything else is numbers, so nothing borrows from the request.

use std::borrow::Cow;
use std::marker::PhantomData;

use serde::de::{MapAccess, SeqAccess};

use crate::openrtb::lenient::{
    CodeSet, Element, Flag, Given, Lenient, Listed, Object, Seed, bare_type, nests_deeper_than,
    read, read_document, skip,
};
use crate::openrtb::request::MAX_DEPTH;

/// What a native placement asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NativeRequest {
    /// Whether it came inside an outer `native`, as in 1.0: the answer must too.
    pub is_wrapped: bool,
    /// The assets, in the order they were asked for; one that could not be read may have been required.
    pub assets: Listed<Asset>,
    /// How impressions may be counted.
    pub trackers: TrackerOffer,
    /// Whether it can link to what is done with the user's data.
    pub privacy: Flag,
}

/// How a placement lets an ad count its impressions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrackerOffer {
    /// Whether event trackers are spoken of at all, as from 1.2 on.
    pub is_said: bool,
    /// By which methods the impression may be tracked: 1 an image, 2 a script. Without either, `imptrackers` and
    /// `jstracker` are what is left.
    pub impression: CodeSet,
}

impl TrackerOffer {
    /// Whether an image may be loaded at the impression, as an event tracker.
    pub const fn takes_image(self) -> bool {
        self.impression.contains(Offer::IMAGE)
    }

    /// Whether a script may be run at the impression, as an event tracker.
    pub const fn takes_script(self) -> bool {
        self.impression.contains(Offer::SCRIPT)
    }
}

/// One part of a native ad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asset {
    /// Its id, which the answer repeats.
    pub id: i64,
    /// Whether an answer without it is worthless.
    pub is_required: bool,
    /// What it is.
    pub kind: AssetKind,
}

/// What a part is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AssetKind {
    /// The title.
    Title(TitleAsset),
    /// An image.
    Image(ImageAsset),
    /// A line of text of some type.
    Data(DataAsset),
    /// A video.
    Video(VideoAsset),
    /// Something else, or several things at once.
    #[default]
    Unknown,
}

/// A title.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TitleAsset {
    /// Its largest length in characters.
    pub len: Option<u32>,
}

/// An image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImageAsset {
    /// 1 icon, 2 logo (until 1.1), 3 main; any where absent.
    pub image_type: Option<u32>,
    /// Exact width, in pixels, unless there is a least one.
    pub w: Option<u32>,
    /// Least width.
    pub wmin: Option<u32>,
    /// Exact height, in pixels, unless there is a least one.
    pub h: Option<u32>,
    /// Least height.
    pub hmin: Option<u32>,
    /// Content types it takes; any where absent.
    pub mimes: Given<ContentTypes>,
}

/// A line of text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DataAsset {
    /// 1 sponsored, 2 description, 3 rating, …, 12 call to action.
    pub data_type: Option<u32>,
    /// Its largest length in characters.
    pub len: Option<u32>,
}

/// A video.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VideoAsset {
    /// Content types it takes; any where absent.
    pub mimes: Given<ContentTypes>,
    /// Least duration, in seconds.
    pub minduration_s: Option<u32>,
    /// Largest duration, in seconds.
    pub maxduration_s: Option<u32>,
    /// VAST versions it takes, as protocol codes.
    pub protocols: CodeSet,
}

/// A set of content types of images and videos.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContentTypes(u16);

impl ContentTypes {
    /// The set with this content type alone; empty for a type that is not known.
    pub fn of(mime: &str) -> Self {
        const KNOWN: [(&str, u16); 13] = [
            ("image/jpeg", 1),
            ("image/jpg", 1),
            ("image/png", 2),
            ("image/gif", 4),
            ("image/webp", 8),
            ("image/avif", 16),
            ("image/svg+xml", 32),
            ("video/mp4", 64),
            ("video/webm", 128),
            ("video/ogg", 256),
            ("video/3gpp", 512),
            ("application/x-mpegurl", 1_024),
            ("application/dash+xml", 2_048),
        ];
        let mime = bare_type(mime);
        let known = KNOWN
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(mime));
        Self(known.map_or(0, |(_, bit)| *bit))
    }

    /// Whether the sets share a type.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// The request comes as the text of a JSON document, or as the object itself.
impl<'de> Lenient<'de> for Given<NativeRequest> {
    fn absent() -> Self {
        Self::Absent
    }

    fn misfit() -> Self {
        Self::Unreadable
    }

    fn text(text: Cow<'de, str>) -> Self {
        if text.trim().is_empty() {
            return Self::Absent;
        }
        if nests_deeper_than(MAX_DEPTH, &text) {
            return Self::Unreadable;
        }
        match read_document::<Option<Document>>(&text) {
            Ok(Some(document)) => document.checked(),
            Ok(None) | Err(_) => Self::Unreadable,
        }
    }

    fn object<A: MapAccess<'de>>(fields: A) -> Result<Self, A::Error> {
        Option::<Document>::object(fields)
            .map(|document| document.map_or(Self::Unreadable, Document::checked))
    }
}

/// A native request on its way in: the outer `native` shows only as a field.
#[derive(Default)]
struct Document {
    inner: Option<Box<Document>>,
    assets: Option<Listed<Asset>>,
    trackers: TrackerOffer,
    privacy: Flag,
}

impl Document {
    /// A request without assets asks for nothing that could be answered.
    fn checked(self) -> Given<NativeRequest> {
        let (is_wrapped, document) = match self.inner {
            Some(inner) => (true, *inner),
            None => (false, self),
        };
        let Some(assets) = document.assets.filter(|assets| !assets.is_absent()) else {
            return Given::Unreadable;
        };
        Given::Value(NativeRequest {
            is_wrapped,
            assets,
            trackers: document.trackers,
            privacy: document.privacy,
        })
    }
}

impl<'de> Object<'de> for Document {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "native" => self.inner = read::<Option<Document>, A>(map)?.map(Box::new),
            "assets" => self.assets = Some(read(map)?),
            "eventtrackers" => self.trackers = read(map)?,
            "privacy" => self.privacy = read(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

/// An asset whose id or kind could not be told is remembered by the list as unreadable.
impl<'de> Object<'de> for Asset {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "id" => self.id = read::<Option<i64>, A>(map)?.unwrap_or(Self::NO_ID),
            "required" => self.is_required = read::<Flag, A>(map)?.may_be_yes(),
            "title" => self.take(read::<Option<TitleAsset>, A>(map)?.map(AssetKind::Title)),
            "img" => self.take(read::<Option<ImageAsset>, A>(map)?.map(AssetKind::Image)),
            "data" => self.take(read::<Option<DataAsset>, A>(map)?.map(AssetKind::Data)),
            "video" => self.take(read::<Option<VideoAsset>, A>(map)?.map(AssetKind::Video)),
            _ => skip(map)?,
        }
        Ok(())
    }

    fn is_usable(&self) -> bool {
        self.id != Self::NO_ID
    }
}

impl Default for Asset {
    fn default() -> Self {
        Self {
            id: Self::NO_ID,
            is_required: false,
            kind: AssetKind::Unknown,
        }
    }
}

impl Asset {
    /// Stands for an id that could not be read: no exchange counts assets from here.
    const NO_ID: i64 = i64::MIN;

    fn take(&mut self, kind: Option<AssetKind>) {
        if let Some(kind) = kind {
            self.kind = kind;
        }
    }
}

impl<'de> Object<'de> for TitleAsset {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "len" => self.len = read(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

impl<'de> Object<'de> for ImageAsset {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "type" => self.image_type = read(map)?,
            "w" => self.w = read(map)?,
            "wmin" => self.wmin = read(map)?,
            "h" => self.h = read(map)?,
            "hmin" => self.hmin = read(map)?,
            "mimes" => self.mimes = read(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

impl<'de> Object<'de> for VideoAsset {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "mimes" => self.mimes = read(map)?,
            "minduration" => self.minduration_s = read(map)?,
            "maxduration" => self.maxduration_s = read(map)?,
            "protocols" => self.protocols = read(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

impl<'de> Object<'de> for DataAsset {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "type" => self.data_type = read(map)?,
            "len" => self.len = read(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

/// Types that are not known are left out; a list of only those takes none of ours.
impl<'de> Lenient<'de> for Given<ContentTypes> {
    fn absent() -> Self {
        Self::Absent
    }

    fn misfit() -> Self {
        Self::Unreadable
    }

    fn text(text: Cow<'de, str>) -> Self {
        Self::Value(ContentTypes::of(&text))
    }

    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let mut types = Self::Absent;
        while let Some(element) = Element::next(&mut items)? {
            let more = match element {
                Element::Nothing => continue,
                Element::Text(mime) => ContentTypes::of(&mime).0,
                Element::Misfit => 0,
            };
            types = Self::Value(ContentTypes(types.value().map_or(0, |set| set.0) | more));
        }
        Ok(types)
    }
}

impl<'de> Lenient<'de> for TrackerOffer {
    fn absent() -> Self {
        Self::default()
    }

    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let mut offered = Self::default();
        while let Some(offer) = items.next_element_seed(Seed::<Offer>(PhantomData))? {
            offered.is_said = true;
            if offer.event == Some(Offer::IMPRESSION) {
                offered.impression = offered.impression.union(offer.methods);
            }
        }
        Ok(offered)
    }
}

#[derive(Default)]
struct Offer {
    event: Option<u32>,
    methods: CodeSet,
}

impl Offer {
    const IMPRESSION: u32 = 1;
    const IMAGE: u32 = 1;
    const SCRIPT: u32 = 2;
}

impl<'de> Object<'de> for Offer {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "event" => self.event = read(map)?,
            "methods" => self.methods = read(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}
