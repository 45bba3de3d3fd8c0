//! Fixed-width little-endian fields, for movements and for the rows of a checkpoint.
//!
//! There is no self-description: what a payload holds is fixed by its kind and by the version of the file it is in.
//! Reading never panics: a short or foreign payload is [`Malformed`].

use crate::units::{Currency, Nanos, UnixMillis};

/// A payload that is shorter or longer than its kind says, or holds a value that its type does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed payload")]
pub struct Malformed;

/// Appends fields to a buffer that its caller keeps.
pub(super) struct Encoder<'a>(&'a mut Vec<u8>);

/// Takes fields from the front of a payload.
pub(super) struct Decoder<'a>(&'a [u8]);

macro_rules! integers {
    ($($name:ident: $type:ty),*) => {
        impl Encoder<'_> {
            $(pub(super) fn $name(&mut self, value: $type) {
                self.0.extend_from_slice(&value.to_le_bytes());
            })*
        }

        impl Decoder<'_> {
            $(pub(super) fn $name(&mut self) -> Result<$type, Malformed> {
                self.array().map(<$type>::from_le_bytes)
            })*
        }
    };
}

integers!(u8: u8, u16: u16, u32: u32, i32: i32, u64: u64, i64: i64, u128: u128);

impl<'a> Encoder<'a> {
    pub(super) fn new(into: &'a mut Vec<u8>) -> Self {
        Self(into)
    }

    pub(super) fn nanos(&mut self, amount: Nanos) {
        self.i64(amount.get());
    }

    pub(super) fn time(&mut self, at: UnixMillis) {
        self.i64(at.get());
    }

    pub(super) fn currency(&mut self, currency: Currency) {
        self.0.extend_from_slice(&currency.to_bytes());
    }

    /// A flag byte, and the value where there is one.
    pub(super) fn optional_u64(&mut self, value: Option<u64>) {
        self.u8(u8::from(value.is_some()));
        self.u64(value.unwrap_or(0));
    }
}

impl<'a> Decoder<'a> {
    pub(super) fn new(payload: &'a [u8]) -> Self {
        Self(payload)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (front, rest) = self.0.split_first_chunk::<N>().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*front)
    }

    pub(super) fn nanos(&mut self) -> Result<Nanos, Malformed> {
        self.i64().map(Nanos::new)
    }

    pub(super) fn time(&mut self) -> Result<UnixMillis, Malformed> {
        self.i64().map(UnixMillis::new)
    }

    pub(super) fn currency(&mut self) -> Result<Currency, Malformed> {
        let letters = self.array::<3>()?;
        std::str::from_utf8(&letters)
            .ok()
            .and_then(Currency::parse)
            .ok_or(Malformed)
    }

    pub(super) fn optional_u64(&mut self) -> Result<Option<u64>, Malformed> {
        let flag = self.u8()?;
        let value = self.u64()?;
        match flag {
            0 => Ok(None),
            1 => Ok(Some(value)),
            _ => Err(Malformed),
        }
    }

    /// Ends a payload: bytes that nobody asked for are as wrong as missing ones.
    pub(super) fn finish(self) -> Result<(), Malformed> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Malformed)
        }
    }
}
