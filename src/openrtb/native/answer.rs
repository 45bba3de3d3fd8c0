//! The answer to a native request, made of a creative's parts (Native 1.2, section 5).
//!
//! Every required asset is answered under its id and in its kind, or there is no answer; optional ones are answered
//! where a part fits.

use thiserror::Error;

use super::request::{
    Asset, AssetKind, ContentTypes, DataAsset, ImageAsset, NativeRequest, VideoAsset,
};
use crate::openrtb::codes::VastForm;
use crate::openrtb::escape::write_html;
use crate::openrtb::json_writer::{JsonArray, JsonObject};
use crate::openrtb::lenient::{Flag, Given};
use crate::openrtb::vast::{Medium, Template};

/// What a creative can give to a native ad.
pub trait NativeParts {
    /// The title; empty for none.
    fn title(&self) -> &str;
    /// The images, the best first.
    fn images(&self) -> impl Iterator<Item = ImagePart<'_>>;
    /// The lines of text, the best first.
    fn texts(&self) -> impl Iterator<Item = TextPart<'_>>;
    /// The files of its video; none where it has none.
    fn videos(&self) -> impl Iterator<Item = VideoPart<'_>>;
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

/// A file of a creative's video.
#[derive(Clone, Copy, Debug)]
pub struct VideoPart<'a> {
    /// Its MIME type.
    pub mime: &'a str,
    /// How long it plays, in seconds.
    pub duration_s: u32,
}

/// Where a native ad leads and reports to, and what else is written into it.
#[derive(Clone, Copy, Debug)]
pub struct NativeLinks<'a> {
    /// Where a click leads.
    pub click_url: &'a str,
    /// Where a click leads first, if the device can follow it; the click URL is its fallback then.
    pub deep_link: Option<&'a str>,
    /// Where to report a click.
    pub click_trackers: &'a [&'a str],
    /// Where to report the impression, by an image.
    pub impression_trackers: &'a [&'a str],
    /// A script that is told of the impression.
    pub script_url: Option<&'a str>,
    /// Where it says what is done with the user's data.
    pub privacy_url: Option<&'a str>,
    /// The VAST document for each asset that is a video: see [`video_assets`].
    pub vast: &'a [(i64, String)],
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

/// The assets of a request that are answered with a video, each with what it wants: the VAST document for each is the
/// caller's to write.
pub fn video_assets<'r>(
    request: &'r NativeRequest,
    parts: &impl NativeParts,
) -> impl Iterator<Item = (i64, &'r VideoAsset)> {
    request
        .assets
        .items()
        .iter()
        .filter_map(|asset| match &asset.kind {
            AssetKind::Video(wanted) if part_for(asset, parts).is_some() => {
                Some((asset.id, wanted))
            }
            _ => None,
        })
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
    if request.trackers.is_said {
        native.text("ver", "1.2");
    }
    let mut assets = native.array("assets");
    for asset in request.assets.items() {
        if let Some(part) = part_for(asset, parts) {
            write_asset(&mut assets, asset.id, part, links.vast);
        }
    }
    assets.end();
    let mut link = native.object("link");
    link.text("url", links.deep_link.unwrap_or(links.click_url));
    link.texts("clicktrackers", links.click_trackers.iter().copied());
    link.optional_text("fallback", links.deep_link.map(|_| links.click_url));
    link.end();
    write_trackers(native, request, links);
    let takes_privacy = request.privacy == Flag::Yes;
    native.optional_text("privacy", links.privacy_url.filter(|_| takes_privacy));
}

/// Each by an event tracker where one is offered, by the field of 1.0 and 1.1 where not.
fn write_trackers(native: &mut JsonObject<'_>, request: &NativeRequest, links: &NativeLinks<'_>) {
    const IMAGE: i64 = 1;
    const SCRIPT: i64 = 2;
    let offered = request.trackers;
    let (images, old_images) = if offered.takes_image() {
        (links.impression_trackers, &[][..])
    } else {
        (&[][..], links.impression_trackers)
    };
    let script = links.script_url.filter(|_| offered.takes_script());
    if !images.is_empty() || script.is_some() {
        let mut trackers = native.array("eventtrackers");
        let images = images.iter().map(|url| (IMAGE, *url));
        for (method, url) in images.chain(script.map(|url| (SCRIPT, url))) {
            let mut tracker = trackers.object();
            tracker.integer("event", 1);
            tracker.integer("method", method);
            tracker.text("url", url);
            tracker.end();
        }
        trackers.end();
    }
    native.texts("imptrackers", old_images.iter().copied());
    // Who offers event trackers and no script among them wants no script.
    if let Some(url) = links.script_url.filter(|_| !offered.is_said) {
        let mut tag = b"<script src=\"".to_vec();
        write_html(&mut tag, url);
        tag.extend_from_slice(b"\"></script>");
        native.text("jstracker", &String::from_utf8_lossy(&tag));
    }
}

fn write_asset(assets: &mut JsonArray<'_>, id: i64, part: Part<'_>, vast: &[(i64, String)]) {
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
        Part::Video => {
            let document = vast.iter().find(|(asset, _)| *asset == id);
            let mut object = asset.object("video");
            object.text("vasttag", document.map_or("", |(_, document)| document));
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
    Video,
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
        AssetKind::Video(wanted) => parts
            .videos()
            .any(|file| video_fits(wanted, &file))
            .then_some(Part::Video),
        AssetKind::Unknown => None,
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
    type_fits
        && takes(wanted.mimes, image.mime)
        && side_fits(wanted.w, wanted.wmin, image.w)
        && side_fits(wanted.h, wanted.hmin, image.h)
}

fn video_fits(wanted: &VideoAsset, file: &VideoPart<'_>) -> bool {
    takes(wanted.mimes, file.mime)
        && wanted
            .minduration_s
            .is_none_or(|least| file.duration_s >= least)
        && wanted
            .maxduration_s
            .is_none_or(|most| file.duration_s <= most)
        && Template::choose(wanted.protocols, VastForm::InLine, Medium::Video).is_some()
}

fn takes(types: Given<ContentTypes>, mime: &str) -> bool {
    match types {
        Given::Absent => true,
        Given::Value(types) => types.intersects(ContentTypes::of(mime)),
        Given::Unreadable => false,
    }
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
