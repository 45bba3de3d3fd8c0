//! Content codings: gzip both ways, within a limit. Anything else is refused.
//!
//! The (in|de)flate state is large (tens to hundreds of kilobytes), so each thread keeps one of each and no
//! connection has its own. Source: RFC 1952 for the frame around deflate, RFC 9110 §8.4 and §12.5.3 for the headers.

use std::cell::RefCell;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use hyper::{HeaderMap, header};

/// What the output grows by at first, and at least.
const GROWTH_BYTES: usize = 4_096;

/// Ten bytes: magic, deflate, no flags, no time, no extra flags, unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

const FLAG_HEADER_CRC: u8 = 2;
const FLAG_EXTRA: u8 = 4;
const FLAG_NAME: u8 = 8;
const FLAG_COMMENT: u8 = 16;
const FLAGS_RESERVED: u8 = 0xe0;

thread_local! {
    static INFLATE: RefCell<Decompress> = RefCell::new(Decompress::new(false));
    // Level 1: an answer is small and the clock is running.
    static DEFLATE: RefCell<Compress> = RefCell::new(Compress::new(Compression::fast(), false));
}

/// Why bytes could not be unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GunzipError {
    /// Not gzip, cut short, or its checksum is wrong.
    #[error("the gzip stream is corrupt")]
    Corrupt,
    /// It unpacks to more than the limit.
    #[error("the body unpacks to more than the limit")]
    TooLarge,
}

/// How a request's body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Identity,
    Gzip,
    Unsupported,
}

impl Coding {
    /// As the request's headers say.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut named = headers.get_all(header::CONTENT_ENCODING).iter();
        let Some(first) = named.next() else {
            return Self::Identity;
        };
        let name = first.as_bytes().trim_ascii();
        if named.next().is_some() {
            Self::Unsupported
        } else if name.eq_ignore_ascii_case(b"gzip") || name.eq_ignore_ascii_case(b"x-gzip") {
            Self::Gzip
        } else if name.is_empty() || name.eq_ignore_ascii_case(b"identity") {
            Self::Identity
        } else {
            Self::Unsupported
        }
    }
}

/// Whether the client takes gzip: named, or by `*`, with a weight above zero.
pub(super) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let mut by_star = false;
    for value in headers.get_all(header::ACCEPT_ENCODING) {
        for item in value.as_bytes().split(|byte| *byte == b',') {
            let mut parts = item.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
            let name = parts.next().unwrap_or_default();
            let wanted = !parts.any(is_weight_zero);
            if name.eq_ignore_ascii_case(b"gzip") || name.eq_ignore_ascii_case(b"x-gzip") {
                return wanted;
            }
            by_star |= name == b"*" && wanted;
        }
    }
    by_star
}

/// `q=0`, `q=0.0`, `q=0.000`.
fn is_weight_zero(parameter: &[u8]) -> bool {
    let [b'q' | b'Q', b'=', weight @ ..] = parameter else {
        return false;
    };
    weight.first() == Some(&b'0') && weight.iter().all(|digit| matches!(digit, b'0' | b'.'))
}

/// Unpacks `input` behind what `output` holds, to at most `limit` bytes in all.
///
/// # Errors
/// [`GunzipError`]. The output then holds what was unpacked until then, never more than the limit and one.
pub fn gunzip(input: &[u8], output: &mut Vec<u8>, limit: usize) -> Result<(), GunzipError> {
    INFLATE.with(|kept| match kept.try_borrow_mut() {
        Ok(mut inflate) => gunzip_members(&mut inflate, input, output, limit),
        Err(_) => gunzip_members(&mut Decompress::new(false), input, output, limit),
    })
}

/// A gzip stream is one member after another; most have one.
fn gunzip_members(
    inflate: &mut Decompress,
    input: &[u8],
    output: &mut Vec<u8>,
    limit: usize,
) -> Result<(), GunzipError> {
    let mut rest = input;
    loop {
        inflate.reset(false);
        let start = output.len();
        let packed = skip_header(rest).ok_or(GunzipError::Corrupt)?;
        let trailer = inflate_raw(inflate, packed, output, limit)?;
        let (crc, trailer) = trailer
            .split_first_chunk::<4>()
            .ok_or(GunzipError::Corrupt)?;
        let (size, after) = trailer
            .split_first_chunk::<4>()
            .ok_or(GunzipError::Corrupt)?;
        let member = output.get(start..).unwrap_or_default();
        let same_size =
            u32::try_from(member.len()).is_ok_and(|length| length == u32::from_le_bytes(*size));
        if !same_size || crc32fast::hash(member) != u32::from_le_bytes(*crc) {
            return Err(GunzipError::Corrupt);
        }
        if after.is_empty() {
            return Ok(());
        }
        rest = after;
    }
}

/// What follows a member's header; `None` if it has none.
fn skip_header(input: &[u8]) -> Option<&[u8]> {
    let (fixed, mut rest) = input.split_first_chunk::<10>()?;
    let [0x1f, 0x8b, 8, flags, ..] = *fixed else {
        return None;
    };
    if flags & FLAGS_RESERVED != 0 {
        return None;
    }
    if flags & FLAG_EXTRA != 0 {
        let (length, extra) = rest.split_first_chunk::<2>()?;
        rest = extra.get(usize::from(u16::from_le_bytes(*length))..)?;
    }
    for named in [FLAG_NAME, FLAG_COMMENT] {
        if flags & named != 0 {
            let end = rest.iter().position(|byte| *byte == 0)?;
            rest = rest.get(end..)?.split_first()?.1;
        }
    }
    if flags & FLAG_HEADER_CRC != 0 {
        rest = rest.split_first_chunk::<2>()?.1;
    }
    Some(rest)
}

/// Inflates one raw stream and returns what follows it.
fn inflate_raw<'i>(
    inflate: &mut Decompress,
    packed: &'i [u8],
    output: &mut Vec<u8>,
    limit: usize,
) -> Result<&'i [u8], GunzipError> {
    // One more than allowed, so that a body of exactly the limit is told from one that goes on.
    let ceiling = limit.saturating_add(1);
    let mut rest = packed;
    loop {
        if output.len() == output.capacity() {
            let room = ceiling.saturating_sub(output.len());
            let growth = output
                .len()
                .max(packed.len().saturating_mul(3))
                .max(GROWTH_BYTES);
            output.reserve_exact(room.min(growth));
        }
        let (before_in, before_out) = (inflate.total_in(), output.len());
        let status = inflate
            .decompress_vec(rest, output, FlushDecompress::None)
            .map_err(|_| GunzipError::Corrupt)?;
        if output.len() > limit {
            output.truncate(ceiling);
            return Err(GunzipError::TooLarge);
        }
        let taken = usize::try_from(inflate.total_in().saturating_sub(before_in))
            .map_err(|_| GunzipError::Corrupt)?;
        rest = rest.get(taken..).ok_or(GunzipError::Corrupt)?;
        match status {
            Status::StreamEnd => return Ok(rest),
            Status::Ok | Status::BufError if taken > 0 || output.len() > before_out => {}
            Status::Ok | Status::BufError => return Err(GunzipError::Corrupt),
        }
    }
}

/// Packs `input` behind what `output` holds.
pub fn gzip(input: &[u8], output: &mut Vec<u8>) {
    output.extend_from_slice(&HEADER);
    DEFLATE.with(|kept| match kept.try_borrow_mut() {
        Ok(mut deflate) => deflate_raw(&mut deflate, input, output),
        Err(_) => deflate_raw(
            &mut Compress::new(Compression::fast(), false),
            input,
            output,
        ),
    });
    output.extend_from_slice(&crc32fast::hash(input).to_le_bytes());
    // The size is kept modulo 2^32 by definition.
    let size = u32::try_from(input.len() & 0xffff_ffff).unwrap_or(u32::MAX);
    output.extend_from_slice(&size.to_le_bytes());
}

fn deflate_raw(deflate: &mut Compress, input: &[u8], output: &mut Vec<u8>) {
    deflate.reset();
    let mut rest = input;
    loop {
        output.reserve((rest.len() / 2).max(GROWTH_BYTES));
        let before = deflate.total_in();
        let status = deflate.compress_vec(rest, output, FlushCompress::Finish);
        let taken = usize::try_from(deflate.total_in().saturating_sub(before)).unwrap_or(0);
        rest = rest.get(taken..).unwrap_or_default();
        // Compression into a vector with room fails only if the state is misused, which a reset rules out.
        if matches!(status, Ok(Status::StreamEnd) | Err(_)) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use hyper::header::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn packed(body: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    fn unpacked(input: &[u8], limit: usize) -> Result<Vec<u8>, GunzipError> {
        let mut output = Vec::new();
        gunzip(input, &mut output, limit).map(|()| output)
    }

    proptest! {
        #[test]
        fn what_another_encoder_packed_is_unpacked(body in prop::collection::vec(any::<u8>(), 0..20_000)) {
            prop_assert_eq!(unpacked(&packed(&body), body.len()).unwrap(), body);
        }

        #[test]
        fn what_we_pack_another_decoder_unpacks(body in "[a-f]{0,30000}") {
            let mut output = Vec::new();
            gzip(body.as_bytes(), &mut output);
            let mut back = String::new();
            flate2::read::GzDecoder::new(&output[..]).read_to_string(&mut back).unwrap();
            prop_assert_eq!(back, body);
        }

        #[test]
        fn no_input_makes_it_panic(input in prop::collection::vec(any::<u8>(), 0..400), flags in any::<u8>()) {
            let mut framed = vec![0x1f, 0x8b, 8, flags];
            framed.extend(input);
            let mut output = Vec::new();
            gunzip(&framed, &mut output, 1_000).ok();
            prop_assert!(output.len() <= 1_001);
        }

        #[test]
        fn a_stream_cut_anywhere_is_corrupt(cut in 0_usize..1_000) {
            let whole = packed("a request that says something. ".repeat(40).as_bytes());
            let cut = cut % whole.len();
            prop_assert_eq!(unpacked(&whole[..cut], 10_000), Err(GunzipError::Corrupt));
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let bomb = packed(&vec![b' '; 8 << 20]);
        let mut output = Vec::new();
        assert_eq!(
            gunzip(&bomb, &mut output, 100_000),
            Err(GunzipError::TooLarge)
        );
        assert!(output.capacity() <= 2 * 100_001, "{}", output.capacity());
    }

    #[test]
    fn members_follow_one_another_and_a_wrong_checksum_is_seen() {
        let mut two = packed(b"one ");
        two.extend(packed(b"two"));
        assert_eq!(unpacked(&two, 100).unwrap(), b"one two");
        let mut wrong = packed(b"one");
        let crc_at = wrong.len() - 8;
        wrong[crc_at] ^= 1;
        assert_eq!(unpacked(&wrong, 100), Err(GunzipError::Corrupt));
    }

    #[test]
    fn a_header_with_every_field_is_skipped() {
        let plain = packed(b"body");
        let mut full = vec![0x1f, 0x8b, 8, 0x1e, 0, 0, 0, 0, 0, 3];
        full.extend(b"\x02\0xyname\0comment\0\x12\x34");
        full.extend(&plain[10..]);
        assert_eq!(unpacked(&full, 100).unwrap(), b"body");
    }

    #[test]
    fn codings_are_read_as_the_headers_mean_them() {
        let coding = |values: &[&'static str]| {
            let mut map = HeaderMap::new();
            for value in values {
                map.append(header::CONTENT_ENCODING, HeaderValue::from_static(value));
            }
            Coding::of(&map)
        };
        assert_eq!(coding(&[]), Coding::Identity);
        assert_eq!(coding(&["GZIP"]), Coding::Gzip);
        assert_eq!(coding(&["br"]), Coding::Unsupported);
        assert_eq!(coding(&["gzip, gzip"]), Coding::Unsupported);
        assert_eq!(coding(&["gzip", "gzip"]), Coding::Unsupported);
    }

    #[test]
    fn gzip_is_accepted_when_named_or_starred_and_not_weighted_zero() {
        let accepts = |value: &'static str| {
            let mut map = HeaderMap::new();
            map.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            accepts_gzip(&map)
        };
        for yes in ["gzip", "br, GZip;q=0.5", "*", "deflate, *;q=0.1"] {
            assert!(accepts(yes), "{yes}");
        }
        for no in ["", "br", "gzip;q=0", "gzip; q=0.00, *", "*;q=0", "identity"] {
            assert!(!accepts(no), "{no}");
        }
    }
}
