//! Prices as Google's exchange reports them: encrypted, so that nobody on the way learns or alters them.
//!
//! The scheme it documents: an initialisation vector of 16 bytes; the price in micros of the cost of one impression (CPI)
//! as 8 big-endian bytes, by exclusive or with the first 8 bytes of HMAC-SHA1(encryption key, vector); and the first 4
//! bytes of HMAC-SHA1(integrity key, price and vector). All of it in web-safe base64 without padding.

use std::fmt;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, general_purpose};
use hmac::{Hmac, Mac};
use sha1::Sha1;

use crate::decimal::Micros;

/// The bytes that make two encryptions of one price differ.
pub(super) type InitVector = [u8; 16];

/// How long a key may be, in bytes: shorter ones are guessed, longer ones are slips.
const KEY_LENGTH: std::ops::RangeInclusive<usize> = 16..=64;

/// Keys are given with or without padding.
const LENIENT: GeneralPurposeConfig =
    general_purpose::NO_PAD.with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// The two keys that an exchange shares with a bidder.
#[derive(Clone)]
pub struct PriceKeys {
    encryption: Vec<u8>,
    integrity: Vec<u8>,
}

impl fmt::Debug for PriceKeys {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("PriceKeys")
    }
}

impl PriceKeys {
    /// Keys in base64, of either alphabet; `None` where they are none.
    pub fn parse(encryption: &str, integrity: &str) -> Option<Self> {
        Some(Self {
            encryption: key(encryption)?,
            integrity: key(integrity)?,
        })
    }

    /// A price as the exchange writes it, and the CPM that it then says: whole micros of one impression's cost.
    pub fn seal(&self, price: Micros, vector: InitVector) -> (String, Micros) {
        let cpi_micros = price.get().max(0) / MILLE;
        let plain = cpi_micros.to_be_bytes();
        let pad = sign(&self.encryption, &[&vector]);
        let cipher = plain.iter().zip(pad).map(|(byte, pad)| byte ^ pad);
        let signature = sign(&self.integrity, &[&plain, &vector]);
        let mut sealed = Vec::with_capacity(28);
        sealed.extend(vector);
        sealed.extend(cipher);
        sealed.extend(signature.into_iter().take(4));
        (
            URL_SAFE_NO_PAD.encode(sealed),
            Micros::new(cpi_micros * MILLE),
        )
    }
}

/// Impressions in a CPM.
const MILLE: i64 = 1_000;

fn key(text: &str) -> Option<Vec<u8>> {
    let alphabet = if text.contains(['-', '_']) {
        alphabet::URL_SAFE
    } else {
        alphabet::STANDARD
    };
    let key = GeneralPurpose::new(&alphabet, LENIENT).decode(text).ok()?;
    KEY_LENGTH.contains(&key.len()).then_some(key)
}

fn sign(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    // A key of any length will do.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key) else {
        return Vec::new();
    };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENCRYPTION: &str = "skU7Ax_NL5pPAFyKdkfZjZz2-VhIN8bjj1rVFOaJ_5o=";
    const INTEGRITY: &str = "arO23ykdNqUQ5LEoQ0FVmPkBd7xB5CO89PDZlSjpFxo=";

    fn keys() -> PriceKeys {
        PriceKeys::parse(ENCRYPTION, INTEGRITY).unwrap()
    }

    /// What a bidder does: the CPI in micros, or nothing where the signature is wrong.
    fn open(keys: &PriceKeys, text: &str) -> Option<i64> {
        let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (vector, rest) = sealed.split_first_chunk::<16>()?;
        let (cipher, signature) = rest.split_first_chunk::<8>()?;
        let pad = sign(&keys.encryption, &[vector]);
        let mut plain = *cipher;
        for (byte, pad) in plain.iter_mut().zip(pad) {
            *byte ^= pad;
        }
        let wanted = sign(&keys.integrity, &[&plain, vector]);
        (signature == &wanted[..4]).then_some(i64::from_be_bytes(plain))
    }

    #[test]
    fn published_vectors_are_reproduced() {
        let vector = *b"abc123def456ghi7";
        for (cpi_micros, text) in [
            (100, "YWJjMTIzZGVmNDU2Z2hpN7fhCuPemCce_6msaw"),
            (1_900, "YWJjMTIzZGVmNDU2Z2hpN7fhCuPemCAWJRxOgA"),
            (2_700, "YWJjMTIzZGVmNDU2Z2hpN7fhCuPemC32prpWWw"),
        ] {
            let (sealed, told) = keys().seal(Micros::new(cpi_micros * 1_000), vector);
            assert_eq!((sealed.as_str(), told.get()), (text, cpi_micros * 1_000));
        }
    }

    #[test]
    fn a_sealed_price_opens_with_its_keys_only_and_unaltered_only() {
        let other = PriceKeys::parse(INTEGRITY, ENCRYPTION).unwrap();
        for price in [0, 999, 1_000, 2_345_678, 9_000_000_000] {
            let (sealed, told) = keys().seal(Micros::new(price), [7; 16]);
            assert_eq!(sealed.len(), 38);
            assert_eq!(open(&keys(), &sealed), Some(price / 1_000));
            assert_eq!(told.get(), price / 1_000 * 1_000);
            assert_eq!(open(&other, &sealed), None);
            let altered = format!("{}A{}", &sealed[..30], &sealed[31..]);
            assert!(altered == sealed || open(&keys(), &altered).is_none());
        }
        assert_eq!(open(&keys(), "garbage"), None);
    }

    #[test]
    fn keys_come_in_either_alphabet_and_have_a_length() {
        let standard = ENCRYPTION.replace('_', "/").replace('-', "+");
        let again = PriceKeys::parse(&standard, INTEGRITY.trim_end_matches('=')).unwrap();
        assert_eq!(again.encryption, keys().encryption);
        assert!(PriceKeys::parse("c2hvcnQ=", INTEGRITY).is_none());
        assert!(PriceKeys::parse(ENCRYPTION, "not base64!").is_none());
        assert_eq!(format!("{:?}", keys()), "PriceKeys");
    }
}
