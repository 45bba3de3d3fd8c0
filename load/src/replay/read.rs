//! Reads recordings, within limits.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::{Entry, Ids, Recording, place};

/// More different requests than any cache of a bidder holds.
const REQUESTS_MAX: usize = 100_000;
/// Larger than any exchange's request.
const REQUEST_BYTES_MAX: usize = 256 << 10;
/// All of them are kept in memory.
const RECORDING_BYTES_MAX: usize = 512 << 20;

/// A recording that cannot be sent.
#[derive(Debug)]
pub enum ReplayError {
    /// The folder or the file cannot be read.
    Unreadable(PathBuf, std::io::Error),
    /// There is no request in it.
    Empty(PathBuf),
    /// Part of it, a file or a line, is no bid request.
    NoRequest(String, String),
    /// It is larger than fits.
    TooLarge(String, &'static str),
    /// Some lines say when they left and others do not, or not in order.
    Instants(String),
}

impl fmt::Display for ReplayError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(path, error) => write!(out, "{}: {error}", path.display()),
            Self::Empty(path) => write!(out, "{}: no request in it", path.display()),
            Self::NoRequest(place, why) => {
                write!(out, "{place}: no bid request ({why}); take it out")
            }
            Self::TooLarge(place, limit) => write!(out, "{place}: more than {limit}"),
            Self::Instants(place) => {
                write!(
                    out,
                    "{place}: at_ms stands in every line or in none, and never falls"
                )
            }
        }
    }
}

/// A line that says when it left.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Timed {
    at_ms: u64,
    /// Sent as it stands in the line, not as it would be written again.
    #[serde(rename = "request")]
    _request: IgnoredAny,
}

impl Recording {
    /// The `.json` files of a folder, in the order of their names.
    ///
    /// # Errors
    /// [`ReplayError`] for the first file that cannot be sent.
    pub fn of_folder(folder: &Path, ids: Ids) -> Result<Self, ReplayError> {
        let unreadable = |error| ReplayError::Unreadable(folder.to_owned(), error);
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension().is_some_and(|end| end == "json") {
                paths.push(path);
            }
        }
        paths.sort();
        let mut reader = Reader::default();
        for path in paths {
            let body =
                fs::read(&path).map_err(|error| ReplayError::Unreadable(path.clone(), error))?;
            reader.add(path.display().to_string(), body.into(), None)?;
        }
        reader.finish(folder, ids)
    }

    /// The lines of a file: each a request, or `{"at_ms": …, "request": {…}}`. Empty lines are passed over.
    ///
    /// # Errors
    /// [`ReplayError`] for the first line that cannot be sent.
    pub fn of_lines(file: &Path, ids: Ids) -> Result<Self, ReplayError> {
        let text = fs::read_to_string(file)
            .map_err(|error| ReplayError::Unreadable(file.to_owned(), error))?;
        let mut reader = Reader::default();
        for (number, line) in (1..).zip(text.lines()) {
            if line.trim().is_empty() {
                continue;
            }
            let at = serde_json::from_str::<Timed>(line).ok();
            let at = at.map(|timed| Duration::from_millis(timed.at_ms));
            let request = at.and_then(|_| line.get(place::of(line.as_bytes(), "request")?));
            let body = Bytes::copy_from_slice(request.unwrap_or(line).as_bytes());
            reader.add(format!("{}:{number}", file.display()), body, at)?;
        }
        reader.finish(file, ids)
    }
}

#[derive(Default)]
struct Reader {
    entries: Vec<Entry>,
    bytes: usize,
}

impl Reader {
    fn add(
        &mut self,
        origin: String,
        body: Bytes,
        at: Option<Duration>,
    ) -> Result<(), ReplayError> {
        if body.len() > REQUEST_BYTES_MAX {
            return Err(ReplayError::TooLarge(origin, "256 KiB in one request"));
        }
        self.bytes += body.len();
        if self.bytes > RECORDING_BYTES_MAX || self.entries.len() >= REQUESTS_MAX {
            return Err(ReplayError::TooLarge(
                origin,
                "100000 requests or 512 MiB in all",
            ));
        }
        let json: Value = serde_json::from_slice(&body)
            .map_err(|error| ReplayError::NoRequest(origin.clone(), error.to_string()))?;
        if !json.get("imp").is_some_and(Value::is_array) {
            let why = "no imp in it, or no list".to_owned();
            return Err(ReplayError::NoRequest(origin, why));
        }
        if let Some(last) = self.entries.last()
            && (last.at.is_some() != at.is_some() || at < last.at)
        {
            return Err(ReplayError::Instants(origin));
        }
        let id = place::of(&body, "id");
        self.entries.push(Entry { body, at, id });
        Ok(())
    }

    fn finish(self, path: &Path, ids: Ids) -> Result<Recording, ReplayError> {
        if self.entries.is_empty() {
            return Err(ReplayError::Empty(path.to_owned()));
        }
        Ok(Recording {
            entries: self.entries,
            ids,
        })
    }
}
