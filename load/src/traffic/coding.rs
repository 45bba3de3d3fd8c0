//! How a body travels: as it is, or packed.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// How a body travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// As it is.
    Plain,
    /// Packed, under `Content-Encoding: gzip`.
    Gzip,
}

impl Coding {
    /// The body as it travels.
    pub fn pack(self, body: Bytes) -> Bytes {
        match self {
            Self::Plain => body,
            Self::Gzip => gzip(&body).unwrap_or_default().into(),
        }
    }
}

/// Fast rather than small, as exchanges do. Writing into memory cannot fail.
fn gzip(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}
