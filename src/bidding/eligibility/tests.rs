//! Facts about what fits where, one table per question. Each table's first row is its control.

mod banners;
mod placements;
mod spots;

use serde_json::{Value, json};

use super::*;
use crate::bidding::fixture::place;
use crate::campaign::Rates;
use crate::campaign::fixture::campaign;
use crate::openrtb::{BidRequest, decode};

/// What becomes of a creative in a placement: its least price, or why it is not shown.
fn fitted(imp: &Value, creative: Creative) -> Result<Cpm, PassReason> {
    on_screen(imp, creative, &Value::Null)
}

fn on_screen(imp: &Value, creative: Creative, device: &Value) -> Result<Cpm, PassReason> {
    let mut imp = imp.clone();
    imp["id"] = json!("1");
    let body = json!({ "id": "r", "imp": [imp], "device": device }).to_string();
    let rates = Rates::default();
    let request: BidRequest<'_> = decode(body.as_bytes()).unwrap();
    let context = Context::read(&request, place(&rates))?;
    let chance = Opportunity::read(&request.imps[0], 0, &context)?;
    let mut one = campaign("c");
    one.creatives = vec![creative];
    let mut found = fits((&one, Barred::default()), &context, &chance)?;
    found.next().unwrap().map(|fit| fit.floor)
}

/// Checks rows of a placement's fields against whether a creative fits.
fn check(kind: &str, creative: impl Fn() -> Creative, rows: &[(bool, Value)]) {
    for (fits, fields) in rows {
        let found = fitted(&json!({ kind: fields }), creative());
        assert_eq!(found.is_ok(), *fits, "{fields}: {found:?}");
    }
}
