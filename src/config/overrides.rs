//! Environment variables laid over `bidtree.toml`: `BIDTREE__ADMIN__LISTEN=127.0.0.1:9000`.
//!
//! Two underscores stand between the names of sections and keys; letters are folded to lower case. Values are texts;
//! the reader takes numbers, flags and lists out of them where the key asks for one.

use std::collections::HashMap;

use config::builder::DefaultState;
use config::{ConfigBuilder, ConfigError, Environment, File, FileFormat};
use toml::{Table, Value};

use super::faults::{Fault, Findings};
use super::keys::LISTS_OF_TABLES;

/// What every variable of ours begins with. One underscore too few is as much a slip as a wrong key.
const OURS: &str = "BIDTREE_";
/// What stands where a variable is no text.
const NO_TEXT: char = char::REPLACEMENT_CHARACTER;
const PREFIX: &str = "BIDTREE";
const SEPARATOR: &str = "__";

/// One variable and the key it sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Override {
    pub(super) variable: String,
    /// Dotted, lower case.
    pub(super) key: String,
    value: String,
}

/// The variables that are ours, sorted by name; faults for those that cannot be meant.
pub(super) fn ours(
    env: impl IntoIterator<Item = (String, String)>,
    findings: &Findings,
) -> Vec<Override> {
    let mut found: Vec<Override> = env
        .into_iter()
        .filter(|(name, _)| name.starts_with(OURS))
        .filter_map(|(variable, value)| {
            if variable.contains(NO_TEXT) || value.contains(NO_TEXT) {
                findings.add(Fault {
                    file: variable,
                    line: None,
                    key: String::new(),
                    value: Some(format!("{value:?}")),
                    advice: "is no UTF-8; write it again in UTF-8, or unset it".into(),
                });
                return None;
            }
            let rest = variable.strip_prefix(PREFIX)?;
            let key = rest.strip_prefix(SEPARATOR).and_then(dotted);
            if key.is_none() {
                findings.add(Fault {
                    file: variable.clone(),
                    line: None,
                    key: String::new(),
                    value: Some(format!("{value:?}")),
                    advice: "names no key; write BIDTREE__SECTION__KEY, with two underscores between names"
                        .into(),
                });
            }
            let key = key?;
            let section = key.split('.').next().unwrap_or_default();
            if LISTS_OF_TABLES.contains(&section) {
                let advice = format!(
                    "cannot come from the environment; write it into bidtree.toml, under a [[{section}]], and unset the variable"
                );
                findings.add(Fault {
                    file: variable,
                    line: None,
                    key,
                    value: Some(format!("{value:?}")),
                    advice,
                });
                return None;
            }
            Some(Override {
                variable,
                key,
                value,
            })
        })
        .collect();
    found.sort_by(|a, b| a.variable.cmp(&b.variable));
    found
}

/// `ADMIN__LISTEN` as `admin.listen`.
fn dotted(name: &str) -> Option<String> {
    let parts: Vec<&str> = name.split(SEPARATOR).collect();
    let plain = parts.iter().all(|part| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
    });
    plain.then(|| parts.join(".").to_ascii_lowercase())
}

/// A file's text with the variables laid over it. The text is known to be TOML.
///
/// # Errors
/// The layers do not join.
pub(super) fn laid_over(
    text: &str,
    overrides: &[Override],
    findings: &Findings,
) -> Result<Table, ConfigError> {
    let variables: HashMap<String, String> = overrides
        .iter()
        .map(|over| (over.variable.clone(), over.value.clone()))
        .collect();
    let environment = Environment::with_prefix(PREFIX)
        .separator(SEPARATOR)
        .source(Some(variables));
    let table: Table = ConfigBuilder::<DefaultState>::default()
        .add_source(File::from_str(text, FileFormat::Toml))
        .add_source(environment)
        .build()?
        .try_deserialize()?;
    for over in overrides {
        if !arrived(&table, over) {
            findings.add(Fault {
                file: over.variable.clone(),
                line: None,
                key: over.key.clone(),
                value: Some(format!("{:?}", over.value)),
                advice: "names a section that another variable sets a key of; remove one of them"
                    .into(),
            });
        }
    }
    Ok(table)
}

/// Whether the variable's value is what stands at its key: two variables may want one place.
fn arrived(table: &Table, over: &Override) -> bool {
    let (path, last) = over.key.rsplit_once('.').unwrap_or(("", over.key.as_str()));
    let mut place = Some(table);
    for part in path.split('.').filter(|part| !part.is_empty()) {
        place = place
            .and_then(|table| table.get(part))
            .and_then(Value::as_table);
    }
    place
        .and_then(|table| table.get(last))
        .and_then(Value::as_str)
        == Some(over.value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, env: &[(&str, &str)]) -> (Table, usize) {
        let findings = Findings::default();
        let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let overrides = ours(env, &findings);
        let table = laid_over(text, &overrides, &findings).unwrap();
        let faults = findings.or(None::<()>).unwrap_err().count();
        (table, faults)
    }

    #[test]
    fn a_variable_wins_over_the_file_and_leaves_its_neighbours() {
        let text = "[admin]\nlisten = \"a\"\nchaos = true\n";
        let (table, faults) = read(
            text,
            &[
                ("BIDTREE__ADMIN__LISTEN", "b"),
                ("HOME", "/"),
                ("BIDTREES", "1"),
            ],
        );
        assert_eq!(faults, 0);
        assert_eq!(table["admin"]["listen"].as_str(), Some("b"));
        assert_eq!(table["admin"]["chaos"].as_bool(), Some(true));
    }

    #[test]
    fn a_variable_that_names_no_key_is_a_fault() {
        for name in [
            "BIDTREE_ADMIN__LISTEN",
            "BIDTREE__",
            "BIDTREE__A____B",
            "BIDTREE__A[9]",
        ] {
            assert_eq!(read("", &[(name, "b")]).1, 1, "{name}");
        }
    }

    #[test]
    fn a_variable_that_is_no_text_is_a_fault_if_it_is_ours() {
        for (name, value) in [
            ("BIDTREE__ADMIN__LISTEN", "127.0.0.1:\u{fffd}"),
            ("BIDTREE__ADMIN__\u{fffd}", "b"),
        ] {
            let findings = Findings::default();
            let found = ours([(name.to_owned(), value.to_owned())], &findings);
            assert!(found.is_empty());
            let faults = findings.or(Some(())).unwrap_err();
            let said = faults.iter().next().unwrap().to_string();
            assert!(
                said.starts_with(name) && said.contains("is no UTF-8"),
                "{said}"
            );
        }
        assert_eq!(read("", &[("LESSOPEN", "\u{fffd}")]).1, 0);
    }

    #[test]
    fn a_variable_for_a_list_of_tables_is_refused_with_what_to_do() {
        for (name, key) in [
            ("BIDTREE__SEGMENTS", "segments"),
            ("BIDTREE__SEGMENTS__0__FILE", "segments.0.file"),
        ] {
            let findings = Findings::default();
            let found = ours([(name.to_owned(), "a.txt".to_owned())], &findings);
            assert!(found.is_empty());
            let faults = findings.or(Some(())).unwrap_err();
            assert_eq!(
                faults.iter().next().unwrap().to_string(),
                format!(
                    "{name}: {key} = \"a.txt\": cannot come from the environment; \
                     write it into bidtree.toml, under a [[segments]], and unset the variable"
                )
            );
        }
        // The control: a section is not refused for how its name begins.
        assert_eq!(read("", &[("BIDTREE__SEGMENTSIZE__A", "b")]).1, 0);
    }

    #[test]
    fn two_variables_for_one_place_are_a_fault_whatever_their_order() {
        let (_, faults) = read(
            "",
            &[("BIDTREE__ADMIN", "a"), ("BIDTREE__ADMIN__LISTEN", "b")],
        );
        assert_eq!(faults, 1);
    }
}
