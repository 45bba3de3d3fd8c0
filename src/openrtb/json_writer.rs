//! Writing JSON straight into a buffer: an object at a time, without a tree in between.
//!
//! Names are ours and need no escape; texts are escaped.

use super::escape::write_json_string;
use super::lenient::CodeSet;
use crate::units::Cpm;

/// An object that is being written. It must be [`JsonObject::end`]ed.
#[must_use = "an object is complete only when it is ended"]
pub(super) struct JsonObject<'b> {
    out: &'b mut Vec<u8>,
    is_empty: bool,
}

/// An array that is being written. It must be [`JsonArray::end`]ed.
#[must_use = "an array is complete only when it is ended"]
pub(super) struct JsonArray<'b> {
    out: &'b mut Vec<u8>,
    is_empty: bool,
}

impl<'b> JsonObject<'b> {
    /// Begins an object.
    pub(super) fn begin(out: &'b mut Vec<u8>) -> Self {
        out.push(b'{');
        Self {
            out,
            is_empty: true,
        }
    }

    /// Ends the object.
    pub(super) fn end(self) {
        self.out.push(b'}');
    }

    /// Writes a name; its value must follow at once.
    fn name(&mut self, name: &'static str) -> &mut Vec<u8> {
        if !std::mem::take(&mut self.is_empty) {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// A text.
    pub(super) fn text(&mut self, name: &'static str, text: &str) {
        write_json_string(self.name(name), text);
    }

    /// A text, if there is one.
    pub(super) fn optional_text(&mut self, name: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// A whole number.
    pub(super) fn integer(&mut self, name: &'static str, number: i64) {
        write_integer(self.name(name), number);
    }

    /// A whole number, if there is one.
    pub(super) fn optional_integer(&mut self, name: &'static str, number: Option<u32>) {
        if let Some(number) = number {
            self.integer(name, i64::from(number));
        }
    }

    /// A price as an exact decimal.
    pub(super) fn price(&mut self, name: &'static str, price: Cpm) {
        write_price(self.name(name), price);
    }

    /// Texts as an array, unless there are none.
    pub(super) fn texts<'t>(
        &mut self,
        name: &'static str,
        texts: impl IntoIterator<Item = &'t str>,
    ) {
        let mut texts = texts.into_iter().peekable();
        if texts.peek().is_some() {
            let mut array = self.array(name);
            for text in texts {
                write_json_string(array.element(), text);
            }
            array.end();
        }
    }

    /// Codes as an array, unless there are none.
    pub(super) fn codes(&mut self, name: &'static str, codes: CodeSet) {
        if !codes.is_empty() {
            let mut array = self.array(name);
            for code in codes.iter() {
                write_integer(array.element(), i64::from(code));
            }
            array.end();
        }
    }

    /// Begins an object as a value.
    pub(super) fn object(&mut self, name: &'static str) -> JsonObject<'_> {
        JsonObject::begin(self.name(name))
    }

    /// Begins an array as a value.
    pub(super) fn array(&mut self, name: &'static str) -> JsonArray<'_> {
        let out = self.name(name);
        out.push(b'[');
        JsonArray {
            out,
            is_empty: true,
        }
    }
}

impl JsonArray<'_> {
    /// Begins an element; it must be written at once.
    fn element(&mut self) -> &mut Vec<u8> {
        if !std::mem::take(&mut self.is_empty) {
            self.out.push(b',');
        }
        self.out
    }

    /// Begins an object as an element.
    pub(super) fn object(&mut self) -> JsonObject<'_> {
        JsonObject::begin(self.element())
    }

    /// Ends the array.
    pub(super) fn end(self) {
        self.out.push(b']');
    }
}

/// A number of micros as a decimal with up to six places: 1250000 is `1.25`.
pub(super) fn write_price(out: &mut Vec<u8>, price: Cpm) {
    const SCALE: u64 = 1_000_000;
    let micros = price.micros();
    if micros < 0 {
        out.push(b'-');
    }
    let micros = micros.unsigned_abs();
    write_digits(out, micros / SCALE, 1);
    let rest = micros % SCALE;
    if rest != 0 {
        out.push(b'.');
        write_digits(out, rest, 6);
        while out.last() == Some(&b'0') {
            out.pop();
        }
    }
}

/// A whole number in decimal.
pub(super) fn write_integer(out: &mut Vec<u8>, number: i64) {
    if number < 0 {
        out.push(b'-');
    }
    write_digits(out, number.unsigned_abs(), 1);
}

/// A number in decimal, with zeros in front up to so many digits.
pub(super) fn write_digits(out: &mut Vec<u8>, number: u64, at_least: usize) {
    let start = out.len();
    let mut rest = number;
    while rest != 0 || out.len() < start + at_least {
        // A remainder of ten fits in a byte.
        out.push(b'0' + u8::try_from(rest % 10).unwrap_or(0));
        rest /= 10;
    }
    if let Some(digits) = out.get_mut(start..) {
        digits.reverse();
    }
}
