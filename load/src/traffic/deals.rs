//! Private deals of an imp: who may buy it at an agreed price, and whether anyone else may.

use serde_json::{Map, Value, json};

use super::request::number;
use super::shape::Shape;
use crate::decimal::Micros;
use crate::rng::Rng;
use crate::scenario::Deals;

/// What an imp offers under `pmp`; `None` where it offers no deal.
pub(super) fn offer(
    deals: &Deals,
    shape: &Shape,
    floor: Option<Micros>,
    rng: &mut Rng,
) -> Option<Value> {
    if !rng.chance(deals.share) {
        return None;
    }
    let first = rng.pick(&deals.ids)?;
    let mut ids = vec![first];
    if rng.chance(0.4) {
        ids.extend(rng.pick(&deals.ids).filter(|second| *second != first));
    }
    let is_private = rng.chance(deals.private_share);
    let offered: Vec<Value> = ids
        .into_iter()
        .map(|id| deal(id, floor.unwrap_or(Micros::CENT), rng))
        .collect();
    Some(json!({"private_auction": shape.flag(is_private), "deals": offered}))
}

/// Deals cost more than the open auction; a third have a fixed price, and some are for certain advertisers.
fn deal(id: &str, imp_floor: Micros, rng: &mut Rng) -> Value {
    let extra = i64::try_from(rng.below(150)).unwrap_or(0);
    let floor = Micros::new(imp_floor.get() + extra * Micros::CENT.get());
    let at = match rng.below(3) {
        0 => 1,
        1 => 2,
        _ => 3,
    };
    let mut deal = Map::new();
    deal.insert("id".to_owned(), json!(id));
    deal.insert("bidfloor".to_owned(), number(floor));
    // The imp's currency does not count for deals, and none means USD.
    if rng.chance(0.5) {
        deal.insert("bidfloorcur".to_owned(), json!("USD"));
    }
    deal.insert("at".to_owned(), json!(at));
    if rng.chance(0.2) {
        deal.insert(
            "wadomain".to_owned(),
            json!(["forma.example", "larkwing.example"]),
        );
    }
    Value::Object(deal)
}
