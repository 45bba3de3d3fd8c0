//! How deep a JSON text nests, found without parsing it.

/// Whether arrays and objects nest deeper than `limit` levels anywhere in the text.
///
/// A text with no more brackets than that cannot, and counting them is nearly free, so most requests are not walked.
pub(crate) fn nests_deeper_than(limit: usize, text: &str) -> bool {
    let bytes = text.as_bytes();
    opening_brackets(bytes) > limit && walk(limit, bytes)
}

/// Counts in bytes, which the compiler turns into vector instructions unless it must check each sum for overflow; a
/// chunk is too short for one.
fn opening_brackets(bytes: &[u8]) -> usize {
    const CHUNK: usize = 192;
    // The two brackets differ in this bit alone.
    const CASE: u8 = b'[' ^ b'{';
    const { assert!(CHUNK <= u8::MAX as usize) };
    bytes
        .chunks(CHUNK)
        .map(|chunk| {
            let in_chunk = chunk.iter().fold(0_u8, |count, byte| {
                count.wrapping_add(u8::from(byte | CASE == b'{'))
            });
            usize::from(in_chunk)
        })
        .sum()
}

fn walk(limit: usize, bytes: &[u8]) -> bool {
    let mut depth = 0_usize;
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'"' => loop {
                match rest.next() {
                    Some(b'\\') => {
                        rest.next();
                    }
                    Some(b'"') | None => break,
                    Some(_) => {}
                }
            },
            b'{' | b'[' => {
                depth += 1;
                if depth > limit {
                    return true;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::nests_deeper_than;

    #[test]
    fn the_limit_itself_is_allowed_and_one_more_is_not() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(!nests_deeper_than(64, &nested(64)));
        assert!(nests_deeper_than(64, &nested(65)));
        assert!(nests_deeper_than(64, &"{\"a\":".repeat(65)));
    }

    #[test]
    fn brackets_in_texts_and_side_by_side_do_not_nest() {
        assert!(!nests_deeper_than(2, r#"["[[[[[[\"[[[[","{{{{\\"]"#));
        assert!(!nests_deeper_than(2, "[[],[],[],[],{},{}]"));
        assert!(nests_deeper_than(2, r#"["]]]]",[[]]]"#));
    }
}
