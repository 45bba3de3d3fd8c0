//! The bytes of a segment: a header, then records.
//!
//! ```text
//! header  magic 8 | version 4 | first sequence 8 | crc 4
//! record  length 4 | crc 4 | sequence 8 | back 4 | payload
//! ```
//! All little-endian. `length` is the payload's; a crc covers everything of its header or record but itself. `back` says
//! how many records before this one its batch began, so that a reader who finds a good record after a bad one knows
//! whether the bad one can belong to an unfinished batch.

use crate::store::codec::{Decoder, Encoder, Malformed};
use crate::store::movement::{MOVEMENT_MAX, Movement};

/// The most movements one batch holds: what one sync carries in a few milliseconds even on a slow disk.
pub const BATCH_RECORDS_MAX: usize = 4_096;

/// Bytes of a record that are not its payload.
pub const RECORD_OVERHEAD: usize = 20;

pub(super) const MAGIC: [u8; 8] = *b"bidtreeJ";
pub(super) const VERSION: u32 = 1;

/// A segment's first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub(super) version: u32,
    pub(super) first: u64,
}

/// One record of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) sequence: u64,
    /// The sequence number its batch began with.
    pub(super) batch: u64,
    pub(super) payload: &'a [u8],
    /// The record's whole length.
    pub(super) length: usize,
}

impl SegmentHeader {
    pub(super) const BYTES: u64 = 24;

    pub(super) fn encode(self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        let mut out = Encoder::new(&mut bytes);
        out.u32(self.version);
        out.u64(self.first);
        let crc = crc32fast::hash(&bytes);
        Encoder::new(&mut bytes).u32(crc);
        bytes
    }

    /// The header at the front of `bytes`; `None` if it is short or damaged.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (covered, rest) = bytes.split_at_checked(20)?;
        let crc = Decoder::new(rest.get(..4)?).u32().ok()?;
        let mut fields = Decoder::new(covered.strip_prefix(&MAGIC)?);
        let header = Self {
            version: fields.u32().ok()?,
            first: fields.u64().ok()?,
        };
        (crc32fast::hash(covered) == crc).then_some(header)
    }
}

impl<'a> Record<'a> {
    /// The record at the front of `bytes`; `None` if it is short or damaged.
    pub(super) fn decode(bytes: &'a [u8]) -> Option<Self> {
        let mut fields = Decoder::new(bytes.get(..RECORD_OVERHEAD)?);
        let payload_length = usize::try_from(fields.u32().ok()?).ok()?;
        if payload_length == 0 || payload_length > MOVEMENT_MAX {
            return None;
        }
        let crc = fields.u32().ok()?;
        let sequence = fields.u64().ok()?;
        let back = u64::from(fields.u32().ok()?);
        let length = RECORD_OVERHEAD + payload_length;
        let payload = bytes.get(RECORD_OVERHEAD..length)?;
        if checksum(bytes.get(..4)?, bytes.get(8..length)?) != crc {
            return None;
        }
        Some(Self {
            sequence,
            batch: sequence.checked_sub(back)?,
            payload,
            length,
        })
    }
}

/// Appends the records of a batch that follows `last`, and answers the batch's last sequence number.
///
/// # Errors
/// [`Malformed`] for a batch or a movement beyond its limit, or at the end of all numbers.
pub(super) fn encode_batch(
    last: u64,
    batch: &[Movement],
    into: &mut Vec<u8>,
) -> Result<u64, Malformed> {
    if batch.len() > BATCH_RECORDS_MAX {
        return Err(Malformed);
    }
    let mut sequence = last;
    let mut payload = Vec::with_capacity(MOVEMENT_MAX);
    for (movement, back) in batch.iter().zip(0_u32..) {
        sequence = sequence.checked_add(1).ok_or(Malformed)?;
        payload.clear();
        movement.encode(&mut payload);
        if payload.len() > MOVEMENT_MAX {
            return Err(Malformed);
        }
        let length = u32::try_from(payload.len()).map_err(|_| Malformed)?;
        let mut body = Vec::with_capacity(RECORD_OVERHEAD + payload.len());
        let mut out = Encoder::new(&mut body);
        out.u64(sequence);
        out.u32(back);
        body.extend_from_slice(&payload);
        let mut out = Encoder::new(into);
        out.u32(length);
        out.u32(checksum(&length.to_le_bytes(), &body));
        into.extend_from_slice(&body);
    }
    Ok(sequence)
}

fn checksum(length: &[u8], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(length);
    hasher.update(body);
    hasher.finalize()
}
