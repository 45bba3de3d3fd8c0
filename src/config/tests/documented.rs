//! The page of the configuration against the code.

use super::*;

/// The page's blocks of TOML with the file that each is said to be.
fn blocks(page: &str) -> Vec<(&str, String)> {
    let named = page.split("`config/").skip(1);
    let blocks = named.filter_map(|rest| {
        let (file, rest) = rest.split_once("`\n\n   ```toml\n")?;
        let (block, _) = rest.split_once("```")?;
        let text: Vec<_> = block
            .lines()
            .map(|line| line.get(3..).unwrap_or(""))
            .collect();
        Some((file, text.join("\n")))
    });
    blocks.collect()
}

#[test]
fn the_campaign_that_the_page_makes_is_valid_and_its_faults_read_as_shown() {
    let page = include_str!("../../../docs/configuration.md");
    let blocks = blocks(page);
    assert_eq!(blocks.len(), 3);
    let folder = blocks.iter().fold(Folder::new(), |folder, (file, text)| {
        folder.write(file, text)
    });
    assert_eq!(folder.faults(&[]), Vec::<String>::new());
    let folder = folder
        .append(
            "bidtree.toml",
            "[regions.sg]\ncountries = [\"SG\"]\n[admin]\nport = 9000",
        )
        .replace("campaigns/teapot-spring.toml", "\"2.90\"", "2.9")
        .append("campaigns/teapot-spring.toml", "regions = [\"sq\"]")
        .replace("creatives/teapot-300x250.toml", "{impression_url}", "");
    let faults = folder.shown(&[], |_| {});
    let shown = page
        .split("\n```\n")
        .find(|block| block.contains("4 faults"));
    let shown: Vec<_> = shown
        .unwrap()
        .lines()
        .filter_map(|line| line.strip_prefix("config/"))
        .collect();
    assert_eq!(faults, shown);
}

fn undocumented(text: &str) -> Vec<&'static str> {
    keys::ALL
        .iter()
        .flat_map(|keys| keys.iter().copied())
        .filter(|key| {
            let quoted = format!("`{key}`");
            !text.contains(&quoted) && !text.contains(&format!("`[{key}]`"))
        })
        .collect()
}

#[test]
fn every_key_is_documented() {
    let text = include_str!("../../../docs/configuration.md");
    assert_eq!(undocumented(text), Vec::<&str>::new());
    // The control: a page that says nothing is seen.
    assert!(undocumented("`listen`").len() > 80);
}
