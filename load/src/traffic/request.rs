//! Requests: the body, and what it asks for.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::consent::Signal;
use super::media::{self, AskedImp, Slot};
use super::population::{Address, AppStore, Person};
use super::shape::{Shape, fields, request_id};
use super::{deals, inventory, stream, terms};
use crate::decimal::Micros;
use crate::rng::{Purpose, Rng};
use crate::scenario::{Dialect, Traffic};

/// More imps than any request here has.
const IMPS_MAX: u64 = 16;

/// What a request asks for: all that its answer is checked against.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The request's id.
    pub id: String,
    /// What the winner pays.
    pub pricing: Pricing,
    /// Currencies that a bid may be in.
    pub currencies: Vec<Cow<'static, str>>,
    /// The placements; at least one. Shared, like the two lists below: prepared requests are sent again and again.
    pub imps: Arc<Vec<AskedImp>>,
    /// Domains that may not advertise.
    pub blocked_domains: Arc<Vec<String>>,
    /// Categories that may not appear.
    pub blocked_categories: Arc<Vec<String>>,
    /// Which region of the scenario the person is in.
    pub region: usize,
    /// How long an answer may take, in ms.
    pub tmax_ms: u64,
    /// Whether nothing of it is billable.
    pub is_test: bool,
    /// A fingerprint of the ids by which a bidder may know the person again; `None` where it may not, or cannot.
    pub person: Option<u64>,
    /// Seats that may bid; empty: all.
    pub seats: Vec<String>,
    /// Apps that may not be advertised.
    pub blocked_apps: Vec<String>,
}

/// What the winner of an auction pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pricing {
    /// What it bid (`at` = 1).
    FirstPrice,
    /// A cent above the next best (`at` = 2).
    SecondPrice,
}

/// How private the person wants to be, or has to be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Privacy {
    Ordinary,
    /// Tracking is limited.
    Limited,
    /// A child: nothing identifies it.
    Child,
}

/// A request being written.
pub(super) struct Draft<'a> {
    pub(super) traffic: &'a Traffic,
    pub(super) person: &'a Person,
    pub(super) shape: &'a Shape,
    pub(super) app: Option<AppStore>,
    pub(super) privacy: Privacy,
    /// Seed and index: what rare traits are drawn from, apart from the rest.
    pub(super) traits: (u64, u64),
    pub(super) signal: Signal,
}

/// How the imps of a request belong together.
enum Set {
    /// Not at all: so many.
    Apart(u64),
    /// They are slots of this pod: so many.
    Pod(String, u64),
}

impl Set {
    const fn count(&self) -> u64 {
        match self {
            Self::Apart(count) | Self::Pod(_, count) => *count,
        }
    }
}

impl Draft<'_> {
    /// What the request asks for, and its JSON.
    pub(super) fn write(&self, rng: &mut Rng) -> (Asked, Value) {
        let shares = &self.traffic.shares;
        let mut asked = Asked {
            id: request_id(self.shape.dialect, rng),
            pricing: if rng.chance(shares.first_price) {
                Pricing::FirstPrice
            } else {
                Pricing::SecondPrice
            },
            currencies: vec![Cow::Borrowed("USD")],
            imps: Arc::default(),
            blocked_domains: Arc::default(),
            blocked_categories: Arc::default(),
            region: self.person.region,
            tmax_ms: rng.between(self.traffic.tmax_ms.0, self.traffic.tmax_ms.1),
            is_test: rng.chance(shares.test),
            person: None,
            seats: Vec::new(),
            blocked_apps: Vec::new(),
        };
        if rng.chance(shares.blocking) {
            asked.blocked_domains = some_of(rng, &self.traffic.blocked_domains).into();
            asked.blocked_categories = some_of(rng, &self.traffic.blocked_categories).into();
        }
        let mut body = json!({
            "id": asked.id,
            "at": if asked.pricing == Pricing::FirstPrice { 1 } else { 2 },
            "tmax": asked.tmax_ms,
            "cur": asked.currencies,
            "device": self.device(rng),
        });
        let (source, chain) = self.source(rng);
        let (mut asked_imps, mut imps) = (Vec::new(), Vec::new());
        let set = self.set(rng);
        for place in 0..set.count() {
            let (imp, value) = self.imp(rng, &set, place);
            asked_imps.push(imp);
            imps.push(value);
        }
        asked.imps = asked_imps.into();
        let root = fields(&mut body);
        root.insert("imp".to_owned(), Value::Array(imps));
        root.insert("source".to_owned(), source);
        if !asked.blocked_domains.is_empty() {
            root.insert("badv".to_owned(), json!(*asked.blocked_domains));
        }
        if !asked.blocked_categories.is_empty() {
            root.insert("bcat".to_owned(), json!(*asked.blocked_categories));
        }
        if asked.is_test {
            root.insert("test".to_owned(), self.shape.flag(true));
        }
        match self.app {
            Some(store) => root.insert("app".to_owned(), inventory::app(rng, store)),
            None => root.insert(
                "site".to_owned(),
                inventory::site(rng, self.shape, self.person.country),
            ),
        };
        self.put_person(root, rng);
        if self.shape.dialect == Dialect::Xandr {
            // Where 2.4 has it.
            root.insert("ext".to_owned(), json!({"schain": chain}));
        }
        asked.person = terms::person(&body);
        asked.seats = terms::texts(&body, "wseat");
        asked.blocked_apps = terms::texts(&body, "bapp");
        (asked, body)
    }

    /// Who the person is, and what they allow.
    fn put_person(&self, root: &mut Map<String, Value>, rng: &mut Rng) {
        if !self.is_child() && !rng.chance(self.traffic.shares.anonymous) {
            root.insert("user".to_owned(), self.user(rng));
        }
        if self.is_child() || rng.chance(0.3) || self.signal != Signal::Plain {
            root.insert("regs".to_owned(), self.regs());
        }
        if !self.is_child() {
            self.signal.put(self.shape, root);
        }
    }

    fn is_child(&self) -> bool {
        self.privacy == Privacy::Child
    }

    fn set(&self, rng: &mut Rng) -> Set {
        let media = &self.traffic.media;
        let single = media.banner + media.video + media.native + media.multi_format + media.audio;
        match rng.weighted([single, media.multi_imp, media.pod].into_iter()) {
            1 => Set::Apart(rng.between(2, 3)),
            2 => Set::Pod(format!("pod-{}", rng.below(1_000)), rng.between(2, 3)),
            _ => Set::Apart(1),
        }
    }

    fn imp(&self, rng: &mut Rng, set: &Set, place: u64) -> (AskedImp, Value) {
        let (traffic, shape) = (self.traffic, self.shape);
        let id = match shape.dialect {
            Dialect::Xandr => format!("{}", rng.bits() >> 1),
            Dialect::Google | Dialect::OpenRtb => (place + 1).to_string(),
        };
        let is_secure = rng.chance(traffic.shares.secure);
        let currency = rng.weighted(traffic.floor_currencies.iter().map(|(_, weight)| *weight));
        let currency = traffic.floor_currencies.get(currency);
        let currency = currency.map_or("USD", |(currency, _)| currency.as_str());
        let floor = rng.chance(traffic.shares.floor).then(|| self.floor(rng));
        let mut imp = json!({
            "id": id,
            "tagid": format!("slot-{}", rng.below(400)),
            "secure": shape.flag(is_secure),
            "instl": shape.flag(false),
            "exp": 300,
        });
        let root = fields(&mut imp);
        if let Some(floor) = floor {
            root.insert("bidfloor".to_owned(), number(floor));
            root.insert("bidfloorcur".to_owned(), json!(currency));
        }
        if shape.dialect == Dialect::Google {
            // 64-bit numbers are strings in Google's JSON.
            let billing = (7_000_000_000 + rng.below(5)).to_string();
            let ext =
                json!({"billing_id": [billing], "publisher_settings_list_id": ["7000000100"]});
            root.insert("ext".to_owned(), ext);
        }
        if shape.dialect == Dialect::Xandr {
            root.insert(
                "ext".to_owned(),
                json!({"appnexus": {"seller_member_id": 958}}),
            );
        }
        let slots = self.slots(rng, set, place, root);
        let (seed, index) = self.traits;
        let mut traits = Rng::of(seed, Purpose::Deal, index * IMPS_MAX + place);
        if let Some(pmp) = deals::offer(&traffic.deals, shape, floor, &mut traits) {
            root.insert("pmp".to_owned(), pmp);
        }
        let asked = AskedImp {
            id,
            floor,
            floor_currency: currency.to_owned(),
            is_secure,
            slots,
            market: terms::market(&imp),
            limits: terms::limits(&imp),
        };
        (asked, imp)
    }

    fn slots(
        &self,
        rng: &mut Rng,
        set: &Set,
        place: u64,
        imp: &mut Map<String, Value>,
    ) -> Vec<Slot> {
        let media = &self.traffic.media;
        let weights = [
            media.banner,
            media.video,
            media.native,
            media.multi_format,
            media.audio,
        ];
        let is_phone = self.person.device.kind == 4;
        let drawn = rng.weighted(weights.into_iter());
        let mut slots = Vec::new();
        let mut offer = |name: &str, (slot, value): (Slot, Value)| {
            slots.push(slot);
            imp.insert(name.to_owned(), value);
        };
        if let Set::Pod(pod, _) = set {
            let video = media::video(rng, self.shape);
            offer("video", stream::in_pod(self.shape, (pod, place), video));
            return slots;
        }
        match drawn {
            1 => offer("video", media::video(rng, self.shape)),
            2 => offer("native", media::native(rng)),
            3 => {
                offer("banner", media::banner(rng, self.shape, is_phone));
                offer("video", media::video(rng, self.shape));
            }
            4 => offer("audio", stream::audio(rng)),
            _ => offer("banner", media::banner(rng, self.shape, is_phone)),
        }
        slots
    }

    /// Low floors are frequent. Rounded to cents, as exchanges write them.
    fn floor(&self, rng: &mut Rng) -> Micros {
        let (low, high) = self.traffic.floors;
        let span = u64::try_from(high.get().saturating_sub(low.get())).unwrap_or(0);
        let drawn = rng.below(span + 1).min(rng.below(span + 1));
        let cents = low.get().saturating_add_unsigned(drawn) / Micros::CENT.get();
        Micros::new(cents.max(1) * Micros::CENT.get())
    }

    fn device(&self, rng: &mut Rng) -> Value {
        let (device, country) = (self.person.device, self.person.country);
        let code = if rng.chance(self.traffic.shares.alpha2) {
            country.alpha2
        } else {
            country.alpha3
        };
        let mut value = json!({
            "ua": device.ua,
            "devicetype": device.kind,
            "make": device.make,
            "model": device.model,
            "os": device.os,
            "osv": device.osv,
            "w": device.screen.0,
            "h": device.screen.1,
            "js": self.shape.flag(true),
            "language": country.language,
            "connectiontype": rng.pick(&[2, 6, 7]),
            "mccmnc": country.carrier,
            "lmt": self.shape.flag(self.privacy == Privacy::Limited),
            "dnt": self.shape.flag(false),
            "geo": {
                "country": code,
                "city": country.city,
                "lat": country.place.0,
                "lon": country.place.1,
                "type": 2,
                "utcoffset": country.utc_offset_minutes,
            },
        });
        let root = fields(&mut value);
        match &self.person.address {
            Address::V4(address) => root.insert("ip".to_owned(), json!(address)),
            Address::V6(address) => root.insert("ipv6".to_owned(), json!(address)),
        };
        if device.app.is_some() && !self.is_child() {
            let ifa = if self.privacy == Privacy::Limited {
                "00000000-0000-0000-0000-000000000000"
            } else {
                &self.person.ifa
            };
            root.insert("ifa".to_owned(), json!(ifa));
        }
        value
    }

    fn user(&self, rng: &mut Rng) -> Value {
        let segment = json!({"id": rng.below(900).to_string(), "value": "1"});
        let mut user = json!({
            "id": self.person.id,
            "buyeruid": format!("b-{}", self.person.id),
            "yob": self.person.born,
            "data": [{"id": "segments.example", "name": "interest", "segment": [segment]}],
        });
        let mut eids = Map::new();
        let uid = json!({"id": self.person.id, "atype": 1});
        eids.insert(
            "eids".to_owned(),
            json!([{"source": "ids.example", "uids": [uid]}]),
        );
        self.shape.put(&mut user, eids);
        user
    }

    fn regs(&self) -> Value {
        let mut regs = json!({"coppa": self.shape.flag(self.is_child())});
        let mut privacy = Map::new();
        let is_gdpr = self.signal.is_gdpr();
        privacy.insert("gdpr".to_owned(), self.shape.flag(is_gdpr));
        privacy.extend(self.signal.regs());
        self.shape.put(&mut regs, privacy);
        regs
    }

    /// The request's source, and its supply chain, which it holds in all dialects but one.
    fn source(&self, rng: &mut Rng) -> (Value, Value) {
        let mut source = json!({
            "tid": format!("{:016x}", rng.bits()),
            "fd": self.shape.flag(false),
        });
        let node = json!({
            "asi": "exchange.example",
            "sid": format!("{}", 1000 + rng.below(200)),
            "hp": self.shape.flag(true),
        });
        let chain = json!({"complete": self.shape.flag(true), "ver": "1.0", "nodes": [node]});
        if self.shape.dialect != Dialect::Xandr {
            let mut fields = Map::new();
            fields.insert("schain".to_owned(), chain.clone());
            self.shape.put(&mut source, fields);
        }
        (source, chain)
    }
}

/// Between one and all of them.
fn some_of(rng: &mut Rng, all: &[String]) -> Vec<String> {
    let mut some: Vec<String> = all.iter().filter(|_| rng.chance(0.5)).cloned().collect();
    if some.is_empty() {
        some.extend(rng.pick(all).cloned());
    }
    some
}

/// A price as a JSON number. Cents are written as they are by every JSON library.
pub(super) fn number(price: Micros) -> Value {
    serde_json::from_str(&price.to_string()).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests;
