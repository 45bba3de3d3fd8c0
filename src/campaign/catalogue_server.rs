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
    /// What the current snapshot was built with.
    approvals_built: ArcSwap<Approvals>,
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
        let (segments, approvals) = (Arc::new(segments), Arc::new(approvals));
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
            approvals_built: ArcSwap::new(Arc::clone(&approvals)),
            approvals: ArcSwap::new(approvals),
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

    /// What exchanges think of creatives, for the next catalogue. Says whether the current one was built with anything else.
    pub fn approve(&self, approvals: Approvals) -> bool {
        // Not what was said before: who said it may have crashed before it was built.
        let is_new = **self.approvals_built.load() != approvals;
        self.approvals.store(Arc::new(approvals));
        is_new
    }

    /// Builds the catalogue of these campaigns, with these lists of people, and puts it in the place of the current one,
    /// which goes to the reaper. Takes up to a second for a hundred thousand campaigns, and waits for others who build:
    /// for a thread of its own, never a data thread or the control plane.
    pub fn replace(
        &self,
        (campaigns, segments): (Vec<Arc<Campaign>>, OwnSegments),
        times: (Monotonic, UnixMillis),
        reaper: &Reaper,
    ) -> Vec<LeftOut> {
        let mut slots = self.slots();
        // Under the lock, so that nobody builds with the new lists and the old campaigns.
        self.segments.store(Arc::new(segments));
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
        let (approvals, clicks) = (self.approvals.load_full(), self.clicks.load());
        let terms = Terms {
            rates: &self.rates,
            approvals: &approvals,
            clicks: &clicks,
        };
        let terms = (terms, &*self.segments.load());
        let (catalogue, left_out) = build(campaigns, slots, terms, times);
        reaper.retire(self.current.swap(Arc::new(catalogue)));
        self.approvals_built.store(approvals);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::approval::Approval;
    use crate::campaign::fixture::{campaign, shelf};
    use crate::clock::Clock;
    use crate::supervision::{Planes, Tree};
    use crate::units::{CreativeKey, ExchangeKey};

    const NOW: (Monotonic, UnixMillis) =
        (Monotonic::from_nanos(0), UnixMillis::new(1_790_000_000_000));

    #[test]
    fn what_exchanges_think_is_new_until_it_is_built() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let (clock, _) = Clock::manual(NOW.1);
        let tree = Tree::new(Planes::single(runtime.handle().clone()), clock);
        let shelf = shelf(vec![campaign("c")]);
        assert!(!shelf.approve(Approvals::default()), "the control");
        let mut rejected = Approvals::default();
        let place = (ExchangeKey::of("adx"), CreativeKey::of("c-300x250"));
        rejected.judge(place.0, place.1, Approval::Rejected);
        assert!(shelf.approve(rejected.clone()));
        assert!(shelf.approve(rejected.clone()), "whoever said it crashed");
        shelf.rebuild(NOW, tree.reaper());
        assert!(!shelf.approve(rejected));
    }
}
