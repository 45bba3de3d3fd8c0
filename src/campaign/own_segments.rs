//! Our own lists of people: which segments of ours a user is in. Made once, read by every bid, never changed.
//!
//! Users are sorted by their keys, which are hashes and so spread evenly: a table of where each range of keys begins leads
//! to the few that are compared. People who are in the same segments share one list of them.
//!
//! Memory: 12.5 to 13 bytes for each user, and 8 for each segment of each different list.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use crate::units::{SegmentKey, UserKey};

/// The most segments of our own: each is a file that is read at every reload.
pub const OWN_SEGMENTS_MAX: usize = 256;
/// The most lines of all their files together. Each is 16 bytes while the lists are made. Beside that a user is 12.5 bytes,
/// a member of a different list 8, and such a list at most 28: the four bytes of its bounds, and its share of the table and
/// of the one that it grows out of. Few lists are of one or two segments, so that a line is never more than 38 bytes in
/// all, and the lists never more than 400 MB; from then on they are at most 17 bytes a line.
pub const MEMBERSHIPS_MAX: usize = 10_000_000;

/// What lists grow by while they are made: a fortieth of the most.
const GROWTH: usize = 1 << 18;
/// No number of a list.
const FREE: u32 = u32::MAX;

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
        let by_user = || memberships.chunk_by(|a, b| a.0 == b.0);
        let users = by_user().count();
        let (mut keys, mut numbers) = (Vec::with_capacity(users), Vec::with_capacity(users));
        let mut lists = Lists::default();
        let mut list = Vec::new();
        for of_user in by_user() {
            let Some((user, _)) = of_user.first() else {
                continue;
            };
            let places = of_user.iter().map(|(_, place)| usize::from(*place));
            list.clear();
            list.extend(places.filter_map(|place| segments.get(place).copied()));
            list.sort_unstable();
            keys.push(user.raw());
            numbers.push(lists.number(&list));
        }
        drop(memberships);
        let bits = (keys.len() / RANGE).max(1).ilog2();
        let shift = u64::BITS - bits;
        Self {
            ranges: ranges(&keys, bits),
            keys: keys.into(),
            lists: numbers.into(),
            begins: lists.begins.into(),
            members: lists.members.into(),
            shift,
        }
    }

    /// The segments that a user is in, sorted. No lock, no allocation; some 20 ns, most of it one cache miss.
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

/// Different lists, each once. While they are made a table leads from what is in a list to its number; it holds numbers
/// alone, and what is in the lists is compared where it lies.
struct Lists {
    begins: Vec<u32>,
    members: Vec<SegmentKey>,
    /// Numbers of lists, each at the first free place from where its hash points; [`FREE`] elsewhere. At most half full.
    table: Vec<u32>,
}

impl Default for Lists {
    fn default() -> Self {
        Self {
            begins: vec![0],
            members: Vec::new(),
            table: vec![FREE; 2],
        }
    }
}

impl Lists {
    /// The number of a list, which is put down if it is new.
    fn number(&mut self, list: &[SegmentKey]) -> u32 {
        let place = self.place(list);
        match self.table.get(place) {
            Some(known) if *known != FREE => return *known,
            _ => {}
        }
        let new = self.count();
        for member in list {
            grow(&mut self.members, *member);
        }
        let end = number(self.members.len());
        grow(&mut self.begins, end);
        self.put(place, new);
        if self.table.len() < 2 * self.begins.len() {
            self.widen();
        }
        new
    }

    fn count(&self) -> u32 {
        number(self.begins.len() - 1)
    }

    fn list(&self, number: u32) -> Option<&[SegmentKey]> {
        let within = bounds(&self.begins, usize::try_from(number).ok()?)?;
        self.members.get(within)
    }

    /// Where the number of a list stands, or would. Some place is always free.
    fn place(&self, list: &[SegmentKey]) -> usize {
        let mask = self.table.len() - 1;
        let mut hasher = DefaultHasher::new();
        list.hash(&mut hasher);
        let mut place = usize::try_from(hasher.finish() & u64::from(u32::MAX)).unwrap_or(0) & mask;
        let is_other = |known: &u32| *known != FREE && self.list(*known) != Some(list);
        while self.table.get(place).is_some_and(is_other) {
            place = (place + 1) & mask;
        }
        place
    }

    fn put(&mut self, place: usize, number: u32) {
        if let Some(at) = self.table.get_mut(place) {
            *at = number;
        }
    }

    fn widen(&mut self) {
        self.table = vec![FREE; 2 * self.table.len()];
        for number in 0..self.count() {
            let place = self.list(number).map(|list| self.place(list));
            if let Some(place) = place {
                self.put(place, number);
            }
        }
    }
}

/// Pushes, and grows in steps in place of doubling: what is not yet needed must not be as much as what is.
pub(crate) fn grow<T>(all: &mut Vec<T>, item: T) {
    if all.len() == all.capacity() {
        all.reserve_exact(GROWTH);
    }
    all.push(item);
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
        let mut both = [segments[0], segments[2]];
        both.sort_unstable();
        assert_eq!(lists.of(user(999)), both);
        assert_eq!(lists.of(user(1_000)), []);
        assert_eq!(lists.members.len(), 2);
    }

    #[test]
    fn as_many_lists_as_there_are_people_are_told_apart() {
        // Every three of forty.
        let segments = segments(40);
        let all =
            (0..40_u16).flat_map(|a| (0..a).flat_map(move |b| (0..b).map(move |c| [a, b, c])));
        let threes: Vec<[u16; 3]> = all.collect();
        let numbered = || (0_u64..).map(|raw| raw << 48).zip(&threes);
        let memberships = numbered().flat_map(|(raw, of)| of.map(|place| (user(raw), place)));
        let lists = OwnSegments::new(memberships.collect(), &segments);
        assert_eq!(lists.users(), 9_880);
        assert_eq!(lists.members.len(), 3 * 9_880);
        for (raw, of) in numbered() {
            let mut expected = of.map(|place| segments[usize::from(place)]);
            expected.sort_unstable();
            assert_eq!(lists.of(user(raw)), expected);
        }
    }

    #[test]
    fn a_list_that_grows_holds_little_that_it_does_not_need() {
        let mut all = Vec::new();
        for number in 0..=5 * GROWTH {
            grow(&mut all, number);
        }
        assert_eq!(all.capacity(), 6 * GROWTH);
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
                let mut expected: Vec<_> = sets
                    .get(raw)
                    .into_iter()
                    .flatten()
                    .map(|place| segments[usize::from(*place)])
                    .collect();
                expected.sort_unstable();
                prop_assert_eq!(lists.of(user(*raw)), expected.as_slice());
            }
        }
    }
}
