//! What a request lets be advertised: `bcat` and `acat`, in the taxonomy they are written in.
//!
//! An ad is compared in that taxonomy or not at all: one that does not say what it is about there is not known to be
//! allowed, and is not shown.

use crate::campaign::{Advertiser, CONTENT_1_0, Category, CategorySet, Classified, Creative};
use crate::openrtb::{BidRequest, Given, TextList};

/// The categories that a request blocks, and those that it allows.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "one for each request, on its stack; a box would allocate"
)]
pub(super) enum CategoryRules<'r> {
    /// It says nothing.
    Silent,
    /// In IAB Content 1.0.
    Content {
        blocked: CategorySet,
        allowed: Option<CategorySet>,
    },
    /// In another taxonomy: sorted ids.
    Other {
        taxonomy: u32,
        blocked: Vec<&'r str>,
        allowed: Option<Vec<&'r str>>,
    },
}

impl<'r> CategoryRules<'r> {
    /// What a request says; `None` if it cannot be told in which taxonomy.
    pub(super) fn read(request: &'r BidRequest<'r>) -> Option<Self> {
        let (blocked, allowed) = (&request.bcat, &request.acat);
        if blocked.is_empty() && allowed.is_empty() {
            return Some(Self::Silent);
        }
        Some(match request.cattax {
            Given::Unreadable => return None,
            Given::Absent | Given::Value(CONTENT_1_0) => Self::Content {
                blocked: set(blocked),
                allowed: (!allowed.is_empty()).then(|| set(allowed)),
            },
            Given::Value(taxonomy) => Self::Other {
                taxonomy,
                blocked: sorted(blocked),
                allowed: (!allowed.is_empty()).then(|| sorted(allowed)),
            },
        })
    }

    /// Whether this creative may be shown.
    pub(super) fn allow(&self, creative: &Creative, advertiser: &Advertiser) -> bool {
        match self {
            Self::Silent => true,
            Self::Content { blocked, allowed } => {
                in_content(creative.categories(advertiser), blocked, allowed.as_ref())
            }
            Self::Other {
                taxonomy,
                blocked,
                allowed,
            } => creative
                .classified_in(*taxonomy, advertiser)
                .is_some_and(|about| in_other(about, blocked, allowed.as_deref())),
        }
    }
}

fn in_content(about: &[Category], blocked: &CategorySet, allowed: Option<&CategorySet>) -> bool {
    let is_allowed = |category: &Category| {
        !blocked.covers(*category) && allowed.is_none_or(|allowed| allowed.covers(*category))
    };
    !about.is_empty() && about.iter().all(is_allowed)
}

fn in_other(about: &Classified, blocked: &[&str], allowed: Option<&[&str]>) -> bool {
    let listed = |ids: &[&str], id: &str| ids.binary_search(&id).is_ok();
    !about.categories.is_empty()
        && about.categories.iter().all(|category| {
            !category.ids().any(|id| listed(blocked, id))
                && allowed.is_none_or(|ids| category.ids().any(|id| listed(ids, id)))
        })
}

fn set(list: &TextList<'_>) -> CategorySet {
    // A code of another taxonomy names nothing of ours.
    list.words().filter_map(Category::parse).collect()
}

fn sorted<'r>(list: &'r TextList<'r>) -> Vec<&'r str> {
    let mut ids: Vec<&str> = list.words().collect();
    ids.sort_unstable();
    ids
}
