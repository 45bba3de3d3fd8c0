//! The regions: what each one's three children are given, and the map by which bids find them.

use std::collections::HashMap;
use std::sync::Arc;

use super::Ground;
use crate::exchange::bid_engine::RegionMap;
use crate::exchange::region_desk::RegionDesk;
use crate::region::frequency_server::{FrequencyMessage, FrequencyParts};
use crate::region::ledger_server::LedgerParts;
use crate::region::pacer_server::{PacerParts, RegionSight};
use crate::region::supply::Supply;
use crate::supervision::{Address, Limit, Probation, Stage};

/// Room for (user, campaign) and (user, advertiser) pairs of one region. A table has 33 bytes for each of four times as
/// many, so that it never grows under a bid: 140 MB of addresses, of which the machine gives what is used.
const PAIRS_MAX: usize = 1_000_000;

/// What one region is given.
pub struct RegionParts {
    /// Its name: its id in the tree.
    pub name: Arc<str>,
    /// How often it may be restarted.
    pub restart_limit: Limit,
    /// How it comes back.
    pub probation: Probation,
    /// Its ledger.
    pub ledger: LedgerParts,
    /// Its pacer.
    pub pacer: PacerParts,
    /// Its frequency caps.
    pub frequency: FrequencyParts,
    /// Up while it is closed.
    pub closed: Stage<()>,
}

/// Every region, and the map of them.
pub(super) fn build(ground: &Ground) -> (Vec<RegionParts>, RegionMap) {
    let settings = &ground.settings.regions;
    let sights: Arc<[RegionSight]> = settings
        .iter()
        .map(|_| RegionSight {
            supply: Arc::new(Supply::new(ground.threads.count(), ground.slots_max)),
            ledger: Stage::new(),
        })
        .collect();
    let mut regions = Vec::with_capacity(settings.len());
    let mut by_country = HashMap::new();
    let mut rest = None;
    for (region, sight) in settings.iter().zip(sights.iter()) {
        let desk = RegionDesk {
            key: region.key,
            ledger: sight.ledger.clone(),
            shares: Stage::new(),
            frequency: Stage::new(),
            supply: Arc::clone(&sight.supply),
            closed: Stage::new(),
        };
        by_country.extend(
            region
                .countries
                .iter()
                .map(|country| (*country, desk.clone())),
        );
        let frequency = frequency(ground, &desk);
        regions.push(RegionParts {
            name: Arc::clone(&region.name),
            restart_limit: region.restart_limit,
            probation: region.probation,
            pacer: pacer(ground, &desk, &sights),
            ledger: ledger(ground, &desk, (&region.name, &frequency.address)),
            frequency,
            closed: desk.closed.clone(),
        });
        if region.rest || rest.is_none() {
            rest = Some(desk);
        }
    }
    let rest = rest.unwrap_or_else(|| nowhere(ground));
    (regions, RegionMap { by_country, rest })
}

/// The configuration has one region at least; without one nothing is bid.
fn nowhere(ground: &Ground) -> RegionDesk {
    RegionDesk {
        key: crate::units::RegionKey::of(""),
        ledger: Stage::new(),
        shares: Stage::new(),
        frequency: Stage::new(),
        supply: Arc::new(Supply::new(ground.threads.count(), 0)),
        closed: Stage::new(),
    }
}

fn ledger(
    ground: &Ground,
    desk: &RegionDesk,
    (name, frequency): (&str, &Address<FrequencyMessage>),
) -> LedgerParts {
    LedgerParts {
        region: desk.key,
        ledger: desk.ledger.clone(),
        address: Address::new(),
        meter: Arc::default(),
        frequency: frequency.clone(),
        journal: ground.journal.clone(),
        campaigns: ground.directory.clone(),
        shelf: Arc::clone(&ground.shelf),
        holds: Arc::clone(&ground.holds),
        slots_max: ground.slots_max,
        fail_point: ground.fail_points.point(&format!("regions/{name}/ledger")),
    }
}

fn pacer(ground: &Ground, desk: &RegionDesk, sights: &Arc<[RegionSight]>) -> PacerParts {
    PacerParts {
        region: desk.key,
        shares: desk.shares.clone(),
        address: Address::new(),
        journal: ground.journal.clone(),
        shelf: Arc::clone(&ground.shelf),
        sights: Arc::clone(sights),
        slots_max: ground.slots_max,
    }
}

fn frequency(ground: &Ground, desk: &RegionDesk) -> FrequencyParts {
    FrequencyParts {
        region: desk.key,
        frequency: desk.frequency.clone(),
        address: Address::new(),
        journal: ground.journal.clone(),
        shelf: Arc::clone(&ground.shelf),
        pairs_max: PAIRS_MAX,
        last: Arc::default(),
        began: ground.clock.wall(),
        doubt: if ground.settings.campaigns.strict_caps {
            super::longest(&ground.holds)
        } else {
            std::time::Duration::ZERO
        },
    }
}
