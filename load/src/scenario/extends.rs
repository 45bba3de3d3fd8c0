//! A scenario that states only what differs from another one.
//!
//! `extends = "steady"` takes the other scenario's keys and puts this one's over them: tables are merged key by key,
//! anything else is replaced whole. Three keys are told apart: `description` and `about` are never inherited, since they
//! would describe something else, and `[expectations]` is replaced whole, since a table cannot say "no longer expected".

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::BUNDLED;

/// How long a chain of scenarios may be; a longer one is taken for a circle.
const CHAIN_MAX: usize = 8;
/// Keys that describe one scenario and no other.
const OWN_KEYS: [&str; 2] = ["description", "about"];
const REPLACED_KEY: &str = "expectations";

/// A scenario's text and where relative paths in it start.
pub(super) struct Source {
    pub(super) name: String,
    pub(super) text: String,
    folder: PathBuf,
}

impl Source {
    /// A text that has no file.
    pub(super) fn text(name: &str, text: &str) -> Self {
        Self {
            name: name.to_owned(),
            text: text.to_owned(),
            folder: PathBuf::new(),
        }
    }

    /// A bundled scenario by its name, or a file.
    pub(super) fn find(name: &str, beside: &Path) -> Result<Self, String> {
        if let Some((name, text)) = BUNDLED.iter().find(|(bundled, _)| *bundled == name) {
            return Ok(Self::text(name, text));
        }
        let path = beside.join(name);
        let text = std::fs::read_to_string(&path).map_err(|error| {
            let names: Vec<&str> = BUNDLED.iter().map(|(name, _)| *name).collect();
            let names = names.join(", ");
            format!("{error}; name a file, or a bundled scenario ({names})")
        })?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        Ok(Self {
            name: name.to_owned(),
            text,
            folder,
        })
    }
}

/// The scenario's table, merged over those that it extends.
pub(super) fn merged(source: &Source) -> Result<Table, String> {
    let (mut table, base) = read(source)?;
    let mut base = base;
    for _ in 0..CHAIN_MAX {
        let Some(source) = base else {
            return Ok(table);
        };
        let (mut under, next) =
            read(&source).map_err(|fault| format!("extends {}: {fault}", source.name))?;
        for key in OWN_KEYS {
            under.remove(key);
        }
        merge(&mut under, table);
        table = under;
        base = next;
    }
    Err(format!(
        "extends: more than {CHAIN_MAX} scenarios, or a circle; let one of them stand alone"
    ))
}

/// A text's own table, and what it extends.
fn read(source: &Source) -> Result<(Table, Option<Source>), String> {
    let mut table: Table = source
        .text
        .parse()
        .map_err(|error: toml::de::Error| error.to_string())?;
    let base = match table.remove("extends") {
        None => None,
        Some(Value::String(name)) => Some(
            Source::find(&name, &source.folder)
                .map_err(|fault| format!("extends = {name:?}: {fault}"))?,
        ),
        Some(other) => {
            return Err(format!(
                "extends = {other}: the name of a bundled scenario or of a file, in quotes"
            ));
        }
    };
    Ok((table, base))
}

/// Puts `over` over `under`.
pub(crate) fn merge(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) if key != REPLACED_KEY => {
                merge(below, above);
            }
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        text.parse().unwrap()
    }

    #[test]
    fn tables_are_merged_and_everything_else_is_replaced() {
        let mut under =
            table("a = 1\nlist = [1, 2]\n[t]\nx = 1\ny = 2\n[expectations]\nbills_min = 1");
        merge(
            &mut under,
            table("list = [3]\n[t]\ny = 3\n[t.deep]\nz = 4\n[expectations]\np99_ms_max = 5.0"),
        );
        let wanted = table(
            "a = 1\nlist = [3]\n[t]\nx = 1\ny = 3\n[t.deep]\nz = 4\n[expectations]\np99_ms_max = 5.0",
        );
        assert_eq!(under, wanted);
    }

    #[test]
    fn what_describes_a_scenario_is_not_inherited() {
        let found = merged(&Source::text("x", "extends = \"steady\"\nrate = 7")).unwrap();
        assert_eq!(found["rate"], Value::Integer(7));
        assert!(found.contains_key("traffic") && !found.contains_key("description"));
    }

    #[test]
    fn an_unknown_base_is_named_and_so_are_the_bundled_ones() {
        let fault = merged(&Source::text("x", "extends = \"stedy\"")).unwrap_err();
        assert!(
            fault.contains("\"stedy\"") && fault.contains("steady"),
            "{fault}"
        );
    }

    #[test]
    fn a_scenario_that_extends_itself_is_refused() {
        let temporary = crate::process::Folder::temporary().unwrap();
        let folder = temporary.path();
        std::fs::write(folder.join("a.toml"), "extends = \"b.toml\"").unwrap();
        std::fs::write(folder.join("b.toml"), "extends = \"a.toml\"").unwrap();
        let source = Source::find(folder.join("a.toml").to_str().unwrap(), Path::new("")).unwrap();
        let fault = merged(&source).unwrap_err();
        assert!(fault.contains("circle"), "{fault}");
    }
}
