//! Parts of `[traffic]` that most scenarios leave out: privacy signals, deals, packed bodies, recordings.

use std::path::PathBuf;

use serde::Deserialize;

use super::validate::Faults;
use super::{Deals, PrivacyShares};
use crate::replay::{Ids, Recording};

/// Deals that requests name where the scenario does not.
const DEAL_IDS: [&str; 4] = ["deal-1", "deal-2", "deal-3", "deal-4"];

/// Requests rendered ahead: 200 MB.
const PREPARED_MAX: u64 = 100_000;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawPrivacy {
    consented: f64,
    refused: f64,
    unasked: f64,
    us_opt_out: f64,
    gpp_opt_out: f64,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawDeals {
    share: f64,
    private_share: f64,
    ids: Option<Vec<String>>,
}

/// Where recorded requests are read from.
#[derive(Default)]
pub(super) struct RawRecording {
    pub(super) folder: Option<PathBuf>,
    pub(super) file: Option<PathBuf>,
    pub(super) fresh_ids: bool,
}

pub(super) fn privacy(faults: &mut Faults, raw: &RawPrivacy) -> PrivacyShares {
    let mut share = |name: &str, value| faults.share(&format!("traffic.privacy.{name}"), value);
    let shares = PrivacyShares {
        consented: share("consented", raw.consented),
        refused: share("refused", raw.refused),
        unasked: share("unasked", raw.unasked),
        us_opt_out: share("us_opt_out", raw.us_opt_out),
        gpp_opt_out: share("gpp_opt_out", raw.gpp_opt_out),
    };
    let sum =
        shares.consented + shares.refused + shares.unasked + shares.us_opt_out + shares.gpp_opt_out;
    // Sums of decimals are not exact.
    if sum > 1.0 + 1e-9 {
        faults.add("traffic.privacy", sum, "all shares together are at most 1");
    }
    shares
}

pub(super) fn deals(faults: &mut Faults, raw: RawDeals) -> Deals {
    let ids = raw
        .ids
        .unwrap_or_else(|| DEAL_IDS.map(str::to_owned).to_vec());
    if ids.is_empty() || ids.iter().any(String::is_empty) {
        faults.add("traffic.deals.ids", "[]", "name at least one, none empty");
    }
    Deals {
        share: faults.share("traffic.deals.share", raw.share),
        private_share: faults.share("traffic.deals.private_share", raw.private_share),
        ids,
    }
}

pub(super) fn prepared(faults: &mut Faults, count: u64) -> u64 {
    if count > PREPARED_MAX {
        faults.add(
            "traffic.prepared",
            count,
            "at most 100000, which all stay in memory",
        );
    }
    count.min(PREPARED_MAX)
}

/// The recorded requests; `None` where they are generated.
pub(super) fn recording(faults: &mut Faults, raw: RawRecording) -> Option<Recording> {
    let (key, path) = match (raw.folder, raw.file) {
        (None, None) => {
            if raw.fresh_ids {
                let advice =
                    "only with traffic.folder or traffic.file; generated ids are always fresh";
                faults.add("traffic.fresh_ids", true, advice);
            }
            return None;
        }
        (Some(folder), None) => ("traffic.folder", folder),
        (None, Some(file)) => ("traffic.file", file),
        (Some(folder), Some(_)) => {
            let advice = "name a folder or a file, not both";
            faults.add("traffic.folder", folder.display(), advice);
            return None;
        }
    };
    let ids = if raw.fresh_ids {
        Ids::Fresh
    } else {
        Ids::Recorded
    };
    let read = if key == "traffic.folder" {
        Recording::of_folder(&path, ids)
    } else {
        Recording::of_lines(&path, ids)
    };
    match read {
        Ok(recording) => Some(recording),
        Err(error) => {
            faults.add(key, path.display(), &error.to_string());
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::{Checks, Scenario};

    /// Steady with some lines put after others.
    fn read(changes: &[(&str, &str)]) -> Result<Scenario, String> {
        let mut text = crate::scenario::BUNDLED[0].1.to_owned();
        for (after, lines) in changes {
            assert!(text.contains(after));
            text = text.replacen(after, &format!("{after}\n{lines}\n"), 1);
        }
        Scenario::parse("x.toml", &text).map_err(|error| error.to_string())
    }

    #[test]
    fn what_steady_leaves_out_is_read() {
        let scenario = read(&[
            ("seed = 1", "checks = \"none\""),
            ("multi_imp = 1", "audio = 2\npod = 3"),
            (
                "[traffic]",
                "gzip_share = 0.5\nprepared = 64\ndeals = { share = 0.3, ids = [\"d\"] }\nprivacy = { consented = 0.4 }",
            ),
        ])
        .unwrap();
        let traffic = &scenario.traffic;
        assert_eq!((scenario.checks, traffic.prepared), (Checks::None, 64));
        assert_eq!(traffic.deals.ids, ["d"]);
        for (found, wanted) in [
            (traffic.gzip_share, 0.5),
            (traffic.media.audio, 2.0),
            (traffic.media.pod, 3.0),
            (traffic.deals.share, 0.3),
            (traffic.privacy.consented, 0.4),
        ] {
            assert!((found - wanted).abs() < 1e-9);
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_key() {
        for (lines, part) in [
            (
                "privacy = { consented = 0.7, unasked = 0.7 }",
                "traffic.privacy",
            ),
            ("deals = { share = 0.3, ids = [] }", "traffic.deals.ids"),
            ("prepared = 100001", "traffic.prepared"),
            ("gzip_share = 2.0", "traffic.gzip_share"),
            ("fresh_ids = true", "traffic.fresh_ids"),
            ("folder = \"/nowhere\"", "traffic.folder"),
            ("folder = \"a\"\nfile = \"b\"", "not both"),
            ("file = \"nowhere.jsonl\"", "nowhere.jsonl"),
        ] {
            let error = read(&[("[traffic]", lines)]).unwrap_err();
            assert!(error.contains(part), "{part} in {error}");
        }
        let replayed = "[arrivals]\nkind = \"replay\"\n";
        let text = format!("{}\n{replayed}", crate::scenario::BUNDLED[0].1);
        let error = Scenario::parse("x.toml", &text).unwrap_err().to_string();
        assert!(
            error.contains("arrivals.kind") && error.contains("traffic.folder"),
            "{error}"
        );
    }
}
