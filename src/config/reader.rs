//! The reader: takes keys out of a table, one by one, and writes down what is wrong with them.
//!
//! It never stops at a fault. A key that cannot be read is as if it were absent, so what is read is only used where
//! nothing was found wrong at all.

mod tables;

use std::ops::RangeInclusive;
use std::time::Duration;

use toml::{Table, Value};

use super::kinds::{Kind, SPAN};
use super::near::nearest;
use super::notation::spelled;
use super::source::Source;

/// The longest list.
const LIST_MAX: usize = 10_000;

/// A table that is being read.
pub(super) struct Reader<'s> {
    pub(super) source: &'s Source<'s>,
    /// Dotted; empty at the top of the file.
    path: String,
    table: Table,
    known: &'s [&'s [&'static str]],
}

impl<'s> Reader<'s> {
    /// A table whose keys are all known, or are faults.
    pub(super) fn new(
        source: &'s Source<'s>,
        path: String,
        table: Table,
        known: &'s [&'s [&'static str]],
    ) -> Self {
        let this = Self {
            source,
            path,
            table,
            known,
        };
        let names = || known.iter().flat_map(|keys| keys.iter().copied());
        for (key, value) in &this.table {
            if names().any(|name| name == key) {
                continue;
            }
            let advice = match nearest(key, names()) {
                Some(meant) => format!("unknown key; did you mean {meant}?"),
                None => format!(
                    "unknown key; known are {}",
                    names().collect::<Vec<_>>().join(", ")
                ),
            };
            source.fault(&this.at(key), Some(value), advice);
        }
        this
    }

    /// The full name of a key.
    pub(super) fn at(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else if key.is_empty() {
            self.path.clone()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// A fault of this table that only shows in what its keys say together.
    pub(super) fn fault(&self, key: &str, advice: impl Into<String>) {
        self.source.fault(&self.at(key), None, advice);
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    fn take(&mut self, key: &'static str) -> Option<Value> {
        debug_assert!(
            self.known.iter().any(|keys| keys.contains(&key)),
            "{key} is not among the known keys"
        );
        self.table.remove(key)
    }

    /// A key's value; a fault if it has another kind.
    pub(super) fn one<T>(&mut self, key: &'static str, kind: &Kind<T>) -> Option<T> {
        let value = self.take(key)?;
        self.parsed(&self.at(key), &value, kind)
    }

    /// The same, with a value for where there is none.
    pub(super) fn or<T>(&mut self, key: &'static str, kind: &Kind<T>, default: T) -> T {
        self.one(key, kind).unwrap_or(default)
    }

    /// The same of a key that must be there.
    pub(super) fn must<T>(&mut self, key: &'static str, kind: &Kind<T>) -> Option<T> {
        if !self.has(key) {
            self.fault(key, format!("missing; expects {}", kind.expects));
        }
        self.one(key, kind)
    }

    /// The items of a list; none if it is not there. From the environment: items with commas between them.
    pub(super) fn list<T>(&mut self, key: &'static str, kind: &Kind<T>) -> Vec<T> {
        let at = self.at(key);
        let items = match self.take(key) {
            None => return Vec::new(),
            Some(Value::Array(items)) if items.len() <= LIST_MAX => items,
            Some(Value::String(text))
                if self.source.variable(&at).is_some() && text.split(',').count() <= LIST_MAX =>
            {
                text.split(',')
                    .map(|item| Value::String(item.trim().to_owned()))
                    .collect()
            }
            Some(value) => {
                let advice = format!(
                    "expects a list of at most {LIST_MAX}, each {}",
                    kind.expects
                );
                self.source.fault(&at, Some(&value), advice);
                return Vec::new();
            }
        };
        (1..)
            .zip(&items)
            .filter_map(|(number, item): (usize, _)| {
                self.parsed(&format!("{at}[{number}]"), item, kind)
            })
            .collect()
    }

    /// A whole number in a range.
    pub(super) fn whole<T: TryFrom<i64>>(
        &mut self,
        key: &'static str,
        range: &RangeInclusive<i64>,
    ) -> Option<T> {
        let (at, value) = (self.at(key), self.take(key)?);
        let number = match &value {
            Value::Integer(number) => Some(*number),
            Value::String(text) if self.source.variable(&at).is_some() => text.parse().ok(),
            _ => None,
        };
        let found = number
            .filter(|number| range.contains(number))
            .and_then(|number| T::try_from(number).ok());
        if found.is_none() {
            let (least, most) = (range.start(), range.end());
            let advice = format!("expects a whole number from {least} to {most}");
            self.source.fault(&at, Some(&value), advice);
        }
        found
    }

    /// The same of a key that must be there.
    pub(super) fn must_whole<T: TryFrom<i64>>(
        &mut self,
        key: &'static str,
        range: &RangeInclusive<i64>,
    ) -> Option<T> {
        if !self.has(key) {
            let (least, most) = (range.start(), range.end());
            self.fault(
                key,
                format!("missing; expects a whole number from {least} to {most}"),
            );
        }
        self.whole(key, range)
    }

    /// A list of codes from 1 to 63 as bits.
    pub(super) fn codes(&mut self, key: &'static str) -> u64 {
        let at = self.at(key);
        let value = self.take(key);
        let bit = |item: &Value| {
            item.as_integer()
                .filter(|code| (1..=63).contains(code))
                .map(|code| 1_u64 << code)
        };
        let bits = match &value {
            None => Some(0),
            Some(Value::Array(items)) => items
                .iter()
                .map(bit)
                .try_fold(0, |bits, bit| Some(bits | bit?)),
            Some(_) => None,
        };
        if bits.is_none() {
            self.source.fault(
                &at,
                value.as_ref(),
                "expects a list of whole numbers from 1 to 63",
            );
        }
        bits.unwrap_or(0)
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &'static str, default: bool) -> bool {
        let at = self.at(key);
        let Some(value) = self.take(key) else {
            return default;
        };
        let found = match &value {
            Value::Boolean(flag) => Some(*flag),
            Value::String(text) if self.source.variable(&at).is_some() => text.parse().ok(),
            _ => None,
        };
        if found.is_none() {
            self.source
                .fault(&at, Some(&value), "expects true or false, without quotes");
        }
        found.unwrap_or(default)
    }

    /// A length of time in a range.
    pub(super) fn span(
        &mut self,
        key: &'static str,
        default: Duration,
        range: &RangeInclusive<Duration>,
    ) -> Duration {
        self.within(key, &SPAN, range, spelled).unwrap_or(default)
    }

    /// A value in a range.
    pub(super) fn within<T: PartialOrd + Copy, S: std::fmt::Display>(
        &mut self,
        key: &'static str,
        kind: &Kind<T>,
        range: &RangeInclusive<T>,
        shown: fn(T) -> S,
    ) -> Option<T> {
        let (at, value) = (self.at(key), self.take(key)?);
        let found = self.parsed(&at, &value, kind)?;
        if range.contains(&found) {
            return Some(found);
        }
        let (least, most) = (shown(*range.start()), shown(*range.end()));
        self.source
            .fault(&at, Some(&value), format!("must be from {least} to {most}"));
        None
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(&'static str, T)],
        default: T,
    ) -> T {
        let Some(value) = self.take(key) else {
            return default;
        };
        let found = value
            .as_str()
            .and_then(|text| words.iter().find(|(word, _)| *word == text));
        if found.is_none() {
            let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            let advice = format!("expects one of {}", known.join(", "));
            self.source.fault(&self.at(key), Some(&value), advice);
        }
        found.map_or(default, |(_, meant)| *meant)
    }

    /// One of a few words that stand for numbers, or a number; it must be there.
    pub(super) fn word_or_number(
        &mut self,
        key: &'static str,
        words: &[(&'static str, u16)],
    ) -> Option<u16> {
        let value = self.take(key);
        let found = match &value {
            Some(Value::Integer(number)) => u16::try_from(*number).ok().filter(|n| *n > 0),
            Some(Value::String(text)) => words
                .iter()
                .find(|(word, _)| word == text)
                .map(|(_, number)| *number),
            _ => None,
        };
        if found.is_none() {
            let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            let advice = format!("expects one of {}, or a number above 0", known.join(", "));
            self.source.fault(&self.at(key), value.as_ref(), advice);
        }
        found
    }

    fn parsed<T>(&self, at: &str, value: &Value, kind: &Kind<T>) -> Option<T> {
        let dated;
        let text = match value {
            Value::String(text) => Some(text.as_str()),
            Value::Datetime(moment) => {
                dated = moment.to_string();
                Some(dated.as_str())
            }
            _ => None,
        };
        let found = text.and_then(kind.parse);
        if found.is_none() {
            let quotes = if text.is_none() && !kind.expects.contains("quotes") {
                ", in quotes"
            } else {
                ""
            };
            self.source
                .fault(at, Some(value), format!("expects {}{quotes}", kind.expects));
        }
        found
    }
}
