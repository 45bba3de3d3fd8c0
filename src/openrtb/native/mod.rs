//! Native ads (OpenRTB Native 1.0 to 1.2): what a placement asks for, and the answer made of a creative's parts.
//!
//! The request comes as a text or as an object, with or without the outer `native` of 1.0.

mod answer;
mod request;
#[cfg(test)]
mod tests;

pub use answer::{
    ImagePart, NativeLinks, NativeParts, TextPart, Unanswerable, VideoPart, can_answer,
    video_assets, write,
};
pub use request::{
    Asset, AssetKind, ContentTypes, DataAsset, ImageAsset, NativeRequest, TitleAsset, TrackerOffer,
    VideoAsset,
};
