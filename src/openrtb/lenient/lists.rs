//! Lists: of texts, of whole numbers, of objects.

use std::borrow::Cow;
use std::marker::PhantomData;

use serde::de::{IgnoredAny, MapAccess, SeqAccess};

use super::object::{Object, Seed, fill};
use super::scalar::{Given, Text};
use super::value::{Lenient, Number};

/// A list of texts. A single text counts as a list, split at commas and spaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextList<'a> {
    items: Vec<Text<'a>>,
    unreadable: bool,
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

    /// The words of the texts that could be read: for lists of names without spaces, where a text may hold several.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        let texts = self.iter();
        texts.flat_map(|text| {
            let words = text.split([',', ';', ' ', '\t', '\r', '\n']);
            words.filter(|word| !word.is_empty())
        })
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

    /// Whether `item` is among the words of the list, in whatever case.
    pub fn contains_ignoring_case(&self, item: &str) -> bool {
        self.words().any(|listed| listed.eq_ignore_ascii_case(item))
    }

    /// Whether this content type is in the list, whatever parameters (`; codecs=…`) stand there behind it.
    pub fn contains_type(&self, mime: &str) -> bool {
        self.iter()
            .any(|listed| bare_type(listed).eq_ignore_ascii_case(mime))
    }
}

/// A content type without its parameters.
pub(in crate::openrtb) fn bare_type(mime: &str) -> &str {
    mime.split(';').next().unwrap_or_default().trim()
}

/// The words of a text that stands where a list should.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
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
            Cow::Borrowed(text) => words(text).map(Cow::Borrowed).collect(),
            Cow::Owned(text) => words(&text)
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

    /// Takes in what another place says.
    pub(crate) fn join(&mut self, other: Self) {
        self.items.extend(other.items);
        self.unreadable |= other.unreadable;
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
