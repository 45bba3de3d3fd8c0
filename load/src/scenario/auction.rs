//! `[auction]`: how auctions end.

use serde::Deserialize;

use super::validate::Faults;
use crate::decimal::Micros;

/// How auctions end.
#[derive(Clone, Debug)]
pub struct Auction {
    /// The median of the competitors' best price, a CPM in USD.
    pub competitor_median: Micros,
    /// The deviation of its logarithm.
    pub competitor_spread: f64,
    /// The share of auctions without a competitor.
    pub uncontested_share: f64,
    /// The share of auctions that the bidder wins, whatever it bids. Without it, prices decide.
    pub win_share: Option<f64>,
    /// The share of auctions in which the competitor has a deal: it beats every open bid.
    pub deal_competitor_share: f64,
    /// The share of winning bids whose creative the exchange refuses.
    pub filtered_share: f64,
    /// Loss codes of these refusals, each as likely; at least one.
    pub filtered_codes: Vec<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAuction {
    competitor_median: String,
    competitor_spread: f64,
    uncontested_share: f64,
    win_share: Option<f64>,
    #[serde(default)]
    deal_competitor_share: f64,
    #[serde(default)]
    filtered_share: f64,
    #[serde(default = "disapproved")]
    filtered_codes: Vec<u32>,
}

/// Creative disapproved.
fn disapproved() -> Vec<u32> {
    vec![202]
}

pub(super) fn auction(faults: &mut Faults, raw: RawAuction) -> Auction {
    let is_code = |code: &u32| (200..300).contains(code);
    if raw.filtered_codes.is_empty() || !raw.filtered_codes.iter().all(is_code) {
        faults.add(
            "auction.filtered_codes",
            format!("{:?}", raw.filtered_codes),
            "loss codes from 200 to 299",
        );
    }
    Auction {
        competitor_median: faults.price("auction.competitor_median", &raw.competitor_median),
        competitor_spread: faults.weight("auction.competitor_spread", raw.competitor_spread),
        uncontested_share: faults.share("auction.uncontested_share", raw.uncontested_share),
        win_share: faults.share_option("auction.win_share", raw.win_share),
        deal_competitor_share: faults
            .share("auction.deal_competitor_share", raw.deal_competitor_share),
        filtered_share: faults.share("auction.filtered_share", raw.filtered_share),
        filtered_codes: raw.filtered_codes,
    }
}
