//! Private deals (OpenRTB 2.6, sections 3.2.11 and 3.2.12).

use serde::de::MapAccess;

use super::DurationFloor;
use crate::openrtb::lenient::{Flag, Given, Listed, Object, Text, TextList, read, skip};
use crate::units::{Cpm, Currency};

/// The deals of a placement.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pmp<'a> {
    /// Whether only bids on one of the deals are taken; ask [`Flag::may_be_yes`].
    pub private_auction: Flag,
    /// The deals that have an id.
    pub deals: Vec<Deal<'a>>,
}

/// One deal.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deal<'a> {
    /// Its id, never empty.
    pub id: Text<'a>,
    /// The least bid, or the agreed price where `at` is 3.
    pub bidfloor: Given<Cpm>,
    /// Currency of the deal's floors; USD where absent, whatever the imp says.
    pub bidfloorcur: Given<Currency>,
    /// Auction type; the request's where absent. 3: `bidfloor` is the agreed price.
    pub at: Option<u32>,
    /// Seats that may use it; any where empty and not unreadable.
    pub wseat: TextList<'a>,
    /// Advertiser domains that may use it; any where empty and not unreadable.
    pub wadomain: TextList<'a>,
    /// Guaranteed: the bidder must bid.
    pub guar: Flag,
    /// Least CPM per second of the ad.
    pub mincpmpersec: Given<Cpm>,
    /// Floors by duration.
    pub durfloors: Listed<DurationFloor>,
}

impl Pmp<'_> {
    /// Deals as they were sent; what cannot be read may be private.
    pub(super) fn of(sent: Given<Self>) -> Self {
        match sent {
            Given::Absent => Self::default(),
            Given::Value(pmp) => pmp,
            Given::Unreadable => Self {
                private_auction: Flag::Odd,
                deals: Vec::new(),
            },
        }
    }
}

impl<'de> Object<'de> for Pmp<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "private_auction" => self.private_auction = read(map)?,
            "deals" => self.deals = read(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

impl<'de> Object<'de> for Deal<'de> {
    /// Some exchanges list every deal of a seat; few list more than this.
    const MAX_LISTED: usize = 128;

    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "id" => self.id = read::<Option<Text<'de>>, A>(map)?.unwrap_or_default(),
            "bidfloor" => self.bidfloor = read(map)?,
            "bidfloorcur" => self.bidfloorcur = read(map)?,
            "at" => self.at = read(map)?,
            "wseat" => self.wseat = read(map)?,
            "wadomain" => self.wadomain = read(map)?,
            "guar" => self.guar = read(map)?,
            "mincpmpersec" => self.mincpmpersec = read(map)?,
            "durfloors" => self.durfloors = read(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }

    fn is_usable(&self) -> bool {
        !self.id.is_empty()
    }
}
