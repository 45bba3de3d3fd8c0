//! Our own lists of people: which segments of ours a user is in. Made once, read by every bid, never changed.
//!
//! Users are sorted by their keys, which are hashes and so spread evenly: a table of where each range of keys begins leads to
//! the few that are compared. People who are in the same segments share one list of them.
//!
//! Memory: 12.5 to 13 bytes for each user, and 8 for each segment of each different list.

use std::collections::HashMap;
use std::ops::Range;

use crate::units::{SegmentKey, UserKey};

/// The most segments of our own: each is a file that is read at every reload.
pub const OWN_SEGMENTS_MAX: usize = 256;
/// The most lines of all their files together: a line is 16 bytes while the lists are made, and at most 28 from then on, so
/// that the lists never take more than 450 MB.
pub const MEMBERSHIPS_MAX: usize = 10_000_000;

/// Users in one range of keys, on average: they lie in one or two cache lines.
const RANGE: usize = 8;

/// Which of our segments users are in.
#[derive(Clone, Debug, Default)]
pub struct OwnSegments {
    /// The users, in order.
    keys: Box<[u64]>,
    /// For each of them, the number of their list.
    lists: Box<[u32]>,
    /// Where each list begins in `members`, and where the last one ends.
    begins: Box<[u32]>,
    members: Box<[SegmentKey]>,
    /// Where the keys of each range begin in `keys`, and where the last ones end.
    ranges: Box<[u32]>,
    /// How far a key is shifted to tell its range.
    shift: u32,
}

impl OwnSegments {
    /// The lists of these memberships: each a user, and the place of a segment in `segments`. In any order, and as often as
    /// they like.
    pub fn new(mut memberships: Vec<(UserKey, u16)>, segments: &[SegmentKey]) -> Self {
        memberships.sort_unstable();
        memberships.dedup();
        memberships.truncate(MEMBERSHIPS_MAX);
        let mut keys = Vec::new();
        let mut lists = Vec::new();
        let (mut begins, mut members) = (vec![0], Vec::new());
        let mut known: HashMap<Vec<u16>, u32> = HashMap::new();
        for of_user in memberships.chunk_by(|a, b| a.0 == b.0) {
            let Some((user, _)) = of_user.first() else {
                continue;
            };
            let list: Vec<u16> = of_user.iter().map(|(_, segment)| *segment).collect();
            let number = number(known.len());
            let number = *known.entry(list).or_insert_with_key(|list| {
                let named = list
                    .iter()
                    .filter_map(|place| segments.get(usize::from(*place)));
                members.extend(named.copied());
                begins.push(self::number(members.len()));
                number
            });
            keys.push(user.raw());
            lists.push(number);
        }
        let bits = (keys.len() / RANGE).max(1).ilog2();
        let shift = u64::BITS - bits;
        Self {
            ranges: ranges(&keys, bits),
            keys: keys.into(),
            lists: lists.into(),
            begins: begins.into(),
            members: members.into(),
            shift,
        }
    }

    /// The segments that a user is in. No lock, no allocation; some 20 ns, most of it one cache miss.
    pub fn of(&self, user: UserKey) -> &[SegmentKey] {
        self.find(user.raw()).unwrap_or_default()
    }

    fn find(&self, key: u64) -> Option<&[SegmentKey]> {
        let range = usize::try_from(key.checked_shr(self.shift).unwrap_or(0)).ok()?;
        let within = bounds(&self.ranges, range)?;
        let place = self.keys.get(within.clone())?.binary_search(&key).ok()?;
        let list = *self.lists.get(within.start.checked_add(place)?)?;
        self.members
            .get(bounds(&self.begins, usize::try_from(list).ok()?)?)
    }

    /// How many people are in any.
    pub fn users(&self) -> usize {
        self.keys.len()
    }

    /// Bytes on the heap.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.keys)
            + size_of_val(&*self.lists)
            + size_of_val(&*self.begins)
            + size_of_val(&*self.members)
            + size_of_val(&*self.ranges)
    }
}

/// Where the keys of each range begin that their first `bits` bits tell, and where the last ones end.
fn ranges(keys: &[u64], bits: u32) -> Box<[u32]> {
    let count = 1_u64 << bits;
    let begins = |range: u64| {
        let first = range.checked_shl(u64::BITS - bits).unwrap_or(0);
        number(keys.partition_point(|key| *key < first))
    };
    (0..count)
        .map(begins)
        .chain(std::iter::once(number(keys.len())))
        .collect()
}

fn bounds(begins: &[u32], place: usize) -> Option<Range<usize>> {
    let [begin, end] = begins.get(place..)?.first_chunk()?;
    Some(usize::try_from(*begin).ok()?..usize::try_from(*end).ok()?)
}

/// There are at most [`MEMBERSHIPS_MAX`] of anything.
fn number(of: usize) -> u32 {
    u32::try_from(of).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    fn segments(count: u16) -> Vec<SegmentKey> {
        (0..count)
            .map(|number| SegmentKey::own(&number.to_string()))
            .collect()
    }

    fn user(raw: u64) -> UserKey {
        UserKey::from_raw(raw)
    }

    #[test]
    fn nobody_is_in_lists_that_are_empty() {
        for lists in [OwnSegments::default(), OwnSegments::new(Vec::new(), &[])] {
            for raw in [0, 1, u64::MAX] {
                assert_eq!(lists.of(user(raw)), []);
            }
        }
    }

    #[test]
    fn people_in_the_same_segments_share_one_list() {
        let segments = segments(3);
        let memberships = (0..1_000)
            .flat_map(|raw| [(user(raw), 2), (user(raw), 0), (user(raw), 2)])
            .collect();
        let lists = OwnSegments::new(memberships, &segments);
        assert_eq!(lists.users(), 1_000);
        assert_eq!(lists.of(user(999)), [segments[0], segments[2]]);
        assert_eq!(lists.of(user(1_000)), []);
        assert_eq!(lists.members.len(), 2);
    }

    proptest! {
        /// Beside a map of sets.
        #[test]
        fn everybody_is_in_what_the_lists_say_and_in_nothing_else(
            memberships in prop::collection::vec((prop_oneof![0..50_u64, any::<u64>()], 0..5_u16), 0..600),
            strangers in prop::collection::vec(any::<u64>(), 0..50),
        ) {
            let segments = segments(5);
            let mut sets: BTreeMap<u64, BTreeSet<u16>> = BTreeMap::new();
            for (raw, segment) in &memberships {
                sets.entry(*raw).or_default().insert(*segment);
            }
            let lists = OwnSegments::new(
                memberships.iter().map(|(raw, segment)| (user(*raw), *segment)).collect(),
                &segments,
            );
            prop_assert_eq!(lists.users(), sets.len());
            for raw in sets.keys().chain(&strangers) {
                let expected: Vec<_> = sets
                    .get(raw)
                    .into_iter()
                    .flatten()
                    .map(|place| segments[usize::from(*place)])
                    .collect();
                prop_assert_eq!(lists.of(user(*raw)), expected.as_slice());
            }
        }
    }
}
