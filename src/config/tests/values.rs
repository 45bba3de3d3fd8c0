//! What valid files become.

use std::time::Duration;

use super::*;
use crate::campaign::{Country, Format, Goal, HoursOfWeek, Reach, SpotSource};
use crate::units::{Cpm, Currency, Nanos, RegionKey};

#[test]
fn an_advertiser_gives_its_campaigns_what_they_do_not_say_themselves() {
    let advertiser = r#"
domains = ["shoes.example"]
currency = "SGD"
sites = { include = ["news.example"], exclude = ["live.news.example", "WWW.shop.news.example"] }
apps = { include = ["com.example.game"] }
"#;
    let folder = Folder::new().write("advertisers/shoes.toml", advertiser);
    let campaign = folder.campaign();
    assert_eq!(campaign.currency.as_str(), "SGD");
    for (site, app, runs) in [
        (Some("www2.news.example"), None, true),
        (Some("live.news.example"), None, false),
        // Requests' names are looked for without it, too.
        (Some("shop.news.example"), None, false),
        (Some("other.example"), None, false),
        (None, Some("com.example.game"), true),
        (None, Some("com.example.chat"), false),
        (None, None, false),
    ] {
        let says = campaign.advertiser.runs_in(site, app);
        assert_eq!(says, runs, "{site:?} {app:?}");
    }
    let own = folder.append("campaigns/spring.toml", "currency = \"USD\"");
    assert_eq!(own.campaign().currency, Currency::USD);
}

#[test]
fn a_campaign_may_buy_clicks_and_say_where_they_are_worth_more() {
    let more = r#"
goal = { cpc = "0.40" }
max_cpm = "3.00"
multipliers = [
    { countries = ["TH"], formats = ["banner"], by = "1.25" },
    { sites = ["news.example"], apps = ["com.example.app"], hours = ["mon-fri 08-20"], by = "0.5" },
]
"#;
    let campaign = Folder::new()
        .replace("campaigns/spring.toml", "cpm = \"2.50\"", more)
        .campaign();
    assert!(campaign.faults().is_empty());
    assert_eq!(campaign.goal, Goal::Cpc(Nanos::new(400_000_000)));
    assert_eq!(campaign.max_cpm, Some(Cpm::from_micros(3_000_000)));
    let factors = campaign.multipliers.iter().map(|it| it.by_per_mille);
    assert_eq!(factors.collect::<Vec<_>>(), [1_250, 500]);
    let [thai, office] = &*campaign.multipliers else {
        panic!("two multipliers");
    };
    assert_eq!(thai.when.countries, [Country::parse("THA").unwrap()]);
    assert_eq!((thai.when.formats.len(), thai.when.hours), (1, None));
    assert!(
        office
            .when
            .inventory
            .contains(None, Some("com.example.app"))
    );
    assert!(
        office
            .when
            .hours
            .is_some_and(|hours| hours != HoursOfWeek::ALL)
    );
}

#[test]
fn a_campaign_is_what_its_files_say() {
    let more = r#"
currency = "SGD"
margin_percent = "12.5"
regions = ["row"]
time_zone = "Asia/Singapore"
flight = { starts = 2026-01-01, ends = "2026-01-31" }
frequency = { impressions = 3, within = "24h" }
"#;
    let campaign = Folder::new()
        .append("campaigns/spring.toml", more)
        .write("creatives/wide.toml", VIDEO)
        .campaign();
    assert!(campaign.faults().is_empty());
    assert_eq!(campaign.goal, Goal::Cpm(Cpm::from_micros(2_500_000)));
    assert_eq!(campaign.margin_per_mille, 125);
    assert_eq!(campaign.regions, Reach::Only(vec![RegionKey::of("row")]));
    let (start, end) = (campaign.starts_at.unwrap(), campaign.ends_at.unwrap());
    assert_eq!(start.get(), 1_767_225_600_000 - 8 * 3_600_000);
    assert_eq!(end.get() - start.get(), 31 * 86_400_000);
    assert_eq!(campaign.cap.unwrap().window, Duration::from_hours(24));
    assert!(campaign.creatives[0].secure);
}

#[test]
fn a_creative_is_all_that_its_file_says() {
    let read = |text: &str| {
        let folder = Folder::new().write("creatives/wide.toml", text);
        folder.campaign().creatives[0].clone()
    };
    let banner = BANNER.replace(
        "h = 90",
        "h = 90\nscales_from_w = 320\nexpands = [4]\nmime = \"image/png\"",
    );
    let Format::Banner(banner) = read(&banner).format else {
        panic!("a banner");
    };
    assert_eq!((banner.scales_from_w, banner.expands), (Some(320), 1 << 4));
    assert_eq!(&*banner.mime, "image/png");
    let app = read(&BANNER.replace("h = 90", "h = 90\nbundle = \"com.example.Shoes\""));
    let said = format!("{:?}", app.bundle);
    assert!(
        said.contains("com.example.Shoes"),
        "stores tell capitals: {said}"
    );
    let Format::Audio(audio) = read(AUDIO).format else {
        panic!("an audio ad");
    };
    assert_eq!((audio.duration_seconds, audio.companions.len()), (20, 1));
    assert_eq!(
        &*audio.verification.unwrap().vendor,
        "measurer.example-omid"
    );
    let overlay = VIDEO
        .replace("[[media]]", "[overlay]")
        .replace("video/mp4", "image/png");
    let Format::Video(video) = read(&overlay).format else {
        panic!("a video");
    };
    assert!(matches!(video.source, SpotSource::Overlay(_)));
    let native = format!(
        "deep_link = \"shoes://7\"\nprivacy_url = \"https://a.example/\"\n{NATIVE}\n\
         [video]\nduration_seconds = 15\n[[video.media]]\n\
         url = \"https://a.example/\"\nmime = \"video/mp4\"\nw = 640\nh = 360\n"
    );
    let Format::Native(native) = read(&native).format else {
        panic!("a native ad");
    };
    assert_eq!(native.deep_link.as_deref(), Some("shoes://7"));
    assert_eq!(native.video.unwrap().duration_seconds, 15);
}

#[test]
fn one_plain_asset_makes_a_creative_insecure() {
    for (text, plain) in [
        (BANNER, BANNER.replace("https://cdn", "http://cdn")),
        (VIDEO, VIDEO.replace("https://cdn", "http://cdn")),
        (
            AUDIO,
            AUDIO.replace("https://cdn.example/frame", "http://cdn.example/frame"),
        ),
        (
            AUDIO,
            AUDIO.replace("https://cdn.example/omid", "http://cdn.example/omid"),
        ),
        (NATIVE, NATIVE.replace("https://cdn", "http://cdn")),
    ] {
        let secure = |text: &str| {
            let folder = Folder::new().write("creatives/wide.toml", text);
            folder.campaign().creatives[0].secure
        };
        assert!(secure(text) && !secure(&plain), "{text}");
    }
}

#[test]
fn notices_over_https_are_their_own_secure_address() {
    let folder = Folder::new().replace(
        "bidtree.toml",
        "http://127.0.0.1:8110",
        "https://n.example/b/",
    );
    let notices = folder.load(&[]).unwrap().settings.notices;
    assert_eq!(&*notices.public_url, "https://n.example/b");
    assert_eq!(notices.secure_url, Some(notices.public_url));
}

#[test]
fn campaigns_are_read_again_with_the_settings_that_run() {
    let folder = Folder::new();
    let settings = folder.load(&[]).unwrap().settings;
    let folder = folder
        .write("bidtree.toml", "this is not read again")
        .write("campaigns/summer.toml", CAMPAIGN);
    let again = load_catalogue(folder.0.path(), &settings).unwrap();
    let ids: Vec<&str> = again.iter().map(|campaign| &*campaign.id).collect();
    assert_eq!(ids, ["spring", "summer"]);
    let folder = folder.append("campaigns/summer.toml", "regions = [\"moon\"]");
    assert_eq!(
        load_catalogue(folder.0.path(), &settings)
            .unwrap_err()
            .count(),
        1
    );
}

#[test]
fn a_campaign_in_another_currency_is_not_in_a_shared_budget() {
    let folder = Folder::new()
        .append("advertisers/shoes.toml", "budget_total = \"900\"")
        .append("campaigns/spring.toml", "currency = \"SGD\"");
    assert_eq!(
        folder.faults(&[]),
        [
            "campaigns/spring.toml: currency: is not USD, in which advertiser shoes has a budget for all its campaigns; use that, or take the budget out"
        ]
    );
    let unlimited = folder.write("advertisers/shoes.toml", ADVERTISER);
    assert_eq!(unlimited.faults(&[]), Vec::<String>::new());
}
