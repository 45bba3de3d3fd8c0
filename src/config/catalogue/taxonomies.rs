//! The `[[taxonomies]]` of advertisers and creatives: what they are about in other taxonomies than IAB Content 1.0.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use crate::campaign::{CONTENT_1_0, CategoryPath, Classified};
use crate::config::keys;
use crate::config::kinds::Kind;
use crate::config::reader::Reader;

/// `AdCOM`'s numbers of taxonomies; those from 500 are an exchange's own.
const CATTAX: RangeInclusive<i64> = 1..=9_999;

const CATEGORY_PATH: Kind<CategoryPath> = Kind {
    expects: "a category's id after those above it, the widest first, like 150/151",
    parse: CategoryPath::parse,
};

/// The taxonomies that could be read.
pub(super) fn classified(of: &mut Reader<'_>) -> Vec<Classified> {
    let mut named = BTreeSet::new();
    let sections = of.sections("taxonomies", &[keys::TAXONOMY]);
    let one = |mut reader: Reader<'_>| {
        let taxonomy: Option<u32> = reader.must_whole("cattax", &CATTAX);
        let has_categories = reader.has("categories");
        let categories = reader.list("categories", &CATEGORY_PATH);
        if !has_categories {
            reader.fault(
                "categories",
                format!("missing; expects a list, each {}", CATEGORY_PATH.expects),
            );
        }
        let taxonomy = taxonomy?;
        if taxonomy == CONTENT_1_0 {
            reader.fault("cattax", "taxonomy 1 is IAB Content 1.0; name its categories in the file's own key categories");
        }
        if !named.insert(taxonomy) {
            reader.fault(
                "cattax",
                format!("taxonomy {taxonomy} is there twice; put its categories into one list"),
            );
        }
        Some(Classified {
            taxonomy,
            categories,
        })
    };
    sections.into_iter().filter_map(one).collect()
}
