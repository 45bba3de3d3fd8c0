//! Where a value of the outermost object is in its bytes: the id of a request, the request of a line.

use std::ops::Range;

/// The range of the value of the first `key` in the outermost object, quotes included. `json` is valid JSON.
pub(crate) fn of(json: &[u8], key: &str) -> Option<Range<usize>> {
    let quoted = format!("\"{key}\"");
    let mut scan = Scan { json, at: 0 };
    scan.expect(b'{')?;
    loop {
        scan.blanks();
        let found = scan.value()?;
        scan.blanks();
        scan.expect(b':')?;
        scan.blanks();
        let value = scan.value()?;
        if json.get(found) == Some(quoted.as_bytes()) {
            return Some(value);
        }
        scan.blanks();
        scan.expect(b',')?;
    }
}

struct Scan<'a> {
    json: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.json.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn expect(&mut self, wanted: u8) -> Option<()> {
        self.blanks();
        (self.peek()? == wanted).then(|| self.at += 1)
    }

    /// Passes over one value and tells where it is.
    fn value(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        let mut depth = 0u32;
        loop {
            match self.peek()? {
                b'"' => self.text()?,
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                    continue;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    self.at += 1;
                }
                b',' | b':' | b' ' | b'\t' | b'\r' | b'\n' => {
                    self.at += 1;
                    continue;
                }
                _ => self.word(),
            }
            if depth == 0 {
                return Some(start..self.at);
            }
        }
    }

    fn text(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            match self.peek()? {
                b'\\' => self.at += 2,
                b'"' => break,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some(())
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        self.at += 1;
        while self.peek().is_some_and(is_word) {
            self.at += 1;
        }
    }
}
