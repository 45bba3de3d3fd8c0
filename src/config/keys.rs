//! Every key there is, by the table it stands in. What is not here is refused; what is here is in
//! `docs/configuration.md`, which a test compares.

pub(super) type Keys = &'static [&'static str];

pub(super) const TOP: Keys = &[
    "server",
    "exchanges",
    "regions",
    "notices",
    "admin",
    "telemetry",
    "campaigns",
    "store",
    "rates",
    "traffic",
    "segments",
    "fuses",
    "click_rates",
];
/// Those of them that are lists of tables: a variable names one value, and no table of a list.
pub(super) const LISTS_OF_TABLES: [&str; 1] = ["segments"];
pub(super) const SERVER: Keys = &["data_threads", "data_dir", "drain", "restart_limit"];
pub(super) const EXCHANGE: Keys = &[
    "dialect",
    "listen",
    "seat",
    "seats",
    "bids_per_imp",
    "approval_first",
    "supply_chain",
    "billing",
    "notice_url",
    "sync_url",
    "gzip",
    "hold",
    "default_tmax",
    "network_margin",
    "max_connections",
    "connection_max_age",
    "idle_timeout",
    "header_timeout",
    "max_body_bytes",
    "restart_limit",
    "probation",
];
pub(super) const REGION: Keys = &["countries", "rest", "restart_limit", "probation"];
pub(super) const NOTICES: Keys = &[
    "listen",
    "public_url",
    "secure_url",
    "restart_limit",
    "probation",
];
pub(super) const ADMIN: Keys = &["listen", "chaos", "restart_limit"];
pub(super) const TELEMETRY: Keys = &[
    "event_log",
    "trace_one_in",
    "max_file_bytes",
    "max_files",
    "restart_limit",
    "probation",
];
pub(super) const CAMPAIGNS: Keys = &[
    "max_live",
    "strict_caps",
    "restart_limit",
    "probation",
    "campaign_restart_limit",
];
pub(super) const STORE: Keys = &["restart_limit"];
pub(super) const RATES: Keys = &["as_of", "max_age", "in_usd"];
pub(super) const TRAFFIC: Keys = &["bots", "datacentres"];
pub(super) const SEGMENT: Keys = &["name", "file", "ids"];
pub(super) const SUPPLY_CHAIN: Keys = &["rule", "allowed", "blocked"];
pub(super) const FUSES: Keys = &["max_cpm"];
pub(super) const CLICK_RATES: Keys = &["banner", "video", "audio", "native"];
pub(super) const PRIOR: Keys = &["prior_clicks", "prior_impressions"];
pub(super) const LIMIT: Keys = &["restarts", "within"];
pub(super) const PROBATION: Keys = &["delay", "delay_max", "quiet"];

pub(super) const ADVERTISER: Keys = &[
    "name",
    "domains",
    "categories",
    "taxonomies",
    "currency",
    "sites",
    "apps",
    "seats",
    "cap",
    "budget_daily",
    "budget_total",
    "time_zone",
    "dsa",
];
pub(super) const TAXONOMY: Keys = &["cattax", "categories"];
pub(super) const DSA: Keys = &["behalf", "paid", "renders", "transparency"];
pub(super) const DSA_PLATFORM: Keys = &["domain", "parameters"];

pub(super) const CAMPAIGN: Keys = &[
    "name",
    "advertiser",
    "active",
    "currency",
    "cpm",
    "goal",
    "max_cpm",
    "multipliers",
    "margin_percent",
    "regions",
    "exchanges",
    "open_market",
    "deals",
    "budget",
    "flight",
    "time_zone",
    "pacing",
    "frequency",
    "creatives",
    "targeting",
];
pub(super) const GOAL: Keys = &["cpc"];
pub(super) const MULTIPLIER: Keys = &[
    "by",
    "countries",
    "devices",
    "os",
    "languages",
    "exchanges",
    "sites",
    "apps",
    "categories",
    "segments",
    "hours",
    "formats",
];
pub(super) const DEAL: Keys = &["id", "exchange", "cpm", "guaranteed"];
pub(super) const BUDGET: Keys = &["daily", "total"];
pub(super) const FLIGHT: Keys = &["starts", "ends"];
pub(super) const FREQUENCY: Keys = &["impressions", "within"];
pub(super) const TARGETING: Keys = &[
    "countries",
    "devices",
    "os",
    "languages",
    "sites",
    "apps",
    "categories",
    "segments",
    "hours",
];
pub(super) const LISTS: Keys = &["include", "exclude"];

pub(super) const CREATIVE: Keys = &[
    "kind",
    "click_url",
    "attributes",
    "apis",
    "categories",
    "taxonomies",
    "language",
    "iurl",
    "bundle",
];
pub(super) const BANNER: Keys = &[
    "w",
    "h",
    "scales_from_w",
    "expands",
    "type",
    "mime",
    "html",
    "markup",
];
pub(super) const SPOT: Keys = &[
    "duration_seconds",
    "media",
    "wrapper",
    "companions",
    "verification",
];
pub(super) const VIDEO: Keys = &["skip_after_seconds", "overlay"];
pub(super) const VIDEO_MEDIA: Keys = &["url", "mime", "w", "h", "bitrate_kbps"];
pub(super) const AUDIO_MEDIA: Keys = &["url", "mime", "bitrate_kbps"];
pub(super) const WRAPPER: Keys = &["tag_url", "mimes"];
pub(super) const OVERLAY: Keys = &["url", "mime", "w", "h"];
pub(super) const COMPANION: Keys = &["kind", "url", "mime", "w", "h"];
pub(super) const VERIFICATION: Keys = &["vendor", "script_url", "parameters"];
pub(super) const NATIVE: Keys = &[
    "title",
    "texts",
    "images",
    "video",
    "deep_link",
    "privacy_url",
    "script_url",
];
pub(super) const NATIVE_VIDEO: Keys = &["duration_seconds", "media"];
pub(super) const NATIVE_TEXT: Keys = &["kind", "text"];
pub(super) const NATIVE_IMAGE: Keys = &["kind", "url", "w", "h", "mime"];

/// Every table's keys.
#[cfg(test)]
pub(super) const ALL: &[Keys] = &[
    TOP,
    SERVER,
    EXCHANGE,
    REGION,
    NOTICES,
    ADMIN,
    TELEMETRY,
    CAMPAIGNS,
    STORE,
    RATES,
    TRAFFIC,
    SEGMENT,
    SUPPLY_CHAIN,
    FUSES,
    CLICK_RATES,
    PRIOR,
    LIMIT,
    PROBATION,
    ADVERTISER,
    TAXONOMY,
    DSA,
    DSA_PLATFORM,
    CAMPAIGN,
    GOAL,
    MULTIPLIER,
    DEAL,
    BUDGET,
    FLIGHT,
    FREQUENCY,
    TARGETING,
    LISTS,
    CREATIVE,
    BANNER,
    SPOT,
    VIDEO,
    VIDEO_MEDIA,
    AUDIO_MEDIA,
    WRAPPER,
    OVERLAY,
    COMPANION,
    VERIFICATION,
    NATIVE,
    NATIVE_VIDEO,
    NATIVE_TEXT,
    NATIVE_IMAGE,
];

#[cfg(test)]
mod tests {
    /// The list is by hand, and what it lacks is compared with nothing.
    #[test]
    fn every_table_is_in_the_list_of_all() {
        let source = include_str!("keys.rs");
        let (tables, list) = source.split_once("/// Every table's keys.").unwrap();
        let names = tables.lines().filter_map(|line| {
            let (name, kind) = line.strip_prefix("pub(super) const ")?.split_once(": ")?;
            kind.starts_with("Keys =").then_some(name)
        });
        let names: Vec<_> = names.collect();
        assert!(names.contains(&"TAXONOMY"), "{names:?}");
        let listed = list
            .lines()
            .filter_map(|line| line.trim().strip_suffix(','));
        assert_eq!(listed.take(names.len() + 1).collect::<Vec<_>>(), names);
    }
}
