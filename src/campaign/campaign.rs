//! A campaign: what it buys, for whom, at what price, within which limits.
//!
//! Its fields' own types keep each value valid; [`Campaign::faults`] says what is wrong between them, for whoever reads
//! campaigns from outside to report. The catalogue leaves a faulty campaign out.
//! Not here: how much of the budget is left and where (its process), how fast it is spent (the regions).

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::advertiser::Advertiser;
use super::creative::{Creative, Format};
use super::deal::{CAMPAIGN_DEALS_MAX, Deal, Market};
use super::targeting::Targeting;
use super::valuation::{Goal, MULTIPLIERS_MAX, Multiplier};
use crate::units::{CampaignKey, Cpm, Currency, ExchangeKey, Nanos, RegionKey, UnixMillis};

/// The largest margin: ten times the cost. More is a slip of the pen.
pub const MARGIN_PER_MILLE_MAX: u32 = 10_000;
/// The longest window of a frequency cap: exact tables of what everyone saw are kept in memory this long.
pub const CAP_WINDOW_MAX: Duration = Duration::from_hours(30 * 24);
/// Creatives of one campaign: each impression may look at all of them.
pub const CREATIVES_MAX: usize = 64;

/// One campaign.
#[derive(Clone, Debug, PartialEq)]
pub struct Campaign {
    /// Its id in the configuration: `Bid.cid`.
    pub id: Arc<str>,
    /// The key of its id.
    pub key: CampaignKey,
    /// Who pays.
    pub advertiser: Arc<Advertiser>,
    /// The currency of its prices and its budgets.
    pub currency: Currency,
    /// What it pays for.
    pub goal: Goal,
    /// The highest it bids: media cost as a CPM, in its currency. Who buys clicks must say it.
    pub max_cpm: Option<Cpm>,
    /// What raises and lowers its value.
    pub multipliers: Vec<Multiplier>,
    /// What is added to the media cost to make the charge, in thousandths.
    pub margin_per_mille: u32,
    /// The regions it spends in.
    pub regions: Reach<RegionKey>,
    /// The exchanges it buys from.
    pub exchanges: Reach<ExchangeKey>,
    /// Whether it buys in open auctions, too.
    pub market: Market,
    /// The deals it may bid on.
    pub deals: Vec<Deal>,
    /// The requests it wants.
    pub targeting: Targeting,
    /// How often one person may see it.
    pub cap: Option<FrequencyCap>,
    /// What it may charge in one day of its time zone.
    pub budget_daily: Nanos,
    /// What it may charge in all.
    pub budget_total: Option<Nanos>,
    /// When it begins, inclusive.
    pub starts_at: Option<UnixMillis>,
    /// When it ends, exclusive.
    pub ends_at: Option<UnixMillis>,
    /// The zone of its days and hours.
    pub time_zone: TimeZone,
    /// How its budget is spread over a day.
    pub pacing: Pacing,
    /// What it shows.
    pub creatives: Vec<Creative>,
    /// Whether it may bid at all.
    pub active: bool,
}

/// Everywhere, or only in some places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach<K> {
    /// Everywhere, also where nobody has named yet.
    All,
    /// Only here.
    Only(Vec<K>),
}

/// At most this many impressions for one person in any window of this length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrequencyCap {
    /// Impressions, above zero.
    pub impressions: u32,
    /// The window that rolls.
    pub window: Duration,
}

/// How a budget is spread over a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pacing {
    /// Evenly over the day, following the plan.
    Even,
    /// As soon as possible.
    Asap,
}

/// What is wrong with a campaign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CampaignFault {
    /// A price of nothing, below it, or more than is ever sent.
    #[error("price must be above 0 and at most {max}", max = Cpm::MAX)]
    Price,
    /// A click for nothing, or less.
    #[error("what a click costs must be above 0")]
    Goal,
    /// A highest price that makes no sense.
    #[error("highest price {what}")]
    MaxCpm {
        /// What is wrong with it.
        what: &'static str,
    },
    /// More multipliers than are asked.
    #[error("needs at most {MULTIPLIERS_MAX} multipliers")]
    Multipliers,
    /// A multiplier that is none.
    #[error("multiplier {number}: {what}", number = place + 1)]
    Multiplier {
        /// Its place among the campaign's.
        place: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Too large a margin.
    #[error("margin must be at most {} per cent", MARGIN_PER_MILLE_MAX / 10)]
    Margin,
    /// A daily budget of nothing or below.
    #[error("daily budget must be above 0")]
    BudgetDaily,
    /// A total budget of nothing or below.
    #[error("total budget must be above 0")]
    BudgetTotal,
    /// A cap that would never let anyone see it, or a window of no length, or too long.
    #[error("frequency cap needs at least 1 impression in a window above 0 and of at most 30 days")]
    Cap,
    /// An end that is not after the beginning.
    #[error("flight must end after it starts")]
    Flight,
    /// No hour of the week.
    #[error("targeting leaves no hour of the week")]
    Hours,
    /// No region or no exchange.
    #[error("{what} must name at least one, or be left out")]
    Reach {
        /// Which list.
        what: &'static str,
    },
    /// Nothing to show, or too much.
    #[error("needs 1 to {CREATIVES_MAX} creatives")]
    Creatives,
    /// Only deals, and none; or too many.
    #[error("needs 1 to {CAMPAIGN_DEALS_MAX} deals, or open_market = true")]
    Deals,
    /// A deal that could never be bid on.
    #[error("deal {deal}: {what}")]
    Deal {
        /// Its id.
        deal: Arc<str>,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A currency that an advertiser's budget cannot be counted in.
    #[error(
        "is not {currency}, in which advertiser {advertiser} has a budget for all its campaigns; use that, or take the budget out"
    )]
    SharedCurrency {
        /// Whose budget.
        advertiser: Arc<str>,
        /// What it is in.
        currency: Currency,
    },
    /// An advertiser that exchanges could not check.
    #[error("advertiser {advertiser} has no domain")]
    NoDomain {
        /// Its id.
        advertiser: Arc<str>,
    },
    /// A creative that could never be shown.
    #[error("creative {creative}: {what}")]
    Creative {
        /// Its id.
        creative: Arc<str>,
        /// What is missing.
        what: &'static str,
    },
}

impl FrequencyCap {
    /// Whether it lets anybody see anything, in a window that is remembered.
    pub fn holds(self) -> bool {
        self.impressions > 0 && !self.window.is_zero() && self.window <= CAP_WINDOW_MAX
    }
}

impl<K: PartialEq> Reach<K> {
    /// Whether this place is reached.
    pub fn includes(&self, place: &K) -> bool {
        match self {
            Self::All => true,
            Self::Only(places) => places.contains(place),
        }
    }

    fn is_nowhere(&self) -> bool {
        matches!(self, Self::Only(places) if places.is_empty())
    }
}

impl Campaign {
    /// Everything that is wrong; a campaign may be offered if this is empty.
    pub fn faults(&self) -> Vec<CampaignFault> {
        let cap_holds = self.cap.is_none_or(FrequencyCap::holds);
        let flight_holds = match (self.starts_at, self.ends_at) {
            (Some(start), Some(end)) => start < end,
            _ => true,
        };
        let no_domain = CampaignFault::NoDomain {
            advertiser: Arc::clone(&self.advertiser.id),
        };
        let counts_there =
            !self.advertiser.budget.is_limited() || self.currency == self.advertiser.currency;
        let shared_currency = CampaignFault::SharedCurrency {
            advertiser: Arc::clone(&self.advertiser.id),
            currency: self.advertiser.currency,
        };
        let reach = |what| CampaignFault::Reach { what };
        let deals_hold = self.deals.len() <= CAMPAIGN_DEALS_MAX
            && (self.market == Market::Open || !self.deals.is_empty());
        let mut faults: Vec<CampaignFault> = [
            (self.goal.may_be_sent(), self.goal.fault()),
            (
                self.multipliers.len() <= MULTIPLIERS_MAX,
                CampaignFault::Multipliers,
            ),
            (
                self.margin_per_mille <= MARGIN_PER_MILLE_MAX,
                CampaignFault::Margin,
            ),
            (self.budget_daily.is_positive(), CampaignFault::BudgetDaily),
            (
                self.budget_total.is_none_or(Nanos::is_positive),
                CampaignFault::BudgetTotal,
            ),
            (cap_holds, CampaignFault::Cap),
            (flight_holds, CampaignFault::Flight),
            (!self.targeting.hours.is_empty(), CampaignFault::Hours),
            (!self.regions.is_nowhere(), reach("regions")),
            (!self.exchanges.is_nowhere(), reach("exchanges")),
            (
                (1..=CREATIVES_MAX).contains(&self.creatives.len()),
                CampaignFault::Creatives,
            ),
            (!self.advertiser.domains.is_empty(), no_domain),
            (deals_hold, CampaignFault::Deals),
            (counts_there, shared_currency),
        ]
        .into_iter()
        .filter_map(|(holds, fault)| (!holds).then_some(fault))
        .collect();
        faults.extend(self.creatives.iter().filter_map(creative_fault));
        faults.extend(self.deal_faults());
        faults.extend(
            self.max_cpm_fault()
                .map(|what| CampaignFault::MaxCpm { what }),
        );
        let multipliers = self.multipliers.iter().enumerate();
        faults.extend(multipliers.filter_map(|(place, multiplier)| {
            let what = multiplier.fault()?;
            Some(CampaignFault::Multiplier { place, what })
        }));
        faults
    }

    fn max_cpm_fault(&self) -> Option<&'static str> {
        match (self.max_cpm, self.goal) {
            (None, Goal::Cpc(_)) => {
                Some("is missing; who buys clicks must say what an impression may cost at most")
            }
            (Some(most), _) if most <= Cpm::ZERO || most > Cpm::MAX => {
                Some("must be above 0, and no more than is ever sent")
            }
            (Some(most), Goal::Cpm(price)) if most < price => {
                Some("is below the price, which would never be bid; lower the price")
            }
            (None, Goal::Cpm(_)) | (Some(_), _) => None,
        }
    }

    fn deal_faults(&self) -> impl Iterator<Item = CampaignFault> + '_ {
        self.deals.iter().enumerate().filter_map(|(place, deal)| {
            let same = |other: &Deal| other.id == deal.id && other.exchange == deal.exchange;
            let what = if self.deals.iter().take(place).any(same) {
                "is there twice for one exchange; leave one"
            } else if deal
                .price
                .is_some_and(|price| price <= Cpm::ZERO || price > Cpm::MAX)
            {
                "its price must be above 0, and no more than is ever sent"
            } else if deal.price > self.max_cpm && self.max_cpm.is_some() {
                "its price is above the campaign's highest"
            } else if !self.exchanges.includes(&deal.exchange) {
                "its exchange is not among the campaign's exchanges"
            } else {
                return None;
            };
            Some(CampaignFault::Deal {
                deal: Arc::clone(&deal.id),
                what,
            })
        })
    }

    /// Whether it counts who has seen it, for itself or for its advertiser: then it is shown to nobody whom it cannot
    /// recognise.
    pub fn is_capped(&self) -> bool {
        self.cap.is_some() || self.advertiser.cap.is_some()
    }

    /// What the advertiser pays for media of this cost, in the campaign's currency; `None` where it does not fit.
    pub fn charge(&self, cost: Nanos) -> Option<Nanos> {
        cost.with_margin(self.margin_per_mille)
    }

    /// Whether its flight covers this time.
    pub fn is_in_flight(&self, now: UnixMillis) -> bool {
        self.starts_at.is_none_or(|start| start <= now) && self.ends_at.is_none_or(|end| now < end)
    }
}

fn creative_fault(creative: &Creative) -> Option<CampaignFault> {
    let what = match &creative.format {
        Format::Banner(banner) if banner.size.w == 0 || banner.size.h == 0 => "has no size",
        Format::Banner(banner) if banner.html.trim().is_empty() => "has no markup",
        Format::Video(spot) | Format::Audio(spot) => spot.fault()?,
        Format::Native(native) if native.title.is_empty() => "has no title",
        Format::Banner(_) | Format::Native(_) => return None,
    };
    Some(CampaignFault::Creative {
        creative: Arc::clone(&creative.id),
        what,
    })
}
