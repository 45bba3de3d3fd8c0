//! Recorded requests: a folder of `.json` files, or a file with one request per line.
//!
//! They are sent as they are, byte for byte; only where a scenario asks for fresh ids, the request's own id is replaced, so
//! that one request can be sent many times. A file that is no bid request is refused when the scenario is read.

pub(crate) mod place;
mod read;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

pub use read::ReplayError;

/// Recorded requests, in order; at least one.
#[derive(Clone, Debug)]
pub struct Recording {
    entries: Vec<Entry>,
    ids: Ids,
}

/// Whether a request keeps its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    /// It does, each time it is sent.
    Recorded,
    /// Each time it is sent, it has another.
    Fresh,
}

/// One recorded request.
#[derive(Clone, Debug)]
struct Entry {
    body: Bytes,
    /// When it left, from the start of the recording.
    at: Option<Duration>,
    /// Where the value of its id is.
    id: Option<Range<usize>>,
}

impl Recording {
    /// How many requests; never 0.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Always false: a recording without requests is refused when it is read.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether request `index` of a run gets a fresh id.
    pub fn is_renamed(&self, index: u64) -> bool {
        self.ids == Ids::Fresh && self.entry(index).is_some_and(|entry| entry.id.is_some())
    }

    /// The instants of its requests, where every one has one.
    pub fn instants(&self) -> Option<Arc<[Duration]>> {
        self.entries.iter().map(|entry| entry.at).collect()
    }

    /// The body of request `index` of a run: the recording goes round and round. `fresh` is the id it gets, where the
    /// scenario asks for fresh ones and the request has one.
    pub fn body(&self, index: u64, fresh: &str) -> Option<Bytes> {
        let entry = self.entry(index)?;
        match (self.ids, &entry.id) {
            (Ids::Recorded, _) | (Ids::Fresh, None) => Some(entry.body.clone()),
            (Ids::Fresh, Some(id)) => {
                let before = entry.body.get(..id.start)?;
                let after = entry.body.get(id.end..)?;
                Some(
                    [before, b"\"", fresh.as_bytes(), b"\"", after]
                        .concat()
                        .into(),
                )
            }
        }
    }
}

impl Recording {
    fn entry(&self, index: u64) -> Option<&Entry> {
        let count = u64::try_from(self.entries.len()).ok()?;
        self.entries
            .get(usize::try_from(index.checked_rem(count)?).ok()?)
    }
}

#[cfg(test)]
mod tests;
