//! Sets of codes: the lists of small integers that OpenRTB is full of, as the bits of one word.

use std::borrow::Cow;
use std::marker::PhantomData;

use serde::de::SeqAccess;

use super::lists::words;
use super::object::Seed;
use super::value::{Lenient, Number};

/// A set of the small integers that OpenRTB's lists are made of; codes from 64 up (private ones) are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CodeSet {
    bits: u64,
    unreadable: bool,
}

impl CodeSet {
    /// The set with no code in it.
    pub const EMPTY: Self = Self {
        bits: 0,
        unreadable: false,
    };

    /// A set of these codes; codes from 64 up are left out.
    pub fn of(codes: &[u32]) -> Self {
        let mut set = Self::EMPTY;
        for code in codes {
            set.insert(*code);
        }
        set
    }

    /// A set from its bits: bit n stands for code n.
    pub const fn from_bits(bits: u64) -> Self {
        Self {
            bits,
            unreadable: false,
        }
    }

    /// The codes that could be read: bit n stands for code n.
    pub const fn bits(self) -> u64 {
        self.bits
    }

    /// Whether this code is in the set.
    pub const fn contains(self, code: u32) -> bool {
        code < u64::BITS && self.bits & (1 << code) != 0
    }

    /// Whether the two sets share a code.
    pub const fn intersects(self, other: Self) -> bool {
        self.bits & other.bits != 0
    }

    /// Whether every code of `other` is in this set.
    pub const fn contains_all(self, other: Self) -> bool {
        other.bits & !self.bits == 0
    }

    /// Whether no code could be read: either nothing was sent, or [`CodeSet::is_unreadable`].
    pub const fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// Whether something was sent that could not be read, in part or in whole.
    pub const fn is_unreadable(self) -> bool {
        self.unreadable
    }

    /// The codes in rising order.
    pub fn iter(self) -> impl Iterator<Item = u32> {
        (0..u64::BITS).filter(move |code| self.contains(*code))
    }

    /// The codes of both sets.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self {
            bits: self.bits | other.bits,
            unreadable: self.unreadable || other.unreadable,
        }
    }

    /// Adds a code; one from 64 up is left out.
    pub const fn insert(&mut self, code: u32) {
        if code < u64::BITS {
            self.bits |= 1 << code;
        }
    }
}

/// One code as a set; what is no whole number is unreadable, and negative codes do not exist.
impl<'de> Lenient<'de> for CodeSet {
    fn absent() -> Self {
        Self::EMPTY
    }

    fn misfit() -> Self {
        Self {
            bits: 0,
            unreadable: true,
        }
    }

    fn number(number: Number) -> Self {
        match number.whole() {
            Some(code) => {
                let mut set = Self::EMPTY;
                if let Ok(code) = u32::try_from(code) {
                    set.insert(code);
                }
                set
            }
            None => Self::misfit(),
        }
    }

    fn text(text: Cow<'de, str>) -> Self {
        words(&text).fold(Self::EMPTY, |set, word| {
            set.union(Number::parse(word).map_or_else(Self::misfit, Self::number))
        })
    }

    /// What is listed within the list counts too.
    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let mut set = Self::EMPTY;
        while let Some(more) = items.next_element_seed(Seed::<Self>(PhantomData))? {
            set = set.union(more);
        }
        Ok(set)
    }
}
