//! Where keys stand in a file. Looked up only once something is wrong: the table that is read does not know.

use std::collections::HashMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The line of every key and every entry of a list of one file.
pub(super) struct Lines(HashMap<String, usize>);

impl Lines {
    /// Those of a text that is known to be TOML.
    pub(super) fn of(text: &str) -> Self {
        let mut lines = Self(HashMap::new());
        if let Ok(table) = DeTable::parse(text) {
            let starts: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
            let line = |at: usize| starts.partition_point(|start| *start < at) + 1;
            lines.add_table("", table.get_ref(), &line);
        }
        lines
    }

    /// Where a key stands, or what is around it; `None` at the top.
    pub(super) fn line(&self, key: &str) -> Option<usize> {
        let mut key = key;
        loop {
            if let Some(line) = self.0.get(key) {
                return Some(*line);
            }
            key = key.get(..key.rfind(['.', '['])?)?;
        }
    }

    fn add_table(&mut self, around: &str, table: &DeTable<'_>, line: &impl Fn(usize) -> usize) {
        for (key, value) in table {
            let name = key.get_ref();
            let at = if around.is_empty() {
                name.to_string()
            } else {
                format!("{around}.{name}")
            };
            self.add(at, key.span().start, value.get_ref(), line);
        }
    }

    fn add(
        &mut self,
        at: String,
        place: usize,
        value: &DeValue<'_>,
        line: &impl Fn(usize) -> usize,
    ) {
        match value {
            DeValue::Table(table) => self.add_table(&at, table, line),
            DeValue::Array(items) => {
                for (number, item) in (1_usize..).zip(items.iter()) {
                    let (at, item): (_, &Spanned<DeValue<'_>>) = (format!("{at}[{number}]"), item);
                    self.add(at, item.span().start, item.get_ref(), line);
                }
            }
            _ => {}
        }
        self.0.insert(at, line(place));
    }
}

/// The line that a place in a text is in, counted from 1.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text.get(..at)
        .map_or(1, |before| before.matches('\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_where_it_stands_and_what_is_missing_is_in_its_section() {
        let lines = Lines::of(
            "cpm = \"2\"\n\n[budget]\ndaily = \"1\"\n[[deals]]\nid = \"a\"\n[[deals]]\nid = \"b\"\ncpm = \"1\"\n\
             [targeting]\nhours = [\n \"mon\",\n \"sat\",\n]\nos.include = [\"ios\"]\nlist = [{ a = 1 }, {\nb = 2 }]\n",
        );
        for (key, line) in [
            ("cpm", Some(1)),
            ("budget", Some(3)),
            ("budget.daily", Some(4)),
            ("budget.total", Some(3)),
            ("deals[1]", Some(5)),
            ("deals[2].cpm", Some(9)),
            ("deals[2].exchange", Some(7)),
            ("targeting.hours[2]", Some(13)),
            ("targeting.os.include", Some(15)),
            ("targeting.list[2].b", Some(17)),
            ("targeting.countries.include[1]", Some(10)),
            ("name", None),
            ("", None),
        ] {
            assert_eq!(lines.line(key), line, "{key}");
        }
    }
}
