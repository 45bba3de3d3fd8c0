//! What bids say of their categories: in the taxonomy of the request if that is known, else in IAB Content 1.0.

use crate::campaign::{CONTENT_1_0, Campaign, CategoryPath, Creative};
use crate::openrtb::Given;

/// What a bid says of its categories.
pub(super) struct About {
    /// `cattax`; absent where it is the default.
    pub(super) taxonomy: Option<u32>,
    ids: Vec<String>,
}

impl About {
    pub(super) fn categories(&self) -> Vec<&str> {
        self.ids.iter().map(String::as_str).collect()
    }
}

/// The taxonomy in which a request names categories, unless it is the default.
pub(super) const fn taxonomy(cattax: Given<u32>) -> Option<u32> {
    match cattax {
        Given::Value(taxonomy) if taxonomy != CONTENT_1_0 => Some(taxonomy),
        Given::Value(_) | Given::Absent | Given::Unreadable => None,
    }
}

/// What is said of a creative.
pub(super) fn about(campaign: &Campaign, creative: &Creative, asked: Option<u32>) -> About {
    let advertiser = &campaign.advertiser;
    if let Some(known) = asked.and_then(|asked| creative.classified_in(asked, advertiser)) {
        let ids = known.categories.iter().map(CategoryPath::id);
        return About {
            taxonomy: Some(known.taxonomy),
            ids: ids.map(str::to_owned).collect(),
        };
    }
    let categories = creative.categories(advertiser).iter();
    About {
        taxonomy: None,
        ids: categories.map(ToString::to_string).collect(),
    }
}
