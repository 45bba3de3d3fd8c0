//! Lines of TOML. Values here are plain ASCII without quotes, so nothing needs escaping but a text's own words.

/// A file being written.
#[derive(Default)]
pub(super) struct Toml(String);

impl Toml {
    /// `key = "text"`.
    pub(super) fn text(&mut self, key: &str, text: &str) {
        self.raw(key, &format!("\"{text}\""));
    }

    /// `key = value`, as it is.
    pub(super) fn raw(&mut self, key: &str, value: &str) {
        self.0.push_str(key);
        self.0.push_str(" = ");
        self.0.push_str(value);
        self.0.push('\n');
    }

    /// `key = ["a", "b"]`.
    pub(super) fn list<T: AsRef<str>>(&mut self, key: &str, items: &[T]) {
        self.raw(key, &list(items));
    }

    /// A section: `[name]` or `[[name]]`, brackets included.
    pub(super) fn section(&mut self, header: &str) {
        self.0.push('\n');
        self.0.push_str(header);
        self.0.push('\n');
    }

    /// The file.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// `["a", "b"]`.
pub(super) fn list<T: AsRef<str>>(items: &[T]) -> String {
    let items: Vec<String> = items
        .iter()
        .map(|item| format!("\"{}\"", item.as_ref()))
        .collect();
    format!("[{}]", items.join(", "))
}
