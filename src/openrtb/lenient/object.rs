//! Objects: a table of wire names per type, written out in one `match`.

use std::borrow::Cow;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess};

use super::scalar::Given;
use super::value::{Lenient, lenient};

/// A JSON object with known fields. Where a key comes twice, the last one counts.
pub(crate) trait Object<'de>: Default {
    /// How many of these one array may hold; the rest is skipped unread, so that work per request is bounded.
    const MAX_LISTED: usize = 64;

    /// Takes the value of `key` from `map`: [`read`] it into a field, or [`skip`] it.
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error>;

    /// Whether an element of an array can be used at all (it has the id that it is referred to by).
    fn is_usable(&self) -> bool {
        true
    }
}

/// Reads the value of the key just taken.
pub(crate) fn read<'de, T: Lenient<'de>, A: MapAccess<'de>>(map: &mut A) -> Result<T, A::Error> {
    map.next_value_seed(Seed(PhantomData))
}

/// Passes over the value of the key just taken, without recursion.
pub(crate) fn skip<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<IgnoredAny>().map(|_| ())
}

/// An object that is missing, or is something else, has no fields.
impl<'de, T: Object<'de>> Lenient<'de> for T {
    fn absent() -> Self {
        Self::default()
    }

    fn object<A: MapAccess<'de>>(fields: A) -> Result<Self, A::Error> {
        fill(fields)
    }
}

/// An object whose presence means something.
impl<'de, T: Object<'de>> Lenient<'de> for Option<T> {
    fn absent() -> Self {
        None
    }

    fn object<A: MapAccess<'de>>(fields: A) -> Result<Self, A::Error> {
        fill(fields).map(Some)
    }
}

/// An object whose absence would be a permission. What stands there and is none cannot be read, but for an empty text or
/// list, as which some languages write an empty object.
impl<'de, T: Object<'de>> Lenient<'de> for Given<T> {
    fn absent() -> Self {
        Self::Absent
    }

    fn misfit() -> Self {
        Self::Unreadable
    }

    fn text(text: Cow<'de, str>) -> Self {
        if text.trim().is_empty() {
            Self::Absent
        } else {
            Self::Unreadable
        }
    }

    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        let mut found = Self::Absent;
        while items.next_element::<IgnoredAny>()?.is_some() {
            found = Self::Unreadable;
        }
        Ok(found)
    }

    fn object<A: MapAccess<'de>>(fields: A) -> Result<Self, A::Error> {
        fill(fields).map(Self::Value)
    }
}

/// Reads the fields of an object that has begun.
pub(super) fn fill<'de, T: Object<'de>, A: MapAccess<'de>>(mut fields: A) -> Result<T, A::Error> {
    let mut object = T::default();
    while let Some(Key(key)) = fields.next_key_seed(Seed::<Key<'de>>(PhantomData))? {
        object.field(&key, &mut fields)?;
    }
    Ok(object)
}

/// Reads a value where serde wants a seed: an element of an array.
pub(crate) struct Seed<T>(pub(crate) PhantomData<T>);

impl<'de, T: Lenient<'de>> DeserializeSeed<'de> for Seed<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<T, D::Error> {
        lenient(source)
    }
}

struct Key<'de>(Cow<'de, str>);

impl<'de> Lenient<'de> for Key<'de> {
    fn absent() -> Self {
        Self(Cow::Borrowed(""))
    }

    fn text(text: Cow<'de, str>) -> Self {
        Self(text)
    }
}
