//! What a placement takes: banner, video, audio, native (OpenRTB 2.6, sections 3.2.6 to 3.2.10).

use serde::de::MapAccess;

use super::Stream;
use crate::openrtb::lenient::{CodeSet, Flag, Given, Object, TextList, read, skip};
use crate::openrtb::native::NativeRequest;

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
    /// Whether it stands in the page itself rather than in a frame.
    pub topframe: Flag,
    /// Of a companion: whether it takes the player's place after the ad (yes) or stands beside it (no).
    pub vcm: Flag,
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
    /// What it has in common with audio.
    pub stream: Stream<'a>,
    /// The player's width.
    pub w: Option<u32>,
    /// The player's height.
    pub h: Option<u32>,
    /// 1 linear, 2 non-linear; any where absent.
    pub linearity: Option<u32>,
    /// Whether the player lets the user skip.
    pub skip: Flag,
    /// The player lets skip only ads that are longer than so many seconds.
    pub skipmin_s: Option<u32>,
    /// The player lets skip only after so many seconds.
    pub skipafter_s: Option<u32>,
    /// 1 instream, 2 accompanying, 3 interstitial, 4 standalone (2.6-202303).
    pub plcmt: Option<u32>,
    /// The placement type that `plcmt` replaced.
    pub placement: Option<u32>,
    /// How playback begins.
    pub playbackmethod: CodeSet,
    /// Position on the screen.
    pub pos: Option<u32>,
    /// `ext.rewarded`, a former place of the imp's `rwdd`.
    pub(super) rewarded: Flag,
}

/// An audio placement.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Audio<'a> {
    /// What it has in common with video.
    pub stream: Stream<'a>,
    /// What it is part of: 1 music, 2 broadcast, 3 podcast. Says nothing about what fits.
    pub feed: Option<u32>,
    /// Whether the ad is stitched into the content by a server.
    pub stitched: Flag,
    /// How the volume is levelled: 0 not, 1 by average, 2 by peak, 3 by loudness, 4 to a custom level.
    pub nvol: Option<u32>,
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
            "topframe" => self.topframe = read(map)?,
            "vcm" => self.vcm = read(map)?,
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
            "w" => self.w = read(map)?,
            "h" => self.h = read(map)?,
            "linearity" => self.linearity = read(map)?,
            "skip" => self.skip = read(map)?,
            "skipmin" => self.skipmin_s = read(map)?,
            "skipafter" => self.skipafter_s = read(map)?,
            "plcmt" => self.plcmt = read(map)?,
            "placement" => self.placement = read(map)?,
            "playbackmethod" => self.playbackmethod = read(map)?,
            "pos" => self.pos = read(map)?,
            "ext" => self.rewarded = read::<VideoExt, A>(map)?.rewarded,
            _ => self.stream.field(key, map)?,
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

impl<'de> Object<'de> for Audio<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "feed" => self.feed = read(map)?,
            "stitched" => self.stitched = read(map)?,
            "nvol" => self.nvol = read(map)?,
            _ => self.stream.field(key, map)?,
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
