//! The exchanges: what each one's three children are given.

use std::sync::Arc;

use super::{Ground, TelemetryParts};
use crate::campaign::CatalogueStage;
use crate::chaos::FailPoint;
use crate::config::{Billing, Coding, Dialect, Exchange};
use crate::exchange::bid_engine::{EngineParts, EngineShared, RegionMap};
use crate::exchange::connection_pool::{CountRequest, PoolParts};
use crate::exchange::doorstep::Doorstep;
use crate::exchange::outcome::Outcome;
use crate::exchange::serializer::{BidIds, SerializerParts, WinNotices};
use crate::http::{Limits as HttpLimits, ListeningSocket};
use crate::notice::token::BillingEvent;
use crate::region::lease::HoldClass;
use crate::supervision::{Limit, Probation, Stage};
use crate::telemetry::{RequestCounters, Trace, Tracer};

/// What one exchange is given.
pub struct ExchangeParts {
    /// Its socket.
    pub socket: Arc<ListeningSocket>,
    /// How often it may be restarted.
    pub restart_limit: Limit,
    /// How it comes back.
    pub probation: Probation,
    /// Its connections.
    pub pool: PoolParts,
    /// What decides.
    pub engine: EngineParts,
    /// What writes.
    pub serializer: SerializerParts,
}

/// Where requests are counted.
pub(super) struct Tap {
    pub(super) counters: Arc<RequestCounters>,
    pub(super) tracer: Tracer,
}

impl Tap {
    pub(super) fn new(ground: &Ground, telemetry: &TelemetryParts) -> Self {
        let one_in = ground.settings.telemetry.trace_one_in;
        Self {
            counters: Arc::clone(telemetry.aggregator.meters.requests()),
            tracer: Tracer::new(telemetry.traces.clone(), one_in),
        }
    }
}

/// Every exchange, in the order of the configuration.
pub(super) fn build(
    ground: &Ground,
    catalogue: &CatalogueStage,
    regions: RegionMap,
    (sockets, tap): (Vec<Arc<ListeningSocket>>, Tap),
) -> Vec<ExchangeParts> {
    let shared = Arc::new(EngineShared {
        catalogue: catalogue.clone(),
        regions,
        rates: ground.settings.rates.in_usd.clone(),
        ceiling: Some(ground.settings.fuses.max_cpm),
        traffic: Arc::clone(&ground.settings.traffic),
        user_hash: ground.secrets.users,
        stop_all: ground.stop_all.clone(),
    });
    let bid_ids = BidIds::new(ground.secrets.incarnation, ground.threads.count());
    let numbered = ground.settings.exchanges.iter().zip(sockets).enumerate();
    numbered
        .map(|(number, (exchange, socket))| ExchangeParts {
            socket,
            restart_limit: exchange.restart_limit,
            probation: exchange.probation,
            pool: pool(ground, exchange, count(number, exchange, ground, &tap)),
            engine: engine(ground, exchange, &shared),
            serializer: serializer(ground, exchange, &bid_ids),
        })
        .collect()
}

fn pool(ground: &Ground, exchange: &Exchange, count: CountRequest) -> PoolParts {
    PoolParts {
        name: Arc::clone(&exchange.name),
        doorstep: Doorstep::default(),
        threads: ground.threads.clone(),
        limits: HttpLimits {
            body_bytes: exchange.max_body_bytes,
            head_timeout: exchange.header_timeout,
            idle_timeout: exchange.idle_timeout,
            max_age: exchange.connection_max_age,
            drain_timeout: ground.settings.server.drain,
            ..HttpLimits::default()
        },
        connections_max: exchange.max_connections,
        packs: exchange.coding == Coding::GzipWhereAsked,
        engine: Stage::new(),
        serializer: Stage::new(),
        count,
    }
}

/// Counts on the data thread, and picks one request in so many for the traces.
fn count(number: usize, exchange: &Exchange, ground: &Ground, tap: &Tap) -> CountRequest {
    let (counters, tracer, clock) = (
        Arc::clone(&tap.counters),
        tap.tracer.clone(),
        ground.clock.clone(),
    );
    let name = Arc::clone(&exchange.name);
    let labels: Arc<[_]> = Outcome::labels().into();
    Arc::new(move |thread, outcome, took| {
        counters.count(thread, number, outcome.index(), took);
        // How long a request took is as good a number as any other, and it is there.
        if tracer.picks(took.subsec_nanos()) {
            let outcome = labels.get(outcome.index()).copied().unwrap_or_default();
            tracer.trace(Trace {
                at: clock.wall(),
                exchange: Arc::clone(&name),
                thread,
                outcome,
                took,
            });
        }
    })
}

fn engine(ground: &Ground, exchange: &Exchange, shared: &Arc<EngineShared>) -> EngineParts {
    let place = ground
        .holds
        .iter()
        .position(|hold| *hold == exchange.hold)
        .unwrap_or(0);
    let notices = &ground.settings.notices;
    EngineParts {
        exchange: exchange.key,
        seat: exchange.seat.clone(),
        seats: exchange.seats.clone().into(),
        supply: Arc::clone(&exchange.supply),
        bids_per_imp: exchange.bids_per_imp,
        default_tmax: exchange.default_tmax,
        network_margin: exchange.network_margin,
        hold: HoldClass::new(u8::try_from(place).unwrap_or(u8::MAX)),
        has_secure_notices: notices.secure_url.is_some()
            || notices.public_url.starts_with("https://"),
        shared: Arc::clone(shared),
        fail_point: fail_point(ground, exchange, "bid_engine"),
    }
}

fn serializer(ground: &Ground, exchange: &Exchange, bid_ids: &BidIds) -> SerializerParts {
    let notices = &ground.settings.notices;
    SerializerParts {
        exchange: exchange.key,
        seat: exchange.seat.clone(),
        billing: match exchange.billing {
            Billing::Burl => BillingEvent::BillingNotice,
            Billing::Impression => BillingEvent::Impression,
            Billing::Win => BillingEvent::WinNotice,
        },
        win_notices: if exchange.notice_url {
            WinNotices::Sent
        } else {
            WinNotices::Unsent
        },
        names_billing_id: exchange.dialect == Dialect::Google,
        notice_url: notices.public_url.clone(),
        secure_url: notices.secure_url.clone(),
        sealer: Arc::clone(&ground.sealer),
        bid_ids: bid_ids.clone(),
        fail_point: fail_point(ground, exchange, "serializer"),
    }
}

fn fail_point(ground: &Ground, exchange: &Exchange, child: &str) -> FailPoint {
    let name = format!("exchanges/{}/{child}", exchange.name);
    ground.fail_points.point_of_requests(&name)
}
