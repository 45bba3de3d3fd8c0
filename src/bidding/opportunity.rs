//! One impression of a request: which shapes of creative it takes, and what a bid must at least be.

use super::context::{Context, not_clearly_no};
use super::pass::PassReason;
use crate::campaign::{SHAPES_MAX, Shape, Size};
use crate::openrtb::Given;
use crate::openrtb::request::{Banner, Imp, Video};
use crate::units::{Cpm, Currency};

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
        if not_clearly_no(imp.pmp.private_auction) {
            return Err(PassReason::DealRequired);
        }
        let floor = floor(imp.bidfloor, imp.bidfloorcur, context)?;
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

    /// What a bid with a video of this length must at least be: the floor, or what the video's own rules ask, whichever is
    /// more (OpenRTB 2.6, section 7.11.2, where the rules replace the floor; the higher of both is right either way).
    ///
    /// # Errors
    /// [`PassReason::UnreadableFloor`], or [`PassReason::Currency`].
    pub(super) fn video_floor(
        &self,
        video: &Video<'_>,
        seconds: u32,
        context: &Context<'_>,
    ) -> Result<Cpm, PassReason> {
        if video.durfloors.is_unreadable() {
            return Err(PassReason::UnreadableFloor);
        }
        let mut highest = self.floor;
        let mut raise = |given: Given<Cpm>, times: u32| -> Result<(), PassReason> {
            let each = floor(given, self.imp.bidfloorcur, context)?;
            let micros = each
                .micros()
                .checked_mul(i64::from(times))
                .ok_or(PassReason::UnreadableFloor)?;
            highest = highest.max(Cpm::from_micros(micros));
            Ok(())
        };
        raise(video.mincpmpersec, seconds)?;
        for range in video.durfloors.items() {
            let within = range.mindur_s.is_none_or(|least| seconds >= least)
                && range.maxdur_s.is_none_or(|most| seconds <= most);
            if within {
                raise(range.bidfloor, 1)?;
            }
        }
        Ok(highest)
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

/// A floor in the currency of our bids; nothing if there is none, and never below nothing.
fn floor(
    given: Given<Cpm>,
    currency: Given<Currency>,
    context: &Context<'_>,
) -> Result<Cpm, PassReason> {
    let floor = match given {
        Given::Absent => return Ok(Cpm::ZERO),
        Given::Value(floor) if floor <= Cpm::ZERO => return Ok(Cpm::ZERO),
        Given::Value(floor) => floor,
        Given::Unreadable => return Err(PassReason::UnreadableFloor),
    };
    let currency = currency
        .or_absent(Currency::USD)
        .ok_or(PassReason::Currency)?;
    context
        .in_bid_currency(floor, currency)
        .ok_or(PassReason::Currency)
}
