//! "Did you mean": the known word nearest to a mistyped one.

/// Edits between a mistyped word and the one that was meant, at most.
const EDITS_MAX: usize = 2;

/// The known word nearest to `word`, if it is near enough to have been meant.
pub(super) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let word = word.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (edits(&word, candidate), candidate))
        .filter(|(edits, candidate)| *edits <= EDITS_MAX && *edits < candidate.chars().count())
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many letters must be added, removed or changed to make one word of the other (Levenshtein).
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (above, letter) in (1..).zip(a.chars()) {
        let mut diagonal = row.first().copied().unwrap_or(0);
        let mut left = above;
        if let Some(first) = row.first_mut() {
            *first = above;
        }
        for (cell, other) in row.iter_mut().skip(1).zip(&b) {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = *cell;
            left = changed.min(*cell + 1).min(left + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted_as_a_typist_would() {
        for (a, b, count) in [
            ("", "abc", 3),
            ("listen", "listen", 0),
            ("lisen", "listen", 1),
            ("lsiten", "listen", 2),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(edits(a, b), count, "{a} {b}");
            assert_eq!(edits(b, a), count, "{b} {a}");
        }
    }

    #[test]
    fn only_a_near_word_was_meant() {
        let known = ["listen", "chaos", "w", "h"];
        assert_eq!(nearest("Chaoss", known), Some("chaos"));
        assert_eq!(nearest("port", known), None);
        assert_eq!(nearest("x", known), None);
    }
}
