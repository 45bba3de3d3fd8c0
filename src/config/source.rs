//! Files: how one is read into a table, how a folder is listed, and where a fault in them is said to be.

use std::cell::OnceCell;
use std::fs;
use std::path::{Path, PathBuf};

use super::faults::{Fault, Findings, shown};
use super::lines::{Lines, line_of};
use super::overrides::Override;

/// The largest file that is read, in bytes. The largest sensible one has markup of 64 KiB.
pub const FILE_BYTES_MAX: u64 = 1 << 20;

/// A file that is being read, as faults name it.
pub(super) struct Source<'f> {
    pub(super) file: String,
    pub(super) overrides: &'f [Override],
    pub(super) findings: &'f Findings,
    /// Its text once it was read as TOML, and where its keys stand in it once something is wrong.
    text: OnceCell<String>,
    lines: OnceCell<Lines>,
}

impl<'f> Source<'f> {
    pub(super) fn new(file: &Path, findings: &'f Findings) -> Self {
        Self {
            file: file.display().to_string(),
            overrides: &[],
            findings,
            text: OnceCell::new(),
            lines: OnceCell::new(),
        }
    }

    /// The environment variable that put `key` there.
    pub(super) fn variable(&self, key: &str) -> Option<&str> {
        self.overrides
            .iter()
            .find(|over| {
                key.strip_prefix(over.key.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            })
            .map(|over| over.variable.as_str())
    }

    pub(super) fn fault(&self, key: &str, value: Option<&toml::Value>, advice: impl Into<String>) {
        let variable = self.variable(key).map(str::to_owned);
        let line = match (&variable, self.text.get()) {
            (None, Some(text)) => self.lines.get_or_init(|| Lines::of(text)).line(key),
            _ => None,
        };
        self.findings.add(Fault {
            file: variable.unwrap_or_else(|| self.file.clone()),
            line,
            key: key.to_owned(),
            value: value.map(shown),
            advice: advice.into(),
        });
    }

    /// The same of a whole line.
    pub(super) fn fault_in(&self, line: usize, advice: impl Into<String>) {
        self.findings.add(Fault {
            file: self.file.clone(),
            line: Some(line),
            key: String::new(),
            value: None,
            advice: advice.into(),
        });
    }
}

/// A text file of bounded size; a fault where there is none.
pub(super) fn read_text(path: &Path, source: &Source<'_>) -> Option<String> {
    read_text_to(path, source, FILE_BYTES_MAX)
}

/// The same with a bound of its own.
pub(super) fn read_text_to(path: &Path, source: &Source<'_>, max: u64) -> Option<String> {
    let read = || {
        let size = fs::metadata(path)?.len();
        if size > max {
            let text = format!("has {size} bytes; at most {max} are read");
            return Err(std::io::Error::other(text));
        }
        fs::read_to_string(path)
    };
    read()
        .map_err(|error| source.fault("", None, format!("cannot be read: {error}")))
        .ok()
}

/// A text without the byte-order mark that some programs begin a file with: it belongs to no line.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// A TOML file as a table; a fault where it is none.
pub(super) fn read_table(path: &Path, source: &Source<'_>) -> Option<toml::Table> {
    let text = read_text(path, source)?;
    match text.parse() {
        Ok(table) => {
            // A file is read into one table.
            source.text.set(text).ok();
            Some(table)
        }
        Err(error) => {
            not_toml(source, &error, &text);
            None
        }
    }
}

fn not_toml(source: &Source<'_>, error: &toml::de::Error, text: &str) {
    let message = error.message().trim().replace('\n', "; ");
    let advice = format!("is no TOML: {message}");
    match error.span() {
        Some(span) => source.fault_in(line_of(text, span.start), advice),
        None => source.fault("", None, advice),
    }
}

/// The `.toml` files of a folder by their ids (their names without the ending), sorted. Hidden files are no one's
/// business; any other is a fault unless its ending is among `also`, since a file that is not read is a campaign that
/// silently does not run.
pub(super) fn list(
    folder: &Path,
    (also, max): (&[&str], usize),
    findings: &Findings,
) -> Vec<(String, PathBuf)> {
    let source = Source::new(folder, findings);
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            let advice = format!("cannot be read: {error}; make the folder, empty if need be");
            source.fault("", None, advice);
            return Vec::new();
        }
    };
    let mut found = Vec::new();
    for entry in entries {
        match entry {
            Ok(entry) => found.push(entry.path()),
            Err(error) => source.fault("", None, format!("cannot be read: {error}")),
        }
    }
    found.sort();
    let mut files = Vec::new();
    for path in found {
        let ending = path
            .extension()
            .map(|ending| ending.to_string_lossy().into_owned());
        let stem = path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
            .unwrap_or_default();
        match ending.as_deref() {
            _ if stem.starts_with('.') => {}
            Some("toml") => files.push((stem, path)),
            Some(ending) if also.contains(&ending) => {}
            _ => Source::new(&path, findings).fault(
                "",
                None,
                "is not read; end its name in .toml, or move it out of this folder",
            ),
        }
    }
    if files.len() > max {
        let advice = format!("has {} files; at most {max} are read", files.len());
        source.fault("", None, advice);
        files.truncate(max);
    }
    files
}
