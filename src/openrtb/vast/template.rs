//! Which template a document follows, and which of them a placement takes.

use crate::openrtb::codes::{VastForm, VastVersion};
use crate::openrtb::lenient::CodeSet;

/// What a document says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Template {
    /// VAST of some version.
    Vast(VastVersion),
    /// DAAST 1.0, which is VAST 3.0 for sound with some elements renamed.
    Daast,
}

/// What an ad is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// Moving images.
    Video,
    /// Sound alone.
    Audio,
}

impl Template {
    /// What can be made for sound, the best first: VAST knows sound from 4.1 on, before that DAAST does.
    const FOR_AUDIO: [Self; 7] = [
        Self::Vast(VastVersion::V4_3),
        Self::Vast(VastVersion::V4_2),
        Self::Vast(VastVersion::V4_1),
        Self::Daast,
        Self::Vast(VastVersion::V4_0),
        Self::Vast(VastVersion::V3),
        Self::Vast(VastVersion::V2),
    ];

    /// The best that a placement takes in this form: VAST 3.0 where it names none, `None` where it takes none of ours or
    /// what it takes cannot be read.
    pub fn choose(protocols: CodeSet, form: VastForm, medium: Medium) -> Option<Self> {
        if protocols.is_empty() {
            return (!protocols.is_unreadable()).then_some(Self::Vast(VastVersion::V3));
        }
        let is_taken = |template: &Self| protocols.contains(template.protocol(form));
        match medium {
            Medium::Video => VastVersion::NEWEST_FIRST
                .into_iter()
                .map(Self::Vast)
                .find(is_taken),
            Medium::Audio => Self::FOR_AUDIO.into_iter().find(is_taken),
        }
    }

    /// Its number in `protocols` (AdCOM, Creative Subtypes).
    pub const fn protocol(self, form: VastForm) -> u32 {
        match (self, form) {
            (Self::Vast(version), form) => version.protocol(form),
            (Self::Daast, VastForm::InLine) => 9,
            (Self::Daast, VastForm::Wrapper) => 10,
        }
    }

    /// Whether it has what came with this version of VAST.
    pub(super) fn has(self, version: VastVersion) -> bool {
        match self {
            Self::Vast(own) => own >= version,
            Self::Daast => version <= VastVersion::V3,
        }
    }

    /// The name of the outermost element.
    pub(super) const fn root(self) -> &'static str {
        match self {
            Self::Vast(_) => "VAST",
            Self::Daast => "DAAST",
        }
    }

    /// The version as it stands in a document.
    pub(super) const fn version(self) -> &'static str {
        match self {
            Self::Vast(version) => version.as_str(),
            Self::Daast => "1.0",
        }
    }

    /// The element of a wrapper that says where the tag is.
    pub(super) const fn tag_url(self) -> &'static str {
        match self {
            Self::Vast(_) => "VASTAdTagURI",
            Self::Daast => "DAASTAdTagURI",
        }
    }

    /// The element that holds clicks.
    pub(super) const fn clicks(self) -> &'static str {
        match self {
            Self::Vast(_) => "VideoClicks",
            Self::Daast => "AdInteractions",
        }
    }
}
