//! Parts of `[traffic]` that most scenarios leave out: privacy signals, deals, packed bodies, recordings.

use std::path::PathBuf;

use serde::Deserialize;

use super::validate::Faults;
use super::{Deals, PrivacyShares};
use crate::replay::{Ids, Recording};

/// Deals that requests name where the scenario does not.
const DEAL_IDS: [&str; 4] = ["deal-1", "deal-2", "deal-3", "deal-4"];

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
