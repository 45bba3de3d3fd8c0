//! Small readings of text: macros, tags and attributes, entities, durations. Enough for markup that means well.

use std::borrow::Cow;

/// The macros of `OpenRTB` 2.6.
const MACROS: &[&str] = &[
    "AUCTION_ID",
    "AUCTION_BID_ID",
    "AUCTION_IMP_ID",
    "AUCTION_SEAT_ID",
    "AUCTION_AD_ID",
    "AUCTION_PRICE",
    "AUCTION_CURRENCY",
    "AUCTION_MBR",
    "AUCTION_LOSS",
    "AUCTION_MIN_TO_WIN",
    "AUCTION_MULTIPLIER",
    "AUCTION_IMP_TS",
    "AUCTION_DISCOUNT_PCT",
    "AUCTION_DISCOUNT_CPM",
];

/// How macros look that somebody misspelt or escaped.
const MISSPELT: &[&[u8]] = &[b"%24%7bauction", b"{{auction", b"$auction_", b"$(auction"];

/// The first macro of a text that exchanges would leave in place; `None` where all are known.
pub(super) fn unknown_macro(text: &str) -> Option<String> {
    let mut misspelt = None;
    let mut known_until = 0;
    // All of them begin with one of these, and markup is long.
    for at in memchr::memchr3_iter(b'$', b'%', b'{', text.as_bytes()) {
        let rest = text.get(at..)?;
        if at >= known_until
            && let Some(after) = rest.strip_prefix("${")
        {
            let Some((name, _)) = after.split_once('}') else {
                return Some(format!("${{{}", clip(after)));
            };
            let bare = name.split(':').next().unwrap_or(name);
            if name.contains("AUCTION") && !MACROS.contains(&bare) {
                return Some(format!("${{{name}}}"));
            }
            known_until = at + "${}".len() + name.len();
        }
        if misspelt.is_none() && MISSPELT.iter().any(|spelling| begins_with(rest, spelling)) {
            misspelt = Some(rest);
        }
    }
    misspelt.map(clip)
}

/// Whether a text begins with this, in capitals or not.
fn begins_with(text: &str, beginning: &[u8]) -> bool {
    let head = text.as_bytes().get(..beginning.len());
    head.is_some_and(|head| head.eq_ignore_ascii_case(beginning))
}

/// Whether a text learns the clearing price.
pub(super) fn names_price(text: &str) -> bool {
    memchr::memchr2_iter(b'$', b'%', text.as_bytes()).any(|at| {
        let rest = text.get(at..).unwrap_or_default();
        rest.starts_with("${AUCTION_PRICE") || rest.starts_with("%%WINNING_PRICE")
    })
}

/// The beginning of a text, for a report.
pub(super) fn clip(text: &str) -> String {
    text.chars().take(100).collect()
}

/// The opening tags of this name, each with what stands between its name and its `>`.
pub(super) fn tags<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
    memchr::memchr_iter(b'<', text.as_bytes()).filter_map(move |at| {
        let (found, rest) = text.get(at + 1..)?.split_at_checked(name.len())?;
        let ends = rest.starts_with(|c: char| c.is_ascii_whitespace() || c == '>' || c == '/');
        (found.eq_ignore_ascii_case(name) && ends)
            .then(|| rest.split(['>', '<']).next().unwrap_or_default())
    })
}

/// The value of an attribute in what `tags` returns, entities resolved.
pub(super) fn attribute<'a>(tag: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let mut rest = tag;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        let end = rest.find(|c: char| c.is_ascii_whitespace() || c == '=')?;
        let (key, after) = rest.split_at_checked(end)?;
        let after = after.trim_start();
        let Some(value) = after.strip_prefix('=') else {
            rest = after;
            continue;
        };
        let value = value.trim_start();
        let (value, behind) = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => value.get(1..)?.split_once(quote)?,
            _ => value
                .split_once(|c: char| c.is_ascii_whitespace())
                .unwrap_or((value, "")),
        };
        if key.eq_ignore_ascii_case(name) {
            return Some(unescape(value));
        }
        rest = behind;
    }
}

/// The contents of the elements of this name, CDATA and entities resolved.
pub(super) fn elements(text: &str, name: &str) -> Vec<String> {
    let contents = raw_elements(text, name);
    contents.into_iter().map(content_text).collect()
}

/// URLs in the scripts of a document. A browser resolves no entities there, so neither is it done here.
pub(super) fn script_urls(text: &str) -> Vec<&str> {
    let scripts = raw_elements(text, "script");
    let mut found = Vec::new();
    for script in scripts {
        let mut rest = script;
        while let Some(start) = memchr::memmem::find(rest.as_bytes(), b"http") {
            let url = rest.get(start..).unwrap_or_default();
            let ends = |c: char| matches!(c, '"' | '\'' | '`' | '<' | '>') || c.is_whitespace();
            let (url, behind) = url
                .split_at_checked(url.find(ends).unwrap_or(url.len()))
                .unwrap_or((url, ""));
            if url.starts_with("http://") || url.starts_with("https://") {
                found.push(url);
            }
            rest = behind;
        }
    }
    found
}

fn raw_elements<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(after) = behind(rest, ("<", name, "")) {
        rest = after;
        if !after.starts_with(|c: char| c.is_ascii_whitespace() || c == '>') {
            continue;
        }
        let Some((_, inner)) = after.split_once('>') else {
            break;
        };
        let Some(closed) = behind(inner, ("</", name, ">")) else {
            break;
        };
        let end = inner.len() - closed.len() - name.len() - "</>".len();
        found.push(inner.get(..end).unwrap_or_default());
        rest = closed;
    }
    found
}

/// What stands behind the first tag that begins, goes on and ends so.
fn behind<'a>(text: &'a str, (begin, name, end): (&str, &str, &str)) -> Option<&'a str> {
    memchr::memchr_iter(b'<', text.as_bytes()).find_map(|at| {
        let tag = text.get(at..)?;
        tag.strip_prefix(begin)?
            .strip_prefix(name)?
            .strip_prefix(end)
    })
}

fn content_text(content: &str) -> String {
    let content = content.trim();
    match content
        .strip_prefix("<![CDATA[")
        .and_then(|rest| rest.strip_suffix("]]>"))
    {
        Some(inside) => inside.trim().to_owned(),
        None => unescape(content).into_owned(),
    }
}

/// What stands for the five entities of XML.
const ENTITIES: &[(&str, &str)] = &[
    ("&amp;", "&"),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", "\""),
    ("&#39;", "'"),
    ("&apos;", "'"),
    ("&#x27;", "'"),
];

/// A text with the five entities of XML resolved.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    let mut rest = text;
    let mut out = String::new();
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        let (before, entity) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let known = ENTITIES.iter().find(|(name, _)| entity.starts_with(name));
        let (name, meaning) = known.copied().unwrap_or(("&", "&"));
        out.push_str(before);
        out.push_str(meaning);
        rest = entity.get(name.len()..).unwrap_or_default();
    }
    if out.is_empty() {
        return Cow::Borrowed(rest);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Seconds of `HH:MM:SS`, fractions dropped.
pub(super) fn seconds(text: &str) -> Option<u32> {
    let whole = text.trim().split('.').next()?;
    let mut parts = whole.split(':');
    let (h, m, s) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let (h, m, s): (u32, u32, u32) = (h.parse().ok()?, m.parse().ok()?, s.parse().ok()?);
    (m < 60 && s < 60 && h < 100).then(|| h * 3_600 + m * 60 + s)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macros_that_stay_in_place_are_found() {
        for text in [
            "${AUCTION_COST}",
            "x=%24%7BAUCTION_PRICE%7D",
            "{{AUCTION_PRICE}}",
            "$AUCTION_PRICE",
            "a${AUCTION_PRICE",
        ] {
            assert!(unknown_macro(text).is_some(), "{text}");
        }
        for text in [
            "${AUCTION_PRICE}&i=${AUCTION_ID}",
            "${AUCTION_PRICE:B64}",
            "`${row}`",
            "",
        ] {
            assert_eq!(unknown_macro(text), None, "{text}");
        }
    }

    #[test]
    fn attributes_are_read_whatever_their_quotes() {
        let markup = "<a href=x><IMG alt='a > b' src='https://x/i?a=1&amp;b=2' width=1 hidden height=\"1\"/></a>";
        // A '>' inside a value would end the tag here; none of ours has one.
        assert_eq!(tags(markup, "img").count(), 1);
        let tag = " src='https://x/i?a=1&amp;b=2' width=1 hidden height=\"1\"/";
        assert_eq!(
            attribute(tag, "src").as_deref(),
            Some("https://x/i?a=1&b=2")
        );
        assert_eq!(attribute(tag, "width").as_deref(), Some("1"));
        assert_eq!(attribute(tag, "height").as_deref(), Some("1"));
        assert_eq!(attribute(tag, "alt"), None);
    }

    #[test]
    fn elements_are_read_with_and_without_cdata() {
        let vast = "<VAST><Impression id=\"a\"><![CDATA[ https://x/?a=1&b=2 ]]></Impression><Impression>https://y/?a=1&amp;b=2</Impression><ImpressionX>no</ImpressionX></VAST>";
        assert_eq!(
            elements(vast, "Impression"),
            ["https://x/?a=1&b=2", "https://y/?a=1&b=2"]
        );
    }

    #[test]
    fn urls_in_scripts_are_read_as_they_stand() {
        let markup = "<p>http://no/</p><script type=x>a('http://a/imp?x=1&amp;y=2'); // http\nb(\"https://b/\")</script>";
        assert_eq!(
            script_urls(markup),
            ["http://a/imp?x=1&amp;y=2", "https://b/"]
        );
    }

    #[test]
    fn entities_are_resolved_once() {
        for (text, meant) in [
            ("a&amp;b=1&lt;&gt;&quot;&#39;&apos;&#x27;", "a&b=1<>\"'''"),
            ("&amp;lt;&amp;amp;", "&lt;&amp;"),
            ("&unknown; & &", "&unknown; & &"),
            ("none", "none"),
            ("", ""),
        ] {
            assert_eq!(unescape(text), meant);
        }
    }

    #[test]
    fn durations_are_read() {
        assert_eq!(seconds("00:01:30"), Some(90));
        assert_eq!(seconds("00:00:15.500"), Some(15));
        for text in ["15", "00:15", "00:60:00", "a:b:c", "00:00:00:01"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
