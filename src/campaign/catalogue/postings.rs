//! Dimensions in which a request has several values, or values are many: inventory, categories, shapes.
//!
//! For each value the campaigns that include it, and those that exclude it. A request's values are joined word by
//! word while it is searched. Memory follows how often campaigns name values, so a hundred thousand rare domains cost
//! what their names do.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

use arrayvec::ArrayVec;
use foldhash::fast::RandomState;

use crate::campaign::catalogue::bitmap::{Cursor, Ranks, RanksBuilder};

/// Looked into a dozen times for each impression. A fast hash is safe here: what is in it are words of our own campaigns,
/// and a request, which may be anybody's, is only looked up.
type Named<K, S> = HashMap<K, Sides<S>, RandomState>;

/// Who includes and who excludes each value.
#[derive(Debug)]
pub(super) struct Postings<K> {
    named: Named<K, Ranks>,
    /// Those that exclude anything.
    excluding: Ranks,
}

/// Postings while they are built, in rising order of ranks.
#[derive(Debug)]
pub(super) struct PostingsBuilder<K> {
    named: Named<K, RanksBuilder>,
    excluding: RanksBuilder,
}

/// Both sides of one value.
#[derive(Debug, Default)]
struct Sides<S> {
    include: S,
    exclude: S,
}

/// Up to `N` sets that are read as one, without allocating.
#[derive(Debug, Default)]
pub(super) struct Union<'c, const N: usize>(ArrayVec<Cursor<'c>, N>);

impl<K: Eq + Hash> PostingsBuilder<K> {
    pub(super) fn new() -> Self {
        Self {
            named: HashMap::default(),
            excluding: RanksBuilder::default(),
        }
    }

    /// The campaign of this rank includes the value.
    pub(super) fn include(&mut self, value: K, rank: u32) {
        self.named.entry(value).or_default().include.push(rank);
    }

    /// The campaign of this rank excludes the value.
    pub(super) fn exclude(&mut self, value: K, rank: u32) {
        self.named.entry(value).or_default().exclude.push(rank);
        self.excluding.push(rank);
    }

    pub(super) fn build(self, words: usize) -> Postings<K> {
        let finish = |sides: Sides<RanksBuilder>| Sides {
            include: sides.include.build(words),
            exclude: sides.exclude.build(words),
        };
        let named = self.named.into_iter();
        Postings {
            named: named.map(|(value, sides)| (value, finish(sides))).collect(),
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
        let sides = self.named.get(value);
        sides.is_some_and(|sides| !sides.include.is_empty())
    }

    /// Joins those that include the value. Of more sets than `including` holds the rest is left out, so campaigns may be
    /// missed that would fit.
    pub(super) fn join_including<'c, Q, const N: usize>(
        &'c self,
        value: &Q,
        including: &mut Union<'c, N>,
    ) where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        if let Some(sides) = self.named.get(value) {
            including.push(&sides.include);
        }
    }

    /// Joins those that include the value, as [`Self::join_including`] does, and those that exclude it. Of more sets than
    /// `excluding` holds, it becomes everyone who excludes anything: excluding fails closed.
    pub(super) fn join<'c, Q, const N: usize, const M: usize>(
        &'c self,
        value: &Q,
        including: &mut Union<'c, N>,
        excluding: &mut Union<'c, M>,
    ) where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let Some(sides) = self.named.get(value) else {
            return;
        };
        including.push(&sides.include);
        if !excluding.push(&sides.exclude) {
            excluding.become_only(&self.excluding);
        }
    }

    /// Those that exclude anything: for a request of which not all values are known.
    pub(super) fn excluding(&self) -> &Ranks {
        &self.excluding
    }

    /// Bytes on the heap, apart from the values themselves.
    pub(super) fn bytes(&self) -> usize {
        let sides = self.named.values();
        let bytes = sides.map(|sides| sides.include.bytes() + sides.exclude.bytes());
        bytes.sum::<usize>() + self.excluding.bytes()
    }
}

impl<'c, const N: usize> Union<'c, N> {
    /// No set.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// This set alone.
    pub(super) fn become_only(&mut self, set: &'c Ranks) {
        self.clear();
        self.push(set);
    }

    /// Puts those first who include nothing, where anyone includes anything.
    pub(super) fn push_first(&mut self, open: Option<&'c Ranks>) {
        self.0.extend(open.map(Ranks::cursor));
    }

    /// Puts nobody first: who is in no other set is left out.
    pub(super) fn push_nobody(&mut self) {
        self.0.push(Cursor::Sparse(&[]));
    }

    /// Adds a set, or says that there is no room. An empty one needs none.
    pub(super) fn push(&mut self, set: &'c Ranks) -> bool {
        set.is_empty() || self.0.try_push(set.cursor()).is_ok()
    }

    /// The word at a place, which is not below any asked for before.
    pub(super) fn word(&mut self, at: u32) -> u64 {
        let used = self.0.iter_mut();
        used.fold(0, |word, cursor| word | cursor.word(at))
    }

    /// The same; everyone where there is no set, because nobody asks.
    pub(super) fn word_or_all(&mut self, at: u32) -> u64 {
        if self.0.is_empty() {
            u64::MAX
        } else {
            self.word(at)
        }
    }
}
