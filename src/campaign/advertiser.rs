//! Who pays for campaigns, what exchanges block them by (domains and categories), and what their campaigns share: a
//! budget and a cap.

use std::sync::Arc;

use super::budget::SharedBudget;
use super::campaign::FrequencyCap;
use super::targeting::{Category, Classified, Domain, InventoryList};
use crate::units::{AdvertiserKey, Currency, ExchangeKey};

/// An advertiser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advertiser {
    /// Its id in the configuration.
    pub id: Arc<str>,
    /// The key of its id.
    pub key: AdvertiserKey,
    /// Domains of its landing pages, the main one first: `Bid.adomain`, and what `badv` is compared with.
    pub domains: Vec<Domain>,
    /// What it is about: `Bid.cat`, and what `bcat` is compared with, for creatives without categories of their own.
    pub categories: Vec<Category>,
    /// The same in other taxonomies.
    pub classified: Vec<Classified>,
    /// The currency of its campaigns that name none.
    pub currency: Currency,
    /// Where its ads may run, whatever its campaigns say; anywhere if empty.
    pub allowed: InventoryList,
    /// Where they may not.
    pub blocked: InventoryList,
    /// Its seats where it has one of its own: `SeatBid.seat`, and what `wseat` and `bseat` are compared with.
    pub seats: Vec<(ExchangeKey, Arc<str>)>,
    /// What its campaigns may charge together, in its currency.
    pub budget: SharedBudget,
    /// How often one person may see ads of it, whatever the campaign.
    pub cap: Option<FrequencyCap>,
    /// Who is behind its ads, for where the Digital Services Act wants that said.
    pub transparency: Option<Transparency>,
}

/// Who is behind an ad, and why it is shown (the IAB's extension `dsa` of a bid).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transparency {
    /// On whose behalf it is shown.
    pub behalf: Arc<str>,
    /// Who paid for it.
    pub paid: Arc<str>,
    /// Whether its markup shows that, for publishers that cannot.
    pub renders: bool,
    /// Which parameters choose who sees it, by the platform that applies them.
    pub parameters: Vec<(Domain, u64)>,
}

impl Advertiser {
    /// Whether its ads may run on this site, or in this app.
    pub fn runs_in(&self, site: Option<&str>, app: Option<&str>) -> bool {
        let allowed = self.allowed.is_empty() || self.allowed.contains(site, app);
        allowed && !self.blocked.contains(site, app)
    }

    /// The seat that its bids are made from on an exchange: its own, or the one that all others share.
    pub fn seat_or<'s>(
        &'s self,
        exchange: ExchangeKey,
        shared: Option<&'s str>,
    ) -> Option<&'s str> {
        let own = self.seats.iter().find(|(place, _)| *place == exchange);
        own.map(|(_, seat)| &**seat).or(shared)
    }
}
