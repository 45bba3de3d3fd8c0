//! What is wrong with a configuration: each fault says where, what stands there, and what to do.

use std::cell::RefCell;
use std::fmt;

/// Faults that are printed. A wrong key in a hundred thousand generated files should not hide the first.
const PRINTED_MAX: usize = 200;
/// Characters of a value that are shown.
const VALUE_CHARS_MAX: usize = 80;

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file, or the environment variable that put the value there.
    pub file: String,
    /// The line it is in, counted from 1, or else the line of the section around it; `None` where there is none.
    pub line: Option<usize>,
    /// The key, dotted from the top of the file, entries of lists counted from 1; empty where the whole file is meant.
    pub key: String,
    /// What stands there, as TOML; `None` if nothing does.
    pub value: Option<String>,
    /// What is wrong and what to do.
    pub advice: String,
}

/// Every fault of a configuration; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(Vec<Fault>);

/// Where faults are written down while files are read.
#[derive(Default)]
pub(super) struct Findings(RefCell<Vec<Fault>>);

impl Faults {
    /// The faults, in the order of the files and of the keys in them.
    pub fn iter(&self) -> std::slice::Iter<'_, Fault> {
        self.0.iter()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

impl<'a> IntoIterator for &'a Faults {
    type Item = &'a Fault;
    type IntoIter = std::slice::Iter<'a, Fault>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Findings {
    pub(super) fn add(&self, fault: Fault) {
        self.0.borrow_mut().push(fault);
    }

    /// `value`, if nothing is wrong.
    pub(super) fn or<T>(self, value: Option<T>) -> Result<T, Faults> {
        let faults = self.0.into_inner();
        match value {
            Some(value) if faults.is_empty() => Ok(value),
            _ => Err(Faults(faults)),
        }
    }
}

/// A value as TOML, cut where it is long.
pub(super) fn shown(value: &toml::Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        if let Some(value) = &self.value {
            write!(f, " = {}", value.replace('\n', " "))?;
        }
        write!(f, ": {}", self.advice)
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in self.0.iter().take(PRINTED_MAX) {
            writeln!(f, "{fault}")?;
        }
        if let more @ 1.. = self.0.len().saturating_sub(PRINTED_MAX) {
            writeln!(f, "… and {more} more")?;
        }
        match self.0.len() {
            1 => f.write_str("1 fault"),
            count => write!(f, "{count} faults"),
        }
    }
}

impl std::error::Error for Fault {}
impl std::error::Error for Faults {}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(key: &str) -> Fault {
        Fault {
            file: "a.toml".into(),
            line: (!key.is_empty()).then_some(7),
            key: key.into(),
            value: Some("1".into()),
            advice: "too small; at least 2".into(),
        }
    }

    #[test]
    fn each_fault_has_a_line_and_the_last_line_counts_them() {
        let faults = Faults(vec![fault("x.y"), fault("")]);
        assert_eq!(
            faults.to_string(),
            "a.toml:7: x.y = 1: too small; at least 2\na.toml = 1: too small; at least 2\n2 faults"
        );
    }

    #[test]
    fn a_flood_of_faults_is_cut_and_still_counted() {
        let faults = Faults(vec![fault("x"); PRINTED_MAX + 3]);
        let text = faults.to_string();
        assert_eq!(text.lines().count(), PRINTED_MAX + 2);
        assert!(text.ends_with("… and 3 more\n203 faults"));
    }

    #[test]
    fn nothing_found_is_no_fault() {
        assert_eq!(Findings::default().or(Some(7)), Ok(7));
    }
}
