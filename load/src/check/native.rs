//! Native markup: JSON that answers every required asset with what was asked.

use serde_json::Value;

use super::markup::Trackers;
use super::text::clip;
use super::{FaultKind, Verdict};
use crate::traffic::{Asset, AssetKind};

/// Judges a native ad.
pub(super) fn judge(assets: &[Asset], adm: &str, verdict: &mut Verdict<'_>) -> Trackers {
    let root: Value = match serde_json::from_str(adm) {
        Ok(root) => root,
        Err(error) => {
            verdict.fault(FaultKind::Native, format!("{error}: {}", clip(adm)));
            return Trackers::default();
        }
    };
    // 1.0 wrapped everything in "native"; some exchanges still want that.
    let ad = root.get("native").unwrap_or(&root);
    let answered = list(ad, "assets");
    for asset in assets {
        let found = answered
            .iter()
            .find(|answer| answer.get("id").and_then(Value::as_u64) == Some(u64::from(asset.id)));
        match found {
            Some(answer) => {
                if let Some(what) = mismatch(asset.kind, answer) {
                    verdict.fault(FaultKind::Native, format!("asset {}: {what}", asset.id));
                }
            }
            None if asset.is_required => {
                verdict.fault(FaultKind::Native, format!("asset {} missing", asset.id));
            }
            None => {}
        }
    }
    for answer in answered {
        let id = answer.get("id").and_then(Value::as_u64);
        if !assets.iter().any(|asset| Some(u64::from(asset.id)) == id) {
            verdict.fault(FaultKind::Native, format!("asset {id:?} was not asked"));
        }
    }
    let link = ad.get("link");
    let target = link.and_then(|link| text(link, "url")).unwrap_or_default();
    if target.is_empty() {
        verdict.fault(FaultKind::Native, "no link");
    }
    trackers(ad)
}

fn mismatch(kind: AssetKind, answer: &Value) -> Option<String> {
    match kind {
        AssetKind::Title(longest) => {
            let title = answer.get("title").and_then(|title| text(title, "text"));
            length(title.as_deref(), longest)
        }
        AssetKind::Text(_, longest) => {
            let value = answer.get("data").and_then(|data| text(data, "value"));
            length(value.as_deref(), longest)
        }
        AssetKind::Image(_, wmin, hmin) => {
            let Some(image) = answer.get("img") else {
                return Some(format!("no image: {answer}"));
            };
            let url = text(image, "url").unwrap_or_default();
            if !url.starts_with("http") {
                return Some(format!("no image: {answer}"));
            }
            let side = |name| image.get(name).and_then(Value::as_u64);
            let is_small =
                |name, least: u32| side(name).is_some_and(|side| side < u64::from(least));
            (is_small("w", wmin) || is_small("h", hmin))
                .then(|| format!("smaller than {wmin}x{hmin}"))
        }
    }
}

fn length(found: Option<&str>, longest: u32) -> Option<String> {
    match found.map(|text| text.chars().count()) {
        None | Some(0) => Some("no text".to_owned()),
        Some(count) => u32::try_from(count)
            .map_or(true, |count| count > longest)
            .then(|| format!("{count} characters of {longest}")),
    }
}

fn trackers(ad: &Value) -> Trackers {
    let mut found = Trackers::default();
    let as_text = |value: &Value| value.as_str().map(str::to_owned);
    found
        .impressions
        .extend(list(ad, "imptrackers").iter().filter_map(as_text));
    for tracker in list(ad, "eventtrackers") {
        let is = |name, number| tracker.get(name).and_then(Value::as_u64) == Some(number);
        if is("event", 1) && is("method", 1) {
            found.impressions.extend(text(tracker, "url"));
        }
    }
    if let Some(link) = ad.get("link") {
        found
            .clicks
            .extend(list(link, "clicktrackers").iter().filter_map(as_text));
    }
    found
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().map(str::to_owned)
}
