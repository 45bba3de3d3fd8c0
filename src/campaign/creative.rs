//! What is shown: one creative of a campaign, as a banner, a video or a native ad.
//!
//! A creative is complete: whether it fits an impression and what is written into the response follow from it, its
//! campaign and its advertiser alone. Markup is the operator's own; macros in it are filled in when a bid is written.

use std::sync::Arc;

use super::audience::Language;
use super::category::Category;
use super::inventory::Bundle;
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
    /// The language of its words; [`Language::NONE`] if it has none; `None` if nobody said.
    pub language: Option<Language>,
    /// Whether every asset is fetched over https.
    pub secure: bool,
    /// A sample image for the exchange's checks: `Bid.iurl`.
    pub iurl: Option<Arc<str>>,
    /// The app it advertises, as its store knows it: `Bid.bundle`, and what `bapp` is compared with.
    pub bundle: Option<Bundle>,
}

/// What a creative is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// Markup in a rectangle.
    Banner(Banner),
    /// A linear video by VAST.
    Video(Video),
    /// Assets that the publisher lays out.
    Native(Native),
}

/// What an impression must take for a creative to fit at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shape {
    /// A banner of exactly this size.
    Banner(Size),
    /// A video.
    Video,
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
    /// Its size, which an impression must offer exactly.
    pub size: Size,
    /// Its markup.
    pub html: Arc<str>,
    /// How the markup is made.
    pub kind: BannerKind,
}

/// A linear video.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Video {
    /// Where its media come from.
    pub source: VideoSource,
    /// How long it plays, in whole seconds.
    pub duration_seconds: u32,
    /// When its own skip button appears, in seconds; `None` if it has none.
    pub skip_after_seconds: Option<u32>,
}

/// Where a video's media come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VideoSource {
    /// Our own VAST document, with these files.
    Inline(Vec<MediaFile>),
    /// Someone else's VAST document behind a wrapper of ours.
    Wrapper(Wrapper),
}

/// One file of a video.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaFile {
    /// Where it is.
    pub url: Arc<str>,
    /// Its MIME type, lower case: `video/mp4`.
    pub mime: Arc<str>,
    /// Its size.
    pub size: Size,
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

/// A native ad: the assets it can give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Native {
    /// Its title.
    pub title: Arc<str>,
    /// Its texts.
    pub texts: Vec<NativeText>,
    /// Its images.
    pub images: Vec<NativeImage>,
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
    /// Its shape.
    pub const fn shape(&self) -> Shape {
        match &self.format {
            Format::Banner(banner) => Shape::Banner(banner.size),
            Format::Video(_) => Shape::Video,
            Format::Native(_) => Shape::Native,
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

impl Video {
    /// The MIME types it can be played as.
    pub fn mimes(&self) -> impl Iterator<Item = &str> {
        let (files, wrapped): (&[MediaFile], &[Arc<str>]) = match &self.source {
            VideoSource::Inline(files) => (files, &[]),
            VideoSource::Wrapper(wrapper) => (&[], &wrapper.mimes),
        };
        files
            .iter()
            .map(|file| &*file.mime)
            .chain(wrapped.iter().map(|mime| &**mime))
    }
}
