//! VAST documents for one linear ad: ours with our files, or a wrapper around someone else's tag (IAB VAST 2.0 to 4.3).
//!
//! The smallest document that every version calls valid, without templates or a tree. URLs stand in CDATA sections, so
//! macros in them stay as they are; everything else is escaped.

use super::codes::{VastForm, VastVersion};
use super::escape::{write_cdata, write_xml};
use super::json_writer::{write_digits, write_integer};
use super::lenient::CodeSet;

/// One linear ad.
#[derive(Clone, Copy, Debug)]
pub struct LinearAd<'a> {
    /// The ad's id: the creative's.
    pub id: &'a str,
    /// Who serves it.
    pub ad_system: &'a str,
    /// Its title.
    pub title: &'a str,
    /// An id of this one impression: `AdServingId` from 4.1 on.
    pub serving_id: &'a str,
    /// Where to report the impression; at least one.
    pub impressions: &'a [&'a str],
    /// Where to report that it could not be shown.
    pub errors: &'a [&'a str],
    /// Where a click leads; a wrapper leaves that to what it wraps.
    pub click_through: Option<&'a str>,
    /// Where to report a click.
    pub click_trackers: &'a [&'a str],
    /// Where to report how far it was watched.
    pub trackers: &'a [(TrackingEvent, &'a str)],
    /// What is shown.
    pub source: LinearSource<'a>,
}

/// What a linear ad shows.
#[derive(Clone, Copy, Debug)]
pub enum LinearSource<'a> {
    /// Our own files.
    InLine {
        /// How long it plays, in seconds.
        duration_s: u32,
        /// After how many seconds it may be skipped, if ever. VAST 2.0 does not know this.
        skip_after_s: Option<u32>,
        /// The files; at least one.
        files: &'a [MediaFile<'a>],
    },
    /// Someone else's tag.
    Wrapper {
        /// Where the tag is.
        tag_url: &'a str,
    },
}

/// One file of a video.
#[derive(Clone, Copy, Debug)]
pub struct MediaFile<'a> {
    /// Where it is.
    pub url: &'a str,
    /// Its MIME type.
    pub mime: &'a str,
    /// Its width, in pixels.
    pub w: u32,
    /// Its height, in pixels.
    pub h: u32,
    /// Its bit rate in kbit/s, where known.
    pub bitrate_kbps: Option<u32>,
}

/// How far an ad was watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrackingEvent {
    /// It began.
    Start,
    /// A quarter of it.
    FirstQuartile,
    /// Half of it.
    Midpoint,
    /// Three quarters of it.
    ThirdQuartile,
    /// All of it.
    Complete,
    /// The user skipped it; VAST 2.0 does not know this.
    Skip,
}

/// The newest version that a placement takes in this form: 3.0 where it names none, `None` where it takes none of ours
/// or what it takes cannot be read.
pub fn choose_version(protocols: CodeSet, form: VastForm) -> Option<VastVersion> {
    if protocols.is_empty() {
        return (!protocols.is_unreadable()).then_some(VastVersion::V3);
    }
    VastVersion::NEWEST_FIRST
        .into_iter()
        .find(|version| protocols.contains(version.protocol(form)))
}

/// Appends a document.
pub fn write(out: &mut Vec<u8>, version: VastVersion, ad: &LinearAd<'_>) {
    raw(out, "<VAST version=\"");
    raw(out, version.as_str());
    raw(out, "\"><Ad id=\"");
    write_xml(out, ad.id);
    raw(out, "\">");
    let form = ad.source.tag();
    open(out, form);
    element(out, "AdSystem", ad.ad_system);
    match ad.source {
        LinearSource::InLine { .. } => {
            element(out, "AdTitle", ad.title);
            if version >= VastVersion::V4_1 {
                element(out, "AdServingId", ad.serving_id);
            }
        }
        LinearSource::Wrapper { tag_url } => url(out, "VASTAdTagURI", tag_url),
    }
    urls(out, "Error", ad.errors);
    urls(out, "Impression", ad.impressions);
    raw(out, "<Creatives><Creative id=\"");
    write_xml(out, ad.id);
    raw(out, "\">");
    write_creative(out, version, ad);
    raw(out, "</Creative></Creatives>");
    close(out, form);
    raw(out, "</Ad></VAST>");
}

impl LinearSource<'_> {
    /// The form of document it needs.
    pub const fn form(&self) -> VastForm {
        match self {
            Self::InLine { .. } => VastForm::InLine,
            Self::Wrapper { .. } => VastForm::Wrapper,
        }
    }

    const fn tag(&self) -> &'static str {
        match self {
            Self::InLine { .. } => "InLine",
            Self::Wrapper { .. } => "Wrapper",
        }
    }
}

impl TrackingEvent {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::FirstQuartile => "firstQuartile",
            Self::Midpoint => "midpoint",
            Self::ThirdQuartile => "thirdQuartile",
            Self::Complete => "complete",
            Self::Skip => "skip",
        }
    }

    fn is_known_in(self, version: VastVersion) -> bool {
        self != Self::Skip || version >= VastVersion::V3
    }
}

fn write_creative(out: &mut Vec<u8>, version: VastVersion, ad: &LinearAd<'_>) {
    match ad.source {
        LinearSource::InLine {
            duration_s,
            skip_after_s,
            files,
        } => {
            write_universal_id(out, version, ad.id);
            raw(out, "<Linear");
            if let Some(skip_after_s) = skip_after_s.filter(|_| version >= VastVersion::V3) {
                raw(out, " skipoffset=\"");
                write_time(out, skip_after_s);
                raw(out, "\"");
            }
            raw(out, "><Duration>");
            write_time(out, duration_s);
            raw(out, "</Duration>");
            write_tracking(out, version, ad);
            write_clicks(out, ad);
            raw(out, "<MediaFiles>");
            for file in files {
                write_file(out, file);
            }
            raw(out, "</MediaFiles></Linear>");
        }
        LinearSource::Wrapper { .. } => {
            raw(out, "<Linear>");
            write_tracking(out, version, ad);
            write_clicks(out, ad);
            raw(out, "</Linear>");
        }
    }
}

/// A universal id is required from 4.0 on; who has none registered says `unknown`. 4.0 wants it in an attribute too.
fn write_universal_id(out: &mut Vec<u8>, version: VastVersion, id: &str) {
    if version < VastVersion::V4_0 {
        return;
    }
    raw(out, "<UniversalAdId idRegistry=\"unknown\"");
    if version == VastVersion::V4_0 {
        raw(out, " idValue=\"");
        write_xml(out, id);
        raw(out, "\"");
    }
    raw(out, ">");
    write_xml(out, id);
    close(out, "UniversalAdId");
}

fn write_tracking(out: &mut Vec<u8>, version: VastVersion, ad: &LinearAd<'_>) {
    let known = |(event, _): &&(TrackingEvent, &str)| event.is_known_in(version);
    let mut trackers = ad.trackers.iter().filter(known).peekable();
    if trackers.peek().is_none() {
        return;
    }
    open(out, "TrackingEvents");
    for (event, address) in trackers {
        raw(out, "<Tracking event=\"");
        raw(out, event.as_str());
        raw(out, "\">");
        write_cdata(out, address);
        close(out, "Tracking");
    }
    close(out, "TrackingEvents");
}

fn write_clicks(out: &mut Vec<u8>, ad: &LinearAd<'_>) {
    let click_through = match ad.source {
        LinearSource::InLine { .. } => ad.click_through,
        LinearSource::Wrapper { .. } => None,
    };
    if click_through.is_none() && ad.click_trackers.is_empty() {
        return;
    }
    open(out, "VideoClicks");
    if let Some(click_through) = click_through {
        url(out, "ClickThrough", click_through);
    }
    urls(out, "ClickTracking", ad.click_trackers);
    close(out, "VideoClicks");
}

fn write_file(out: &mut Vec<u8>, file: &MediaFile<'_>) {
    raw(out, "<MediaFile delivery=\"");
    raw(out, delivery(file.mime));
    raw(out, "\" type=\"");
    write_xml(out, file.mime);
    raw(out, "\" width=\"");
    write_integer(out, i64::from(file.w));
    raw(out, "\" height=\"");
    write_integer(out, i64::from(file.h));
    if let Some(bitrate) = file.bitrate_kbps {
        raw(out, "\" bitrate=\"");
        write_integer(out, i64::from(bitrate));
    }
    raw(out, "\">");
    write_cdata(out, file.url);
    close(out, "MediaFile");
}

/// A playlist (HLS, DASH) is streamed; a file is loaded as it plays.
fn delivery(mime: &str) -> &'static str {
    const PLAYLISTS: [&str; 3] = [
        "application/x-mpegurl",
        "application/vnd.apple.mpegurl",
        "application/dash+xml",
    ];
    if PLAYLISTS
        .iter()
        .any(|playlist| playlist.eq_ignore_ascii_case(mime))
    {
        "streaming"
    } else {
        "progressive"
    }
}

/// `HH:MM:SS`.
fn write_time(out: &mut Vec<u8>, seconds: u32) {
    let seconds = u64::from(seconds);
    write_digits(out, seconds / 3600, 2);
    out.push(b':');
    write_digits(out, seconds / 60 % 60, 2);
    out.push(b':');
    write_digits(out, seconds % 60, 2);
}

fn raw(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

fn open(out: &mut Vec<u8>, tag: &str) {
    raw(out, "<");
    raw(out, tag);
    raw(out, ">");
}

fn close(out: &mut Vec<u8>, tag: &str) {
    raw(out, "</");
    raw(out, tag);
    raw(out, ">");
}

fn element(out: &mut Vec<u8>, tag: &str, text: &str) {
    open(out, tag);
    write_xml(out, text);
    close(out, tag);
}

fn url(out: &mut Vec<u8>, tag: &str, address: &str) {
    open(out, tag);
    write_cdata(out, address);
    close(out, tag);
}

fn urls(out: &mut Vec<u8>, tag: &str, addresses: &[&str]) {
    for address in addresses {
        url(out, tag, address);
    }
}

#[cfg(test)]
mod tests;
