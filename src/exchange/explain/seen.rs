//! What was understood of a request: never an id of a user, and segments only where the law lets us know them.

use serde::Serialize;

use crate::bidding::{Context, Opportunity, PassReason};
use crate::campaign::{Catalogue, Country, DeviceType, MoreSegments, Os, Shape};
use crate::openrtb::consent::Privacy;
use crate::openrtb::request::{Imp, Stream};
use crate::openrtb::{BidRequest, Given};
use crate::units::{Cpm, Currency, ExchangeKey};

/// Segments and sources of ids that are listed: a page's worth of what may be some hundreds.
const SEGMENTS_SHOWN: usize = 64;

/// A request as the bid path sees it. What it does not say is left out.
#[derive(Debug, Serialize)]
pub struct SeenRequest {
    id: String,
    is_test: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    auction_type: Option<u32>,
    /// How long the exchange says that it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    tmax_ms: Option<u32>,
    /// How long we would take at most: that, or the exchange's default, less the way.
    answered_within_ms: u64,
    /// The currency of our bids.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    region: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    site: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    os: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    categories: Vec<String>,
    privacy: &'static str,
    /// `known` where the user can be recognised, for caps.
    user: &'static str,
    segments: Vec<String>,
    segments_in_all: usize,
    /// Those of our own that the user is in.
    own_segments: Vec<String>,
    /// Whether there are some that were not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    segments_unread: Option<&'static str>,
    imps: usize,
    imps_left_out: u32,
}

/// An impression as the bid path sees it.
#[derive(Debug, Serialize)]
pub struct SeenImp {
    id: String,
    formats: Vec<&'static str>,
    shapes: Vec<String>,
    /// The impression's floor, as it says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    floor_stated: Option<String>,
    /// The same in the currency of our bids.
    #[serde(skip_serializing_if = "Option::is_none")]
    floor: Option<String>,
    /// `private`: only bids on its deals are taken.
    auction: &'static str,
    /// `secure`: everything must come over https.
    markup: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    deals: Vec<SeenDeal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    video: Option<SeenStream>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audio: Option<SeenStream>,
}

#[derive(Debug, Serialize)]
struct SeenDeal {
    id: String,
    /// Its floor, as the request says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    floor_stated: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auction_type: Option<u32>,
    /// Whether any campaign has it.
    is_ours: bool,
}

#[derive(Debug, Serialize)]
struct SeenStream {
    #[serde(skip_serializing_if = "Option::is_none")]
    least_seconds: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    most_seconds: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pod: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pod_seconds: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pod_most_ads: Option<u32>,
}

impl SeenRequest {
    /// What was understood of a request that would be answered within so many milliseconds and paid by this region;
    /// without a context, where it gets none. `own_segments` are of a user whom the law lets us know, and none of any other.
    pub(super) fn of(
        request: &BidRequest<'_>,
        context: Result<&Context<'_>, PassReason>,
        (region, answered_within_ms): (&str, u64),
        own_segments: Option<Vec<String>>,
    ) -> Self {
        let privacy = Privacy::of(request);
        let context = context.ok();
        let segments = if privacy.is_allowed() {
            segments(request)
        } else {
            Vec::new()
        };
        Self {
            id: request.id.to_string(),
            is_test: request.test.may_be_yes(),
            auction_type: request.at,
            tmax_ms: request.tmax_ms,
            answered_within_ms,
            currency: context.map(|it| it.currency.to_string()),
            region: region.to_owned(),
            site: context.and_then(|it| it.site.clone()),
            app: context.and_then(|it| it.app.clone()),
            country: context.and_then(|it| it.country.map(Country::alpha3)),
            device: context.and_then(|it| it.device.map(DeviceType::name)),
            os: context.and_then(|it| it.system.map(Os::name)),
            language: context
                .and_then(|it| it.language.map(|language| language.as_str().to_owned())),
            categories: context
                .map(|it| it.categories.iter().map(|one| one.to_string()).collect())
                .unwrap_or_default(),
            privacy: match privacy {
                Privacy::Allowed => "allowed",
                Privacy::Restricted(by) => by.as_str(),
            },
            user: if own_segments.is_some() {
                "known"
            } else {
                "unknown"
            },
            own_segments: own_segments.unwrap_or_default(),
            segments_in_all: segments.len(),
            segments_unread: context
                .filter(|it| it.more_segments == MoreSegments::Unread)
                .map(|_| "some; who excludes any segment passes"),
            segments: segments.into_iter().take(SEGMENTS_SHOWN).collect(),
            imps: request.imps.len(),
            imps_left_out: request.imps_left_out,
        }
    }
}

/// As campaigns name them: `provider/segment`, and `eids/source` for who knows the user by an id.
fn segments(request: &BidRequest<'_>) -> Vec<String> {
    let of_providers = request.user.data.items().iter().flat_map(|data| {
        let provider = data.provider.as_deref().unwrap_or_default();
        let named = move |id: &str| format!("{provider}/{id}");
        let all = data.segments.items().iter().filter(|it| !it.id.is_empty());
        all.map(move |segment| named(&segment.id))
    });
    let knowing = request.user.eids.items().iter();
    let knowing = knowing.filter(|eid| eid.uid.is_some());
    let sources = knowing.filter_map(|eid| eid.source.as_deref());
    let sources = sources.map(|source| format!("eids/{source}"));
    of_providers.chain(sources).collect()
}

impl SeenImp {
    /// What was understood of an impression; what it takes only where it may get a bid.
    pub(super) fn of(
        imp: &Imp<'_>,
        chance: Result<&Opportunity<'_>, PassReason>,
        (exchange, catalogue): (ExchangeKey, &Catalogue),
    ) -> Self {
        let chance = chance.ok();
        let formats = [
            (imp.banner.is_some(), "banner"),
            (imp.video.is_some(), "video"),
            (imp.audio.is_some(), "audio"),
            (imp.native.is_some(), "native"),
        ];
        let formats = formats.into_iter().filter(|(asked, _)| *asked);
        let deals = imp.pmp.deals.iter().map(|deal| SeenDeal {
            id: deal.id.to_string(),
            floor_stated: stated(deal.bidfloor, deal.bidfloorcur),
            auction_type: deal.at,
            is_ours: catalogue.knows_deal(exchange, &deal.id),
        });
        let shapes = chance.map(|it| it.shapes().iter().map(shape).collect());
        Self {
            id: imp.id.to_string(),
            formats: formats.map(|(_, name)| name).collect(),
            shapes: shapes.unwrap_or_default(),
            floor_stated: stated(imp.bidfloor, imp.bidfloorcur),
            floor: chance.map(|it| it.floor.to_string()),
            auction: if imp.pmp.private_auction.may_be_yes() {
                "private"
            } else {
                "open"
            },
            markup: if imp.secure.may_be_yes() {
                "secure"
            } else {
                "any"
            },
            deals: deals.collect(),
            video: imp.video.as_ref().map(|it| stream(&it.stream)),
            audio: imp.audio.as_ref().map(|it| stream(&it.stream)),
        }
    }
}

fn stream(stream: &Stream<'_>) -> SeenStream {
    SeenStream {
        least_seconds: stream.minduration_s,
        most_seconds: stream.maxduration_s,
        pod: stream.pod.podid.as_deref().map(str::to_owned),
        pod_seconds: stream.pod.poddur_s,
        pod_most_ads: stream.pod.maxseq,
    }
}

/// A floor with its currency, which is US dollars where none is said.
fn stated(floor: Given<Cpm>, currency: Given<Currency>) -> Option<String> {
    let currency = match currency {
        Given::Absent => Currency::USD.to_string(),
        Given::Value(currency) => currency.to_string(),
        Given::Unreadable => "an unreadable currency".to_owned(),
    };
    match floor {
        Given::Absent => None,
        Given::Value(floor) => Some(format!("{floor} {currency}")),
        Given::Unreadable => Some("unreadable".to_owned()),
    }
}

fn shape(shape: &Shape) -> String {
    match shape {
        Shape::Banner(size) => format!("banner {}x{}", size.w, size.h),
        Shape::AnyBanner => "banner of a range of sizes".to_owned(),
        Shape::Video => "video".to_owned(),
        Shape::Audio => "audio".to_owned(),
        Shape::Native => "native".to_owned(),
    }
}
