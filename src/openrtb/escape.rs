//! Putting text into JSON, HTML, XML and URLs so that it stays text.
//!
//! Every function appends to a buffer and writes valid UTF-8 for any text.

/// Appends a text as a JSON string, quotes included (RFC 8259, section 7).
pub fn write_json_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    write_json_inner(out, text);
    out.push(b'"');
}

/// Appends what stands between the quotes of a JSON string.
pub fn write_json_inner(out: &mut Vec<u8>, text: &str) {
    write_with(out, text, |byte| match byte {
        b'"' => Some(b"\\\""),
        b'\\' => Some(b"\\\\"),
        b'\n' => Some(b"\\n"),
        b'\r' => Some(b"\\r"),
        b'\t' => Some(b"\\t"),
        0..=0x1F => Some(control(byte)),
        _ => None,
    });
}

/// Appends a text as HTML text or as the inside of a quoted attribute.
pub fn write_html(out: &mut Vec<u8>, text: &str) {
    write_with(out, text, |byte| match byte {
        b'&' => Some(b"&amp;"),
        b'<' => Some(b"&lt;"),
        b'>' => Some(b"&gt;"),
        b'"' => Some(b"&quot;"),
        b'\'' => Some(b"&#39;"),
        _ => None,
    });
}

/// Appends a text as XML text or as the inside of a quoted attribute.
///
/// Characters that XML 1.0 cannot hold become U+FFFD.
pub fn write_xml(out: &mut Vec<u8>, text: &str) {
    join(out, text.split(is_not_xml), "\u{FFFD}", write_html);
}

/// Appends a text as a CDATA section.
///
/// The end of a section cannot be written within one, so it is divided between two. Characters that XML 1.0 cannot
/// hold become U+FFFD.
pub fn write_cdata(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(b"<![CDATA[");
    join(out, text.split("]]>"), "]]]]><![CDATA[>", |out, section| {
        join(out, section.split(is_not_xml), "\u{FFFD}", |out, part| {
            out.extend_from_slice(part.as_bytes());
        });
    });
    out.extend_from_slice(b"]]>");
}

/// Appends a text as a component of a URL: only unreserved characters stand for themselves (RFC 3986, section 2.3).
pub fn write_percent(out: &mut Vec<u8>, text: &str) {
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    write_percent_but(out, text, is_plain);
}

/// Appends a URL so that it means the same in a quoted attribute and in a script's string: what could end either is
/// percent-encoded. An `&` stays, which before a name and `=` begins no entity (HTML, "named character reference state").
pub fn write_url(out: &mut Vec<u8>, url: &str) {
    let ends_nothing = |byte: u8| byte.is_ascii_graphic() && !br#""'<>`\"#.contains(&byte);
    write_percent_but(out, url, ends_nothing);
}

fn write_percent_but(out: &mut Vec<u8>, text: &str, is_plain: impl Fn(u8) -> bool) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if is_plain(byte) {
            out.push(byte);
        } else {
            let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
            out.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 0x0F)]);
        }
    }
}

/// Copies a text, replacing ASCII bytes only, so that what is valid UTF-8 stays so.
fn write_with(out: &mut Vec<u8>, text: &str, replace: impl Fn(u8) -> Option<&'static [u8]>) {
    let mut rest = text.as_bytes();
    while let Some((at, replacement)) = rest
        .iter()
        .enumerate()
        .find_map(|(at, byte)| replace(*byte).map(|replacement| (at, replacement)))
    {
        let (plain, tail) = rest.split_at(at);
        out.extend_from_slice(plain);
        out.extend_from_slice(replacement);
        rest = tail.get(1..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

fn join<'t>(
    out: &mut Vec<u8>,
    parts: impl Iterator<Item = &'t str>,
    between: &str,
    write: impl Fn(&mut Vec<u8>, &str),
) {
    for (place, part) in parts.enumerate() {
        if place > 0 {
            out.extend_from_slice(between.as_bytes());
        }
        write(out, part);
    }
}

/// Source: XML 1.0, production `Char`. Surrogates do not occur in a `char`.
const fn is_not_xml(character: char) -> bool {
    matches!(
        character,
        '\0'..='\x08' | '\x0B' | '\x0C' | '\x0E'..='\x1F' | '\u{FFFE}' | '\u{FFFF}'
    )
}

/// The JSON escape of a control character without a short one.
fn control(byte: u8) -> &'static [u8] {
    #[expect(
        clippy::indexing_slicing,
        reason = "evaluated by the compiler: an index out of range would not build"
    )]
    static ESCAPES: [[u8; 6]; 32] = {
        let mut escapes = [*b"\\u0000"; 32];
        let mut byte = 0;
        while byte < 32 {
            let low = byte % 16;
            let tail = [
                b'0' + byte / 16,
                if low < 10 {
                    b'0' + low
                } else {
                    b'a' + low - 10
                },
            ];
            escapes[byte as usize] = [b'\\', b'u', b'0', b'0', tail[0], tail[1]];
            byte += 1;
        }
        escapes
    };
    ESCAPES
        .get(usize::from(byte))
        .map_or(b"\\u0000", |escape| escape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(write: impl Fn(&mut Vec<u8>, &str), text: &str) -> String {
        let mut out = Vec::new();
        write(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_escape_keeps_text_text() {
        for (write, text, expected) in [
            (
                write_html as fn(&mut Vec<u8>, &str),
                "<a href=\"x\">'&",
                "&lt;a href=&quot;x&quot;&gt;&#39;&amp;",
            ),
            (write_xml, "a\0<\u{FFFF}é", "a\u{FFFD}&lt;\u{FFFD}é"),
            (write_cdata, "http://x/?a&b", "<![CDATA[http://x/?a&b]]>"),
            (
                write_cdata,
                "a]]>b\x01",
                "<![CDATA[a]]]]><![CDATA[>b\u{FFFD}]]>",
            ),
            (write_percent, "a b/é~", "a%20b%2F%C3%A9~"),
            (
                write_url,
                "https://x/?a=1&b=${C}'\"<>`\\ é",
                "https://x/?a=1&b=${C}%27%22%3C%3E%60%5C%20%C3%A9",
            ),
            (
                write_json_string,
                "\"\\\n\r\t\0\x1f\x7fé",
                "\"\\\"\\\\\\n\\r\\t\\u0000\\u001f\x7fé\"",
            ),
        ] {
            assert_eq!(written(write, text), expected);
        }
    }

    proptest! {
        #[test]
        fn any_text_reads_back_from_json(text in any::<String>()) {
            let json = written(write_json_string, &text);
            prop_assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
        }

        #[test]
        fn no_text_ends_its_cdata_section_early(text in "[\\]>a\0]{0,12}") {
            let xml = written(write_cdata, &text);
            let inner: String = xml
                .split("<![CDATA[")
                .filter_map(|section| section.strip_suffix("]]>"))
                .inspect(|section| assert!(!section.contains("]]>")))
                .collect();
            prop_assert_eq!(inner, text.replace('\0', "\u{FFFD}"));
        }
    }
}
