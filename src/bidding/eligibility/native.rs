//! Native ads: a creative's parts as the wire's writer sees them.

use crate::bidding::pass::PassReason;
use crate::campaign::{MediaFile, Native, SpotSource};
use crate::openrtb::native::{
    ImagePart, NativeParts, NativeRequest, TextPart, VideoPart, can_answer,
};

/// A native creative as the wire's writer sees it.
pub struct Parts<'c>(pub &'c Native);

pub(super) fn fits(native: &Native, asked: &NativeRequest) -> Result<(), PassReason> {
    can_answer(asked, &Parts(native)).map_err(|_| PassReason::NoMatchingCreative)
}

impl NativeParts for Parts<'_> {
    fn title(&self) -> &str {
        &self.0.title
    }

    fn images(&self) -> impl Iterator<Item = ImagePart<'_>> {
        self.0.images.iter().map(|image| ImagePart {
            image_type: u32::from(image.kind),
            url: &image.url,
            w: image.size.w,
            h: image.size.h,
            mime: &image.mime,
        })
    }

    fn texts(&self) -> impl Iterator<Item = TextPart<'_>> {
        self.0.texts.iter().map(|text| TextPart {
            data_type: u32::from(text.kind),
            text: &text.text,
        })
    }

    fn videos(&self) -> impl Iterator<Item = VideoPart<'_>> {
        // A native ad's video has files of its own: nobody can look into someone else's tag.
        let (files, duration_s): (&[MediaFile], u32) = match &self.0.video {
            Some(spot) => match &spot.source {
                SpotSource::Inline(files) => (files, spot.duration_seconds),
                SpotSource::Wrapper(_) | SpotSource::Overlay(_) => (&[], 0),
            },
            None => (&[], 0),
        };
        files.iter().map(move |file| VideoPart {
            mime: &file.mime,
            duration_s,
        })
    }
}
