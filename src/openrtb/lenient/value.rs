//! One visitor for all of JSON: it hands each kind of value to the type that is being read.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A type that can be read from any JSON value.
///
/// The default of every method is [`Lenient::misfit`], so an implementation lists what it accepts and no more.
pub(crate) trait Lenient<'de>: Sized {
    /// What `null` and a missing field mean.
    fn absent() -> Self;

    /// What a value of a kind or size that does not fit means.
    fn misfit() -> Self {
        Self::absent()
    }

    /// What `true` or `false` means.
    fn boolean(_: bool) -> Self {
        Self::misfit()
    }

    /// What a number means.
    fn number(_: Number) -> Self {
        Self::misfit()
    }

    /// What a string means.
    fn text(_: Cow<'de, str>) -> Self {
        Self::misfit()
    }

    /// What an array means.
    fn list<A: SeqAccess<'de>>(mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Self::misfit())
    }

    /// What an object means.
    fn object<A: MapAccess<'de>>(mut fields: A) -> Result<Self, A::Error> {
        while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Self::misfit())
    }
}

/// A JSON number as the parser classes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    /// Written without a point or an exponent, below 2⁶³ in magnitude.
    Integer(i64),
    /// Written without a point or an exponent, from 2⁶³ to 2⁶⁴ − 1.
    Large(u64),
    /// Anything else; finite.
    Float(f64),
}

impl Number {
    /// The number a text stands for, if it is one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(integer) = text.parse() {
            return Some(Self::Integer(integer));
        }
        // Rust reads "inf" and "nan" as numbers; JSON has no such thing.
        let float: f64 = text.parse().ok()?;
        float.is_finite().then_some(Self::Float(float))
    }

    /// The whole number this is: `300.0` is 300, `300.5` is none.
    pub(crate) fn whole(self) -> Option<i64> {
        /// Whole floats up to 2⁵³ are exact; above, several integers share one float.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        match self {
            Self::Integer(integer) => Some(integer),
            Self::Float(float) if float.fract() == 0.0 && float.abs() <= EXACT =>
            {
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "whole and within ±2⁵³ by the guard"
                )]
                Some(float as i64)
            }
            Self::Large(_) | Self::Float(_) => None,
        }
    }

    /// The nearest float.
    pub(crate) fn float(self) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            reason = "for coordinates and time-outs, where the nearest float is what is meant"
        )]
        match self {
            Self::Integer(integer) => integer as f64,
            Self::Large(large) => large as f64,
            Self::Float(float) => float,
        }
    }
}

/// Reads one whole JSON text; bytes after the value are an error.
pub(crate) fn read_document<'de, T: Lenient<'de>>(text: &'de str) -> Result<T, serde_json::Error> {
    let mut source = serde_json::Deserializer::from_str(text);
    let value = lenient(&mut source)?;
    source.end()?;
    Ok(value)
}

/// Reads one value of whatever kind comes.
pub(super) fn lenient<'de, T: Lenient<'de>, D: Deserializer<'de>>(
    source: D,
) -> Result<T, D::Error> {
    source.deserialize_any(AnyKind(PhantomData))
}

struct AnyKind<T>(PhantomData<T>);

impl<'de, T: Lenient<'de>> Visitor<'de> for AnyKind<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<T, E> {
        Ok(T::absent())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<T, E> {
        Ok(T::boolean(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<T, E> {
        Ok(T::number(Number::Integer(value)))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<T, E> {
        Ok(T::number(
            i64::try_from(value).map_or(Number::Large(value), Number::Integer),
        ))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<T, E> {
        Ok(T::number(Number::Float(value)))
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<T, E> {
        Ok(T::text(Cow::Borrowed(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<T, E> {
        Ok(T::text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<T, A::Error> {
        T::list(items)
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
        T::object(fields)
    }
}
