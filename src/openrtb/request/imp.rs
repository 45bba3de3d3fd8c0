//! One placement that is for sale (OpenRTB 2.6, section 3.2.4).

use std::borrow::Cow;

use serde::de::{MapAccess, SeqAccess};

use super::{Audio, Banner, Native, Pmp, Video};
use crate::openrtb::lenient::{Element, Flag, Given, Lenient, Object, Text, read, skip};
use crate::units::{Cpm, Currency};

/// A placement: at least one of banner, video, audio and native, its floor and its deals.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Imp<'a> {
    /// The placement's id in this request, never empty.
    pub id: Text<'a>,
    /// Whether another imp of the request has the same id, so that a bid could mean either.
    pub is_ambiguous: bool,
    /// The placement takes a banner.
    pub banner: Option<Banner<'a>>,
    /// The placement takes a video.
    pub video: Option<Video<'a>>,
    /// The placement takes audio.
    pub audio: Option<Audio<'a>>,
    /// The placement takes a native ad.
    pub native: Option<Native>,
    /// Private deals; none and open where absent.
    pub pmp: Pmp<'a>,
    /// Interstitial or full screen.
    pub instl: Flag,
    /// The exchange's name of the placement.
    pub tagid: Option<Text<'a>>,
    /// The least bid; 0 where absent, and for negative ones.
    pub bidfloor: Given<Cpm>,
    /// Currency of this imp's floors (not of its deals'); USD where absent.
    pub bidfloorcur: Given<Currency>,
    /// Whether everything must come over https; unknown where absent.
    pub secure: Flag,
    /// The user is rewarded for watching; from its present and former places.
    pub rwdd: Flag,
    /// Server-side insertion: 0 unknown, 1 client, 2 stitched with client pixels, 3 all server.
    pub ssai: Option<u32>,
    /// How many seconds may pass from auction to impression.
    pub exp_s: Option<u32>,
    /// How many impressions one play counts for (DOOH); one where absent.
    pub qty: Given<Quantity>,
    /// Google: the billing ids that may pay for this imp.
    pub billing_ids: Vec<i64>,
}

/// Several impressions at once (section 3.2.31).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quantity {
    /// Impressions per play, in millionths, rounded up.
    pub multiplier_millionths: Given<i64>,
}

impl<'de> Object<'de> for Imp<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "id" => self.id = read::<Option<Text<'de>>, A>(map)?.unwrap_or_default(),
            "banner" => self.banner = read(map)?,
            "video" => {
                let video: Option<Video<'de>> = read(map)?;
                if let Some(video) = &video {
                    self.rwdd = self.rwdd.stricter(video.rewarded);
                }
                self.video = video;
            }
            "audio" => self.audio = read(map)?,
            "native" => self.native = read(map)?,
            "pmp" => self.pmp = Pmp::of(read(map)?),
            "instl" => self.instl = read(map)?,
            "tagid" => self.tagid = read(map)?,
            "bidfloor" => self.bidfloor = read(map)?,
            "bidfloorcur" => self.bidfloorcur = read(map)?,
            "secure" => self.secure = read(map)?,
            "rwdd" => self.rwdd = self.rwdd.stricter(read(map)?),
            "ssai" => self.ssai = read(map)?,
            "exp" => self.exp_s = read(map)?,
            "qty" => self.qty = read(map)?,
            "ext" => {
                let ext: ImpExt = read(map)?;
                self.rwdd = self.rwdd.stricter(ext.rewarded);
                self.billing_ids = ext.billing_ids.0;
            }
            _ => skip(map)?,
        }
        Ok(())
    }

    fn is_usable(&self) -> bool {
        !self.id.is_empty()
    }
}

impl<'de> Object<'de> for Quantity {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "multiplier" => self.multiplier_millionths = read(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

#[derive(Default)]
struct ImpExt {
    rewarded: Flag,
    billing_ids: BillingIds,
}

impl<'de> Object<'de> for ImpExt {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "is_rewarded_inventory" => self.rewarded = read(map)?,
            "billing_id" => self.billing_ids = read(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

/// Google's int64 lists: JSON holds them as texts, some senders as numbers.
#[derive(Default)]
struct BillingIds(Vec<i64>);

impl BillingIds {
    /// Far above the number of billing ids one bidder has.
    const MAX: usize = 64;
}

impl<'de> Lenient<'de> for BillingIds {
    fn absent() -> Self {
        Self::default()
    }

    fn text(text: Cow<'de, str>) -> Self {
        Self(text.trim().parse().into_iter().collect())
    }

    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let mut ids: Vec<i64> = Vec::new();
        while let Some(element) = Element::next(&mut items)? {
            let id = match element {
                Element::Text(text) => text.trim().parse::<i64>().ok(),
                Element::Nothing | Element::Misfit => None,
            };
            if ids.len() < Self::MAX {
                ids.extend(id);
            }
        }
        Ok(Self(ids))
    }
}
