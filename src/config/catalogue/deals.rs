//! The `[[deals]]` of a campaign.

use std::sync::Arc;

use super::campaign::check_fuse;
use super::folder::{Parts, check_known};
use crate::campaign::{DEAL_ID_BYTES_MAX, Deal, Market};
use crate::config::keys;
use crate::config::kinds::{ID, Kind, PRICE};
use crate::config::reader::Reader;
use crate::units::{Currency, ExchangeKey};

const DEAL_ID: Kind<Arc<str>> = Kind {
    expects: "a deal's id as the exchange sends it: 1 to 64 bytes without spaces or control characters",
    parse: |text| {
        let fits = (1..=DEAL_ID_BYTES_MAX).contains(&text.len());
        let plain = |c: char| !c.is_whitespace() && !c.is_control();
        (fits && text.chars().all(plain)).then(|| text.into())
    },
};

/// Where the campaign buys, and the deals that could be read.
pub(super) fn read(
    campaign: &mut Reader<'_>,
    currency: Currency,
    parts: &Parts<'_>,
) -> (Market, Vec<Deal>) {
    let market = if campaign.flag("open_market", true) {
        Market::Open
    } else {
        Market::DealsOnly
    };
    let deals = campaign
        .sections("deals", &[keys::DEAL])
        .into_iter()
        .filter_map(|mut reader| one(&mut reader, currency, parts));
    (market, deals.collect())
}

fn one(reader: &mut Reader<'_>, currency: Currency, parts: &Parts<'_>) -> Option<Deal> {
    let id = reader.must("id", &DEAL_ID);
    let exchange = reader.must("exchange", &ID);
    if let Some(name) = &exchange {
        check_known(reader, "exchange", name, parts.places.exchanges.as_deref());
    }
    let price = reader.one("cpm", &PRICE);
    if let Some(price) = price {
        check_fuse(reader, (price, currency), parts);
    }
    let guaranteed = reader.flag("guaranteed", false);
    Some(Deal {
        id: id?,
        exchange: ExchangeKey::of(&exchange?),
        price,
        guaranteed,
    })
}
