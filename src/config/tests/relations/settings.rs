//! Of `bidtree.toml`.

use super::*;

pub(super) const SERVER_ROWS: &[Row] = &[
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
        "exchanges.plain.supply_chain.blocked[1] = \"bad\": expects a seller's system",
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
        "segments[1].file: missing; expects the name of a .txt file",
    ),
    (
        "[notices]",
        "[[segments]]\nname = \"a/b\"\nfile = \"a.txt\"\nids = \"md5\"\n[notices]",
        "segments[1].ids = \"md5\": expects one of plain, keys",
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
        "exchanges.plain.seats[1] = \"\": expects a text",
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
        "regions.row.countries[1] = \"XX\": expects a country",
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
