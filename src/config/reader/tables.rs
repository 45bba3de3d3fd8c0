//! Tables in tables: sections, lists of sections, and tables whose keys are names.

use toml::{Table, Value};

use super::{LIST_MAX, Reader};
use crate::config::kinds::Kind;

impl<'s> Reader<'s> {
    /// A table in this one; an empty one if it is not there.
    pub(in crate::config) fn section(
        &mut self,
        key: &'static str,
        known: &'s [&'s [&'static str]],
    ) -> Reader<'s> {
        let at = self.at(key);
        let table = self.take(key).and_then(|value| self.table_of(&at, value));
        Reader::new(self.source, at, table.unwrap_or_default(), known)
    }

    /// The tables of a list of tables.
    pub(in crate::config) fn sections(
        &mut self,
        key: &'static str,
        known: &'s [&'s [&'static str]],
    ) -> Vec<Reader<'s>> {
        let at = self.at(key);
        let items = match self.take(key) {
            None => return Vec::new(),
            Some(Value::Array(items)) if items.len() <= LIST_MAX => items,
            Some(value) => {
                let advice = format!("expects tables, each under its own [[{at}]]");
                self.source.fault(&at, Some(&value), advice);
                return Vec::new();
            }
        };
        (1..)
            .zip(items)
            .filter_map(|(number, item): (usize, _)| {
                let at = format!("{at}[{number}]");
                let table = self.table_of(&at, item)?;
                Some(Reader::new(self.source, at, table, known))
            })
            .collect()
    }

    /// The tables of a table whose keys are names; those that are no names are faults.
    pub(in crate::config) fn named(
        &mut self,
        key: &'static str,
        name: &Kind<impl Sized>,
        known: &'s [&'s [&'static str]],
    ) -> Vec<(String, Reader<'s>)> {
        let at = self.at(key);
        let Some(all) = self.take(key).and_then(|value| self.table_of(&at, value)) else {
            return Vec::new();
        };
        all.into_iter()
            .filter_map(|(id, value)| {
                let at = format!("{at}.{id}");
                if (name.parse)(&id).is_none() {
                    let advice = format!("its name must be {}", name.expects);
                    self.source.fault(&at, None, advice);
                    return None;
                }
                let table = self.table_of(&at, value)?;
                Some((id, Reader::new(self.source, at, table, known)))
            })
            .collect()
    }

    /// The keys of a table and their values, where every key is a name. Those that the environment set come first.
    pub(in crate::config) fn map<K, V>(
        &mut self,
        key: &'static str,
        name: &Kind<K>,
        kind: &Kind<V>,
    ) -> Vec<(K, V)> {
        let at = self.at(key);
        let all = self.take(key).and_then(|value| self.table_of(&at, value));
        let mut entries: Vec<_> = all
            .into_iter()
            .flatten()
            .map(|(id, value)| (format!("{at}.{id}"), id, value))
            .collect();
        entries.sort_by_key(|(at, ..)| self.source.variable(at).is_none());
        let mut found = Vec::new();
        for (at, id, value) in entries {
            let Some(name) = (name.parse)(&id) else {
                let advice = format!("its name must be {}", name.expects);
                self.source.fault(&at, Some(&value), advice);
                continue;
            };
            found.extend(self.parsed(&at, &value, kind).map(|value| (name, value)));
        }
        found
    }

    fn table_of(&self, at: &str, value: Value) -> Option<Table> {
        match value {
            Value::Table(table) => Some(table),
            other => {
                self.source
                    .fault(at, Some(&other), "expects a section with keys of its own");
                None
            }
        }
    }
}
