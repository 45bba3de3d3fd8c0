//! Sets of ranks: 64 to a word, in the order of rank, dense or sparse.
//!
//! A set with few ranks is kept as its words that are not empty, so memory follows the number of members and never
//! exceeds a dense bitmap. Sets are built in rising order and then only read, word by word in rising order.

/// Which ranks, of a number that whoever holds the set knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ranks {
    /// Every word.
    Dense(Box<[u64]>),
    /// Words that are not empty, with their places, in order.
    Sparse(Box<[(u32, u64)]>),
}

/// A set while it is built.
#[derive(Clone, Debug, Default)]
pub(super) struct RanksBuilder(Vec<(u32, u64)>);

/// Reads a set in rising order of words.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cursor<'a> {
    /// All words.
    Dense(&'a [u64]),
    /// What has not been passed yet.
    Sparse(&'a [(u32, u64)]),
}

/// How many words hold this many ranks.
pub(super) const fn words_for(ranks: usize) -> usize {
    ranks.div_ceil(64)
}

/// The word of a rank, and its bit in there.
pub(super) const fn place(rank: u32) -> (u32, u64) {
    (rank / 64, 1 << (rank % 64))
}

/// Sets or clears one rank of a dense set.
pub(super) fn assign(dense: &mut [u64], rank: u32, member: bool) {
    let (word, bit) = place(rank);
    if let Some(word) = dense.get_mut(word as usize) {
        *word = if member { *word | bit } else { *word & !bit };
    }
}

impl RanksBuilder {
    /// Adds a rank, which is not below any added before.
    pub(super) fn push(&mut self, rank: u32) {
        let (word, bit) = place(rank);
        match self.0.last_mut() {
            Some((last, bits)) if *last == word => *bits |= bit,
            _ => self.0.push((word, bit)),
        }
    }

    /// The set, among as many ranks as fit in `words`.
    pub(super) fn build(self, words: usize) -> Ranks {
        // A sparse word takes as much memory as two dense ones.
        if self.0.len() * 2 < words {
            return Ranks::Sparse(self.0.into());
        }
        let mut dense = vec![0; words];
        for (word, bits) in self.0 {
            if let Some(slot) = dense.get_mut(word as usize) {
                *slot = bits;
            }
        }
        Ranks::Dense(dense.into())
    }
}

impl Ranks {
    /// A reader from the beginning.
    pub(super) fn cursor(&self) -> Cursor<'_> {
        match self {
            Self::Dense(words) => Cursor::Dense(words),
            Self::Sparse(words) => Cursor::Sparse(words),
        }
    }

    /// Whether nobody is in it.
    pub(super) fn is_empty(&self) -> bool {
        // Dense sets are those with members in at least half of their words.
        matches!(self, Self::Sparse(words) if words.is_empty())
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Dense(words) => size_of_val(&**words),
            Self::Sparse(words) => size_of_val(&**words),
        }
    }
}

impl Cursor<'_> {
    /// The word at a place, which is not below any asked for before.
    pub(super) fn word(&mut self, at: u32) -> u64 {
        match self {
            Self::Dense(words) => words.get(at as usize).copied().unwrap_or(0),
            Self::Sparse(rest) => {
                while let [(place, _), later @ ..] = *rest
                    && *place < at
                {
                    *rest = later;
                }
                match rest.first() {
                    Some((place, bits)) if *place == at => *bits,
                    _ => 0,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn dense_or_sparse_a_set_gives_back_its_ranks(ranks in prop::collection::btree_set(0u32..2_000, 0..200), words in 1usize..64) {
            let ranks: BTreeSet<u32> = ranks.into_iter().filter(|rank| (*rank as usize) < words * 64).collect();
            let mut builder = RanksBuilder::default();
            for rank in &ranks { builder.push(*rank); }
            let set = builder.build(words);
            prop_assert!(set.bytes() <= words * 8);
            let mut cursor = set.cursor();
            let mut read = BTreeSet::new();
            for word in 0..u32::try_from(words).unwrap() {
                let bits = cursor.word(word);
                read.extend((0..64).filter(|bit| bits >> bit & 1 == 1).map(|bit| word * 64 + bit));
            }
            prop_assert_eq!(read, ranks);
        }
    }

    #[test]
    fn a_cursor_may_skip_words() {
        let mut builder = RanksBuilder::default();
        for rank in [1, 700, 705, 9_000] {
            builder.push(rank);
        }
        let set = builder.build(200);
        assert!(matches!(set, Ranks::Sparse(_)));
        let mut cursor = set.cursor();
        assert_eq!(cursor.word(5), 0);
        assert_eq!(cursor.word(10), 1 << (700 - 640));
        assert_eq!(cursor.word(11), 1 << 1);
        assert_eq!(cursor.word(199), 0);
    }
}
