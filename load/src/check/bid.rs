//! One bid: what it costs, whose it is, what it is for, and what it wants reported.

use super::markup::{self, Trackers};
use super::response::Bid;
use super::text::{clip, names_price, unknown_macro};
use super::{FaultKind, Verdict};
use crate::decimal::Micros;
use crate::scenario::Scenario;
use crate::traffic::{Asked, AskedImp};
use crate::wire::Target;

/// Above this a price is a mistake of units.
const PRICE_MAX: Micros = Micros::new(10_000_000_000);

/// A bid that an auction can take.
#[derive(Clone, Debug)]
pub struct SoundBid {
    /// Its id.
    pub id: String,
    /// The response's own id, which `${AUCTION_BID_ID}` stands for.
    pub bidid: String,
    /// Which imp of the request, by place.
    pub imp: usize,
    /// What it offers, a CPM.
    pub price: Micros,
    /// The currency.
    pub currency: String,
    /// Whose seat.
    pub seat: String,
    /// The campaign.
    pub campaign: String,
    /// The preloaded ad's id, which `${AUCTION_AD_ID}` stands for.
    pub ad_id: String,
    /// Where to report a win.
    pub win_notice: Option<String>,
    /// Where to report that it is billable.
    pub billing_notice: Option<String>,
    /// Where to report a loss.
    pub loss_notice: Option<String>,
    /// What the markup reports to.
    pub trackers: Trackers,
}

/// What a bid is judged against.
pub(super) struct Scene<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) asked: &'a Asked,
    pub(super) currency: &'a str,
    pub(super) bidid: &'a str,
}

/// Judges a bid; one that names an imp and a price can be auctioned, whatever else is wrong with it.
pub(super) fn judge(scene: &Scene<'_>, seat: Option<&str>, bid: &Bid, verdict: &mut Verdict) {
    if bid.id.is_empty() {
        verdict.fault(FaultKind::BidId, "empty");
    }
    let found = scene
        .asked
        .imps
        .iter()
        .enumerate()
        .find(|(_, imp)| imp.id == bid.impid);
    let Some((place, imp)) = found else {
        return verdict.fault(FaultKind::ImpUnknown, format!("{:?}", bid.impid));
    };
    if let Some(deal) = &bid.dealid {
        verdict.fault(FaultKind::Deal, format!("{deal:?} was not offered"));
    }
    let price = price(scene, imp, bid, verdict);
    ids(scene.asked, bid, verdict);
    let trackers = markup::judge(imp, bid, verdict);
    notices(bid, verdict);
    let Some(price) = price else { return };
    verdict.bids.push(SoundBid {
        id: bid.id.clone(),
        bidid: scene.bidid.to_owned(),
        imp: place,
        price,
        currency: scene.currency.to_owned(),
        seat: seat.unwrap_or_default().to_owned(),
        campaign: bid.cid.clone().unwrap_or_default(),
        ad_id: bid.adid.clone().unwrap_or_default(),
        win_notice: bid.nurl.clone(),
        billing_notice: bid.burl.clone(),
        loss_notice: bid.lurl.clone(),
        trackers,
    });
}

fn price(scene: &Scene<'_>, imp: &AskedImp, bid: &Bid, verdict: &mut Verdict) -> Option<Micros> {
    let text = bid.price.to_string();
    let price = match Micros::from_json(&text) {
        Ok(price) if price > Micros::ZERO && price <= PRICE_MAX => price,
        _ => {
            verdict.fault(FaultKind::Price, text);
            return None;
        }
    };
    let floor = imp.floor.unwrap_or(Micros::ZERO);
    let is_below = if imp.floor_currency == scene.currency {
        price < floor
    } else {
        let offered = scene.scenario.worth(price, scene.currency);
        let wanted = scene.scenario.worth(floor, &imp.floor_currency);
        // Without both rates, nobody can say.
        offered.zip(wanted).is_some_and(|(o, w)| o < w)
    };
    if is_below {
        let (currency, wanted) = (scene.currency, &imp.floor_currency);
        verdict.fault(
            FaultKind::BelowFloor,
            format!("{price} {currency} below {floor} {wanted}"),
        );
    }
    Some(price)
}

fn ids(asked: &Asked, bid: &Bid, verdict: &mut Verdict) {
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
        let is_blocked = |blocked: &String| {
            let blocked = blocked.to_ascii_lowercase();
            *domain == blocked || domain.ends_with(&format!(".{blocked}"))
        };
        if asked.blocked_domains.iter().any(is_blocked) {
            verdict.fault(FaultKind::DomainBlocked, domain);
        }
    }
    for category in &bid.cat {
        let is_blocked =
            |blocked: &String| category == blocked || category.starts_with(&format!("{blocked}-"));
        if asked.blocked_categories.iter().any(is_blocked) {
            verdict.fault(FaultKind::CategoryBlocked, category);
        }
    }
}

fn notices(bid: &Bid, verdict: &mut Verdict) {
    let mut learns_price = bid.adm.as_deref().is_some_and(names_price);
    for (name, url) in [
        ("nurl", &bid.nurl),
        ("burl", &bid.burl),
        ("lurl", &bid.lurl),
        ("iurl", &bid.iurl),
    ] {
        let Some(url) = url else { continue };
        // A macro stands for digits; braces are no part of a URL.
        let probe = url.replace("${", "").replace('}', "");
        let has_foreign = probe.bytes().any(|b| {
            matches!(b, b'<' | b'>' | b'"' | b'\\' | b'^' | b'`' | b'{' | b'|') || !b.is_ascii()
        });
        if Target::parse(url).is_none() || has_foreign {
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
            format!("bid {} never learns the clearing price", bid.id),
        );
    }
}
