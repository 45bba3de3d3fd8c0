//! Placements of several formats, and their floors.

use super::*;
use crate::campaign::fixture::{audio, banner, native, video};

#[test]
fn each_format_of_one_placement_has_its_own_rules_and_floor() {
    let imp = json!({
        "bidfloor": 1.0,
        "banner": { "w": 300, "h": 250, "battr": [1] },
        "video": { "mincpmpersec": 0.2, "battr": [2], "api": [7] },
        "audio": { "durfloors": [{ "mindur": 10, "maxdur": 20, "bidfloor": 2.0 }] },
        "native": { "request": { "assets": [{ "id": 1, "title": {} }] }, "battr": [4] },
    });
    let dollars = |cents: i64| Ok(Cpm::from_micros(cents * 10_000));
    for (creative, floor) in [
        (banner("b", 300, 250), dollars(100)),
        (video("v"), dollars(300)),
        (audio("a"), dollars(200)),
        (native("n"), dollars(100)),
    ] {
        assert_eq!(fitted(&imp, creative), floor);
    }
    for (mut creative, attribute) in [
        (banner("b", 300, 250), 1),
        (video("v"), 2),
        (native("n"), 4),
    ] {
        creative.attributes = 1 << 3;
        assert!(
            fitted(&imp, creative.clone()).is_ok(),
            "blocked elsewhere only"
        );
        creative.attributes = 1 << attribute;
        assert_eq!(fitted(&imp, creative), Err(PassReason::BlockedAttribute));
    }
    let mut measured = video("v");
    measured.apis = 1 << 7;
    assert!(fitted(&imp, measured).is_ok());
    let mut measured = banner("b", 300, 250);
    measured.apis = 1 << 7;
    assert_eq!(fitted(&imp, measured), Err(PassReason::BlockedAttribute));
}

#[test]
fn floors_by_the_second_and_by_duration_hold() {
    for (fields, cents) in [
        (json!({}), 50),
        (json!({ "mincpmpersec": 0.1 }), 150),
        (
            json!({ "durfloors": [{ "mindur": 1, "maxdur": 15, "bidfloor": 5 }] }),
            500,
        ),
        (
            json!({ "durfloors": [{ "mindur": 16, "bidfloor": 5 }] }),
            50,
        ),
    ] {
        let imp = json!({ "bidfloor": 0.5, "video": fields });
        let floor = Cpm::from_micros(cents * 10_000);
        assert_eq!(fitted(&imp, video("v")), Ok(floor), "{fields}");
    }
    let unreadable = json!({ "video": { "durfloors": "x" } });
    assert!(fitted(&unreadable, video("v")).is_err());
}
