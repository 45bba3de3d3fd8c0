//! Where campaigns are reached, and which of their processes came up.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use super::CampaignMessage;
use crate::supervision::Address;
use crate::units::CampaignKey;

/// Where campaigns are reached: made before the tree, filled by whoever starts their processes.
#[derive(Clone, Default)]
pub struct Directory {
    addresses: Arc<ArcSwap<HashMap<CampaignKey, Address<CampaignMessage>>>>,
    /// Whose processes came up since this was last taken: as many as there are campaigns at most.
    arrivals: Arc<Mutex<HashSet<CampaignKey>>>,
}

impl Directory {
    /// The address of a campaign that has a process.
    pub fn find(&self, campaign: CampaignKey) -> Option<Address<CampaignMessage>> {
        self.addresses.load().get(&campaign).cloned()
    }

    /// Replaces all addresses.
    pub fn replace(&self, addresses: HashMap<CampaignKey, Address<CampaignMessage>>) {
        self.addresses.store(Arc::new(addresses));
    }

    /// All addresses.
    pub fn all(&self) -> Arc<HashMap<CampaignKey, Address<CampaignMessage>>> {
        self.addresses.load_full()
    }

    /// The campaigns whose processes came up since this was asked last, also those that are gone again.
    pub fn take_arrivals(&self) -> HashSet<CampaignKey> {
        let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut arrivals)
    }

    pub(super) fn arrived(&self, campaign: CampaignKey) {
        let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        arrivals.insert(campaign);
    }
}
