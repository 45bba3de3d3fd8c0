//! One row per relation: what is changed in a valid file, and how the fault it makes begins.

use super::{ADVERTISER, AUDIO, BANNER, CAMPAIGN, Folder, NATIVE, SERVER, VIDEO};

/// A text in the file, what it becomes, what is said about it.
type Row = (&'static str, &'static str, &'static str);

const SERVER_ROWS: &[Row] = &[
    (
        "[notices]",
        "[click_rates]\nbanner = { prior_clicks = 3, prior_impressions = 5 }\n[notices]",
        "click_rates.banner.prior_clicks: must be at most half of prior_impressions",
    ),
    (
        "[notices]",
        "[click_rates]\nvideo = { prior_impressions = 1 }\n[notices]",
        "click_rates.video.prior_impressions = 1: expects a whole number from 2 to 10000000",
    ),
    (
        "[notices]",
        "[admin]\nlisten = \"0.0.0.0:1\"\nchaos = true\n[notices]",
        "admin.chaos: lets whoever reaches admin.listen kill children",
    ),
    (
        "[notices]",
        "[admin]\nlisten = \"0.0.0.0:8103\"\n[notices]",
        "admin.listen: 0.0.0.0:8103 is also where exchanges.plain.listen listens",
    ),
    (
        "[notices]",
        "[notices]\nlisten = \"127.0.0.1:8120\"",
        "notices.listen: 127.0.0.1:8120 is also where admin.listen listens",
    ),
    (
        "[regions.row]",
        "network_margin = \"100ms\"\n[regions.row]",
        "exchanges.plain.network_margin: must be below default_tmax",
    ),
    (
        "[regions.row]",
        "billing = \"win\"\nnotice_url = false\n[regions.row]",
        "exchanges.plain.billing: is by win notice, so notice_url must be true",
    ),
    (
        "[regions.row]",
        "hold = \"9s\"\n[regions.row]",
        "exchanges.plain.hold = \"9s\": must be from 10s to 1d",
    ),
    (
        "[regions.row]",
        "max_body_bytes = \"257KiB\"\n[regions.row]",
        "exchanges.plain.max_body_bytes = \"257KiB\": must be from 1024B to 262144B",
    ),
    (
        "[regions.row]",
        "dialect = \"rubicon\"\n[regions.row]",
        "exchanges.plain.dialect = \"rubicon\": expects one of openrtb, google, xandr",
    ),
    (
        "[regions.row]",
        "probation = { delay = \"10m\" }\n[regions.row]",
        "exchanges.plain.probation.delay: must not be above delay_max",
    ),
    (
        "[regions.row]",
        "supply_chain = { rule = \"strict\" }\n[regions.row]",
        "exchanges.plain.supply_chain.rule = \"strict\": expects one of ignored, complete_if_sent, required",
    ),
    (
        "[regions.row]",
        "supply_chain = { blocked = [\"bad\"] }\n[regions.row]",
        "exchanges.plain.supply_chain.blocked[0] = \"bad\": expects a seller's system",
    ),
    (
        "[regions.row]",
        "sync_url = \"https://x.example/match?id={user_id}\"\n[regions.row]",
        "exchanges.plain.sync_url: needs notices.secure_url",
    ),
    (
        "[regions.row]",
        "sync_url = \"https://x.example/match\"\n[regions.row]",
        "exchanges.plain.sync_url = \"https://x.example/match\": expects an https URL with {user_id}",
    ),
    (
        "[regions.row]",
        "sync_url = \"https://{user_id}.example/match\"\n[regions.row]",
        "exchanges.plain.sync_url = \"https://{user_id}.example/match\": expects an https URL with {user_id}",
    ),
    (
        "[notices]",
        "[[segments]]\nname = \"buyers\"\n[notices]",
        "segments[0].file: missing; expects the name of a .txt file",
    ),
    (
        "[notices]",
        "[[segments]]\nname = \"a/b\"\nfile = \"a.txt\"\nids = \"md5\"\n[notices]",
        "segments[0].ids = \"md5\": expects one of plain, keys",
    ),
    (
        "[notices]",
        "[traffic]\nbots = \"../bots.txt\"\n[notices]",
        "traffic.bots = \"../bots.txt\": expects the name of a .txt file",
    ),
    (
        "[regions.row]",
        "bids_per_imp = 9\n[regions.row]",
        "exchanges.plain.bids_per_imp = 9: expects a whole number from 1 to 8",
    ),
    (
        "[regions.row]",
        "seats = [\"\"]\n[regions.row]",
        "exchanges.plain.seats[0] = \"\": expects a text",
    ),
    (
        "[regions.row]",
        "restart_limit = 5\n[regions.row]",
        "exchanges.plain.restart_limit = 5: expects a section",
    ),
    (
        "listen = \"127.0.0.1:8103\"",
        "",
        "exchanges.plain.listen: missing; expects an IP address and a port",
    ),
    (
        "[exchanges.plain]",
        "[exchanges.Plain]",
        "exchanges.Plain: its name must be an id",
    ),
    (
        "rest = true",
        "countries = [\"SG\"]",
        "regions: no region is for the rest of the world",
    ),
    (
        "rest = true",
        "rest = true\n[regions.sg]",
        "regions.sg.countries: missing; name at least one",
    ),
    (
        "rest = true",
        "rest = true\n[regions.sg]\nrest = true",
        "regions: row, sg all say rest = true",
    ),
    (
        "rest = true",
        "rest = true\n[regions.a]\ncountries = [\"SG\"]\n[regions.b]\ncountries = [\"SGP\"]",
        "regions.b.countries: SGP is already in region a",
    ),
    (
        "rest = true",
        "countries = [\"XX\"]\nrest = true",
        "regions.row.countries[0] = \"XX\": expects a country",
    ),
    (
        "public_url = \"http://127.0.0.1:8110\"",
        "",
        "notices.public_url: missing; expects an absolute http or https URL",
    ),
    (
        "public_url",
        "secure_url = \"http://a.example\"\npublic_url",
        "notices.secure_url: must begin with https://",
    ),
    (
        "127.0.0.1:8110",
        "a.example/?a=1",
        "notices.public_url: is what paths are appended to",
    ),
    (
        "SGD = \"0.74\"",
        "SGD = 0.74",
        "rates.in_usd.SGD = 0.74: expects a rate above 0 in quotes",
    ),
    (
        "SGD",
        "Singapore",
        "rates.in_usd.Singapore = \"0.74\": its name must be a currency",
    ),
    (
        "[notices]",
        "[server]\ndata_threads = 65\n[notices]",
        "server.data_threads = 65: expects a whole number from 1 to 64",
    ),
];

const CAMPAIGN_ROWS: &[Row] = &[
    (
        "creatives =",
        "targeting = { segments = { exclude = [\"own:buyers\"] } }\ncreatives =",
        "targeting.segments: buyers is not in bidtree.toml",
    ),
    (
        "\"shoes\"",
        "\"shoe\"",
        "advertiser: there is no advertisers/shoe.toml; did you mean shoes?",
    ),
    (
        "[\"wide\"]",
        "[\"tall\"]",
        "creatives: there is no creatives/tall.toml",
    ),
    (
        "[\"wide\"]",
        "[\"wide\", \"wide\"]",
        "creatives: wide is there twice",
    ),
    ("[\"wide\"]", "[]", "creatives: needs 1 to 64 creatives"),
    (
        "cpm = \"2.50\"",
        "",
        "cpm: missing; expects a CPM in quotes",
    ),
    ("2.50", "0", "cpm: price must be above 0"),
    (
        "2.50",
        "100.01",
        "cpm: 100.01 USD is above fuses.max_cpm = 100",
    ),
    (
        "cpm",
        "goal = { cpc = \"0.40\" }\ncpm",
        "goal: stands beside cpm; leave one of them",
    ),
    (
        "cpm = \"2.50\"",
        "goal = { cpc = \"0.40\" }",
        "max_cpm: highest price is missing; who buys clicks must say what an impression may cost",
    ),
    (
        "cpm = \"2.50\"",
        "goal = { cpc = \"0\" }\nmax_cpm = \"2.50\"",
        "goal.cpc: what a click costs must be above 0",
    ),
    (
        "cpm = \"2.50\"",
        "goal = {}\nmax_cpm = \"2.50\"",
        "goal.cpc: missing; expects an amount of money in quotes",
    ),
    (
        "cpm = \"2.50\"",
        "goal = { cpc = \"0.40\" }\nmax_cpm = \"100.01\"",
        "max_cpm: it may come to bid 100.01 USD, which is above fuses.max_cpm = 100",
    ),
    (
        "cpm",
        "max_cpm = \"2.49\"\ncpm",
        "max_cpm: highest price is below the price",
    ),
    (
        "cpm",
        "multipliers = [{ countries = [\"TH\"], by = \"0\" }]\ncpm",
        "multipliers: multiplier 1: by = \"0\" is no multiplier but an exclusion; put the values into exclude",
    ),
    (
        "cpm",
        "multipliers = [{ countries = [\"TH\"], by = 1.2 }]\ncpm",
        "multipliers[0].by = 1.2: expects a factor from 0.1 to 10 in quotes",
    ),
    (
        "cpm",
        "multipliers = [{ countries = [\"TH\"], by = \"10.001\" }]\ncpm",
        "multipliers: multiplier 1: by must be from 0.1 to 10",
    ),
    (
        "cpm",
        "multipliers = [{ by = \"1.2\" }]\ncpm",
        "multipliers: multiplier 1: names nothing that it depends on",
    ),
    (
        "cpm",
        "multipliers = [{ countries = [\"TH\"] }]\ncpm",
        "multipliers[0].by: missing; expects a factor",
    ),
    (
        "cpm",
        "multipliers = [{ exchanges = [\"plane\"], by = \"1.2\" }]\ncpm",
        "multipliers[0].exchanges: plane is not in bidtree.toml; did you mean plain?",
    ),
    (
        "cpm = \"2.50\"",
        "cpm = \"20.00\"\nmultipliers = [{ countries = [\"TH\"], by = \"6\" }]",
        "max_cpm: it may come to bid 120 USD, which is above fuses.max_cpm = 100",
    ),
    (
        "cpm",
        "max_cpm = \"3.00\"\ndeals = [{ id = \"d\", exchange = \"plain\", cpm = \"3.01\" }]\ncpm",
        "deals: deal d: its price is above the campaign's highest",
    ),
    (
        "cpm",
        "currency = \"EUR\"\ncpm",
        "currency: EUR has no rate; add it to [rates.in_usd]",
    ),
    (
        "cpm",
        "margin_percent = \"1000.1\"\ncpm",
        "margin_percent: margin must be at most 1000 per cent",
    ),
    (
        "cpm",
        "regions = [\"raw\"]\ncpm",
        "regions: raw is not in bidtree.toml; did you mean row?",
    ),
    (
        "cpm",
        "regions = []\ncpm",
        "regions: regions must name at least one",
    ),
    (
        "cpm",
        "exchanges = [\"adx\"]\ncpm",
        "exchanges: adx is not in bidtree.toml; known are plain",
    ),
    (
        "cpm",
        "frequency = { impressions = 1, within = \"31d\" }\ncpm",
        "frequency: frequency cap needs",
    ),
    (
        "cpm",
        "frequency = { impressions = 1 }\ncpm",
        "frequency.within: missing; expects a length of time",
    ),
    (
        "cpm",
        "flight = { starts = \"2026-02-01\", ends = \"2026-01-31\" }\ncpm",
        "flight: flight must end after it starts",
    ),
    (
        "cpm",
        "time_zone = \"Asia/Atlantis\"\ncpm",
        "time_zone = \"Asia/Atlantis\": expects a time zone",
    ),
    (
        "cpm",
        "pacing = \"slow\"\ncpm",
        "pacing = \"slow\": expects one of even, asap",
    ),
    (
        "cpm",
        "active = \"no\"\ncpm",
        "active = \"no\": expects true or false",
    ),
    (
        "cpm",
        "targeting = { hours = [] }\ncpm",
        "targeting.hours: targeting leaves no hour",
    ),
    (
        "cpm",
        "targeting = { hours = [\"mon\", \"8-20h\"] }\ncpm",
        "targeting.hours[1] = \"8-20h\": expects days and hours",
    ),
    (
        "cpm",
        "targeting = { os = { include = [\"beos\"] } }\ncpm",
        "targeting.os.include[0] = \"beos\": expects one of android",
    ),
    (
        "cpm",
        "targeting = { countries = [\"SG\"] }\ncpm",
        "targeting.countries = [\"SG\"]: expects a section",
    ),
    (
        "cpm",
        "open_market = false\ncpm",
        "deals: needs 1 to 64 deals, or open_market = true",
    ),
    (
        "cpm",
        "deals = [{ exchange = \"plain\" }]\ncpm",
        "deals[0].id: missing; expects a deal's id",
    ),
    (
        "cpm",
        "deals = [{ id = \"a b\", exchange = \"plain\" }]\ncpm",
        "deals[0].id = \"a b\": expects a deal's id",
    ),
    (
        "cpm",
        "deals = [{ id = \"d\", exchange = \"plane\" }]\ncpm",
        "deals[0].exchange: plane is not in bidtree.toml; did you mean plain?",
    ),
    (
        "cpm",
        "deals = [{ id = \"d\", exchange = \"plain\", cpm = \"100.01\" }]\ncpm",
        "deals[0].cpm: 100.01 USD is above fuses.max_cpm = 100",
    ),
    (
        "cpm",
        "deals = [{ id = \"d\", exchange = \"plain\", cpm = \"0\" }]\ncpm",
        "deals: deal d: its price must be above 0",
    ),
    (
        "cpm",
        "deals = [{ id = \"d\", exchange = \"plain\" }, { id = \"d\", exchange = \"plain\" }]\ncpm",
        "deals: deal d: is there twice",
    ),
    ("daily = \"50.00\"", "", "budget: missing; expects { daily"),
    ("50.00", "0", "budget.daily: daily budget must be above 0"),
];

const ADVERTISER_ROWS: &[Row] = &[
    (
        "domains",
        "budget_daily = \"0\"\ndomains",
        "budget_daily: must be above 0; leave it out for no limit",
    ),
    (
        "domains",
        "cap = { impressions = 3 }\ndomains",
        "cap.within: missing",
    ),
    (
        "domains",
        "cap = { impressions = 3, within = \"31d\" }\ndomains",
        "cap: frequency cap needs at least 1 impression in a window above 0 and of at most 30 days",
    ),
    (
        "domains",
        "time_zone = \"Moon\"\ndomains",
        "time_zone = \"Moon\": expects a time zone",
    ),
    (
        "domains",
        "seats = { plane = \"a\" }\ndomains",
        "seats: plane is not in bidtree.toml; did you mean plain?",
    ),
    (
        "domains",
        "seats = { plain = \"a\" }\ndomains",
        "seats: a is not a seat of plain; add it to exchanges.plain.seats",
    ),
    (
        "domains",
        "dsa = { behalf = \"Shoes Ltd\" }\ndomains",
        "dsa.paid: missing; expects a text",
    ),
    (
        "domains",
        "dsa = { behalf = \"a\", paid = \"b\", transparency = [{ parameters = [1] }] }\ndomains",
        "dsa.transparency[0].domain: missing; expects a domain",
    ),
];

const BANNER_ROWS: &[Row] = &[
    (
        "\"banner\"",
        "\"teapot\"",
        "kind = \"teapot\": expects one of banner, video, audio, native",
    ),
    (
        "w = 728",
        "w = 0",
        "w = 0: expects a whole number from 1 to 16384",
    ),
    ("w = 728", "", "w: missing; expects a whole number"),
    (
        "{impression_url}",
        "",
        "html: must contain {impression_url}",
    ),
    ("html", "markup", "markup = "),
    (
        "w = 728",
        "w = 728\nmarkup = \"a.html\"",
        "markup: stands beside html; leave one of them",
    ),
    (
        "w = 728",
        "w = 728\ntype = \"flash\"",
        "type = \"flash\": expects one of xhtml_text",
    ),
    (
        "w = 728",
        "w = 728\nattributes = [0]",
        "attributes = [0]: expects a list of whole numbers from 1 to 63",
    ),
    (
        "https://shoes.example/",
        "shoes.example",
        "click_url = \"shoes.example\": expects an absolute http or https URL",
    ),
];

const VIDEO_ROWS: &[Row] = &[
    ("[[media]]", "[media]", "media"),
    (
        "duration_seconds = 15",
        "duration_seconds = 15\nskip_after_seconds = 15",
        "skip_after_seconds: must be below duration_seconds",
    ),
    ("duration_seconds = 15", "", "duration_seconds: missing"),
    (
        "mime = \"video/mp4\"",
        "",
        "media[0].mime: missing; expects the MIME type of a video",
    ),
    (
        "[[media]]",
        "[wrapper]\ntag_url = \"https://a.example\"\n[[media]]",
        "wrapper: stands beside media",
    ),
    (
        "[[media]]",
        "[overlay]\nurl = \"https://a.example\"\n[[media]]",
        "overlay: stands beside media",
    ),
    (
        "[[media]]\nurl",
        "[overlay]\nurl",
        "overlay.mime = \"video/mp4\": expects the MIME type of an image",
    ),
];

const AUDIO_ROWS: &[Row] = &[
    (
        "audio/mpeg",
        "video/mp4v",
        "media[0].mime = \"video/mp4v\": expects the MIME type of sound",
    ),
    (
        "bitrate_kbps",
        "w = 1\nbitrate_kbps",
        "media[0].w = 1: unknown key",
    ),
    (
        "duration_seconds",
        "skip_after_seconds = 5\nduration_seconds",
        "skip_after_seconds = 5: unknown key",
    ),
    (
        "\"frame\"",
        "\"html\"",
        "companions[0].kind = \"html\": expects one of image, frame",
    ),
    (
        "kind = \"frame\"",
        "kind = \"frame\"\nmime = \"image/png\"",
        "companions[0].mime: belongs to an image; leave it out of a frame",
    ),
    ("kind = \"frame\"", "", "companions[0].mime: missing"),
    ("vendor =", "# vendor =", "verification.vendor: missing"),
];

const NATIVE_ROWS: &[Row] = &[
    (
        "title = \"Shoes\"",
        "title = \"Shoes\"\ndeep_link = \"shoes\"",
        "deep_link = \"shoes\": expects an address in an app",
    ),
    (
        "[[images]]",
        "[video]\nduration_seconds = 15\n[[images]]",
        "video.media: missing; expects at least one file",
    ),
    ("title = \"Shoes\"", "", "title: missing; expects a text"),
    (
        "\"sponsored\"",
        "\"slogan\"",
        "texts[0].kind = \"slogan\": expects one of sponsored, description",
    ),
    (
        "\"icon\"",
        "0",
        "images[0].kind = 0: expects one of icon, main, or a number above 0",
    ),
    ("w = 80", "", "images[0].w: missing"),
];

#[test]
fn each_relation_has_its_own_words() {
    for (file, before, rows) in [
        ("bidtree.toml", SERVER, SERVER_ROWS),
        ("campaigns/spring.toml", CAMPAIGN, CAMPAIGN_ROWS),
        ("advertisers/shoes.toml", ADVERTISER, ADVERTISER_ROWS),
        ("creatives/wide.toml", BANNER, BANNER_ROWS),
        ("creatives/wide.toml", VIDEO, VIDEO_ROWS),
        ("creatives/wide.toml", AUDIO, AUDIO_ROWS),
        ("creatives/wide.toml", NATIVE, NATIVE_ROWS),
    ] {
        for (from, to, said) in rows {
            let folder = Folder::new().write(file, before).replace(file, from, to);
            let faults = folder.faults(&[]);
            let expected = format!("{file}: {said}");
            let found = faults.iter().any(|fault| fault.starts_with(&expected));
            assert!(
                found,
                "{from} → {to}\nexpected {expected}\nfound {faults:#?}"
            );
        }
    }
}

#[test]
fn no_more_holds_are_different_than_a_ledger_tells_apart() {
    let others = |longest: usize| {
        let sections = (1..=longest).map(|number| {
            format!(
                "[exchanges.e{number}]\nlisten = \"127.0.0.1:0\"\nhold = \"{}s\"\n",
                10 + number
            )
        });
        sections.collect::<String>() + "[regions.row]"
    };
    // One more stands in the file, with the hold of who names none.
    let of = |longest| Folder::new().replace("bidtree.toml", "[regions.row]", &others(longest));
    assert_eq!(of(15).faults(&[]), Vec::<String>::new());
    let twice = "hold = \"11s\"";
    let shared = of(16).replace("bidtree.toml", "hold = \"26s\"", twice);
    assert_eq!(shared.faults(&[]), Vec::<String>::new());
    let faults = of(16).faults(&[]);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(
        faults[0].contains(".hold: is one more than the 16 different holds that are told apart"),
        "{faults:?}"
    );
}
