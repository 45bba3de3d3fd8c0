//! One impression of a request: which shapes of creative it takes, and what a bid must at least be.

use super::context::Context;
use super::eligibility::{has_ranges, has_ratios, names_no_size};
use super::floor::{FloorRules, in_bid_currency};
use super::pass::PassReason;
use super::pods::Room;
use crate::campaign::{Creative, SHAPES_MAX, Shape, Size};
use crate::openrtb::request::{Banner, Imp, Stream};
use crate::openrtb::{Flag, Given};
use crate::units::{AdvertiserKey, Cpm};

/// `qty.multiplier` of an impression for one person.
const ONE_IN_MILLIONTHS: i64 = 1_000_000;
/// Sizes that are looked for one by one: what is left is for any banner, a video, an audio ad and a native ad.
const SIZES_MAX: usize = SHAPES_MAX - 4;

/// An impression that may get a bid.
#[derive(Debug)]
pub struct Opportunity<'r> {
    /// The impression.
    pub imp: &'r Imp<'r>,
    /// Its index in the request.
    pub index: u16,
    /// What a bid must at least be, in the currency of our bids; what plays may have higher ones by its length.
    pub floor: Cpm,
    /// The shapes it takes.
    shapes: [Shape; SHAPES_MAX],
    shapes_len: usize,
    /// The device's screen, where it is known and the impression fills it.
    pub(super) screen: Option<Size>,
    /// What is left of the pod, if it belongs to one.
    pub(super) room: Room<'r>,
}

impl<'r> Opportunity<'r> {
    /// Reads an impression.
    ///
    /// # Errors
    /// The reason that it can get no bid.
    pub fn read(imp: &'r Imp<'r>, index: u16, context: &Context<'_>) -> Result<Self, PassReason> {
        if imp.is_ambiguous {
            return Err(PassReason::AmbiguousImp);
        }
        let is_for_one = match imp.qty {
            Given::Absent => true,
            Given::Value(qty) => qty.multiplier_millionths == Given::Value(ONE_IN_MILLIONTHS),
            Given::Unreadable => false,
        };
        if !is_for_one {
            // One price for many people: what it costs is not what a promise of ours covers.
            return Err(PassReason::Quantity);
        }
        let floor = in_bid_currency(imp.bidfloor, imp.bidfloorcur, context)?;
        if imp.secure.may_be_yes() && !context.place.has_secure_notices {
            return Err(PassReason::NoSecureNotices);
        }
        let mut this = Self {
            imp,
            index,
            floor,
            shapes: [Shape::Native; SHAPES_MAX],
            shapes_len: 0,
            screen: context.screen.filter(|_| imp.instl == Flag::Yes),
            room: Room::of(imp),
        };
        imp.banner.iter().for_each(|banner| this.take_sizes(banner));
        if imp.video.is_some() {
            this.take(Shape::Video);
        }
        if imp.audio.is_some() {
            this.take(Shape::Audio);
        }
        if imp
            .native
            .as_ref()
            .is_some_and(|native| matches!(native.request, Given::Value(_)))
        {
            this.take(Shape::Native);
        }
        if this.shapes_len == 0 {
            Err(PassReason::NoFormat)
        } else {
            Ok(this)
        }
    }

    /// The shapes it takes.
    pub fn shapes(&self) -> &[Shape] {
        self.shapes.get(..self.shapes_len).unwrap_or_default()
    }

    /// Whether everything in the markup must be fetched over https. What is not clearly a no is a yes.
    pub fn must_be_secure(&self) -> bool {
        self.imp.secure.may_be_yes()
    }

    /// Whether only bids on its deals are taken. What is not clearly a no is a yes.
    pub fn is_private(&self) -> bool {
        self.imp.pmp.private_auction.may_be_yes()
    }

    /// How many bids it takes at most: a dynamic pod as many as it has room for, whatever the exchange takes elsewhere.
    pub(super) fn bids_max(&self, elsewhere: usize) -> usize {
        self.room.bids_max().unwrap_or(elsewhere)
    }

    /// Takes note of a bid that was chosen for it. Every bid on a dynamic pod is in the format of the first.
    pub(super) fn take_bid(&mut self, creative: &Creative, advertiser: AdvertiserKey) {
        let seconds = creative.duration_seconds();
        self.room.take_bid(advertiser, seconds);
        if self.room.bids_max().is_some() {
            self.shapes_len = 0;
            self.take(creative.shape());
        }
    }

    /// Whether it takes no more bids because its pod is full.
    pub(super) fn is_full(&self) -> bool {
        self.room.is_full()
    }

    /// Whether an advertiser has a bid in its pod.
    pub(super) fn has_bid_of(&self, advertiser: AdvertiserKey) -> bool {
        self.room.has_bid_of(advertiser)
    }

    /// What no bid in the open market can be below, whatever it shows.
    pub(super) fn lowest_floor(&self) -> Cpm {
        let own_rules =
            |stream: &Stream<'_>| !FloorRules::of_stream(stream, self.imp.bidfloorcur).are_silent();
        let video = self.imp.video.as_ref().map(|video| &video.stream);
        let audio = self.imp.audio.as_ref().map(|audio| &audio.stream);
        if video.is_some_and(own_rules) || audio.is_some_and(own_rules) {
            Cpm::ZERO
        } else {
            self.floor
        }
    }

    /// What a bid with an ad of this length must at least be: what the placement's own rules ask of that length, else the
    /// impression's floor.
    ///
    /// # Errors
    /// [`PassReason::UnreadableFloor`], or [`PassReason::Currency`].
    pub(super) fn stream_floor(
        &self,
        stream: &Stream<'_>,
        seconds: u32,
        context: &Context<'_>,
    ) -> Result<Cpm, PassReason> {
        FloorRules::of_stream(stream, self.imp.bidfloorcur)
            .floor(Some(seconds), context)
            .map(|floor| floor.unwrap_or(self.floor))
    }

    fn take_sizes(&mut self, banner: &Banner<'_>) {
        let exact = std::iter::once((banner.w, banner.h));
        let listed = banner.formats.iter().map(|format| (format.w, format.h));
        for (w, h) in exact.chain(listed) {
            if let (Some(w @ 1..), Some(h @ 1..)) = (w, h) {
                self.take_size(Size { w, h });
            }
        }
        let is_screen_asked = || self.screen.is_some() && names_no_size(banner);
        if has_ranges(banner) || has_ratios(banner) || is_screen_asked() {
            self.take(Shape::AnyBanner);
        }
    }

    /// Takes a size. Where there are more than a search looks for, every banner is found and compared with all of them.
    fn take_size(&mut self, size: Size) {
        let is_room = self.shapes_len < SIZES_MAX;
        self.take(if is_room {
            Shape::Banner(size)
        } else {
            Shape::AnyBanner
        });
    }

    /// Takes a shape.
    fn take(&mut self, shape: Shape) {
        if self.shapes().contains(&shape) {
            return;
        }
        if let Some(place) = self.shapes.get_mut(self.shapes_len) {
            *place = shape;
            self.shapes_len += 1;
        }
    }
}
