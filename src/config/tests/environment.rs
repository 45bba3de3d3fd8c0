//! What the environment says, and how its faults are told from those of a file.

use std::time::Duration;

use super::*;
use crate::campaign::Country;
use crate::units::Currency;

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
