//! What a recorded request asks for, read from its JSON, so that its answer can be checked like any other.
//!
//! Requests of all versions and dialects are read, with the looseness that is found in the wild: flags as numbers, booleans
//! or texts, ids as numbers. What cannot be checked without guessing (flexible sizes, unknown assets) is left out.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use super::media::{AskedImp, Asset, AssetKind, Slot};
use super::request::{Asked, Pricing};
use super::terms;
use crate::decimal::Micros;
use crate::scenario::Traffic;

/// Protocols of streams that `OpenRTB` knows.
const PROTOCOLS: u32 = 16;
/// Without `maxduration`, any length will do.
const SECONDS_MAX: u32 = 86_400;

/// Reads a body; `None` where it is not JSON.
pub(super) fn read(body: &[u8], traffic: &Traffic) -> Option<Asked> {
    let request: Value = serde_json::from_slice(body).ok()?;
    let currencies = texts(&request, "cur").map(Cow::Owned);
    let mut currencies: Vec<Cow<'static, str>> = currencies.collect();
    if currencies.is_empty() {
        currencies.push(Cow::Borrowed("USD"));
    }
    let tmax = request.get("tmax").and_then(whole);
    Some(Asked {
        id: text(&request, "id").unwrap_or_default(),
        pricing: match request.get("at").and_then(whole) {
            Some(1) => Pricing::FirstPrice,
            _ => Pricing::SecondPrice,
        },
        currencies,
        imps: Arc::new(list(&request, "imp").iter().map(imp).collect()),
        blocked_domains: Arc::new(texts(&request, "badv").collect()),
        blocked_categories: Arc::new(texts(&request, "bcat").collect()),
        region: region(&request, traffic),
        tmax_ms: tmax.filter(|ms| *ms > 0).unwrap_or(traffic.tmax_ms.1),
        is_test: is_set(&request, "test"),
        person: terms::person(&request),
        seats: texts(&request, "wseat").collect(),
        blocked_apps: texts(&request, "bapp").collect(),
    })
}

/// The region of the person's country; beyond all regions where none has it.
fn region(request: &Value, traffic: &Traffic) -> usize {
    let country = request
        .pointer("/device/geo/country")
        .and_then(Value::as_str);
    let country = country.unwrap_or_default().to_ascii_uppercase();
    let regions = &traffic.regions;
    let found = regions.iter().position(|region| {
        let mut countries = region.countries.iter();
        countries.any(|known| [known.alpha3, known.alpha2].contains(&country.as_str()))
    });
    found.unwrap_or(regions.len())
}

fn imp(imp: &Value) -> AskedImp {
    let floor = imp.get("bidfloor").and_then(price);
    AskedImp {
        id: text(imp, "id").unwrap_or_default(),
        floor: floor.filter(|floor| *floor > Micros::ZERO),
        floor_currency: text(imp, "bidfloorcur").unwrap_or_else(|| "USD".to_owned()),
        is_secure: is_set(imp, "secure"),
        slots: [
            imp.get("banner")
                .filter(|media| media.is_object())
                .map(banner),
            imp.get("video")
                .filter(|media| media.is_object())
                .map(video),
            imp.get("audio")
                .filter(|media| media.is_object())
                .map(audio),
            imp.get("native").and_then(native),
        ]
        .into_iter()
        .flatten()
        .collect(),
        market: terms::market(imp),
        limits: terms::limits(imp),
    }
}

fn banner(banner: &Value) -> Slot {
    let size = |of: &Value| {
        let (w, h) = (of.get("w").and_then(small)?, of.get("h").and_then(small)?);
        (w > 0 && h > 0).then_some((w, h))
    };
    let mut sizes: Vec<(u32, u32)> = size(banner).into_iter().collect();
    for format in list(banner, "format").iter().filter_map(size) {
        if !sizes.contains(&format) {
            sizes.push(format);
        }
    }
    Slot::Banner(sizes)
}

/// MIME types, lengths and protocols of a stream.
type Stream = (Vec<Cow<'static, str>>, (u32, u32), Vec<u32>, Vec<u32>);

fn stream(media: &Value) -> Stream {
    let mut protocols = numbers(media, "protocols");
    protocols.extend(media.get("protocol").and_then(small));
    if protocols.is_empty() {
        // Nothing is said, so nothing can be wrong: all there are.
        protocols = (1..=PROTOCOLS).collect();
    }
    let seconds = |name: &str| media.get(name).and_then(small);
    let durations = numbers(media, "rqddurs");
    // Exact lengths exclude bounds, and are stricter where both came.
    let bounds = durations.iter().min().zip(durations.iter().max());
    let bounds = bounds.map(|(shortest, longest)| (*shortest, *longest));
    let bounds = bounds.unwrap_or_else(|| {
        let shortest = seconds("minduration").unwrap_or(0);
        (shortest, seconds("maxduration").unwrap_or(SECONDS_MAX))
    });
    let mimes = texts(media, "mimes").map(Cow::Owned);
    (mimes.collect(), bounds, durations, protocols)
}

fn video(media: &Value) -> Slot {
    let (mimes, seconds, durations, protocols) = stream(media);
    Slot::Video {
        mimes,
        seconds,
        durations,
        protocols,
    }
}

fn audio(media: &Value) -> Slot {
    let (mimes, seconds, durations, protocols) = stream(media);
    Slot::Audio {
        mimes,
        seconds,
        durations,
        protocols,
    }
}

/// The request is a text of JSON, or JSON; 1.0 wraps it once more.
fn native(native: &Value) -> Option<Slot> {
    let request = match native.get("request")? {
        Value::String(text) => serde_json::from_str(text).ok()?,
        other => other.clone(),
    };
    let request = request.get("native").unwrap_or(&request);
    let assets = list(request, "assets").iter().filter_map(asset);
    Some(Slot::Native(assets.collect()))
}

fn asset(asset: &Value) -> Option<Asset> {
    let number = |of: &Value, name: &str| of.get(name).and_then(small);
    let kind = if let Some(title) = asset.get("title") {
        AssetKind::Title(number(title, "len").unwrap_or(u32::MAX))
    } else if let Some(image) = asset.get("img") {
        let least = |exact, least| number(image, least).or(number(image, exact)).unwrap_or(0);
        let (w, h) = (least("w", "wmin"), least("h", "hmin"));
        AssetKind::Image(number(image, "type").unwrap_or(0), w, h)
    } else {
        let data = asset.get("data")?;
        let length = number(data, "len").unwrap_or(u32::MAX);
        AssetKind::Text(number(data, "type").unwrap_or(0), length)
    };
    Some(Asset {
        id: number(asset, "id")?,
        is_required: is_set(asset, "required"),
        kind,
    })
}

fn list<'a>(object: &'a Value, name: &str) -> &'a [Value] {
    let found = object.get(name).and_then(Value::as_array);
    found.map_or(&[], Vec::as_slice)
}

/// A text, or a number as text.
fn text(object: &Value, name: &str) -> Option<String> {
    match object.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn texts<'a>(object: &'a Value, name: &str) -> impl Iterator<Item = String> + use<'a> {
    let texts = list(object, name).iter().filter_map(Value::as_str);
    texts.map(str::to_owned)
}

fn numbers(object: &Value, name: &str) -> Vec<u32> {
    list(object, name).iter().filter_map(small).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked before"
)]
fn whole(value: &Value) -> Option<u64> {
    let float = || {
        let float = value.as_f64().filter(|float| (0.0..1e15).contains(float))?;
        Some(float as u64)
    };
    let text = || value.as_str()?.parse().ok();
    value.as_u64().or_else(float).or_else(text)
}

fn small(value: &Value) -> Option<u32> {
    u32::try_from(whole(value)?).ok()
}

fn price(value: &Value) -> Option<Micros> {
    match value {
        Value::Number(number) => Micros::from_json(&number.to_string()).ok(),
        Value::String(text) => Micros::from_json(text).ok(),
        _ => None,
    }
}

fn is_set(object: &Value, name: &str) -> bool {
    match object.get(name) {
        Some(Value::Bool(is_set)) => *is_set,
        Some(value) => whole(value) == Some(1) || value.as_str() == Some("true"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scenario::Scenario;
    use crate::traffic::Generator;

    fn asked(request: &Value) -> Asked {
        let traffic = Scenario::load("steady").unwrap().traffic;
        read(request.to_string().as_bytes(), &traffic).unwrap()
    }

    #[test]
    fn what_is_read_back_is_what_was_meant() {
        let mut scenario = Scenario::load("steady").unwrap();
        scenario.traffic.media.audio = 2.0;
        scenario.traffic.media.pod = 2.0;
        scenario.traffic.deals.share = 0.5;
        scenario.traffic.shares.test = 0.2;
        let traffic = scenario.traffic.clone();
        let generator = Generator::new(3, scenario.traffic, &scenario.exchanges);
        for index in 0..1_000 {
            let planned = generator.request(index).unwrap();
            let mut meant = planned.asked;
            for imp in Arc::make_mut(&mut meant.imps) {
                // A currency without a floor is not sent.
                if imp.floor.is_none() {
                    imp.floor_currency = "USD".to_owned();
                }
            }
            let read = read(&planned.body, &traffic).unwrap();
            assert_eq!(format!("{read:?}"), format!("{meant:?}"));
        }
    }

    #[test]
    fn loose_types_are_read() {
        let asked = asked(&json!({
            "id": 77, "at": "1", "tmax": 86.0, "test": "1", "cur": ["EUR", null],
            "device": {"geo": {"country": "sg"}},
            "imp": [
                {"id": 5, "secure": true, "bidfloor": "0.25", "banner": {"w": "300", "h": 250.0}},
                {"id": "x", "native": {"request": {"native": {"assets": [
                    {"id": 1, "required": true, "title": {"len": 25}}, {"id": 2, "video": {}}]}}}},
                {"id": "y", "video": null},
            ],
        }));
        assert_eq!(
            (asked.id.as_str(), asked.tmax_ms, asked.region),
            ("77", 86, 0)
        );
        assert!(asked.is_test && asked.pricing == Pricing::FirstPrice);
        assert_eq!(asked.currencies, ["EUR"]);
        let [banner, native, none] = &asked.imps[..] else {
            panic!("{:?}", asked.imps);
        };
        assert_eq!(
            (banner.id.as_str(), banner.floor),
            ("5", Some(Micros::new(250_000)))
        );
        assert!(banner.is_secure);
        assert!(matches!(&banner.slots[..], [Slot::Banner(sizes)] if sizes[..] == [(300, 250)]));
        assert!(matches!(&native.slots[..], [Slot::Native(assets)] if assets.len() == 1));
        assert!(none.slots.is_empty());
    }

    #[test]
    fn what_is_absent_has_the_defaults_of_the_text() {
        let asked = asked(&json!({"imp": [{"video": {"mimes": ["video/mp4"]}}]}));
        assert_eq!(asked.pricing, Pricing::SecondPrice);
        assert_eq!((asked.tmax_ms, asked.region), (300, 4));
        assert_eq!(asked.currencies, ["USD"]);
        let imp = &asked.imps[0];
        assert_eq!((imp.floor, imp.floor_currency.as_str()), (None, "USD"));
        assert!(matches!(
            &imp.slots[..],
            [Slot::Video {
                seconds: (0, SECONDS_MAX),
                protocols,
                ..
            }] if protocols.len() == 16
        ));
    }
}
