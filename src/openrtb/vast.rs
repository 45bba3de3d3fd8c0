//! VAST and DAAST documents for one ad: ours with our files or image, or a wrapper around someone else's tag
//! (IAB VAST 2.0 to 4.3, DAAST 1.0).
//!
//! The smallest document that every version calls valid, without templates or a tree. URLs stand in CDATA sections, so
//! macros in them stay as they are; everything else is escaped.

mod creatives;
mod template;
#[cfg(test)]
mod tests;
mod xml;

use self::creatives::write_creatives;
use self::xml::{attribute, close, element, open, raw, url, urls};
use super::codes::{VastForm, VastVersion};

pub use self::template::{Medium, Template};

/// One ad.
#[derive(Clone, Copy, Debug)]
pub struct VastAd<'a> {
    /// What it is made for.
    pub medium: Medium,
    /// The ad's id: the creative's.
    pub id: &'a str,
    /// Who serves it.
    pub ad_system: &'a str,
    /// Its title.
    pub title: &'a str,
    /// What it is about, in IAB Content Taxonomy 1.0: DAAST requires it.
    pub category: Option<&'a str>,
    /// An id of this one impression: `AdServingId` from 4.1 on.
    pub serving_id: &'a str,
    /// Where to report the impression; at least one.
    pub impressions: &'a [&'a str],
    /// Where a click leads; a wrapper leaves that to what it wraps.
    pub click_through: Option<&'a str>,
    /// Where to report a click.
    pub click_trackers: &'a [&'a str],
    /// What is shown or heard.
    pub source: Source<'a>,
    /// What may be shown beside it.
    pub companions: &'a [CompanionAd<'a>],
    /// Who measures it. DAAST does not know this.
    pub verification: Option<VerificationScript<'a>>,
}

/// What an ad plays.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// Our own files.
    InLine {
        /// How long it plays, in seconds.
        duration_s: u32,
        /// After how many seconds it may be skipped, if ever. VAST 2.0 does not know this.
        skip_after_s: Option<u32>,
        /// The files; at least one.
        files: &'a [MediaFile<'a>],
    },
    /// Our own image over the content.
    Overlay {
        /// How long it stays at least, in seconds.
        duration_s: u32,
        /// The image.
        image: Image<'a>,
    },
    /// Someone else's tag.
    Wrapper {
        /// Where the tag is.
        tag_url: &'a str,
    },
}

/// One file of an ad.
#[derive(Clone, Copy, Debug)]
pub struct MediaFile<'a> {
    /// Where it is.
    pub url: &'a str,
    /// Its MIME type.
    pub mime: &'a str,
    /// Its width, in pixels; 0 for sound.
    pub w: u32,
    /// Its height, in pixels; 0 for sound.
    pub h: u32,
    /// Its bit rate in kbit/s, where known.
    pub bitrate_kbps: Option<u32>,
}

/// An image.
#[derive(Clone, Copy, Debug)]
pub struct Image<'a> {
    /// Where it is.
    pub url: &'a str,
    /// Its MIME type.
    pub mime: &'a str,
    /// Its width, in pixels.
    pub w: u32,
    /// Its height, in pixels.
    pub h: u32,
}

/// What is shown beside an ad.
#[derive(Clone, Copy, Debug)]
pub struct CompanionAd<'a> {
    /// What it is made of.
    pub resource: CompanionResource<'a>,
    /// Whether it takes the player's place after the ad (`true`) or stands beside it (`false`), where that is said. Known
    /// from 4.1 on.
    pub is_end_card: Option<bool>,
}

/// What a companion is made of.
#[derive(Clone, Copy, Debug)]
pub enum CompanionResource<'a> {
    /// An image.
    Image(Image<'a>),
    /// A page in a frame.
    Frame {
        /// Where it is.
        url: &'a str,
        /// Its width, in pixels.
        w: u32,
        /// Its height, in pixels.
        h: u32,
    },
}

/// A script of the Open Measurement SDK.
#[derive(Clone, Copy, Debug)]
pub struct VerificationScript<'a> {
    /// Whose it is.
    pub vendor: &'a str,
    /// Where it is.
    pub url: &'a str,
    /// What it is told.
    pub parameters: Option<&'a str>,
}

/// How a file comes to the player.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// A playlist (HLS, DASH): piece by piece.
    Streaming,
    /// A file, which is loaded as it plays.
    Progressive,
}

/// Appends a document.
pub fn write(out: &mut Vec<u8>, template: Template, ad: &VastAd<'_>) {
    raw(out, "<");
    raw(out, template.root());
    attribute(out, "version", template.version());
    raw(out, "><Ad");
    attribute(out, "id", ad.id);
    if ad.medium == Medium::Audio && template.has(VastVersion::V4_1) {
        attribute(out, "adType", "audio");
    }
    raw(out, ">");
    let form = ad.source.tag();
    open(out, form);
    element(out, "AdSystem", ad.ad_system);
    write_about(out, template, ad);
    urls(out, "Impression", ad.impressions);
    let verification = ad.verification.filter(|_| template != Template::Daast);
    let has_place_of_its_own = template.has(VastVersion::V4_1);
    if let Some(script) = verification.filter(|_| has_place_of_its_own) {
        write_verification(out, &script);
    }
    write_creatives(out, template, ad);
    if let Some(script) = verification.filter(|_| !has_place_of_its_own) {
        raw(out, "<Extensions><Extension type=\"AdVerifications\">");
        write_verification(out, &script);
        raw(out, "</Extension></Extensions>");
    }
    close(out, form);
    close(out, "Ad");
    close(out, template.root());
}

impl Source<'_> {
    /// The form of document it needs.
    pub const fn form(&self) -> VastForm {
        match self {
            Self::InLine { .. } | Self::Overlay { .. } => VastForm::InLine,
            Self::Wrapper { .. } => VastForm::Wrapper,
        }
    }

    const fn tag(&self) -> &'static str {
        match self.form() {
            VastForm::InLine => "InLine",
            VastForm::Wrapper => "Wrapper",
        }
    }
}

impl Delivery {
    /// How a file of this content type comes.
    pub fn of(mime: &str) -> Self {
        const PLAYLISTS: [&str; 3] = [
            "application/x-mpegurl",
            "application/vnd.apple.mpegurl",
            "application/dash+xml",
        ];
        if PLAYLISTS
            .iter()
            .any(|playlist| playlist.eq_ignore_ascii_case(mime))
        {
            Self::Streaming
        } else {
            Self::Progressive
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Streaming => "streaming",
            Self::Progressive => "progressive",
        }
    }
}

/// What the ad is, for people and systems; of a wrapper, where the ad is.
fn write_about(out: &mut Vec<u8>, template: Template, ad: &VastAd<'_>) {
    if let Source::Wrapper { tag_url } = ad.source {
        url(out, template.tag_url(), tag_url);
        return;
    }
    element(out, "AdTitle", ad.title);
    if template.has(VastVersion::V4_1) {
        element(out, "AdServingId", ad.serving_id);
    }
    if template == Template::Daast {
        // An ad about nothing in particular is uncategorized.
        element(out, "Category", ad.category.unwrap_or("IAB24"));
    }
}

fn write_verification(out: &mut Vec<u8>, script: &VerificationScript<'_>) {
    raw(out, "<AdVerifications><Verification");
    attribute(out, "vendor", script.vendor);
    raw(
        out,
        "><JavaScriptResource apiFramework=\"omid\" browserOptional=\"true\">",
    );
    super::escape::write_cdata(out, script.url);
    close(out, "JavaScriptResource");
    if let Some(parameters) = script.parameters {
        url(out, "VerificationParameters", parameters);
    }
    raw(out, "</Verification></AdVerifications>");
}
