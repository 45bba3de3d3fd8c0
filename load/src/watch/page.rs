//! Reads a metrics page as Prometheus has them: `name{label="value",…} number`.

/// Which series of a page are meant: a name, and labels that they have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    name: String,
    labels: Vec<(String, String)>,
}

impl Selector {
    /// Reads `name` or `name{label="value"}`; `None` where it is neither.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, labels) = match text.split_once('{') {
            None => (text, ""),
            Some((name, rest)) => (name, rest.strip_suffix('}')?),
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        if name.is_empty() || !name.chars().all(is_name) {
            return None;
        }
        let labels = labels.split(',').filter(|label| !label.trim().is_empty());
        let labels = labels.map(|label| {
            let (key, value) = label.trim().split_once('=')?;
            let value = value.strip_prefix('"')?.strip_suffix('"')?;
            Some((key.to_owned(), value.to_owned()))
        });
        Some(Self {
            name: name.to_owned(),
            labels: labels.collect::<Option<_>>()?,
        })
    }

    /// The sum of the series that are meant; nothing where there are none.
    pub fn sum(&self, page: &str) -> f64 {
        let is_meant = |labels: &str| {
            let mut wanted = self.labels.iter();
            wanted.all(|(key, value)| label(labels, key) == Some(value.as_str()))
        };
        series(page, &self.name)
            .filter(|(labels, _)| is_meant(labels))
            .map(|(_, value)| value)
            // The sum of nothing would be -0.
            .fold(0.0, |sum, value| sum + value)
    }
}

/// The labels and values of all series of a name.
pub(super) fn series<'p>(page: &'p str, name: &'p str) -> impl Iterator<Item = (&'p str, f64)> {
    page.lines().filter_map(move |line| {
        let rest = line.strip_prefix(name)?;
        let (labels, value) = match rest.strip_prefix('{') {
            // A label's value may hold a brace, a number does not.
            Some(rest) => rest.rsplit_once('}')?,
            None => ("", rest.strip_prefix(' ')?),
        };
        let value = value.split_ascii_whitespace().next()?;
        Some((labels, value.parse().ok()?))
    })
}

/// The value of a label.
pub(super) fn label<'p>(labels: &'p str, name: &str) -> Option<&'p str> {
    let mut rest = labels;
    loop {
        let (key, after) = rest.split_once("=\"")?;
        let (value, after) = after.split_once('"')?;
        if key.trim_start_matches(',') == name {
            return Some(value);
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# HELP x_total what\n# TYPE x_total counter\n\
        x_total{child=\"a/b\",reason=\"killed\"} 2\nx_total{child=\"a/c\",reason=\"panic\"} 3\n\
        x_total_more 100\nplain 1.5\n";

    fn sum(selector: &str) -> f64 {
        Selector::parse(selector).unwrap().sum(PAGE)
    }

    #[test]
    fn series_that_match_are_summed() {
        assert!((sum("x_total") - 5.0).abs() < 1e-9);
        assert!((sum("x_total{child=\"a/c\"}") - 3.0).abs() < 1e-9);
        assert!((sum("x_total{reason=\"killed\",child=\"a/b\"}") - 2.0).abs() < 1e-9);
        assert!((sum("plain") - 1.5).abs() < 1e-9);
        assert!(sum("x_total{child=\"z\"}").abs() < 1e-9);
        assert!(sum("nobody").abs() < 1e-9 && sum("nobody").is_sign_positive());
    }

    #[test]
    fn what_is_no_selector_is_refused() {
        for text in ["", "{a=\"b\"}", "x{a=b}", "x{a=\"b\"", "x y"] {
            assert_eq!(Selector::parse(text), None, "{text}");
        }
    }
}
