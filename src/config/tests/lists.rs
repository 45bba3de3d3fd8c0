//! Lists: of taxonomies, from the environment, in files.

use super::*;

#[test]
fn an_advertiser_says_what_it_is_about_in_every_taxonomy_it_is_asked_in() {
    let taxonomies = "[[taxonomies]]\ncattax = 7\ncategories = [\"150/151\", \"SPSHQ5\"]\n[[taxonomies]]\ncattax = 8\ncategories = [\"1002\"]\n";
    let file = format!("{ADVERTISER}{taxonomies}");
    let folder = Folder::new().write("advertisers/shoes.toml", &file);
    let campaign = folder.campaign();
    let creative = &campaign.creatives[0];
    let ids = |taxonomy| {
        let about = creative.classified_in(taxonomy, &campaign.advertiser)?;
        let ids = about.categories.iter().map(|it| it.id().to_owned());
        Some(ids.collect::<Vec<_>>())
    };
    assert_eq!(ids(7), Some(vec!["151".to_owned(), "SPSHQ5".to_owned()]));
    assert_eq!(ids(8), Some(vec!["1002".to_owned()]));
    assert_eq!(ids(5), None);

    // A creative that says something itself is not about what its advertiser is.
    let own = "taxonomies = [{ cattax = 7, categories = [\"9\"] }]";
    let folder = folder.append("creatives/wide.toml", own);
    let campaign = folder.campaign();
    let (creative, advertiser) = (&campaign.creatives[0], &campaign.advertiser);
    assert!(creative.categories(advertiser).is_empty());
    assert_eq!(creative.classified_in(8, advertiser), None);
    let own = creative.classified_in(7, advertiser).unwrap();
    assert_eq!(own.categories[0].id(), "9");
}

#[test]
fn a_taxonomy_is_a_number_once_and_its_categories_are_ids() {
    let taxonomies = r#"
[[taxonomies]]
cattax = 1
categories = ["IAB1"]
[[taxonomies]]
cattax = 7
[[taxonomies]]
cattax = 7
categories = ["150//151"]
[[taxonomies]]
categories = ["150"]
"#;
    let file = format!("{ADVERTISER}{taxonomies}");
    let faults = Folder::new()
        .write("advertisers/shoes.toml", &file)
        .faults(&[]);
    let expects = "a category's id after those above it, the widest first, like 150/151";
    let file = "advertisers/shoes.toml: taxonomies";
    assert_eq!(
        faults,
        [
            format!(
                "{file}[0].cattax: taxonomy 1 is IAB Content 1.0; name its categories in the file's own key categories"
            ),
            format!("{file}[1].categories: missing; expects a list, each {expects}"),
            format!("{file}[2].categories[0] = \"150//151\": expects {expects}"),
            format!(
                "{file}[2].cattax: taxonomy 7 is there twice; put its categories into one list"
            ),
            format!("{file}[3].cattax: missing; expects a whole number from 1 to 9999"),
        ]
    );
}

#[test]
fn a_list_from_the_environment_is_no_longer_than_one_from_a_file() {
    let key = "BIDTREE__EXCHANGES__PLAIN__SUPPLY_CHAIN__BLOCKED";
    let sellers = |count: usize| vec!["seller.example"; count].join(",");
    let folder = Folder::new();
    assert_eq!(
        folder.faults(&[(key, &sellers(10_000))]),
        Vec::<String>::new()
    );
    let faults = folder.faults(&[(key, &sellers(10_001))]);
    assert_eq!(faults.len(), 1);
    assert!(faults[0].starts_with(key), "{faults:?}");
    assert!(
        faults[0].contains("expects a list of at most 10000, each "),
        "{faults:?}"
    );
}

#[test]
fn as_many_addresses_are_read_as_the_documentation_says() {
    let lists = "[traffic]\ndatacentres = \"ranges.txt\"\n[notices]";
    let line = "2001:0db8:0000:0000:0000:0000:0000:0001/128\n";
    let folder = Folder::new()
        .replace("bidtree.toml", "[notices]", lists)
        .write("ranges.txt", &line.repeat(100_000));
    assert_eq!(folder.faults(&[]), Vec::<String>::new());
    let folder = folder.write("ranges.txt", &line.repeat(100_001));
    assert_eq!(
        folder.faults(&[]),
        ["ranges.txt: has 100001 lines; at most 100000 are read"]
    );
    let folder = folder.write("ranges.txt", &"#".repeat((8 << 20) + 1));
    assert_eq!(
        folder.faults(&[]),
        ["ranges.txt: cannot be read: has 8388609 bytes; at most 8388608 are read"]
    );
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_line() {
    let lists = "[traffic]\nbots = \"bots.txt\"\ndatacentres = \"ranges.txt\"\n[[segments]]\nname = \"keys\"\nfile = \"keys.txt\"\nids = \"keys\"\n[notices]";
    let folder = Folder::new()
        .replace("bidtree.toml", "[notices]", lists)
        .write("bots.txt", "\u{feff}# ours\nrobot\n")
        .write("ranges.txt", "\u{feff}192.0.2.0/24\n")
        .write("keys.txt", "\u{feff}00000000000000ff\n0000000000000001\n");
    assert_eq!(folder.faults(&[]), Vec::<String>::new());
    let folder = folder.write("keys.txt", "00000000000000ff\n\u{feff}0000000000000001\n");
    let faults = folder.faults(&[]);
    assert_eq!(
        faults,
        ["keys.txt: line 2: expects a user key: 16 hexadecimal digits"],
        "the control: it is a part of any other line"
    );
}
