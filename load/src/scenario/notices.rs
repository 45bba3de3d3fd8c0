//! `[notices]`: what is reported back, and how unreliably.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use serde::Deserialize;

use super::validate::Faults;
use crate::notices::PriceKeys;

/// What is reported back, and how unreliably. A pair is a shortest and a longest delay in ms.
#[derive(Clone, Debug)]
pub struct Notices {
    /// From the end of an auction to its win and loss notices.
    pub win_delay_ms: (u64, u64),
    /// From the win notice to the billing notice and the impression.
    pub billing_delay_ms: (u64, u64),
    /// The share of bills that come much later.
    pub late_share: f64,
    /// How much later.
    pub late_ms: u64,
    /// The share of bills that come later than any bidder waits for.
    pub very_late_share: f64,
    /// How much later.
    pub very_late_ms: u64,
    /// The share of wins that are reported only after their bill.
    pub billing_first_share: f64,
    /// The share of impressions that are reported before their billing notice.
    pub impression_first_share: f64,
    /// The share of notices sent twice.
    pub duplicate_share: f64,
    /// The share of notices never sent.
    pub lost_share: f64,
    /// The share of bids of which somebody sends a bill with an altered token.
    pub forged_share: f64,
    /// The share of impressions that are clicked.
    pub click_share: f64,
    /// How often a notice without a 2xx is sent again.
    pub retries: u32,
    /// After how long, in ms.
    pub retry_ms: u64,
    /// How many may be in flight on one connection (pipelining).
    pub pipelined: usize,
    /// The keys with which an exchange, by its name, encrypts prices; the others send them plainly.
    pub price_keys: BTreeMap<String, PriceKeys>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawNotices {
    win_delay_ms: (u64, u64),
    billing_delay_ms: (u64, u64),
    late_share: f64,
    late_ms: u64,
    #[serde(default)]
    very_late_share: f64,
    #[serde(default)]
    very_late_ms: u64,
    #[serde(default)]
    billing_first_share: f64,
    #[serde(default)]
    impression_first_share: f64,
    duplicate_share: f64,
    lost_share: f64,
    #[serde(default)]
    forged_share: f64,
    click_share: f64,
    retries: u32,
    retry_ms: u64,
    /// None unless a scenario asks for it: exchanges wait for each answer.
    #[serde(default)]
    pipelined: Option<NonZeroUsize>,
    #[serde(default)]
    price_keys: BTreeMap<String, RawPriceKeys>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPriceKeys {
    encryption: String,
    integrity: String,
}

pub(super) fn notices(faults: &mut Faults, raw: RawNotices) -> Notices {
    let price_keys = price_keys(faults, raw.price_keys);
    let mut share = |name: &str, value| faults.share(&format!("notices.{name}"), value);
    Notices {
        late_share: share("late_share", raw.late_share),
        late_ms: raw.late_ms,
        very_late_share: share("very_late_share", raw.very_late_share),
        very_late_ms: raw.very_late_ms,
        billing_first_share: share("billing_first_share", raw.billing_first_share),
        impression_first_share: share("impression_first_share", raw.impression_first_share),
        duplicate_share: share("duplicate_share", raw.duplicate_share),
        lost_share: share("lost_share", raw.lost_share),
        forged_share: share("forged_share", raw.forged_share),
        click_share: share("click_share", raw.click_share),
        win_delay_ms: faults.between("notices.win_delay_ms", raw.win_delay_ms),
        billing_delay_ms: faults.between("notices.billing_delay_ms", raw.billing_delay_ms),
        retries: raw.retries,
        retry_ms: raw.retry_ms,
        pipelined: raw.pipelined.map_or(1, NonZeroUsize::get),
        price_keys,
    }
}

fn price_keys(
    faults: &mut Faults,
    raw: BTreeMap<String, RawPriceKeys>,
) -> BTreeMap<String, PriceKeys> {
    let mut all = BTreeMap::new();
    for (exchange, keys) in raw {
        match PriceKeys::parse(&keys.encryption, &keys.integrity) {
            Some(keys) => drop(all.insert(exchange, keys)),
            // A key is a secret: it is not repeated.
            None => faults.add(
                &format!("notices.price_keys.{exchange}"),
                "…",
                "two keys in base64, of 16 to 64 bytes each",
            ),
        }
    }
    all
}
