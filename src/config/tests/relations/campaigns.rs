//! Of a campaign, and of its advertiser.

use super::*;

pub(super) const CAMPAIGN_ROWS: &[Row] = &[
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
        "multipliers[1].by = 1.2: expects a factor from 0.1 to 10 in quotes",
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
        "multipliers[1].by: missing; expects a factor",
    ),
    (
        "cpm",
        "multipliers = [{ exchanges = [\"plane\"], by = \"1.2\" }]\ncpm",
        "multipliers[1].exchanges: plane is not in bidtree.toml; did you mean plain?",
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
        "targeting.hours[2] = \"8-20h\": expects days and hours",
    ),
    (
        "cpm",
        "targeting = { os = { include = [\"beos\"] } }\ncpm",
        "targeting.os.include[1] = \"beos\": expects one of android",
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
        "deals[1].id: missing; expects a deal's id",
    ),
    (
        "cpm",
        "deals = [{ id = \"a b\", exchange = \"plain\" }]\ncpm",
        "deals[1].id = \"a b\": expects a deal's id",
    ),
    (
        "cpm",
        "deals = [{ id = \"d\", exchange = \"plane\" }]\ncpm",
        "deals[1].exchange: plane is not in bidtree.toml; did you mean plain?",
    ),
    (
        "cpm",
        "deals = [{ id = \"d\", exchange = \"plain\", cpm = \"100.01\" }]\ncpm",
        "deals[1].cpm: 100.01 USD is above fuses.max_cpm = 100",
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

pub(super) const ADVERTISER_ROWS: &[Row] = &[
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
        "dsa.paid: missing; expects a text of at most 100 bytes",
    ),
    (
        "domains",
        "dsa = { behalf = \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaé\", paid = \"b\" }\ndomains",
        "dsa.behalf = \"aaaaaaaaaa",
    ),
    (
        "domains",
        "dsa = { behalf = \"a\", paid = \"b\", transparency = [{ parameters = [1] }] }\ndomains",
        "dsa.transparency[1].domain: missing; expects a domain",
    ),
];
