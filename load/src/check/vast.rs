//! Video and audio markup: a VAST document that the player asked about can play.

use std::borrow::Cow;

use super::markup::Trackers;
use super::response::Bid;
use super::text::{attribute, clip, elements, seconds, tags};
use super::{FaultKind, Verdict};

/// What the player takes.
pub(super) struct Player<'a> {
    pub(super) mimes: &'a [Cow<'static, str>],
    pub(super) seconds: (u32, u32),
    /// The only lengths it takes; empty: any between these two.
    pub(super) durations: &'a [u32],
    pub(super) protocols: &'a [u32],
}

/// The protocols of a version, as inline document and as wrapper.
fn protocols(version: &str) -> Option<(u32, u32)> {
    Some(match version {
        "2.0" => (2, 5),
        "3.0" => (3, 6),
        "4.0" => (7, 8),
        "4.1" => (11, 12),
        "4.2" => (13, 14),
        "4.3" => (15, 16),
        _ => return None,
    })
}

/// Judges a document.
pub(super) fn judge(
    player: &Player<'_>,
    bid: &Bid<'_>,
    adm: &str,
    verdict: &mut Verdict<'_>,
) -> Trackers {
    let mut start = adm.trim_start();
    if start.starts_with("<?xml") {
        start = start
            .split_once("?>")
            .map_or(start, |(_, rest)| rest.trim_start());
    }
    if !start.starts_with("<VAST") || !adm.trim_end().ends_with("</VAST>") {
        verdict.fault(FaultKind::Vast, format!("no VAST: {}", clip(adm)));
        return Trackers::default();
    }
    let is_wrapper = tags(adm, "Wrapper").next().is_some();
    let version = tags(start, "VAST").find_map(|tag| attribute(tag, "version"));
    let version = version.unwrap_or_default();
    let number =
        protocols(&version).map(|(inline, wrapper)| if is_wrapper { wrapper } else { inline });
    if !number.is_some_and(|number| player.protocols.contains(&number)) {
        let known = player.protocols;
        verdict.fault(
            FaultKind::Vast,
            format!("version {version:?}, player knows {known:?}"),
        );
    }
    if bid.protocol.is_some() && bid.protocol != number {
        verdict.fault(
            FaultKind::Vast,
            format!("protocol {:?}, document {number:?}", bid.protocol),
        );
    }
    if is_wrapper {
        if elements(adm, "VASTAdTagURI").is_empty() {
            verdict.fault(FaultKind::Vast, "a wrapper around nothing");
        }
    } else {
        inline(player, bid, adm, verdict);
    }
    let mut clicks = elements(adm, "ClickTracking");
    clicks.extend(elements(adm, "ClickThrough"));
    Trackers {
        impressions: elements(adm, "Impression"),
        clicks,
    }
}

fn inline(player: &Player<'_>, bid: &Bid<'_>, adm: &str, verdict: &mut Verdict<'_>) {
    let (shortest, longest) = player.seconds;
    let duration = elements(adm, "Duration");
    let duration = duration.first().and_then(|text| seconds(text));
    if !duration.is_some_and(|length| (shortest..=longest).contains(&length)) {
        verdict.fault(
            FaultKind::Vast,
            format!("{duration:?} s of {shortest} to {longest}"),
        );
    }
    let is_taken = |length: &u32| player.durations.is_empty() || player.durations.contains(length);
    if duration.is_some_and(|length| !is_taken(&length)) {
        let taken = player.durations;
        verdict.fault(
            FaultKind::Duration,
            format!("{duration:?} s, the slot takes {taken:?}"),
        );
    }
    if bid.dur.is_some() && bid.dur != duration {
        verdict.fault(
            FaultKind::Duration,
            format!("dur {:?}, document {duration:?} s", bid.dur),
        );
    }
    let types: Vec<Cow<'_, str>> = tags(adm, "MediaFile")
        .filter_map(|tag| attribute(tag, "type"))
        .collect();
    if !types
        .iter()
        .any(|mime| player.mimes.iter().any(|known| known == mime))
    {
        verdict.fault(
            FaultKind::Vast,
            format!("files {types:?}, player plays {:?}", player.mimes),
        );
    }
    if elements(adm, "MediaFile").iter().any(String::is_empty) {
        verdict.fault(FaultKind::Vast, "a media file without a URL");
    }
}
