//! What is wrong is said all at once, each with its file, its key and what to do.

use super::*;

#[test]
fn an_unknown_key_is_refused_with_its_file_and_the_key_that_was_meant() {
    let folder = Folder::new()
        .append("campaigns/spring.toml", "marginpercent = \"15\"")
        .append("bidtree.toml", "[admin]\nport = 9000");
    assert_eq!(
        folder.faults(&[]),
        [
            "bidtree.toml: admin.port = 9000: unknown key; known are listen, chaos, restart_limit",
            "campaigns/spring.toml: marginpercent = \"15\": unknown key; did you mean margin_percent?",
        ]
    );
}

#[test]
fn faults_of_several_files_come_out_together() {
    let folder = Folder::new()
        .replace("bidtree.toml", "8103", "81030")
        .replace("advertisers/shoes.toml", "IAB18-5", "shoes")
        .replace("campaigns/spring.toml", "\"2.50\"", "2.50")
        .replace("creatives/wide.toml", "{click_url}", "")
        .write("creatives/broken.toml", "kind = \"banner\"\nw = = 3\n");
    let faults = folder.load(&[]).unwrap_err();
    let files: Vec<_> = faults
        .iter()
        .map(|fault| fault.file.rsplit('/').next().unwrap())
        .collect();
    assert_eq!(
        files,
        [
            "bidtree.toml",
            "shoes.toml",
            "broken.toml",
            "wide.toml",
            "spring.toml"
        ]
    );
    let text = faults.to_string();
    assert!(text.ends_with("\n5 faults"), "{text}");
    assert!(text.contains("broken.toml:2: is no TOML: "), "{text}");
}

#[test]
fn a_fault_names_the_line_of_its_key_or_of_the_section_around_it_and_none_for_a_variable() {
    let folder = Folder::new()
        .replace("campaigns/spring.toml", "\"2.50\"", "2.50")
        .replace(
            "campaigns/spring.toml",
            "creatives = [\"wide\"]",
            "creatives = [\"wide\"]\n[[deals]]\nexchange = \"plain\"\n[targeting]\ncountries.include = [\"TH\",\n\"Siam\"]\n",
        );
    let faults = folder
        .load(&[("BIDTREE__ADMIN__LISTEN", "here")])
        .unwrap_err();
    let lines: Vec<_> = faults
        .iter()
        .map(|fault| (fault.key.as_str(), fault.line))
        .collect();
    assert_eq!(
        lines,
        [
            ("admin.listen", None),
            ("cpm", Some(3)),
            ("deals[1].id", Some(6)),
            ("targeting.countries.include[2]", Some(10)),
        ]
    );
    let text = faults.to_string();
    assert!(
        text.contains("spring.toml:3: cpm = 2.5: expects a CPM"),
        "{text}"
    );
}

#[test]
fn money_is_never_a_float() {
    let folder = Folder::new()
        .replace("campaigns/spring.toml", "\"2.50\"", "2.5")
        .replace("campaigns/spring.toml", "\"50.00\"", "50");
    assert_eq!(
        folder.faults(&[]),
        [
            "campaigns/spring.toml: cpm = 2.5: expects a CPM in quotes with at most 6 decimals, like \"2.50\"",
            "campaigns/spring.toml: budget.daily = 50: expects an amount of money in quotes with at most 9 decimals, like \"50.00\"",
        ]
    );
}

#[test]
fn files_that_are_not_there_or_not_read_are_faults() {
    let nowhere = load(Path::new("/nowhere/at/all"), []).unwrap_err();
    assert_eq!(nowhere.count(), 4, "{nowhere}");
    let folder = Folder::new()
        .write("campaigns/autumn.tml", CAMPAIGN)
        .write("campaigns/.autumn.toml.swp", "")
        .write("campaigns/Winter.toml", CAMPAIGN)
        .write("creatives/tall.html", "")
        .write(
            "creatives/tall.toml",
            &BANNER.replace("html = ", "markup = \"tall.html\" #"),
        );
    let faults = folder.faults(&[]);
    assert_eq!(faults.len(), 3, "{faults:#?}");
    assert!(
        faults[0].starts_with("creatives/tall.html: expects markup"),
        "{faults:#?}"
    );
    assert!(
        faults[1].starts_with("campaigns/autumn.tml: is not read"),
        "{faults:#?}"
    );
    assert!(
        faults[2].starts_with("campaigns/Winter.toml: its name before .toml must be an id"),
        "{faults:#?}"
    );
}

#[test]
fn a_file_beyond_the_limit_is_not_read() {
    let padding = "#".repeat(usize::try_from(FILE_BYTES_MAX).unwrap());
    let faults = Folder::new()
        .append("campaigns/spring.toml", &padding)
        .faults(&[]);
    assert_eq!(faults.len(), 1);
    assert!(faults[0].contains("at most 1048576 are read"), "{faults:?}");
}

#[test]
fn a_faulty_advertiser_is_reported_once_and_not_again_by_its_campaigns() {
    let faults = Folder::new()
        .write("advertisers/shoes.toml", "domains = 3 3")
        .faults(&[]);
    assert_eq!(faults.len(), 1, "{faults:?}");
}
