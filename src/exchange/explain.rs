//! Explains what an exchange would be answered, and changes nothing by it: no promise, no draw, no count, no metric.
//!
//! The request goes the way of a bid ([`bid_engine`](super::bid_engine)): decode, context, an opportunity per impression,
//! and the same choice. Beside that, every campaign is asked the same questions by itself. Its region is only looked at
//! ([`RegionSurvey`]), so a bid that is *chosen* here is one that would be made if pacing draws it; the chance of that is
//! told.

mod seen;
mod told;

use std::sync::Arc;

use serde::Serialize;

pub use self::seen::{SeenImp, SeenRequest};
pub use self::told::{Counts, ToldCampaign};
use self::told::{Page, Verdict, page, refused_page};
use super::bid_engine::{BidEngine, EngineParts};
use super::region_desk::{Cover, RegionSurvey};
use crate::bidding::{Choice, Context, Inquiry, Opportunity, PassReason, Pods, decide};
use crate::campaign::{Catalogue, Rank};
use crate::clock::Clock;
use crate::openrtb::request::Imp;
use crate::openrtb::{BidRequest, DecodeError, decode};
use crate::units::{CampaignKey, RegionKey, SegmentKey};

/// Campaigns that are asked between two looks at whether there is still time: some hundred microseconds.
const LOOK_EVERY: usize = 256;

/// What explains one exchange's bids.
pub struct Explainer {
    engine: BidEngine,
    names: Names,
}

/// What is told by a name that the bid path has no use for. Cheap to clone.
#[derive(Clone)]
pub struct Names {
    /// Every region's.
    pub regions: Arc<[(RegionKey, Arc<str>)]>,
    /// Every segment's of our own.
    pub own_segments: Arc<[(SegmentKey, Arc<str>)]>,
}

/// What is wanted of an explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Only this campaign.
    pub campaign: Option<String>,
    /// At most so many campaigns of each impression, those first that came furthest.
    pub limit: usize,
}

impl Wanted {
    fn names(&self, key: CampaignKey) -> bool {
        let only = self.campaign.as_deref().map(CampaignKey::of);
        only.is_none_or(|only| only == key)
    }
}

/// What would be answered, and why. What comes first is what is read first.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// `bid`, `pass` or `shed`.
    outcome: &'static str,
    /// As metrics count it, where it is no bid.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    campaigns: usize,
    campaigns_offered: usize,
    request: SeenRequest,
    imps: Vec<ToldImp>,
}

/// One impression.
#[derive(Debug, Serialize)]
pub struct ToldImp {
    imp: SeenImp,
    /// Why it gets no bid, as metrics count it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// The campaigns whose bids would be sent, the first choice first.
    chosen: Vec<String>,
    /// How many campaigns end how.
    counts: Counts,
    /// How many of them are not listed below.
    unlisted: usize,
    campaigns: Vec<ToldCampaign>,
}

/// Why nothing is explained.
#[derive(Debug, thiserror::Error)]
pub enum Unexplained {
    /// The body is no request.
    #[error("{0}")]
    Decode(#[from] DecodeError),
    /// No campaign of the catalogue has the id that was asked for.
    #[error("no campaign {0:?}; GET /campaigns lists them")]
    NoCampaign(String),
    /// It took too long.
    #[error("it took too long; ask with fewer impressions")]
    TooLong,
}

/// What all impressions of a request share.
struct Inquest<'i> {
    request: &'i BidRequest<'i>,
    context: &'i Context<'i>,
    catalogue: &'i Catalogue,
    wanted: &'i Wanted,
    is_over: &'i dyn Fn() -> bool,
}

impl Explainer {
    /// Explains the bids of the engine with these parts, and tells what they say by these names.
    pub fn new(parts: &EngineParts, names: Names) -> Self {
        Self {
            engine: BidEngine {
                parts: parts.clone(),
            },
            names,
        }
    }

    /// What a request would be answered, and why.
    ///
    /// # Errors
    /// [`Unexplained`].
    pub fn explain(
        &self,
        body: &[u8],
        wanted: &Wanted,
        (clock, is_over): (&Clock, &dyn Fn() -> bool),
    ) -> Result<Explanation, Unexplained> {
        let request = decode(body)?;
        let shared = &self.engine.parts.shared;
        let current = shared.catalogue.call(|shelf| shelf.current());
        // What restarts does not say whether it has a campaign.
        let is_known = current.is_ok();
        let catalogue = current.unwrap_or_else(|_| Arc::new(Catalogue::empty()));
        if let Some(id) = &wanted.campaign
            && is_known
            && catalogue.campaign(CampaignKey::of(id)).is_none()
        {
            return Err(Unexplained::NoCampaign(id.clone()));
        }
        let user = self.engine.user(&request);
        let region = self.engine.region(&request);
        let own = (user, catalogue.own_segments(user));
        let place = self.engine.place(region.key, own, clock.wall());
        let context = if shared.stop_all.is_engaged() {
            Err(PassReason::StoppedAll)
        } else if !shared.catalogue.is_up() {
            Err(PassReason::CatalogueRestarting)
        } else {
            Context::read(&request, place)
        };
        let time_to_answer = self.engine.time_to_answer(&request);
        let times = (
            self.region_name(region.key),
            u64::try_from(time_to_answer.as_millis()).unwrap_or(u64::MAX),
        );
        let seen = SeenRequest::of(
            &request,
            context.as_ref().map_err(|reason| *reason),
            times,
            user.map(|_| self.names_of(own.1)),
        );
        let mut survey = RegionSurvey {
            desk: region,
            hold: self.engine.parts.hold,
            now: clock.ledger(),
            share: 0.0,
        };
        let told = match &context {
            Err(reason) => Err(*reason),
            Ok(context) => Ok(Inquest {
                request: &request,
                context,
                catalogue: &catalogue,
                wanted,
                is_over,
            }
            .imps(&mut survey)?),
        };
        let reason = match &told {
            Err(reason) => Some(*reason),
            Ok((_, reason)) => *reason,
        };
        let (outcome, reason) = match reason {
            // Nothing else is asked then. What follows says what there would be with more time.
            _ if time_to_answer.is_zero() => ("shed", Some("late")),
            None => ("bid", None),
            Some(reason) => ("pass", Some(reason.label())),
        };
        Ok(Explanation {
            outcome,
            reason,
            campaigns: catalogue.len() + catalogue.others().count(),
            campaigns_offered: catalogue.len(),
            request: seen,
            imps: told.map(|(imps, _)| imps).unwrap_or_default(),
        })
    }

    fn region_name(&self, key: RegionKey) -> &str {
        let found = self.names.regions.iter().find(|(known, _)| *known == key);
        found.map_or("", |(_, name)| name)
    }

    /// Segments of our own as campaigns name them.
    fn names_of(&self, own: &[SegmentKey]) -> Vec<String> {
        let named = self.names.own_segments.iter();
        let of_user = named.filter(|(key, _)| own.contains(key));
        of_user.map(|(_, name)| format!("own:{name}")).collect()
    }
}

impl<'i> Inquest<'i> {
    /// Every impression, and the reason of the request where none gets a bid.
    fn imps(
        &self,
        survey: &mut RegionSurvey<'_>,
    ) -> Result<(Vec<ToldImp>, Option<PassReason>), Unexplained> {
        let mut choices = Vec::new();
        let mut pods = Pods::default();
        let mut furthest = PassReason::AmbiguousChannel;
        let mut told = Vec::with_capacity(self.request.imps.len());
        for (index, imp) in (0..).zip(&self.request.imps) {
            match Opportunity::read(imp, index, self.context) {
                Err(reason) => {
                    furthest = furthest.max(reason);
                    told.push(self.refused(imp, reason));
                }
                Ok(chance) => {
                    let (one, reason) = self.imp(chance, (&mut pods, &mut choices), survey)?;
                    furthest = furthest.max(reason.unwrap_or(furthest));
                    told.push(one);
                }
            }
        }
        let reason = choices.is_empty().then_some(furthest);
        Ok((told, reason))
    }

    fn imp(
        &self,
        mut chance: Opportunity<'i>,
        (pods, choices): (&mut Pods<'i>, &mut Vec<Choice<Cover>>),
        survey: &mut RegionSurvey<'_>,
    ) -> Result<(ToldImp, Option<PassReason>), Unexplained> {
        pods.enter(&mut chance);
        let place = (self.context.place.exchange, self.catalogue);
        let seen = SeenImp::of(chance.imp, Ok(&chance), place);
        let taken: Vec<CampaignKey> = choices.iter().map(|choice| choice.campaign).collect();
        // Before the choice, which changes what is left of a pod: all are asked the same.
        let verdicts = self.verdicts(&chance, &taken, survey)?;
        let chosen = decide(
            (self.context, &mut chance),
            self.catalogue,
            choices,
            survey,
            &|| false,
        );
        pods.leave(&chance);
        let new = choices.get(taken.len()..).unwrap_or_default();
        let Page {
            counts,
            unlisted,
            campaigns,
        } = page(&verdicts, (self.context, self.catalogue), new, self.wanted);
        let ids = new.iter().filter_map(|choice| {
            let offer = self.catalogue.offer(choice.rank)?;
            Some(offer.campaign.id.to_string())
        });
        let told = ToldImp {
            imp: seen,
            reason: chosen.err().map(PassReason::label),
            chosen: ids.collect(),
            counts,
            unlisted,
            campaigns,
        };
        Ok((told, chosen.err()))
    }

    /// What there is to say of every campaign that is offered, or of the one that is wanted.
    fn verdicts(
        &self,
        chance: &Opportunity<'i>,
        taken: &[CampaignKey],
        survey: &mut RegionSurvey<'_>,
    ) -> Result<Vec<(Rank, Verdict)>, Unexplained> {
        let inquiry = Inquiry::new((self.context, chance), self.catalogue);
        let mut verdicts = Vec::new();
        for (number, (rank, offer)) in self.catalogue.ranked().enumerate() {
            if number % LOOK_EVERY == LOOK_EVERY - 1 && (self.is_over)() {
                return Err(Unexplained::TooLong);
            }
            if self.wanted.names(offer.campaign.key) {
                verdicts.push((rank, inquiry.tell((offer, rank), taken, survey)));
            }
        }
        Ok(verdicts)
    }

    /// An impression that nobody may bid for.
    fn refused(&self, imp: &Imp<'_>, reason: PassReason) -> ToldImp {
        let place = (self.context.place.exchange, self.catalogue);
        let Page {
            counts,
            unlisted,
            campaigns,
        } = refused_page(reason, self.catalogue, self.wanted);
        ToldImp {
            imp: SeenImp::of(imp, Err(reason), place),
            reason: Some(reason.label()),
            chosen: Vec::new(),
            counts,
            unlisted,
            campaigns,
        }
    }
}
