//! How an exchange writes what it means: where fields stand, and what a flag looks like.

use serde_json::{Map, Value, json};

use crate::rng::Rng;
use crate::scenario::Dialect;

/// The shape of one request.
pub(super) struct Shape {
    /// The exchange's dialect.
    pub(super) dialect: Dialect,
    /// Whether fields stand where 2.5 had them.
    pub(super) is_old: bool,
}

impl Shape {
    /// Google's JSON has booleans where the text has 0 and 1.
    pub(super) fn flag(&self, is_set: bool) -> Value {
        match self.dialect {
            Dialect::Google => Value::Bool(is_set),
            Dialect::OpenRtb | Dialect::Xandr => json!(u8::from(is_set)),
        }
    }

    /// What `x-openrtb-version` says.
    pub(super) const fn version(&self) -> &'static str {
        match (self.dialect, self.is_old) {
            (Dialect::Xandr, _) => "2.4",
            (_, true) => "2.5",
            (_, false) => "2.6",
        }
    }

    /// Puts `fields` where this version has them: in the object itself, or under its `ext`.
    pub(super) fn put(&self, object: &mut Value, fields: Map<String, Value>) {
        let target = if self.is_old {
            let object = self::fields(object);
            object.entry("ext").or_insert_with(|| json!({}))
        } else {
            object
        };
        self::fields(target).extend(fields);
    }
}

/// The fields of an object; what is none becomes an empty one.
pub(super) fn fields(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(fields) => fields,
        _ => unreachable!("made an object above"),
    }
}

/// Web-safe base64 without padding.
pub(super) fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let mut bits = group
            .iter()
            .fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
        bits <<= 8 * (3 - group.len());
        for place in 0..=group.len() {
            let digit = (bits >> (18 - 6 * place)) & 63;
            let digit = usize::try_from(digit).unwrap_or(0);
            text.extend(ALPHABET.get(digit).copied().map(char::from));
        }
    }
    text
}

/// An id as this dialect writes it.
pub(super) fn request_id(dialect: Dialect, rng: &mut Rng) -> String {
    match dialect {
        Dialect::OpenRtb => hex_id(rng),
        Dialect::Xandr => {
            let (high, _) = (rng.bits(), rng.bits());
            format!("{}", high >> 1)
        }
        // 16 bytes, web-safe and without padding.
        Dialect::Google => {
            let (high, low) = (rng.bits(), rng.bits());
            base64url(&[high.to_be_bytes(), low.to_be_bytes()].concat())
        }
    }
}

/// 128 bits.
fn hex_id(rng: &mut Rng) -> String {
    let (high, low) = (rng.bits(), rng.bits());
    format!("{high:016x}{low:016x}")
}
