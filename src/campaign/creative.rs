//! What is shown: one creative of a campaign, as a banner, a video, an audio ad or a native ad.
//!
//! A creative is complete: whether it fits an impression and what is written into the response follow from it, its
//! campaign and its advertiser alone. Markup is the operator's own; macros in it are filled in when a bid is written.

use std::sync::Arc;

use super::advertiser::Advertiser;
use super::targeting::{Category, Classified, Language};
use crate::units::CreativeKey;

/// One creative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Creative {
    /// Its id in the configuration: `Bid.crid`.
    pub id: Arc<str>,
    /// The key of its id.
    pub key: CreativeKey,
    /// What it is made of.
    pub format: Format,
    /// Where a click leads.
    pub click_url: Arc<str>,
    /// Creative attributes as bits by their number in `AdCOM`'s list: `Bid.attr`, and what `battr` is compared with.
    pub attributes: u64,
    /// API frameworks it needs, as bits by their number in `AdCOM`'s list; the impression must support them all.
    pub apis: u64,
    /// What it is about; if empty, its advertiser's.
    pub categories: Vec<Category>,
    /// The same in other taxonomies.
    pub classified: Vec<Classified>,
    /// The language of its words; [`Language::NONE`] if it has none; `None` if nobody said.
    pub language: Option<Language>,
    /// Whether every asset is fetched over https.
    pub secure: bool,
    /// A sample image for the exchange's checks: `Bid.iurl`.
    pub iurl: Option<Arc<str>>,
    /// The app it advertises, as its store knows it: `Bid.bundle`, and what `bapp` is compared with.
    /// In the case it is written in, which some stores tell apart.
    pub bundle: Option<Arc<str>>,
}

impl Creative {
    /// What it is about in IAB Content 1.0: its advertiser's categories where it has none of its own, in any taxonomy.
    pub fn categories<'c>(&'c self, advertiser: &'c Advertiser) -> &'c [Category] {
        if self.says_what_it_is_about() {
            &self.categories
        } else {
            &advertiser.categories
        }
    }

    /// The same in another taxonomy; `None` where nobody said.
    pub fn classified_in<'c>(
        &'c self,
        taxonomy: u32,
        advertiser: &'c Advertiser,
    ) -> Option<&'c Classified> {
        let all = if self.says_what_it_is_about() {
            &self.classified
        } else {
            &advertiser.classified
        };
        all.iter().find(|one| one.taxonomy == taxonomy)
    }

    const fn says_what_it_is_about(&self) -> bool {
        !(self.categories.is_empty() && self.classified.is_empty())
    }
}

/// What a creative is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// Markup in a rectangle.
    Banner(Banner),
    /// A video by VAST.
    Video(Spot),
    /// Sound by VAST or DAAST.
    Audio(Spot),
    /// Assets that the publisher lays out.
    Native(Native),
}

/// What an impression must take for a creative to fit at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shape {
    /// A banner of exactly this size.
    Banner(Size),
    /// A banner of some size: for impressions that take a range of sizes, or a ratio.
    AnyBanner,
    /// A video.
    Video,
    /// An audio ad.
    Audio,
    /// A native ad.
    Native,
}

/// Width and height in device-independent pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size {
    /// Width.
    pub w: u32,
    /// Height.
    pub h: u32,
}

/// How a banner's markup is made. Source: `AdCOM` 1.0, list Banner Creative Types; the numbers are those of `btype`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BannerKind {
    /// A text ad in XHTML.
    XhtmlText = 1,
    /// A banner in XHTML.
    XhtmlBanner = 2,
    /// JavaScript, which must be valid XHTML.
    JavaScript = 3,
    /// An iframe.
    Iframe = 4,
}

/// A banner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Banner {
    /// Its size.
    pub size: Size,
    /// From which width on it scales with its ratio, for impressions that ask for a ratio; `None` if it does not scale.
    pub scales_from_w: Option<u32>,
    /// Directions in which it expands, as bits by their number in `AdCOM`'s list.
    pub expands: u64,
    /// Its markup.
    pub html: Arc<str>,
    /// How the markup is made.
    pub kind: BannerKind,
    /// What it is as a content type, lower case: `text/html`, or `image/png` for markup around one image.
    pub mime: Arc<str>,
}

/// Something that plays, in a video or an audio placement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// Where its media come from.
    pub source: SpotSource,
    /// How long it plays, in whole seconds; of an overlay, how long it stays at least.
    pub duration_seconds: u32,
    /// When its own skip button appears, in seconds; `None` if it has none.
    pub skip_after_seconds: Option<u32>,
    /// What may be shown beside it, the best first.
    pub companions: Vec<Companion>,
    /// Who measures it, if anybody.
    pub verification: Option<Verification>,
}

/// Where the media of something that plays come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpotSource {
    /// Our own document, with these files.
    Inline(Vec<MediaFile>),
    /// Someone else's document behind a wrapper of ours.
    Wrapper(Wrapper),
    /// Our own document, with an image over the content: a non-linear ad.
    Overlay(StaticImage),
}

/// One file of something that plays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaFile {
    /// Where it is.
    pub url: Arc<str>,
    /// Its MIME type, lower case: `video/mp4`.
    pub mime: Arc<str>,
    /// Its size; `None` for sound.
    pub size: Option<Size>,
    /// Its bit rate in kbit/s, where known.
    pub bitrate_kbps: Option<u32>,
}

/// A VAST tag of someone else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrapper {
    /// Where the tag is.
    pub tag_url: Arc<str>,
    /// MIME types of the media behind it, lower case, one of which an impression must accept.
    pub mimes: Vec<Arc<str>>,
}

/// An image of a certain size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticImage {
    /// Where it is.
    pub url: Arc<str>,
    /// Its MIME type, lower case: `image/png`.
    pub mime: Arc<str>,
    /// Its size.
    pub size: Size,
}

/// What is shown beside something that plays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Companion {
    /// An image.
    Image(StaticImage),
    /// A page in a frame.
    Frame {
        /// Where it is.
        url: Arc<str>,
        /// Its size.
        size: Size,
    },
}

/// Who measures whether an ad was seen, by a script of the Open Measurement SDK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// The vendor, as it calls itself: `measurer.example-omid`.
    pub vendor: Arc<str>,
    /// Where the script is.
    pub script_url: Arc<str>,
    /// What the script is told.
    pub parameters: Option<Arc<str>>,
}

/// A native ad: the assets it can give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Native {
    /// Its title.
    pub title: Arc<str>,
    /// Its texts.
    pub texts: Vec<NativeText>,
    /// Its images.
    pub images: Vec<NativeImage>,
    /// Its video, by VAST.
    pub video: Option<Spot>,
    /// Where a click leads first, if the device can follow it: an address in an app. The click URL is its fallback.
    pub deep_link: Option<Arc<str>>,
    /// Where it says what is done with the user's data.
    pub privacy_url: Option<Arc<str>>,
    /// A script that is told of the impression, where scripts are taken.
    pub script_url: Option<Arc<str>>,
}

/// A text of a native ad.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NativeText {
    /// What it says. Source: Native 1.2, list Data Asset Types (1 sponsored by, 2 description, 12 call to action, …).
    pub kind: u16,
    /// The text.
    pub text: Arc<str>,
}

/// An image of a native ad.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NativeImage {
    /// What it shows. Source: Native 1.2, list Image Asset Types (1 icon, 3 main).
    pub kind: u16,
    /// Where it is.
    pub url: Arc<str>,
    /// Its size.
    pub size: Size,
    /// Its MIME type, lower case: `image/png`.
    pub mime: Arc<str>,
}

impl Creative {
    /// Its shape: a banner has that of its size, and [`Shape::AnyBanner`] besides.
    pub const fn shape(&self) -> Shape {
        match &self.format {
            Format::Banner(banner) => Shape::Banner(banner.size),
            Format::Video(_) => Shape::Video,
            Format::Audio(_) => Shape::Audio,
            Format::Native(_) => Shape::Native,
        }
    }

    /// How long it plays, in seconds; `None` for what does not play.
    pub const fn duration_seconds(&self) -> Option<u32> {
        match &self.format {
            Format::Video(spot) | Format::Audio(spot) => Some(spot.duration_seconds),
            Format::Banner(_) | Format::Native(_) => None,
        }
    }
}

impl BannerKind {
    /// The kind with this name in a configuration.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "xhtml_text" => Some(Self::XhtmlText),
            "xhtml_banner" => Some(Self::XhtmlBanner),
            "javascript" => Some(Self::JavaScript),
            "iframe" => Some(Self::Iframe),
            _ => None,
        }
    }

    /// The number in `btype`.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl Companion {
    /// Its size.
    pub const fn size(&self) -> Size {
        match self {
            Self::Image(image) => image.size,
            Self::Frame { size, .. } => *size,
        }
    }

    /// What it is made of, by the number in `companiontype`.
    pub const fn code(&self) -> u32 {
        match self {
            Self::Image(_) => 1,
            Self::Frame { .. } => 3,
        }
    }
}

impl Spot {
    /// Why it cannot be shown at all, if so.
    pub fn fault(&self) -> Option<&'static str> {
        if self.duration_seconds == 0 {
            return Some("has no duration");
        }
        match &self.source {
            SpotSource::Inline(files) if files.is_empty() => Some("has no media file"),
            SpotSource::Wrapper(wrapper) if wrapper.tag_url.is_empty() => Some("has no tag"),
            SpotSource::Wrapper(wrapper) if wrapper.mimes.is_empty() => {
                Some("does not say what its tag plays")
            }
            SpotSource::Inline(_) | SpotSource::Wrapper(_) | SpotSource::Overlay(_) => None,
        }
    }
}
