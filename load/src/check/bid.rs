//! One bid: what it costs, whose it is, what it is for, and what it wants reported.

use std::borrow::Cow;

use super::markup::{self, Trackers};
use super::response::{Bid, Text, text};
use super::restrictions;
use super::text::{clip, names_price, unknown_macro};
use super::{FaultKind, Verdict};
use crate::auction::LossReason;
use crate::decimal::Micros;
use crate::scenario::Scenario;
use crate::traffic::{Asked, AskedDeal, AskedImp};
use crate::wire::Url;

/// Above this a price is a mistake of units.
const PRICE_MAX: Micros = Micros::new(10_000_000_000);

/// A bid that an auction can take.
#[derive(Clone, Debug)]
pub struct SoundBid<'a> {
    /// Its id.
    pub id: Cow<'a, str>,
    /// The response's own id, which `${AUCTION_BID_ID}` stands for.
    pub bidid: Cow<'a, str>,
    /// Which imp of the request, by place.
    pub imp: usize,
    /// What it offers, a CPM.
    pub price: Micros,
    /// The currency.
    pub currency: Cow<'a, str>,
    /// Whose seat.
    pub seat: Cow<'a, str>,
    /// The campaign.
    pub campaign: Cow<'a, str>,
    /// The preloaded ad's id, which `${AUCTION_AD_ID}` stands for.
    pub ad_id: Cow<'a, str>,
    /// Where to report a win.
    pub win_notice: Option<Cow<'a, str>>,
    /// Where to report that it is billable.
    pub billing_notice: Option<Cow<'a, str>>,
    /// Where to report a loss.
    pub loss_notice: Option<Cow<'a, str>>,
    /// The deal that it is for, by its place in the imp.
    pub deal: Option<usize>,
    /// Why no exchange takes it.
    pub objection: Option<LossReason>,
    /// What the markup reports to.
    pub trackers: Trackers,
}

/// What a bid is judged against.
pub(super) struct Scene<'s, 'a> {
    pub(super) scenario: &'s Scenario,
    pub(super) asked: &'s Asked,
    pub(super) currency: Cow<'a, str>,
    pub(super) bidid: Cow<'a, str>,
}

/// Judges a bid; one that names an imp and a price can be auctioned, whatever else is wrong with it.
pub(super) fn judge<'a>(
    scene: &Scene<'_, 'a>,
    seat: Option<&Text<'a>>,
    bid: &Bid<'a>,
    verdict: &mut Verdict<'a>,
) {
    let seat_text = seat.map_or_else(Cow::default, text);
    let seat = seat.map(|seat| &**seat);
    if bid.id.is_empty() {
        verdict.fault(FaultKind::BidId, "empty");
    }
    let found = scene
        .asked
        .imps
        .iter()
        .enumerate()
        .find(|(_, imp)| imp.id == *bid.impid);
    let Some((place, imp)) = found else {
        return verdict.fault(FaultKind::ImpUnknown, format!("{:?}", bid.impid));
    };
    let known = verdict.faults.len();
    let offered = offered(scene, imp, seat, bid);
    if let Offered::Refused(why) = &offered {
        verdict.fault(FaultKind::Deal, why);
    }
    let price = price(scene, imp, (bid, offered.deal()), verdict);
    ids(scene.asked, bid, verdict);
    restrictions::judge(scene.asked, imp, (seat, bid), verdict);
    let trackers = markup::judge(imp, bid, verdict);
    notices(bid, verdict);
    let Some(price) = price else { return };
    let mut own = verdict.faults.iter().skip(known);
    let objection = own.find_map(|fault| fault.kind.objection());
    verdict.bids.push(SoundBid {
        id: text(&bid.id),
        bidid: scene.bidid.clone(),
        imp: place,
        price,
        currency: scene.currency.clone(),
        seat: seat_text,
        campaign: bid.cid.as_ref().map_or_else(Cow::default, text),
        ad_id: bid.adid.as_ref().map_or_else(Cow::default, text),
        win_notice: bid.nurl.as_ref().map(text),
        billing_notice: bid.burl.as_ref().map(text),
        loss_notice: bid.lurl.as_ref().map(text),
        deal: match offered {
            Offered::Deal(place, _) => Some(place),
            Offered::Open | Offered::Refused(_) => None,
        },
        objection,
        trackers,
    });
}

/// How a bid may buy.
enum Offered<'a> {
    /// In the open auction.
    Open,
    /// As this deal of the imp.
    Deal(usize, &'a AskedDeal),
    /// Not as it says.
    Refused(String),
}

impl<'a> Offered<'a> {
    fn deal(&self) -> Option<&'a AskedDeal> {
        match self {
            Self::Deal(_, deal) => Some(deal),
            Self::Open | Self::Refused(_) => None,
        }
    }
}

fn offered<'s>(
    scene: &Scene<'s, '_>,
    imp: &'s AskedImp,
    seat: Option<&str>,
    bid: &Bid<'_>,
) -> Offered<'s> {
    let market = &imp.market;
    let Some(id) = bid.dealid.as_deref() else {
        return if market.is_private {
            Offered::Refused(format!(
                "none for imp {} of {}, which is private",
                imp.id, scene.asked.id
            ))
        } else {
            Offered::Open
        };
    };
    let mut deals = market.deals.iter().enumerate();
    let Some((place, deal)) = deals.find(|(_, deal)| deal.id == id) else {
        return Offered::Refused(format!("{id:?} was not offered"));
    };
    let seat = seat.unwrap_or_default();
    if !deal.seats.is_empty() && !deal.seats.iter().any(|one| one == seat) {
        return Offered::Refused(format!("{id:?} is not for seat {seat:?}"));
    }
    let is_named = |domain: &Text<'_>| deal.advertisers.iter().any(|one| is_within(domain, one));
    if !deal.advertisers.is_empty() && !bid.adomain.iter().any(is_named) {
        return Offered::Refused(format!("{id:?} is not for {:?}", bid.adomain));
    }
    Offered::Deal(place, deal)
}

/// Whether a domain is another one or below it, however that is written.
fn is_within(domain: &str, other: &str) -> bool {
    let start = domain.len().checked_sub(other.len());
    let parts = start.and_then(|start| domain.as_bytes().split_at_checked(start));
    let is_lower = |(part, other): (&u8, u8)| *part == other.to_ascii_lowercase();
    parts.is_some_and(|(before, end)| {
        (before.is_empty() || before.ends_with(b".")) && end.iter().zip(other.bytes()).all(is_lower)
    })
}

fn price(
    scene: &Scene<'_, '_>,
    imp: &AskedImp,
    (bid, deal): (&Bid<'_>, Option<&AskedDeal>),
    verdict: &mut Verdict<'_>,
) -> Option<Micros> {
    let text = bid.price.to_string();
    let price = match Micros::from_json(&text) {
        Ok(price) if price > Micros::ZERO && price <= PRICE_MAX => price,
        _ => {
            verdict.fault(FaultKind::Price, text);
            return None;
        }
    };
    // The floor of a deal stands in place of the imp's.
    let (kind, floor, wanted) = match deal {
        Some(deal) => (FaultKind::BelowDealFloor, deal.floor, &deal.floor_currency),
        None => (
            FaultKind::BelowFloor,
            imp.floor.unwrap_or(Micros::ZERO),
            &imp.floor_currency,
        ),
    };
    let currency = &*scene.currency;
    let is_below = if wanted == currency {
        price < floor
    } else {
        let offered = scene.scenario.worth(price, currency);
        let floor = scene.scenario.worth(floor, wanted);
        // Without both rates, nobody can say.
        offered
            .zip(floor)
            .is_some_and(|(offered, floor)| offered < floor)
    };
    if is_below {
        verdict.fault(kind, format!("{price} {currency} below {floor} {wanted}"));
    }
    Some(price)
}

fn ids(asked: &Asked, bid: &Bid<'_>, verdict: &mut Verdict<'_>) {
    if bid.crid.as_deref().unwrap_or_default().is_empty() {
        verdict.fault(FaultKind::CreativeId, "no crid");
    }
    if bid.cid.as_deref().unwrap_or_default().is_empty() {
        verdict.fault(FaultKind::CampaignId, "no cid");
    }
    if bid.adomain.is_empty() {
        verdict.fault(FaultKind::AdvertiserDomain, "no adomain");
    }
    for domain in &bid.adomain {
        let plain = domain.contains('.')
            && domain
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'));
        if !plain {
            verdict.fault(FaultKind::AdvertiserDomain, format!("{domain:?}"));
        }
        let is_blocked = |blocked: &String| is_within(domain, blocked);
        if asked.blocked_domains.iter().any(is_blocked) {
            verdict.fault(FaultKind::DomainBlocked, &**domain);
        }
    }
    for category in &bid.cat {
        let is_blocked = |blocked: &String| {
            let below = category.strip_prefix(blocked.as_str());
            below.is_some_and(|below| below.is_empty() || below.starts_with('-'))
        };
        if asked.blocked_categories.iter().any(is_blocked) {
            verdict.fault(FaultKind::CategoryBlocked, &**category);
        }
    }
}

/// Whether a URL has what none may have. A macro stands for digits, and its braces are no part of the URL.
fn has_foreign(url: &str) -> bool {
    let mut before = b' ';
    url.bytes().any(|byte| {
        let opens_macro = byte == b'{' && before == b'$';
        before = byte;
        let is_foreign = matches!(byte, b'<' | b'>' | b'"' | b'\\' | b'^' | b'`' | b'{' | b'|');
        !opens_macro && (is_foreign || !byte.is_ascii())
    })
}

fn notices(bid: &Bid<'_>, verdict: &mut Verdict<'_>) {
    let mut learns_price = bid.adm.as_deref().is_some_and(names_price);
    for (name, url) in [
        ("nurl", &bid.nurl),
        ("burl", &bid.burl),
        ("lurl", &bid.lurl),
        ("iurl", &bid.iurl),
    ] {
        let Some(url) = url else { continue };
        if Url::parse(url).is_none() || has_foreign(url) {
            verdict.fault(FaultKind::NoticeUrl, format!("{name} {}", clip(url)));
        }
        if let Some(found) = unknown_macro(url) {
            verdict.fault(FaultKind::MacroUnknown, format!("{name} {found}"));
        }
        learns_price |= matches!(name, "nurl" | "burl") && names_price(url);
    }
    if let Some(found) = bid.adm.as_deref().and_then(unknown_macro) {
        verdict.fault(FaultKind::MacroUnknown, format!("adm {found}"));
    }
    if !learns_price || bid.burl.as_deref().is_some_and(|url| !names_price(url)) {
        verdict.fault(
            FaultKind::MacroPrice,
            format!("bid {} never learns the clearing price", &*bid.id),
        );
    }
}
