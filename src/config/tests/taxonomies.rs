//! What an advertiser says that it is about, in every taxonomy that requests may name.

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
                "{file}[1].cattax: taxonomy 1 is IAB Content 1.0; name its categories in the file's own key categories"
            ),
            format!("{file}[2].categories: missing; expects a list, each {expects}"),
            format!("{file}[3].categories[1] = \"150//151\": expects {expects}"),
            format!(
                "{file}[3].cattax: taxonomy 7 is there twice; put its categories into one list"
            ),
            format!("{file}[4].cattax: missing; expects a whole number from 1 to 9999"),
        ]
    );
}
