//! Bodies that no exchange would send: what a bidder must refuse, or answer 204, without harm to anybody else.

use bytes::Bytes;

use crate::rng::{Purpose, Rng};

/// A body and what is wrong with it.
#[derive(Clone, Debug)]
pub(super) struct Body {
    pub(super) name: &'static str,
    pub(super) bytes: Bytes,
}

const SOUND: &str = r#"{"id":"hostile-1","imp":[{"id":"1","banner":{"w":300,"h":250},"bidfloor":0.5}],"site":{"domain":"news.example","page":"https://news.example/a"},"device":{"ip":"203.0.113.7","ua":"x","geo":{"country":"SGP"}},"user":{"id":"u1"},"tmax":120,"at":1,"cur":["USD"]}"#;

/// Deeper than any parser's stack should be asked to go.
const DEPTH: usize = 20_000;
/// More than any bidder takes for a body.
const OVERSIZED_BYTES: usize = 1 << 20;
/// More imps than any auction has.
const IMPS: usize = 5_000;
const DIGITS: usize = 400;

type Make = fn(&mut Rng) -> Vec<u8>;

const KINDS: [(&str, Make); 14] = [
    ("empty", |_| Vec::new()),
    ("truncated", truncated),
    ("garbage", garbage),
    ("flipped byte", flipped),
    ("not an object", |_| b"[1,2,3]".to_vec()),
    ("deep nesting", |_| replaced("\"u1\"", &nested(DEPTH))),
    ("wrong types", wrong_types),
    ("huge number", |_| {
        replaced("0.5", &format!("{}e{}", "9".repeat(DIGITS), DIGITS))
    }),
    ("negative number", |_| {
        replaced(":120", ":-9223372036854775809")
    }),
    ("invalid UTF-8", invalid_utf8),
    ("lone surrogate", |_| replaced("hostile-1", "\\ud800")),
    ("NUL in a string", |_| replaced("hostile-1", "a\\u0000b")),
    ("oversized", |_| {
        replaced("\"x\"", &format!("\"{}\"", "x".repeat(OVERSIZED_BYTES)))
    }),
    ("thousands of imps", |_| {
        let imp = r#"{"id":"1","banner":{"w":300,"h":250}},"#;
        replaced(
            "[{\"id\":\"1\"",
            &format!("[{}{{\"id\":\"1\"", imp.repeat(IMPS)),
        )
    }),
];

/// Body number `index`; kinds take turns.
pub(super) fn body(seed: u64, index: u64) -> Body {
    let mut rng = Rng::of(seed, Purpose::Hostile, index);
    let mut kinds = KINDS.iter().cycle();
    let turn = usize::try_from(index).unwrap_or_default() % KINDS.len();
    let (name, make) = kinds.nth(turn).unwrap_or(&("empty", |_| Vec::new()));
    Body {
        name,
        bytes: make(&mut rng).into(),
    }
}

/// Blanks that fit in a small body once packed.
///
/// One mebibyte is packed and its block repeated: packing a gibibyte would hold up the whole run. It is one gzip member
/// all the same, since some readers stop after the first.
pub(super) fn bomb(mebibytes: u64) -> std::io::Result<Bytes> {
    let blanks = vec![b' '; 1 << 20];
    let mut block = Vec::with_capacity(BLOCK_BYTES_MAX);
    // After a full flush, nothing refers to what came before, so that the block can stand anywhere.
    flate2::Compress::new(flate2::Compression::best(), false)
        .compress_vec(&blanks, &mut block, flate2::FlushCompress::Full)
        .map_err(std::io::Error::other)?;
    let mut one = flate2::Crc::new();
    one.update(&blanks);
    let mut sum = flate2::Crc::new();
    // Magic, deflate, no flags, no time, no hints, unknown system.
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    for _ in 0..mebibytes {
        packed.extend_from_slice(&block);
        sum.combine(&one);
    }
    // A last block without content.
    packed.extend_from_slice(&[3, 0]);
    packed.extend_from_slice(&sum.sum().to_le_bytes());
    packed.extend_from_slice(&sum.amount().to_le_bytes());
    Ok(packed.into())
}

/// A mebibyte of blanks packs to about a kibibyte.
const BLOCK_BYTES_MAX: usize = 64 << 10;

fn replaced(what: &str, with: &str) -> Vec<u8> {
    SOUND.replacen(what, with, 1).into_bytes()
}

fn nested(depth: usize) -> String {
    format!("{}1{}", "[".repeat(depth), "]".repeat(depth))
}

fn place(rng: &mut Rng) -> usize {
    let last = u64::try_from(SOUND.len()).unwrap_or(1).saturating_sub(1);
    usize::try_from(rng.between(1, last)).unwrap_or(1)
}

fn truncated(rng: &mut Rng) -> Vec<u8> {
    let end = place(rng);
    SOUND.bytes().take(end).collect()
}

fn flipped(rng: &mut Rng) -> Vec<u8> {
    let place = place(rng);
    let mut bytes = SOUND.as_bytes().to_vec();
    if let Some(byte) = bytes.get_mut(place) {
        *byte ^= 0x15;
    }
    bytes
}

fn garbage(rng: &mut Rng) -> Vec<u8> {
    let byte = |rng: &mut Rng| u8::try_from(rng.between(0, 255)).unwrap_or_default();
    (0..256).map(|_| byte(rng)).collect()
}

fn wrong_types(rng: &mut Rng) -> Vec<u8> {
    let swaps = [
        ("\"hostile-1\"", "{\"id\":[]}"),
        ("{\"w\":300,\"h\":250}", "\"banner\""),
        ("[\"USD\"]", "{\"USD\":true}"),
        ("{\"country\":\"SGP\"}", "[[]]"),
        ("{\"id\":\"u1\"}", "3.5"),
    ];
    let last = u64::try_from(swaps.len()).unwrap_or(1) - 1;
    let turn = usize::try_from(rng.between(0, last)).unwrap_or_default();
    let (what, with) = swaps.get(turn).copied().unwrap_or(("", ""));
    replaced(what, with)
}

fn invalid_utf8(rng: &mut Rng) -> Vec<u8> {
    let mut bytes = SOUND.as_bytes().to_vec();
    let place = place(rng);
    bytes.splice(place..place, [0xff, 0xc0, 0x80]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_takes_its_turn_and_the_same_seed_makes_the_same() {
        let mut names = std::collections::BTreeSet::new();
        for index in 0..14 {
            let body = body(7, index);
            assert_eq!(body.bytes, super::body(7, index).bytes, "{}", body.name);
            names.insert(body.name);
        }
        assert_eq!(names.len(), KINDS.len());
        assert_ne!(body(7, 1).bytes, body(8, 1 + 14).bytes);
    }

    #[test]
    fn what_they_change_is_there_to_be_changed() {
        serde_json::from_str::<serde_json::Value>(SOUND).unwrap();
        for (name, make) in KINDS {
            let bytes = make(&mut Rng::of(1, Purpose::Hostile, 0));
            assert_ne!(bytes, SOUND.as_bytes(), "{name}");
        }
    }

    #[test]
    fn a_bomb_is_small_until_it_is_unpacked() {
        use std::io::Read;
        let packed = bomb(4).unwrap();
        assert!(packed.len() < 32 << 10, "{}", packed.len());
        let mut unpacked = Vec::new();
        let mut reader = flate2::read::GzDecoder::new(&packed[..]);
        reader.read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked.len(), 4 << 20);
    }
}
