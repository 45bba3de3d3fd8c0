//! What a request rules out or offers beside its placements: deals, seats, attributes and kinds of markup, apps.
//!
//! Read from the JSON that is sent, so that it holds whoever wrote it.

use serde_json::Value;

use super::request::Pricing;
use crate::decimal::Micros;

/// A deal that an imp offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedDeal {
    /// Its id, which a bid names.
    pub id: String,
    /// The lowest price, or the agreed one.
    pub floor: Micros,
    /// The currency of that price; it is not the imp's.
    pub floor_currency: String,
    /// What its winner pays.
    pub pricing: DealPricing,
    /// Seats that may use it; empty: all.
    pub seats: Vec<String>,
    /// Advertisers that may use it; empty: all.
    pub advertisers: Vec<String>,
}

/// What the winner of a deal pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DealPricing {
    /// As the request says.
    AsRequest,
    /// As this says, whatever the request says.
    Auction(Pricing),
    /// The floor: it is the agreed price.
    Fixed,
}

/// Who may buy an imp, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Market {
    /// Deals on offer.
    pub deals: Vec<AskedDeal>,
    /// Whether only deals may buy.
    pub is_private: bool,
}

/// What one kind of markup may not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The kind, as `mtype` counts them: 1 banner, 2 video, 3 audio, 4 native.
    pub markup: u32,
    /// Creative attributes that are blocked (`battr`).
    pub attributes: Vec<u64>,
    /// Kinds of banner markup that are blocked (`btype`).
    pub banner_types: Vec<u64>,
}

/// Who may buy this imp.
pub(super) fn market(imp: &Value) -> Market {
    let Some(pmp) = imp.get("pmp") else {
        return Market::default();
    };
    Market {
        deals: list(pmp, "deals").iter().filter_map(deal).collect(),
        is_private: is_set(pmp.get("private_auction")),
    }
}

fn deal(value: &Value) -> Option<AskedDeal> {
    let floor = value.get("bidfloor").map(Value::to_string);
    let currency = value.get("bidfloorcur").and_then(Value::as_str);
    Some(AskedDeal {
        id: value.get("id")?.as_str()?.to_owned(),
        floor: floor
            .and_then(|text| Micros::from_json(&text).ok())
            .unwrap_or(Micros::ZERO),
        floor_currency: currency.unwrap_or("USD").to_owned(),
        pricing: match value.get("at").and_then(Value::as_u64) {
            Some(1) => DealPricing::Auction(Pricing::FirstPrice),
            Some(2) => DealPricing::Auction(Pricing::SecondPrice),
            Some(3) => DealPricing::Fixed,
            _ => DealPricing::AsRequest,
        },
        seats: texts(value, "wseat"),
        advertisers: texts(value, "wadomain"),
    })
}

/// What each kind of markup of this imp may not be.
pub(super) fn limits(imp: &Value) -> Vec<Limits> {
    let kinds = [(1, "banner"), (2, "video"), (3, "audio"), (4, "native")];
    let of = |(markup, name): (u32, &str)| {
        let media = imp.get(name)?;
        Some(Limits {
            markup,
            attributes: numbers(media, "battr"),
            banner_types: numbers(media, "btype"),
        })
    };
    kinds.into_iter().filter_map(of).collect()
}

/// A fingerprint of the ids by which a bidder may know a person again; `None` where there are none, or where the person
/// may not be known: a child, or one who limits tracking.
///
/// Two requests have the same one only if all of their ids agree, so they are of the same person in any reading.
pub(super) fn person(request: &Value) -> Option<u64> {
    let (device, user) = (request.get("device"), request.get("user"));
    let is_private = [
        request.get("regs").and_then(|regs| regs.get("coppa")),
        device.and_then(|device| device.get("lmt")),
        device.and_then(|device| device.get("dnt")),
    ];
    if is_private.into_iter().any(is_set) {
        return None;
    }
    let text = |object: Option<&Value>, name: &str| {
        let found = object.and_then(|object| object.get(name));
        found.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let ids = [
        text(user, "buyeruid"),
        text(user, "id"),
        text(device, "ifa"),
    ];
    let is_some = |id: &String| id.bytes().any(|b| !matches!(b, b'0' | b'-'));
    ids.iter()
        .any(is_some)
        .then(|| crate::oracle::fingerprint(&ids))
}

/// Texts of a list; what is none is left out.
pub(super) fn texts(object: &Value, name: &str) -> Vec<String> {
    let texts = list(object, name).iter().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

fn numbers(object: &Value, name: &str) -> Vec<u64> {
    let numbers = list(object, name).iter();
    numbers.filter_map(Value::as_u64).collect()
}

fn list<'a>(object: &'a Value, name: &str) -> &'a [Value] {
    let found = object.get(name).and_then(Value::as_array);
    found.map_or(&[], Vec::as_slice)
}

/// Exchanges write a flag as a number or as a boolean.
fn is_set(flag: Option<&Value>) -> bool {
    flag.is_some_and(|flag| flag.as_u64() == Some(1) || flag.as_bool() == Some(true))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn deals_are_read_with_their_own_floor_currency_and_price() {
        let imp = json!({"bidfloorcur": "EUR", "pmp": {"private_auction": true, "deals": [
            {"id": "a", "bidfloor": 2.5, "at": 3, "wseat": ["7"], "wadomain": ["x.example"]},
            {"id": "b", "bidfloorcur": "SGD"},
        ]}});
        let market = market(&imp);
        assert!(market.is_private);
        let [a, b] = &market.deals[..] else {
            panic!("{market:?}")
        };
        assert_eq!(
            (a.floor.get(), a.floor_currency.as_str()),
            (2_500_000, "USD")
        );
        assert_eq!(
            (a.pricing, b.pricing),
            (DealPricing::Fixed, DealPricing::AsRequest)
        );
        assert_eq!(
            (a.seats.len(), b.seats.len(), a.advertisers.len()),
            (1, 0, 1)
        );
        assert_eq!((b.floor, b.floor_currency.as_str()), (Micros::ZERO, "SGD"));
        assert_eq!(super::market(&json!({})), Market::default());
    }

    #[test]
    fn limits_are_those_of_each_kind_of_markup() {
        let imp = json!({"banner": {"battr": [1, 3], "btype": [4]}, "video": {"battr": [2]}});
        let found: Vec<(u32, usize, usize)> = limits(&imp)
            .iter()
            .map(|limits| {
                (
                    limits.markup,
                    limits.attributes.len(),
                    limits.banner_types.len(),
                )
            })
            .collect();
        assert_eq!(found, [(1, 2, 1), (2, 1, 0)]);
    }

    #[test]
    fn a_person_is_known_by_all_ids_together_and_not_where_privacy_forbids() {
        let request = |user: &str, ifa: &str| json!({"user": {"id": user}, "device": {"ifa": ifa}});
        let known = person(&request("u", "i"));
        assert!(known.is_some());
        assert_eq!(known, person(&request("u", "i")));
        assert_ne!(known, person(&request("u", "j")));
        assert_ne!(known, person(&request("v", "i")));
        assert_eq!(person(&request("", "00000000-0000")), None);
        let mut limited = request("u", "i");
        limited["device"]["lmt"] = json!(true);
        assert_eq!(person(&limited), None);
        let mut child = request("u", "i");
        child["regs"] = json!({"coppa": 1});
        assert_eq!(person(&child), None);
    }
}
