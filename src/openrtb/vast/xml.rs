//! Elements and attributes, written straight into a buffer. Names are ours; texts are escaped, URLs stand in CDATA.

use crate::openrtb::escape::{write_cdata, write_xml};
use crate::openrtb::json_writer::{write_digits, write_integer};

/// Text that is XML already.
pub(super) fn raw(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

/// A start tag without attributes.
pub(super) fn open(out: &mut Vec<u8>, tag: &str) {
    raw(out, "<");
    raw(out, tag);
    raw(out, ">");
}

/// An end tag.
pub(super) fn close(out: &mut Vec<u8>, tag: &str) {
    raw(out, "</");
    raw(out, tag);
    raw(out, ">");
}

/// An attribute, to stand within a start tag that is not closed yet.
pub(super) fn attribute(out: &mut Vec<u8>, name: &str, text: &str) {
    begin_attribute(out, name);
    write_xml(out, text);
    raw(out, "\"");
}

/// A whole number as an attribute.
pub(super) fn number(out: &mut Vec<u8>, name: &str, number: u32) {
    begin_attribute(out, name);
    write_integer(out, i64::from(number));
    raw(out, "\"");
}

/// A length of time as an attribute.
pub(super) fn time(out: &mut Vec<u8>, name: &str, seconds: u32) {
    begin_attribute(out, name);
    write_time(out, seconds);
    raw(out, "\"");
}

/// An element that holds a text.
pub(super) fn element(out: &mut Vec<u8>, tag: &str, text: &str) {
    open(out, tag);
    write_xml(out, text);
    close(out, tag);
}

/// An element that holds a URL, or anything else that must stay to the letter.
pub(super) fn url(out: &mut Vec<u8>, tag: &str, address: &str) {
    open(out, tag);
    write_cdata(out, address);
    close(out, tag);
}

/// The same for each of several.
pub(super) fn urls(out: &mut Vec<u8>, tag: &str, addresses: &[&str]) {
    for address in addresses {
        url(out, tag, address);
    }
}

/// `HH:MM:SS`.
pub(super) fn write_time(out: &mut Vec<u8>, seconds: u32) {
    let seconds = u64::from(seconds);
    write_digits(out, seconds / 3600, 2);
    out.push(b':');
    write_digits(out, seconds / 60 % 60, 2);
    out.push(b':');
    write_digits(out, seconds % 60, 2);
}

fn begin_attribute(out: &mut Vec<u8>, name: &str) {
    raw(out, " ");
    raw(out, name);
    raw(out, "=\"");
}
