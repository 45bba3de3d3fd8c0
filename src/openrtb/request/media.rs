//! What a placement takes: banner, video, audio, native (OpenRTB 2.6, sections 3.2.6 to 3.2.10 and 3.2.35).

use serde::de::MapAccess;

use crate::openrtb::lenient::{CodeSet, Flag, Given, Listed, Object, Text, TextList, read, skip};
use crate::openrtb::native::NativeRequest;
use crate::units::Cpm;

/// A banner placement.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Banner<'a> {
    /// The sizes it takes.
    pub formats: Vec<Format>,
    /// Its exact or preferred width, in device-independent pixels.
    pub w: Option<u32>,
    /// Its exact or preferred height.
    pub h: Option<u32>,
    /// Until 2.5: the least width of a range.
    pub wmin: Option<u32>,
    /// Until 2.5: the largest width of a range.
    pub wmax: Option<u32>,
    /// Until 2.5: the least height of a range.
    pub hmin: Option<u32>,
    /// Until 2.5: the largest height of a range.
    pub hmax: Option<u32>,
    /// Kinds of banner not allowed: 1 text ad, 2 image ad, 3 JavaScript, 4 iframe.
    pub btype: CodeSet,
    /// Creative attributes not allowed.
    pub battr: CodeSet,
    /// Frameworks the placement supports (MRAID, VPAID, OMID); none where empty.
    pub api: CodeSet,
    /// Position on the screen.
    pub pos: Option<u32>,
    /// Content types it takes; any where empty.
    pub mimes: TextList<'a>,
    /// Directions in which it may expand.
    pub expdir: CodeSet,
}

/// A size, or a ratio with a least width (Flex ads).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Format {
    /// Width in device-independent pixels.
    pub w: Option<u32>,
    /// Height in device-independent pixels.
    pub h: Option<u32>,
    /// Relative width.
    pub wratio: Option<u32>,
    /// Relative height.
    pub hratio: Option<u32>,
    /// The least width at which a ratio is shown.
    pub wmin: Option<u32>,
}

/// A video placement.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Video<'a> {
    /// Content types it takes; any where empty.
    pub mimes: TextList<'a>,
    /// Least duration, in seconds.
    pub minduration_s: Option<u32>,
    /// Largest duration, in seconds.
    pub maxduration_s: Option<u32>,
    /// The only durations it takes, in seconds; stricter than the range where both are sent.
    pub rqddurs_s: Given<Vec<u32>>,
    /// When it starts: above 0 mid-roll after so many seconds, 0 pre-roll, −1 some mid-roll, −2 some post-roll.
    pub startdelay: Option<i32>,
    /// VAST versions it takes, as protocol codes, from the present list and the single field of 2.2.
    pub protocols: CodeSet,
    /// The player's width.
    pub w: Option<u32>,
    /// The player's height.
    pub h: Option<u32>,
    /// 1 linear, 2 non-linear; any where absent.
    pub linearity: Option<u32>,
    /// Whether the player lets the user skip.
    pub skip: Flag,
    /// Creative attributes not allowed.
    pub battr: CodeSet,
    /// Frameworks the player supports.
    pub api: CodeSet,
    /// 1 instream, 2 accompanying, 3 interstitial, 4 standalone (2.6-202303).
    pub plcmt: Option<u32>,
    /// The placement type that `plcmt` replaced.
    pub placement: Option<u32>,
    /// How playback begins.
    pub playbackmethod: CodeSet,
    /// Position on the screen.
    pub pos: Option<u32>,
    /// Least bit rate, in kbit/s.
    pub minbitrate_kbps: Option<u32>,
    /// Largest bit rate, in kbit/s.
    pub maxbitrate_kbps: Option<u32>,
    /// Seconds beyond the largest duration that are allowed; −1 for no limit, none where absent.
    pub maxextended_s: Option<i32>,
    /// The pod it belongs to, if any.
    pub pod: Pod<'a>,
    /// Least CPM per second of the ad.
    pub mincpmpersec: Given<Cpm>,
    /// Floors by duration.
    pub durfloors: Listed<DurationFloor>,
    /// `ext.rewarded`, a former place of the imp's `rwdd`.
    pub(super) rewarded: Flag,
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

/// An audio placement; the fields it shares with video mean the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Audio<'a> {
    /// Content types it takes; any where empty.
    pub mimes: TextList<'a>,
    /// Least duration, in seconds.
    pub minduration_s: Option<u32>,
    /// Largest duration, in seconds.
    pub maxduration_s: Option<u32>,
    /// VAST and DAAST versions it takes, as protocol codes.
    pub protocols: CodeSet,
    /// Creative attributes not allowed.
    pub battr: CodeSet,
    /// Frameworks the player supports.
    pub api: CodeSet,
}

/// A native placement (section 3.2.9); what it asks for is a document of its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Native {
    /// The native request, read from a text or an object.
    pub request: Given<NativeRequest>,
    /// Creative attributes not allowed.
    pub battr: CodeSet,
    /// Frameworks the placement supports.
    pub api: CodeSet,
}

impl<'de> Object<'de> for Banner<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "format" => self.formats = read(map)?,
            "w" => self.w = read(map)?,
            "h" => self.h = read(map)?,
            "wmin" => self.wmin = read(map)?,
            "wmax" => self.wmax = read(map)?,
            "hmin" => self.hmin = read(map)?,
            "hmax" => self.hmax = read(map)?,
            "btype" => self.btype = read(map)?,
            "battr" => self.battr = read(map)?,
            "api" => self.api = read(map)?,
            "pos" => self.pos = read(map)?,
            "mimes" => self.mimes = read(map)?,
            "expdir" => self.expdir = read(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

impl<'de> Object<'de> for Format {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "w" => self.w = read(map)?,
            "h" => self.h = read(map)?,
            "wratio" => self.wratio = read(map)?,
            "hratio" => self.hratio = read(map)?,
            "wmin" => self.wmin = read(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

impl<'de> Object<'de> for Video<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "mimes" => self.mimes = read(map)?,
            "minduration" => self.minduration_s = read(map)?,
            "maxduration" => self.maxduration_s = read(map)?,
            "rqddurs" => self.rqddurs_s = read(map)?,
            "startdelay" => self.startdelay = read(map)?,
            "protocols" | "protocol" => self.protocols = self.protocols.union(read(map)?),
            "w" => self.w = read(map)?,
            "h" => self.h = read(map)?,
            "linearity" => self.linearity = read(map)?,
            "skip" => self.skip = read(map)?,
            "battr" => self.battr = read(map)?,
            "api" => self.api = read(map)?,
            "plcmt" => self.plcmt = read(map)?,
            "placement" => self.placement = read(map)?,
            "playbackmethod" => self.playbackmethod = read(map)?,
            "pos" => self.pos = read(map)?,
            "minbitrate" => self.minbitrate_kbps = read(map)?,
            "maxbitrate" => self.maxbitrate_kbps = read(map)?,
            "maxextended" => self.maxextended_s = read(map)?,
            "podid" => self.pod.podid = read(map)?,
            "podseq" => self.pod.podseq = read(map)?,
            "slotinpod" => self.pod.slotinpod = read(map)?,
            "maxseq" => self.pod.maxseq = read(map)?,
            "poddur" => self.pod.poddur_s = read(map)?,
            "mincpmpersec" => self.mincpmpersec = read(map)?,
            "durfloors" => self.durfloors = read(map)?,
            "ext" => self.rewarded = read::<VideoExt, A>(map)?.rewarded,
            _ => skip(map)?,
        }
        Ok(())
    }
}

#[derive(Default)]
struct VideoExt {
    rewarded: Flag,
}

impl<'de> Object<'de> for VideoExt {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "rewarded" => self.rewarded = read(map)?,
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

impl<'de> Object<'de> for Audio<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "mimes" => self.mimes = read(map)?,
            "minduration" => self.minduration_s = read(map)?,
            "maxduration" => self.maxduration_s = read(map)?,
            "protocols" => self.protocols = read(map)?,
            "battr" => self.battr = read(map)?,
            "api" => self.api = read(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

impl<'de> Object<'de> for Native {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "request" => self.request = read(map)?,
            "battr" => self.battr = read(map)?,
            "api" => self.api = read(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}
