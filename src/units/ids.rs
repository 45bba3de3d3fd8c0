//! Who and what: stable keys that travel in tokens and journals, and dense slots that index tables.
//!
//! A key is a hash of the name an operator gave, so it is the same on every machine and after every restart
//! without a table that maps it. Two names with one key are refused when the configuration is read.

use std::fmt;

macro_rules! name_key {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u64);

        impl $name {
            /// The key of a name.
            pub const fn of(name: &str) -> Self {
                Self(fnv1a(name.as_bytes()))
            }

            /// A key as it was stored.
            pub const fn from_raw(raw: u64) -> Self {
                Self(raw)
            }

            /// The number to store.
            pub const fn raw(self) -> u64 {
                self.0
            }
        }
    };
}

name_key!(
    /// A campaign, by its id in the configuration.
    CampaignKey
);
name_key!(
    /// A creative, by its id in the configuration.
    CreativeKey
);
name_key!(
    /// An advertiser, by its id in the configuration.
    AdvertiserKey
);
name_key!(
    /// A region, by its id in the configuration.
    RegionKey
);
name_key!(
    /// An exchange, by its id in the configuration.
    ExchangeKey
);

/// A segment of an audience: a provider's, or everyone whom a source knows by an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentKey(u64);

impl SegmentKey {
    /// The key of a segment as an operator writes it: `provider/segment`, or `eids/source`.
    pub fn of(name: &str) -> Self {
        match name.split_once('/') {
            Some(("eids", source)) => Self::known_by(source),
            Some((provider, segment)) => Self::within(provider, segment),
            None => Self::within(name, ""),
        }
    }

    /// The key of a provider's segment. No other pair of texts is taken for it, whatever is in them.
    pub const fn within(provider: &str, segment: &str) -> Self {
        let provider = fnv1a_on(FNV_OFFSET, provider.as_bytes());
        Self(fnv1a_on(fnv1a_on(provider, NO_TEXT), segment.as_bytes()))
    }

    /// The key of everyone whom a source knows by an id: no provider's, even of one that calls itself `eids`.
    pub const fn known_by(source: &str) -> Self {
        let start = fnv1a_on(FNV_OFFSET, KNOWN_BY);
        Self(fnv1a_on(start, source.as_bytes()))
    }

    /// The key of a segment of our own: no provider's, even of one that calls itself `own`.
    pub const fn own(name: &str) -> Self {
        Self(fnv1a_on(fnv1a_on(FNV_OFFSET, OWN), name.as_bytes()))
    }
}

/// A campaign's place in every table of this process: dense, the same over reloads of the catalogue, and given to
/// another campaign only when no reservation of the former one can be open. Never stored, never sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CampaignSlot(u32);

impl CampaignSlot {
    /// The slot with this number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The slot as an index.
    pub const fn index(self) -> usize {
        // A u32 fits in usize wherever this runs.
        self.0 as usize
    }
}

/// One lease of a region on a campaign's budget: it rises with every lease the campaign grants, and never comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u64);

impl Epoch {
    /// The epoch with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The epoch's number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// One bid of ours: unique over processes and restarts (incarnation, data thread, counter), and what settlement is
/// keyed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BidId(u128);

impl BidId {
    /// A bid id from its parts: 64 random bits of this process's incarnation, the data thread, its count of bids.
    pub const fn new(incarnation: u64, thread: u16, count: u64) -> Self {
        let low = ((thread as u128) << 48) | (count as u128 & 0xFFFF_FFFF_FFFF);
        Self(((incarnation as u128) << 64) | low)
    }

    /// A bid id as it was stored.
    pub const fn from_raw(raw: u128) -> Self {
        Self(raw)
    }

    /// The number to store.
    pub const fn raw(self) -> u128 {
        self.0
    }
}

impl fmt::Display for BidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A person's device, as a keyed hash of an id that consent allowed us to read. The hash key never leaves the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserKey(u64);

impl UserKey {
    /// A user key as it was stored or hashed.
    pub const fn from_raw(raw: u64) -> Self {
        Self(raw)
    }

    /// The number to store.
    pub const fn raw(self) -> u64 {
        self.0
    }
}

/// FNV-1a, 64 bits: small, stable by definition, good enough for names that an operator writes.
const fn fnv1a(bytes: &[u8]) -> u64 {
    fnv1a_on(FNV_OFFSET, bytes)
}

/// A byte that no text contains, between texts that are hashed as one.
const NO_TEXT: &[u8] = &[0xff];

/// Bytes that no text contains, where a provider's key cannot have both.
const KNOWN_BY: &[u8] = &[0xff, 0xfe];

/// The same for what is ours.
const OWN: &[u8] = &[0xff, 0xfd];

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

/// The same, of what comes after something that has this hash.
const fn fnv1a_on(mut hash: u64, bytes: &[u8]) -> u64 {
    let mut rest = bytes;
    while let [byte, tail @ ..] = rest {
        hash = (hash ^ *byte as u64).wrapping_mul(0x0000_0100_0000_01b3);
        rest = tail;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_same_on_every_machine() {
        assert_eq!(CampaignKey::of("a").raw(), 0xaf63_dc4c_8601_ec8c);
        assert_ne!(CampaignKey::of("sg-shoes"), CampaignKey::of("sg-shoe"));
    }

    #[test]
    fn a_segment_is_its_providers_alone() {
        let ours = SegmentKey::of("provider.example/4/31");
        assert_eq!(ours, SegmentKey::within("provider.example", "4/31"));
        assert_ne!(ours, SegmentKey::within("provider.example/4", "31"));
        let known = SegmentKey::of("eids/source.example");
        assert_eq!(known, SegmentKey::known_by("source.example"));
        assert_ne!(known, SegmentKey::within("eids", "source.example"));
        assert_ne!(known, SegmentKey::within("", "source.example"));
    }

    #[test]
    fn bid_ids_keep_their_parts_apart() {
        assert_ne!(BidId::new(1, 2, 3), BidId::new(1, 3, 2));
        assert_eq!(
            BidId::new(1, 2, 3).to_string(),
            "00000000000000010002000000000003"
        );
    }
}
