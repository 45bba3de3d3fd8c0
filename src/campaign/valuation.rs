//! What an impression is worth to a campaign: its goal, raised and lowered by what is known of the request.
//!
//! ```text
//! base   = cpm, or cpc × the creative's click rate, less the margin
//! value  = base × every multiplier that applies, and no more than max_cpm
//! ```
//!
//! Prices here are media cost in the campaign's currency, as exchanges are bid; `cpc` alone is what the advertiser pays.
//! All is whole numbers, rounded down but for what is only a bound, so that nothing is paid that was not agreed.

#![deny(
    clippy::float_arithmetic,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

mod bound;
mod multiplier;

pub(super) use self::bound::greatest;
use self::multiplier::held;
pub use self::multiplier::{
    Applied, Conditions, Factor, FormatKind, MULTIPLIER_PER_MILLE_MAX, MULTIPLIER_PER_MILLE_MIN,
    MULTIPLIERS_MAX, Moment, Multiplier, VALUES_MAX,
};
use super::campaign::{Campaign, CampaignFault};
use super::click_rate::ClickRate;
use crate::units::{Cpm, Nanos};

/// What a campaign pays for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// Impressions: what it bids for a thousand before multipliers, as media cost.
    Cpm(Cpm),
    /// Clicks: what the advertiser pays for one on average, margin included.
    Cpc(Nanos),
}

impl Goal {
    /// Whether it is above nothing, and a price that may be sent.
    pub(super) fn may_be_sent(self) -> bool {
        match self {
            Self::Cpm(price) => price > Cpm::ZERO && price <= Cpm::MAX,
            Self::Cpc(click) => click.is_positive(),
        }
    }

    /// What it is called if it is not.
    pub(super) const fn fault(self) -> CampaignFault {
        match self {
            Self::Cpm(_) => CampaignFault::Price,
            Self::Cpc(_) => CampaignFault::Goal,
        }
    }
}

/// What an impression is worth, and how that came about. In the campaign's currency, as media cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worth {
    /// Before multipliers.
    pub base: Cpm,
    /// How often the creative is clicked, where clicks are bought.
    pub click_rate: Option<ClickRate>,
    /// The multipliers that applied.
    pub applied: Applied,
    /// Their product.
    pub factor: Factor,
    /// The highest CPM, where it is what counted.
    pub capped_at: Option<Cpm>,
    /// What is bid.
    pub value: Cpm,
}

impl Worth {
    /// Worth exactly this.
    pub const fn exactly(price: Cpm) -> Self {
        Self {
            base: price,
            click_rate: None,
            applied: Applied::NONE,
            factor: Factor::ONE,
            capped_at: None,
            value: price,
        }
    }
}

impl Campaign {
    /// Whether an impression is worth the same to it wherever it is, whatever it shows.
    pub fn is_plain(&self) -> bool {
        self.multipliers.is_empty() && matches!(self.goal, Goal::Cpm(_))
    }

    /// What an impression is worth to it.
    ///
    /// `click_rate` is that of the creative that would be shown; without one it is the least there is. `moment` is asked
    /// only of a campaign with multipliers.
    pub fn worth<'m>(
        &self,
        click_rate: Option<ClickRate>,
        moment: impl FnOnce() -> Moment<'m>,
    ) -> Worth {
        let click_rate = match self.goal {
            Goal::Cpm(_) => None,
            Goal::Cpc(_) => Some(click_rate.unwrap_or(ClickRate::MIN)),
        };
        let base = self.base(click_rate.unwrap_or(ClickRate::MIN));
        let (applied, factor) = if self.multipliers.is_empty() {
            (Applied::NONE, Factor::ONE)
        } else {
            Multiplier::all(&self.multipliers, &moment())
        };
        let raised = factor.times_down(base);
        let capped_at = self.max_cpm.filter(|most| raised > *most);
        Worth {
            base,
            click_rate,
            applied,
            factor,
            capped_at,
            value: capped_at.unwrap_or(raised),
        }
    }

    /// The most an impression can be worth to it, whatever the request says, with creatives that are clicked this often.
    pub fn worth_at_most(&self, click_rates: &[ClickRate]) -> Cpm {
        let best = click_rates.iter().max().copied();
        let base = self.base(best.unwrap_or(ClickRate::MAX));
        let raised = greatest(&self.multipliers).times_up(base);
        self.max_cpm.map_or(raised, |most| raised.min(most))
    }

    /// The highest price that it may ever bid in the open market, whatever is learnt.
    pub fn price_max(&self) -> Cpm {
        self.worth_at_most(&[ClickRate::MAX])
    }

    /// What an impression that is clicked this often is worth before multipliers.
    fn base(&self, click_rate: ClickRate) -> Cpm {
        const BILLION: i128 = 1_000_000_000;
        match self.goal {
            Goal::Cpm(price) => price,
            Goal::Cpc(click) => {
                // A cost of so many nanos an impression is a CPM of as many micros.
                let charge = i128::from(click.get()).saturating_mul(click_rate.billionths().into());
                let with_margin = i128::from(self.margin_per_mille).saturating_add(1_000);
                let divisor = with_margin.saturating_mul(BILLION);
                held(charge.saturating_mul(1_000).div_euclid(divisor))
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers written out")]
mod tests;
