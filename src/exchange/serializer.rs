//! The serializer: a decision becomes the bytes of a response, with sealed tokens in every URL that reports back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::about::{About, about, taxonomy};
use super::bid_engine::{Decided, STUCK_AFTER};
use super::markup::{Links, write_markup};
use super::region_desk::Hold;
use super::seats::{by_seat, dsa, parameters};
use crate::bidding::{Choice, Shown, shown};
use crate::campaign::{Campaign, Creative, Domain, Format, Language, Offer};
use crate::chaos::FailPoint;
use crate::notice::token::{BillingEvent, Sealer, Token};
use crate::openrtb::codes::MarkupType;
use crate::openrtb::macros::{AUCTION_LOSS, AUCTION_PRICE};
use crate::openrtb::request::Imp;
use crate::openrtb::response::{Bid, BidResponse, SeatBid, write_response};
use crate::openrtb::{CodeSet, Flag};
use crate::supervision::{Spec, Stage, stage};
use crate::units::{BidId, BudgetDay, Epoch, ExchangeKey, LedgerTime, Nanos};

/// A bid with markup is 2 to 4 KB.
const BID_BYTES: usize = 4_096;

/// What an exchange's serializer is given.
#[derive(Clone)]
pub struct SerializerParts {
    /// The exchange.
    pub exchange: ExchangeKey,
    /// Our seat there, for advertisers that have none of their own.
    pub seat: Option<Arc<str>>,
    /// What makes an impression billable there.
    pub billing: BillingEvent,
    /// Whether its bids have a win notice.
    pub win_notices: WinNotices,
    /// Whether its bids name the billing id that pays (Google).
    pub names_billing_id: bool,
    /// The base of notice URLs.
    pub notice_url: Arc<str>,
    /// The base of URLs in markup that must load nothing over plain HTTP.
    pub secure_url: Option<Arc<str>>,
    /// What seals tokens.
    pub sealer: Arc<Sealer>,
    /// What numbers bids.
    pub bid_ids: BidIds,
    /// Where it may be made to fail.
    pub fail_point: FailPoint,
}

/// Whether an exchange's bids have a win notice, `nurl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WinNotices {
    /// They have.
    Sent,
    /// They have not: wins are learnt from bills.
    Unsent,
}

/// Numbers bids: unique over threads, processes and restarts. Cheap to clone.
#[derive(Clone)]
pub struct BidIds {
    incarnation: u64,
    counts: Arc<[AtomicU64]>,
}

impl BidIds {
    /// For this incarnation of the process (64 random bits) and so many data threads.
    pub fn new(incarnation: u64, threads: usize) -> Self {
        Self {
            incarnation,
            counts: (0..threads).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    fn next(&self, thread: usize) -> BidId {
        let count = self
            .counts
            .get(thread)
            .map_or(0, |count| count.fetch_add(1, Ordering::Relaxed));
        BidId::new(
            self.incarnation,
            u16::try_from(thread).unwrap_or(u16::MAX),
            count,
        )
    }
}

/// The serializer as a child.
pub fn serializer(address: &Stage<Serializer>, parts: &SerializerParts) -> Spec {
    let parts = parts.clone();
    stage("serializer", address, move || {
        Ok(Serializer {
            parts: parts.clone(),
        })
    })
    .stuck_after(STUCK_AFTER)
}

/// One exchange's serializer.
pub struct Serializer {
    parts: SerializerParts,
}

/// The texts of a bid that did not exist before it.
#[derive(Default)]
struct Texts {
    id: String,
    nurl: String,
    burl: String,
    lurl: String,
    adm: String,
    protocol: Option<u32>,
}

/// A bid on its way out, with what its JSON borrows.
struct Draft<'a> {
    choice: &'a Choice<Hold>,
    campaign: &'a Campaign,
    creative: &'a Creative,
    imp: &'a Imp<'a>,
    texts: Texts,
    domains: Vec<&'a str>,
    about: About,
    /// What the request asks to be said of who is behind it.
    parameters: Vec<(&'a str, CodeSet)>,
}

impl Serializer {
    /// The response's JSON.
    pub fn write(&self, decided: &Decided<'_>) -> Vec<u8> {
        self.parts.fail_point.pass_inline(&decided.request.id);
        let drafts = decided.choices.iter();
        let drafts: Vec<Draft<'_>> = drafts
            .filter_map(|choice| self.draft(decided, choice))
            .collect();
        let categories: Vec<Vec<&str>> = drafts
            .iter()
            .map(|draft| draft.about.categories())
            .collect();
        let bids: Vec<Bid<'_>> = drafts
            .iter()
            .zip(&categories)
            .map(|(draft, categories)| Bid {
                cat: categories,
                dsa: dsa(draft.campaign, &draft.parameters, &decided.request.regs.dsa),
                ..self.bid(draft)
            })
            .collect();
        let (exchange, shared) = (self.parts.exchange, self.parts.seat.as_deref());
        let seats = drafts.iter();
        let seats = seats.map(|draft| draft.campaign.advertiser.seat_or(exchange, shared));
        let by_seat = by_seat(seats.zip(bids.iter().copied()));
        let seats: Vec<SeatBid<'_>> = by_seat
            .iter()
            .map(|(seat, bids)| SeatBid { seat: *seat, bids })
            .collect();
        let bidid = bids.first().map(|bid| bid.id);
        let response = BidResponse {
            id: &decided.request.id,
            bidid,
            cur: decided.currency,
            seats: &seats,
        };
        let mut out = Vec::with_capacity(bids.len() * BID_BYTES);
        write_response(&mut out, &response);
        out
    }

    /// What a choice becomes; nothing where the catalogue or the request does not have what it names.
    fn draft<'a>(&self, decided: &'a Decided<'_>, choice: &'a Choice<Hold>) -> Option<Draft<'a>> {
        let offer = decided.catalogue.offer(choice.rank)?;
        let imp = decided.request.imps.get(usize::from(choice.imp))?;
        let campaign = &*offer.campaign;
        let creative = campaign.creatives.get(choice.priced.creative)?;
        let taxonomy = taxonomy(decided.request.cattax);
        Some(Draft {
            choice,
            campaign,
            creative,
            imp,
            texts: self.texts(decided, choice, (offer, creative), imp),
            domains: domains(campaign),
            about: about(campaign, creative, taxonomy),
            parameters: parameters(campaign, &decided.request.regs.dsa),
        })
    }

    fn bid<'a>(&self, draft: &'a Draft<'_>) -> Bid<'a> {
        let Draft {
            choice,
            campaign,
            creative,
            imp,
            texts,
            ..
        } = draft;
        let mut bid = Bid::new(&texts.id, &imp.id, choice.priced.price);
        bid.mtype = Some(match &creative.format {
            Format::Banner(_) => MarkupType::Banner,
            Format::Video(_) => MarkupType::Video,
            Format::Audio(_) => MarkupType::Audio,
            Format::Native(_) => MarkupType::Native,
        });
        size(&mut bid, creative, imp);
        bid.dur_s = creative.duration_seconds();
        bid.slotinpod = place_in_pod(creative, imp);
        let some = |text: &'a String| (!text.is_empty()).then_some(text.as_str());
        Bid {
            nurl: some(&texts.nurl),
            burl: some(&texts.burl),
            lurl: some(&texts.lurl),
            adm: some(&texts.adm),
            adomain: &draft.domains,
            cattax: draft.about.taxonomy,
            bundle: creative.bundle.as_deref(),
            iurl: creative.iurl.as_deref(),
            cid: Some(&campaign.id),
            crid: Some(&creative.id),
            attr: attributes(creative, imp),
            apis: CodeSet::from_bits(creative.apis),
            protocol: texts.protocol,
            language: creative.language.as_ref().map(Language::as_str),
            dealid: choice.deal.as_deref(),
            billing_id: imp
                .billing_ids
                .first()
                .copied()
                .filter(|_| self.parts.names_billing_id),
            ..bid
        }
    }

    fn texts(
        &self,
        decided: &Decided<'_>,
        choice: &Choice<Hold>,
        (offer, creative): (&Offer, &Creative),
        imp: &Imp<'_>,
    ) -> Texts {
        let bid = self.parts.bid_ids.next(decided.thread);
        let token = self.token(bid, decided, choice, (offer, creative));
        let mut sealed = Vec::with_capacity(256);
        self.parts.sealer.seal_into(&token, &mut sealed);
        // Base64url is ASCII.
        let sealed = String::from_utf8(sealed).unwrap_or_default();
        let base = &*self.parts.notice_url;
        let in_markup = match &self.parts.secure_url {
            Some(secure) if imp.secure.may_be_yes() => secure,
            _ => base,
        };
        let impression_url = format!("{in_markup}/imp?t={sealed}&p={AUCTION_PRICE}");
        let click_url = format!("{in_markup}/click?t={sealed}");
        let mut texts = Texts {
            id: bid.to_string(),
            lurl: format!("{base}/loss?t={sealed}&r={AUCTION_LOSS}&p={AUCTION_PRICE}"),
            ..Texts::default()
        };
        if self.parts.win_notices == WinNotices::Sent {
            texts.nurl = format!("{base}/win?t={sealed}&p={AUCTION_PRICE}");
        }
        if self.parts.billing == BillingEvent::BillingNotice {
            texts.burl = format!("{base}/bill?t={sealed}&p={AUCTION_PRICE}");
        }
        let mut adm = Vec::with_capacity(BID_BYTES);
        let links = Links {
            impression_url: &impression_url,
            click_url: &click_url,
            serving_id: &texts.id,
        };
        texts.protocol = write_markup(&mut adm, (&offer.campaign, creative), imp, &links);
        // Markup is written as text.
        texts.adm = String::from_utf8(adm).unwrap_or_default();
        texts
    }

    fn token(
        &self,
        bid: BidId,
        decided: &Decided<'_>,
        choice: &Choice<Hold>,
        (offer, creative): (&Offer, &Creative),
    ) -> Token {
        let promise = choice.hold.as_ref().map(Hold::promise);
        let campaign = &*offer.campaign;
        Token {
            bid,
            imp: choice.imp,
            campaign: campaign.key,
            creative: creative.key,
            advertiser: campaign.advertiser.key,
            region: decided.region,
            exchange: self.parts.exchange,
            currency: decided.currency,
            rate: choice.quote.rate,
            margin_per_mille: u16::try_from(campaign.margin_per_mille).unwrap_or(u16::MAX),
            day: promise.map_or(BudgetDay::new(0), |promise| promise.day),
            epoch: promise.map_or(Epoch::new(0), |promise| promise.epoch),
            reserved: promise.map_or(Nanos::ZERO, |promise| promise.reserved),
            price_max: choice.priced.price,
            hold: promise.map_or(0, |promise| promise.hold.get()),
            expires_at: promise.map_or(LedgerTime::from_millis(0), |promise| promise.expires_at),
            bid_at: decided.at,
            billing: self.parts.billing,
            test: decided.is_test,
            user: decided.user.filter(|_| campaign.is_capped()),
            deal: choice.deal.as_deref().map(str::to_owned),
        }
    }
}

fn domains(campaign: &Campaign) -> Vec<&str> {
    let domains = campaign.advertiser.domains.iter();
    domains.map(Domain::as_str).collect()
}

/// What is said of the creative: a player that lets skip shows the button itself, so that it is not the creative's then
/// (OpenRTB 2.6, section 3.2.7, `skip`).
fn attributes(creative: &Creative, imp: &Imp<'_>) -> CodeSet {
    const SKIP_BUTTON: u64 = 1 << 16;
    let lets_skip = imp
        .video
        .as_ref()
        .is_some_and(|slot| slot.skip == Flag::Yes);
    match &creative.format {
        Format::Video(_) if lets_skip => CodeSet::from_bits(creative.attributes & !SKIP_BUTTON),
        _ => CodeSet::from_bits(creative.attributes),
    }
}

/// The size at which a banner is shown, or its ratio.
fn size(bid: &mut Bid<'_>, creative: &Creative, imp: &Imp<'_>) {
    let (Format::Banner(banner), Some(slot)) = (&creative.format, &imp.banner) else {
        return;
    };
    match shown(banner, slot, None) {
        Some(Shown::AtRatio { wratio, hratio }) => {
            (bid.wratio, bid.hratio) = (Some(wratio), Some(hratio));
        }
        // Where no size is asked for, it is its own.
        Some(Shown::AtSize(_)) | None => {
            (bid.w, bid.h) = (Some(banner.size.w), Some(banner.size.h));
        }
    }
}

/// Of a dynamic pod: any place.
fn place_in_pod(creative: &Creative, imp: &Imp<'_>) -> Option<u32> {
    let stream = match &creative.format {
        Format::Video(_) => imp.video.as_ref().map(|video| &video.stream),
        Format::Audio(_) => imp.audio.as_ref().map(|audio| &audio.stream),
        Format::Banner(_) | Format::Native(_) => None,
    };
    stream?.pod.poddur_s.map(|_| 0)
}
