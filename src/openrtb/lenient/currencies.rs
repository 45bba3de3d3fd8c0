//! The currencies that a request allows.

use std::borrow::Cow;

use serde::de::SeqAccess;

use super::lists::{TextList, words};
use super::scalar::Given;
use super::value::Lenient;
use crate::units::Currency;

/// The currencies a bid may be in, in the order they were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Currencies {
    codes: [Currency; Self::MAX],
    len: usize,
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

/// An empty list is absent; a list with no currency in it that can be read is unreadable.
impl<'de> Lenient<'de> for Given<Currencies> {
    fn absent() -> Self {
        Self::Absent
    }

    fn misfit() -> Self {
        Self::Unreadable
    }

    fn text(text: Cow<'de, str>) -> Self {
        currencies(words(&text).map(Currency::parse))
    }

    fn list<A: SeqAccess<'de>>(items: A) -> Result<Self, A::Error> {
        let texts = TextList::list(items)?;
        let unreadable = texts.is_unreadable().then_some(None);
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
