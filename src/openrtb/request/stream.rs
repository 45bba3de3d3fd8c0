//! What a video and an audio placement have in common: what they play, how long, how it is priced by length, and the pod
//! they belong to (OpenRTB 2.6, sections 3.2.7, 3.2.8, 3.2.35 and 7.6).

use serde::de::MapAccess;

use super::Banner;
use crate::openrtb::lenient::{CodeSet, Given, Listed, Object, Text, TextList, read, skip};
use crate::units::Cpm;

/// A placement in something that plays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stream<'a> {
    /// Content types it takes; any where empty.
    pub mimes: TextList<'a>,
    /// Least duration, in seconds.
    pub minduration_s: Option<u32>,
    /// Largest duration, in seconds.
    pub maxduration_s: Option<u32>,
    /// The only durations it takes, in seconds; stricter than the range where both are sent.
    pub rqddurs_s: Given<Vec<u32>>,
    /// Seconds beyond the largest duration that are allowed; −1 for no limit, none where absent.
    pub maxextended_s: Option<i32>,
    /// When it starts: above 0 mid-roll after so many seconds, 0 pre-roll, −1 some mid-roll, −2 some post-roll.
    pub startdelay: Option<i32>,
    /// VAST and DAAST versions it takes, as protocol codes, from the present list and the single field of 2.2.
    pub protocols: CodeSet,
    /// Creative attributes not allowed.
    pub battr: CodeSet,
    /// Frameworks the player supports.
    pub api: CodeSet,
    /// Least bit rate, in kbit/s.
    pub minbitrate_kbps: Option<u32>,
    /// Largest bit rate, in kbit/s.
    pub maxbitrate_kbps: Option<u32>,
    /// How files may come: 1 streamed, 2 progressively, 3 downloaded; any where empty.
    pub delivery: CodeSet,
    /// Banners that may be shown with it; one that cannot be read takes none.
    pub companions: Vec<Banner<'a>>,
    /// What a companion may be made of: 1 an image, 2 HTML, 3 a frame; any where empty.
    pub companiontype: CodeSet,
    /// The pod it belongs to, if any.
    pub pod: Pod<'a>,
    /// Least CPM per second of the ad.
    pub mincpmpersec: Given<Cpm>,
    /// Floors by duration.
    pub durfloors: Listed<DurationFloor>,
}

/// A break that takes several ads (section 7.6).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pod<'a> {
    /// Imps with the same id belong to the same pod.
    pub podid: Option<Text<'a>>,
    /// Where the pod comes in the content: −1 last, 0 any, 1 first.
    pub podseq: Option<i32>,
    /// Which slot of the pod this is: −1 last, 0 any, 1 first, 2 first or last.
    pub slotinpod: Option<i32>,
    /// Dynamic pods: how many ads at most.
    pub maxseq: Option<u32>,
    /// Dynamic pods: how many seconds in all.
    pub poddur_s: Option<u32>,
}

/// A floor for ads of a range of durations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DurationFloor {
    /// Least duration, in seconds; none where absent.
    pub mindur_s: Option<u32>,
    /// Largest duration, in seconds; no end where absent.
    pub maxdur_s: Option<u32>,
    /// The floor in that range.
    pub bidfloor: Given<Cpm>,
}

impl<'de> Object<'de> for Stream<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "mimes" => self.mimes = read(map)?,
            "minduration" => self.minduration_s = read(map)?,
            "maxduration" => self.maxduration_s = read(map)?,
            "rqddurs" => self.rqddurs_s = read(map)?,
            "maxextended" => self.maxextended_s = read(map)?,
            "startdelay" => self.startdelay = read(map)?,
            "protocols" | "protocol" => self.protocols = self.protocols.union(read(map)?),
            "battr" => self.battr = read(map)?,
            "api" => self.api = read(map)?,
            "minbitrate" => self.minbitrate_kbps = read(map)?,
            "maxbitrate" => self.maxbitrate_kbps = read(map)?,
            "delivery" => self.delivery = read(map)?,
            "companionad" => self.companions = read(map)?,
            "companiontype" => self.companiontype = read(map)?,
            "podid" => self.pod.podid = read(map)?,
            "podseq" => self.pod.podseq = read(map)?,
            "slotinpod" => self.pod.slotinpod = read(map)?,
            "maxseq" => self.pod.maxseq = read(map)?,
            "poddur" => self.pod.poddur_s = read(map)?,
            "mincpmpersec" => self.mincpmpersec = read(map)?,
            "durfloors" => self.durfloors = read(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

impl<'de> Object<'de> for DurationFloor {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "mindur" => self.mindur_s = read(map)?,
            "maxdur" => self.maxdur_s = read(map)?,
            "bidfloor" => self.bidfloor = read(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}
