//! What is true of a whole request: read once, asked of every candidate.
//!
//! What guards somebody's rights and cannot be read lets nothing through. A request that names both a site and an app
//! gets no bid: which of them would be shown decides what is blocked, and it does not say.

use std::num::NonZeroUsize;
use std::sync::Arc;

use super::blocked::{BlockedDomains, bare_domain};
use super::categories::CategoryRules;
use super::pass::PassReason;
use super::supply::SupplyPolicy;
use super::traffic::Traffic;
use crate::campaign::{
    Advertiser, CONTENT_1_0, Category, CategorySet, Country, Creative, DeviceType, Language,
    MoreSegments, Os, Rates, Size,
};
use crate::openrtb::consent::Privacy;
use crate::openrtb::request::{Device, Dsa};
use crate::openrtb::{BidRequest, Given, Listed, TextList};
use crate::units::{Cpm, Currency, ExchangeKey, RegionKey, SegmentKey, UnixMillis, UserKey};

/// The longest domain or bundle that is looked at; longer ones match nothing that was configured.
const NAME_BYTES_MAX: usize = 253;
/// Segments and sources of ids that are read of one request, of all its lists together: a user is in some hundreds at most,
/// and each is looked up for every impression. Who is in more is in some that were not read.
pub(super) const SEGMENTS_MAX: usize = 1_024;

/// Where and when a request is answered: what does not stand in it.
#[derive(Clone, Copy, Debug)]
pub struct Place<'p> {
    /// The exchange that asks.
    pub exchange: ExchangeKey,
    /// Our seat there, for advertisers that have none of their own.
    pub seat: Option<&'p str>,
    /// Every seat that we have there.
    pub seats: &'p [Arc<str>],
    /// Which supply chains it is bought from; any where absent.
    pub supply: Option<&'p SupplyPolicy>,
    /// Whose traffic is not wanted; nobody's where absent.
    pub traffic: Option<&'p Traffic>,
    /// How many bids it takes for one impression.
    pub bids_per_imp: NonZeroUsize,
    /// The region that would pay.
    pub region: RegionKey,
    /// Whose device it is, where consent allows us to know.
    pub user: Option<UserKey>,
    /// The segments of our own that the user is in, where consent allows us to know; sorted.
    pub own_segments: &'p [SegmentKey],
    /// When.
    pub at: UnixMillis,
    /// What currencies are worth.
    pub rates: &'p Rates,
    /// No bid is above it, in US dollars.
    pub ceiling: Option<Cpm>,
    /// Whether markup can report back over https.
    pub has_secure_notices: bool,
}

/// What every candidate is asked against.
#[derive(Debug)]
pub struct Context<'r> {
    /// What does not stand in the request.
    pub place: Place<'r>,
    /// The currency of our bids.
    pub currency: Currency,
    /// Where the device is.
    pub country: Option<Country>,
    /// What it is.
    pub device: Option<DeviceType>,
    /// What it runs.
    pub system: Option<Os>,
    /// The language it is set to.
    pub language: Option<Language>,
    /// The site's domain, lower case, without `www.`.
    pub site: Option<String>,
    /// The app's bundle, lower case.
    pub app: Option<String>,
    /// The device's screen, where both its sides are known.
    pub screen: Option<Size>,
    /// What the site or app is about.
    pub categories: CategorySet,
    /// The segments that the user is in, where consent allows us to know; sorted, each once.
    pub segments: Vec<SegmentKey>,
    /// Whether those are all that the request names.
    pub more_segments: MoreSegments,
    /// Whether this is a test: answered, never paced, promised or billed.
    pub is_test: bool,
    category_rules: CategoryRules<'r>,
    /// How the auction is won where a deal does not say (`at`).
    pub(super) auction_type: Option<u32>,
    seats: Seats<'r>,
    dsa: Dsa,
    blocked_domains: BlockedDomains<'r>,
    blocked_apps: &'r TextList<'r>,
    languages: Option<&'r TextList<'r>>,
}

impl<'r> Context<'r> {
    /// Reads a request.
    ///
    /// # Errors
    /// The reason that no impression of it can get a bid.
    pub fn read(request: &'r BidRequest<'r>, place: Place<'r>) -> Result<Self, PassReason> {
        if request.channel_is_ambiguous {
            return Err(PassReason::AmbiguousChannel);
        }
        if let Some(traffic) = place.traffic {
            traffic.check(&request.device)?;
        }
        if let Some(supply) = place.supply {
            supply.check(&request.source)?;
        }
        let seats = Seats::read(request, &place)?;
        let lists = [
            &request.bcat,
            &request.acat,
            &request.badv,
            &request.bapp,
            &request.wlang,
            &request.wlangb,
        ];
        if lists.iter().any(|list| list.is_unreadable()) {
            return Err(PassReason::UnreadableBlocks);
        }
        let category_rules = CategoryRules::read(request).ok_or(PassReason::UnreadableBlocks)?;
        let (segments, more_segments) = segments(request);
        let currency = currency(request, place.rates).ok_or(PassReason::Currency)?;
        let device = &request.device;
        let languages = [&request.wlang, &request.wlangb]
            .into_iter()
            .find(|list| !list.is_empty());
        Ok(Self {
            place,
            currency,
            country: device.geo.country.as_deref().and_then(Country::parse),
            device: device
                .devicetype
                .and_then(|code| DeviceType::from_code(i64::from(code))),
            system: device.os_name().and_then(Os::parse),
            language: device.language_tag().and_then(|tag| Language::parse(tag)),
            site: request.site().and_then(|site| {
                let host = site.page.as_deref().and_then(host_of);
                lower(site.domain.as_deref().or(host).map(bare_domain))
            }),
            screen: screen(device),
            app: request.app().and_then(|app| lower(app.bundle.as_deref())),
            categories: categories(request),
            segments,
            more_segments,
            is_test: request.test.may_be_yes(),
            category_rules,
            auction_type: request.at,
            seats,
            dsa: request.regs.dsa,
            blocked_domains: BlockedDomains::of(&request.badv),
            blocked_apps: &request.bapp,
            languages,
        })
    }

    /// Whether what this creative is about may be shown.
    pub(super) fn allows_categories(&self, creative: &Creative, advertiser: &Advertiser) -> bool {
        self.category_rules.allow(creative, advertiser)
    }

    /// Whether an advertiser with this domain may be shown. A blocked domain blocks what is under it.
    pub(super) fn allows_domain(&self, domain: &str) -> bool {
        !self.blocked_domains.contains(domain)
    }

    /// Whether this seat of ours, or no seat, may bid.
    pub(super) fn allows_seat(&self, seat: Option<&str>) -> bool {
        self.seats.allow(seat)
    }

    /// Whether a bid of this advertiser is as transparent as the request asks. Where neither the publisher nor the markup
    /// would show it, or both would, the bid is dropped, and so is not made.
    pub(super) fn allows_transparency(&self, advertiser: &Advertiser) -> bool {
        let own = advertiser.transparency.as_ref();
        !self.dsa.is_required() || own.is_some_and(|own| self.dsa.agrees_with(own.renders))
    }

    /// Whether this app may be advertised.
    pub(super) fn allows_app(&self, bundle: &str) -> bool {
        !self.blocked_apps.contains_ignoring_case(bundle)
    }

    /// Whether a creative in this language may be shown; one without words always may.
    pub(super) fn allows_language(&self, language: Option<Language>) -> bool {
        let Some(languages) = self.languages else {
            return true;
        };
        match language {
            Some(Language::NONE) => true,
            Some(language) => languages
                .words()
                .any(|tag| Language::parse(tag) == Some(language)),
            // Nobody said what it is in.
            None => false,
        }
    }

    /// A price as it is in the currency of our bids, rounded up.
    pub(super) fn in_bid_currency(&self, price: Cpm, from: Currency) -> Option<Cpm> {
        price.convert(self.place.rates.between(from, self.currency)?)
    }
}

/// Which seats may bid.
#[derive(Clone, Copy, Debug)]
struct Seats<'r> {
    allowed: &'r TextList<'r>,
    blocked: &'r TextList<'r>,
}

impl<'r> Seats<'r> {
    /// What a request says of seats.
    ///
    /// # Errors
    /// [`PassReason::UnreadableBlocks`], or [`PassReason::Seat`] if none of ours may bid.
    fn read(request: &'r BidRequest<'r>, place: &Place<'_>) -> Result<Self, PassReason> {
        if request.wseat.is_unreadable() || request.bseat.is_unreadable() {
            return Err(PassReason::UnreadableBlocks);
        }
        let this = Self {
            allowed: &request.wseat,
            blocked: &request.bseat,
        };
        let others = place.seats.iter().any(|seat| this.allow(Some(seat)));
        if others || this.allow(place.seat) {
            Ok(this)
        } else {
            Err(PassReason::Seat)
        }
    }

    fn allow(&self, seat: Option<&str>) -> bool {
        let allowed =
            self.allowed.is_empty() || seat.is_some_and(|seat| self.allowed.contains(seat));
        let blocks = |seat| {
            self.blocked.contains(seat) || self.blocked.words().any(|blocked| blocked == seat)
        };
        allowed && !seat.is_some_and(blocks)
    }
}

/// US dollars unless the request names currencies; then the first that we have a rate for.
fn currency(request: &BidRequest<'_>, rates: &Rates) -> Option<Currency> {
    match &request.cur {
        Given::Absent => Some(Currency::USD),
        Given::Value(named) if named.contains(Currency::USD) => Some(Currency::USD),
        Given::Value(named) => named
            .iter()
            .find(|currency| rates.in_dollars(*currency).is_some()),
        Given::Unreadable => None,
    }
}

fn categories(request: &BidRequest<'_>) -> CategorySet {
    let mut found = CategorySet::default();
    if let Some(channel) = &request.channel
        && channel.cattax.unwrap_or(CONTENT_1_0) == CONTENT_1_0
    {
        for code in channel
            .cat
            .words()
            .chain(channel.sectioncat.words())
            .chain(channel.pagecat.words())
        {
            if let Some(category) = Category::parse(code) {
                found.insert(category);
            }
        }
    }
    found
}

/// What the request says of the user, where it may: its providers' segments, and who knows the user by an id.
fn segments(request: &BidRequest<'_>) -> (Vec<SegmentKey>, MoreSegments) {
    if !Privacy::of(request).is_allowed() {
        return (Vec::new(), MoreSegments::None);
    }
    let (data, eids) = (&request.user.data, &request.user.eids);
    let of_providers = data.items().iter().flat_map(|data| {
        let provider = data.provider.as_deref().unwrap_or_default();
        let named = data.segments.items().iter().filter(|it| !it.id.is_empty());
        named.map(move |segment| SegmentKey::within(provider, &segment.id))
    });
    let knowing = eids.items().iter().filter(|eid| eid.uid.is_some());
    let sources = knowing.filter_map(|eid| eid.source.as_deref());
    let mut lists = data.items().iter().map(|data| &data.segments);
    let is_cut = data.is_unreadable() || eids.is_unreadable() || lists.any(Listed::is_unreadable);
    let mut all = of_providers.chain(sources.map(SegmentKey::known_by));
    let mut found: Vec<SegmentKey> = all.by_ref().take(SEGMENTS_MAX).collect();
    let more = if is_cut || all.next().is_some() {
        MoreSegments::Unread
    } else {
        MoreSegments::None
    };
    found.sort_unstable();
    found.dedup();
    (found, more)
}

fn host_of(page: &str) -> Option<&str> {
    page.contains("://").then_some(page)
}

fn lower(name: Option<&str>) -> Option<String> {
    name.filter(|name| !name.is_empty() && name.len() <= NAME_BYTES_MAX)
        .map(str::to_ascii_lowercase)
}

fn screen(device: &Device<'_>) -> Option<Size> {
    let side = |side: Option<u32>| side.filter(|side| *side > 0);
    Some(Size {
        w: side(device.w)?,
        h: side(device.h)?,
    })
}
