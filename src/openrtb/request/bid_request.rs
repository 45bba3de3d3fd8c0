//! The top level of a request, and what makes a body one (OpenRTB 2.6, section 3.2.1).

use std::marker::PhantomData;

use serde::de::{IgnoredAny, MapAccess, SeqAccess};
use thiserror::Error;

use super::{Channel, ChannelKind, Device, Imp, Regs, Source, User};
use crate::openrtb::lenient::{
    Currencies, Flag, Given, Lenient, Millis, Object, Seed, Text, TextList, nests_deeper_than,
    read, read_document, skip,
};

/// How deep a request may nest. OpenRTB's own tree is under 10 levels; the rest is for extensions.
pub const MAX_DEPTH: usize = 64;

/// How many imps of a request are read: real requests carry under 20. The rest is counted and not bid on.
pub const MAX_IMPS: usize = 64;

/// A bid request; everything a bidder needs of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BidRequest<'a> {
    /// The auction's id, never empty. Echoed in the response.
    pub id: Text<'a>,
    /// What is for sale: at least one, each with an id.
    pub imps: Vec<Imp<'a>>,
    /// How many elements of `imp` were left out: over [`MAX_IMPS`], without an id, or not objects.
    pub imps_left_out: u32,
    /// The site, app or screen, if one is described.
    pub channel: Option<Channel<'a>>,
    /// Whether more than one of site, app and dooh was sent, which the spec forbids; `channel` is then the last one.
    pub channel_is_ambiguous: bool,
    /// The user's device; all fields absent where none is described.
    pub device: Device<'a>,
    /// The user; all fields absent where none is described.
    pub user: User<'a>,
    /// Regulations, from their present and former places.
    pub regs: Regs<'a>,
    /// How the request came here.
    pub source: Source<'a>,
    /// A test: answered as always, never billed.
    pub test: Flag,
    /// Auction type: 1 first price, 2 second price plus (the default), 3 fixed price, others private.
    pub at: Option<u32>,
    /// How long the exchange waits, in ms including the network. Zero and negative ones are absent.
    pub tmax_ms: Option<u32>,
    /// Seats allowed to bid.
    pub wseat: TextList<'a>,
    /// Seats not allowed to bid.
    pub bseat: TextList<'a>,
    /// Currencies a bid may be in.
    pub cur: Given<Currencies>,
    /// Languages allowed for creatives, ISO 639-1.
    pub wlang: TextList<'a>,
    /// Languages allowed for creatives, BCP 47.
    pub wlangb: TextList<'a>,
    /// Advertiser categories allowed, in taxonomy `cattax`.
    pub acat: TextList<'a>,
    /// Advertiser categories blocked, in taxonomy `cattax`.
    pub bcat: TextList<'a>,
    /// Taxonomy of `acat` and `bcat`; 1 (IAB Content 1.0) where absent.
    pub cattax: Given<u32>,
    /// Advertiser domains blocked.
    pub badv: TextList<'a>,
    /// Apps that may not be advertised, by store id.
    pub bapp: TextList<'a>,
}

/// Why a body is not a bid request. The answer to each is 400 without a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// Not UTF-8.
    #[error("body is not utf-8: valid up to byte {valid_up_to}")]
    NotUtf8 {
        /// How many bytes are in order.
        valid_up_to: usize,
    },
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("body nests deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// Not JSON, or followed by something else, or with a text or number that JSON cannot hold.
    #[error("body is not json: line {line} column {column}")]
    NotJson {
        /// The line, from 1.
        line: usize,
        /// The column in bytes, from 1; 0 where the line has just begun.
        column: usize,
    },
    /// JSON, but not an object.
    #[error("body is not a json object")]
    NotAnObject,
    /// No `id`, or none that could be echoed.
    #[error("request has no id")]
    NoId,
    /// `imp` is something other than an array.
    #[error("imp is not an array")]
    ImpNotAList,
    /// No imp, or none with an id.
    #[error("request has no usable imp")]
    NoImp,
}

impl DecodeError {
    /// A label for metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotUtf8 { .. } => "not_utf8",
            Self::TooDeep => "too_deep",
            Self::NotJson { .. } => "not_json",
            Self::NotAnObject => "not_an_object",
            Self::NoId => "no_id",
            Self::ImpNotAList => "imp_not_a_list",
            Self::NoImp => "no_imp",
        }
    }
}

/// Reads a request from its (already unzipped) body. A byte order mark in front is tolerated.
///
/// # Errors
/// [`DecodeError`]: the body is no request that could be answered. Anything less is tolerated: see the fields.
pub fn decode(body: &[u8]) -> Result<BidRequest<'_>, DecodeError> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let text = std::str::from_utf8(body).map_err(|error| DecodeError::NotUtf8 {
        valid_up_to: error.valid_up_to(),
    })?;
    if nests_deeper_than(MAX_DEPTH, text) {
        return Err(DecodeError::TooDeep);
    }
    let document: Option<Document<'_>> =
        read_document(text).map_err(|error| DecodeError::NotJson {
            line: error.line(),
            column: error.column(),
        })?;
    document.ok_or(DecodeError::NotAnObject)?.checked()
}

impl<'a> BidRequest<'a> {
    /// The site, if that is where the ad would be shown.
    pub fn site(&self) -> Option<&Channel<'a>> {
        self.channel_of(ChannelKind::Site)
    }

    /// The app, if that is where the ad would be shown.
    pub fn app(&self) -> Option<&Channel<'a>> {
        self.channel_of(ChannelKind::App)
    }

    /// The digital out-of-home screen, if that is where the ad would be shown.
    pub fn dooh(&self) -> Option<&Channel<'a>> {
        self.channel_of(ChannelKind::Dooh)
    }

    fn channel_of(&self, kind: ChannelKind) -> Option<&Channel<'a>> {
        self.channel.as_ref().filter(|channel| channel.kind == kind)
    }
}

/// A request on its way in: whether it is one shows only at the end.
#[derive(Default)]
struct Document<'a> {
    request: BidRequest<'a>,
    id: Option<Text<'a>>,
    imps: Imps<'a>,
}

#[derive(Default)]
enum Imps<'a> {
    #[default]
    Absent,
    NotAList,
    List {
        imps: Vec<Imp<'a>>,
        left_out: u32,
    },
}

impl<'a> Document<'a> {
    fn checked(self) -> Result<BidRequest<'a>, DecodeError> {
        let id = self.id.ok_or(DecodeError::NoId)?;
        let (mut imps, imps_left_out) = match self.imps {
            Imps::Absent => return Err(DecodeError::NoImp),
            Imps::NotAList => return Err(DecodeError::ImpNotAList),
            Imps::List { imps, .. } if imps.is_empty() => return Err(DecodeError::NoImp),
            Imps::List { imps, left_out } => (imps, left_out),
        };
        mark_ambiguous(&mut imps);
        Ok(BidRequest {
            id,
            imps,
            imps_left_out,
            ..self.request
        })
    }

    fn take_channel(&mut self, kind: ChannelKind, channel: Option<Channel<'a>>) {
        if let Some(channel) = channel {
            let earlier = self.request.channel.replace(Channel { kind, ..channel });
            self.request.channel_is_ambiguous |= earlier.is_some();
        }
    }
}

/// Marks imps that share an id: an answer could not say which of them it means.
fn mark_ambiguous(imps: &mut [Imp<'_>]) {
    let mut rest = imps;
    while let Some((imp, others)) = rest.split_first_mut() {
        for other in others.iter_mut().filter(|other| other.id == imp.id) {
            other.is_ambiguous = true;
            imp.is_ambiguous = true;
        }
        rest = others;
    }
}

impl<'de> Object<'de> for Document<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let request = &mut self.request;
        match key {
            "id" => self.id = read(map)?,
            "imp" => self.imps = read(map)?,
            "site" => {
                let site = read(map)?;
                self.take_channel(ChannelKind::Site, site);
            }
            "app" => {
                let app = read(map)?;
                self.take_channel(ChannelKind::App, app);
            }
            "dooh" => {
                let dooh = read(map)?;
                self.take_channel(ChannelKind::Dooh, dooh);
            }
            "device" => request.device = read(map)?,
            "user" => request.user = read(map)?,
            "regs" => request.regs = Regs::of(read(map)?),
            // OpenRTB 2.4 had the supply chain in the request's own ext, which reads like a source.
            "source" | "ext" => {
                let source = read(map)?;
                request.source.join(source);
            }
            "test" => request.test = read(map)?,
            "at" => request.at = read(map)?,
            "tmax" => request.tmax_ms = read::<Millis, A>(map)?.0,
            "wseat" => request.wseat = read(map)?,
            "bseat" => request.bseat = read(map)?,
            "cur" => request.cur = read(map)?,
            "wlang" => request.wlang = read(map)?,
            "wlangb" => request.wlangb = read(map)?,
            "acat" => request.acat = read(map)?,
            "bcat" => request.bcat = read(map)?,
            "cattax" => request.cattax = read(map)?,
            "badv" => request.badv = read(map)?,
            "bapp" => request.bapp = read(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

impl<'de> Lenient<'de> for Imps<'de> {
    fn absent() -> Self {
        Self::Absent
    }

    fn misfit() -> Self {
        Self::NotAList
    }

    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let mut imps: Vec<Imp<'de>> = Vec::new();
        let mut left_out = 0_u32;
        while imps.len() < MAX_IMPS {
            match items.next_element_seed(Seed::<Option<Imp<'de>>>(PhantomData))? {
                None => return Ok(Self::List { imps, left_out }),
                Some(Some(imp)) if imp.is_usable() => imps.push(imp),
                Some(_) => left_out = left_out.saturating_add(1),
            }
        }
        while items.next_element::<IgnoredAny>()?.is_some() {
            left_out = left_out.saturating_add(1);
        }
        Ok(Self::List { imps, left_out })
    }
}
