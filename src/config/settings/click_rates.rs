//! The `[click_rates]` of `bidtree.toml`: what is believed of a creative before anything was seen of it.

use std::ops::RangeInclusive;

use crate::campaign::{Prior, Priors};
use crate::config::keys;
use crate::config::reader::Reader;

/// A prior of more would never be outweighed by what a creative shows in a fortnight.
const IMPRESSIONS: RangeInclusive<i64> = 2..=10_000_000;

/// The priors of all formats.
pub(super) fn read(top: &mut Reader<'_>) -> Priors {
    let mut reader = top.section("click_rates", &[keys::CLICK_RATES]);
    let usual = Priors::default();
    Priors {
        banner: prior(&mut reader, "banner", usual.banner),
        video: prior(&mut reader, "video", usual.video),
        audio: prior(&mut reader, "audio", usual.audio),
        native: prior(&mut reader, "native", usual.native),
    }
}

/// `{ prior_clicks = 2, prior_impressions = 2000 }`; what is not said is as in `usual`.
fn prior(parent: &mut Reader<'_>, key: &'static str, usual: Prior) -> Prior {
    let mut reader = parent.section(key, &[keys::PRIOR]);
    let clicks = reader.whole("prior_clicks", &(1..=*IMPRESSIONS.end()));
    let impressions = reader.whole("prior_impressions", &IMPRESSIONS);
    let prior = Prior {
        clicks: clicks.unwrap_or(usual.clicks),
        impressions: impressions.unwrap_or(usual.impressions),
    };
    if prior.clicks > prior.impressions / 2 {
        reader.fault(
            "prior_clicks",
            "must be at most half of prior_impressions: nothing is clicked more often",
        );
    }
    prior
}
