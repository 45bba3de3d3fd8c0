//! Campaigns: the model that operators fill in, and the catalogue that finds the ones a request may be offered.
//!
//! The model is plain values without a trace of the format they were read from. The catalogue is an immutable snapshot
//! of them, ordered by falling value, with an index that finds candidates without looking at the rest.
//!
//! | where | what |
//! |---|---|
//! | `campaign`, `advertiser`, `creative`, `deal`, `targeting` | what operators say |
//! | `budget`, `rates` | what it may cost, and when |
//! | `valuation`, `click_rate`, `click_rates` | what an impression is worth |
//! | `approval`, `approval_book`, `own_segments` | what is known besides: of creatives on exchanges, of people |
//! | `catalogue`, `slots` | the snapshot with its index, and where campaigns stand in tables |
//! | `*_server`, `orphans` | the processes, and what those that are gone have left |

mod advertiser;
mod approval;
pub mod approval_book;
pub mod approval_server;
pub mod budget;
#[expect(
    clippy::module_inception,
    reason = "the folder is named for what this file holds"
)]
mod campaign;
pub mod campaign_server;
mod catalogue;
mod catalogue_server;
mod click_rate;
pub mod click_rate_server;
mod click_rates;
mod creative;
mod deal;
#[cfg(test)]
pub(crate) mod fixture;
mod orphans;
mod own_segments;
mod rates;
pub mod roster_server;
mod slots;
pub mod stock_server;
mod targeting;
mod valuation;

pub use advertiser::{Advertiser, Transparency};
pub use approval::{Approval, Approvals, Barred};
pub use approval_server::approvals;
pub use campaign::{
    CAP_WINDOW_MAX, CREATIVES_MAX, Campaign, CampaignFault, FrequencyCap, MARGIN_PER_MILLE_MAX,
    Pacing, Reach,
};
pub use catalogue::{
    Candidates, Catalogue, Exclusion, LeftOut, MoreSegments, OFFERED_DEALS_MAX, Offer, Query, Rank,
    SHAPES_MAX, Terms, Through, WhyLeftOut,
};
pub use catalogue_server::{CatalogueStage, Shelf, catalogue};
pub use click_rate::{ClickRate, Prior, Priors, Seen};
pub use click_rate_server::click_rates;
pub use click_rates::{CREATIVES_SEEN_MAX, ClickRates, ClickTally, TallyError};
pub use creative::{
    Banner, BannerKind, Companion, Creative, Format, MediaFile, Native, NativeImage, NativeText,
    Shape, Size, Spot, SpotSource, StaticImage, Verification, Wrapper,
};
pub use deal::{CAMPAIGN_DEALS_MAX, DEAL_ID_BYTES_MAX, Deal, Market};
pub(crate) use own_segments::grow;
pub use own_segments::{MEMBERSHIPS_MAX, OWN_SEGMENTS_MAX, OwnSegments};
pub use rates::Rates;
pub use roster_server::roster;
pub use slots::{SLOTS_MAX, SlotTable};
pub use stock_server::stock;
pub use targeting::{
    BUNDLE_LEN_MAX, Bundle, CONTENT_1_0, Category, CategoryPath, CategorySet, Classified, Country,
    DOMAIN_LEN_MAX, DeviceType, Domain, HOURS_OF_WEEK, HourOfWeek, HoursOfWeek, InventoryList,
    Language, Lists, Os, Targeting, ancestry, is_within,
};
pub use valuation::{
    Applied, Conditions, Factor, FormatKind, Goal, MULTIPLIER_PER_MILLE_MAX,
    MULTIPLIER_PER_MILLE_MIN, MULTIPLIERS_MAX, Moment, Multiplier, VALUES_MAX, Worth,
};
