//! A valid configuration, changed by each test in what it is about.

mod documented;
mod environment;
mod faults;
mod list_files;
mod relations;
mod sample_config;
mod taxonomies;
mod values;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::campaign::Campaign;
use crate::scratch::Scratch;

const SERVER: &str = r#"
[exchanges.plain]
listen = "127.0.0.1:8103"
[regions.row]
rest = true
[notices]
public_url = "http://127.0.0.1:8110"
[rates.in_usd]
SGD = "0.74"
"#;
const ADVERTISER: &str = r#"
domains = ["shoes.example"]
categories = ["IAB18-5"]
"#;
const CAMPAIGN: &str = r#"
advertiser = "shoes"
cpm = "2.50"
budget = { daily = "50.00" }
creatives = ["wide"]
"#;
const BANNER: &str = r#"
kind = "banner"
click_url = "https://shoes.example/"
w = 728
h = 90
html = '<a href="{click_url}"><img src="https://cdn.example/a.png"></a><img src="{impression_url}">'
"#;
const VIDEO: &str = r#"
kind = "video"
click_url = "https://shoes.example/"
duration_seconds = 15
[[media]]
url = "https://cdn.example/a.mp4"
mime = "video/mp4"
w = 640
h = 360
"#;
const AUDIO: &str = r#"
kind = "audio"
click_url = "https://shoes.example/"
duration_seconds = 20
[[media]]
url = "https://cdn.example/a.mp3"
mime = "audio/mpeg"
bitrate_kbps = 128
[[companions]]
kind = "frame"
url = "https://cdn.example/frame"
w = 300
h = 250
[verification]
vendor = "measurer.example-omid"
script_url = "https://cdn.example/omid.js"
"#;
const NATIVE: &str = r#"
kind = "native"
click_url = "https://shoes.example/"
title = "Shoes"
texts = [{ kind = "sponsored", text = "Shoes" }]
[[images]]
kind = "icon"
url = "https://cdn.example/a.png"
mime = "image/png"
w = 80
h = 80
"#;

/// A configuration of its own that is gone with the test: valid, until the test changes it.
struct Folder(Scratch);

impl Folder {
    fn new() -> Self {
        Self(Scratch::new())
            .write("bidtree.toml", SERVER)
            .write("advertisers/shoes.toml", ADVERTISER)
            .write("campaigns/spring.toml", CAMPAIGN)
            .write("creatives/wide.toml", BANNER)
    }

    fn write(self, file: &str, text: &str) -> Self {
        self.0.write(file, text);
        self
    }

    /// A file in which one text has become another.
    fn replace(self, file: &str, from: &str, to: &str) -> Self {
        let text = fs::read_to_string(self.0.path().join(file)).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        self.write(file, &text.replace(from, to))
    }

    fn append(self, file: &str, more: &str) -> Self {
        let text = fs::read_to_string(self.0.path().join(file)).unwrap();
        self.write(file, &format!("{more}\n{text}"))
    }

    fn load(&self, env: &[(&str, &str)]) -> Result<Config, Faults> {
        let env = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        load(self.0.path(), env)
    }

    fn campaign(&self) -> Arc<Campaign> {
        let config = self.load(&[]).unwrap_or_else(|faults| panic!("{faults}"));
        Arc::clone(&config.catalogue[0])
    }

    /// Each fault as it is shown, but for the line of its key, which is a matter of its own.
    fn faults(&self, env: &[(&str, &str)]) -> Vec<String> {
        self.shown(env, |fault| {
            fault.line.take_if(|_| !fault.key.is_empty());
        })
    }

    /// Each fault as it is shown, with the folder left out.
    fn shown(&self, env: &[(&str, &str)], change: impl Fn(&mut Fault)) -> Vec<String> {
        let folder = format!("{}/", self.0.path().display());
        let shown = |fault: &Fault| {
            let mut fault = fault.clone();
            change(&mut fault);
            fault.to_string().replace(&folder, "")
        };
        let faults = self.load(env).err();
        faults.iter().flatten().map(shown).collect()
    }
}

/// The control of all that follows.
#[test]
fn a_valid_folder_has_no_fault() {
    assert_eq!(Folder::new().faults(&[]), Vec::<String>::new());
}
