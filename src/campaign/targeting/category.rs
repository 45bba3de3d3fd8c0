//! Content categories of the IAB's taxonomy 1.0, the default of every `cattax` in OpenRTB: `IAB9`, `IAB9-3`.
//!
//! A tier 1 category covers its children and not the other way round. Other taxonomies number their categories
//! differently and are not read here: who meets them decides what not knowing means.

use std::fmt;

/// Tier 1 categories: `IAB1` to `IAB26`.
const TIER1: usize = 26;
/// Children are numbered from 1 and kept as the bits of a word beside their parent, which is bit 0.
/// The largest child that the taxonomy has is `IAB7-45`.
const CHILD_MAX: u8 = 63;

/// One category: a tier 1 category, or one of its children.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Category {
    /// 0 to 25.
    tier1: u8,
    /// 0 is the tier 1 category itself.
    child: u8,
}

/// Any number of categories, in a fixed size.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct CategorySet([u64; TIER1]);

impl Category {
    /// A category from its code, with or without the `IAB`'s case; `None` for anything else.
    pub fn parse(code: &str) -> Option<Self> {
        let (prefix, rest) = code.trim().split_at_checked(3)?;
        if !prefix.eq_ignore_ascii_case("IAB") {
            return None;
        }
        let (tier1, child) = match rest.split_once('-') {
            Some((tier1, child)) => (number(tier1)?, Some(number(child)?)),
            None => (number(rest)?, None),
        };
        let known = (1..=26).contains(&tier1) && child.is_none_or(|c| (1..=CHILD_MAX).contains(&c));
        known.then(|| Self {
            tier1: tier1.saturating_sub(1),
            child: child.unwrap_or(0),
        })
    }

    /// The tier 1 category this one belongs to; itself if it is one.
    #[must_use]
    pub const fn parent(self) -> Self {
        Self {
            tier1: self.tier1,
            child: 0,
        }
    }

    /// Whether this is `other` or its parent.
    pub fn covers(self, other: Self) -> bool {
        self == other || self == other.parent()
    }

    const fn bit(self) -> u64 {
        1 << self.child
    }
}

/// One or two digits.
fn number(digits: &str) -> Option<u8> {
    let plain = matches!(digits.len(), 1 | 2) && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

impl CategorySet {
    /// No category.
    pub const EMPTY: Self = Self([0; TIER1]);

    /// Adds one.
    pub fn insert(&mut self, category: Category) {
        if let Some(word) = self.0.get_mut(usize::from(category.tier1)) {
            *word |= category.bit();
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Whether `category` or its parent is in the set.
    pub fn covers(&self, category: Category) -> bool {
        self.0
            .get(usize::from(category.tier1))
            .is_some_and(|word| word & (1 | category.bit()) != 0)
    }

    /// Those in the set, in order, parents before their children.
    pub fn iter(&self) -> impl Iterator<Item = Category> + '_ {
        self.read(|word| word)
    }

    /// Those in the set and their parents, each once, in the same order.
    pub fn iter_with_parents(&self) -> impl Iterator<Item = Category> + '_ {
        self.read(|word| word | u64::from(word != 0))
    }

    fn read(&self, bits: impl Fn(u64) -> u64) -> impl Iterator<Item = Category> {
        (0u8..).zip(&self.0).flat_map(move |(tier1, word)| {
            let mut rest = bits(*word);
            std::iter::from_fn(move || {
                let child = u8::try_from(rest.trailing_zeros())
                    .ok()
                    .filter(|_| rest != 0)?;
                rest &= rest.wrapping_sub(1);
                Some(Category { tier1, child })
            })
        })
    }
}

impl FromIterator<Category> for CategorySet {
    fn from_iter<I: IntoIterator<Item = Category>>(categories: I) -> Self {
        let mut set = Self::EMPTY;
        for category in categories {
            set.insert(category);
        }
        set
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tier1 = self.tier1.saturating_add(1);
        match self.child {
            0 => write!(f, "IAB{tier1}"),
            child => write!(f, "IAB{tier1}-{child}"),
        }
    }
}

impl fmt::Debug for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for CategorySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn category(code: &str) -> Category {
        Category::parse(code).unwrap()
    }

    #[test]
    fn a_parent_covers_its_children_and_not_the_other_way_round() {
        assert!(category("IAB9").covers(category("iab9-3")));
        assert!(!category("IAB9-3").covers(category("IAB9")));
        assert!(!category("IAB9-3").covers(category("IAB9-30")));
        let blocked: CategorySet = ["IAB25", "IAB7-39"].map(category).into_iter().collect();
        assert!(blocked.covers(category("IAB25-3")));
        assert!(!blocked.covers(category("IAB7")));
        assert!(!blocked.covers(category("IAB7-3")));
    }

    #[test]
    fn a_set_gives_back_what_was_put_in() {
        let codes = ["IAB1", "IAB7-45", "IAB26", "IAB26-4"].map(category);
        let set: CategorySet = codes.into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), codes);
        assert_eq!(format!("{set:?}"), "{IAB1, IAB7-45, IAB26, IAB26-4}");
        assert_eq!(set.iter_with_parents().count(), 5);
    }

    #[test]
    fn other_taxonomies_are_not_read() {
        for code in [
            "", "IAB", "IAB0", "IAB27", "IAB1-0", "IAB1-", "IAB-1", "53", "IAB1-64", "IAB+1",
            "ÄAB1",
        ] {
            assert_eq!(Category::parse(code), None, "{code}");
        }
    }
}
