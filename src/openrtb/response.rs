//! The bid response as JSON (OpenRTB 2.6, section 4.2), written straight into a buffer.
//!
//! Fields without a value are left out, never `null`. What the fields say is the caller's business.

use super::codes::{MarkupType, NoBidReason};
use super::json_writer::{JsonArray, JsonObject};
use super::lenient::CodeSet;
use crate::units::{Cpm, Currency};

/// A response with bids (section 4.2.1).
#[derive(Clone, Copy, Debug)]
pub struct BidResponse<'a> {
    /// The request's id.
    pub id: &'a str,
    /// Our id of the response: what `${AUCTION_BID_ID}` becomes.
    pub bidid: Option<&'a str>,
    /// Currency of every price in it.
    pub cur: Currency,
    /// The bids by seat; at least one seat, for a response without bids is [`write_no_bid`].
    pub seats: &'a [SeatBid<'a>],
}

/// The bids of one seat (section 4.2.2).
#[derive(Clone, Copy, Debug)]
pub struct SeatBid<'a> {
    /// The seat.
    pub seat: Option<&'a str>,
    /// Its bids; at least one.
    pub bids: &'a [Bid<'a>],
}

/// One bid (section 4.2.3).
#[derive(Clone, Copy, Debug)]
pub struct Bid<'a> {
    /// Our id of the bid.
    pub id: &'a str,
    /// The imp it is on.
    pub impid: &'a str,
    /// The price, in the response's currency.
    pub price: Cpm,
    /// Win notice.
    pub nurl: Option<&'a str>,
    /// Billing notice.
    pub burl: Option<&'a str>,
    /// Loss notice.
    pub lurl: Option<&'a str>,
    /// The markup.
    pub adm: Option<&'a str>,
    /// Id of an ad that the exchange holds already: what `${AUCTION_AD_ID}` becomes.
    pub adid: Option<&'a str>,
    /// Domains of the advertiser, the main one first.
    pub adomain: &'a [&'a str],
    /// The app it advertises, as its store knows it.
    pub bundle: Option<&'a str>,
    /// A sample image, without macros.
    pub iurl: Option<&'a str>,
    /// The campaign.
    pub cid: Option<&'a str>,
    /// The creative.
    pub crid: Option<&'a str>,
    /// Taxonomy of `cat`; 1 where absent.
    pub cattax: Option<u32>,
    /// What it is about.
    pub cat: &'a [&'a str],
    /// Attributes of the creative.
    pub attr: CodeSet,
    /// Frameworks that the markup needs.
    pub apis: CodeSet,
    /// The markup's protocol: `codes::VastVersion::protocol`.
    pub protocol: Option<u32>,
    /// Language of the creative, ISO 639-1; `xx` for one without words.
    pub language: Option<&'a str>,
    /// The deal it is on.
    pub dealid: Option<&'a str>,
    /// Width, in device-independent pixels.
    pub w: Option<u32>,
    /// Height, in device-independent pixels.
    pub h: Option<u32>,
    /// Relative width, of a banner that is shown at a ratio.
    pub wratio: Option<u32>,
    /// Relative height.
    pub hratio: Option<u32>,
    /// For how many seconds the bid may be kept before it is shown.
    pub exp_s: Option<u32>,
    /// How many seconds it plays.
    pub dur_s: Option<u32>,
    /// Which place in a dynamic pod it is for: 0 any. Only bids on those say so.
    pub slotinpod: Option<u32>,
    /// What kind of markup it carries.
    pub mtype: Option<MarkupType>,
    /// Google: which billing id pays. An int64, which JSON holds as a text there.
    pub billing_id: Option<i64>,
    /// Who is behind it (the IAB's extension `dsa`).
    pub dsa: Option<BidDsa<'a>>,
}

/// Who is behind a bid, as the Digital Services Act wants it said.
#[derive(Clone, Copy, Debug)]
pub struct BidDsa<'a> {
    /// On whose behalf it is shown.
    pub behalf: &'a str,
    /// Who paid for it.
    pub paid: &'a str,
    /// Which parameters were applied, by the platform's domain.
    pub transparency: &'a [(&'a str, CodeSet)],
    /// Whether the buyer shows it.
    pub adrender: bool,
}

impl<'a> Bid<'a> {
    /// A bid with what every bid must have, and nothing else.
    pub const fn new(id: &'a str, impid: &'a str, price: Cpm) -> Self {
        Self {
            id,
            impid,
            price,
            nurl: None,
            burl: None,
            lurl: None,
            adm: None,
            adid: None,
            adomain: &[],
            bundle: None,
            iurl: None,
            cid: None,
            crid: None,
            cattax: None,
            cat: &[],
            attr: CodeSet::EMPTY,
            apis: CodeSet::EMPTY,
            protocol: None,
            language: None,
            dealid: None,
            w: None,
            h: None,
            wratio: None,
            hratio: None,
            exp_s: None,
            dur_s: None,
            slotinpod: None,
            mtype: None,
            billing_id: None,
            dsa: None,
        }
    }
}

/// Appends a response with bids.
pub fn write_response(out: &mut Vec<u8>, response: &BidResponse<'_>) {
    let mut object = JsonObject::begin(out);
    object.text("id", response.id);
    let mut seats = object.array("seatbid");
    for seat in response.seats {
        write_seat(&mut seats, seat);
    }
    seats.end();
    object.optional_text("bidid", response.bidid);
    object.text("cur", response.cur.as_str());
    object.end();
}

/// Appends a response without bids, for exchanges that want a reason rather than an empty answer.
pub fn write_no_bid(out: &mut Vec<u8>, id: &str, reason: NoBidReason) {
    let mut object = JsonObject::begin(out);
    object.text("id", id);
    object.array("seatbid").end();
    object.integer("nbr", i64::from(reason.to_wire()));
    object.end();
}

fn write_seat(seats: &mut JsonArray<'_>, seat: &SeatBid<'_>) {
    let mut object = seats.object();
    let mut bids = object.array("bid");
    for bid in seat.bids {
        write_bid(&mut bids, bid);
    }
    bids.end();
    object.optional_text("seat", seat.seat);
    object.end();
}

fn write_bid(bids: &mut JsonArray<'_>, bid: &Bid<'_>) {
    let mut object = bids.object();
    object.text("id", bid.id);
    object.text("impid", bid.impid);
    object.price("price", bid.price);
    object.optional_text("nurl", bid.nurl);
    object.optional_text("burl", bid.burl);
    object.optional_text("lurl", bid.lurl);
    object.optional_text("adm", bid.adm);
    object.optional_text("adid", bid.adid);
    object.texts("adomain", bid.adomain.iter().copied());
    object.optional_text("bundle", bid.bundle);
    object.optional_text("iurl", bid.iurl);
    object.optional_text("cid", bid.cid);
    object.optional_text("crid", bid.crid);
    object.optional_integer("cattax", bid.cattax);
    object.texts("cat", bid.cat.iter().copied());
    object.codes("attr", bid.attr);
    object.codes("apis", bid.apis);
    object.optional_integer("protocol", bid.protocol);
    object.optional_text("language", bid.language);
    object.optional_text("dealid", bid.dealid);
    object.optional_integer("w", bid.w);
    object.optional_integer("h", bid.h);
    object.optional_integer("wratio", bid.wratio);
    object.optional_integer("hratio", bid.hratio);
    object.optional_integer("exp", bid.exp_s);
    object.optional_integer("dur", bid.dur_s);
    object.optional_integer("slotinpod", bid.slotinpod);
    object.optional_integer("mtype", bid.mtype.map(MarkupType::to_wire));
    if bid.billing_id.is_some() || bid.dsa.is_some() {
        let mut ext = object.object("ext");
        if let Some(billing_id) = bid.billing_id {
            ext.text("billing_id", &billing_id.to_string());
        }
        if let Some(dsa) = &bid.dsa {
            write_dsa(ext.object("dsa"), dsa);
        }
        ext.end();
    }
    object.end();
}

fn write_dsa(mut object: JsonObject<'_>, dsa: &BidDsa<'_>) {
    object.text("behalf", dsa.behalf);
    object.text("paid", dsa.paid);
    if !dsa.transparency.is_empty() {
        let mut platforms = object.array("transparency");
        for (domain, parameters) in dsa.transparency {
            let mut platform = platforms.object();
            platform.text("domain", domain);
            platform.codes("dsaparams", *parameters);
            platform.end();
        }
        platforms.end();
    }
    object.integer("adrender", i64::from(dsa.adrender));
    object.end();
}

#[cfg(test)]
mod tests;
