mod lists;
mod relations;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::campaign::{Campaign, Country, Format, Goal, HoursOfWeek, Reach, SpotSource};
use crate::scratch::Scratch;
use crate::units::{Cpm, Currency, Nanos, RegionKey, SegmentKey, UserHash};

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

    /// Each fault, with the folder left out.
    fn faults(&self, env: &[(&str, &str)]) -> Vec<String> {
        let folder = format!("{}/", self.0.path().display());
        match self.load(env) {
            Ok(_) => Vec::new(),
            Err(faults) => faults
                .iter()
                .map(|fault| fault.to_string().replace(&folder, ""))
                .collect(),
        }
    }
}

fn sample() -> Config {
    let dir = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/config"));
    load(dir, []).unwrap_or_else(|faults| panic!("{faults}"))
}

/// The control of all that follows.
#[test]
fn a_valid_folder_has_no_fault() {
    assert_eq!(Folder::new().faults(&[]), Vec::<String>::new());
}

#[test]
fn the_sample_has_campaigns_for_every_region_and_every_exchange() {
    let Config {
        settings,
        catalogue,
    } = sample();
    assert!(catalogue.len() >= 24, "{}", catalogue.len());
    let is_open = |campaign: &&Arc<Campaign>| {
        campaign.active && campaign.cap.is_none() && campaign.targeting.countries.is_open()
    };
    for region in &settings.regions {
        let here = |campaign: &&Arc<Campaign>| campaign.regions.includes(&region.key);
        assert!(
            catalogue.iter().filter(here).count() >= 20,
            "{}",
            region.name
        );
        let open = catalogue.iter().filter(here).filter(is_open);
        assert!(open.count() >= 6, "{}", region.name);
    }
    for exchange in &settings.exchanges {
        let here = |campaign: &&Arc<Campaign>| campaign.exchanges.includes(&exchange.key);
        assert!(catalogue.iter().filter(here).count() >= 20);
    }
    let names: Vec<&str> = settings.exchanges.iter().map(|e| &*e.name).collect();
    assert_eq!(names, ["adx", "openrtb", "xandr"]);
}

#[test]
fn the_sample_shows_what_a_newcomer_asks_for_securely() {
    let catalogue = sample().catalogue;
    let broad = || {
        catalogue
            .iter()
            .filter(|campaign| campaign.cap.is_none() && campaign.regions == Reach::All)
            .filter(|campaign| campaign.targeting == crate::campaign::Targeting::default())
            .flat_map(|campaign| &campaign.creatives)
    };
    assert!(broad().all(|creative| creative.secure));
    for (w, h) in [
        (300, 250),
        (320, 50),
        (728, 90),
        (160, 600),
        (300, 600),
        (970, 250),
    ] {
        let found = broad().any(|creative| {
            matches!(&creative.format, Format::Banner(banner) if (banner.size.w, banner.size.h) == (w, h))
        });
        assert!(found, "{w}x{h}");
    }
    assert!(broad().any(|creative| matches!(creative.format, Format::Video(_))));
    assert!(broad().any(|creative| matches!(creative.format, Format::Native(_))));
}

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
    assert!(text.contains("broken.toml: line 2 is no TOML: "), "{text}");
}

#[test]
fn an_advertiser_gives_its_campaigns_what_they_do_not_say_themselves() {
    let advertiser = r#"
domains = ["shoes.example"]
currency = "SGD"
sites = { include = ["news.example"], exclude = ["live.news.example"] }
apps = { include = ["com.example.game"] }
"#;
    let folder = Folder::new().write("advertisers/shoes.toml", advertiser);
    let campaign = folder.campaign();
    assert_eq!(campaign.currency.as_str(), "SGD");
    for (site, app, runs) in [
        (Some("www2.news.example"), None, true),
        (Some("live.news.example"), None, false),
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
fn lists_of_unwanted_traffic_are_read_line_by_line() {
    let lists = "[traffic]\nbots = \"bots.txt\"\ndatacentres = \"ranges.txt\"\n[notices]";
    let folder = Folder::new()
        .replace("bidtree.toml", "[notices]", lists)
        .write("bots.txt", "# names\n\nexamplebot\n")
        .write("ranges.txt", "192.0.2.0/24\n2001:db8::/32\n");
    assert_eq!(folder.faults(&[]), Vec::<String>::new());
    let folder = folder
        .write("bots.txt", "ab\n")
        .write("ranges.txt", "# ours\n192.0.2.0/33\n");
    let faults = folder.faults(&[]);
    assert_eq!(
        faults,
        [
            "bots.txt: line 1: expects a part of a user agent, of 3 to 128 bytes",
            "ranges.txt: line 2: expects an address or a range, like 192.0.2.0/24",
        ]
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
fn the_environment_wins_over_the_file() {
    let env = [
        ("BIDTREE__EXCHANGES__PLAIN__LISTEN", "127.0.0.1:9103"),
        ("BIDTREE__ADMIN__CHAOS", "true"),
        ("BIDTREE__SERVER__DATA_THREADS", "3"),
        ("BIDTREE__SERVER__DATA_DIR", "elsewhere"),
        ("BIDTREE__RATES__IN_USD__SGD", "0.75"),
        ("BIDTREE__REGIONS__NEAR__COUNTRIES", "SG, MYS"),
        ("BIDTREE__STORE__RESTART_LIMIT__RESTARTS", "9"),
        ("PATH", "/bin"),
    ];
    let settings = Folder::new().load(&env).unwrap().settings;
    assert_eq!(settings.exchanges[0].listen.port(), 9103);
    assert!(settings.admin.chaos);
    assert_eq!(
        settings.server.data_threads.map(std::num::NonZero::get),
        Some(3)
    );
    assert_eq!(settings.server.data_dir, Path::new("elsewhere"));
    let sgd = Currency::parse("SGD").unwrap();
    let rate = settings.rates.in_usd.in_dollars(sgd).unwrap();
    assert_eq!(rate.billionths(), 750_000_000);
    let near = ["SGP", "MYS"].map(|code| Country::parse(code).unwrap());
    assert_eq!(settings.regions[0].countries, near);
    assert_eq!(settings.store.restart_limit.intensity, 9);
    assert_eq!(settings.store.restart_limit.period, Duration::from_mins(1));
}

#[test]
fn a_fault_that_the_environment_brought_names_its_variable() {
    let env = [
        ("BIDTREE__ADMIN__CHAOSS", "true"),
        ("BIDTREE__ADMIN__CHAOS", "yes"),
        ("BIDTREE__STOER", "9"),
        ("BIDTREE_ADMIN", "9"),
    ];
    assert_eq!(
        Folder::new().faults(&env),
        [
            "BIDTREE_ADMIN = \"9\": names no key; write BIDTREE__SECTION__KEY, with two underscores between names",
            "BIDTREE__STOER: stoer = \"9\": unknown key; did you mean store?",
            "BIDTREE__ADMIN__CHAOSS: admin.chaoss = \"true\": unknown key; did you mean chaos?",
            "BIDTREE__ADMIN__CHAOS: admin.chaos = \"yes\": expects true or false, without quotes",
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

const SEGMENTS: &str = r#"
[[segments]]
name = "buyers"
file = "buyers.txt"
[[segments]]
name = "hashed"
file = "hashed.txt"
ids = "keys"
"#;

fn with_segments(buyers: &str, hashed: &str) -> Folder {
    Folder::new()
        .write("bidtree.toml", &format!("{SERVER}{SEGMENTS}"))
        .write("buyers.txt", buyers)
        .write("hashed.txt", hashed)
}

#[test]
fn our_own_segments_are_read_from_ids_and_from_keys() {
    let hash = UserHash::new([7; 16]);
    let key = format!("{:016X}", hash.key("anna").raw());
    let folder = with_segments("# who bought\nanna\r\n\n berta \nanna\n", &key);
    let settings = folder.load(&[]).unwrap().settings;
    let lists = load_segments(&settings, &hash).unwrap();
    let of = |id| lists.of(hash.key(id)).to_vec();
    let (buyers, hashed) = (SegmentKey::own("buyers"), SegmentKey::own("hashed"));
    let mut both = [buyers, hashed];
    both.sort_unstable();
    assert_eq!(of("anna"), both);
    assert_eq!(of("berta"), [buyers]);
    assert_eq!(of("# who bought"), []);
    // The lists are read again.
    let _folder = folder.write("buyers.txt", "clara\n");
    let lists = load_segments(&settings, &hash).unwrap();
    assert_eq!(lists.of(hash.key("clara")), [buyers]);
    assert_eq!(lists.of(hash.key("berta")), []);
}

#[test]
fn what_is_wrong_with_a_list_is_said_with_its_file_and_line() {
    let long = "x".repeat(257);
    let folder = with_segments(
        &format!("anna\n{long}\nberta\n"),
        "0011223344556677\nanna\n",
    );
    assert_eq!(
        folder.faults(&[]),
        [
            "buyers.txt: line 2: is no text of at most 256 bytes; the rest is not read",
            "hashed.txt: line 2: expects a user key: 16 hexadecimal digits",
        ]
    );
    let many = with_segments("", &"no key\n".repeat(1_000)).faults(&[]);
    assert_eq!(many.len(), 11, "{many:#?}");
    assert_eq!(many[10], "hashed.txt: has more such lines");
    fs::remove_file(folder.0.path().join("buyers.txt")).unwrap();
    let missing = &folder.faults(&[])[0];
    assert!(
        missing.starts_with("buyers.txt: cannot be read"),
        "{missing}"
    );
}

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
    let page = include_str!("../../docs/configuration.md");
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
    let faults = folder.faults(&[]);
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
    let text = include_str!("../../docs/configuration.md");
    assert_eq!(undocumented(text), Vec::<&str>::new());
    // The control: a page that says nothing is seen.
    assert!(undocumented("`listen`").len() > 80);
}
