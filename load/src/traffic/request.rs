//! Requests: the body, and what it asks for.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::inventory;
use super::media::{self, AskedImp, Slot};
use super::population::{Address, AppStore, Person};
use super::shape::{Shape, fields};
use crate::decimal::Micros;
use crate::rng::{Purpose, Rng};
use crate::scenario::{Dialect, Exchange, Traffic};

/// What a request asks for: all that its answer is checked against.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The request's id.
    pub id: String,
    /// What the winner pays.
    pub pricing: Pricing,
    /// Currencies that a bid may be in.
    pub currencies: Vec<&'static str>,
    /// The placements; at least one.
    pub imps: Vec<AskedImp>,
    /// Domains that may not advertise.
    pub blocked_domains: Vec<String>,
    /// Categories that may not appear.
    pub blocked_categories: Vec<String>,
    /// Which region of the scenario the person is in.
    pub region: usize,
    /// How long an answer may take, in ms.
    pub tmax_ms: u64,
    /// Whether nothing of it is billable.
    pub is_test: bool,
}

/// What the winner of an auction pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pricing {
    /// What it bid (`at` = 1).
    FirstPrice,
    /// A cent above the next best (`at` = 2).
    SecondPrice,
}

/// A request ready to be sent.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Its number in the run.
    pub index: u64,
    /// Which exchange of the scenario sends it.
    pub exchange: usize,
    /// What `x-openrtb-version` says.
    pub version: &'static str,
    /// The JSON.
    pub body: Bytes,
    /// What it asks for.
    pub asked: Asked,
}

/// Makes requests.
pub struct Generator {
    seed: u64,
    traffic: Traffic,
    exchanges: Vec<(Dialect, f64)>,
}

impl Generator {
    /// For these exchanges and this traffic.
    pub fn new(seed: u64, traffic: Traffic, exchanges: &[Exchange]) -> Self {
        Self {
            seed,
            traffic,
            exchanges: exchanges
                .iter()
                .map(|exchange| (exchange.dialect, exchange.weight))
                .collect(),
        }
    }

    /// Request number `index`; `None` only for a scenario without regions or exchanges.
    pub fn request(&self, index: u64) -> Option<Planned> {
        let mut rng = Rng::of(self.seed, Purpose::Request, index);
        let exchange = rng.weighted(self.exchanges.iter().map(|(_, weight)| *weight));
        let (dialect, _) = *self.exchanges.get(exchange)?;
        let shares = &self.traffic.shares;
        let shape = Shape {
            dialect,
            is_old: dialect == Dialect::Xandr || rng.chance(shares.old_shape),
        };
        let person = Person::draw(self.seed, &self.traffic, &mut rng)?;
        let draft = Draft {
            traffic: &self.traffic,
            app: person.device.app.filter(|_| rng.chance(shares.app)),
            privacy: if rng.chance(shares.coppa) {
                Privacy::Child
            } else if rng.chance(shares.limited) {
                Privacy::Limited
            } else {
                Privacy::Ordinary
            },
            person: &person,
            shape: &shape,
        };
        let (asked, body) = draft.write(&mut rng);
        Some(Planned {
            index,
            exchange,
            version: shape.version(),
            body: Bytes::from(body.to_string()),
            asked,
        })
    }
}

/// How private the person wants to be, or has to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Privacy {
    Ordinary,
    /// Tracking is limited.
    Limited,
    /// A child: nothing identifies it.
    Child,
}

/// A request being written.
struct Draft<'a> {
    traffic: &'a Traffic,
    person: &'a Person,
    shape: &'a Shape,
    app: Option<AppStore>,
    privacy: Privacy,
}

impl Draft<'_> {
    fn write(&self, rng: &mut Rng) -> (Asked, Value) {
        let shares = &self.traffic.shares;
        let mut asked = Asked {
            id: self.request_id(rng),
            pricing: if rng.chance(shares.first_price) {
                Pricing::FirstPrice
            } else {
                Pricing::SecondPrice
            },
            currencies: vec!["USD"],
            imps: Vec::new(),
            blocked_domains: Vec::new(),
            blocked_categories: Vec::new(),
            region: self.person.region,
            tmax_ms: rng.between(self.traffic.tmax_ms.0, self.traffic.tmax_ms.1),
            is_test: rng.chance(shares.test),
        };
        if rng.chance(shares.blocking) {
            asked.blocked_domains = some_of(rng, &self.traffic.blocked_domains);
            asked.blocked_categories = some_of(rng, &self.traffic.blocked_categories);
        }
        let mut body = json!({
            "id": asked.id,
            "at": if asked.pricing == Pricing::FirstPrice { 1 } else { 2 },
            "tmax": asked.tmax_ms,
            "cur": asked.currencies,
            "device": self.device(rng),
            "source": self.source(rng),
        });
        let mut imps = Vec::new();
        for place in 0..self.imp_count(rng) {
            let (imp, value) = self.imp(rng, place);
            asked.imps.push(imp);
            imps.push(value);
        }
        let root = fields(&mut body);
        root.insert("imp".to_owned(), Value::Array(imps));
        if !asked.blocked_domains.is_empty() {
            root.insert("badv".to_owned(), json!(asked.blocked_domains));
        }
        if !asked.blocked_categories.is_empty() {
            root.insert("bcat".to_owned(), json!(asked.blocked_categories));
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
        if !self.is_child() && !rng.chance(shares.anonymous) {
            root.insert("user".to_owned(), self.user(rng));
        }
        if self.is_child() || rng.chance(0.3) {
            root.insert("regs".to_owned(), self.regs());
        }
        (asked, body)
    }

    fn is_child(&self) -> bool {
        self.privacy == Privacy::Child
    }

    fn request_id(&self, rng: &mut Rng) -> String {
        let (high, low) = (rng.bits(), rng.bits());
        match self.shape.dialect {
            Dialect::Xandr => format!("{}", high >> 1),
            Dialect::Google | Dialect::OpenRtb => format!("{high:016x}{low:016x}"),
        }
    }

    fn imp_count(&self, rng: &mut Rng) -> u64 {
        let media = &self.traffic.media;
        let single = media.banner + media.video + media.native + media.multi_format;
        if rng.weighted([single, media.multi_imp].into_iter()) == 1 {
            rng.between(2, 3)
        } else {
            1
        }
    }

    fn imp(&self, rng: &mut Rng, place: u64) -> (AskedImp, Value) {
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
            root.insert("ext".to_owned(), json!({"billing_id": [billing]}));
        }
        let slots = self.slots(rng, root);
        let asked = AskedImp {
            id,
            floor,
            floor_currency: currency.to_owned(),
            is_secure,
            slots,
        };
        (asked, imp)
    }

    fn slots(&self, rng: &mut Rng, imp: &mut Map<String, Value>) -> Vec<Slot> {
        let media = &self.traffic.media;
        let weights = [media.banner, media.video, media.native, media.multi_format];
        let is_phone = self.person.device.kind == 4;
        let drawn = rng.weighted(weights.into_iter());
        let mut slots = Vec::new();
        let mut offer = |name: &str, (slot, value): (Slot, Value)| {
            slots.push(slot);
            imp.insert(name.to_owned(), value);
        };
        match drawn {
            1 => offer("video", media::video(rng, self.shape)),
            2 => offer("native", media::native(rng)),
            3 => {
                offer("banner", media::banner(rng, self.shape, is_phone));
                offer("video", media::video(rng, self.shape));
            }
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
        privacy.insert("gdpr".to_owned(), self.shape.flag(false));
        self.shape.put(&mut regs, privacy);
        regs
    }

    fn source(&self, rng: &mut Rng) -> Value {
        let mut source = json!({
            "tid": format!("{:016x}", rng.bits()),
            "fd": self.shape.flag(false),
        });
        let node = json!({"asi": "exchange.example", "sid": format!("{}", 1000 + rng.below(200)), "hp": 1});
        let mut chain = Map::new();
        chain.insert(
            "schain".to_owned(),
            json!({"complete": 1, "ver": "1.0", "nodes": [node]}),
        );
        self.shape.put(&mut source, chain);
        source
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
fn number(price: Micros) -> Value {
    serde_json::from_str(&price.to_string()).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    fn generator(seed: u64) -> Generator {
        let scenario = Scenario::load("steady").unwrap();
        Generator::new(seed, scenario.traffic, &scenario.exchanges)
    }

    #[test]
    fn the_same_seed_sends_the_same_bytes() {
        let (a, b, c) = (generator(5), generator(5), generator(6));
        for index in 0..200 {
            let body = a.request(index).unwrap().body;
            assert_eq!(body, b.request(index).unwrap().body);
            assert_ne!(body, c.request(index).unwrap().body);
        }
    }

    #[test]
    fn every_body_is_an_openrtb_request_of_one_to_four_kilobytes_that_says_what_was_asked() {
        let generator = generator(1);
        let (mut old, mut apps, mut natives) = (0, 0, 0);
        for index in 0..500 {
            let planned = generator.request(index).unwrap();
            assert!(
                (600..5_000).contains(&planned.body.len()),
                "{}",
                planned.body.len()
            );
            let body: Value = serde_json::from_slice(&planned.body).unwrap();
            assert_eq!(body["id"], planned.asked.id);
            assert!(body["site"].is_object() != body["app"].is_object());
            let imps = body["imp"].as_array().unwrap();
            assert_eq!(imps.len(), planned.asked.imps.len());
            for (value, imp) in imps.iter().zip(&planned.asked.imps) {
                assert_eq!(value["id"], imp.id);
                let floor = value["bidfloor"].as_f64().map(|floor| floor.to_string());
                assert_eq!(floor, imp.floor.map(|floor| floor.to_string()));
                natives += usize::from(value["native"].is_object());
            }
            old += usize::from(planned.version != "2.6");
            apps += usize::from(body["app"].is_object());
        }
        assert!(
            old > 100 && apps > 50 && natives > 40,
            "{old} {apps} {natives}"
        );
    }

    #[test]
    fn no_child_is_identified() {
        let generator = generator(1);
        let mut children = 0;
        for index in 0..2_000 {
            let body = generator.request(index).unwrap().body;
            let body: Value = serde_json::from_slice(&body).unwrap();
            let coppa = &body["regs"]["coppa"];
            if coppa == &json!(1) || coppa == &json!(true) {
                children += 1;
                assert!(body["user"].is_null() && body["device"]["ifa"].is_null());
            }
        }
        assert!(children > 10, "{children}");
    }
}
