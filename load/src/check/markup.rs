//! Markup: is it of the kind that was asked, does it fit, and what does it report to?

use std::borrow::Cow;

use super::response::Bid;
use super::text::{attribute, clip, script_urls, tags};
use super::{FaultKind, Verdict, native, vast};
use crate::traffic::{AskedImp, Slot};

/// How URLs begin that no secure page loads.
const PLAIN: &str = "http://";

/// What shown markup reports to.
#[derive(Clone, Debug, Default)]
pub struct Trackers {
    /// Fetched when it is shown.
    pub impressions: Vec<String>,
    /// Fetched when it is clicked.
    pub clicks: Vec<String>,
}

/// Judges the markup of a bid.
pub(super) fn judge(imp: &AskedImp, bid: &Bid<'_>, verdict: &mut Verdict<'_>) -> Trackers {
    let Some(adm) = bid.adm.as_deref().filter(|adm| !adm.trim().is_empty()) else {
        verdict.fault(FaultKind::Markup, "no markup");
        return Trackers::default();
    };
    let Some(slot) = slot(imp, bid, verdict) else {
        return Trackers::default();
    };
    let trackers = match slot {
        Slot::Banner(sizes) => banner(sizes, bid, adm, verdict),
        Slot::Video {
            mimes,
            seconds,
            durations,
            protocols,
        }
        | Slot::Audio {
            mimes,
            seconds,
            durations,
            protocols,
        } => {
            let player = vast::Player {
                mimes,
                seconds: *seconds,
                durations,
                protocols,
            };
            vast::judge(&player, bid, adm, verdict)
        }
        Slot::Native(assets) => native::judge(assets, adm, verdict),
    };
    if trackers.impressions.is_empty() {
        verdict.fault(FaultKind::ImpressionTracker, clip(adm));
    }
    if imp.is_secure {
        secure(adm, &trackers, verdict);
    }
    trackers
}

/// Which of the offered placements the bid is for.
fn slot<'a>(imp: &'a AskedImp, bid: &Bid<'_>, verdict: &mut Verdict<'_>) -> Option<&'a Slot> {
    let named = |slot: &&Slot| {
        let number = match slot {
            Slot::Banner(_) => 1,
            Slot::Video { .. } => 2,
            Slot::Audio { .. } => 3,
            Slot::Native(_) => 4,
        };
        bid.mtype == Some(number)
    };
    let found = imp.slots.iter().find(named);
    if found.is_none() {
        verdict.fault(FaultKind::MarkupType, format!("mtype {:?}", bid.mtype));
    }
    found
}

fn banner(sizes: &[(u32, u32)], bid: &Bid<'_>, adm: &str, verdict: &mut Verdict<'_>) -> Trackers {
    let size = bid.w.zip(bid.h);
    if !size.is_some_and(|size| sizes.contains(&size)) {
        verdict.fault(FaultKind::Size, format!("{size:?} of {sizes:?}"));
    }
    let start = adm.trim_start();
    if start.starts_with(['{', '[']) || start.starts_with("<VAST") || !start.contains('<') {
        verdict.fault(FaultKind::Markup, format!("no HTML: {}", clip(start)));
    }
    let pixels = tags(adm, "img").filter(|tag| is_pixel(tag));
    let sources = pixels.filter_map(|tag| attribute(tag, "src"));
    let mut impressions: Vec<String> = sources.map(Cow::into_owned).collect();
    for url in script_urls(adm).into_iter().filter(|url| is_tracker(url)) {
        if url.contains("&amp;") {
            let what = format!("a script does not resolve entities: {}", clip(url));
            verdict.fault(FaultKind::Markup, what);
        }
        impressions.push(url.to_owned());
    }
    Trackers {
        impressions,
        clicks: tags(adm, "a")
            .filter_map(|tag| attribute(tag, "href"))
            .map(Cow::into_owned)
            .collect(),
    }
}

/// An image of one by one, or one whose path says what it is for.
fn is_pixel(tag: &str) -> bool {
    let is_one = |name| attribute(tag, name).as_deref() == Some("1");
    let path_says = attribute(tag, "src").is_some_and(|src| is_tracker(&src));
    path_says || (is_one("width") && is_one("height"))
}

fn is_tracker(url: &str) -> bool {
    let path = url.split('?').next().unwrap_or_default();
    path.ends_with("/imp")
}

/// A secure page loads nothing over plain HTTP. Links may lead anywhere.
fn secure(adm: &str, trackers: &Trackers, verdict: &mut Verdict<'_>) {
    let loads = |tag: &str| {
        ["src", "poster", "data"]
            .iter()
            .find_map(|name| attribute(tag, name).map(Cow::into_owned))
            .filter(|url| url.starts_with(PLAIN))
    };
    // Most markup has it nowhere, so that no tag of it needs to be read. Trackers of native ads were written in JSON.
    let is_anywhere = memchr::memmem::find(adm.as_bytes(), PLAIN.as_bytes()).is_some();
    let found = ["img", "script", "iframe", "video", "source", "object"]
        .iter()
        .filter(|_| is_anywhere)
        .find_map(|name| tags(adm, name).find_map(loads))
        .or_else(|| {
            let mut impressions = trackers.impressions.iter();
            impressions.find(|url| url.starts_with(PLAIN)).cloned()
        });
    if let Some(url) = found {
        verdict.fault(FaultKind::Insecure, clip(&url));
    }
}
