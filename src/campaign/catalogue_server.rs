//! The catalogue as a child: the shelf on which the current snapshot lies, and the stage through which bids reach it.

use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

use super::Campaign;
use super::approval::Approvals;
use super::catalogue::{Catalogue, LeftOut};
use super::rates::Rates;
use super::slots::SlotTable;
use crate::supervision::{Reaper, Spec, Stage, stage};
use crate::units::{Monotonic, UnixMillis};

/// Where bids find the catalogue.
pub type CatalogueStage = Stage<Arc<Shelf>>;

/// Holds the current snapshot, and the slots that outlive it. Made before the tree: a crash of the child that serves it
/// loses neither.
pub struct Shelf {
    current: ArcSwap<Catalogue>,
    campaigns: ArcSwap<Vec<Arc<Campaign>>>,
    slots: Mutex<SlotTable>,
    rates: Rates,
    approvals: ArcSwap<Approvals>,
}

impl Shelf {
    /// A shelf with the catalogue of these campaigns, and those that were left out.
    pub fn new(
        campaigns: Vec<Arc<Campaign>>,
        mut slots: SlotTable,
        rates: Rates,
        (now, wall): (Monotonic, UnixMillis),
    ) -> (Self, Vec<LeftOut>) {
        let approvals = Approvals::default();
        let terms = (&rates, &approvals);
        let (catalogue, left_out) = build(&campaigns, &mut slots, terms, (now, wall));
        let shelf = Self {
            current: ArcSwap::from_pointee(catalogue),
            campaigns: ArcSwap::from_pointee(campaigns),
            slots: Mutex::new(slots),
            rates,
            approvals: ArcSwap::from_pointee(approvals),
        };
        (shelf, left_out)
    }

    /// The current snapshot.
    pub fn current(&self) -> Arc<Catalogue> {
        self.current.load_full()
    }

    /// All campaigns of the configuration, also those that are not offered.
    pub fn campaigns(&self) -> Arc<Vec<Arc<Campaign>>> {
        self.campaigns.load_full()
    }

    /// What exchanges think of creatives, for the next catalogue.
    pub fn approve(&self, approvals: Approvals) {
        self.approvals.store(Arc::new(approvals));
    }

    /// Builds the catalogue of these campaigns and puts it in the place of the current one, which goes to the reaper.
    /// Takes up to a second for a hundred thousand campaigns: not for a data thread.
    pub fn replace(
        &self,
        campaigns: Vec<Arc<Campaign>>,
        (now, wall): (Monotonic, UnixMillis),
        reaper: &Reaper,
    ) -> Vec<LeftOut> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let approvals = self.approvals.load();
        let terms = (&self.rates, &**approvals);
        let (catalogue, left_out) = build(&campaigns, &mut slots, terms, (now, wall));
        let old = self.current.swap(Arc::new(catalogue));
        self.campaigns.store(Arc::new(campaigns));
        drop(slots);
        reaper.retire(old);
        left_out
    }
}

fn build(
    campaigns: &[Arc<Campaign>],
    slots: &mut SlotTable,
    (rates, approvals): (&Rates, &Approvals),
    (now, wall): (Monotonic, UnixMillis),
) -> (Catalogue, Vec<LeftOut>) {
    let keys: Vec<_> = campaigns.iter().map(|campaign| campaign.key).collect();
    // Those without a slot are left out by the catalogue, with that reason.
    let _without = slots.settle(&keys, now);
    Catalogue::build(campaigns, slots, rates, (approvals, wall))
}

/// The catalogue as a child.
pub fn catalogue(address: &CatalogueStage, shelf: &Arc<Shelf>) -> Spec {
    let shelf = Arc::clone(shelf);
    stage("catalogue", address, move || Ok(Arc::clone(&shelf)))
}
