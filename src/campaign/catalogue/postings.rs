//! Dimensions in which a request has several values, or values are many: inventory, categories, shapes.
//!
//! For each value the campaigns that include it, and those that exclude it. A request's values are joined word by
//! word while it is searched. Memory follows how often campaigns name values, so a hundred thousand rare domains cost
//! what their names do.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::RandomState;

use crate::campaign::catalogue::bitmap::{Cursor, Ranks, RanksBuilder};

/// Looked into a dozen times for each impression. A fast hash is safe here: what is in it are words of our own campaigns, and
/// a request, which may be anybody's, is only looked up.
type Sets<K> = HashMap<K, Ranks, RandomState>;

/// Who includes and who excludes each value.
#[derive(Debug)]
pub(super) struct Postings<K> {
    include: Sets<K>,
    exclude: Sets<K>,
    /// Those that exclude anything.
    excluding: Ranks,
}

/// Postings while they are built, in rising order of ranks.
#[derive(Debug)]
pub(super) struct PostingsBuilder<K> {
    include: HashMap<K, RanksBuilder>,
    exclude: HashMap<K, RanksBuilder>,
    excluding: RanksBuilder,
}

/// Up to `N` sets that are read as one, without allocating.
#[derive(Debug)]
pub(super) struct Union<'c, const N: usize> {
    cursors: [Cursor<'c>; N],
    len: usize,
}

impl<K: Eq + Hash> PostingsBuilder<K> {
    pub(super) fn new() -> Self {
        Self {
            include: HashMap::new(),
            exclude: HashMap::new(),
            excluding: RanksBuilder::default(),
        }
    }

    /// The campaign of this rank includes the value.
    pub(super) fn include(&mut self, value: K, rank: u32) {
        self.include.entry(value).or_default().push(rank);
    }

    /// The campaign of this rank excludes the value.
    pub(super) fn exclude(&mut self, value: K, rank: u32) {
        self.exclude.entry(value).or_default().push(rank);
        self.excluding.push(rank);
    }

    pub(super) fn build(self, words: usize) -> Postings<K> {
        let finish = |sets: HashMap<K, RanksBuilder>| {
            sets.into_iter()
                .map(|(value, set)| (value, set.build(words)))
                .collect()
        };
        Postings {
            include: finish(self.include),
            exclude: finish(self.exclude),
            excluding: self.excluding.build(words),
        }
    }
}

impl<K: Eq + Hash> Postings<K> {
    /// Whether anyone includes the value.
    pub(super) fn includes<Q>(&self, value: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        self.include.contains_key(value)
    }

    /// Joins those that include one of the values. Of more sets than `union` holds the rest is left out, so campaigns
    /// may be missed that would fit.
    pub(super) fn join_including<'c, 'v, Q, const N: usize>(
        &'c self,
        values: impl Iterator<Item = &'v Q>,
        union: &mut Union<'c, N>,
    ) where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized + 'v,
    {
        if self.include.is_empty() {
            return;
        }
        for set in values.filter_map(|value| self.include.get(value)) {
            if !union.push(set) {
                break;
            }
        }
    }

    /// Joins those that exclude one of the values to a union that is empty. If that is more sets than it holds, everyone
    /// who excludes anything is joined instead: excluding fails closed.
    pub(super) fn join_excluding<'c, 'v, Q, const N: usize>(
        &'c self,
        values: impl Iterator<Item = &'v Q>,
        union: &mut Union<'c, N>,
    ) where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized + 'v,
    {
        if self.exclude.is_empty() {
            return;
        }
        for set in values.filter_map(|value| self.exclude.get(value)) {
            if !union.push(set) {
                *union = Union::EMPTY;
                union.push(&self.excluding);
                break;
            }
        }
    }

    /// Joins those that exclude anything to a union that is empty: for a request of which not all values are known.
    pub(super) fn join_all_excluding<'c, const N: usize>(&'c self, union: &mut Union<'c, N>) {
        if !self.exclude.is_empty() {
            union.push(&self.excluding);
        }
    }

    /// Bytes on the heap, apart from the values themselves.
    pub(super) fn bytes(&self) -> usize {
        let sets = self.include.values().chain(self.exclude.values());
        sets.map(Ranks::bytes).sum::<usize>() + self.excluding.bytes()
    }
}

impl<'c, const N: usize> Union<'c, N> {
    pub(super) const EMPTY: Self = Self {
        cursors: [Cursor::Sparse(&[]); N],
        len: 0,
    };

    /// Adds a set, or says that there is no room.
    pub(super) fn push(&mut self, set: &'c Ranks) -> bool {
        match self.cursors.get_mut(self.len) {
            Some(free) => {
                *free = set.cursor();
                self.len += 1;
                true
            }
            None => false,
        }
    }

    /// The word at a place, which is not below any asked for before.
    pub(super) fn word(&mut self, at: u32) -> u64 {
        let used = self.cursors.iter_mut().take(self.len);
        used.fold(0, |word, cursor| word | cursor.word(at))
    }
}
