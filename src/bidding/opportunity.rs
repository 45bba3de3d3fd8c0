//! One impression of a request: which shapes of creative it takes, and what a bid must at least be.

use super::context::{Context, not_clearly_no};
use super::floor::{FloorRules, in_bid_currency};
use super::pass::PassReason;
use crate::campaign::{SHAPES_MAX, Shape, Size};
use crate::openrtb::Given;
use crate::openrtb::request::{Banner, Imp, Video};
use crate::units::Cpm;

/// An impression that may get a bid.
#[derive(Debug)]
pub struct Opportunity<'r> {
    /// The impression.
    pub imp: &'r Imp<'r>,
    /// Its index in the request.
    pub index: u16,
    /// What a bid must at least be, in the currency of our bids; videos may have higher ones by their length.
    pub floor: Cpm,
    /// The shapes it takes.
    shapes: [Shape; SHAPES_MAX],
    shapes_len: usize,
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
        if imp.qty.is_some() {
            // One price for many people: what it costs is not what a promise of ours covers.
            return Err(PassReason::Quantity);
        }
        let floor = in_bid_currency(imp.bidfloor, imp.bidfloorcur, context)?;
        if not_clearly_no(imp.secure) && !context.place.has_secure_notices {
            return Err(PassReason::NoSecureNotices);
        }
        let mut this = Self {
            imp,
            index,
            floor,
            shapes: [Shape::Native; SHAPES_MAX],
            shapes_len: 0,
        };
        imp.banner.iter().for_each(|banner| this.take_sizes(banner));
        if imp.video.as_ref().is_some_and(is_linear) {
            this.take(Shape::Video);
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
        not_clearly_no(self.imp.secure)
    }

    /// Whether only bids on its deals are taken. What is not clearly a no is a yes.
    pub fn is_private(&self) -> bool {
        not_clearly_no(self.imp.pmp.private_auction)
    }

    /// What no bid in the open market can be below, whatever it shows.
    pub(super) fn lowest_floor(&self) -> Cpm {
        let own_rules =
            |video: &Video<'_>| !FloorRules::of_video(video, self.imp.bidfloorcur).are_silent();
        if self.imp.video.as_ref().is_some_and(own_rules) {
            Cpm::ZERO
        } else {
            self.floor
        }
    }

    /// What a bid with a video of this length must at least be: what the video's own rules ask of that length, else the
    /// impression's floor.
    ///
    /// # Errors
    /// [`PassReason::UnreadableFloor`], or [`PassReason::Currency`].
    pub(super) fn video_floor(
        &self,
        video: &Video<'_>,
        seconds: u32,
        context: &Context<'_>,
    ) -> Result<Cpm, PassReason> {
        FloorRules::of_video(video, self.imp.bidfloorcur)
            .floor(Some(seconds), context)
            .map(|floor| floor.unwrap_or(self.floor))
    }

    fn take_sizes(&mut self, banner: &Banner<'_>) {
        let exact = std::iter::once((banner.w, banner.h));
        let listed = banner.formats.iter().map(|format| (format.w, format.h));
        for (w, h) in exact.chain(listed) {
            if let (Some(w @ 1..), Some(h @ 1..)) = (w, h) {
                self.take(Shape::Banner(Size { w, h }));
            }
        }
    }

    /// Takes a shape; beyond the most that a search looks for, further sizes are not offered for.
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

/// We make linear videos only.
fn is_linear(video: &Video<'_>) -> bool {
    video.linearity.is_none_or(|linearity| linearity == 1)
}
