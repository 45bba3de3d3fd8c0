//! One dimension of targeting in which a request has at most one value: country, device, hour, …
//!
//! A bitmap per value that any campaign names, and one for every other value and for none: the campaigns that do not
//! restrict the dimension, or only exclude. So a request costs one bitmap per dimension, whatever campaigns ask for.
//! Memory: a bit per campaign and named value, which is why the values must be few (hundreds).

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::campaign::catalogue::bitmap;

/// What one campaign asks of the dimension, its values as numbers.
#[derive(Debug, Default)]
pub(super) struct Ask {
    /// Only these; `None` for all.
    pub(super) only: Option<Vec<u64>>,
    /// None of these.
    pub(super) not: Vec<u64>,
}

/// The campaigns that accept each value.
#[derive(Debug)]
pub(super) struct Dimension {
    /// Accept any value that no campaign names, and none.
    others: Box<[u64]>,
    /// Named values, each with the campaigns that accept it.
    named: HashMap<u64, Box<[u64]>, RandomState>,
    /// Whether no campaign asks anything.
    open: bool,
}

impl Dimension {
    /// The dimension over campaigns in order of rank.
    pub(super) fn build(asks: &[Ask]) -> Self {
        let words = bitmap::words_for(asks.len());
        let mut others = vec![0; words].into_boxed_slice();
        for (rank, ask) in (0u32..).zip(asks) {
            bitmap::assign(&mut others, rank, ask.only.is_none());
        }
        let mut named: HashMap<u64, Box<[u64]>, RandomState> = HashMap::default();
        let mut mark = |value: &u64, rank, member| {
            let dense = named.entry(*value).or_insert_with(|| others.clone());
            bitmap::assign(dense, rank, member);
        };
        for (rank, ask) in (0u32..).zip(asks) {
            ask.only
                .iter()
                .flatten()
                .for_each(|value| mark(value, rank, true));
            ask.not.iter().for_each(|value| mark(value, rank, false));
        }
        let open = asks
            .iter()
            .all(|ask| ask.only.is_none() && ask.not.is_empty());
        Self {
            others,
            named,
            open,
        }
    }

    /// The campaigns that accept this value; `None` if every campaign does.
    pub(super) fn accepting(&self, value: Option<u64>) -> Option<&[u64]> {
        if self.open {
            return None;
        }
        let named = value.and_then(|value| self.named.get(&value));
        Some(named.unwrap_or(&self.others))
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.others) * (1 + self.named.len())
    }
}
