//! The catalogue as a child: the shelf on which the current snapshot lies, and the stage through which bids reach it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;

use super::Campaign;
use super::approval::Approvals;
use super::catalogue::{Catalogue, LeftOut, Terms};
use super::click_rates::ClickRates;
use super::own_segments::OwnSegments;
use super::rates::Rates;
use super::slots::SlotTable;
use super::valuation::Goal;
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
    clicks: ArcSwap<ClickRates>,
    segments: ArcSwap<OwnSegments>,
}

impl Shelf {
    /// A shelf with the catalogue of these campaigns, and those that were left out.
    pub fn new(
        (campaigns, segments): (Vec<Arc<Campaign>>, OwnSegments),
        mut slots: SlotTable,
        (rates, clicks): (Rates, ClickRates),
        approvals: Approvals,
        (now, wall): (Monotonic, UnixMillis),
    ) -> (Self, Vec<LeftOut>) {
        let segments = Arc::new(segments);
        let terms = Terms {
            rates: &rates,
            approvals: &approvals,
            clicks: &clicks,
        };
        let terms = (terms, &segments);
        let (catalogue, left_out) = build(&campaigns, &mut slots, terms, (now, wall));
        let shelf = Self {
            current: ArcSwap::from_pointee(catalogue),
            campaigns: ArcSwap::from_pointee(campaigns),
            slots: Mutex::new(slots),
            rates,
            approvals: ArcSwap::from_pointee(approvals),
            clicks: ArcSwap::from_pointee(clicks),
            segments: ArcSwap::new(segments),
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

    /// What exchanges think of creatives, for the next catalogue. Says whether that is anything new.
    pub fn approve(&self, approvals: Approvals) -> bool {
        let is_new = **self.approvals.load() != approvals;
        if is_new {
            self.approvals.store(Arc::new(approvals));
        }
        is_new
    }

    /// Our own lists of people, for the next catalogue.
    pub fn list(&self, segments: OwnSegments) {
        self.segments.store(Arc::new(segments));
    }

    /// Builds the catalogue of these campaigns and puts it in the place of the current one, which goes to the reaper.
    /// Takes up to a second for a hundred thousand campaigns: not for a data thread.
    pub fn replace(
        &self,
        campaigns: Vec<Arc<Campaign>>,
        times: (Monotonic, UnixMillis),
        reaper: &Reaper,
    ) -> Vec<LeftOut> {
        let mut slots = self.slots();
        let left_out = self.swap(&campaigns, &mut slots, times, reaper);
        self.campaigns.store(Arc::new(campaigns));
        left_out
    }

    /// Builds the catalogue of the same campaigns anew, by what else has changed. As long as [`Shelf::replace`].
    pub fn rebuild(&self, times: (Monotonic, UnixMillis), reaper: &Reaper) {
        // Under the lock, so that the campaigns are not those of before a reload.
        let mut slots = self.slots();
        let campaigns = self.campaigns();
        // Those that are left out were told of when they were loaded.
        self.swap(&campaigns, &mut slots, times, reaper);
    }

    /// What is learnt of clicks, for the next catalogue; where any campaign buys clicks that is now. As long as
    /// [`Shelf::replace`].
    pub fn learn(&self, clicks: ClickRates, times: (Monotonic, UnixMillis), reaper: &Reaper) {
        self.clicks.store(Arc::new(clicks));
        let buys_clicks = |one: &Arc<Campaign>| matches!(one.goal, Goal::Cpc(_));
        if self.campaigns().iter().any(buys_clicks) {
            self.rebuild(times, reaper);
        }
    }

    fn swap(
        &self,
        campaigns: &[Arc<Campaign>],
        slots: &mut SlotTable,
        times: (Monotonic, UnixMillis),
        reaper: &Reaper,
    ) -> Vec<LeftOut> {
        let (approvals, clicks) = (self.approvals.load(), self.clicks.load());
        let terms = Terms {
            rates: &self.rates,
            approvals: &approvals,
            clicks: &clicks,
        };
        let terms = (terms, &*self.segments.load());
        let (catalogue, left_out) = build(campaigns, slots, terms, times);
        reaper.retire(self.current.swap(Arc::new(catalogue)));
        left_out
    }

    fn slots(&self) -> MutexGuard<'_, SlotTable> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn build(
    campaigns: &[Arc<Campaign>],
    slots: &mut SlotTable,
    (terms, segments): (Terms<'_>, &Arc<OwnSegments>),
    (now, wall): (Monotonic, UnixMillis),
) -> (Catalogue, Vec<LeftOut>) {
    let keys: Vec<_> = campaigns.iter().map(|campaign| campaign.key).collect();
    // Those without a slot are left out by the catalogue, with that reason.
    let _without = slots.settle(&keys, now);
    let (catalogue, left_out) = Catalogue::build(campaigns, slots, terms, wall);
    (catalogue.with_segments(segments), left_out)
}

/// The catalogue as a child.
pub fn catalogue(address: &CatalogueStage, shelf: &Arc<Shelf>) -> Spec {
    let shelf = Arc::clone(shelf);
    stage("catalogue", address, move || Ok(Arc::clone(&shelf)))
}
