//! The bid engine: a request's bytes become a decision, inline, on the data thread that read them.
//!
//! Sequence only; each step is somebody else's. It never waits, and looks at its deadline between candidates.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use super::region_desk::{Hold, RegionDesk, RegionFunds};
use super::stop_all::StopAll;
use crate::bidding::{
    Choice, Context, Opportunity, PassReason, Place, Pods, SupplyPolicy, Traffic, decide,
};
use crate::campaign::{Catalogue, CatalogueStage, Country, Rates};
use crate::chaos::FailPoint;
use crate::clock::Clock;
use crate::openrtb::{BidRequest, DecodeError, consent, decode};
use crate::region::lease::HoldClass;
use crate::supervision::{Spec, Stage, stage};
use crate::units::{
    Cpm, Currency, Deadline, ExchangeKey, Monotonic, RegionKey, SegmentKey, UnixMillis, UserHash,
    UserKey,
};

/// A call of the engine or the serializer that takes longer than the longest deadline is stuck: other data threads get a new
/// incarnation, and the one that hangs is left behind.
pub(super) const STUCK_AFTER: Duration = Duration::from_secs(2);

/// No exchange waits longer, whatever a request says: what an answer takes is bounded.
const TMAX_MAX: Duration = Duration::from_secs(10);

/// What an exchange's engine is given.
#[derive(Clone)]
pub struct EngineParts {
    /// The exchange.
    pub exchange: ExchangeKey,
    /// Our seat there, for advertisers that have none of their own.
    pub seat: Option<Arc<str>>,
    /// Every seat that we have there.
    pub seats: Arc<[Arc<str>]>,
    /// Which supply chains it is bought from.
    pub supply: Arc<SupplyPolicy>,
    /// How many bids it takes for one impression.
    pub bids_per_imp: NonZeroUsize,
    /// How long it waits where a request does not say.
    pub default_tmax: Duration,
    /// What of that goes for the way there and back.
    pub network_margin: Duration,
    /// Which of the ledgers' holds its bids have.
    pub hold: HoldClass,
    /// Whether markup can report back over https.
    pub has_secure_notices: bool,
    /// What all exchanges share.
    pub shared: Arc<EngineShared>,
    /// Where it may be made to fail.
    pub fail_point: FailPoint,
}

/// What the engines of all exchanges share. Made before the tree.
pub struct EngineShared {
    /// The catalogue.
    pub catalogue: CatalogueStage,
    /// The regions by country, and the one for the rest.
    pub regions: RegionMap,
    /// What currencies are worth.
    pub rates: Rates,
    /// No bid is above it, in US dollars.
    pub ceiling: Option<Cpm>,
    /// Whose traffic is not wanted.
    pub traffic: Arc<Traffic>,
    /// What makes a user key of an id.
    pub user_hash: UserHash,
    /// Whether anybody may bid.
    pub stop_all: StopAll,
}

/// Which region serves which country.
pub struct RegionMap {
    /// By country.
    pub by_country: HashMap<Country, RegionDesk>,
    /// The one for every other country, and for none.
    pub rest: RegionDesk,
}

/// A request as it came in.
pub struct BidCall<'b> {
    /// Its body, unpacked.
    pub body: &'b [u8],
    /// When its first bytes left the socket.
    pub arrived: Monotonic,
    /// How long it may have waited in the socket before.
    pub waited: Duration,
    /// The data thread.
    pub thread: usize,
    /// The time.
    pub clock: &'b Clock,
}

/// What is to be answered.
#[expect(
    clippy::large_enum_variant,
    reason = "made and taken apart on one stack; a box would allocate for each bid"
)]
pub enum Verdict<'b> {
    /// These bids.
    Bid(Decided<'b>),
    /// Nothing: we chose not to.
    Pass(PassReason),
    /// Nothing: its time was up when we looked.
    Late,
    /// It is no request.
    Reject(DecodeError),
}

/// Bids that are worth making, with everything that writing them needs.
pub struct Decided<'b> {
    /// The request.
    pub request: BidRequest<'b>,
    /// The catalogue the choices were made in.
    pub catalogue: Arc<Catalogue>,
    /// The currency of all prices.
    pub currency: Currency,
    /// The bids; at least one.
    pub choices: Vec<Choice<Hold>>,
    /// Who would see them, where consent allows us to know.
    pub user: Option<UserKey>,
    /// The region that pays.
    pub region: RegionKey,
    /// When.
    pub at: UnixMillis,
    /// The data thread.
    pub thread: usize,
    /// Whether it is a test.
    pub is_test: bool,
}

impl Decided<'_> {
    /// The answer leaves: the promises stand.
    pub fn sent(self) {
        self.choices
            .into_iter()
            .filter_map(|choice| choice.hold)
            .for_each(Hold::sent);
    }
}

/// The engine as a child.
pub fn bid_engine(address: &Stage<BidEngine>, parts: &EngineParts) -> Spec {
    let parts = parts.clone();
    stage("bid_engine", address, move || {
        Ok(BidEngine {
            parts: parts.clone(),
        })
    })
    .stuck_after(STUCK_AFTER)
}

/// One exchange's engine.
pub struct BidEngine {
    pub(super) parts: EngineParts,
}

impl BidEngine {
    /// Decides what to answer.
    pub fn bid<'b>(&self, call: &BidCall<'b>, random: &mut fastrand::Rng) -> Verdict<'b> {
        let request = match decode(call.body) {
            Ok(request) => request,
            Err(error) => return Verdict::Reject(error),
        };
        self.parts.fail_point.pass_inline(&request.id);
        let now = call.clock.monotonic();
        let deadline = self.deadline(&request, call);
        if deadline.passed(now) {
            return Verdict::Late;
        }
        match self.choose(request, call, (now, deadline), random) {
            // Dropped, it gives back what it was promised.
            Ok(_) if deadline.passed(call.clock.monotonic()) => Verdict::Late,
            Ok(decided) => Verdict::Bid(decided),
            Err(reason) => Verdict::Pass(reason),
        }
    }

    fn choose<'b>(
        &self,
        request: BidRequest<'b>,
        call: &BidCall<'b>,
        (now, deadline): (Monotonic, Deadline),
        random: &mut fastrand::Rng,
    ) -> Result<Decided<'b>, PassReason> {
        let shared = &*self.parts.shared;
        if shared.stop_all.is_engaged() {
            return Err(PassReason::StoppedAll);
        }
        let current = shared.catalogue.call(|shelf| shelf.current());
        let catalogue = current.map_err(|_| PassReason::CatalogueRestarting)?;
        let (user, at) = (self.user(&request), call.clock.wall());
        let region = self.region(&request);
        let own_segments = catalogue.own_segments(user);
        let place = self.place(region.key, (user, own_segments), at);
        let context = Context::read(&request, place)?;
        let mut funds = RegionFunds {
            desk: region,
            thread: call.thread,
            hold: self.parts.hold,
            now: call.clock.ledger_at(now),
            random,
        };
        let is_late = || deadline.passed(call.clock.monotonic());
        let mut choices = Vec::new();
        let mut pods = Pods::default();
        let mut furthest = PassReason::AmbiguousChannel;
        for (index, imp) in (0..).zip(&request.imps) {
            if is_late() {
                furthest = PassReason::NoTime;
                break;
            }
            let chosen = Opportunity::read(imp, index, &context).and_then(|mut chance| {
                pods.enter(&mut chance);
                let chosen = decide(
                    (&context, &mut chance),
                    &catalogue,
                    &mut choices,
                    &mut funds,
                    &is_late,
                );
                pods.leave(&chance);
                chosen
            });
            if let Err(reason) = chosen {
                furthest = furthest.max(reason);
            }
        }
        if choices.is_empty() {
            return Err(furthest);
        }
        let (currency, is_test) = (context.currency, context.is_test);
        let (region, thread) = (region.key, call.thread);
        Ok(Decided {
            request,
            catalogue,
            currency,
            choices,
            user,
            region,
            at,
            thread,
            is_test,
        })
    }

    pub(super) fn place<'p>(
        &'p self,
        region: RegionKey,
        (user, own_segments): (Option<UserKey>, &'p [SegmentKey]),
        at: UnixMillis,
    ) -> Place<'p> {
        Place {
            exchange: self.parts.exchange,
            seat: self.parts.seat.as_deref(),
            seats: &self.parts.seats,
            supply: Some(&self.parts.supply),
            traffic: Some(&self.parts.shared.traffic),
            bids_per_imp: self.parts.bids_per_imp,
            region,
            user,
            own_segments,
            at,
            rates: &self.parts.shared.rates,
            ceiling: self.parts.shared.ceiling,
            has_secure_notices: self.parts.has_secure_notices,
        }
    }

    pub(super) fn region(&self, request: &BidRequest<'_>) -> &RegionDesk {
        let regions = &self.parts.shared.regions;
        let country = request
            .device
            .geo
            .country
            .as_deref()
            .and_then(Country::parse);
        country
            .and_then(|country| regions.by_country.get(&country))
            .unwrap_or(&regions.rest)
    }

    /// A keyed hash of whatever id consent lets us read.
    pub(super) fn user(&self, request: &BidRequest<'_>) -> Option<UserKey> {
        let id = consent::user_id(request)?;
        Some(self.parts.shared.user_hash.key(id))
    }

    /// The moment an answer must leave by: what the exchange waits, less the way, from when it could first be seen.
    fn deadline(&self, request: &BidRequest<'_>, call: &BidCall<'_>) -> Deadline {
        let ours = self.time_to_answer(request).saturating_sub(call.waited);
        Deadline::at(call.arrived.plus(ours))
    }

    /// What the exchange waits, less the way.
    pub(super) fn time_to_answer(&self, request: &BidRequest<'_>) -> Duration {
        let tmax = request.tmax_ms.map_or(self.parts.default_tmax, |ms| {
            Duration::from_millis(u64::from(ms)).min(TMAX_MAX)
        });
        tmax.saturating_sub(self.parts.network_margin)
    }
}
