//! Single values: texts, flags, whole numbers, floats, and values that may be unreadable.

use std::borrow::Cow;

use super::amount::{decimal_millionths, millionths_of};
use super::value::{Lenient, Number};
use crate::units::{Cpm, Currency};

/// A text that borrows from the body unless it had escapes or was a number. Never empty inside an `Option`.
pub type Text<'a> = Cow<'a, str>;

/// A field whose absence would be a permission, so that "cannot be read" must not look like "not there".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Given<T> {
    /// Not there, or `null`.
    #[default]
    Absent,
    /// There, and understood.
    Value(T),
    /// There, and not understood: whoever asks must assume the worst.
    Unreadable,
}

/// A 0/1 field, which arrives as a number, a boolean or a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flag {
    /// Not there, `null` or an empty text.
    #[default]
    Absent,
    /// 0, `false`, `"0"`.
    No,
    /// 1, `true`, `"1"`.
    Yes,
    /// Anything else: 2, `"maybe"`, an array.
    Odd,
}

/// A number of milliseconds: fractions are cut off; zero, negative and unreadable ones are absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Millis(pub(crate) Option<u32>);

impl<T> Given<T> {
    /// The value, if it was understood.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Unreadable => None,
        }
    }

    /// The same by reference.
    pub fn as_ref(&self) -> Given<&T> {
        match self {
            Self::Absent => Given::Absent,
            Self::Value(value) => Given::Value(value),
            Self::Unreadable => Given::Unreadable,
        }
    }

    /// The same with what `change` makes of the value.
    pub fn map_value<U>(self, change: impl FnOnce(T) -> U) -> Given<U> {
        match self {
            Self::Absent => Given::Absent,
            Self::Value(value) => Given::Value(change(value)),
            Self::Unreadable => Given::Unreadable,
        }
    }

    /// The value, `default` where there is none, `None` where it cannot be read.
    pub fn or_absent(self, default: T) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent => Some(default),
            Self::Unreadable => None,
        }
    }

    /// Whether nothing was sent.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Whether something was sent that cannot be read.
    pub const fn is_unreadable(&self) -> bool {
        matches!(self, Self::Unreadable)
    }
}

impl Flag {
    /// Whether the flag is plainly set.
    pub const fn is_yes(self) -> bool {
        matches!(self, Self::Yes)
    }

    /// Whether the flag may be set: for flags that restrict, where an odd value must count as set.
    pub const fn may_be_yes(self) -> bool {
        matches!(self, Self::Yes | Self::Odd)
    }

    /// The one of two that restricts more; for fields that are sent in two places.
    #[must_use]
    pub const fn stricter(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::Odd, _) | (_, Self::Odd) => Self::Odd,
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Absent, Self::Absent) => Self::Absent,
        }
    }
}

/// The first of two texts that is there; for fields that are sent in two places.
pub(crate) fn joined<T>(first: Option<T>, second: Option<T>) -> Option<T> {
    first.or(second)
}

impl<'de> Lenient<'de> for Option<Text<'de>> {
    fn absent() -> Self {
        None
    }

    /// An id as a number is its digits; a float or an integer too large to be exact has no digits that could be
    /// sent back.
    fn number(number: Number) -> Self {
        match number {
            Number::Large(large) => Some(Cow::Owned(large.to_string())),
            Number::Integer(_) | Number::Float(_) => {
                number.whole().map(|whole| Cow::Owned(whole.to_string()))
            }
        }
    }

    fn text(text: Cow<'de, str>) -> Self {
        (!text.is_empty()).then_some(text)
    }
}

/// A text whose absence would be a permission.
impl<'de> Lenient<'de> for Given<Text<'de>> {
    fn absent() -> Self {
        Self::Absent
    }

    fn misfit() -> Self {
        Self::Unreadable
    }

    fn number(number: Number) -> Self {
        Option::<Text<'de>>::number(number).map_or(Self::Unreadable, Self::Value)
    }

    fn text(text: Cow<'de, str>) -> Self {
        Option::<Text<'de>>::text(text).map_or(Self::Absent, Self::Value)
    }
}

impl<'de> Lenient<'de> for Flag {
    fn absent() -> Self {
        Self::Absent
    }

    fn misfit() -> Self {
        Self::Odd
    }

    fn boolean(value: bool) -> Self {
        if value { Self::Yes } else { Self::No }
    }

    fn number(number: Number) -> Self {
        match number.whole() {
            Some(0) => Self::No,
            Some(1) => Self::Yes,
            _ => Self::Odd,
        }
    }

    fn text(text: Cow<'de, str>) -> Self {
        let text = text.trim();
        if text.is_empty() {
            return Self::Absent;
        }
        if text.eq_ignore_ascii_case("true") {
            return Self::Yes;
        }
        if text.eq_ignore_ascii_case("false") {
            return Self::No;
        }
        Number::parse(text).map_or(Self::Odd, Self::number)
    }
}

macro_rules! whole_numbers {
    ($($type:ty),*) => {$(
        impl<'de> Lenient<'de> for Option<$type> {
            fn absent() -> Self {
                None
            }

            fn number(number: Number) -> Self {
                number.whole().and_then(|whole| <$type>::try_from(whole).ok())
            }

            fn text(text: Cow<'de, str>) -> Self {
                Number::parse(&text).and_then(Self::number)
            }
        }
    )*};
}

whole_numbers!(i32, u32, i64);

impl<'de> Lenient<'de> for Option<f64> {
    fn absent() -> Self {
        None
    }

    fn number(number: Number) -> Self {
        Some(number.float())
    }

    fn text(text: Cow<'de, str>) -> Self {
        Number::parse(&text).map(Number::float)
    }
}

impl<'de> Lenient<'de> for Millis {
    fn absent() -> Self {
        Self(None)
    }

    fn number(number: Number) -> Self {
        let millis = number.float();
        if millis < 1.0 {
            return Self(None);
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at least 1 by the guard, and the conversion holds at the largest value"
        )]
        Self(Some(millis as u32))
    }

    fn text(text: Cow<'de, str>) -> Self {
        Number::parse(&text).map_or(Self(None), Self::number)
    }
}

/// A count of millionths from a decimal number, rounded up; a negative one is zero. See [`millionths_of`].
impl<'de> Lenient<'de> for Given<i64> {
    fn absent() -> Self {
        Self::Absent
    }

    fn misfit() -> Self {
        Self::Unreadable
    }

    fn number(number: Number) -> Self {
        millionths_of(number).map_or(Self::Unreadable, Self::Value)
    }

    fn text(text: Cow<'de, str>) -> Self {
        decimal_millionths(&text).map_or(Self::Unreadable, |value| Self::Value(value.max(0)))
    }
}

/// A code whose absence asks for nothing.
impl<'de> Lenient<'de> for Given<u32> {
    fn absent() -> Self {
        Self::Absent
    }

    fn misfit() -> Self {
        Self::Unreadable
    }

    fn number(number: Number) -> Self {
        Option::<u32>::number(number).map_or(Self::Unreadable, Self::Value)
    }

    fn text(text: Cow<'de, str>) -> Self {
        if text.trim().is_empty() {
            return Self::Absent;
        }
        Option::<u32>::text(text).map_or(Self::Unreadable, Self::Value)
    }
}

/// A price: above [`Cpm::MAX`] it is unreadable, since nobody could pay it and nothing must overflow on it.
impl<'de> Lenient<'de> for Given<Cpm> {
    fn absent() -> Self {
        Self::Absent
    }

    fn misfit() -> Self {
        Self::Unreadable
    }

    fn number(number: Number) -> Self {
        price(Given::<i64>::number(number))
    }

    fn text(text: Cow<'de, str>) -> Self {
        price(Given::<i64>::text(text))
    }
}

fn price(millionths: Given<i64>) -> Given<Cpm> {
    match millionths {
        Given::Absent => Given::Absent,
        Given::Value(micros) if micros <= Cpm::MAX.micros() => {
            Given::Value(Cpm::from_micros(micros))
        }
        Given::Value(_) | Given::Unreadable => Given::Unreadable,
    }
}

/// A currency code; an empty text is none.
impl<'de> Lenient<'de> for Given<Currency> {
    fn absent() -> Self {
        Self::Absent
    }

    fn misfit() -> Self {
        Self::Unreadable
    }

    fn text(text: Cow<'de, str>) -> Self {
        match text.trim() {
            "" => Self::Absent,
            code => Currency::parse(code).map_or(Self::Unreadable, Self::Value),
        }
    }
}
