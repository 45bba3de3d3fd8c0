//! Categories in other taxonomies than IAB Content 1.0, as operators name them.
//!
//! Which category of those lies within which is not known here: the lists are long, others', and grow. So a category is
//! written with those above it, the widest first, `150/151`, and a list that names any of them means it. Nothing is mapped
//! from one taxonomy to another: what is not said in a taxonomy is not known there.

/// The taxonomy of [`Category`](super::Category): IAB Content 1.0, the default of every `cattax`.
pub const CONTENT_1_0: u32 = 1;
/// The longest category with those above it: their ids have up to 8 letters, in up to 5 tiers.
const CATEGORY_PATH_BYTES_MAX: usize = 64;

/// A category with those above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CategoryPath(Box<str>);

/// What something is about, in one taxonomy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classified {
    /// The taxonomy's number in `AdCOM`'s list, as in `cattax`.
    pub taxonomy: u32,
    /// The categories.
    pub categories: Vec<CategoryPath>,
}

impl CategoryPath {
    /// A category as it is written: `151`, or `150/151` with the one above it.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |id: &str| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric());
        (text.len() <= CATEGORY_PATH_BYTES_MAX && text.split('/').all(plain))
            .then(|| Self(text.into()))
    }

    /// The category's own id: what a bid says.
    pub fn id(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The ids of those above it, and its own.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_is_written_with_those_above_it() {
        let path = CategoryPath::parse("1/150/151").unwrap();
        assert_eq!(path.id(), "151");
        assert_eq!(path.ids().collect::<Vec<_>>(), ["1", "150", "151"]);
        assert_eq!(CategoryPath::parse("SPSHQ5").unwrap().id(), "SPSHQ5");
        for text in ["", "/", "1/", "/1", "1//2", "1 2", "é", "IAB1-2"] {
            assert_eq!(CategoryPath::parse(text), None, "{text}");
        }
        assert_eq!(CategoryPath::parse(&"1".repeat(65)), None);
    }
}
