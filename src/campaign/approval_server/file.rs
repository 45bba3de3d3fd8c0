//! The approvals' file: a JSON document in the data folder, replaced as a whole, so that a crash leaves the one before or
//! the one after.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::campaign::approval::Approval;
use crate::campaign::approval_book::{ApprovalBook, JUDGEMENTS_MAX, Judgement, Source};
use crate::store::whole_file::replace;
use crate::units::{CreativeKey, ExchangeKey, UnixMillis};

/// Its name in the data folder.
pub const FILE_NAME: &str = "approvals.json";
/// The version that is written.
const VERSION: u32 = 1;
/// The largest file that is read: what [`JUDGEMENTS_MAX`] judgements take, and half as much again.
const FILE_BYTES_MAX: u64 = 200 * JUDGEMENTS_MAX as u64;

/// What is wrong with the file.
#[derive(Debug, thiserror::Error)]
pub enum ApprovalsFault {
    /// The disk.
    #[error("cannot use {0}: {1}")]
    Io(PathBuf, io::Error),
    /// Something else than we write.
    #[error(
        "{0} is not a file of approvals ({1}); restore it, or move it away: exchanges' rejections are then learnt anew, and what operators said must be said again"
    )]
    Malformed(PathBuf, String),
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    approvals: Vec<Row>,
}

/// Keys are the hashes that tokens carry, in hexadecimal digits.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Row {
    exchange: String,
    creative: String,
    state: State,
    source: Said,
    at_ms: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until_ms: Option<i64>,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Approved,
    Rejected,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Said {
    Operator,
    Losses,
}

/// What the file says; nothing where there is none.
///
/// # Errors
/// [`ApprovalsFault`].
pub fn read(path: &Path) -> Result<ApprovalBook, ApprovalsFault> {
    let malformed = |why: String| ApprovalsFault::Malformed(path.to_owned(), why);
    let bytes = match std::fs::metadata(path).map(|file| file.len()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(ApprovalBook::default()),
        Ok(length) if length > FILE_BYTES_MAX => {
            return Err(malformed(format!("over {FILE_BYTES_MAX} bytes")));
        }
        Ok(_) => std::fs::read(path),
        Err(error) => Err(error),
    };
    let bytes = bytes.map_err(|error| ApprovalsFault::Io(path.to_owned(), error))?;
    let document: Document =
        serde_json::from_slice(&bytes).map_err(|error| malformed(error.to_string()))?;
    if document.version != VERSION {
        return Err(malformed(format!("version {}", document.version)));
    }
    let mut known = Vec::with_capacity(document.approvals.len());
    for (number, row) in document.approvals.iter().enumerate() {
        let judged = judged(row).ok_or_else(|| malformed(format!("approval {number}: no keys")))?;
        known.push(judged);
    }
    Ok(ApprovalBook::of(known))
}

/// Replaces the file; durable when this returns.
pub(super) fn write(path: &Path, book: &ApprovalBook) -> Result<(), ApprovalsFault> {
    let rows = book.judgements().map(|((exchange, creative), judged)| Row {
        exchange: format!("{:016x}", exchange.raw()),
        creative: format!("{:016x}", creative.raw()),
        state: match judged.approval {
            Approval::Approved => State::Approved,
            Approval::Rejected => State::Rejected,
        },
        source: match judged.source {
            Source::Operator => Said::Operator,
            Source::Losses => Said::Losses,
        },
        at_ms: judged.at.get(),
        until_ms: judged.until.map(UnixMillis::get),
    });
    let document = Document {
        version: VERSION,
        approvals: rows.collect(),
    };
    let io = |error| ApprovalsFault::Io(path.to_owned(), error);
    let text = serde_json::to_vec(&document).map_err(|error| io(error.into()))?;
    replace(path, &text).map_err(io)
}

fn judged(row: &Row) -> Option<((ExchangeKey, CreativeKey), Judgement)> {
    let key = |digits: &str| u64::from_str_radix(digits, 16).ok();
    let place = (
        ExchangeKey::from_raw(key(&row.exchange)?),
        CreativeKey::from_raw(key(&row.creative)?),
    );
    let judgement = Judgement {
        approval: match row.state {
            State::Approved => Approval::Approved,
            State::Rejected => Approval::Rejected,
        },
        source: match row.source {
            Said::Operator => Source::Operator,
            Said::Losses => Source::Losses,
        },
        at: UnixMillis::new(row.at_ms),
        until: row.until_ms.map(UnixMillis::new),
    };
    Some((place, judgement))
}
