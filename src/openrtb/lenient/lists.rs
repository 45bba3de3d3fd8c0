//! Lists: of texts, of small codes, of currencies, of objects.

use std::borrow::Cow;

use serde::de::{IgnoredAny, MapAccess, SeqAccess};

use super::object::{Object, Seed, fill};
use super::scalar::{Given, Text};
use super::value::{Lenient, Number};
use crate::units::Currency;
use std::marker::PhantomData;

/// A list of texts. A single text counts as a list, split at commas and spaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextList<'a> {
    items: Vec<Text<'a>>,
    unreadable: bool,
}

/// A set of the small integers that OpenRTB's lists are made of; codes from 64 up (private ones) are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CodeSet {
    bits: u64,
    unreadable: bool,
}

/// The currencies a bid may be in, in the order they were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Currencies {
    codes: [Currency; Self::MAX],
    len: usize,
}

/// A list of objects of which none may be overlooked.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed<T> {
    items: Vec<T>,
    unreadable: bool,
}

/// The first usable object of a list; the rest is passed over.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct First<T>(pub(crate) Option<T>);

impl TextList<'_> {
    /// The texts that could be read.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.items.iter().map(|item| &**item)
    }

    /// How many texts could be read.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether no text could be read: either nothing was sent, or [`TextList::is_unreadable`].
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether something was sent that could not be read, in part or in whole.
    pub const fn is_unreadable(&self) -> bool {
        self.unreadable
    }

    /// Whether `item` is in the list, to the letter.
    pub fn contains(&self, item: &str) -> bool {
        self.iter().any(|listed| listed == item)
    }

    /// Whether `item` is in the list, in whatever case.
    pub fn contains_ignoring_case(&self, item: &str) -> bool {
        self.iter().any(|listed| listed.eq_ignore_ascii_case(item))
    }
}

fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ' ']).filter(|word| !word.is_empty())
}

impl<'a> FromIterator<Text<'a>> for TextList<'a> {
    fn from_iter<I: IntoIterator<Item = Text<'a>>>(items: I) -> Self {
        Self {
            items: items.into_iter().collect(),
            unreadable: false,
        }
    }
}

/// An element of a list that should hold texts or numbers.
pub(crate) enum Element<'a> {
    /// `null`, which counts for nothing.
    Nothing,
    /// A text, or a whole number as its digits.
    Text(Text<'a>),
    /// Anything else.
    Misfit,
}

impl<'a> Element<'a> {
    /// The next element of an array.
    pub(crate) fn next<A: SeqAccess<'a>>(items: &mut A) -> Result<Option<Self>, A::Error> {
        items.next_element_seed(Seed(PhantomData))
    }
}

impl<'de> Lenient<'de> for Element<'de> {
    fn absent() -> Self {
        Self::Nothing
    }

    fn misfit() -> Self {
        Self::Misfit
    }

    fn number(number: Number) -> Self {
        Option::<Text<'de>>::number(number).map_or(Self::Misfit, Self::Text)
    }

    fn text(text: Cow<'de, str>) -> Self {
        Self::Text(text)
    }
}

impl<'de> Lenient<'de> for TextList<'de> {
    fn absent() -> Self {
        Self::default()
    }

    fn misfit() -> Self {
        Self {
            items: Vec::new(),
            unreadable: true,
        }
    }

    fn number(number: Number) -> Self {
        let mut list = Self::default();
        match Option::<Text<'de>>::number(number) {
            Some(text) => list.items.push(text),
            None => list.unreadable = true,
        }
        list
    }

    fn text(text: Cow<'de, str>) -> Self {
        match text {
            Cow::Borrowed(text) => split(text).map(Cow::Borrowed).collect(),
            Cow::Owned(text) => split(&text)
                .map(|word| Cow::Owned(word.to_owned()))
                .collect(),
        }
    }

    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let mut list = Self::default();
        while let Some(element) = Element::next(&mut items)? {
            match element {
                Element::Nothing => {}
                Element::Text(text) if text.is_empty() => {}
                Element::Text(text) => list.items.push(text),
                Element::Misfit => list.unreadable = true,
            }
        }
        Ok(list)
    }
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
        split(&text).fold(Self::EMPTY, |set, word| {
            set.union(Number::parse(word).map_or_else(Self::misfit, Self::number))
        })
    }

    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let mut set = Self::EMPTY;
        while let Some(element) = Element::next(&mut items)? {
            set = set.union(match element {
                Element::Nothing => Self::EMPTY,
                Element::Text(text) => Self::text(text),
                Element::Misfit => Self::misfit(),
            });
        }
        Ok(set)
    }
}

impl Currencies {
    /// More than any exchange documents (a dozen); what comes after is left out, which only narrows the choice.
    pub const MAX: usize = 16;

    /// The codes, in the order they were sent.
    pub fn iter(&self) -> impl Iterator<Item = Currency> {
        self.codes.iter().take(self.len).copied()
    }

    /// Whether a bid may be in this currency.
    pub fn contains(&self, currency: Currency) -> bool {
        self.iter().any(|listed| listed == currency)
    }

    fn push(&mut self, currency: Currency) {
        if let Some(free) = self.codes.get_mut(self.len) {
            *free = currency;
            self.len += 1;
        }
    }
}

/// Whole numbers, such as durations: an empty list is absent; one with none that can be read is unreadable.
impl<'de, T> Lenient<'de> for Given<Vec<T>>
where
    Option<T>: Lenient<'de>,
{
    fn absent() -> Self {
        Self::Absent
    }

    fn misfit() -> Self {
        Self::Unreadable
    }

    fn number(number: Number) -> Self {
        Option::<T>::number(number).map_or(Self::Unreadable, |number| Self::Value(vec![number]))
    }

    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let mut numbers = Vec::new();
        let mut unreadable = false;
        while let Some(element) = Element::next(&mut items)? {
            let number = match element {
                Element::Nothing => continue,
                Element::Text(text) => Option::<T>::text(text),
                Element::Misfit => None,
            };
            unreadable |= number.is_none();
            numbers.extend(number);
        }
        Ok(match (numbers.is_empty(), unreadable) {
            (true, true) => Self::Unreadable,
            (true, false) => Self::Absent,
            (false, _) => Self::Value(numbers),
        })
    }
}

/// An empty list is absent; a list with no currency in it that can be read is unreadable.
impl<'de> Lenient<'de> for Given<Currencies> {
    fn absent() -> Self {
        Self::Absent
    }

    fn misfit() -> Self {
        Self::Unreadable
    }

    fn text(text: Cow<'de, str>) -> Self {
        currencies(split(&text).map(Currency::parse))
    }

    fn list<A: SeqAccess<'de>>(items: A) -> Result<Self, A::Error> {
        let texts = TextList::list(items)?;
        let unreadable = texts.unreadable.then_some(None);
        Ok(currencies(
            texts.iter().map(Currency::parse).chain(unreadable),
        ))
    }
}

fn currencies(codes: impl Iterator<Item = Option<Currency>>) -> Given<Currencies> {
    let mut list = Currencies {
        codes: [Currency::USD; Currencies::MAX],
        len: 0,
    };
    let mut unreadable = false;
    for code in codes {
        match code {
            Some(code) => list.push(code),
            None => unreadable = true,
        }
    }
    match (list.len, unreadable) {
        (0, true) => Given::Unreadable,
        (0, false) => Given::Absent,
        _ => Given::Value(list),
    }
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            unreadable: false,
        }
    }
}

impl<T> Listed<T> {
    /// The objects that could be read.
    pub fn items(&self) -> &[T] {
        &self.items
    }

    /// Whether nothing was sent.
    pub fn is_absent(&self) -> bool {
        self.items.is_empty() && !self.unreadable
    }

    /// Whether something was sent that could not be read, in part or in whole, or was over the limit.
    pub const fn is_unreadable(&self) -> bool {
        self.unreadable
    }
}

/// Objects in an array: what is no object, or cannot be used, is left out and remembered.
impl<'de, T: Object<'de>> Lenient<'de> for Listed<T> {
    fn absent() -> Self {
        Self::default()
    }

    fn misfit() -> Self {
        Self {
            items: Vec::new(),
            unreadable: true,
        }
    }

    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let mut listed = Self::default();
        while listed.items.len() < T::MAX_LISTED {
            match items.next_element_seed(Seed::<Option<T>>(PhantomData))? {
                None => return Ok(listed),
                Some(Some(item)) if item.is_usable() => listed.items.push(item),
                Some(_) => listed.unreadable = true,
            }
        }
        while items.next_element::<IgnoredAny>()?.is_some() {
            listed.unreadable = true;
        }
        Ok(listed)
    }
}

/// Objects in an array where one left out harms nobody.
impl<'de, T: Object<'de>> Lenient<'de> for Vec<T> {
    fn absent() -> Self {
        Self::new()
    }

    fn list<A: SeqAccess<'de>>(items: A) -> Result<Self, A::Error> {
        Listed::list(items).map(|listed| listed.items)
    }
}

impl<'de, T: Object<'de>> Lenient<'de> for First<T> {
    fn absent() -> Self {
        Self(None)
    }

    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let mut first = None;
        while first.is_none() {
            match items.next_element_seed(Seed::<Option<T>>(PhantomData))? {
                None => return Ok(Self(None)),
                Some(item) => first = item.filter(Object::is_usable),
            }
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self(first))
    }

    fn object<A: MapAccess<'de>>(fields: A) -> Result<Self, A::Error> {
        fill(fields).map(|item| Self(Some(item)))
    }
}
