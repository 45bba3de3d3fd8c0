//! Trees of files.

use std::collections::BTreeMap;
use std::fs;

use super::*;
use crate::process::Folder;

/// Where a plan writes: a folder that is yet to be made.
fn target(folder: &Folder) -> PathBuf {
    folder.path().join("catalogue")
}

fn plan(folder: &Folder, campaigns: u32, seed: u64) -> Plan {
    Plan {
        campaigns,
        seed,
        folder: target(folder),
        settings: None,
    }
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for part in ["advertisers", "campaigns", "creatives"] {
        for entry in fs::read_dir(folder.join(part)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            found.insert(format!("{part}/{name}"), fs::read_to_string(&path).unwrap());
        }
    }
    found
}

#[test]
fn the_same_seed_writes_the_same_files() {
    let (a, b, c) = (
        Folder::temporary().unwrap(),
        Folder::temporary().unwrap(),
        Folder::temporary().unwrap(),
    );
    let written = write(&plan(&a, 50, 7)).unwrap();
    assert_eq!(written.campaigns, 50);
    assert_eq!(written.advertisers, 2);
    assert_eq!(write(&plan(&b, 50, 7)).unwrap(), written);
    write(&plan(&c, 50, 8)).unwrap();
    assert_eq!(files(&target(&a)), files(&target(&b)));
    assert_ne!(files(&target(&a)), files(&target(&c)));
}

#[test]
fn every_file_is_toml_and_names_only_files_that_are_there() {
    let folder = Folder::temporary().unwrap();
    write(&plan(&folder, 300, 1)).unwrap();
    let files = files(&target(&folder));
    let mut kinds: BTreeMap<String, u32> = BTreeMap::new();
    for (name, text) in &files {
        let table: toml::Table =
            toml::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        if let Some(kind) = table.get("kind") {
            *kinds.entry(kind.as_str().unwrap().to_owned()).or_default() += 1;
            let html = table.get("html").map_or("", |html| html.as_str().unwrap());
            let is_banner = kind.as_str() == Some("banner");
            assert_eq!(
                html.contains("{click_url}") && html.contains("{impression_url}"),
                is_banner
            );
        }
        if !name.starts_with("campaigns/") {
            continue;
        }
        let advertiser = table["advertiser"].as_str().unwrap();
        assert!(
            files.contains_key(&format!("advertisers/{advertiser}.toml")),
            "{name}"
        );
        let creatives = table["creatives"].as_array().unwrap();
        assert!((1..=64).contains(&creatives.len()), "{name}");
        for creative in creatives {
            let creative = creative.as_str().unwrap();
            assert!(
                files.contains_key(&format!("creatives/{creative}.toml")),
                "{name}"
            );
        }
        let cpm = table["cpm"].as_str().unwrap();
        assert!(
            cpm.parse::<crate::decimal::Micros>().unwrap().get() > 0,
            "{name}"
        );
    }
    assert_eq!(kinds.len(), 3, "{kinds:?}");
}

#[test]
fn a_folder_that_holds_something_is_left_alone() {
    let folder = Folder::temporary().unwrap();
    write(&plan(&folder, 3, 1)).unwrap();
    let before = files(&target(&folder));
    let error = write(&plan(&folder, 5, 2)).unwrap_err().to_string();
    assert!(error.contains("not empty"), "{error}");
    assert_eq!(files(&target(&folder)), before);
}

#[test]
fn settings_are_copied_only_when_asked_and_counts_have_limits() {
    let folder = Folder::temporary().unwrap();
    fs::create_dir_all(folder.path()).unwrap();
    let source = folder.path().join("source.toml");
    fs::write(&source, "[admin]\n").unwrap();
    let plan = Plan {
        settings: Some(source),
        ..plan(&folder, 1, 1)
    };
    write(&plan).unwrap();
    let copied = fs::read_to_string(target(&folder).join("bidtree.toml")).unwrap();
    assert_eq!(copied, "[admin]\n");
    for count in [0, CAMPAIGNS_MAX + 1] {
        let refused = write(&Plan {
            campaigns: count,
            ..plan.clone()
        });
        assert!(matches!(refused, Err(CatalogueError::Count(found)) if found == count));
    }
}
