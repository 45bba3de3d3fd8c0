//! The notices: their listener, and what settles them.

use std::sync::Arc;

use super::{Ground, RegionParts};
use crate::app::secrets;
use crate::http::ListeningSocket;
use crate::notice::notice_listener::{NoticeParts, Visitors};
use crate::notice::settlement_server::SettlementParts;
use crate::supervision::Address;
use crate::telemetry::Meters;

/// What notices are given.
pub struct NoticesParts {
    /// The listener.
    pub listener: NoticeParts,
    /// What settles.
    pub settlement: SettlementParts,
}

pub(super) fn build(
    ground: &Ground,
    regions: &[RegionParts],
    socket: Arc<ListeningSocket>,
    meters: &Arc<Meters>,
) -> NoticesParts {
    let (meters, losses, doubts) = (Arc::clone(meters), Arc::clone(meters), Arc::clone(meters));
    let listener = NoticeParts {
        socket,
        sealer: Arc::clone(&ground.sealer),
        settlement: Address::new(),
        shelf: Arc::clone(&ground.shelf),
        count: Arc::new(move |kind, outcome| meters.count_notice(kind, outcome)),
        count_loss: Arc::new(move |code| losses.count_loss(code)),
        approvals: ground.approvals.clone(),
        journal: ground.journal.clone(),
        visitors: visitors(ground),
    };
    let ledgers = regions
        .iter()
        .map(|region| (region.ledger.region, region.ledger.address.clone()));
    let settlement = SettlementParts {
        address: listener.settlement.clone(),
        journal: ground.journal.clone(),
        ledgers: Arc::new(ledgers.collect()),
        clicks: ground.clicks.clone(),
        count_doubt: Arc::new(move |why| doubts.count_doubt(why)),
    };
    NoticesParts {
        listener,
        settlement,
    }
}

fn visitors(ground: &Ground) -> Visitors {
    let exchanges = ground.settings.exchanges.iter();
    let urls = exchanges.filter_map(|exchange| {
        let url = exchange.sync_url.as_ref()?;
        Some((Arc::clone(&exchange.name), Arc::clone(url)))
    });
    Visitors {
        urls: Arc::new(urls.collect()),
        hash: ground.secrets.users,
        draw: secrets::visitor_bits,
    }
}
