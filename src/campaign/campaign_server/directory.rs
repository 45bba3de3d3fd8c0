//! Where campaigns are reached, and which of their processes came up.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use super::CampaignMessage;
use crate::campaign::Campaign;
use crate::supervision::Address;
use crate::units::CampaignKey;

/// Where campaigns are reached: made before the tree, filled by whoever starts their processes.
#[derive(Clone, Default)]
pub struct Directory {
    places: Arc<ArcSwap<HashMap<CampaignKey, Place>>>,
    /// Whose processes came up since this was last taken: as many as there are campaigns at most.
    arrivals: Arc<Mutex<HashSet<CampaignKey>>>,
}

/// A campaign's place, the same over every restart of its process.
#[derive(Clone)]
pub struct Place {
    /// Where the process is reached.
    pub address: Address<CampaignMessage>,
    /// What it is by the newest configuration: one that was down while that was read begins with it.
    pub newest: Arc<ArcSwap<Campaign>>,
}

impl Place {
    /// A place with nobody in it yet.
    pub fn new(campaign: &Arc<Campaign>) -> Self {
        Self {
            address: Address::new(),
            newest: Arc::new(ArcSwap::new(Arc::clone(campaign))),
        }
    }
}

impl Directory {
    /// The address of a campaign that has a process.
    pub fn find(&self, campaign: CampaignKey) -> Option<Address<CampaignMessage>> {
        let places = self.places.load();
        places.get(&campaign).map(|place| place.address.clone())
    }

    /// Replaces all places.
    pub fn replace(&self, places: HashMap<CampaignKey, Place>) {
        self.places.store(Arc::new(places));
    }

    /// All places.
    pub fn all(&self) -> Arc<HashMap<CampaignKey, Place>> {
        self.places.load_full()
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
