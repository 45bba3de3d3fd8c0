//! The answer to a native request, made of a creative's parts (Native 1.2, section 5).
//!
//! Every required asset is answered under its id and in its kind, or there is no answer; optional ones are answered
//! where a part fits.

use thiserror::Error;

use super::request::{
    Asset, AssetKind, DataAsset, ImageAsset, ImageTypes, NativeRequest, TrackerOffer,
};
use crate::openrtb::json_writer::{JsonArray, JsonObject};
use crate::openrtb::lenient::Given;

/// What a creative can give to a native ad.
pub trait NativeParts {
    /// The title; empty for none.
    fn title(&self) -> &str;
    /// The images, the best first.
    fn images(&self) -> impl Iterator<Item = ImagePart<'_>>;
    /// The lines of text, the best first.
    fn texts(&self) -> impl Iterator<Item = TextPart<'_>>;
}

/// An image of a creative.
#[derive(Clone, Copy, Debug)]
pub struct ImagePart<'a> {
    /// 1 icon, 3 main.
    pub image_type: u32,
    /// Where it is.
    pub url: &'a str,
    /// Its width, in pixels.
    pub w: u32,
    /// Its height, in pixels.
    pub h: u32,
    /// Its MIME type.
    pub mime: &'a str,
}

/// A line of text of a creative.
#[derive(Clone, Copy, Debug)]
pub struct TextPart<'a> {
    /// 1 sponsored, 2 description, …, 12 call to action.
    pub data_type: u32,
    /// The text.
    pub text: &'a str,
}

/// Where a native ad leads and reports to.
#[derive(Clone, Copy, Debug)]
pub struct NativeLinks<'a> {
    /// Where a click leads.
    pub click_url: &'a str,
    /// Where to report a click.
    pub click_trackers: &'a [&'a str],
    /// Where to report the impression, by an image.
    pub impression_trackers: &'a [&'a str],
}

/// Why a creative cannot answer a native request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unanswerable {
    /// A required asset has no part that fits it.
    #[error("required native asset {id} cannot be met")]
    Required {
        /// The asset's id.
        id: i64,
    },
    /// Two assets have one id, so that an answer could mean either.
    #[error("native asset id {id} is used twice")]
    Ambiguous {
        /// The id.
        id: i64,
    },
    /// An asset could not be read, and may be required.
    #[error("a native asset cannot be read")]
    Unreadable,
    /// No asset can be answered at all.
    #[error("no native asset can be met")]
    Nothing,
}

/// Whether a creative can answer a request. Allocates nothing; for use while deciding.
///
/// # Errors
/// [`Unanswerable`]: expected; try the next creative.
pub fn can_answer(request: &NativeRequest, parts: &impl NativeParts) -> Result<(), Unanswerable> {
    if request.assets.is_unreadable() {
        return Err(Unanswerable::Unreadable);
    }
    let mut rest = request.assets.items();
    let mut any = false;
    while let Some((asset, others)) = rest.split_first() {
        let id = asset.id;
        if others.iter().any(|other| other.id == id) {
            return Err(Unanswerable::Ambiguous { id });
        }
        match part_for(asset, parts) {
            Some(_) => any = true,
            None if asset.is_required => return Err(Unanswerable::Required { id }),
            None => {}
        }
        rest = others;
    }
    if any {
        Ok(())
    } else {
        Err(Unanswerable::Nothing)
    }
}

/// Appends the answer as a JSON text, which goes into `Bid.adm`. Only for a request that [`can_answer`] allows.
pub fn write(
    out: &mut Vec<u8>,
    request: &NativeRequest,
    parts: &impl NativeParts,
    links: &NativeLinks<'_>,
) {
    let mut root = JsonObject::begin(out);
    if request.is_wrapped {
        let mut native = root.object("native");
        write_fields(&mut native, request, parts, links);
        native.end();
    } else {
        write_fields(&mut root, request, parts, links);
    }
    root.end();
}

fn write_fields(
    native: &mut JsonObject<'_>,
    request: &NativeRequest,
    parts: &impl NativeParts,
    links: &NativeLinks<'_>,
) {
    // Only a request of 1.2 offers event trackers, and only 1.2 recommends the version in the answer.
    if request.trackers != TrackerOffer::Unspecified {
        native.text("ver", "1.2");
    }
    let mut assets = native.array("assets");
    for asset in request.assets.items() {
        if let Some(part) = part_for(asset, parts) {
            write_asset(&mut assets, asset.id, part);
        }
    }
    assets.end();
    let mut link = native.object("link");
    link.text("url", links.click_url);
    link.texts("clicktrackers", links.click_trackers.iter().copied());
    link.end();
    if request.trackers == TrackerOffer::ImpressionImage {
        let mut trackers = native.array("eventtrackers");
        for url in links.impression_trackers {
            let mut tracker = trackers.object();
            tracker.integer("event", 1);
            tracker.integer("method", 1);
            tracker.text("url", url);
            tracker.end();
        }
        trackers.end();
    } else {
        native.texts("imptrackers", links.impression_trackers.iter().copied());
    }
}

fn write_asset(assets: &mut JsonArray<'_>, id: i64, part: Part<'_>) {
    let mut asset = assets.object();
    asset.integer("id", id);
    match part {
        Part::Title(title) => {
            let mut object = asset.object("title");
            object.text("text", title);
            object.end();
        }
        Part::Image(image) => {
            let mut object = asset.object("img");
            object.text("url", image.url);
            object.integer("w", i64::from(image.w));
            object.integer("h", i64::from(image.h));
            object.end();
        }
        Part::Text(text) => {
            let mut object = asset.object("data");
            object.text("value", text.text);
            object.end();
        }
    }
    asset.end();
}

#[derive(Clone, Copy)]
enum Part<'a> {
    Title(&'a str),
    Image(ImagePart<'a>),
    Text(TextPart<'a>),
}

/// The first part that fits an asset.
fn part_for<'a>(asset: &Asset, parts: &'a impl NativeParts) -> Option<Part<'a>> {
    match &asset.kind {
        AssetKind::Title(title) => Some(parts.title())
            .filter(|text| fits_len(text, title.len))
            .map(Part::Title),
        AssetKind::Image(wanted) => parts
            .images()
            .find(|image| image_fits(wanted, image))
            .map(Part::Image),
        AssetKind::Data(wanted) => parts
            .texts()
            .find(|text| text_fits(wanted, text))
            .map(Part::Text),
        AssetKind::Video | AssetKind::Unknown => None,
    }
}

fn image_fits(wanted: &ImageAsset, image: &ImagePart<'_>) -> bool {
    /// What versions before 1.2 call a logo is an icon now.
    const LOGO: u32 = 2;
    const ICON: u32 = 1;
    let type_fits = match wanted.image_type {
        None => true,
        Some(LOGO) => matches!(image.image_type, LOGO | ICON),
        Some(image_type) => image.image_type == image_type,
    };
    let mime_fits = match wanted.mimes {
        Given::Absent => true,
        Given::Value(types) => types.intersects(ImageTypes::of(image.mime)),
        Given::Unreadable => false,
    };
    type_fits
        && mime_fits
        && side_fits(wanted.w, wanted.wmin, image.w)
        && side_fits(wanted.h, wanted.hmin, image.h)
}

/// A least size is a least size, whatever the exact one says; zero asks for nothing.
fn side_fits(exact: Option<u32>, least: Option<u32>, side: u32) -> bool {
    let asked = |size: &u32| *size > 0;
    match (exact.filter(asked), least.filter(asked)) {
        (_, Some(least)) => side >= least,
        (Some(exact), None) => side == exact,
        (None, None) => true,
    }
}

fn text_fits(wanted: &DataAsset, text: &TextPart<'_>) -> bool {
    wanted
        .data_type
        .is_none_or(|data_type| data_type == text.data_type)
        && fits_len(text.text, wanted.len)
}

/// Lengths count characters; zero asks for nothing.
fn fits_len(text: &str, len: Option<u32>) -> bool {
    let len = len.filter(|len| *len > 0);
    !text.is_empty()
        && len.is_none_or(|len| {
            usize::try_from(len).is_ok_and(|len| text.len() <= len || text.chars().count() <= len)
        })
}
